"""People who share an address: who they are, and whom one message may name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from channels.call import CallChannel
from channels.email import EmailChannel
from channels.sms import SmsChannel
from clinic import ledger
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.contact_policy import ContactPolicy
from clinic.delivery import Deferred, Delivery, Failed, FailReason
from clinic.delivery_check import StepContent
from clinic.event import EventKind
from clinic.folder import ClinicFolder
from clinic.inbox import Received
from clinic.register import household
from clinic.register.address import address_hash
from clinic.register.neighbour import EARLY_AT_MOST, Rules, Rung
from clinic.register.suppression import suppress
from clinic.step_notes import note_down
from clinic.tables import Attempt, CallTask, Campaign, Message, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

PHONE = "+13055550123"
EMAIL, SMS = 0, 1
EMAIL_WAIT = timedelta(days=3)
CHILD = date(2018, 10, 18)
HOUR = timedelta(hours=1)


@dataclass
class Home:
    """A campaign whose one patient is about to be written to, and who lives with them."""

    rows: "Rows"
    campaign: Campaign
    carrier: Attempt

    async def neighbour(
        self, *, attempt: Mapping[str, object] | None = None, **given: Any
    ) -> Attempt:
        """Add another attempt of the campaign, of a patient at the same number unless given."""
        patient = await self.rows.patient(**({"phone": PHONE} | given))
        return await self.rows.attempt(patient, self.campaign, **dict(attempt or {}))

    async def sharing(self) -> Sequence[str]:
        async with self.rows.clinic.database.writing() as session:
            return await household.sharing(session, self.carrier, PHONE)

    async def joining(
        self, step: int = SMS, policy: ContactPolicy | None = None, now: datetime | None = None
    ) -> list[str]:
        """Ask whom the carrier's message of a step is to name as well."""
        clinic = self.rows.clinic
        rules = Rules(
            policy=policy or clinic.policy,
            calendar=clinic.calendar,
            address_of={
                "email": EmailChannel.address_of,
                "sms": SmsChannel.address_of,
                "call": CallChannel.address_of,
            },
            key=clinic.key,
        )
        plan = clinic.folder.plan("standard", ["email", "sms", "call"])
        contents = [StepContent(kind="reminder") for _ in plan.steps]
        rung = Rung(plan, step, contents, self.hashed)
        async with clinic.database.writing() as session:
            shared = await household.sharing(session, self.carrier, PHONE)
            return await household.joining(session, shared, rung, rules, now or self.rows.now)

    async def message(self, attempt: Attempt, step: int, **given: object) -> None:
        fields: dict[str, object] = {
            "channel": ("email", "sms", "call")[step],
            "address_hash": self.hashed,
            "claimed_at": self.rows.now - EMAIL_WAIT,
        }
        await self.rows.add(Message(attempt_id=attempt.id, step=step, **(fields | given)))

    @property
    def hashed(self) -> str:
        return address_hash(self.rows.clinic.key, PHONE)


@pytest.fixture
async def home(rows: "Rows") -> Home:
    campaign = await rows.campaign()
    patient = await rows.patient(external_id="A-1", first_name="Ana", phone=PHONE)
    return Home(rows, campaign, await rows.attempt(patient, campaign))


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="the same number"),
        pytest.param(
            {"phone": None, "birth_date": CHILD, "guardian_phone": PHONE}, id="the guardian's"
        ),
        pytest.param(
            {"phone": None, "birth_date": CHILD, "guardian_number": "A-1"},
            id="that of the guardian's own row",
        ),
    ],
)
async def test_who_is_reached_at_the_same_address_is_found(
    home: Home, given: dict[str, Any]
) -> None:
    other = await home.neighbour(**given)
    assert [other.id] == await home.sharing()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"phone": "+13055550124"}, id="another number"),
        pytest.param({"phone": None, "other_phone": PHONE}, id="a number nobody writes to"),
        pytest.param({"attempt": {"state": "ended"}}, id="an attempt that has ended"),
        pytest.param({"attempt": {"state": "left_out"}}, id="somebody left out"),
    ],
)
async def test_who_is_not_reached_there_is_not_found(home: Home, given: dict[str, Any]) -> None:
    await home.neighbour(**given)
    assert await home.sharing() == []


@ONE_KIND
async def test_another_campaign_is_another_matter(home: Home, rows: "Rows") -> None:
    await rows.attempt(await rows.patient(phone=PHONE))
    assert await home.sharing() == []


async def test_who_stands_at_the_same_step_is_named_too(home: Home) -> None:
    other = await home.neighbour()
    await home.message(other, EMAIL, sent_at=home.rows.now - EMAIL_WAIT)
    assert [other.id] == await home.joining()


async def test_who_has_not_begun_begins_with_this_message(home: Home) -> None:
    planned = {"state": AttemptState.PLANNED.value, "started_at": None}
    other = await home.neighbour(email=None, attempt=planned)
    assert [other.id] == await home.joining()
    row = await home.rows.get(Attempt, other.id)
    assert (AttemptState.OPEN.value, None) == (row.state, row.started_at)


@ONE_KIND
@pytest.mark.parametrize(
    ("row", "joins"),
    [
        pytest.param({"sent": EMAIL_WAIT}, True, id="its wait is just over"),
        pytest.param({"sent": EMAIL_WAIT - EARLY_AT_MOST}, True, id="its wait is over in a day"),
        pytest.param({"sent": EMAIL_WAIT - EARLY_AT_MOST - HOUR}, False, id="it waits longer"),
        pytest.param({}, False, id="nobody knows yet whether it was sent"),
        pytest.param({"failed": HOUR}, True, id="it was refused"),
        pytest.param({"sent": 2 * HOUR, "failed": HOUR}, True, id="it bounced"),
    ],
)
async def test_the_step_below_has_to_be_over_or_nearly_so(
    home: Home,
    row: dict[str, timedelta],
    joins: bool,  # noqa: FBT001 - a column of the table
) -> None:
    other = await home.neighbour()
    given = {f"{name}_at": home.rows.now - ago for name, ago in row.items()}
    await home.message(other, EMAIL, **given)
    assert joins == bool(await home.joining())


@ONE_KIND
@pytest.mark.parametrize(
    ("email", "noted", "joins"),
    [
        pytest.param("a@example.com", None, False, id="an email is still to be sent"),
        pytest.param(None, None, True, id="there is no email address"),
        pytest.param(
            "a@example.com", Failed(reason=FailReason.UNAVAILABLE), True, id="it was given up"
        ),
        pytest.param(
            "a@example.com", Deferred(until=None, rule="a rule"), False, id="it is put off"
        ),
    ],
)
async def test_a_step_below_that_was_never_sent_counts_only_where_it_never_will_be(
    home: Home,
    email: str | None,
    noted: Delivery | None,
    joins: bool,  # noqa: FBT001 - a column of the table
) -> None:
    other = await home.neighbour(email=email)
    if noted is not None:
        async with home.rows.clinic.database.writing() as session:
            await note_down(session, other.id, EMAIL, noted, home.rows.now)
    assert joins == bool(await home.joining())


@pytest.mark.usefixtures("clinic_folder")  # which it changes
@ONE_KIND
async def test_waits_of_seconds_are_not_early_by_a_day(home: Home) -> None:
    other = await home.neighbour()
    seconds = {"channel": "email", "template": "come-back", "wait": "8 seconds"}
    await home.message(other, EMAIL, sent_at=home.rows.now - timedelta(seconds=3))
    demo = home.rows.clinic.folder.path / "plans" / "standard.yaml"
    demo.write_text(f"steps: [{seconds}, {seconds | {'channel': 'sms'}}]", encoding="utf-8")
    assert await home.joining() == []
    assert [other.id] == await home.joining(now=home.rows.now + timedelta(seconds=1))


@ONE_KIND
@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"status": "deceased"}, id="deceased"),
        pytest.param({"opted_out_at": datetime.fromisoformat("2027-01-01T00:00Z")}, id="opted out"),
        pytest.param({"sms_bad_at": datetime.fromisoformat("2027-01-01T00:00Z")}, id="no SMS"),
        pytest.param({"attempt": {"held": True}}, id="held"),
        pytest.param(
            {"guardian_number": "A-1", "phone": "+13055550124"},
            id="of age, a number of their own",
        ),
    ],
)
async def test_who_may_not_be_written_to_there_is_not_named(
    home: Home, given: dict[str, Any]
) -> None:
    await home.neighbour(email=None, **given)
    assert await home.joining() == []


@ONE_KIND
async def test_who_has_the_step_in_the_ledger_is_not_named_again(home: Home) -> None:
    other = await home.neighbour(email=None)
    await home.message(other, SMS)
    assert await home.joining() == []


@ONE_KIND
async def test_who_has_answered_is_not_named(home: Home) -> None:
    other = await home.neighbour(email=None)
    await home.rows.store(EventKind.REPLY, attempt_id=other.id, body="Sí")
    assert await home.joining() == []


@ONE_KIND
async def test_whom_a_person_is_to_call_is_not_named(home: Home, staff: "Staff") -> None:
    other = await home.neighbour(email=None)
    await staff.task(other, TaskKind.CHECK)
    assert await home.joining() == []


@ONE_KIND
async def test_who_would_never_be_started_is_not_begun(home: Home) -> None:
    planned = {"state": AttemptState.PLANNED.value, "started_at": None}
    other = await home.neighbour(email=None, attempt=planned)
    patient = await home.rows.get(Patient, other.patient_id)
    at = home.rows.now - timedelta(days=20)
    # in another campaign: they are left alone now
    await home.rows.attempt(patient, state=AttemptState.ENDED.value, ended_at=at)
    daytime = ClinicFolder(home.rows.clinic.folder.path, "daytime").policy()
    assert await home.joining(policy=daytime) == []
    assert AttemptState.PLANNED.value == (await home.rows.get(Attempt, other.id)).state


@pytest.mark.usefixtures("clinic_folder")  # which it changes
@ONE_KIND
async def test_the_policy_binds_for_each_whom_a_message_names(home: Home) -> None:
    other = await home.neighbour()
    elsewhere = address_hash(home.rows.clinic.key, "a@example.com")
    sent_at = home.rows.now - HOUR
    await home.message(other, EMAIL, address_hash=elsewhere, sent_at=sent_at, failed_at=None)
    daytime = ClinicFolder(home.rows.clinic.folder.path, "daytime").policy()
    later = home.rows.now + 2 * HOUR  # the same day, the wait is nearly over
    plan = home.rows.clinic.folder.path / "plans" / "standard.yaml"
    plan.write_text(
        "steps: [{channel: email, template: come-back, wait: 3 hours}, "
        "{channel: sms, template: come-back, wait: 3 hours}]",
        encoding="utf-8",
    )
    assert [other.id] == await home.joining(now=later)
    assert await home.joining(policy=daytime, now=later) == []


@ONE_KIND
async def test_a_suppressed_address_names_nobody(home: Home) -> None:
    await home.neighbour(email=None)
    clinic = home.rows.clinic
    async with clinic.database.writing() as session:
        await suppress(session, PHONE, source="test", now=home.rows.now, key=clinic.key)
    assert await home.joining() == []


async def _carry(home: Home, *others: Attempt) -> Message:
    async with home.rows.clinic.database.writing() as session:
        _, row = await ledger.claim(
            session,
            attempt_id=home.carrier.id,
            step=SMS,
            channel="sms",
            address_hash=home.hashed,
            now=home.rows.now,
        )
        await ledger.carry(session, row, [other.id for other in others])
    return row


async def test_a_message_names_the_living_by_the_clinics_numbers(home: Home) -> None:
    others = [
        await home.neighbour(external_id=f"A-{number}", first_name=name)
        for number, name in ((4, "Luis"), (2, "Eva"), (3, "Iván"))
    ]
    await _carry(home, *others)
    late = await home.rows.get(Patient, others[2].patient_id)
    async with home.rows.clinic.database.writing() as session:
        (await session.get_one(Patient, late.id)).status = "deceased"
    async with home.rows.clinic.database.reading() as session:
        names = await household.names_on(session, home.carrier.id, SMS)
        assert await household.names_on(session, home.carrier.id, EMAIL) == []
    assert names == ["Ana", "Eva", "Luis"]


@ONE_KIND
async def test_what_happens_to_a_message_concerns_each_whom_it_names(home: Home) -> None:
    other = await home.neighbour()
    await _carry(home, other)
    received = Received(
        source="link", source_key="k", kind=EventKind.OPTED_OUT, attempt_id=home.carrier.id
    )
    async with home.rows.clinic.database.reading() as session:
        found = await household.for_each(session, received, SMS)
        assert [received] == await household.for_each(session, received, EMAIL)
        nobodys = received.model_copy(update={"attempt_id": None})
        assert [nobodys] == await household.for_each(session, nobodys, SMS)
    by_patient = {home.carrier.patient_id: received} | {
        other.patient_id: received.model_copy(
            update={
                "source_key": f"k.{other.id}",
                "attempt_id": other.id,
                "patient_id": other.patient_id,
            }
        )
    }
    # in one order, whosever message it was
    assert found == [by_patient[patient_id] for patient_id in sorted(by_patient)]


LONGEST = timedelta(days=2)


async def _is_lost(home: Home, other: Attempt, now: datetime) -> bool:
    async with home.rows.clinic.database.reading() as session:
        row = await session.get_one(Message, (other.id, SMS, 1))
        return await household.is_lost(session, row, LONGEST, now)


@ONE_KIND
async def test_a_carrier_settles_its_message_while_it_is_tried(home: Home) -> None:
    other = await home.neighbour()
    await _carry(home, other)
    assert not await _is_lost(home, other, home.rows.now + LONGEST)
    assert await _is_lost(home, other, home.rows.now + LONGEST + HOUR)


@ONE_KIND
async def test_a_carrier_that_has_ended_settles_nothing(home: Home) -> None:
    other = await home.neighbour()
    await _carry(home, other)
    async with home.rows.clinic.database.writing() as session:
        carrier = await session.get_one(Attempt, home.carrier.id)
        carrier.state = AttemptState.ENDED.value
    assert await _is_lost(home, other, home.rows.now)


@ONE_KIND
async def test_a_carrier_whom_a_person_looks_at_settles_nothing(home: Home, staff: "Staff") -> None:
    other = await home.neighbour()
    before = await staff.task(home.carrier, now=home.rows.now - HOUR)
    async with home.rows.clinic.database.writing() as session:
        (await session.get_one(CallTask, before.id)).closed_at = home.rows.now - HOUR
    await _carry(home, other)
    assert not await _is_lost(home, other, home.rows.now)
    await staff.task(home.carrier, TaskKind.CHECK, step=SMS)
    assert await _is_lost(home, other, home.rows.now)
