"""An invented clinic's rows: what a test of the clinic's rules starts from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from sqlalchemy import inspect, select

from clinic import call_claim, call_completion, call_list, call_opening, campaigns, inbox
from clinic.attempt import AttemptState
from clinic.call_task import Reported, TaskKind
from clinic.clinic import Clinic
from clinic.event import CallOutcome, EventKind
from clinic.plan import Plan
from clinic.register.vocabulary import WordKind, spell
from clinic.segments.sql import members
from clinic.tables import Appointment, Attempt, CallTask, Campaign, Event, Patient, Table, Visit
from clinic.yaml_document import Document

EMAIL = {"channel": "email", "template": "come-back", "wait": "3 days"}
SMS = {"channel": "sms", "template": "come-back", "wait": "4 days"}
CALL = {"channel": "call", "template": "come-back", "wait": "2 days", "tries": 3}
PLAN = Plan.model_validate({"name": "standard", "steps": [EMAIL, SMS, CALL]})
Row = TypeVar("Row", bound=Table)


@dataclass
class Rows:
    """Writes an invented clinic's rows, and reads them back as they stand."""

    clinic: Clinic
    now: datetime

    async def add(self, *rows: Table) -> None:
        async with self.clinic.database.writing() as session:
            for row in rows:
                session.add(row)
                await session.flush()

    async def patient(self, **given: object) -> Patient:
        number = uuid4().hex[:8]
        fields: dict[str, object] = {
            "external_id": number,
            "first_name": "Sofía",
            "last_name": "Rojas",
            "language": "es",
            "email": f"p{number}@example.com",
            "phone": f"+1305555{int(number, 16) % 10000:04}",
        }
        row = Patient(**(fields | given))
        for kind in WordKind:
            if kind is not WordKind.TREATMENT:
                setattr(row, kind, await self.spelled(kind, getattr(row, kind)))
        await self.add(row)
        return row

    async def visit(self, patient: Patient, day: date, treatment: str = "") -> None:
        spelled = await self.spelled(WordKind.TREATMENT, treatment)
        await self.add(Visit(patient_id=patient.id, day=day, treatment=spelled))

    async def spelled(self, kind: WordKind, word: str | None) -> str | None:
        """Return a word as the register spells it, as an import does."""
        if not word:
            return word
        async with self.clinic.database.writing() as session:
            return (await spell(session, kind, [word]))[word]

    async def appointment(self, patient: Patient, at: datetime) -> None:
        await self.add(Appointment(patient_id=patient.id, at=at, source="test"))

    async def campaign(self, **given: object) -> Campaign:
        fields: dict[str, object] = {
            "name": uuid4().hex[:8],
            "segment": "test",
            "plan": PLAN.model_dump(mode="json"),
            "started_at": self.now,
        }
        row = Campaign(**(fields | given))
        await self.add(row)
        return row

    async def attempt(
        self, patient: Patient | None = None, campaign: Campaign | None = None, **given: object
    ) -> Attempt:
        """Add an open attempt, of a new patient and in a new campaign unless told otherwise."""
        patient = patient or await self.patient()
        campaign = campaign or await self.campaign()
        fields: dict[str, object] = {
            "campaign_id": campaign.id,
            "patient_id": patient.id,
            "state": AttemptState.OPEN.value,
            "started_at": self.now,
        }
        row = Attempt(**(fields | given))
        await self.add(row)
        return row

    async def change(self, row: Table, **given: object) -> None:
        """Have a row of the database say something else."""
        async with self.clinic.database.writing() as session:
            found = await session.get_one(type(row), inspect(row).identity)
            for field, value in given.items():
                setattr(found, field, value)

    async def get(self, table: type[Row], key: object) -> Row:
        async with self.clinic.database.reading() as session:
            return await session.get_one(table, key)

    async def all(self, table: type[Row]) -> Sequence[Row]:
        async with self.clinic.database.reading() as session:
            return (await session.scalars(select(table))).all()

    async def store(
        self, kind: EventKind, *, at: datetime | None = None, source_key: str = "", **given: object
    ) -> bool:
        """Store an event that comes now, or at another time; `given` are fields of `Received`."""
        fields: dict[str, object] = {
            "source": "test",
            "source_key": source_key or uuid4().hex,
            "kind": kind,
        }
        received = inbox.Received.model_validate(fields | given)
        async with self.clinic.database.writing() as session:
            return await inbox.store(session, received, now=at or self.now, key=self.clinic.key)

    async def book(self, patient: Patient, appointment: datetime, source_key: str = "") -> bool:
        """Have the clinic's software report a booking."""
        received = inbox.Received(
            source="bookings",
            source_key=source_key or uuid4().hex,
            kind=EventKind.BOOKED,
            patient_id=patient.id,
            at=appointment,
        )
        async with self.clinic.database.writing() as session:
            return await inbox.store(session, received, now=self.now, key=self.clinic.key)

    async def is_silenced(self, attempt: Attempt) -> bool:
        async with self.clinic.database.reading() as session:
            return bool(await session.scalar(select(inbox.is_silenced(attempt.id))))

    async def events(self, kind: EventKind) -> Sequence[Event]:
        async with self.clinic.database.reading() as session:
            query = select(Event).where(Event.kind == kind.value).order_by(Event.number)
            return (await session.scalars(query)).all()

    async def start_campaign(self, segment: str, **given: object) -> int:
        """Start a campaign over one of the folder's segments; return the segment's size."""
        folder = self.clinic.folder
        fields: dict[str, object] = {
            "name": "spring",
            "segment": segment,
            "plan": PLAN.model_dump(mode="json"),
            "started_at": self.now,
        }
        async with self.clinic.database.writing() as session:
            return await campaigns.start(
                session,
                Campaign(**(fields | given)),
                members(folder.segment(segment), self.now, folder.profile.zone),
                self.clinic.key,
            )


@pytest.fixture
def rows(clinic: Clinic, now: datetime) -> Rows:
    return Rows(clinic, now)


@pytest.fixture
def plan() -> Plan:
    """An email, an SMS, a call."""
    return PLAN


@dataclass
class YamlFile:
    """One file of the clinic's folder, written anew for each case."""

    path: Path

    def holding(self, text: str) -> Document:
        self.path.write_text(text, encoding="utf-8")
        return Document(self.path)


@pytest.fixture
def yaml_file(tmp_path: Path) -> YamlFile:
    return YamlFile(tmp_path / "written.yaml")


@dataclass
class Staff:
    """The people at the call list."""

    rows: Rows

    async def task(
        self, attempt: Attempt | None = None, kind: TaskKind = TaskKind.CALL, **given: Any
    ) -> CallTask:
        """Have a task opened, of a new attempt unless told otherwise."""
        attempt = attempt or await self.rows.attempt()
        fields: dict[str, Any] = {
            "step": 2,
            "due_at": self.rows.now + timedelta(days=2),
            "tries": 3,
            "event_id": None,
            "now": self.rows.now,
        }
        async with self.rows.clinic.database.writing() as session:
            task_id = await call_opening.open_task(
                session, attempt_id=attempt.id, kind=kind, **(fields | given)
            )
        assert task_id is not None
        return await self.rows.get(CallTask, task_id)

    async def calls(self, now: datetime | None = None) -> list[call_list.OpenCall]:
        clinic = self.rows.clinic
        async with clinic.database.reading() as session:
            return await call_list.open_calls(session, now or self.rows.now, clinic.key)

    async def claim(self, task: CallTask, who: str, now: datetime | None = None) -> datetime:
        clinic = self.rows.clinic
        async with clinic.database.writing() as session:
            return await call_claim.claim(
                session,
                task.id,
                who=who,
                now=now or self.rows.now,
                key=clinic.key,
                zone=clinic.profile.zone,
            )

    async def complete(
        self,
        task: CallTask,
        outcome: CallOutcome,
        *,
        who: str = "vera",
        now: datetime | None = None,
        **given: Any,
    ) -> call_completion.Completed:
        clinic = self.rows.clinic
        async with clinic.database.writing() as session:
            return await call_completion.complete(
                session,
                task.id,
                Reported(outcome=outcome, **given),
                who=who,
                now=now or self.rows.now,
                policy=clinic.policy,
                calendar=clinic.calendar,
                key=clinic.key,
            )


@pytest.fixture
def staff(rows: Rows) -> Staff:
    return Staff(rows)
