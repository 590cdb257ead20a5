"""The audit log: who saw or changed what of which patient, and who signed in.

Lines are added, and nothing changes or deletes one: the database itself refuses. They hold opaque
ids and words of closed lists, no patient's data, so a line outlives the patient it is about.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.tables import Account, AuditEntry

Detail = str | int | bool | list[str]
Details = Mapping[str, Detail]

_WORD = re.compile(r"[a-z][a-z0-9_.-]{0,59}")
"""Of a closed list, a field's name, or an opaque id: no name, address or sentence is one."""


class Action(StrEnum):
    """What was done."""

    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    ACCOUNT_MADE = "account_made"
    ACCOUNT_CHANGED = "account_changed"
    SEARCHED = "searched"
    VIEWED = "viewed"
    EXPORTED = "exported"
    CHANGED = "changed"
    FORGOTTEN = "forgotten"
    IMPORTED = "imported"
    CLAIMED = "claimed"
    RELEASED = "released"
    COMPLETED = "completed"
    CAMPAIGN_STARTED = "campaign_started"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_RESUMED = "campaign_resumed"
    CAMPAIGN_STOPPED = "campaign_stopped"


async def note(
    session: AsyncSession,
    *,
    who: Account | str | None,
    action: Action,
    now: datetime,
    patient_id: str | None = None,
    subject: str | None = None,
    details: Details | None = None,
) -> None:
    """Add a line to the log, in the transaction that does what it tells of.

    Args:
        session: A writing transaction.
        who: The account; the login name of whoever typed a command; None: nobody knows, as of a
            sign-in that was refused.
        action: What was done.
        now: Aware UTC.
        patient_id: The patient that it was done to, or whose card was seen.
        subject: The opaque id of the call task, campaign or account.
        details: What else is to be known, in words of closed lists, names of fields, counts.

    Raises:
        ValueError: A detail is no such word; the error does not repeat it.
    """
    _refuse_free_text(details or {})
    account = who if isinstance(who, Account) else None
    session.add(
        AuditEntry(
            at=now,
            account_id=account.id if account else None,
            who=account.name if account else who or "",
            action=action.value,
            patient_id=patient_id,
            subject=subject,
            details=dict(details or {}),
        )
    )
    await session.flush()


async def note_many(
    session: AsyncSession,
    *,
    who: Account,
    action: Action,
    now: datetime,
    about: Sequence[tuple[str | None, str | None]],
    details: Details,
) -> None:
    """Add a line for each of many, all of one kind, in one statement.

    Args:
        session: A writing transaction.
        who: The account.
        action: What was done.
        now: Aware UTC.
        about: The patient, where one is known, and the opaque id of what was seen or changed, if it
            is something else; at least one of them.
        details: As in `note`, of each.

    Raises:
        ValueError: As `note` does.
    """
    _refuse_free_text(details)
    same = {"at": now, "account_id": who.id, "who": who.name, "action": action.value}
    lines = [
        same | {"patient_id": patient_id, "subject": subject, "details": dict(details)}
        for patient_id, subject in about
    ]
    await session.execute(insert(AuditEntry), lines)


async def entries(
    session: AsyncSession,
    *,
    patient_id: str | None = None,
    before: int | None = None,
    at_most: int = 100,
) -> Sequence[AuditEntry]:
    """Return the log's lines, the newest first.

    Args:
        session: Any transaction.
        patient_id: Those about this patient; None: all.
        before: Those older than the line of this number, for a further page.
        at_most: How many.
    """
    query = select(AuditEntry).order_by(AuditEntry.number.desc()).limit(at_most)
    if patient_id is not None:
        query = query.where(AuditEntry.patient_id == patient_id)
    if before is not None:
        query = query.where(AuditEntry.number < before)
    return (await session.scalars(query)).all()


def _refuse_free_text(details: Details) -> None:
    for name, value in details.items():
        words = value if isinstance(value, list) else [value]
        if not all(isinstance(word, int) or _WORD.fullmatch(word) for word in (name, *words)):
            raise ValueError("a detail of the audit log that is no word of a closed list")
