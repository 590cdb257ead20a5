"""What a provider reports is stored for everybody whom it concerns, once."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from sqlalchemy import select

from activities.reception import Reception
from channels.protocol import ProviderEvent
from clinic import call_list, call_opening, channel_hold
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.register import blanking, erasure
from clinic.register.address import address_hash
from clinic.tables import Attempt, CallTask, Event, Message, Patient, Suppression
from clinic.template import Template

if TYPE_CHECKING:
    from tests.activities.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

EMAIL, SMS = 0, 1
Receive = Callable[..., Coroutine[Any, Any, None]]


@pytest.fixture
def receive(clinic: Clinic, desk: "Desk") -> Receive:
    """Receive an event as a webhook, or the fetching, does."""
    reception = Reception(clinic.folder, clinic.key)

    async def run(channel: str = "sms", **given: Any) -> None:
        event = ProviderEvent.model_validate({"key": "k-1", "kind": EventKind.REPLY} | given)
        async with clinic.database.writing() as session:
            await reception.receive(session, channel, event, now=desk.now)

    return run


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch, clinic: Clinic) -> None:
    """Let the clinic's template end in a question that is answered by yes or no."""
    template = clinic.folder.template("come-back").model_copy(update={"asks": "yes_or_no"})

    def asked(name: str) -> Template:
        del name
        return template

    monkeypatch.setattr(clinic.folder, "template", asked)


async def mailed(desk: "Desk", **given: object) -> tuple[Patient, Attempt]:
    """Add a patient whose open attempt has sent them an email."""
    patient = await desk.patient(**given)
    attempt = await desk.attempt(patient)
    await desk.message(attempt, EMAIL, str(patient.email), "email", sent_at=desk.now)
    return patient, attempt


async def texted(desk: "Desk", **given: object) -> tuple[Patient, Attempt]:
    """Add a patient whose open attempt has sent them an SMS, `SM-sent`."""
    patient = await desk.patient(**given)
    attempt = await desk.attempt(patient)
    await desk.message(
        attempt, SMS, str(patient.phone), sent_at=desk.now, provider_id=f"SM-{attempt.id}"
    )
    return patient, attempt


async def stored(desk: "Desk") -> list[Event]:
    return sorted(await desk.all(Event), key=lambda event: event.number)


async def calls(desk: "Desk") -> list[call_list.OpenCall]:
    async with desk.clinic.database.reading() as session:
        return await call_list.open_calls(session, desk.now, desk.clinic.key)


class TestMail:
    async def test_a_mail_that_names_its_message_answers_it_whoever_sent_it(
        self, desk: "Desk", receive: Receive
    ) -> None:
        _, attempt = await mailed(desk)
        await receive(
            "email",
            from_address="work@example.net",
            message=f"{attempt.id}.{EMAIL}",
            body="¿Mañana a las 10?",
        )
        (event,) = await stored(desk)
        assert (event.kind, event.attempt_id) == ("reply", attempt.id)
        assert (event.body, event.from_address) == ("¿Mañana a las 10?", None)

    @pytest.mark.parametrize("change", [str.lower, str.upper, str.title])
    async def test_a_mail_of_its_own_is_known_by_its_sender(
        self, desk: "Desk", receive: Receive, change: Callable[[str], str]
    ) -> None:
        patient, attempt = await mailed(desk, email="sofia.m@example.com")
        await receive("email", from_address=change("sofia.m@example.com"), body="Hola")
        (event,) = await stored(desk)
        assert (event.patient_id, event.attempt_id) == (patient.id, attempt.id)

    async def test_a_guardians_mail_is_about_the_child(
        self, desk: "Desk", receive: Receive
    ) -> None:
        child = await desk.patient(
            birth_date=desk.now.date() - timedelta(days=9 * 365),
            email=None,
            guardian_email="mother@example.com",
        )
        await receive("email", from_address="mother@example.com", body="Hola")
        (event,) = await stored(desk)
        assert event.patient_id == child.id

    async def test_stop_silences_the_address_it_came_from_and_the_patients_own(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await mailed(desk)
        message = f"{attempt.id}.{EMAIL}"
        await receive("email", from_address="work@example.net", message=message, body="Baja")
        suppressed = {row.address_hash for row in await desk.all(Suppression)}
        for address in ("work@example.net", str(patient.email), str(patient.phone)):
            assert address_hash(desk.clinic.key, address) in suppressed

    async def test_an_answer_to_an_old_mail_stops_the_attempt_that_is_open_now(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, old = await mailed(desk)
        opened = await desk.attempt_again(patient)
        await receive(
            "email", from_address=patient.email, message=f"{old.id}.{EMAIL}", body="Llámenme"
        )
        (event,) = await stored(desk)
        assert event.attempt_id == opened.id

    async def test_an_automatic_answer_is_kept_and_stops_nothing(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await mailed(desk)
        await receive(
            "email",
            kind=EventKind.NOTICE,
            from_address=patient.email,
            message=f"{attempt.id}.{EMAIL}",
            body="Fuera de la oficina. STOP",
        )
        (event,) = await stored(desk)
        assert (event.kind, event.attempt_id) == ("notice", attempt.id)
        assert event.relay_result == "kept"
        assert await calls(desk) == []

    async def test_a_message_that_nobody_knows_loses_no_mail(
        self, desk: "Desk", receive: Receive
    ) -> None:
        await receive("email", from_address="x@example.net", message="at-made-up.0", body="Hola")
        (event,) = await stored(desk)
        assert (event.from_address, event.body) == ("x@example.net", "Hola")

    @pytest.mark.parametrize(
        ("given", "marked"), [({}, 1), ({"bad_address": False}, 0)], ids=["hard", "soft"]
    )
    async def test_a_mail_that_came_back(
        self, desk: "Desk", receive: Receive, given: dict[str, object], marked: int
    ) -> None:
        patient, attempt = await mailed(desk)
        await receive(
            "email",
            kind=EventKind.BOUNCED,
            message=f"{attempt.id}.{EMAIL}",
            failure="5.1.1",
            **given,
        )
        (event,) = await stored(desk)
        assert (event.kind, event.attempt_id, event.details["step"]) == ("bounced", attempt.id, 0)
        row = await desk.ledger_row(attempt, EMAIL)
        assert row is not None
        assert (row.failed_at, row.failure) == (desk.now, "5.1.1")
        bad_at = [(await desk.again(patient)).email_bad_at]
        assert bad_at == [desk.now if marked else None]


class TestWordsFromNoAddress:
    async def test_they_answer_the_message_that_is_named(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        await receive(provider_id=f"SM-{attempt.id}", body="BAJA")
        (event,) = await stored(desk)
        assert (event.kind, event.attempt_id) == ("opted_out", attempt.id)
        assert (await desk.again(patient)).opted_out_at is not None

    async def test_without_any_message_they_are_kept(self, desk: "Desk", receive: Receive) -> None:
        await texted(desk)
        await receive(body="Hola")
        (event,) = await stored(desk)
        assert (event.attempt_id, event.body) == (None, "Hola")


class TestYesAndNo:
    @pytest.mark.usefixtures("asking")
    @pytest.mark.parametrize(
        ("words", "kind", "reading"),
        [
            ("Sí, gracias", EventKind.REPLY, "yes"),
            ("No, gracias", EventKind.DECLINED, "no"),
            ("нет", EventKind.DECLINED, "no"),
            ("ahora no", EventKind.REPLY, "unclear"),
            ("cancel", EventKind.REPLY, "unclear"),
            ("BAJA", EventKind.OPTED_OUT, "opt_out"),
        ],
    )
    async def test_after_a_question(
        self, desk: "Desk", receive: Receive, words: str, kind: EventKind, reading: str
    ) -> None:
        patient, attempt = await texted(desk)
        await receive(from_address=patient.phone, body=words)
        (event,) = await stored(desk)
        assert (event.kind, event.attempt_id) == (kind.value, attempt.id)
        assert event.details["reading"] == reading

    @pytest.mark.parametrize(("words", "reading"), [("Sí", "yes"), ("No", "no")])
    async def test_without_a_question_a_person_reads_either(
        self, desk: "Desk", receive: Receive, words: str, reading: str
    ) -> None:
        patient, _ = await texted(desk)
        await receive(from_address=patient.phone, body=words)
        (event,) = await stored(desk)
        assert (event.kind, event.details["reading"]) == ("reply", reading)

    @ONE_KIND
    async def test_a_template_that_is_gone_asked_nothing(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient = await desk.patient()
        campaign = await desk.campaign({"channel": "sms", "template": "gone", "wait": "1 day"})
        attempt = await desk.attempt(patient, campaign)
        await desk.message(attempt, 0, str(patient.phone), sent_at=desk.now)
        await receive(from_address=patient.phone, body="No")
        assert [event.kind for event in await stored(desk)] == ["reply"]

    @ONE_KIND
    async def test_the_patients_name_is_part_of_a_greeting(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, _ = await texted(desk, first_name="Zoila")
        await receive(from_address=patient.phone, body="Soy Zoila, baja")
        (event,) = await stored(desk)
        assert (event.kind, "says_more" in event.details) == ("opted_out", False)


class TestRepeats:
    async def test_a_repeat_reaches_nobody_else_who_shares_the_number_by_then(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        await receive(from_address=patient.phone, body="Hola")
        await texted(desk, phone=patient.phone)
        await receive(from_address=patient.phone, body="Hola")
        assert [event.attempt_id for event in await stored(desk)] == [attempt.id]

    @ONE_KIND
    @pytest.mark.parametrize("key", ["<ä@example.com>", "a\0b", "k" * 5_000, "\ud800"])
    async def test_any_key_is_a_key(self, desk: "Desk", receive: Receive, key: str) -> None:
        for _ in range(2):
            await receive(key=key, from_address="+13055550177", body="Hola")
        await receive(key=key + "!", from_address="+13055550177", body="Hola")
        assert len(await stored(desk)) == 2

    async def test_what_a_database_refuses_is_left_out_and_what_is_endless_is_cut(
        self, desk: "Desk", receive: Receive
    ) -> None:
        await receive(from_address="+13055550177", body="ho\0la \ud800" + "a" * 1_000_000)
        (event,) = await stored(desk)
        assert event.body.startswith("hola ?aaa")
        assert (len(event.body), event.body[-4:]) == (100_004, " […]")


class TestFailuresThatAreOursToMend:
    async def test_the_message_is_set_aside_and_its_channel_held_with_one_loud_notice(
        self, desk: "Desk", receive: Receive
    ) -> None:
        reports = [(await texted(desk))[1] for _ in range(2)]
        with structlog.testing.capture_logs() as logs:
            for number, attempt in enumerate([*reports, reports[0]]):
                await receive(
                    key=f"k-{number % 2}",
                    kind=EventKind.UNKNOWN,
                    provider_id=f"SM-{attempt.id}",
                    status="undelivered",
                    failure="30007",
                    misconfigured=True,
                )
        events = await stored(desk)
        assert [event.kind for event in events] == ["returned", "returned"]
        assert [event.details["step"] for event in events] == [SMS, SMS]
        assert [await desk.ledger_row(attempt, SMS) for attempt in reports] == [None, None]
        rows: list[Message] = await desk.all(Message)
        assert [(row.try_number, row.failure) for row in rows] == [(2, "30007")] * 2
        async with desk.clinic.database.reading() as session:
            (held,) = await channel_hold.held(session)
        assert (held.channel, held.code) == ("sms", "30007")
        assert [log["log_level"] for log in logs].count("error") == 1

    async def test_a_late_word_on_a_message_that_was_set_aside_changes_nothing(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        about = {"provider_id": f"SM-{attempt.id}", "status": "undelivered"}
        await receive(kind=EventKind.UNKNOWN, misconfigured=True, failure="30007", **about)
        await receive(key="k-2", kind=EventKind.BOUNCED, failure="30006", **about)
        assert [event.kind for event in await stored(desk)] == ["returned", "notice"]
        assert (await desk.again(patient)).sms_bad_at is None

    async def test_a_message_that_comes_back_after_every_resume_climbs_and_holds_nobody(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        for number in range(3):
            if number:
                await desk.message(
                    attempt,
                    SMS,
                    str(patient.phone),
                    sent_at=desk.now,
                    provider_id=f"SM-{number}",
                )
            await receive(
                key=f"k-{number}",
                kind=EventKind.UNKNOWN,
                provider_id=f"SM-{number or attempt.id}",
                failure="30007",
                misconfigured=True,
            )
            async with desk.clinic.database.writing() as session:
                if number < channel_hold.HOLDS_AT_MOST:
                    await channel_hold.resume(session, "sms", now=desk.now)
                assert await channel_hold.held(session) == []
        kinds = [event.kind for event in await stored(desk)]
        assert kinds == ["returned", "returned", "bounced"]
        assert (await desk.again(patient)).sms_bad_at is None


class TestWhatBecameOfAMessage:
    async def test_a_failure_after_it_arrived_is_kept_and_not_believed(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        about = {"provider_id": f"SM-{attempt.id}"}
        await receive(key="1", kind=EventKind.NOTICE, status="delivered", **about)
        await receive(
            key="2", kind=EventKind.BOUNCED, status="undelivered", failure="30006", **about
        )
        assert [event.kind for event in await stored(desk)] == ["notice", "notice"]
        row = await desk.ledger_row(attempt, SMS)
        assert row is not None
        assert (row.provider_status, row.failed_at) == ("delivered", None)
        assert (await desk.again(patient)).sms_bad_at is None

    async def test_reports_out_of_order_never_go_back(self, desk: "Desk", receive: Receive) -> None:
        _, attempt = await texted(desk)
        for status in ("delivered", "sent", "queued", "read", "delivered"):
            await receive(
                key=status,
                kind=EventKind.NOTICE,
                provider_id=f"SM-{attempt.id}",
                status=status,
            )
        row = await desk.ledger_row(attempt, SMS)
        assert row is not None
        assert row.provider_status == "read"

    @pytest.mark.parametrize("channel", ["whatsapp", "telegram"])
    async def test_who_has_no_messenger_still_gets_text_messages(
        self, desk: "Desk", receive: Receive, channel: str
    ) -> None:
        patient = await desk.patient()
        attempt = await desk.attempt(patient)
        await desk.message(
            attempt, SMS, str(patient.phone), channel, sent_at=desk.now, provider_id="W-1"
        )
        await receive(channel, kind=EventKind.BOUNCED, provider_id="W-1", failure="63003")
        row = await desk.ledger_row(attempt, SMS)
        assert row is not None
        assert row.failed_at is not None
        patient = await desk.again(patient)
        assert (patient.sms_bad_at, patient.phone_bad_at) == (None, None)


class TestWhatNoAttemptWaitsFor:
    async def test_a_reply_of_a_patient_who_never_had_one_is_on_the_call_list_at_once(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient = await desk.patient()
        await receive(from_address=patient.phone, body="Quiero una hora")
        (call,) = await calls(desk)
        assert (call.patient_id, call.phone) == (patient.id, patient.phone)
        assert (call.words, call.campaign) == ("Quiero una hora", None)

    async def test_somebody_nobody_knows_is_on_it_with_the_address_to_answer(
        self, desk: "Desk", receive: Receive
    ) -> None:
        await receive(from_address="+13055550177", body="¿Quién es?")
        (call,) = await calls(desk)
        assert (call.patient_id, call.name, call.phone) == (None, "", None)
        assert (call.from_address, call.words) == ("+13055550177", "¿Quién es?")

    @pytest.mark.parametrize("patients", [1, 0], ids=["a patient", "nobody we know"])
    async def test_who_writes_again_before_it_was_read_is_called_once(
        self, desk: "Desk", receive: Receive, patients: int
    ) -> None:
        number = "+13055550177"
        for _ in range(patients):
            await desk.patient(phone=number)
        for key, words in (("1", "Hola"), ("1", "Hola"), ("2", "¿Me llaman?"), ("3", "sí")):
            await receive(key=key, from_address=number, body=words)
        (call,) = await calls(desk)
        assert call.words == "Hola\n¿Me llaman?\nsí"
        assert (call.priority, call.reading) == (0, "yes")

    async def test_an_opt_out_of_nobody_silences_the_number_and_needs_no_person(
        self, desk: "Desk", receive: Receive
    ) -> None:
        await receive(from_address="+13055550177", body="STOP")
        assert await calls(desk) == []
        assert len(await desk.all(Suppression)) == 1

    async def test_what_an_opt_out_says_besides_is_read_and_nobody_calls(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        words = "Ya me atiendo en otra clínica. No me escriban más."
        await receive(from_address=patient.phone, body=words)
        (event,) = await stored(desk)
        assert (event.kind, event.attempt_id) == ("opted_out", attempt.id)
        (call,) = await calls(desk)
        assert (call.patient_id, call.words, call.opted_out) == (patient.id, words, True)

    async def test_a_reply_after_the_end_waits_for_the_relay(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        await desk.change(attempt, state=AttemptState.ENDED.value, ended_at=desk.now)
        await receive(from_address=patient.phone, body="Recién lo veo")
        (event,) = await stored(desk)
        assert (event.attempt_id, event.relayed_at) == (attempt.id, None)


async def test_logs_tell_nothing_of_anybody(desk: "Desk", receive: Receive) -> None:
    patient, _ = await texted(desk)
    with structlog.testing.capture_logs() as logs:
        await receive(from_address=patient.phone, body="Me duele la muela")
    assert logs
    assert str(patient.phone) not in str(logs)
    assert "muela" not in str(logs)


async def test_whom_the_words_concern_is_one_task_each(desk: "Desk", receive: Receive) -> None:
    number = "+13055550177"
    family = [await desk.patient(phone=number) for _ in range(2)]
    await receive(from_address=number, body="Hola")
    async with desk.clinic.database.reading() as session:
        tasks = set(await session.scalars(select(CallTask.patient_id)))
    assert tasks == {patient.id for patient in family}


class TestTriesOfOneStep:
    """A step that came back is delivered again: what is said of one try is not of the other."""

    @pytest.fixture
    async def twice(self, desk: "Desk", receive: Receive) -> Attempt:
        """An attempt whose SMS came back, was mended, and went out again as `SM-new`.

        The first time, the worker ended before it could note the provider's id: the report named
        the message by our own key.
        """
        patient = await desk.patient()
        attempt = await desk.attempt(patient)
        await desk.message(attempt, SMS, str(patient.phone))
        await receive(
            kind=EventKind.UNKNOWN,
            provider_id="SM-old",
            message=f"{attempt.id}.{SMS}",
            status="undelivered",
            failure="30007",
            misconfigured=True,
        )
        await desk.message(attempt, SMS, "+13055550188", sent_at=desk.now, provider_id="SM-new")
        return attempt

    @pytest.mark.parametrize(
        "said",
        [
            {"kind": EventKind.BOUNCED, "status": "failed", "failure": "30003"},
            {"kind": EventKind.UNKNOWN, "misconfigured": True, "failure": "30007"},
        ],
        ids=["failed", "ours to mend"],
    )
    async def test_a_late_word_on_the_first_is_no_news_of_the_second(
        self, desk: "Desk", receive: Receive, twice: Attempt, said: dict[str, object]
    ) -> None:
        message = f"{twice.id}.{SMS}"
        await receive(key="k-2", provider_id="SM-old", message=message, **said)
        await receive(key="k-3", provider_id="SM-before", message=message, **said)
        row = await desk.ledger_row(twice, SMS)
        assert row is not None
        assert (row.provider_id, row.failed_at) == ("SM-new", None)
        assert [event.kind for event in await stored(desk)] == ["returned", "notice", "notice"]

    async def test_stop_is_heard_for_wherever_either_went(
        self, desk: "Desk", receive: Receive, twice: Attempt
    ) -> None:
        patient = await desk.patient_of(twice)
        phone = str(patient.phone)
        await desk.change(patient, phone="+13055550199")
        await receive(key="k-2", kind=EventKind.OPTED_OUT, provider_id="SM-old", status="failed")
        suppressed = {row.address_hash for row in await desk.all(Suppression)}
        for address in (phone, "+13055550188", "+13055550199"):
            assert address_hash(desk.clinic.key, address) in suppressed

    async def test_stop_is_heard_of_a_sending_that_nobody_noted(
        self, desk: "Desk", receive: Receive, twice: Attempt
    ) -> None:
        message = f"{twice.id}.{SMS}"
        await receive(key="k-2", kind=EventKind.OPTED_OUT, provider_id="SM-before", message=message)
        assert (await desk.patient_of(twice)).opted_out_at is not None

    async def test_an_answer_to_what_was_set_aside_is_the_patients(
        self, desk: "Desk", receive: Receive
    ) -> None:
        patient, attempt = await texted(desk)
        about = {"provider_id": f"SM-{attempt.id}", "failure": "30007"}
        await receive(kind=EventKind.UNKNOWN, misconfigured=True, **about)
        await receive(key="k-2", message=f"{attempt.id}.{SMS}", body="BAJA")
        assert (await desk.again(patient)).opted_out_at is not None


async def test_an_email_that_a_plug_in_was_refused_is_bad(desk: "Desk", receive: Receive) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    await desk.message(
        attempt, EMAIL, str(patient.email), "letters", sent_at=desk.now, provider_id="L-1"
    )
    await receive("letters", kind=EventKind.BOUNCED, provider_id="L-1", failure="no such box")
    patient = await desk.again(patient)
    assert (patient.email_bad_at, patient.sms_bad_at) == (desk.now, None)


async def test_words_that_nobody_knows_the_writer_of_are_read_each_by_itself(
    desk: "Desk", receive: Receive
) -> None:
    for key, words in (("1", "Quiero una cita"), ("2", "¿Me llaman?"), ("1", "Quiero una cita")):
        await receive("email", key=key, body=words)
    assert sorted(call.words for call in await calls(desk)) == ["Quiero una cita", "¿Me llaman?"]


async def test_what_a_patient_says_to_a_person_who_has_the_attempt_stands_on_the_list(
    desk: "Desk",
) -> None:
    patient, attempt = await texted(desk)
    async with desk.clinic.database.writing() as session:
        await call_opening.open_task(
            session,
            attempt_id=attempt.id,
            step=2,
            kind=TaskKind.CALL,
            due_at=desk.now,
            tries=3,
            event_id=None,
            now=desk.now,
        )
    await desk.event(
        EventKind.DECLINED,
        attempt_id=attempt.id,
        body="Dice por qué se fue: el precio.",
        details={"loss_reason": "price"},
    )
    (call,) = await calls(desk)
    assert (call.patient_id, call.words) == (patient.id, "Dice por qué se fue: el precio.")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_family_message_comes_back_while_the_guardian_whom_it_names_is_forgotten(
    desk: "Desk", receive: Receive
) -> None:
    guardian = await desk.patient(id="pt-2")
    child = await desk.patient(id="pt-1", guardian_number=guardian.external_id)
    carrier, carried = await desk.attempt(child), await desk.attempt(guardian)
    sent: dict[str, Any] = {"sent_at": desk.now, "provider_id": "SM-family"}
    await desk.message(carrier, SMS, str(guardian.phone), **sent)
    await desk.message(carried, SMS, str(guardian.phone), carried_by=carrier.id, **sent)
    async with desk.clinic.database.writing() as session:
        # as far as the forgetting has come when the message comes back
        await blanking.blank_messages(session, [carried.id])
        came_back = receive(kind=EventKind.BOUNCED, provider_id="SM-family")
        bounce = asyncio.create_task(came_back)
        await asyncio.wait([bounce], timeout=0.3)
        key = desk.clinic.key
        await erasure.forget(session, guardian.id, now=desk.now, key=key)
    await bounce
    assert (await desk.again(child)).guardian_number is None
    events = [event for event in await stored(desk) if event.kind == EventKind.BOUNCED]
    assert [event.attempt_id for event in events] == [carrier.id]
