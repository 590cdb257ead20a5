"""What a list means for the register where it says things twice, or otherwise than before."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.attempt import AttemptState
from clinic.event import EventKind
from clinic.register.search import national_id_hash, number_hash
from clinic.register_import.import_run import ImportResult
from clinic.tables import Appointment, Consent, Forgotten, Patient, Visit

if TYPE_CHECKING:
    from tests.clinic.register_import.conftest import Desk

HEADER = "patient_id,first_name,last_name,phone,last_visit,treatment"
FILLER = [f"F-{number},Eva,Paz,,," for number in range(4)]
"""A batch of other people's rows."""


def figures(result: ImportResult) -> tuple[int, ...]:
    return tuple(result.counts.values())


async def twice(desk: "Desk", *lines: str) -> ImportResult:
    """Import a list, and see that the same one again changes nothing."""
    result = await desk.imports(*lines)
    before = await standing(desk)
    again = await desk.imports_again(at=desk.rows.now + timedelta(hours=1))
    rejected = result.rejected
    assert figures(again) == (0, 0, result.rows - rejected, rejected)
    assert await standing(desk) == before
    return result


async def standing(desk: "Desk") -> list[Any]:
    rows: list[Any] = []
    for table in (Patient, Visit, Appointment, Consent):
        columns = [column.name for column in table.__table__.columns]
        rows += [[getattr(row, column) for column in columns] for row in await desk.rows.all(table)]
    return rows


@pytest.mark.parametrize("between", [[], FILLER], ids=["in one batch", "in two"])
async def test_of_rows_that_contradict_each_other_the_first_stands_and_the_conflict_is_told(
    desk: "Desk", between: list[str]
) -> None:
    result = await twice(
        desk,
        HEADER,
        "A-1,Ana,Gil,305-555-0101,2026-01-10,filling",
        *between,
        "A-1,Ana,Gil,305-555-0199,2026-02-10,control",
    )
    assert (await desk.patient()).phone == "+13055550101"
    assert result.updated == 1
    assert [(each.line, each.column, each.imported) for each in result.rejects] == [
        (len(between) + 3, "phone", True)
    ]
    assert "an earlier row says otherwise, and stands (the first is line 2)" in (
        result.rejects[0].reason
    )
    visits = {(visit.day, visit.treatment) for visit in await desk.rows.all(Visit)}
    assert visits == {(date(2026, 1, 10), "filling"), (date(2026, 2, 10), "control")}


@pytest.mark.parametrize("between", [[], FILLER], ids=["in one batch", "in two"])
async def test_a_later_row_adds_what_earlier_ones_left_open(
    desk: "Desk", between: list[str]
) -> None:
    await desk.rows.patient(external_id="A-1", phone="+13055550188")
    await twice(desk, HEADER, "A-1,Ana,Gil,,,", *between, "A-1,Ana,,305-555-0101,,")
    ana = await desk.patient()
    assert (ana.last_name, ana.phone) == ("Gil", "+13055550101")


async def test_a_name_that_is_only_spelled_otherwise_is_no_conflict(desk: "Desk") -> None:
    result = await twice(desk, HEADER, "A-1,José,Gil,,,", "A-1,JOSE,Gil,,,")
    assert result.unusable == 0
    assert (await desk.patient()).first_name == "José"


async def test_whoever_is_dead_on_any_row_is_dead(desk: "Desk") -> None:
    header = "patient_id,first_name,phone,status"
    await twice(desk, header, "A-1,Ana,305-555-0101,active", "A-1,Ana,305-555-0101,deceased")
    assert (await desk.patient()).status == "deceased"


async def test_words_are_stored_as_the_register_first_spelled_them(desk: "Desk") -> None:
    header = f"{HEADER},district"
    await desk.imports(header, "A-1,Ana,Gil,305-555-0101,2026-01-10,Ortodoncia,Ñuñoa")
    again = await desk.imports(
        header,
        "A-1,Ana,Gil,305-555-0101,2026-01-10,ORTODONCIA,nunoa",
        "A-2,Eva,Paz,305-555-0102,2026-02-10,ortodoncia.,NUÑOA",
    )
    assert figures(again) == (1, 0, 1, 0)
    assert {visit.treatment for visit in await desk.rows.all(Visit)} == {"Ortodoncia"}
    assert {patient.district for patient in await desk.rows.all(Patient)} == {"Ñuñoa"}


async def test_a_visit_is_named_once_it_is_known_what_was_done_that_day(desk: "Desk") -> None:
    await desk.imports(HEADER, "A-1,Ana,Gil,305-555-0101,2026-01-10,")
    await twice(desk, HEADER, "A-1,Ana,Gil,305-555-0101,2026-01-10,filling")
    assert figures(await desk.imports(HEADER, "A-1,Ana,Gil,305-555-0101,2026-01-10,")) == (
        *(0, 0, 1, 0),
    )
    assert [(visit.day, visit.treatment) for visit in await desk.rows.all(Visit)] == [
        (date(2026, 1, 10), "filling")
    ]


class TestNumbers:
    """Patients whose export gives no number."""

    @pytest.mark.parametrize(
        ("header", "line"),
        [
            pytest.param("name,birth_date,phone", "Ana Gil,1960-05-01,", id="name and birth date"),
            pytest.param("name,birth_date,phone", "Ana Gil,,305-555-0101", id="name and phone"),
            pytest.param("name,email,birth_date", "Ana Gil,ana@example.com,", id="name and email"),
        ],
    )
    async def test_a_patient_without_a_number_gets_one_that_is_the_same_next_time(
        self, desk: "Desk", header: str, line: str
    ) -> None:
        await twice(desk, header, line)
        [patient] = await desk.rows.all(Patient)
        assert patient.external_id.startswith("auto-")

    async def test_a_row_with_nothing_to_know_the_patient_by_is_rejected(
        self, desk: "Desk"
    ) -> None:
        result = await twice(desk, "name,birth_date,phone", "Ana Gil,,", "Eva Paz,1960-05-01,")
        assert figures(result) == (1, 0, 0, 1)
        assert "nothing tells this patient from others" in result.rejects[0].reason

    async def test_such_a_row_also_says_why_what_it_has_is_of_no_use(self, desk: "Desk") -> None:
        result = await desk.imports("name,birth_date,phone,email", "Ana Gil,,12,nobody")
        [reject] = result.rejects
        assert [reject.column, *(column for column, _ in reject.also)] == [
            "patient_id",
            "email",
            "phone",
        ]


class TestForgotten:
    """People who were forgotten at their own wish stand in the next export all the same."""

    @pytest.mark.parametrize("by", ["number", "national id"])
    async def test_whoever_was_forgotten_is_left_out(self, desk: "Desk", by: str) -> None:
        key = desk.rows.clinic.key
        hashed = number_hash(key, "A-1") if by == "number" else national_id_hash(key, "536904399")
        await desk.rows.add(Forgotten(number_hash=hashed, at=desk.rows.now))
        result = await twice(
            desk,
            "patient_id,first_name,phone,ssn",
            "A-1,Ana,305-555-0101,536-90-4399",
            "A-2,Eva,305-555-0102,",
        )
        assert figures(result) == (1, 0, 0, 1)
        assert result.rejects[0].reason == "was forgotten at their own wish"
        assert [patient.external_id for patient in await desk.rows.all(Patient)] == ["A-2"]


class TestAppointments:
    """Future appointments follow the clinic's book."""

    HEADER = "patient_id,first_name,phone,next_appointment"

    async def stand(self, desk: "Desk") -> list[datetime]:
        return sorted(appointment.at for appointment in await desk.rows.all(Appointment))

    async def test_another_appointment_replaces_the_one_of_the_list_before(
        self, desk: "Desk"
    ) -> None:
        await desk.imports(self.HEADER, "A-1,Ana,305-555-0101,2027-04-01 10:00")
        result = await twice(desk, self.HEADER, "A-1,Ana,305-555-0101,2027-05-01 10:00")
        assert figures(result) == (0, 1, 0, 0)
        assert await self.stand(desk) == [datetime(2027, 5, 1, 14, 0, tzinfo=UTC)]

    async def test_an_appointment_that_the_list_no_longer_has_is_gone(self, desk: "Desk") -> None:
        await desk.imports(self.HEADER, "A-1,Ana,305-555-0101,2027-04-01 10:00")
        result = await twice(desk, self.HEADER, "A-1,Ana,305-555-0101,")
        assert figures(result) == (0, 1, 0, 0)
        assert await self.stand(desk) == []

    async def test_a_list_without_that_column_leaves_appointments_alone(self, desk: "Desk") -> None:
        await desk.imports(self.HEADER, "A-1,Ana,305-555-0101,2027-04-01 10:00")
        await twice(desk, "patient_id,first_name,phone", "A-1,Ana,305-555-0101")
        assert len(await self.stand(desk)) == 1

    @pytest.mark.parametrize("between", [[], FILLER], ids=["in one batch", "in two"])
    async def test_two_appointments_of_one_list_both_stand(
        self, desk: "Desk", between: list[str]
    ) -> None:
        filler = [f"F-{number},Eva,," for number in range(len(between))]
        await twice(
            desk,
            self.HEADER,
            "A-1,Ana,305-555-0101,2027-04-01 10:00",
            *filler,
            "A-1,Ana,305-555-0101,2027-05-01 10:00",
            "A-1,Ana,305-555-0101,",
        )
        assert len(await self.stand(desk)) == 2

    async def test_an_appointment_that_the_patient_booked_otherwise_stays(
        self, desk: "Desk"
    ) -> None:
        ana = await desk.rows.patient(external_id="A-1")
        await desk.rows.book(ana, datetime(2027, 4, 1, 14, 0, tzinfo=UTC))
        await twice(desk, self.HEADER, "A-1,Ana,305-555-0101,")
        assert len(await self.stand(desk)) == 1

    async def test_an_appointment_of_the_past_stays(self, desk: "Desk") -> None:
        await desk.imports(self.HEADER, "A-1,Ana,305-555-0101,2027-03-02 09:00")
        await twice(desk, self.HEADER, "A-1,Ana,305-555-0101,")
        assert len(await self.stand(desk)) == 1


class TestOpenAttempts:
    """A list may say that a patient came back, or left for good."""

    HEADER = "patient_id,first_name,phone,last_visit,next_appointment,status"

    async def event_kinds(self, desk: "Desk", line: str) -> list[tuple[str, str | None]]:
        ana = await desk.rows.patient(external_id="A-1", first_name="Ana")
        await desk.rows.add(Visit(patient_id=ana.id, day=date(2026, 1, 10), treatment=""))
        attempt = await desk.rows.attempt(patient=ana)
        assert attempt.state == AttemptState.OPEN.value
        await twice(desk, self.HEADER, line)
        return [
            (event.kind, event.attempt_id and "its attempt")
            for kind in EventKind
            for event in await desk.rows.events(kind)
        ]

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            pytest.param("A-1,Ana,,,2027-04-01 10:00,", EventKind.BOOKED, id="an appointment"),
            pytest.param("A-1,Ana,,2027-03-01,,", EventKind.BOOKED, id="a new visit"),
            pytest.param("A-1,Ana,,,,deceased", EventKind.EXCLUDED, id="deceased"),
            pytest.param("A-1,Ana,,,,moved", EventKind.EXCLUDED, id="moved"),
            pytest.param("A-1,Ana,,,,inactive", EventKind.EXCLUDED, id="no patient any more"),
            pytest.param(
                "A-1,Ana,,2027-03-01,,deceased", EventKind.EXCLUDED, id="came, and died since"
            ),
        ],
    )
    async def test_ends_the_open_attempt(self, desk: "Desk", line: str, kind: EventKind) -> None:
        assert await self.event_kinds(desk, line) == [(kind.value, "its attempt")]

    @pytest.mark.parametrize(
        "line",
        [
            pytest.param("A-1,Ana,,2026-01-10,,active", id="a visit that is known"),
            pytest.param("A-1,Ana,,2025-01-10,,", id="an older visit"),
            pytest.param("A-1,Ana,,,2027-03-01 10:00,", id="an appointment that has passed"),
        ],
    )
    async def test_leaves_the_attempt_open(self, desk: "Desk", line: str) -> None:
        assert await self.event_kinds(desk, line) == []


class TestConsents:
    """What a list says of consent."""

    async def given(self, desk: "Desk") -> dict[tuple[str, str], bool]:
        words = sorted(await desk.rows.all(Consent), key=lambda word: word.at)
        return {(word.channel, word.content): word.given for word in words}

    async def test_a_channel_that_is_allowed_is_no_word_on_advertising(self, desk: "Desk") -> None:
        await twice(desk, "patient_id,first_name,phone,consent_sms", "A-1,Ana,305-555-0101,yes")
        assert await self.given(desk) == {("sms", "reminder"): True}
        [word] = await desk.rows.all(Consent)
        assert (word.source, word.at) == ("import list.csv", desk.rows.now)

    async def test_a_channel_that_is_refused_is_refused_for_everything(self, desk: "Desk") -> None:
        await twice(
            desk,
            "patient_id,first_name,phone,consent_sms,consent_advertising",
            "A-1,Ana,305-555-0101,no,yes",
        )
        assert await self.given(desk) == {
            ("sms", "reminder"): False,
            ("sms", "advertising"): False,
            ("email", "advertising"): True,
            ("whatsapp", "advertising"): True,
            ("call", "advertising"): True,
        }

    async def test_a_word_has_the_day_and_source_that_the_list_says(self, desk: "Desk") -> None:
        await twice(
            desk,
            "patient_id,first_name,phone,consent_email,consent_date,consent_source",
            "A-1,Ana,305-555-0101,yes,2026-05-04,paper form",
        )
        [word] = await desk.rows.all(Consent)
        assert (word.source, word.at) == ("paper form", datetime(2026, 5, 4, 4, tzinfo=UTC))

    async def test_a_list_that_says_not_since_when_does_not_undo_a_withdrawal(
        self, desk: "Desk"
    ) -> None:
        ana = await desk.rows.patient(external_id="A-1", first_name="Ana")
        said = {"patient_id": ana.id, "channel": "sms", "content": "reminder"}
        at = desk.rows.now - timedelta(days=1)
        await desk.rows.add(Consent(**said, given=False, source="phone call", at=at))
        await twice(desk, "patient_id,first_name,phone,consent_sms", "A-1,Ana,,yes")
        assert await self.given(desk) == {("sms", "reminder"): False}

    @pytest.mark.parametrize(
        "known_since",
        [
            pytest.param("2026-05-01", id="of the day of the yes"),
            pytest.param("", id="older than the list that said yes and not since when"),
            pytest.param("2026-06-01", id="older than the yes"),
        ],
    )
    async def test_a_no_is_believed_whatever_its_day(self, desk: "Desk", known_since: str) -> None:
        header = "patient_id,first_name,phone,consent_sms,consent_date"
        await desk.imports(header, f"A-1,Ana,305-555-0101,yes,{known_since}")
        await twice(desk, header, "A-1,Ana,305-555-0101,no,2026-05-01")
        assert await self.given(desk) == {
            ("sms", "reminder"): False,
            ("sms", "advertising"): False,
        }
        words = await desk.rows.all(Consent)
        assert "import list.csv (said on 2026-05-01)" in {word.source for word in words}

    async def test_an_old_list_again_does_not_undo_a_yes_that_came_since(
        self, desk: "Desk"
    ) -> None:
        header = "patient_id,first_name,phone,consent_sms,consent_date"
        await desk.imports(header, "A-1,Ana,305-555-0101,yes,2026-05-01")
        await desk.imports(header, "A-1,Ana,305-555-0101,no,2026-05-01")
        ana = await desk.patient()
        said = {"patient_id": ana.id, "channel": "sms", "content": "reminder"}
        await desk.rows.add(Consent(**said, given=True, source="paper form", at=desk.rows.now))
        await twice(desk, header, "A-1,Ana,305-555-0101,no,2026-05-01")
        assert (await self.given(desk))["sms", "reminder"] is True

    @pytest.mark.parametrize("between", [[], FILLER], ids=["in one batch", "in two"])
    async def test_rows_that_contradict_each_other_are_told(
        self, desk: "Desk", between: list[str]
    ) -> None:
        filler = [f"F-{number},Eva,," for number in range(len(between))]
        result = await twice(
            desk,
            "patient_id,first_name,phone,consent_sms",
            "A-1,Ana,305-555-0101,yes",
            *filler,
            "A-1,Ana,305-555-0101,no",
        )
        assert [each.column for each in result.rejects] == ["consent_sms"]
        assert await self.given(desk) == {("sms", "reminder"): True}
