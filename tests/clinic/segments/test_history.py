"""Segments by what a patient's visits and the clinic's contacts were, on both databases."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.call_task import TaskKind
from clinic.event import CallOutcome
from tests.clinic.segments.test_sql import NOON, TODAY, contact, found

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


async def visited(rows: "Rows", name: str, **days_ago: int | tuple[int, ...]) -> None:
    """Add a patient with visits: treatment to how many days ago."""
    patient = await rows.patient(external_id=name)
    for treatment, days in days_ago.items():
        for one in days if isinstance(days, tuple) else (days,):
            await rows.visit(patient, ago(one), treatment)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param({}, {"left", "checked since", "finished", "finished that day"}, id="alone"),
        pytest.param(
            {"finished_by": ["retainer"]}, {"left", "checked since", "began anew"}, id="finished by"
        ),
    ],
)
async def test_a_treatment_is_not_continued_if_only_other_visits_followed(
    rows: "Rows", rule: dict[str, Any], expected: set[str]
) -> None:
    await visited(rows, "left", braces=(400, 91))
    await visited(rows, "just within", braces=(400, 90))
    await visited(rows, "checked since", braces=100, cleaning=5)
    await visited(rows, "finished", braces=200, retainer=150)
    await visited(rows, "finished that day", braces=200, retainer=200)
    await visited(rows, "began anew", braces=(300, 100), retainer=200)
    await visited(rows, "never had it", cleaning=300, retainer=200)
    where = {"not_continued": {"treatment": "Braces", "for": "90 days"} | rule}
    if not rule:
        expected = expected | {"began anew"}
    assert expected == await found(rows, where)


async def test_a_treatment_under_two_names_is_continued_under_either(rows: "Rows") -> None:
    await visited(rows, "goes on", braces=300, aligners=20)
    await visited(rows, "left", braces=300, aligners=200)
    where = {"not_continued": {"treatment": ["braces", "aligners"], "for": "90 days"}}
    assert {"left"} == await found(rows, where)


async def test_never_returned_is_one_day_long_ago(rows: "Rows") -> None:
    await visited(rows, "once", filling=121)
    await visited(rows, "twice on one day", filling=200, cleaning=200)
    await visited(rows, "too lately", filling=120)
    await visited(rows, "twice", filling=(300, 200))
    await rows.patient(external_id="never here")
    reported = await rows.patient(external_id="more than one reported", reported_visits=2)
    await rows.visit(reported, ago(200), "filling")
    where = {"never_returned": {"for": "120 days"}}
    assert {"once", "twice on one day"} == await found(rows, where)


@pytest.mark.parametrize(
    ("control", "expected"),
    [
        pytest.param(
            {"control": ["control", "checkup"]},
            {"overdue", "was elsewhere", "control overdue", "control before"},
            id="named controls",
        ),
        pytest.param({}, {"overdue", "control overdue", "control before"}, id="any visit"),
    ],
)
async def test_a_control_is_due_an_interval_after_the_procedure_or_the_last_control(
    rows: "Rows", control: dict[str, Any], expected: set[str]
) -> None:
    await visited(rows, "overdue", implant=366)
    await visited(rows, "not yet", implant=365)
    await visited(rows, "was elsewhere", implant=800, cleaning=10)
    await visited(rows, "controlled", implant=800, control=100)
    await visited(rows, "control overdue", implant=1000, checkup=500)
    await visited(rows, "control before", implant=400, control=900)
    await visited(rows, "only controls", control=900)
    where = {"control_due": {"after": ["prosthesis", "implant"], "every": "365 days"} | control}
    assert expected == await found(rows, where)


async def test_a_contact_is_a_message_that_was_sent_and_did_not_come_back(rows: "Rows") -> None:
    for name, days, given in (
        ("lately", 89, {}),
        ("on the first day", 90, {}),
        ("long ago", 91, {}),
        ("came back", 10, {"failed_at": NOON}),
        ("never left", 10, {"sent_at": None}),
        ("nobody has called yet", 10, {"channel": "call"}),
    ):
        await contact(rows, await rows.patient(external_id=name), ago(days), **given)
    both = await rows.patient(external_id="long ago and lately")
    await contact(rows, both, ago(300))
    await contact(rows, both, ago(30))
    lately = {"lately", "on the first day", "long ago and lately"}
    assert lately == await found(rows, {"last_contact": {"within": "90 days"}})
    assert {"long ago"} == await found(rows, {"last_contact": {"older_than": "90 days"}})
    never = {"came back", "never left", "nobody has called yet"}
    assert never == await found(rows, {"last_contact": "never"})
    assert never | {"long ago"} == await found(
        rows, {"not": {"last_contact": {"within": "90 days"}}}
    )


async def test_a_call_that_staff_made_is_a_contact(rows: "Rows", staff: "Staff") -> None:
    patient = await rows.patient(external_id="called")
    task = await staff.task(await rows.attempt(patient), kind=TaskKind.CALL)
    assert {"called"} == await found(rows, {"last_contact": "never"})
    await staff.complete(task, CallOutcome.NO_ANSWER)
    assert set() == await found(rows, {"last_contact": "never"})
    assert {"called"} == await found(rows, {"last_contact": {"within": "1 day"}})


async def test_a_contact_counts_for_the_clinics_day(rows: "Rows") -> None:
    evening = datetime(2027, 3, 1, 4, 30, tzinfo=UTC)  # 28 February, 23:30 in New York
    patient = await rows.patient(external_id="late on 28 February")
    await contact(rows, patient, TODAY, sent_at=evening)
    assert set() == await found(rows, {"last_contact": {"within": "1 day"}})
    assert {"late on 28 February"} == await found(rows, {"last_contact": {"within": "2 days"}})
