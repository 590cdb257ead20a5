"""When a patient was contacted lately, and how: every address counts, whoever was written to."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from clinic.attempt import DeliverInput
from clinic.contact_policy import LOOKS_BACK, PastContact
from clinic.plan import CALL
from clinic.tables import Attempt, Call, CallTask, Message, UtcMoment

_SINCE = bindparam("since", type_=UtcMoment)
_BESIDES = bindparam("besides", type_=String), bindparam("step", type_=Integer)
_NOBODY = DeliverInput(attempt_id="", step=-1)


def _lately() -> CompoundSelect[Any]:
    """Return the one query for all contacts; its parameters are given later.

    It is asked before every delivery, and built once: building takes longer than the answer.
    """
    patient_ids: BindParameter[Any] = bindparam("patient_ids", expanding=True)
    hashes: BindParameter[Any] = bindparam("hashes", expanding=True)
    return union_all(
        _messages(Attempt.patient_id)
        .join(Attempt, Attempt.id == Message.attempt_id)
        .where(Attempt.patient_id.in_(patient_ids)),
        _messages(Message.address_hash).where(Message.address_hash.in_(hashes)),
        _calls(CallTask.patient_id).where(CallTask.patient_id.in_(patient_ids)),
        _calls(Message.address_hash)
        .join(Attempt, Attempt.patient_id == CallTask.patient_id)
        .join(Message, _is_of_task())
        .where(Message.address_hash.in_(hashes)),
    )


def _messages(who: ColumnElement[str] | Any) -> Select[Any]:
    carrier = func.coalesce(Message.carried_by, Message.attempt_id)
    what = carrier + literal(".") + cast(Message.step, String)
    # a claim without a record stands for a message that is being sent, or was before a crash
    at = func.coalesce(Message.sent_at, Message.claimed_at)
    attempt_id, step = _BESIDES
    return select(who, what, at, Message.channel).where(
        at > _SINCE,
        Message.failed_at.is_(None),
        Message.channel != CALL,  # a task for a person: nobody was called yet
        or_(Message.step != step, carrier.not_in([attempt_id, _carrier_of_asking()])),
    )


def _carrier_of_asking() -> ColumnElement[str]:
    """Return whose message carries the step that is being delivered; empty where none does."""
    attempt_id, step = _BESIDES
    own = aliased(Message)
    of_asking = select(own.carried_by).where(
        own.attempt_id == attempt_id, own.step == step, own.try_number == 1
    )
    return func.coalesce(of_asking.scalar_subquery(), "")


def _calls(who: ColumnElement[str] | Any) -> Select[Any]:
    what = literal("call.") + cast(Call.id, String)
    return (
        select(who, what, Call.made_at, literal(CALL))
        .select_from(Call)
        .join(CallTask, CallTask.id == Call.task_id)
        .where(Call.made_at > _SINCE)
    )


def _is_of_task() -> ColumnElement[bool]:
    return and_(
        Message.attempt_id == CallTask.attempt_id,
        Message.attempt_id == Attempt.id,
        Message.step == CallTask.step,
        # not by the index on channels, which SQLite prefers: that would read every call ever made
        func.coalesce(Message.channel, "") == CALL,
    )


_LATELY = _lately()


async def past_contacts(
    session: AsyncSession,
    patient_ids: Sequence[str],
    addresses: Mapping[str, frozenset[str]],
    now: datetime,
    *,
    besides: DeliverInput | None = None,
) -> dict[str, tuple[PastContact, ...]]:
    """Return the contacts that a policy may ask for, earliest first, by patient.

    A contact is a message that the machine sent and that did not come back, one that it has
    claimed and may have sent, or a call that staff made. It counts for everybody who is reached
    at the address it went to: people who share a phone are not written to once each on one day.
    A message that named several is one contact.

    Args:
        session: Any transaction.
        patient_ids: Whose contacts to read.
        addresses: The keyed hashes of each patient's addresses.
        now: Aware UTC.
        besides: The delivery that asks: what it has claimed itself, or what carries it, does not
            stand in its own way.
    """
    asking = besides or _NOBODY
    hashes = {hashed for of_one in addresses.values() for hashed in of_one}
    rows = await session.execute(
        _LATELY,
        {
            "patient_ids": patient_ids,
            "hashes": list(hashes),
            "since": now - LOOKS_BACK,
            "besides": asking.attempt_id,
            "step": asking.step,
        },
    )
    found: dict[str, set[tuple[str, datetime, str]]] = {}
    for who, what, at, channel in rows:
        found.setdefault(who, set()).add((what, at, channel))
    return {
        patient_id: _in_order(
            found.get(who, set()) for who in (patient_id, *addresses.get(patient_id, ()))
        )
        for patient_id in patient_ids
    }


def _in_order(found: Iterable[set[tuple[str, datetime, str]]]) -> tuple[PastContact, ...]:
    once = set().union(*found)
    return tuple(
        PastContact(at=at, channel=channel)
        for _, at, channel in sorted(once, key=lambda contact: contact[1])
    )
