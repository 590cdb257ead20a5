"""Whether an attempt stands at a step just when another one delivers it to the same address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import SecretStr

from clinic.attempt import AttemptState
from clinic.contact_policy import ContactCalendar, ContactPolicy
from clinic.delivery_check import (
    Address,
    AddressOf,
    AttemptFacts,
    StepContent,
    address_on,
    calendar_of,
    check_delivery,
    not_contactable,
    why_closed,
    why_left_out,
)
from clinic.plan import Plan
from clinic.register.standing import Standing
from clinic.tables import Message

EARLY_AT_MOST = timedelta(days=1)
"""Whose wait ends so soon is written to now, with the household, rather than alone tomorrow."""

_NOTHING_AGAINST_IT = AttemptFacts(
    over=False, answered=False, campaign_paused=False, campaign_over=False
)
"""The campaign is the same, and whoever has answered is no neighbour (`household.sharing`)."""


@dataclass(frozen=True)
class Rules:
    """What decides who may be written to.

    Attributes:
        policy: The contact policy in force.
        calendar: The clinic's own.
        address_of: How each channel in use finds a patient's address.
        key: The key of the address hashes.
    """

    policy: ContactPolicy
    calendar: ContactCalendar
    address_of: Mapping[str, AddressOf]
    key: SecretStr


@dataclass(frozen=True)
class Rung:
    """The step that is being delivered, and where to.

    Attributes:
        plan: The campaign's plan.
        step: The step's index.
        contents: What each of the plan's steps says, in their order; None of a step whose channel
            or template is not there just now: who stands or falls by it waits for their own turn.
        hashed: The keyed hash of the address.
    """

    plan: Plan
    step: int
    contents: Sequence[StepContent | None]
    hashed: str


@dataclass(frozen=True)
class Climb:
    """How far an attempt has come.

    Attributes:
        rows: Its rows of the ledger, by step.
        past: Steps that it was not delivered and climbed past.
    """

    rows: dict[int, Message] = field(default_factory=dict)
    past: set[int] = field(default_factory=set)


class Neighbour:
    """Another open or planned attempt of the campaign, seen from the step being delivered.

    Args:
        state: Of the attempt.
        patient: Where its patient stands.
        climb: How far it has come.
        rung: The step, and the address.
        rules: What decides who may be written to.
    """

    def __init__(
        self, state: AttemptState, patient: Standing, climb: Climb, rung: Rung, rules: Rules
    ) -> None:
        self._state = state
        self._patient = patient
        self._climb = climb
        self._rung = rung
        self._rules = rules
        self._calendar = calendar_of(patient.contact, rules.policy, rules.calendar)

    def is_due(self, now: datetime) -> bool:
        """Whether this very step may be delivered now, at the same address."""
        step, content = self._rung.step, self._rung.contents[self._rung.step]
        address = self._address(step)
        if content is None or step in self._climb.rows or address.hashed != self._rung.hashed:
            return False
        if not self._stands_at(step, now) or self._is_left_out(now):
            return False
        blocked = check_delivery(
            _NOTHING_AGAINST_IT,
            self._patient,
            address,
            step=self._rung.plan.steps[step],
            content=content,
            policy=self._rules.policy,
            calendar=self._calendar,
            now=now,
        )
        return blocked is None

    def may_be_named_again(self, now: datetime) -> bool:
        """Whether a message that has claimed this step before may still name the patient."""
        step, content = self._rung.step, self._rung.contents[self._rung.step]
        address = self._address(step)
        if content is None or address.hashed != self._rung.hashed:
            return False
        return not_contactable(self._patient) is None and not self._is_closed(step, content, now)

    def _stands_at(self, step: int, now: datetime) -> bool:
        """Whether every step below is over, or nearly so."""
        for below in range(step - 1, -1, -1):
            row = self._climb.rows.get(below)
            if row is not None:
                return _is_over(row, self._rung.plan.steps[below].wait, now)
            content = self._rung.contents[below]
            if below in self._climb.past:
                continue
            if content is None or not self._is_closed(below, content, now):
                return False  # it is still to be delivered
        return True

    def _is_closed(self, step: int, content: StepContent, now: datetime) -> bool:
        why = why_closed(
            self._rung.plan.steps[step],
            content,
            self._address(step),
            self._patient,
            self._rules.policy,
            self._calendar.day_of(now),
        )
        return why is not None

    def _is_left_out(self, now: datetime) -> bool:
        """Whether a planned attempt would never be started."""
        if self._state is not AttemptState.PLANNED:
            return False
        contents = [content for content in self._rung.contents if content is not None]
        if len(contents) < len(self._rung.plan.steps):
            return True  # its page starts nobody either until the clinic has mended that
        why = why_left_out(
            self._patient,
            self._rung.plan,
            {
                step.channel: self._address(index)
                for index, step in enumerate(self._rung.plan.steps)
            },
            contents,
            self._rules.policy,
            self._calendar,
            now,
        )
        return why is not None

    def _address(self, step: int) -> Address:
        address_of = self._rules.address_of[self._rung.plan.steps[step].channel]
        return address_on(address_of, self._patient.contact, self._rules.key)


def _is_over(row: Message, wait: timedelta, now: datetime) -> bool:
    if row.failed_at is not None:
        return True
    # in a demonstration waits are seconds: what is early goes by the wait
    return row.sent_at is not None and row.sent_at + wait <= now + min(EARLY_AT_MOST, wait / 2)
