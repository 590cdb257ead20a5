"""Simulated staff: they claim and complete call tasks by the same functions as the commands do."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

from clinic import call_claim, call_completion, call_list
from clinic.call_list import OpenCall
from clinic.call_task import Reported, TaskKind
from clinic.clinic import Clinic
from clinic.event import CallOutcome
from clinic.outcome import LossReason
from clinic.refusal import Refusal
from clinic.settings import ClinicSettings

_WHO = "Lucía"
_LOOK_AGAIN = 0.5
_OF_A_REPLY: Mapping[CallOutcome, int] = {
    CallOutcome.BOOKED: 60,
    CallOutcome.DECLINED: 25,
    CallOutcome.DO_NOT_CONTACT: 5,
    CallOutcome.CALL_BACK: 10,
}
_OF_A_CALL: Mapping[CallOutcome, int] = {
    CallOutcome.NO_ANSWER: 35,
    CallOutcome.BOOKED: 25,
    CallOutcome.DECLINED: 15,
    CallOutcome.VOICEMAIL: 10,
    CallOutcome.WRONG_NUMBER: 5,
    CallOutcome.DO_NOT_CONTACT: 5,
    CallOutcome.CALL_BACK: 5,
}
"""What comes of a call, with weights; who is to be called back is, and then says something."""
_CALLS_AT_MOST = 6
"""Of one task: whatever refuses it for longer than that is for the report to tell."""


class Staff:
    """Works through the call list.

    Args:
        environment: Of the clinic's programs.
        seed: The same seed gives the same outcomes for the same list.
    """

    def __init__(self, environment: Mapping[str, str], seed: int) -> None:
        self._clinic = Clinic(
            ClinicSettings(
                _env_file=None,
                clinic=Path(environment["REGRESA_CLINIC"]),
                database_url=environment["REGRESA_DATABASE_URL"],
                secret_key=SecretStr(environment["REGRESA_SECRET_KEY"]),
                public_url=environment["REGRESA_PUBLIC_URL"],
                contact_policy=environment["REGRESA_CONTACT_POLICY"],
            )
        )
        self._random = random.Random(seed)  # noqa: S311 - a simulation, no secret
        self._calls: Counter[str] = Counter()
        self._refused: set[str] = set()
        self.outcomes: Counter[str] = Counter()

    async def work(self, stop: asyncio.Event) -> None:
        """Call whoever is on the list, and again whom they have to, until asked to stop."""
        async with self._clinic.opened():
            while not stop.is_set():
                for call in await self._waiting():
                    self._calls[call.task_id] += 1
                    await self._call(call)
                await asyncio.sleep(_LOOK_AGAIN)

    async def _waiting(self) -> list[OpenCall]:
        async with self._clinic.database.reading() as session:
            listed = await call_list.open_calls(session, datetime.now(UTC), self._clinic.key)
        return [one for one in listed if self._calls[one.task_id] < _CALLS_AT_MOST]

    async def _call(self, call: OpenCall) -> None:
        clinic, now = self._clinic, datetime.now(UTC)
        reported = self._reported(call, now)
        try:
            if call.task_id not in self._refused:
                async with clinic.database.writing() as session:
                    await call_claim.claim(
                        session,
                        call.task_id,
                        who=_WHO,
                        now=now,
                        key=clinic.key,
                        zone=clinic.profile.zone,
                    )
            async with clinic.database.writing() as session:
                await call_completion.complete(
                    session,
                    call.task_id,
                    reported,
                    who=_WHO,
                    now=now,
                    policy=clinic.policy,
                    calendar=clinic.calendar,
                    key=clinic.key,
                )
        except Refusal:
            # closed in this moment, or nobody may call any more: staff read why, and close it so
            self._refused.add(call.task_id)
            self.outcomes["refused"] += 1
        else:
            self.outcomes[reported.outcome] += 1

    def _reported(self, call: OpenCall, now: datetime) -> Reported:
        weights = dict(_OF_A_REPLY if call.kind is TaskKind.REPLY else _OF_A_CALL)
        if self._calls[call.task_id] > 1:
            del weights[CallOutcome.CALL_BACK]
        if call.task_id in self._refused:
            weights = {CallOutcome.DO_NOT_CONTACT: 1}
        outcome = self._random.choices(list(weights), list(weights.values()))[0]
        return Reported(
            outcome=outcome,
            reason=LossReason.PRICE if outcome is CallOutcome.DECLINED else None,
            at=now + timedelta(days=1) if outcome is CallOutcome.CALL_BACK else None,
        )
