"""A clinic's desk that writes rows as the product would, and a way to run activities by hand."""

import dataclasses
import socket
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment, WorkflowEnvironment

from activities.campaign_pages import CampaignPages
from activities.deliveries import Deliveries
from channels.protocol import Channel, OutgoingMessage, Receipt
from channels.sms import SmsChannel, SmsSettings
from clinic import inbox, ledger
from clinic.attempt import AttemptState, CampaignInput, DeliverInput, PageResult
from clinic.clinic import Clinic
from clinic.contact_policy import ContactPolicy
from clinic.delivery import Delivery
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.ledger import Claim
from clinic.plan import Plan
from clinic.register.address import address_hash
from clinic.tables import Attempt, Campaign, Event, Message, Patient

Result = TypeVar("Result")
Row = TypeVar("Row")

STEPS = (
    {"channel": "email", "template": "come-back", "wait": "3 days"},
    {"channel": "sms", "template": "come-back", "wait": "4 days"},
    {"channel": "call", "template": "come-back", "wait": "2 days", "tries": 3},
)


async def _run_at(
    now: datetime,
    work: Callable[..., Coroutine[Any, Any, Result]],
    *arguments: object,
    scheduled: datetime | None = None,
    tries: int = 1,
) -> Result:
    """Run an activity's last try, started at a moment, of one that was scheduled at another."""
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, started_time=now, scheduled_time=scheduled or now, attempt=tries
    )
    return await environment.run(work, *arguments)


RunAt = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
def run_at() -> RunAt:
    """Run an activity as one that Temporal started at a moment."""
    return _run_at


@dataclass
class Desk:
    """Writes patients, campaigns and attempts, and reads what became of them."""

    clinic: Clinic
    now: datetime
    numbers: Any = field(default_factory=count)

    async def patient(self, **given: object) -> Patient:
        """Add a patient whom every channel can reach, at addresses that nobody else has."""
        own = uuid4()
        fields: dict[str, object] = {
            "id": new_id("pt"),
            "external_id": f"A-{next(self.numbers)}",
            "first_name": "Sofía",
            "last_name": "Muñoz",
            "language": "es",
            "email": f"p{own.hex[:12]}@example.com",
            "phone": f"+1305{own.int % 10**9:09}",
        }
        return await self._add(Patient(**(fields | given)))

    async def campaign(
        self, *steps: Mapping[str, object], name: str = "", **given: object
    ) -> Campaign:
        plan = Plan.model_validate({"name": "ladder", "steps": steps or STEPS})
        fields: dict[str, object] = {
            "id": new_id("ca"),
            "name": name or f"campaign {next(self.numbers)}",
            "segment": "everybody",
            "plan": plan.model_dump(mode="json"),
            "started_at": self.now,
        }
        return await self._add(Campaign(**(fields | given)))

    async def attempt(
        self,
        patient: Patient | None = None,
        campaign: Campaign | None = None,
        **given: object,
    ) -> Attempt:
        """Add an open attempt; of a new patient in a new campaign where none is given."""
        fields: dict[str, object] = {
            "id": new_id("at"),
            "campaign_id": (campaign or await self.campaign()).id,
            "patient_id": (patient or await self.patient()).id,
            "state": AttemptState.OPEN.value,
            "started_at": self.now,
        }
        return await self._add(Attempt(**(fields | given)))

    async def planned(self, campaign: Campaign, **patient: object) -> Attempt:
        """Add an attempt of a new patient that the campaign has still to start."""
        return await self.attempt(
            await self.patient(**patient),
            campaign,
            state=AttemptState.PLANNED.value,
            started_at=None,
        )

    async def attempt_again(self, patient: Patient) -> Attempt:
        """End the patient's open attempt and add another one."""
        for row in await self.all(Attempt):
            if (row.patient_id, row.state) == (patient.id, AttemptState.OPEN.value):
                await self.change(row, state=AttemptState.ENDED.value, ended_at=self.now)
        return await self.attempt(patient)

    async def message(
        self, attempt: Attempt, step: int, address: str, channel: str = "sms", **given: object
    ) -> None:
        """Claim a step as a try of a minute ago did, and let it end as given."""
        async with self.clinic.database.writing() as session:
            claim, _ = await ledger.claim(
                session,
                attempt_id=attempt.id,
                step=step,
                channel=channel,
                address_hash=address_hash(self.clinic.key, address),
                now=self.now - timedelta(minutes=1),
            )
            assert claim is Claim.FRESH
            row = await session.get_one(Message, (attempt.id, step, 1))
            for name, value in given.items():
                setattr(row, name, value)

    async def event(self, kind: EventKind, **given: object) -> Event:
        """Let something happen, through the inbox as it would."""
        fields: dict[str, object] = {"source": "test", "source_key": uuid4().hex, "kind": kind}
        received = inbox.Received.model_validate(fields | given)
        async with self.clinic.database.writing() as session:
            assert await inbox.store(session, received, now=self.now, key=self.clinic.key)
        events: list[Event] = await self.all(Event)
        return next(event for event in events if event.source_key == received.source_key)

    async def change(self, row: Any, **values: object) -> None:
        async with self.clinic.database.writing() as session:
            found = await session.get_one(type(row), row.id)
            for name, value in values.items():
                setattr(found, name, value)

    async def again(self, row: Any) -> Any:
        """Read a row as it is now."""
        async with self.clinic.database.reading() as session:
            return await session.get_one(type(row), row.id)

    async def patient_of(self, attempt: Attempt) -> Patient:
        async with self.clinic.database.reading() as session:
            return await session.get_one(Patient, attempt.patient_id)

    async def ledger_row(self, attempt: Attempt, step: int) -> Message | None:
        async with self.clinic.database.reading() as session:
            return await session.get(Message, (attempt.id, step, 1))

    async def all(self, table: Any) -> list[Any]:
        async with self.clinic.database.reading() as session:
            return list(await session.scalars(select(table)))

    async def _add(self, row: Row) -> Row:
        async with self.clinic.database.writing() as session:
            session.add(row)
        return row


@pytest.fixture
def desk(clinic: Clinic, now: datetime) -> Desk:
    return Desk(clinic, now)


Deliver = Callable[..., Coroutine[Any, Any, Delivery]]
"""Delivers a step of an attempt; keywords say when, and by which channels and policy."""


@pytest.fixture
def deliver(clinic: Clinic, channels: Mapping[str, Channel], now: datetime) -> Deliver:
    """Deliver a step; each further try of the same step is a minute later than the one before."""
    tries: Counter[tuple[str, int]] = Counter()

    async def run(
        attempt: Attempt,
        step: int,
        *,
        at: datetime | None = None,
        scheduled: datetime | None = None,
        tried: int = 1,
        policy: ContactPolicy | None = None,
        **instead: Channel,
    ) -> Delivery:
        deliveries = Deliveries(
            database=clinic.database,
            folder=clinic.folder,
            policy=policy or clinic.policy,
            channels={**channels, **instead},
            links=clinic.links,
            key=clinic.key,
            public_url=clinic.settings.public_url,
        )
        request = DeliverInput(attempt_id=attempt.id, step=step)
        at = at or now + tries[attempt.id, step] * timedelta(minutes=1)
        tries[attempt.id, step] += 1
        return await _run_at(at, deliveries.deliver, request, scheduled=scheduled, tries=tried)

    return run


def contents_of(mail: EmailMessage) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return a mail's headers and parts; what stands between the parts is chosen anew each time."""
    headers = {name: str(value) for name, value in mail.items() if name != "Content-Type"}
    parts = [part for part in mail.walk() if not part.is_multipart()]
    return headers, [(part.get_content_type(), str(part.get_content())) for part in parts]


@pytest.fixture
def unused_port() -> Iterator[int]:
    """A port where nobody listens; it is held, so that nobody begins to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


class ToldChannel(SmsChannel):
    """The SMS channel with a provider that does as it is told, and what that was asked.

    Attributes:
        answers: What sending raises or returns, one after the other.
        found: What asking about a message raises or returns.
    """

    def __init__(
        self,
        settings: SmsSettings,
        answers: list[Exception | Receipt],
        found: Exception | Receipt | None,
    ) -> None:
        super().__init__(settings)
        self.answers, self.found = answers, found
        self.sent: list[OutgoingMessage] = []
        self.asked: list[OutgoingMessage] = []

    async def send(self, message: OutgoingMessage) -> Receipt:
        self.sent.append(message)
        return _outcome(self.answers.pop(0))

    async def reconcile(self, message: OutgoingMessage) -> Receipt | None:
        self.asked.append(message)
        return None if self.found is None else _outcome(self.found)


def _outcome(told: Exception | Receipt) -> Receipt:
    if isinstance(told, Exception):
        raise told
    return told


Told = Callable[..., ToldChannel]


@pytest.fixture
def told(sms_settings: Callable[..., SmsSettings]) -> Told:
    def make(
        *answers: Exception | Receipt, found: Exception | Receipt | None = None
    ) -> ToldChannel:
        return ToldChannel(sms_settings(), list(answers), found)

    return make


StartPage = Callable[..., Coroutine[Any, Any, PageResult]]


@pytest.fixture
def start_page(
    clinic: Clinic,
    channels: Mapping[str, Channel],
    temporal: WorkflowEnvironment,
    run_at: RunAt,
    now: datetime,
) -> StartPage:
    """Run a campaign's next page; nobody listens on its task queue, so attempts stay at hand."""
    task_queue = f"test-{uuid4().hex}"

    async def start(
        campaign: Campaign, at: datetime = now, policy: ContactPolicy | None = None
    ) -> PageResult:
        pages = CampaignPages(
            client=temporal.client,
            database=clinic.database,
            folder=clinic.folder,
            policy=policy or clinic.policy,
            channels=channels,
            key=clinic.key,
            task_queue=task_queue,
        )
        result: PageResult = await run_at(
            at, pages.start_page, CampaignInput(campaign_id=campaign.id)
        )
        return result

    return start
