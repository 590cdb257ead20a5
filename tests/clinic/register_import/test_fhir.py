"""FHIR R4 as NDJSON: patients and appointments, line by line."""

import copy
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.refusal import Refusal
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.fhir import FhirSource
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow

TODAY = date(2027, 3, 2)
NEW_YORK = ZoneInfo("America/New_York")
EXAMPLES = Path(__file__).parents[3] / "examples" / "exports"

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p-1",
    "name": [{"use": "official", "family": "Gil Soto", "given": ["Ana", "María"]}],
}
APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "status": "fulfilled",
    "start": "2027-01-20T10:00:00-05:00",
    "serviceType": [{"text": "orthodontics"}],
    "participant": [{"actor": {"reference": "Patient/p-1"}, "status": "accepted"}],
}


@dataclass
class Export:
    """A bulk export, written anew for each case."""

    path: Path

    def of(self, *lines: dict[str, Any] | str) -> FhirSource:
        written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        self.path.write_text("\n".join(written), encoding="utf-8")
        return self.source()

    def source(self) -> FhirSource:
        return FhirSource(self.path, country="US", zone=NEW_YORK, today=TODAY)

    def said(self, resource: dict[str, Any], **elements: Any) -> RegisterRow | BadCell:
        [row] = self.of(resource | elements).rows()
        return row.said

    def patient(self, **elements: Any) -> RegisterRow:
        said = self.said(PATIENT, **elements)
        assert isinstance(said, RegisterRow)
        return said

    def appointment(self, **elements: Any) -> RegisterRow:
        said = self.said(APPOINTMENT, **elements)
        assert isinstance(said, RegisterRow)
        return said


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path / "export.ndjson")


# The file


def test_a_row_knows_its_line_and_how_it_stood(export: Export) -> None:
    source = export.of(PATIENT, "", PATIENT | {"id": "p-2"})
    rows = list(source.rows())
    assert [row.line for row in rows] == [1, 3]
    assert [json.loads(row.cells[0])["id"] for row in rows] == ["p-1", "p-2"]
    assert source.header == ["resource"]


def test_patients_come_before_their_appointments(export: Export) -> None:
    source = export.of(APPOINTMENT, PATIENT)
    assert [row.line for row in source.rows()] == [2, 1]
    assert source.position == source.size


def test_what_is_read_and_what_is_not_is_told(export: Export) -> None:
    other = {"resourceType": "Observation"}
    source = export.of(PATIENT | {"maritalStatus": {"text": "M"}}, other, APPOINTMENT, other)
    assert source.name == "export.ndjson"
    assert source.description == "FHIR R4, NDJSON, UTF-8: 1 Patient, 1 Appointment"
    assert source.understood["Patient.name"] == "name"
    assert source.understood["Appointment.serviceType"] == "treatment"
    assert source.ignored == ["Patient.maritalStatus", "Observation (2)"]
    assert len(list(source.rows())) == 2


def test_a_byte_order_mark_is_no_part_of_the_first_line(export: Export) -> None:
    export.path.write_bytes(b"\xef\xbb\xbf" + json.dumps(PATIENT).encode())
    assert len(list(export.source().rows())) == 1


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        pytest.param(["{"], ":1: not a line of JSON", id="a whole document"),
        pytest.param([PATIENT, '{"resourceType": "Pat'], ":2: not a line of JSON", id="torn off"),
        pytest.param([PATIENT, "[1]"], ":2: not a FHIR resource", id="a list"),
        pytest.param(['{"id": "p-1"}'], ":1: not a FHIR resource", id="no resource"),
        pytest.param(['{"resourceType": 7}'], ":1: not a FHIR resource", id="a number for a type"),
        pytest.param(["[" * 100_000], ":1: not a line of JSON", id="too deep"),
        pytest.param(["9" * 5_000], ":1: not a line of JSON", id="a number too long"),
        pytest.param([PATIENT, "\0"], ":2: not a line of JSON", id="a NUL byte"),
        pytest.param(
            ['{"resourceType": "Bundle"}'],
            "no Patient and no Appointment in it (found: Bundle)",
            id="a bundle",
        ),
        pytest.param([""], "(found: nothing)", id="empty lines"),
        pytest.param([PATIENT, " " * 4_200_000], ":2: a line of more than 4 MiB", id="a long line"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_before_its_first_row(
    export: Export, lines: list[dict[str, Any] | str], said: str
) -> None:
    with pytest.raises(Refusal) as refused:
        export.of(*lines)
    assert said in refused.value.problem
    assert "NDJSON" in refused.value.remedy


def test_a_file_in_another_encoding_is_refused_with_its_line(export: Export) -> None:
    export.path.write_bytes(json.dumps(PATIENT).encode() + '\n{"x": "ñ"}'.encode("cp1252"))
    with pytest.raises(Refusal, match=":2: not UTF-8 text"):
        export.source()


def test_no_file_is_refused(export: Export) -> None:
    with pytest.raises(Refusal, match="No such file"):
        export.source()


def test_a_file_that_has_changed_meanwhile_is_refused(export: Export) -> None:
    source = export.of(PATIENT)
    export.path.write_text(json.dumps(PATIENT | {"active": True}))
    with pytest.raises(Refusal, match="was changed meanwhile"):
        next(source.rows())


def test_memory_stays_flat(export: Export) -> None:
    def peak(patients: int) -> int:
        source = export.of(*[json.dumps(PATIENT | {"id": f"p-{i}"}) for i in range(patients)])
        tracemalloc.start()
        assert sum(1 for _ in source.rows()) == patients
        reached = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return reached

    peak(10)  # loads what is loaded once
    assert peak(1_000) < peak(50) + 100_000


# Patients


def test_a_patient_is_read_whole(export: Export) -> None:
    row = export.patient(
        active=True,
        gender="female",
        birthDate="1987-06-11",
        telecom=[
            {"system": "phone", "value": "305-555-0144", "use": "mobile"},
            {"system": "email", "value": "Ana@Example.com"},
        ],
        address=[{"use": "home", "city": "Miami", "district": "Surfside"}],
        communication=[{"language": {"coding": [{"code": "es-CL"}]}}],
        generalPractitioner=[{"display": "Dra. Rojas"}],
        identifier=[
            {"value": "1001"},
            {"type": {"coding": [{"code": "SS"}]}, "value": "536-90-4399"},
        ],
    )
    assert row == RegisterRow(
        external_id="p-1",
        first_name="Ana María",
        last_name="Gil Soto",
        national_id="536904399",
        birth_date=date(1987, 6, 11),
        sex="female",
        district="Surfside",
        language="es",
        email="Ana@example.com",
        phone="+13055550144",
        phone_kind="mobile",
        provider="Dra. Rojas",
        status="active",
    )


def test_a_patient_of_whom_little_is_said(export: Export) -> None:
    assert export.patient() == RegisterRow(
        external_id="p-1", first_name="Ana María", last_name="Gil Soto"
    )


def test_a_patient_without_an_id_has_the_clinics_number(export: Export) -> None:
    identifiers = [
        {"use": "old", "value": "7"},
        {"value": "8", "period": {"end": "2020"}},
        {"type": {"coding": [{"code": "NI"}]}, "value": "536-90-4399"},
        {"value": "1001"},
    ]
    assert export.patient(id=None, identifier=identifiers).external_id == "1001"
    assert export.patient(identifier=identifiers).external_id == "p-1"


@pytest.mark.parametrize(
    ("names", "first", "last"),
    [
        pytest.param(
            [{"use": "nickname", "given": ["Anita"]}, {"use": "official", "given": ["Ana"]}],
            "Ana",
            "",
            id="the official one",
        ),
        pytest.param(
            [
                {"use": "maiden", "family": "Paz"},
                {"use": "usual", "family": "Gil", "given": ["Ana"]},
            ],
            "Ana",
            "Gil",
            id="not the maiden name",
        ),
        pytest.param(
            [{"use": "official", "family": "Paz", "period": {"end": "2020-05"}}, {"family": "Gil"}],
            "Gil",
            "",
            id="not one that has ended",
        ),
        pytest.param(
            [{"text": "Лебедева Татьяна Ивановна"}], "Татьяна Ивановна", "Лебедева", id="text"
        ),
        pytest.param([{"given": [None, "Ana"]}], "Ana", "", id="a name that is withheld"),
        pytest.param([{"given": ["A\x1bna"]}], "Ana", "", id="control characters"),
    ],
)
def test_the_name_in_use_counts(
    export: Export, names: list[dict[str, Any]], first: str, last: str
) -> None:
    row = export.patient(name=names)
    assert (first, last) == (row.first_name, row.last_name)


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({"active": True}, "active"),
        ({"active": False}, "inactive"),
        ({"deceasedBoolean": True, "active": True}, "deceased"),
        ({"deceasedDateTime": "2026", "active": True}, "deceased"),
        ({"deceasedBoolean": False, "active": True}, "active"),
        ({"deceasedBoolean": False}, None),
        (
            {
                "link": [{"other": {"reference": "Patient/2"}, "type": "replaced-by"}],
                "active": True,
            },
            "inactive",
        ),
        ({"link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}]}, None),
    ],
)
def test_a_status_is_read(export: Export, elements: dict[str, Any], status: str | None) -> None:
    assert export.patient(**elements).status == status


@pytest.mark.parametrize(
    ("telecom", "phone", "kind", "other"),
    [
        pytest.param(
            [("305-555-0101", "home"), ("305-555-0102", "mobile")],
            "+13055550102",
            "mobile",
            "+13055550101",
            id="the mobile goes first",
        ),
        pytest.param([("305-555-0101", "old")], None, None, None, id="an old one is not used"),
        pytest.param(
            [("tel:+1-305-555-0101", "home")], "+13055550101", "unknown", None, id="a link"
        ),
        pytest.param(
            [("+7 499 123-45-67", "mobile")],
            "+74991234567",
            "landline",
            None,
            id="the numbering plan knows better",
        ),
    ],
)
def test_phones_are_read(
    export: Export,
    telecom: list[tuple[str, str]],
    phone: str | None,
    kind: str | None,
    other: str | None,
) -> None:
    points = [{"system": "phone", "value": value, "use": use} for value, use in telecom]
    row = export.patient(telecom=points)
    assert (row.phone, row.phone_kind, row.other_phone) == (phone, kind, other)


def test_of_several_emails_the_one_with_the_first_rank_counts(export: Export) -> None:
    points = [
        {"system": "email", "value": "c@example.com"},
        {"system": "email", "value": "b@example.com", "rank": 2},
        {"system": "email", "value": "a@example.com", "rank": 1, "period": {"end": "2027-03-01"}},
        {"system": "fax", "value": "305-555-0101"},
    ]
    row = export.patient(telecom=points)
    assert (row.email, row.phone) == ("b@example.com", None)


@pytest.mark.parametrize(
    ("elements", "column"),
    [
        ({"telecom": [{"system": "phone", "value": "12"}]}, "phone"),
        ({"telecom": [{"system": "email", "value": "ana@"}]}, "email"),
        ({"birthDate": "1987-06"}, "birth_date"),
        ({"communication": [{"language": {"text": "Catalan"}}]}, "language"),
        (
            {"identifier": [{"type": {"coding": [{"code": "SS"}]}, "value": "666-00-0000"}]},
            "national_id",
        ),
    ],
)
def test_what_cannot_be_used_is_listed_and_the_patient_is_kept(
    export: Export, elements: dict[str, Any], column: str
) -> None:
    row = export.patient(**elements)
    assert getattr(row, column) is None
    assert [column] == list(row.unusable)


MOTHER = {
    "relationship": [{"coding": [{"code": "MTH"}]}],
    "name": {"family": "Gil", "given": ["Eva"]},
    "telecom": [
        {"system": "phone", "value": "305-555-0102"},
        {"system": "email", "value": "eva@example.com"},
    ],
}
EMPLOYER = {"relationship": [{"coding": [{"code": "E"}]}], "name": {"text": "A school"}}


@pytest.mark.parametrize(
    ("born", "contacts", "guardian"),
    [
        pytest.param("2015-08-21", [EMPLOYER, MOTHER], "Eva Gil", id="the mother"),
        pytest.param("2015-08-21", [EMPLOYER], None, id="a school is nobody's guardian"),
        pytest.param(
            "2009-03-03", [{"name": {"text": "Eva"}}], "Eva", id="17: anybody who is family"
        ),
        pytest.param("2009-03-02", [{"name": {"text": "Eva"}}], None, id="of age today"),
        pytest.param("2015-08-21", [MOTHER | {"period": {"end": "2020"}}], None, id="no longer"),
    ],
)
def test_a_childs_guardian_is_read(
    export: Export, born: str, contacts: list[dict[str, Any]], guardian: str | None
) -> None:
    assert export.patient(birthDate=born, contact=contacts).guardian_name == guardian


def test_a_guardians_addresses_are_read(export: Export) -> None:
    row = export.patient(contact=[MOTHER])
    assert (row.guardian_phone, row.guardian_email) == ("+13055550102", "eva@example.com")
    assert (row.phone, row.email) == (None, None)


# Appointments


@pytest.mark.parametrize("status", ["fulfilled", "arrived", "checked-in"])
def test_one_that_took_place_is_a_visit(export: Export, status: str) -> None:
    assert export.appointment(status=status) == RegisterRow(
        external_id="p-1", last_visit=date(2027, 1, 20), treatment="orthodontics"
    )


@pytest.mark.parametrize("status", ["booked", "pending", "arrived"])
def test_one_to_come_is_the_next_appointment(export: Export, status: str) -> None:
    row = export.appointment(status=status, start="2027-03-20T10:30:00-04:00")
    assert row == RegisterRow(
        external_id="p-1", next_appointment=datetime(2027, 3, 20, 14, 30, tzinfo=UTC)
    )


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error"])
def test_one_that_is_off_no_longer_stands(export: Export, status: str) -> None:
    row = export.appointment(status=status)
    assert row == RegisterRow(
        external_id="p-1", cancelled_appointment=datetime(2027, 1, 20, 15, tzinfo=UTC)
    )
    assert export.appointment(status=status, start=None) == RegisterRow(external_id="p-1")


def test_one_the_patient_declined_no_longer_stands(export: Export) -> None:
    declined = [{"actor": {"reference": "Patient/p-1"}, "status": "declined"}]
    row = export.appointment(status="booked", participant=declined)
    assert (row.cancelled_appointment is None, row.next_appointment) == (False, None)


@pytest.mark.parametrize("status", ["proposed", "waitlist"])
def test_one_that_nobody_agreed_on_says_nothing(export: Export, status: str) -> None:
    assert export.appointment(status=status) == RegisterRow(external_id="p-1")


def test_a_visits_day_is_the_clinics_day(export: Export) -> None:
    assert export.appointment(start="2027-01-21T03:30:00Z").last_visit == date(2027, 1, 20)


@pytest.mark.parametrize(
    "actor",
    [
        {"reference": "Patient/p-1"},
        {"reference": "https://fhir.example.org/r4/Patient/p-1"},
        {"reference": "Patient/p-1/_history/3"},
        {"type": "Patient", "identifier": {"value": "p-1"}},
    ],
)
def test_a_patient_is_found_among_the_participants(export: Export, actor: dict[str, Any]) -> None:
    participants = [
        {"actor": {"reference": "Practitioner/7"}, "status": "accepted"},
        {"status": "accepted"},
        {"actor": actor, "status": "accepted"},
    ]
    assert export.appointment(participant=participants).external_id == "p-1"


@pytest.mark.parametrize(
    ("elements", "treatment"),
    [
        ({"serviceType": [{"coding": [{"display": "Implant"}]}]}, "Implant"),
        ({"serviceType": None, "appointmentType": {"text": "checkup"}}, "checkup"),
        ({"serviceType": [{}], "reasonCode": [{"text": "pain"}]}, "pain"),
        ({"serviceType": None}, ""),
    ],
)
def test_a_treatment_is_named_by_the_first_that_says_it(
    export: Export, elements: dict[str, Any], treatment: str
) -> None:
    assert export.appointment(**elements).treatment == treatment


# What rejects a line


@pytest.mark.parametrize(
    ("resource", "column", "said"),
    [
        (PATIENT | {"name": []}, "Patient.name", "is missing"),
        (PATIENT | {"birthDate": "2027-03-03"}, "Patient.birthDate", "lies in the future"),
        (PATIENT | {"birthDate": "2026-02-30"}, "Patient.birthDate", "valid date"),
        (PATIENT | {"name": "Ana"}, "Patient.name", "valid list"),
        (PATIENT | {"shoeSize": 38}, "Patient.shoeSize", "not permitted"),
        (PATIENT | {"telecom": [{}, {"rank": "x"}]}, "Patient.telecom[1].rank", "integer"),
        (APPOINTMENT | {"start": "2027-03-03T10:00:00Z"}, "Appointment.start", "in the future"),
        (APPOINTMENT | {"start": "2027-01-20T10:00"}, "Appointment.start", "Instant"),
        (APPOINTMENT | {"start": "2027-01-20"}, "Appointment.start", "Instant"),
        (APPOINTMENT | {"start": "2027-01-20T10:00:00"}, "Appointment.start", "Instant"),
        (APPOINTMENT | {"start": 0}, "Appointment.start", "`0` is no moment"),
        (PATIENT | {"birthDate": 0}, "Patient.birthDate", "`0` is no date"),
        (APPOINTMENT | {"start": None}, "Appointment.start", "is missing"),
        (APPOINTMENT | {"participant": None}, "Appointment.participant", "required"),
        (
            APPOINTMENT | {"participant": [{"status": "accepted"}]},
            "Appointment.participant",
            "names no patient",
        ),
        (
            APPOINTMENT | {"participant": [{"actor": {"type": "Patient"}, "status": "accepted"}]},
            "Appointment.participant",
            "names a patient without an id",
        ),
    ],
)
def test_a_line_that_is_wrong_is_rejected_by_its_element(
    export: Export, resource: dict[str, Any], column: str, said: str
) -> None:
    bad = export.said(resource)
    assert isinstance(bad, BadCell)
    assert bad.column == column
    assert said in bad.reason
    assert isinstance(bad.reason, Reason)


@pytest.mark.parametrize(
    ("resource", "why", "shown"),
    [
        (APPOINTMENT | {"participant": None}, CellProblem.MISSING, ()),
        (PATIENT | {"shoeSize": 38}, CellProblem.NO_ELEMENT, ()),
        (PATIENT | {"name": "Ana"}, CellProblem.NOT_FHIR, ("Input should be a valid list",)),
    ],
)
def test_what_the_standard_forbids_can_be_said_in_any_language(
    export: Export, resource: dict[str, Any], why: CellProblem, shown: tuple[str, ...]
) -> None:
    bad = export.said(resource)
    assert isinstance(bad, BadCell)
    assert isinstance(bad.reason, Reason)
    assert (bad.reason.why, bad.reason.shown) == (why, shown)


FULL_PATIENT = PATIENT | {
    "telecom": [{"system": "phone", "value": "305-555-0144", "period": {"end": "2030"}, "rank": 1}],
    "contact": [MOTHER],
    "birthDate": "2015-08-21",
    "communication": [{"language": {"coding": [{"code": "es"}]}, "preferred": True}],
    "identifier": [{"type": {"coding": [{"code": "SS"}]}, "value": "536-90-4399"}],
    "generalPractitioner": [{"display": "Dra. Rojas"}],
    "address": [{"city": "Miami"}],
    "link": [{"other": {"reference": "Patient/2"}, "type": "seealso"}],
}


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with every key or index in it."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


@settings(max_examples=200, deadline=None)
@given(
    resource=st.sampled_from([FULL_PATIENT, APPOINTMENT]),
    at=st.integers(0, 10_000),
    instead=st.sampled_from(
        [
            None,
            "",
            "x",
            "Patient/",
            0,
            -1,
            1e308,
            True,
            [],
            {},
            [None],
            [{}],
            [[]],
            {"x": {}},
            "\ud800",
        ]
    ),
)
def test_whatever_stands_in_a_resource_it_is_a_row_or_a_reject(
    tmp_path_factory: pytest.TempPathFactory, resource: dict[str, Any], at: int, instead: Any
) -> None:
    changed = copy.deepcopy(resource)
    found = [place for place in places(changed) if place[1] != "resourceType"]
    container, key = found[at % len(found)]
    container[key] = instead
    [row] = Export(tmp_path_factory.getbasetemp() / "changed.ndjson").of(changed).rows()
    assert isinstance(row.said, RegisterRow | BadCell)


# The examples


@pytest.mark.parametrize(("name", "lines"), [("patients", 10), ("appointments", 12)])
def test_the_examples_are_read_without_a_reject(name: str, lines: int) -> None:
    source = FhirSource(
        EXAMPLES / f"{name}.ndjson", country="US", zone=NEW_YORK, today=date(2026, 11, 21)
    )
    rows: list[ReadRow] = list(source.rows())
    assert len(rows) == lines
    assert [row.line for row in rows if isinstance(row.said, BadCell)] == []
