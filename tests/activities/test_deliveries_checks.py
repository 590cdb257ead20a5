"""Everything is read fresh before a step is delivered; what forbids it leaves no trace."""

import shutil
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError

from channels.protocol import Channel
from clinic import campaigns
from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.contact_policy import ContactPolicy
from clinic.delivery import Deferred, Sent, Skipped, SkipReason
from clinic.event import EventKind
from clinic.folder import ClinicFolder
from clinic.register import consent, suppression
from clinic.register.address import address_hash
from clinic.tables import Appointment, Attempt, CallTask, Event, Patient, StepNote, Suppression
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk

EMAIL, SMS, CALL = range(3)
EVENING = datetime(2027, 3, 3, 1, 30, tzinfo=UTC)  # Tuesday 20:30 in New York
WEDNESDAY_OPENS = datetime(2027, 3, 3, 14, 0, tzinfo=UTC)
THURSDAY_OPENS = WEDNESDAY_OPENS + timedelta(days=1)
CLOSED = Deferred(
    until=WEDNESDAY_OPENS,
    rule="contact hours: 09:00-20:00 on tuesday (house rule: when people like to be written to)",
)


@pytest.fixture
def database_url(prepared_sqlite: Path, tmp_path: Path) -> str:
    """One kind will do: the rules are pure, and `test_deliveries.py` reads on both."""
    return f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / 'clinic.db')}"


@pytest.fixture
def daytime(clinic: Clinic) -> ContactPolicy:
    return ClinicFolder(clinic.settings.clinic, "daytime").policy()


@pytest.fixture
async def attempt(desk: "Desk") -> Attempt:
    return await desk.attempt()


async def assert_untouched(desk: "Desk", sandbox: Sandbox, attempt: Attempt) -> None:
    """Nothing was sent, and no claim was left behind."""
    patient = await desk.patient_of(attempt)
    assert sandbox.inbox.to(str(patient.email)) == []
    assert sandbox.twilio.to(str(patient.phone)) == []
    assert [await desk.ledger_row(attempt, step) for step in range(3)] == [None, None, None]


async def test_outside_hours_it_waits_for_the_next_opening_and_names_the_rule(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, attempt: Attempt, daytime: ContactPolicy
) -> None:
    assert await deliver(attempt, EMAIL, at=EVENING, policy=daytime) == CLOSED
    await assert_untouched(desk, sandbox, attempt)
    assert (await desk.again(attempt)).held is False


async def test_at_the_opening_it_goes_out(
    deliver: "Deliver", attempt: Attempt, daytime: ContactPolicy
) -> None:
    assert await deliver(attempt, EMAIL, at=WEDNESDAY_OPENS, policy=daytime) == Sent()


async def test_a_second_message_of_the_day_waits_for_the_next_day(
    deliver: "Deliver", attempt: Attempt, daytime: ContactPolicy
) -> None:
    await deliver(attempt, EMAIL, at=WEDNESDAY_OPENS, policy=daytime)
    later = WEDNESDAY_OPENS + timedelta(hours=2)
    assert await deliver(attempt, SMS, at=later, policy=daytime) == Deferred(
        until=THURSDAY_OPENS, rule="contacts per day: at most 1 (house rule: nobody is pressed)"
    )


async def test_a_call_task_opens_when_a_call_is_allowed(
    desk: "Desk", deliver: "Deliver", attempt: Attempt, daytime: ContactPolicy
) -> None:
    assert await deliver(attempt, CALL, at=EVENING, policy=daytime) == CLOSED
    assert await desk.all(CallTask) == []
    assert await deliver(attempt, CALL, at=WEDNESDAY_OPENS, policy=daytime) == Sent()


async def test_under_one_channel_a_week_a_call_waits_for_a_week_after_a_message(
    deliver: "Deliver", clinic: Clinic, attempt: Attempt, now: datetime
) -> None:
    colombian = clinic.folder.policy("co")
    assert await deliver(attempt, EMAIL, at=now, policy=colombian) == Sent()
    later = now + timedelta(days=3)
    assert await deliver(attempt, CALL, at=later, policy=colombian) == Deferred(
        until=now + timedelta(days=7),
        rule="one channel a week: email on Tue 2027-03-02 (Ley 2300 de 2023, art. 3)",
    )


async def test_a_message_to_somebody_with_the_same_phone_counts(
    desk: "Desk", deliver: "Deliver", daytime: ContactPolicy
) -> None:
    shared = "+13055550166"
    mother = await desk.attempt(await desk.patient(phone=shared))
    son = await desk.attempt(await desk.patient(phone=shared))
    assert await deliver(mother, SMS, at=WEDNESDAY_OPENS, policy=daytime) == Sent()
    later = WEDNESDAY_OPENS + timedelta(hours=2)
    found = await deliver(son, SMS, at=later, policy=daytime)
    assert isinstance(found, Deferred)
    assert found.until == THURSDAY_OPENS


async def test_a_childs_message_goes_to_the_guardian(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox
) -> None:
    guardian = f"{uuid4().hex}@example.com"
    child = await desk.patient(birth_date=date(2019, 1, 1), guardian_email=guardian)
    assert await deliver(await desk.attempt(child), EMAIL) == Sent()
    assert len(sandbox.inbox.to(guardian)) == 1
    assert sandbox.inbox.to(str(child.email)) == []


@pytest.mark.parametrize("said", ["stop", "deceased"])
async def test_a_childs_message_does_not_go_to_a_guardian_who_is_gone_or_said_stop(
    desk: "Desk", deliver: "Deliver", clinic: Clinic, now: datetime, said: str
) -> None:
    status = "deceased" if said == "deceased" else "active"
    guardian = await desk.patient(external_id="G-1", phone="+13055550111", status=status)
    if said == "stop":
        async with clinic.database.writing() as session:
            key = clinic.key
            await suppression.opt_out(session, guardian.id, source="sms", now=now, key=key)
            row = await session.get_one(Patient, guardian.id)
            row.phone = "+13055550122"  # the next list brings a new number
    child = await desk.patient(
        birth_date=date(2019, 1, 1),
        email=None,
        phone=None,
        guardian_number="G-1",
        guardian_phone="+13055550111",
    )
    attempt = await desk.attempt(child)
    for step in (SMS, CALL):
        assert await deliver(attempt, step) == Skipped(reason=SkipReason.NO_ADDRESS)


async def test_a_landline_gets_no_sms_and_is_called(desk: "Desk", deliver: "Deliver") -> None:
    attempt = await desk.attempt(await desk.patient(phone_kind="landline"))
    assert await deliver(attempt, SMS) == Skipped(
        reason=SkipReason.BAD_ADDRESS, rule="a landline takes no text messages"
    )
    assert await deliver(attempt, CALL) == Sent()


async def test_a_channel_that_the_patient_refused_is_skipped_and_another_is_not(
    desk: "Desk", deliver: "Deliver", clinic: Clinic, sandbox: Sandbox, now: datetime
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    async with clinic.database.writing() as session:
        await consent.record(
            session,
            patient.id,
            channel="email",
            content="reminder",
            given=False,
            source="paper form",
            at=now,
        )
    assert await deliver(attempt, EMAIL) == Skipped(
        reason=SkipReason.NO_CONSENT,
        rule="consent: reminder by email was refused (the patient's wish)",
    )
    await assert_untouched(desk, sandbox, attempt)
    assert await deliver(attempt, SMS) == Sent()


async def test_a_text_that_the_law_finds_too_long_is_not_sent(
    desk: "Desk", deliver: "Deliver", clinic: Clinic, sandbox: Sandbox
) -> None:
    long_name = "Sofía de la Santísima Trinidad" * 5
    attempt = await desk.attempt(await desk.patient(first_name=long_name))
    found = await deliver(attempt, SMS, policy=clinic.folder.policy("us"))
    assert isinstance(found, Skipped)
    assert (found.reason, "over 160 characters" in found.rule) == (SkipReason.TOO_LONG, True)
    await assert_untouched(desk, sandbox, attempt)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param(
            {"erased_at": datetime(2027, 3, 1, tzinfo=UTC)}, SkipReason.ERASED, id="forgotten"
        ),
        pytest.param({"duplicate_of": True}, SkipReason.POSSIBLE_DUPLICATE, id="the same person"),
    ],
)
async def test_a_row_that_counts_no_more_is_not_written_to(
    desk: "Desk",
    deliver: "Deliver",
    sandbox: Sandbox,
    fields: dict[str, object],
    reason: SkipReason,
) -> None:
    if "duplicate_of" in fields:
        fields = {"duplicate_of": (await desk.patient()).id}
    attempt = await desk.attempt(await desk.patient(**fields))
    assert await deliver(attempt, EMAIL) == Skipped(reason=reason)
    await assert_untouched(desk, sandbox, attempt)


async def test_the_card_gets_the_latest_word_on_a_step_that_was_not_delivered(
    desk: "Desk", deliver: "Deliver", attempt: Attempt, daytime: ContactPolicy
) -> None:
    await deliver(attempt, EMAIL, at=EVENING, policy=daytime)
    [note] = await desk.all(StepNote)
    assert (note.attempt_id, note.step, note.at) == (attempt.id, EMAIL, EVENING)
    assert (note.result, note.reason) == ("deferred", "")
    assert (note.rule, note.until) == (CLOSED.rule, CLOSED.until)
    patient = await desk.patient_of(attempt)
    await desk.change(patient, email=None)
    await deliver(attempt, EMAIL, at=WEDNESDAY_OPENS, policy=daytime)
    [note] = await desk.all(StepNote)
    assert (note.at, note.result) == (WEDNESDAY_OPENS, "skipped")
    assert (note.reason, note.rule, note.until) == ("no_address", "", None)


async def test_what_was_sent_needs_no_note(
    desk: "Desk", deliver: "Deliver", attempt: Attempt
) -> None:
    assert await deliver(attempt, EMAIL) == Sent()
    assert await desk.all(StepNote) == []


async def test_a_paused_campaign_holds_the_attempt_until_it_resumes(
    desk: "Desk",
    deliver: "Deliver",
    sandbox: Sandbox,
    clinic: Clinic,
    now: datetime,
) -> None:
    campaign = await desk.campaign(name="spring")
    attempt = await desk.attempt(campaign=campaign)
    async with clinic.database.writing() as session:
        await campaigns.pause(session, "spring", now=now, key=clinic.key)
    assert await deliver(attempt, EMAIL) == Deferred(until=None, rule="the campaign is paused")
    assert (await desk.again(attempt)).held is True
    await assert_untouched(desk, sandbox, attempt)
    async with clinic.database.writing() as session:
        await campaigns.resume(session, "spring", now=now, key=clinic.key)
    told = [event.kind for event in await desk.all(Event) if event.attempt_id == attempt.id]
    assert told == [EventKind.RESUMED.value]
    assert await deliver(attempt, EMAIL) == Sent()
    assert (await desk.again(attempt)).held is False


@pytest.mark.parametrize("kind", [EventKind.REPLY, EventKind.STOPPED], ids=str)
async def test_after_an_answer_nothing_is_sent_even_before_the_attempt_hears_of_it(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, attempt: Attempt, kind: EventKind
) -> None:
    await desk.event(kind, attempt_id=attempt.id)
    assert await deliver(attempt, EMAIL) == Deferred(
        until=None, rule="an answer is on its way to this attempt"
    )
    await assert_untouched(desk, sandbox, attempt)


@pytest.mark.parametrize("kind", [EventKind.BOUNCED, EventKind.UNKNOWN], ids=str)
async def test_what_is_no_answer_does_not_stop_the_next_step(
    desk: "Desk", deliver: "Deliver", attempt: Attempt, kind: EventKind
) -> None:
    await desk.event(kind, attempt_id=attempt.id)
    assert await deliver(attempt, EMAIL) == Sent()


async def test_an_answer_to_another_patients_attempt_stops_nothing_here(
    desk: "Desk", deliver: "Deliver", attempt: Attempt
) -> None:
    await desk.event(EventKind.REPLY, attempt_id=(await desk.attempt()).id)
    assert await deliver(attempt, EMAIL) == Sent()


@pytest.mark.parametrize(
    ("patient", "step", "reason"),
    [
        pytest.param({"email": None}, EMAIL, SkipReason.NO_ADDRESS, id="no email"),
        pytest.param({"phone": None}, SMS, SkipReason.NO_ADDRESS, id="no phone for an SMS"),
        pytest.param({"phone": None}, CALL, SkipReason.NO_ADDRESS, id="no phone for a call"),
        pytest.param({"email_bad": 1}, EMAIL, SkipReason.BAD_ADDRESS, id="email bounced before"),
        pytest.param({"phone_bad": 1}, SMS, SkipReason.BAD_ADDRESS, id="not the patient's number"),
        pytest.param({"opted_out": 1}, EMAIL, SkipReason.OPTED_OUT, id="opted out"),
        pytest.param({"opted_out": 1}, CALL, SkipReason.OPTED_OUT, id="opted out of calls too"),
        pytest.param({"status": "deceased"}, EMAIL, SkipReason.DECEASED, id="deceased"),
        pytest.param({"status": "deceased"}, CALL, SkipReason.DECEASED, id="deceased: no call"),
        pytest.param({"status": "moved"}, EMAIL, SkipReason.MOVED, id="moved"),
        pytest.param({"status": "inactive"}, EMAIL, SkipReason.INACTIVE, id="left the clinic"),
    ],
)
async def test_a_patient_who_may_not_be_contacted(
    desk: "Desk",
    deliver: "Deliver",
    sandbox: Sandbox,
    now: datetime,
    patient: dict[str, object],
    step: int,
    reason: SkipReason,
) -> None:
    since = ("email_bad", "phone_bad", "opted_out")
    fields = {f"{k}_at" if k in since else k: now if k in since else v for k, v in patient.items()}
    attempt = await desk.attempt(await desk.patient(**fields))
    assert await deliver(attempt, step) == Skipped(reason=reason)
    await assert_untouched(desk, sandbox, attempt)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(timedelta(days=5), Skipped(reason=SkipReason.ALREADY_BOOKED), id="booked"),
        pytest.param(timedelta(days=-5), Sent(), id="an appointment that has been"),
    ],
)
async def test_an_appointment_in_the_book(
    desk: "Desk",
    deliver: "Deliver",
    clinic: Clinic,
    now: datetime,
    after: timedelta,
    expected: object,
) -> None:
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    async with clinic.database.writing() as session:
        session.add(Appointment(patient_id=patient.id, at=now + after, source="test"))
    assert await deliver(attempt, EMAIL) == expected


async def test_a_suppressed_address_is_not_written_to_and_the_other_one_is(
    desk: "Desk", deliver: "Deliver", clinic: Clinic, now: datetime
) -> None:
    # as after the erasure of somebody with the same address
    patient = await desk.patient()
    attempt = await desk.attempt(patient)
    hashed = address_hash(clinic.key, str(patient.email))
    async with clinic.database.writing() as session:
        session.add(Suppression(address_hash=hashed, since=now, source="test"))
    assert await deliver(attempt, EMAIL) == Skipped(reason=SkipReason.SUPPRESSED)
    assert await deliver(attempt, SMS) == Sent()


@pytest.mark.parametrize(
    "state",
    [AttemptState.ENDED, AttemptState.LEFT_OUT, AttemptState.PLANNED],
    ids=str,
)
async def test_an_attempt_that_is_not_open_delivers_nothing(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, attempt: Attempt, state: AttemptState
) -> None:
    await desk.change(attempt, state=state.value)
    assert await deliver(attempt, EMAIL) == Skipped(reason=SkipReason.ATTEMPT_OVER)
    await assert_untouched(desk, sandbox, attempt)


@pytest.mark.parametrize(
    ("ends_after", "expected"),
    [
        pytest.param(-timedelta(seconds=1), Skipped(reason=SkipReason.CAMPAIGN_OVER), id="over"),
        pytest.param(timedelta(0), Sent(), id="at its very end"),
    ],
)
async def test_a_campaigns_end_date(
    desk: "Desk", deliver: "Deliver", now: datetime, ends_after: timedelta, expected: object
) -> None:
    attempt = await desk.attempt(campaign=await desk.campaign(until=now + ends_after))
    assert await deliver(attempt, EMAIL) == expected


async def test_a_channel_that_is_not_in_use_holds_the_attempt_until_it_is(
    desk: "Desk",
    deliver: "Deliver",
    sandbox: Sandbox,
    channels: Mapping[str, Channel],
    attempt: Attempt,
) -> None:
    assert isinstance(channels, dict)
    sms = channels.pop("sms")
    with pytest.raises(ApplicationError, match="REGRESA_CHANNELS") as raised:
        await deliver(attempt, SMS)
    assert (raised.value.type, raised.value.non_retryable) == ("Misconfigured", False)
    assert raised.value.next_retry_delay == timedelta(minutes=1)
    await assert_untouched(desk, sandbox, attempt)
    assert await deliver(attempt, SMS, sms=sms) == Sent()
    await sms.close()
