"""The results as a file for a spreadsheet, and as pictures."""

import csv
from datetime import UTC, date, datetime
from io import StringIO

import pytest

from clinic.multilingual import Saying
from clinic.outcome import LossReason
from clinic.results.by_contact import ByContact
from clinic.results.costs import Costs
from clinic.results.counting import Caller
from clinic.results.funnel import Funnel
from clinic.results.results import CampaignResult, Results
from clinic.results.share import Share
from clinic.results.spending import spending
from console.results.csv_file import csv_of
from console.results.picture import Row, bars, columns

MARCH = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
RESULTS = Results(
    funnel=Funnel(100, 90, 50, 20, 10),
    campaigns=(CampaignResult("ca", "=1+1", "@all", MARCH, None, Funnel(100, 90)),),
    segments={"-later": Funnel(100, 90)},
    weeks={date(2027, 3, 1): Funnel(100, 90)},
    channels=(ByContact(None, "\tplug-in", 90, 50, 20, 10),),
    steps=(ByContact(None, "call", 90, 50, 20, 10),),
    reasons={LossReason.PRICE: 3, None: 1},
    spending=spending(
        {"email": 3}, Costs.model_validate({"currency": "USD", "messages": {"email": 1}})
    ),
    callers=(Caller('+Lucía, "la jefa"\n;', 3, 2, 1), Caller("\rBruno", 1, 0, 0)),
)
TITLES = {"-later": Saying("-later", "")}


@pytest.mark.parametrize("language", ["es", "ru", "en"])
def test_no_spreadsheet_takes_a_cell_for_a_formula(language: str) -> None:
    written = csv_of(RESULTS, TITLES, language, str, "USD").decode("utf-8-sig")
    delimiter = "," if language == "en" else ";"
    rows = list(csv.reader(StringIO(written, newline=""), delimiter=delimiter))
    cells = {cell for row in rows for cell in row}
    assert {"'=1+1", "'-later", "'\tplug-in", "'\rBruno", '\'+Lucía, "la jefa"\n;'} <= cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert {len(row) for row in rows} == {9}


@pytest.mark.parametrize(("language", "share"), [("es", "0,2"), ("ru", "0,2"), ("en", "0.2")])
def test_numbers_stay_numbers_as_a_spreadsheet_of_the_language_reads_them(
    language: str, share: str
) -> None:
    written = csv_of(RESULTS, TITLES, language, str, "USD").decode("utf-8-sig")
    delimiter = "," if language == "en" else ";"
    rows = list(csv.reader(StringIO(written, newline=""), delimiter=delimiter))
    assert rows[4][2:6] == ["Booked", "20", "100", share]


def test_all_that_is_drawn_lies_within_the_picture() -> None:
    rows = [Row("a", Share(3, 400), goal=0.9), Row("b", Share(1, 2)), Row("c", Share(0, 0))]
    drawn = bars(rows)
    assert drawn.top == 1
    ends = [end for bar in drawn.bars for end in (bar.low, bar.ends, bar.high, bar.goal or 0)]
    assert all(0 <= end <= 100 for end in ends)
    assert all(bar.low <= bar.ends <= bar.high for bar in drawn.bars)
    upright = columns([Row(str(week), Share(week, 50)) for week in range(10)])
    assert upright.top == 0.5
    assert all(each.high <= each.top <= each.low for each in upright.columns)
    assert sum(each.named for each in upright.columns) <= 4


def test_only_a_whisker_that_goes_on_beyond_the_scale_has_an_arrow() -> None:
    rows = [Row("large", Share(300, 1000)), Row("small", Share(4, 6))]
    assert [bar.cut for bar in bars(rows, top=0.5).bars] == [False, True]
    assert [bar.cut for bar in bars(rows, top=1.0).bars] == [False, False]
    assert [column.cut for column in columns(rows[:1]).columns] == [False]
