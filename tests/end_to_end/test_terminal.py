"""What others wrote is shown as they wrote it: rich's markup and emoji codes mean nothing in it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from clinic.call_list import OpenCall
from clinic.call_task import TaskKind
from clinic.call_words import Written
from clinic.forecast import Forecast, ForecastStep
from clinic.outcome import Outcome
from clinic.page_room import Waits, WaitsFor
from clinic.preview import Preview
from clinic.register_import.file_format import FileFormat
from clinic.register_import.import_result import ImportResult
from clinic.register_import.reading import Layout, Reading
from clinic.register_import.register_row import ReadRow
from clinic.register_import.rejects import Reject
from clinic.report import Report
from commands import import_screen, terminal

NOW = datetime(2027, 3, 2, 15, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")
FOREIGN = ["ok [/ ok]", "[mañana]", "[/b]", "[red]x", "so :smile:"]


@dataclass
class Export:
    """A file whose every name is the same text."""

    name: str

    @property
    def description(self) -> str:
        return self.name

    @property
    def reading(self) -> Reading:
        return Reading(layout=Layout(format=FileFormat.XLSX, sheet=self.name))

    @property
    def header(self) -> list[str]:
        return [self.name]

    @property
    def understood(self) -> dict[str, str]:
        return {self.name: "email"}

    @property
    def ignored(self) -> list[str]:
        return [self.name]

    size = position = 0

    def rows(self) -> Iterator[ReadRow]:
        return iter(())


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
        written=(Written("", text),),
    )
    with terminal.console.capture() as shown:
        terminal.print_calls([call], ZONE)
    assert unfolded(shown.get()).count(unfolded(text)) >= 2
    assert unfolded(f"“{text}”") in unfolded(shown.get())


def a_report(text: str) -> Report:
    """Return a report in which every name is the same text."""
    return Report(
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


@pytest.mark.parametrize("text", FOREIGN)
def test_a_report_a_preview_and_lists_show_names_as_they_are(text: str) -> None:
    report = a_report(text)
    step = ForecastStep(channel=text, template="x", at=NOW, rule=text)
    preview = Preview(at_most=1)
    preview.take(Forecast(patient_id="pa-1", external_id=text, name=text, steps=(step,)))
    reject = Reject(2, "email", text, imported=False, cells=[])
    printings: list[Callable[[], None]] = [
        lambda: terminal.print_report(report, ZONE),
        lambda: terminal.print_preview(preview, text, ZONE),
        lambda: terminal.print_segments([(text, 1, text)]),
        lambda: import_screen.print_import(
            Export(text), ImportResult(rejected=1, rejects=[reject]), text, dry_run=False
        ),
    ]
    for printing in printings:
        with terminal.console.capture() as shown:
            printing()
        assert unfolded(shown.get()).count(unfolded(text)) >= 2


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        pytest.param(
            Waits(waits_for=WaitsFor.CALL_LIST, open_calls=55, at_most=40),
            "waits: 55 calls are open, at most 40 "
            "(complete calls, or allow the campaign more of them in the console)",
            id="a full call list",
        ),
        pytest.param(
            Waits(waits_for=WaitsFor.PACE, until=NOW, at_most=120),
            "waits: the next start Tue 2027-03-02 10:00 (--pace 120/h)",
            id="the pace",
        ),
    ],
)
def test_what_a_campaign_waits_for_is_said_in_the_clinics_time(waits: Waits, said: str) -> None:
    report = a_report("spring").model_copy(update={"waits": waits})
    with terminal.console.capture() as shown:
        terminal.print_report(report, ZONE)
    assert said.removeprefix("w") in shown.get()
    assert terminal.progress_line(report, ZONE).endswith(f"; {said}")


def unfolded(text: str) -> str:
    return "".join(text.split())
