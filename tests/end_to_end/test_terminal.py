"""What others wrote is shown as they wrote it: rich's markup and emoji codes mean nothing in it."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.call_list import OpenCall
from clinic.call_task import TaskKind
from clinic.forecast import Forecast, ForecastStep
from clinic.outcome import Outcome
from clinic.register_import.import_run import ImportResult, Reject
from clinic.report import Report
from commands import terminal

NOW = datetime(2027, 3, 2, 15, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
FOREIGN = ["ok [/ ok]", "[mañana]", "[/b]", "[red]x", "so :smile:"]


@pytest.mark.parametrize("text", FOREIGN)
def test_a_call_list_shows_names_and_replies_as_they_are(text: str) -> None:
    call = OpenCall(
        task_id="ct-1",
        kind=TaskKind.CALL,
        priority=1,
        due_at=NOW,
        overdue=True,
        tries_made=0,
        tries_allowed=3,
        claimed_by=text,
        campaign=text,
        patient_id="pa-1",
        external_id=text,
        name=text,
        phone=None,
        language=None,
        words=text,
    )
    with terminal.console.capture() as shown:
        terminal.print_calls([call], ZONE)
    assert unfolded(shown.get()).count(unfolded(text)) >= 2
    assert unfolded(f"“{text}”") in unfolded(shown.get())


@pytest.mark.parametrize("text", FOREIGN)
def test_a_report_a_preview_and_lists_show_names_as_they_are(text: str) -> None:
    report = Report(
        name=text,
        segment=text,
        plan=text,
        state="running",
        started_at=NOW,
        until=None,
        goal=None,
        patients=1,
        outcomes=dict.fromkeys(Outcome, 0),
        waiting=1,
        with_person=0,
        not_started=0,
        left_out={text: 0},
        messages={text: 1},
        loss_reasons={text: 1},
    )
    step = ForecastStep(channel=text, template="x", at=NOW, rule=text)
    forecast = Forecast(patient_id="pa-1", external_id=text, name=text, steps=(step,))
    reject = Reject(2, "email", text, imported=False, cells=[])
    printings: list[Callable[[], None]] = [
        lambda: terminal.print_report(report, ZONE),
        lambda: terminal.print_preview([forecast], 1, ZONE),
        lambda: terminal.print_segments([(text, 1, text)]),
        lambda: terminal.print_import(ImportResult(rejected=1, rejects=[reject]), text),
    ]
    for printing in printings:
        with terminal.console.capture() as shown:
            printing()
        assert unfolded(shown.get()).count(unfolded(text)) >= 2


def unfolded(text: str) -> str:
    return "".join(text.split())
