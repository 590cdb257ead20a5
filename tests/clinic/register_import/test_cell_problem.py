"""A reason is a sentence that can be said otherwise; a rejected row names all that is wrong."""

import pickle
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.register_row import BadCell
from clinic.register_import.rejects import Reject
from clinic.register_import.row import RowReader

COLUMNS = ("patient_id", "name", "birth_date", "last_visit", "phone", "email", "sex")


def rejected(*cells: str) -> BadCell:
    reader = RowReader(
        dict(enumerate(COLUMNS)), country="CO", zone=ZoneInfo("UTC"), today=date(2026, 11, 1)
    )
    with pytest.raises(BadCell) as bad:
        reader.read(cells)
    return bad.value


def test_a_rejected_row_names_every_cell_that_can_not_be_used() -> None:
    bad = rejected("A-1", "Ana Ruiz", "tomorrow", "2090-01-01", "12", "nobody", "f")
    assert bad.column == "birth_date"
    assert [column for column, _ in bad.also] == ["last_visit", "email", "phone"]
    said = Reject(2, bad.column, bad.reason, imported=False, cells=[], also=bad.also).whole_reason
    assert said.startswith(
        "`tomorrow` is no date (expected 2026-02-28 or 28/02/2026); last_visit: "
    )
    assert "\n" not in said


def test_a_row_with_one_bad_cell_names_that_alone() -> None:
    bad = rejected("A-1", "", "1980-02-28", "", "", "", "")
    assert (bad.column, bad.reason, bad.also) == ("name", "is missing", ())


@pytest.mark.parametrize(
    ("cells", "named"),
    [
        pytest.param(("", "Ana", "nope"), ["birth_date", "patient_id"], id="known by nothing"),
        pytest.param(("", "Ana", "nope", "", "12"), ["birth_date", "patient_id", "phone"], id="12"),
        pytest.param(("A-1", "Ana", "nope"), ["birth_date"], id="known by the number"),
        pytest.param(("", "Ana", "nope", "", "", "a@example.com"), ["birth_date"], id="by email"),
        pytest.param(("3E+09", "Ana", "nope"), ["patient_id", "birth_date"], id="number rounded"),
        pytest.param(("", "", "nope"), ["birth_date", "name"], id="no name either"),
    ],
)
def test_a_row_that_would_be_rejected_for_nothing_to_know_the_patient_by_says_that_too(
    cells: tuple[str, ...], named: list[str]
) -> None:
    """Whoever empties the bad cell to have the row taken is told before they do."""
    bad = rejected(*cells)
    assert [bad.column, *(column for column, _ in bad.also)] == named


@pytest.mark.parametrize(
    ("cells", "why", "shown"),
    [
        (("A-1", "Ana", "nope"), CellProblem.NO_DATE, ("nope", "28/02/2026")),
        (("A-1", "Ana", "2090-01-01"), CellProblem.FUTURE, ("2090-01-01",)),
        (("3.05555E+09", "Ana", ""), CellProblem.ROUNDED, ("3.05555E+09",)),
        (("A-1", "3", ""), CellProblem.NO_NAME, ("3",)),
    ],
)
def test_it_says_which_of_the_closed_list_and_about_what(
    cells: tuple[str, ...], why: CellProblem, shown: tuple[str, ...]
) -> None:
    reason = rejected(*cells).reason
    assert isinstance(reason, Reason)
    assert (reason.why, reason.shown) == (why, shown)


def test_a_process_hands_it_on_whole() -> None:
    reason = Reason(CellProblem.FUTURE, "`2090` lies in the future", "2090")
    there = pickle.loads(pickle.dumps(reason))  # noqa: S301 - our own
    assert (there, there.why, there.shown) == (reason, CellProblem.FUTURE, ("2090",))


def test_what_a_reason_shows_is_text_also_where_an_export_has_a_number() -> None:
    number: object = 0
    assert Reason(CellProblem.NO_DATE, "`0` is no date", number, "1980-02-28").shown == (
        "0",
        "1980-02-28",
    )
