"""Looks at the sandbox by HTTP and at the clinic's database by a connection that can't write."""

import asyncio
import sqlite3
from collections import defaultdict
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client
from temporalio.service import RPCError

from activities import names
from chaos.figures import (
    CardEvent,
    LedgerRow,
    Reply,
    SeenAttempt,
    Sights,
    Submission,
)
from chaos.register import InventedPatient
from chaos.setting import CHANNELS, Setting
from deploy.local.settings import HOST

_TIMEOUT_S = 30
_LAST_EVENTS = 4
_STATUSES = ("Running", "Failed", "Terminated", "TimedOut", "Canceled")


class Lookout:
    """What can be seen of a run from outside.

    Args:
        setting: The run.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._sandbox = f"http://{HOST}:{setting.local.sandbox_port}/sandbox"
        self._file = setting.state / "regresa.db"

    async def faults(self) -> dict[str, int]:
        """Return how often each fault came by chance."""
        found: dict[str, int] = await asyncio.to_thread(self._of_sandbox, "faults")
        return dict(sorted(found.items()))

    async def submissions(self) -> int:
        """Return how many messages the providers took so far."""
        return len(await asyncio.to_thread(self._of_sandbox, "messages"))

    async def unanswered(self) -> int:
        """Return how many answers of patients still wait for their door."""
        replies = await asyncio.to_thread(self._of_sandbox, "replies")
        return sum(reply["answered_at"] is None for reply in replies)

    async def standing(self) -> dict[str, int]:
        """Count the attempts: planned, with the machine, with a person, ended."""
        return await asyncio.to_thread(self._standing)

    async def unrelayed(self) -> int:
        """Return how many events have not arrived yet."""
        query = "SELECT COUNT(*) AS n FROM events WHERE relayed_at IS NULL"
        found = await asyncio.to_thread(self._rows, query)
        return int(found[0]["n"])

    async def everything(self) -> Sights:
        """Return all that the verdict needs."""
        messages, replies = await asyncio.gather(
            asyncio.to_thread(self._of_sandbox, "messages"),
            asyncio.to_thread(self._of_sandbox, "replies"),
        )
        workflows = await self._workflows()
        patients = self._setting.patients
        return await asyncio.to_thread(
            lambda: Sights(
                patients=_housemates(patients),
                attempts=self._attempts(),
                submissions=tuple(_submission(one, patients) for one in messages),
                replies=tuple(Reply.model_validate(one) for one in replies),
                events=self._events(),
                ledger=self._ledger(),
                workflows=workflows,
            )
        )

    def _of_sandbox(self, what: str) -> Any:
        answer = httpx.get(f"{self._sandbox}/{what}", timeout=_TIMEOUT_S, trust_env=False)
        return answer.raise_for_status().json()

    async def _workflows(self) -> dict[str, int]:
        address = f"{HOST}:{self._setting.local.temporal_port}"
        client = await Client.connect(address)
        found = {}
        for status in _STATUSES:
            query = f"WorkflowType='{names.RECOVERY_WORKFLOW}' AND ExecutionStatus='{status}'"
            try:
                found[status.lower()] = (await client.count_workflows(query)).count
            except RPCError as error:
                found[f"not counted as {status.lower()}: {error.status.name}"] = 1
        return found

    def _standing(self) -> dict[str, int]:
        rows = self._rows(
            "SELECT CASE WHEN state = 'open' AND EXISTS (SELECT 1 FROM call_tasks"
            " WHERE attempt_id = attempts.id AND closed_at IS NULL) THEN 'with a person'"
            " ELSE state END AS stands, COUNT(*) AS n FROM attempts GROUP BY stands"
        )
        return {row["stands"]: row["n"] for row in rows}

    def _attempts(self) -> tuple[SeenAttempt, ...]:
        rows = self._rows(
            "SELECT attempts.*, external_id,"
            " EXISTS (SELECT 1 FROM call_tasks WHERE attempt_id = attempts.id"
            " AND closed_at IS NULL) AS with_person,"
            " EXISTS (SELECT 1 FROM call_tasks WHERE attempt_id = attempts.id"
            " AND event_id IS NOT NULL) AS tasked"
            " FROM attempts JOIN patients ON patients.id = patient_id"
        )
        return tuple(
            SeenAttempt(
                attempt_id=row["id"],
                patient=row["external_id"],
                state=row["state"],
                outcome=row["outcome"],
                with_person=row["with_person"],
                replies_tasked=row["tasked"],
                last="" if row["state"] == "ended" else self._last_events(row["id"]),
            )
            for row in rows
        )

    def _last_events(self, attempt_id: str) -> str:
        notes = self._rows(
            "SELECT step, result, reason, rule, at FROM step_notes WHERE attempt_id = ?", attempt_id
        )
        ledger = self._rows(
            "SELECT step, channel, claimed_at, sent_at, failed_at FROM messages"
            " WHERE attempt_id = ?",
            attempt_id,
        )
        events = self._rows(
            "SELECT kind, source, received_at, relayed_at, relay_result FROM events"
            " WHERE attempt_id = ? ORDER BY number DESC LIMIT ?",
            attempt_id,
            _LAST_EVENTS,
        )
        told = [("note", notes), ("ledger", ledger), ("event", events)]
        return "; ".join(f"{name} {dict(row)}" for name, rows in told for row in rows)

    def _events(self) -> tuple[CardEvent, ...]:
        rows = self._rows(
            "SELECT events.*, external_id FROM events"
            " LEFT JOIN patients ON patients.id = events.patient_id"
        )
        return tuple(
            CardEvent(
                event_id=row["id"],
                patient=row["external_id"] or "",
                attempt_id=row["attempt_id"],
                kind=row["kind"],
                source=row["source"],
                body=row["body"],
                relayed=row["relayed_at"] is not None,
            )
            for row in rows
        )

    def _ledger(self) -> tuple[LedgerRow, ...]:
        rows = self._rows(
            "SELECT messages.*, external_id FROM messages"
            " JOIN attempts ON attempts.id = messages.attempt_id"
            " JOIN patients ON patients.id = attempts.patient_id"
            " WHERE channel IN (?, ?)",
            *CHANNELS,
        )
        return tuple(
            LedgerRow(
                patient=row["external_id"],
                channel=row["channel"],
                key=row["provider_id"],
                claimed_at=_moment(row["claimed_at"]),
                sent=row["sent_at"] is not None,
                failed=row["failed_at"] is not None,
            )
            for row in rows
        )

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with closing(_read_only(self._file)) as connection:
            return connection.execute(query, values).fetchall()


def _read_only(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=_TIMEOUT_S)
    connection.row_factory = sqlite3.Row
    return connection


def _moment(stored: str) -> datetime:
    moment = datetime.fromisoformat(stored)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _housemates(patients: list[InventedPatient]) -> dict[str, tuple[str, ...]]:
    at: defaultdict[str, list[str]] = defaultdict(list)
    for patient in patients:
        at[patient.phone].append(patient.number)
    return {
        patient.number: tuple(one for one in at[patient.phone] if one != patient.number)
        for patient in patients
    }


def _submission(message: dict[str, Any], patients: list[InventedPatient]) -> Submission:
    text = f"{message.get('subject', '')}\n{message['body']}"
    reached = [one for one in patients if message["to"] in (one.email, one.phone)]
    return Submission(
        channel=message["channel"],
        key=message.get("message_id") or message["sid"],
        to=message["to"],
        patients=tuple(one.number for one in reached if one.first_name in text),
        began_at=datetime.fromisoformat(message["began_at"]),
    )
