"""The import of a patient list: what becomes of each row, and of a file that is none."""

import csv
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from clinic.refusal import Refusal
from clinic.register_import.import_run import ImportResult, import_register, write_rejects
from clinic.tables import Appointment, Patient, Visit

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

HEADER = "patient_id,first_name,last_name,email,phone,birth_date,last_visit,treatment,status"
ANA = "A-1,Ana,Gil,ana@example.com,305-555-0101,1960-05-01,2026-01-10,filling,active"
BORIS = "A-2,Boris,Orlov,boris@example.com,305-555-0102,1990-05-01,2026-02-10,control,active"


@dataclass
class Desk:
    """The front desk, which writes a list and has it imported."""

    rows: "Rows"
    path: Path
    reached: list[int] = field(default_factory=list)

    async def imports(self, *lines: str, encoding: str = "utf-8") -> ImportResult:
        self.path.write_bytes("\r\n".join(lines).encode(encoding))
        return await self.imports_again()

    async def imports_again(self) -> ImportResult:
        async with self.rows.clinic.database.writing() as session:
            return await import_register(
                session,
                self.path,
                country="US",
                zone=ZoneInfo("America/New_York"),
                now=self.rows.now,
                on_progress=self.reached.append,
            )

    async def patient(self, external_id: str = "A-1") -> Patient:
        [found] = [
            patient
            for patient in await self.rows.all(Patient)
            if patient.external_id == external_id
        ]
        return found


@pytest.fixture
def desk(rows: "Rows", tmp_path: Path) -> Desk:
    return Desk(rows, tmp_path / "list.csv")


def figures(result: ImportResult) -> tuple[int, int, int, int]:
    return result.new, result.updated, result.unchanged, result.rejected


async def test_a_list_becomes_patients_visits_and_appointments(desk: Desk) -> None:
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


async def test_the_same_list_again_changes_nothing(desk: Desk) -> None:
    await desk.imports(HEADER, ANA, BORIS)
    assert figures(await desk.imports_again()) == (0, 0, 2, 0)
    assert len(await desk.rows.all(Visit)) == 2


async def test_a_later_list_updates_what_it_says_and_keeps_what_it_does_not(desk: Desk) -> None:
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


async def test_a_patient_who_stands_twice_counts_twice_and_is_one(desk: Desk) -> None:
    result = await desk.imports(HEADER, ANA, ANA.replace("2026-01-10", "2026-06-01"))
    assert figures(result) == (1, 1, 0, 0)
    assert len(await desk.rows.all(Patient)) == 1
    assert len(await desk.rows.all(Visit)) == 2


async def test_a_row_with_an_impossible_date_is_rejected_and_the_rest_imported(desk: Desk) -> None:
    result = await desk.imports(HEADER, ANA.replace("2026-01-10", "2026-02-30"), BORIS)
    assert figures(result) == (1, 0, 0, 1)
    assert [(reject.line, reject.column, reject.imported) for reject in result.rejects] == [
        (2, "last_visit", False)
    ]
    assert "`2026-02-30` is no date" in result.rejects[0].reason
    assert [patient.external_id for patient in await desk.rows.all(Patient)] == ["A-2"]


async def test_a_row_whose_phone_cannot_be_used_is_imported_without_it(desk: Desk) -> None:
    result = await desk.imports(HEADER, ANA.replace("305-555-0101", "12"))
    assert figures(result) == (1, 0, 0, 0)
    assert [(reject.line, reject.column, reject.imported) for reject in result.rejects] == [
        (2, "phone", True)
    ]
    assert (await desk.patient()).phone is None


async def test_every_row_counts_in_exactly_one_figure(desk: Desk) -> None:
    await desk.imports(HEADER, ANA, BORIS)
    new = ANA.replace("A-1", "A-3")
    rejected = ANA.replace("1960-05-01", "never")
    result = await desk.imports(HEADER, new, rejected, BORIS, ANA.replace("filling", "implant"))
    assert figures(result) == (1, 1, 1, 1)
    assert result.rows == 4


async def test_a_deceased_patient_is_not_brought_back_by_an_older_list(desk: Desk) -> None:
    await desk.imports(HEADER, ANA.replace("active", "deceased"))
    assert figures(await desk.imports(HEADER, ANA)) == (0, 0, 1, 0)
    assert (await desk.patient()).status == "deceased"


async def test_a_patient_who_moved_is_not_brought_back_by_an_older_list(desk: Desk) -> None:
    await desk.imports(HEADER, ANA.replace("active", "moved"))
    assert figures(await desk.imports(HEADER, ANA)) == (0, 0, 1, 0)
    assert (await desk.patient()).status == "moved"
    assert figures(await desk.imports(HEADER, ANA.replace("active", "deceased"))) == (0, 1, 0, 0)


async def test_a_loss_reason_is_filled_and_never_overwritten(desk: Desk) -> None:
    header = f"{HEADER},loss_reason"
    await desk.imports(HEADER, ANA)
    assert figures(await desk.imports(header, f"{ANA},price")) == (0, 1, 0, 0)
    assert figures(await desk.imports(header, f"{ANA},hours")) == (0, 0, 1, 0)
    assert (await desk.patient()).loss_reason == "price"


async def test_a_list_may_say_that_a_patient_died(desk: Desk) -> None:
    await desk.imports(HEADER, ANA)
    assert figures(await desk.imports(HEADER, ANA.replace("active", "fallecida"))) == (0, 1, 0, 0)
    assert (await desk.patient()).status == "deceased"


async def test_a_new_address_has_not_failed_yet_and_the_old_one_still_has(desk: Desk) -> None:
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


async def test_an_import_does_not_undo_an_opt_out(desk: Desk) -> None:
    await desk.rows.patient(external_id="A-1", opted_out_at=desk.rows.now)
    await desk.imports(HEADER, ANA)
    assert desk.rows.now == (await desk.patient()).opted_out_at


@pytest.mark.parametrize(
    ("delimiter", "encoding"),
    [
        pytest.param(",", "utf-8", id="comma"),
        pytest.param(";", "utf-8", id="semicolon"),
        pytest.param("\t", "utf-8", id="tab"),
        pytest.param(";", "utf-8-sig", id="as Excel writes it"),
    ],
)
async def test_a_list_is_read_with_its_delimiter_and_its_mark(
    desk: Desk, delimiter: str, encoding: str
) -> None:
    lines = [line.replace(",", delimiter) for line in (HEADER, ANA)]
    assert figures(await desk.imports(*lines, encoding=encoding)) == (1, 0, 0, 0)
    assert (await desk.patient()).email == "ana@example.com"


async def test_line_numbers_stay_right_after_quoted_newlines_and_empty_lines(desk: Desk) -> None:
    two_lines = ANA.replace("Gil", '"Gil\r\nSoto"')
    result = await desk.imports(
        HEADER, two_lines, "", ",,", BORIS.replace("1990-05-01", "never"), "A-3,,,,,,,,"
    )
    assert figures(result) == (1, 0, 0, 2)
    assert [(reject.line, reject.column) for reject in result.rejects] == [
        (6, "birth_date"),
        (7, "name"),
    ]


async def test_a_short_row_says_nothing_about_the_columns_it_lacks(desk: Desk) -> None:
    result = await desk.imports(HEADER, "A-1,Ana", "A-2,Boris,Orlov,,,,,,,one cell too many")
    assert figures(result) == (2, 0, 0, 0)


async def test_a_header_alone_imports_nobody(desk: Desk) -> None:
    assert figures(await desk.imports(HEADER)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "list.csv: the file is empty", id="empty"),
        pytest.param(b" \r\n\r\n", "list.csv: the file is empty", id="blank lines"),
        pytest.param(b"\xef\xbb\xbf", "list.csv:1: no header can be read", id="a mark alone"),
        pytest.param(
            f"{HEADER}\n{ANA}\nA-2,Bo\0ris".encode(), "list.csv:3: not a text file", id="a NUL byte"
        ),
        pytest.param(
            f"{HEADER}\nA-1,Martín".encode("cp1252"), "list.csv:2: not UTF-8 text", id="cp1252"
        ),
        pytest.param(f'{HEADER}\n{ANA}\nA-2,"Boris'.encode(), "list.csv:3: not CSV", id="a quote"),
        pytest.param(
            f'{HEADER}\nA-1,"Ana" Gil'.encode(), "list.csv:2: not CSV", id="a stray quote"
        ),
        pytest.param(b"PK\x03\x04\x14\x00\x06", "list.csv:1: not a text file", id="an xlsx file"),
    ],
)
async def test_a_file_that_is_no_list_is_refused(desk: Desk, content: bytes, said: str) -> None:
    desk.path.write_bytes(content)
    with pytest.raises(Refusal) as refused:
        await desk.imports_again()
    assert said in str(refused.value)
    assert await desk.rows.all(Patient) == []


async def test_a_missing_file_is_refused(desk: Desk) -> None:
    with pytest.raises(Refusal, match=r"list\.csv: No such file or directory"):
        await desk.imports_again()


@pytest.mark.parametrize(
    ("header", "said", "hint"),
    [
        pytest.param("name,phone", "no column for the patient's number (", "ficha", id="number"),
        pytest.param("id,phone", "no column for the patient's name (", "ФИО".lower(), id="name"),
        pytest.param("id,name", "no column for an email or a phone (", "celular", id="address"),
        pytest.param(
            "a,b,c",
            "no column for the patient's number, nor for the patient's name, nor for an email",
            "correo",
            id="nothing known",
        ),
    ],
)
async def test_a_header_without_a_usable_column_is_refused_with_what_is_known(
    desk: Desk, header: str, said: str, hint: str
) -> None:
    with pytest.raises(Refusal) as refused:
        await desk.imports(header, "1,2,3")
    assert f"list.csv:1: {said}" in refused.value.problem
    assert header.replace(",", ", ") in refused.value.problem
    assert hint in refused.value.remedy


async def test_a_list_that_breaks_off_is_imported_not_at_all(desk: Desk) -> None:
    many = [ANA.replace("A-1", f"A-{number}") for number in range(501)]
    with pytest.raises(Refusal, match=r"list\.csv:503: not CSV"):
        await desk.imports(HEADER, *many, 'A-x,"')
    assert await desk.rows.all(Patient) == []
    assert await desk.rows.all(Visit) == []


async def test_a_long_list_is_imported_whole_and_says_how_far_it_got(desk: Desk) -> None:
    many = [ANA.replace("A-1", f"A-{number}") for number in range(501)]
    assert figures(await desk.imports(HEADER, *many)) == (501, 0, 0, 0)
    assert desk.reached == [502]
    assert len(await desk.rows.all(Patient)) == 501


def rejects_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


async def test_rejects_are_written_with_line_reason_and_the_row_as_it_stood(
    desk: Desk, tmp_path: Path
) -> None:
    result = await desk.imports(
        HEADER,
        ANA.replace("2026-01-10", "2026-02-30"),
        BORIS.replace("305-555-0102", "12"),
    )
    write_rejects(result, tmp_path / "rejects.csv")
    rejected, kept = rejects_of(tmp_path / "rejects.csv")
    assert (
        rejected["line"],
        rejected["column"],
        rejected["done"],
        rejected["first_name"],
        rejected["last_visit"],
    ) == ("2", "last_visit", "row rejected", "Ana", "2026-02-30")
    assert (
        kept["line"],
        kept["column"],
        kept["done"],
        kept["phone"],
    ) == ("3", "phone", "row imported without it", "12")


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_no_cell_of_a_reject_file_is_run_as_a_formula(
    desk: Desk, tmp_path: Path, formula: str
) -> None:
    cell = f'"{formula}"'
    result = await desk.imports(
        f"{HEADER},{cell}", BORIS.replace("Orlov", cell).replace("1990-05-01", "never")
    )
    write_rejects(result, tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [each for line in csv.reader(file) for each in line]
    assert cells.count(f"'{formula}") == 2
    assert not [each for each in cells if each[:1] in ("=", "+", "-", "@", "\t", "\r")]
