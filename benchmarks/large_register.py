"""A register of a million invented patients, written at the databases' own speed."""

import json
import random
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy import Table
from sqlalchemy.engine import URL

from clinic.database import Database
from clinic.plain_text import name_key, plain
from clinic.tables import (
    Appointment,
    Attempt,
    Call,
    CallTask,
    Campaign,
    Message,
    Patient,
    Visit,
    Vocabulary,
)

NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
"""The day on which the register has its figures."""

PLAN: dict[str, Any] = {
    "name": "standard",
    "steps": [
        {"channel": "email", "template": "come-back", "wait": "3 days"},
        {"channel": "sms", "template": "come-back", "wait": "3 days"},
        {"channel": "call", "template": "come-back", "wait": "5 days", "tries": 3},
    ],
}

_PAGE = 20_000
_NEVER_HERE, _SAME_AGAIN, _HAS_EMAIL, _BOOKED, _CONTACTED, _CALLED = 0.04, 0.7, 0.8, 0.1, 0.1, 0.02
_OLDEST_VISIT = 4 * 365
_TREATMENTS = {
    "cleaning": 30,
    "filling": 18,
    "orthodontics": 12,
    "checkup": 12,
    "endodontics": 7,
    "children": 6,
    "prosthesis": 5,
    "whitening": 5,
    "implant": 4,
    "retainer": 1,
}
_DISTRICTS = {
    "Aventura": 23,
    "Bal Harbour": 6,
    "Doral": 9,
    "Hallandale Beach": 21,
    "Hialeah": 9,
    "Hollywood": 16,
    "Kendall": 6,
    "Miami Beach": 2,
    "North Miami": 44,
    "Sunny Isles Beach": 47,
    "Surfside": 5,
}
_LOSS_REASONS = {None: 94, "price": 3, "no_time": 2, "distance": 1}

Row = tuple[Any, ...]


class LargeRegister:
    """The rows, the same at every call; memory stays flat.

    Args:
        patients: How many.
    """

    def __init__(self, patients: int) -> None:
        self._patients = patients

    async def write(self, database: Database) -> None:
        """Write every table; the database has to be empty.

        Args:
            database: A file of SQLite, or PostgreSQL.
        """
        if database.embedded:
            self._write_sqlite(str(database.url.database))
        else:
            await self._write_postgresql(database.url)

    def _write_sqlite(self, path: str) -> None:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA synchronous = OFF")
        for table, columns, rows in self._pages():
            places = ", ".join("?" for _ in columns)
            statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608
            connection.executemany(statement, map(_as_text, rows))
        connection.execute("ANALYZE")
        connection.commit()
        connection.close()

    async def _write_postgresql(self, url: URL) -> None:
        plain_url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(plain_url)
        for table, columns, rows in self._pages():
            await connection.copy_records_to_table(table.name, records=rows, columns=columns)
        await connection.execute("VACUUM ANALYZE")
        await connection.close()

    def _pages(self) -> Iterator[tuple[Table, Sequence[str], list[Row]]]:
        """Yield rows by table; a row stands after those it refers to."""
        chance = random.Random(20261121)  # noqa: S311 - invented people, the same each time
        yield from self._before()
        for start in range(0, self._patients, _PAGE):
            page = _Page(chance)
            for number in range(start, min(start + _PAGE, self._patients)):
                page.add(number)
            yield from page.tables()

    @staticmethod
    def _before() -> Iterator[tuple[Table, Sequence[str], list[Row]]]:
        words = {"treatment": _TREATMENTS, "district": _DISTRICTS}
        written = [(kind, plain(word), word) for kind, known in words.items() for word in known]
        yield Vocabulary.__table__, ("kind", "key", "written"), written  # type: ignore[misc]
        columns = ("id", "name", "segment", "plan", "state", "started_at")
        campaign = ("ca-1", "last spring", "benchmark", json.dumps(PLAN), "running", NOW)
        yield Campaign.__table__, columns, [campaign]  # type: ignore[misc]


class _Page:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._patients: list[Row] = []
        self._visits: list[Row] = []
        self._appointments: list[Row] = []
        self._attempts: list[Row] = []
        self._messages: list[Row] = []
        self._tasks: list[Row] = []
        self._calls: list[Row] = []

    def add(self, number: int) -> None:
        """Add a patient with visits, appointments, and what the clinic sent before."""
        patient_id = self._id("pt")
        self._patients.append(self._patient(number, patient_id))
        if self._chance.random() > _NEVER_HERE:
            self._visits.extend(self._visits_of(patient_id))
        if self._chance.random() < _BOOKED:
            at = NOW + timedelta(days=self._chance.randint(-60, 60))
            self._appointments.append((patient_id, at, "import"))
        if self._chance.random() < _CONTACTED:
            self._contact(patient_id)

    def tables(self) -> Iterator[tuple[Table, Sequence[str], list[Row]]]:
        """Yield what was added."""
        for table, columns, rows in (
            (Patient, _PATIENT, self._patients),
            (Visit, ("patient_id", "day", "treatment"), self._visits),
            (Appointment, ("patient_id", "at", "source"), self._appointments),
            (Attempt, _ATTEMPT, self._attempts),
            (Message, _MESSAGE, self._messages),
            (CallTask, _TASK, self._tasks),
            (Call, ("task_id", "made_at", "made_by", "outcome", "note"), self._calls),
        ):
            yield table.__table__, columns, rows  # type: ignore[misc]

    def _patient(self, number: int, patient_id: str) -> Row:
        chance = self._chance
        email = f"b{number}@example.com" if chance.random() < _HAS_EMAIL else None
        return (
            patient_id,
            f"B-{number:07}",
            "Sofía",
            f"Rojas {number}",
            name_key("Sofía", f"Rojas {number}"),
            date(2026, 1, 1) - timedelta(days=chance.randint(1_000, 32_000)),
            chance.choice(("female", "male")),
            self._one_of(_DISTRICTS),
            chance.choice(("es", "es", "ru", "en")),
            email,
            f"+1305{number % 10_000_000:07}",
            "mobile",
            "active" if chance.random() > _CALLED else "moved",
            self._one_of(_LOSS_REASONS),
        )

    def _visits_of(self, patient_id: str) -> set[Row]:
        usual = self._one_of(_TREATMENTS)
        back = self._chance.randint(0, _OLDEST_VISIT)
        visits: set[Row] = set()
        for _ in range(self._chance.choice((1, 1, 2, 3, 4, 5, 6))):
            again = self._chance.random() < _SAME_AGAIN
            treatment = usual if again else self._one_of(_TREATMENTS)
            visits.add((patient_id, NOW.date() - timedelta(days=back), treatment))
            back += self._chance.randint(20, 200)
        return visits

    def _contact(self, patient_id: str) -> None:
        attempt_id = self._id("at")
        at = NOW - timedelta(days=self._chance.randint(1, 300))
        self._attempts.append((attempt_id, "ca-1", patient_id, "ended", False, at, at, "exhausted"))
        for step in range(2):
            sent = at + timedelta(days=3 * step)
            hashed = self._id("hash")
            self._messages.append((attempt_id, step, 1, "email", hashed, sent, sent))
        if self._chance.random() < _CALLED / _CONTACTED:
            task_id = self._id("ct")
            self._tasks.append((task_id, attempt_id, patient_id, 2, "call", 3, at, at, 3, 1, at))
            self._calls.append((task_id, at, "vera", "no_answer", ""))

    def _id(self, prefix: str) -> str:
        return f"{prefix}-{self._chance.getrandbits(64):016x}"

    def _one_of(self, weighed: dict[Any, int]) -> Any:
        return self._chance.choices(list(weighed), list(weighed.values()))[0]


_PATIENT = (
    "id",
    "external_id",
    "first_name",
    "last_name",
    "name_key",
    "birth_date",
    "sex",
    "district",
    "language",
    "email",
    "phone",
    "phone_kind",
    "status",
    "loss_reason",
)
_ATTEMPT = (
    "id",
    "campaign_id",
    "patient_id",
    "state",
    "held",
    "started_at",
    "ended_at",
    "outcome",
)
_MESSAGE = (
    "attempt_id",
    "step",
    "try_number",
    "channel",
    "address_hash",
    "claimed_at",
    "sent_at",
)
_TASK = (
    "id",
    "attempt_id",
    "patient_id",
    "step",
    "kind",
    "priority",
    "due_at",
    "opened_at",
    "tries_allowed",
    "tries_made",
    "closed_at",
)


def _as_text(row: Row) -> Row:
    return tuple(
        value.strftime("%Y-%m-%d %H:%M:%S.%f")
        if isinstance(value, datetime)
        else value.isoformat()
        if isinstance(value, date)
        else value
        for value in row
    )
