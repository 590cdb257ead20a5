"""The import of a patient list: what becomes of each row."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.database import Transactions
from clinic.refusal import Refusal
from clinic.register_import.import_run import ImportResult, unfinished_imports
from clinic.register_import.register_row import ReadRow, Source
from clinic.tables import Appointment, ImportRun, Patient, Visit

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Desk

HEADER = "patient_id,first_name,last_name,email,phone,birth_date,last_visit,treatment,status"
ANA = "A-1,Ana,Gil,ana@example.com,305-555-0101,1960-05-01,2026-01-10,filling,active"
BORIS = "A-2,Boris,Orlov,boris@example.com,305-555-0102,1990-05-01,2026-02-10,control,active"


def figures(result: ImportResult) -> tuple[int, ...]:
    return tuple(result.counts.values())


async def test_a_list_becomes_patients_visits_and_appointments(desk: "Desk") -> None:
    result = await desk.imports(f"{HEADER},next_appointment", f"{ANA},2027-04-01 10:00", BORIS)
    assert figures(result) == (2, 0, 0, 0)
    ana = await desk.patient()
    assert ("Ana", "Gil", "ana@example.com", "+13055550101", date(1960, 5, 1)) == (
        ana.first_name,
        ana.last_name,
        ana.email,
        ana.phone,
        ana.birth_date,
    )
    assert {(date(2026, 1, 10), "filling"), (date(2026, 2, 10), "control")} == {
        (visit.day, visit.treatment) for visit in await desk.rows.all(Visit)
    }
    assert [(ana.id, datetime(2027, 4, 1, 14, 0, tzinfo=UTC))] == [
        (row.patient_id, row.at) for row in await desk.rows.all(Appointment)
    ]


async def test_the_same_list_again_changes_nothing(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA, BORIS)
    assert figures(await desk.imports_again()) == (0, 0, 2, 0)
    assert len(await desk.rows.all(Visit)) == 2


async def test_a_later_list_updates_what_it_says_and_keeps_what_it_does_not(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA, BORIS)
    result = await desk.imports(
        "patient_id,first_name,email,last_visit,treatment",
        "A-1,Ana,new@example.com,,",
        "A-2,Boris,,2027-01-05,implant",
    )
    assert figures(result) == (0, 2, 0, 0)
    ana = await desk.patient()
    assert (ana.email, ana.phone, ana.last_name) == ("new@example.com", "+13055550101", "Gil")
    assert (await desk.patient("A-2")).email == "boris@example.com"
    assert len(await desk.rows.all(Visit)) == 3


async def test_a_patient_who_stands_twice_counts_twice_and_is_one(desk: "Desk") -> None:
    result = await desk.imports(HEADER, ANA, ANA.replace("2026-01-10", "2026-06-01"))
    assert figures(result) == (1, 1, 0, 0)
    assert len(await desk.rows.all(Patient)) == 1
    assert len(await desk.rows.all(Visit)) == 2


async def test_a_row_with_an_impossible_date_is_rejected_and_the_rest_imported(
    desk: "Desk",
) -> None:
    result = await desk.imports(HEADER, ANA.replace("2026-01-10", "2026-02-30"), BORIS)
    assert figures(result) == (1, 0, 0, 1)
    assert [(reject.line, reject.column, reject.imported) for reject in desk.rejects] == [
        (2, "last_visit", False)
    ]
    assert "`2026-02-30` is no date" in result.rejects[0].reason
    assert [patient.external_id for patient in await desk.rows.all(Patient)] == ["A-2"]


async def test_a_row_whose_phone_cannot_be_used_is_imported_without_it(desk: "Desk") -> None:
    result = await desk.imports(HEADER, ANA.replace("305-555-0101", "12"))
    assert figures(result) == (1, 0, 0, 0)
    assert [(reject.line, reject.column, reject.imported) for reject in desk.rejects] == [
        (2, "phone", True)
    ]
    assert (await desk.patient()).phone is None


async def test_every_row_counts_in_exactly_one_figure(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA, BORIS)
    new = ANA.replace("A-1", "A-3")
    rejected = ANA.replace("1960-05-01", "never")
    result = await desk.imports(HEADER, new, rejected, BORIS, ANA.replace("filling", "implant"))
    assert figures(result) == (1, 1, 1, 1)
    assert result.rows == 4


async def test_a_deceased_patient_is_not_brought_back_by_an_older_list(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA.replace("active", "deceased"))
    assert figures(await desk.imports(HEADER, ANA)) == (0, 0, 1, 0)
    assert (await desk.patient()).status == "deceased"


async def test_a_patient_who_moved_is_not_brought_back_by_an_older_list(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA.replace("active", "moved"))
    assert figures(await desk.imports(HEADER, ANA)) == (0, 0, 1, 0)
    assert (await desk.patient()).status == "moved"
    assert figures(await desk.imports(HEADER, ANA.replace("active", "deceased"))) == (0, 1, 0, 0)


async def test_a_loss_reason_is_filled_and_never_overwritten(desk: "Desk") -> None:
    header = f"{HEADER},loss_reason"
    await desk.imports(HEADER, ANA)
    assert figures(await desk.imports(header, f"{ANA},price")) == (0, 1, 0, 0)
    assert figures(await desk.imports(header, f"{ANA},hours")) == (0, 0, 1, 0)
    assert (await desk.patient()).loss_reason == "price"


async def test_a_list_may_say_that_a_patient_died(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA)
    assert figures(await desk.imports(HEADER, ANA.replace("active", "fallecida"))) == (0, 1, 0, 0)
    assert (await desk.patient()).status == "deceased"


async def test_a_new_address_has_not_failed_yet_and_the_old_one_still_has(desk: "Desk") -> None:
    now = desk.rows.now
    await desk.rows.patient(
        external_id="A-1",
        email="ana@example.com",
        phone="+13055550199",
        email_bad_at=now,
        phone_bad_at=now,
    )
    await desk.imports(HEADER, ANA)
    ana = await desk.patient()
    assert (now, None) == (ana.email_bad_at, ana.phone_bad_at)


@pytest.mark.parametrize(
    ("column", "address", "failed"),
    [
        ("guardian_email", "luz@example.org", {"email_bad_at"}),
        ("guardian_phone", "305-555-0177", {"phone_bad_at", "sms_bad_at"}),
    ],
)
async def test_a_new_address_of_the_guardian_has_not_failed_yet(
    desk: "Desk", column: str, address: str, failed: set[str]
) -> None:
    all_failed = dict.fromkeys(("email_bad_at", "phone_bad_at", "sms_bad_at"), desk.rows.now)
    await desk.rows.patient(
        external_id="A-1",
        guardian_email="old@example.org",
        guardian_phone="+13055550188",
        **all_failed,
    )
    await desk.imports(f"{HEADER},{column}", f"A-1,Ana,Gil,,,,,,,{address}")
    ana = await desk.patient()
    assert getattr(ana, column) in (address, "+13055550177")
    assert {name for name in all_failed if getattr(ana, name) is None} == failed


async def test_after_many_new_patients_postgresql_knows_how_many_there_are(desk: "Desk") -> None:
    if desk.rows.clinic.database.embedded:
        pytest.skip("SQLite plans by the indexes alone")
    desk.rows_at_once = 5_000
    many = (f"A-{number},Ana,Gil,,,,,," for number in range(10_001))
    await desk.imports(HEADER, *many)
    async with desk.rows.clinic.database.reading() as session:
        counted = await session.scalar(
            text("SELECT reltuples FROM pg_class WHERE oid = 'patients'::regclass")
        )
    assert counted == 10_001


async def test_an_import_does_not_undo_an_opt_out(desk: "Desk") -> None:
    await desk.rows.patient(external_id="A-1", opted_out_at=desk.rows.now)
    await desk.imports(HEADER, ANA)
    assert desk.rows.now == (await desk.patient()).opted_out_at


async def test_line_numbers_stay_right_after_quoted_newlines_and_empty_lines(desk: "Desk") -> None:
    two_lines = ANA.replace("Gil", '"Gil\r\nSoto"')
    result = await desk.imports(
        HEADER, two_lines, "", ",,", BORIS.replace("1990-05-01", "never"), "A-3,,,,,,,,"
    )
    assert figures(result) == (1, 0, 0, 2)
    assert [(reject.line, reject.column) for reject in desk.rejects] == [
        (6, "birth_date"),
        (7, "name"),
    ]


async def test_a_long_list_is_imported_whole_and_says_how_far_it_got(desk: "Desk") -> None:
    many = [ANA.replace("A-1", f"A-{number}") for number in range(5)]
    result = await desk.imports(HEADER, *many)
    assert figures(result) == (5, 0, 0, 0)
    assert result.line == 6
    size = desk.path.stat().st_size
    assert len(desk.reached) == 2
    assert 0 < desk.reached[0] <= desk.reached[1] == size
    assert len(await desk.rows.all(Patient)) == 5
    assert figures(await desk.imports_again()) == (0, 0, 5, 0)


@dataclass
class BreaksOff:
    """A source that ends in an error after its first batch."""

    source: Source
    error: BaseException

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def size(self) -> int:
        return self.source.size

    @property
    def position(self) -> int:
        return self.source.position

    def rows(self) -> Iterator[ReadRow]:
        yield from islice(self.source.rows(), 4)
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(
            sqlite3.OperationalError("database or disk is full"), "disk is full", id="a full disk"
        ),
        pytest.param(OSError(5, "Input/output error"), "Input/output error", id="a pulled stick"),
        pytest.param(Refusal("list.csv has changed"), "has changed", id="a changed file"),
    ],
)
async def test_an_interrupted_import_says_how_far_it_came_and_is_finished_by_another_run(
    desk: "Desk", error: Exception, said: str
) -> None:
    desk.writes(HEADER, *(ANA.replace("A-1", f"A-{number}") for number in range(6)))
    with pytest.raises(Refusal) as refused:
        await desk.imports_from(cast("Source", BreaksOff(desk.source(), error)))
    assert (
        "list.csv: imported up to line 5 (4 new, 0 updated, 0 unchanged, 0 rejected), "
        "and no further: "
    ) in refused.value.problem
    assert said in refused.value.problem
    assert "the same command again" in refused.value.remedy
    [run] = await unfinished(desk)
    assert (run.file_name, run.line, run.new) == ("list.csv", 5, 4)

    again = await desk.imports_again(at=desk.rows.now + timedelta(hours=1))
    assert figures(again) == (2, 0, 4, 0)
    assert await unfinished(desk) == []


async def test_an_import_that_is_cancelled_keeps_what_it_had_and_is_known_as_unfinished(
    desk: "Desk",
) -> None:
    desk.writes(HEADER, *(ANA.replace("A-1", f"A-{number}") for number in range(6)))
    result = ImportResult()

    def interrupt(_: int) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await desk.imports_from(desk.source(), result=result, on_progress=interrupt)
    assert result.how_far("list.csv").startswith("list.csv: imported up to line 5 (4 new")
    assert len(await desk.rows.all(Patient)) == 4
    assert [run.line for run in await unfinished(desk)] == [5]


@dataclass
class CutOff:
    """The register; an interrupt comes while the second batch is on its way into it."""

    database: Transactions
    written: int = 0
    importing: "asyncio.Task[ImportResult] | None" = None

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        return self.database.reading()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with self.database.writing() as session:
            yield session
            self.written += 1
            if self.written == 3 and self.importing:  # the run begins, a batch, a batch
                self.importing.cancel()


async def test_an_interrupt_in_the_moment_of_a_commit_leaves_nothing_uncounted(
    desk: "Desk",
) -> None:
    desk.writes(HEADER, *(ANA.replace("A-1", f"A-{number}") for number in range(10)))
    result, database = ImportResult(), CutOff(desk.rows.clinic.database)
    importing = asyncio.create_task(
        desk.imports_from(desk.source(), database=database, result=result)
    )
    database.importing = importing
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert len(await desk.rows.all(Patient)) == 8
    assert result.how_far("list.csv").startswith("list.csv: imported up to line 9 (8 new")
    assert [(run.line, run.new) for run in await unfinished(desk)] == [(9, 8)]


async def test_a_run_is_recorded_with_its_figures(desk: "Desk") -> None:
    await desk.imports(HEADER, ANA, BORIS.replace("1990-05-01", "never"))
    [run] = await desk.rows.all(ImportRun)
    assert (run.file_name, run.line, run.new, run.rejected) == ("list.csv", 3, 1, 1)
    assert run.finished_at is not None


async def test_other_writers_get_their_turn_between_two_batches(desk: "Desk") -> None:
    """A webhook waits for one batch at the most, not for the whole import."""
    desk.writes(HEADER, *(ANA.replace("A-1", f"A-{number}") for number in range(400)))
    importing = asyncio.create_task(desk.imports_again())
    while not desk.reached:
        await asyncio.sleep(0.001)
    await desk.rows.patient(external_id="W-1")
    assert not importing.done()
    assert figures(await importing) == (400, 0, 0, 0)


async def unfinished(desk: "Desk") -> Sequence[ImportRun]:
    async with desk.rows.clinic.database.reading() as session:
        return await unfinished_imports(session)
