"""People who share an address get one message, and nobody in the house gets a second one."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.deliveries import CARRIER_SETTLES
from activities.delivery_errors import CLAIM_SETTLES
from channels import errors
from channels.protocol import Receipt
from clinic import inbox, ledger
from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.contact_policy import ContactPolicy
from clinic.contact_policy.rules import LengthRule
from clinic.delivery import Deferred, Delivery, Failed, FailReason, Sent
from clinic.event import EventKind
from clinic.folder import ClinicFolder
from clinic.register import household, suppression
from clinic.tables import Attempt, CallTask, Message, Patient
from sandbox.stand_ins import Sandbox
from tests.activities.conftest import contents_of

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk, StartPage, Told, ToldChannel

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

EMAIL, SMS, CALL = range(3)
SMS_STEP = {"channel": "sms", "template": "come-back", "wait": "4 days"}
CALL_STEP = {"channel": "call", "template": "come-back", "wait": "2 days"}
PHONE = "+13055550123"
MINUTE = timedelta(minutes=1)
SECONDS_TO_SEND = 0.2
"""Long enough for everybody else to come in between."""

UNCERTAIN = Failed(reason=FailReason.UNCERTAIN)


@pytest.fixture
async def ana_and_eva(desk: "Desk") -> tuple[Attempt, Attempt]:
    """The attempts of two who share a number, in a campaign whose first step is an SMS."""
    campaign = await desk.campaign(SMS_STEP, CALL_STEP)
    attempts = [
        await desk.attempt(
            await desk.patient(external_id=f"A-{number}", first_name=name, phone=PHONE), campaign
        )
        for number, name in enumerate(("Ana", "Eva"))
    ]
    return attempts[0], attempts[1]


async def _row(desk: "Desk", attempt: Attempt, step: int = 0) -> Message:
    row = await desk.ledger_row(attempt, step)
    assert row is not None
    return row


async def test_one_sms_names_both_and_each_keeps_a_row(
    desk: "Desk",
    deliver: "Deliver",
    sandbox: Sandbox,
    ana_and_eva: tuple[Attempt, Attempt],
    now: datetime,
) -> None:
    ana, eva = ana_and_eva
    before = len(sandbox.twilio.to(PHONE))
    assert await deliver(eva, 0) == Sent()
    assert await deliver(ana, 0, at=now + MINUTE) == Sent()
    (taken,) = sandbox.twilio.to(PHONE)[before:]
    assert "Ana y Eva" in taken.body
    own, carried = await _row(desk, eva), await _row(desk, ana)
    assert (own.carried_by, carried.carried_by) == (None, eva.id)
    assert {(row.sent_at, row.provider_id) for row in (own, carried)} == {(now, taken.sid)}


async def test_one_email_names_both(desk: "Desk", deliver: "Deliver", sandbox: Sandbox) -> None:
    campaign = await desk.campaign()
    address = f"{campaign.id}@example.com"
    ana, eva = [
        await desk.attempt(await desk.patient(first_name=name, email=address), campaign)
        for name in ("Ana", "Eva")
    ]
    assert await deliver(ana, EMAIL) == Sent()
    assert await deliver(eva, EMAIL) == Sent()
    (received,) = sandbox.inbox.to(address)
    assert "Estimada familia" in received.text
    assert "a Ana y Eva" in received.text


async def test_who_has_not_begun_is_named_begins_and_is_started_by_the_next_page(
    desk: "Desk", deliver: "Deliver", told: "Told", start_page: "StartPage"
) -> None:
    campaign = await desk.campaign(SMS_STEP)
    carrier = await desk.attempt(await desk.patient(phone=PHONE), campaign)
    planned = await desk.planned(campaign, phone=PHONE, first_name="Eva")
    channel = told(Receipt(provider_id="SM1"))
    await deliver(carrier, 0, sms=channel)
    assert "Eva" in channel.sent[0].text
    assert (await desk.again(planned)).state == AttemptState.OPEN.value
    page = await start_page(campaign)
    assert (page.started, page.left_out) == (1, 0)
    assert await deliver(planned, 0, sms=channel) == Sent()
    assert len(channel.sent) == 1


@ONE_KIND
async def test_each_is_called_on_their_own_task(
    desk: "Desk", deliver: "Deliver", told: "Told", ana_and_eva: tuple[Attempt, Attempt]
) -> None:
    await deliver(ana_and_eva[0], 0, sms=told(Receipt(provider_id="SM1")))
    for attempt in ana_and_eva:
        assert await deliver(attempt, 1) == Sent()
        assert (await _row(desk, attempt, 1)).carried_by is None
    assert {task.attempt_id for task in await desk.all(CallTask)} == {
        attempt.id for attempt in ana_and_eva
    }


@ONE_KIND
async def test_a_childs_message_speaks_to_whoever_is_responsible(
    desk: "Desk", deliver: "Deliver", told: "Told"
) -> None:
    child = await desk.patient(
        first_name="Alicia",
        birth_date=date(2018, 10, 18),
        phone=None,
        guardian_name="Tatiana",
        guardian_phone=PHONE,
    )
    attempt = await desk.attempt(child, await desk.campaign(SMS_STEP))
    channel = told(Receipt(provider_id="SM1"))
    await deliver(attempt, 0, sms=channel)
    (message,) = channel.sent
    assert message.to == PHONE
    assert "Esperamos a Alicia: " in message.text


class CrashError(BaseException):
    """The worker died."""


class Dying:
    """Lets the worker die once: before the provider is asked, or after it took the message."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch

    def before_sending(self, channel: "ToldChannel") -> None:
        send = channel.send

        async def die(*_: object) -> Receipt:
            self._patch.setattr(channel, "send", send)
            raise CrashError

        self._patch.setattr(channel, "send", die)

    def before_recording(self) -> None:
        record = ledger.record_sent

        async def die(*_: object, **__: object) -> None:
            self._patch.setattr(ledger, "record_sent", record)
            raise CrashError

        self._patch.setattr(ledger, "record_sent", die)


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Dying:
    return Dying(monkeypatch)


async def test_a_worker_that_dies_before_sending_sends_once_to_both_in_the_end(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    ana_and_eva: tuple[Attempt, Attempt],
    dying: Dying,
    now: datetime,
) -> None:
    ana, eva = ana_and_eva
    channel = told(Receipt(provider_id="SM1"))
    dying.before_sending(channel)
    with pytest.raises(CrashError):
        await deliver(ana, 0, sms=channel)
    assert await deliver(eva, 0, sms=channel) == _on_its_way(now + timedelta(seconds=2))
    assert await deliver(ana, 0, sms=channel) == Sent()
    assert await deliver(eva, 0, sms=channel) == Sent()
    (message,) = channel.sent
    assert "Ana y Eva" in message.text
    assert message.attempt_id == ana.id
    assert (await _row(desk, eva)).carried_by == ana.id


async def test_a_worker_that_dies_before_recording_is_followed_by_no_second_sms(
    desk: "Desk",
    deliver: "Deliver",
    sandbox: Sandbox,
    ana_and_eva: tuple[Attempt, Attempt],
    dying: Dying,
) -> None:
    ana, eva = ana_and_eva
    before = len(sandbox.twilio.to(PHONE))
    at = datetime.now(UTC)  # the provider's own clock decides what it finds
    dying.before_recording()
    with pytest.raises(CrashError):
        await deliver(ana, 0, at=at)
    # it asks again after as long as it has waited so far
    asked = await deliver(eva, 0, at=at + CLAIM_SETTLES)
    assert asked == _on_its_way(at + 2 * CLAIM_SETTLES)
    assert await deliver(ana, 0, at=at + MINUTE) == Sent()
    assert await deliver(eva, 0, at=at + MINUTE) == Sent()
    (taken,) = sandbox.twilio.to(PHONE)[before:]
    assert {(await _row(desk, one)).provider_id for one in ana_and_eva} == {taken.sid}


async def test_after_a_crash_an_email_to_both_goes_out_again_as_the_same_mail(
    desk: "Desk", deliver: "Deliver", sandbox: Sandbox, dying: Dying
) -> None:
    campaign = await desk.campaign()
    address = f"{campaign.id}@example.com"
    ana, eva = [
        await desk.attempt(await desk.patient(first_name=name, email=address), campaign)
        for name in ("Ana", "Eva")
    ]
    dying.before_recording()
    with pytest.raises(CrashError):
        await deliver(ana, EMAIL)
    assert await deliver(ana, EMAIL) == Sent()
    assert await deliver(eva, EMAIL) == Sent()
    first, second = sandbox.inbox.to(address)
    assert first.message_id == second.message_id
    assert contents_of(first.message) == contents_of(second.message)
    assert "Ana y Eva" in second.text


async def test_what_was_certainly_not_sent_is_free_for_each(
    desk: "Desk", deliver: "Deliver", told: "Told", ana_and_eva: tuple[Attempt, Attempt]
) -> None:
    ana, eva = ana_and_eva
    channel = told(errors.Transient("busy"), Receipt(provider_id="SM2"))
    with pytest.raises(ApplicationError, match="busy"):
        await deliver(ana, 0, sms=channel)
    assert await desk.all(Message) == []
    assert await deliver(eva, 0, sms=channel) == Sent()
    assert await deliver(ana, 0, sms=channel) == Sent()
    assert len(channel.sent) == 2
    assert (await _row(desk, ana)).carried_by == eva.id


async def test_a_number_that_is_refused_is_bad_for_both(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    ana_and_eva: tuple[Attempt, Attempt],
    now: datetime,
) -> None:
    ana, eva = ana_and_eva
    channel = told(errors.Permanent("30006"))
    refused = Failed(reason=FailReason.REFUSED)
    assert await deliver(ana, 0, sms=channel) == refused
    assert await deliver(eva, 0, sms=channel) == refused
    for attempt in ana_and_eva:
        assert (await desk.patient_of(attempt)).sms_bad_at == now
        assert (await _row(desk, attempt)).failure == "30006"


async def test_a_number_that_said_stop_said_it_for_both(
    desk: "Desk", deliver: "Deliver", told: "Told", ana_and_eva: tuple[Attempt, Attempt]
) -> None:
    ana, eva = ana_and_eva
    channel = told(errors.OptedOut("21610"))
    opted_out = Failed(reason=FailReason.OPTED_OUT)
    assert await deliver(ana, 0, sms=channel) == opted_out
    assert await deliver(eva, 0, sms=channel) == opted_out
    for attempt in ana_and_eva:
        assert (await desk.patient_of(attempt)).opted_out_at is not None


async def test_a_message_that_has_bounced_by_then_is_not_waited_for(
    deliver: "Deliver",
    told: "Told",
    clinic: Clinic,
    ana_and_eva: tuple[Attempt, Attempt],
    now: datetime,
) -> None:
    ana, eva = ana_and_eva
    await deliver(ana, 0, sms=told(Receipt(provider_id="SM1")))
    async with clinic.database.writing() as session:
        await ledger.record_failed(session, attempt_id=ana.id, step=0, failure="30003", now=now)
    assert await deliver(eva, 0) == Failed(reason=FailReason.REFUSED)


@ONE_KIND
@pytest.mark.parametrize("ended", [True, False], ids=["its attempt is over", "long ago"])
async def test_a_carrier_that_settles_nothing_any_more_leaves_it_to_a_person(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    ana_and_eva: tuple[Attempt, Attempt],
    dying: Dying,
    now: datetime,
    ended: bool,  # noqa: FBT001 - a column of the table
) -> None:
    ana, eva = ana_and_eva
    channel = told()
    dying.before_sending(channel)
    with pytest.raises(CrashError):
        await deliver(ana, 0, sms=channel)
    at = now + MINUTE
    if ended:
        await desk.change(ana, state=AttemptState.ENDED.value)
    else:
        at = now + CARRIER_SETTLES + MINUTE
        asked = await deliver(eva, 0, sms=channel, at=now + CARRIER_SETTLES)
        assert asked == _on_its_way(at)
    assert await deliver(eva, 0, sms=channel, at=at) == UNCERTAIN
    assert channel.sent == []


@pytest.mark.usefixtures("clinic_folder")  # which it changes
@ONE_KIND
async def test_a_text_for_both_that_the_policy_finds_too_long_is_not_sent(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    clinic: Clinic,
    ana_and_eva: tuple[Attempt, Attempt],
) -> None:
    file = clinic.folder.path / "templates" / "come-back.yaml"
    text = file.read_text(encoding="utf-8").replace("Esperamos a {{ names }}", "{{ names }}" * 50)
    file.write_text(text, encoding="utf-8")
    rule = LengthRule(
        channel="sms", content="reminder", characters=300, source="a law", since=date(2020, 1, 1)
    )
    policy = clinic.policy.model_copy(update={"length": (rule,)})
    channel = told(Receipt(provider_id="SM1"), Receipt(provider_id="SM2"))
    for attempt in ana_and_eva:
        assert await deliver(attempt, 0, sms=channel, policy=policy) == Sent()
        assert (await _row(desk, attempt)).carried_by is None
    assert [message.attempt_id for message in channel.sent] == [one.id for one in ana_and_eva]


def _on_its_way(until: datetime) -> Deferred:
    return Deferred(until=until, rule="the message to the household is on its way")


async def _until_settled(deliver: "Deliver", attempt: Attempt, **given: Any) -> Delivery:
    """Deliver as Temporal does: again, after a while, until there is an answer."""
    while True:
        try:
            answer = await deliver(attempt, 0, **given)
        except ApplicationError:  # a try of its own, claimed a moment ago
            answer = None
        if answer is not None and not isinstance(answer, Deferred):
            return answer
        await asyncio.sleep(0.02)


async def test_of_a_whole_household_delivering_at_once_one_message_comes(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime
) -> None:
    campaign = await desk.campaign(SMS_STEP)
    family = [
        await desk.attempt(await desk.patient(first_name=name, phone=PHONE), campaign)
        for name in ("Ana", "Eva", "Luis", "Noa")
    ]
    channel = told(*(Receipt(provider_id=f"SM{number}") for number in range(len(family))))
    send = channel.send

    async def slowly(message: Any) -> Receipt:
        await asyncio.sleep(SECONDS_TO_SEND)
        return await send(message)

    channel.send = slowly  # type: ignore[method-assign]
    outcomes = await asyncio.gather(
        *(_until_settled(deliver, attempt, sms=channel, at=now) for attempt in family)
    )
    assert outcomes == [Sent()] * len(family)
    (message,) = channel.sent
    for name in ("Ana", "Eva", "Luis", "Noa"):
        assert name in message.text
    rows = await desk.all(Message)
    assert {row.carried_by for row in rows} == {None, message.attempt_id}
    assert {row.provider_id for row in rows} == {"SM0"}


async def test_households_do_not_wait_for_each_other_for_ever(
    desk: "Desk", deliver: "Deliver", told: "Told", now: datetime
) -> None:
    campaign = await desk.campaign(SMS_STEP)
    phones = [f"+1305555010{number}" for number in range(5)]
    attempts = [
        await desk.attempt(await desk.patient(first_name=name, phone=phone), campaign)
        for name in ("Ana", "Eva", "Luis")
        for phone in phones
    ]
    channel = told(*(Receipt(provider_id=f"SM{number}") for number in range(len(attempts))))
    async with asyncio.timeout(60):
        await asyncio.gather(
            *(_until_settled(deliver, attempt, sms=channel, at=now) for attempt in attempts)
        )
    assert sorted(message.to for message in channel.sent) == phones


@ONE_KIND
async def test_a_forgotten_person_is_not_named_when_it_goes_out_again(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    ana_and_eva: tuple[Attempt, Attempt],
    dying: Dying,
    now: datetime,
) -> None:
    ana, eva = ana_and_eva
    channel = told(Receipt(provider_id="SM1"))
    dying.before_sending(channel)
    with pytest.raises(CrashError):
        await deliver(ana, 0, sms=channel)
    patient: Patient = await desk.patient_of(eva)
    await desk.change(patient, erased_at=now, first_name="")
    assert await deliver(ana, 0, sms=channel) == Sent()
    assert channel.sent[0].text.startswith("Hola, Ana: ")


SIXTEEN = datetime(2027, 3, 2, 16, tzinfo=UTC)
"""Within the hours of the American policy, of which a phone gets one message a day."""


@pytest.fixture
def strict(clinic: Clinic) -> ContactPolicy:
    """A policy with caps; that of the tests has none."""
    return ClinicFolder(clinic.folder.path, "us").policy()


Apart = tuple[tuple[Attempt, int], tuple[Attempt, int]]


@pytest.fixture(params=["in two campaigns", "at two steps of one campaign"])
async def apart(desk: "Desk", request: pytest.FixtureRequest) -> Apart:
    """Two who share a number and get no common message, each with the step they stand at."""
    ana, eva = [await desk.patient(phone=PHONE, first_name=name) for name in ("Ana", "Eva")]
    first = await desk.campaign(SMS_STEP, SMS_STEP)
    if request.param == "in two campaigns":
        second = await desk.campaign(SMS_STEP)
        return (await desk.attempt(ana, first), 0), (await desk.attempt(eva, second), 0)
    above = await desk.attempt(eva, first)
    await desk.message(above, 0, PHONE, sent_at=SIXTEEN - timedelta(days=9), provider_id="SM0")
    return (await desk.attempt(ana, first), 0), (above, 1)


async def test_while_a_message_is_on_its_way_its_phone_gets_no_second_one(
    deliver: "Deliver", told: "Told", apart: Apart, strict: ContactPolicy
) -> None:
    ana, eva = apart
    channel = told(Receipt(provider_id="SM1"), Receipt(provider_id="SM2"))
    send, meanwhile = channel.send, []

    async def slowly(message: Any) -> Receipt:
        meanwhile.append(await deliver(*eva, at=SIXTEEN, policy=strict, sms=channel))
        return await send(message)

    channel.send = slowly  # type: ignore[method-assign]
    assert await deliver(*ana, at=SIXTEEN, policy=strict, sms=channel) == Sent()
    assert [type(each) for each in meanwhile] == [Deferred]
    assert len(channel.sent) == 1


async def test_of_two_deliveries_to_one_phone_at_the_same_moment_one_waits_for_another_day(
    deliver: "Deliver", told: "Told", apart: Apart, strict: ContactPolicy
) -> None:
    channel = told(Receipt(provider_id="SM1"), Receipt(provider_id="SM2"))
    send = channel.send

    async def slowly(message: Any) -> Receipt:
        await asyncio.sleep(SECONDS_TO_SEND)
        return await send(message)

    channel.send = slowly  # type: ignore[method-assign]
    outcomes = await asyncio.gather(
        *(deliver(*one, at=SIXTEEN, policy=strict, sms=channel) for one in apart)
    )
    assert {type(each) for each in outcomes} == {Sent, Deferred}
    assert len(channel.sent) == 1


async def test_after_a_crash_the_phone_gets_no_second_message_before_the_first_is_settled(
    deliver: "Deliver", told: "Told", apart: Apart, strict: ContactPolicy, dying: Dying
) -> None:
    ana, eva = apart
    channel = told(Receipt(provider_id="SM1"), found=Receipt(provider_id="SM1"))
    dying.before_recording()
    with pytest.raises(CrashError):
        await deliver(*ana, at=SIXTEEN, policy=strict, sms=channel)
    later = SIXTEEN + timedelta(hours=2)
    assert isinstance(await deliver(*eva, at=later, policy=strict, sms=channel), Deferred)
    # its own claim does not stand in its way
    assert await deliver(*ana, at=later, policy=strict, sms=channel) == Sent()
    assert len(channel.sent) == 1


async def test_whom_a_message_carries_waits_for_it_under_any_policy(
    deliver: "Deliver",
    told: "Told",
    ana_and_eva: tuple[Attempt, Attempt],
    dying: Dying,
    strict: ContactPolicy,
) -> None:
    ana, eva = ana_and_eva
    channel = told(Receipt(provider_id="SM1"))
    dying.before_sending(channel)
    with pytest.raises(CrashError):
        await deliver(ana, 0, at=SIXTEEN, policy=strict, sms=channel)
    asked = await deliver(eva, 0, at=SIXTEEN, policy=strict, sms=channel)
    assert asked == _on_its_way(SIXTEEN + timedelta(seconds=2))
    at = SIXTEEN + MINUTE
    assert await deliver(ana, 0, at=at, policy=strict, sms=channel) == Sent()
    assert await deliver(eva, 0, at=at, policy=strict, sms=channel) == Sent()
    assert "Ana y Eva" in channel.sent[0].text


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_number_and_a_page_that_say_stop_at_once_do_not_wait_for_each_other(
    desk: "Desk",
    deliver: "Deliver",
    told: "Told",
    clinic: Clinic,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaign = await desk.campaign(SMS_STEP)
    # the carrier's row comes last
    ana, eva = [
        await desk.attempt(await desk.patient(id=own, phone=PHONE, email=None), campaign)
        for own in ("pt-9", "pt-1")
    ]
    channel = told(errors.OptedOut("21610"))
    send, suppress, handed_over = channel.send, suppression.opt_out, asyncio.Event()

    async def hand_over(message: Any) -> Receipt:
        handed_over.set()
        return await send(message)

    async def slowly(*given: Any, **also: Any) -> None:
        await suppress(*given, **also)
        await given[0].flush()
        await asyncio.sleep(SECONDS_TO_SEND)

    channel.send = hand_over  # type: ignore[method-assign]
    monkeypatch.setattr(suppression, "opt_out", slowly)

    async def stop_on_the_page() -> None:
        await handed_over.wait()
        said = inbox.Received(
            source="link", source_key="k", kind=EventKind.OPTED_OUT, attempt_id=ana.id
        )
        async with clinic.database.writing() as session:
            for one in await household.for_each(session, said, 0):
                await inbox.store(session, one, now=now, key=clinic.key)

    delivered, _ = await asyncio.gather(deliver(ana, 0, sms=channel), stop_on_the_page())
    assert delivered == Failed(reason=FailReason.OPTED_OUT)
    for attempt in (ana, eva):
        assert (await desk.patient_of(attempt)).opted_out_at is not None
