"""Somebody at the desk hears “no more messages”, or that they are welcome again.

The command line and the console do the same by these, in one transaction each.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.event import EventKind
from clinic.identifiers import new_id
from clinic.inbox import STAFF
from clinic.register import suppression
from clinic.register.search import patients_at
from clinic.tables import Patient


class AddressChange(NamedTuple):
    """What became of an address.

    Attributes:
        changed: Whether anything did: False where it stood so before.
        sharing: The patients on whose row it stands, also as their guardian's.
    """

    changed: bool
    sharing: Sequence[Patient]


async def patient_says_stop(
    session: AsyncSession, patient: Patient, *, now: datetime, key: SecretStr
) -> bool:
    """Make sure that nobody writes to a patient again, nor to any address of theirs.

    It is stored as an event, so that an open attempt ends as well.

    Args:
        session: A writing transaction.
        patient: Who said it.
        now: Aware UTC.
        key: The key of the suppression hashes.

    Returns:
        False where they had said so before.
    """
    is_new = patient.opted_out_at is None
    said = inbox.Received(
        source=STAFF,
        source_key=new_id("said"),
        kind=EventKind.OPTED_OUT,
        patient_id=patient.id,
    )
    await inbox.store(session, said, now=now, key=key)
    return is_new


async def patient_is_welcome(
    session: AsyncSession, patient: Patient, *, now: datetime, key: SecretStr
) -> bool:
    """Let the clinic write to a patient again, at their own wish; what ended stays ended.

    Args:
        session: A writing transaction.
        patient: Who said it.
        now: Aware UTC.
        key: The key of the suppression hashes.

    Returns:
        False where nothing kept the clinic from writing.
    """
    opted_out = patient.opted_out_at is not None
    lifted = await suppression.opt_in(session, patient.id, now=now, key=key)
    return opted_out or bool(lifted)


async def address_says_stop(
    session: AsyncSession, address: str, *, now: datetime, key: SecretStr
) -> AddressChange:
    """Make sure that nobody writes to an address again, whosever it is.

    Args:
        session: A writing transaction.
        address: In its normal form: E.164, or an email.
        now: Aware UTC.
        key: The key of the suppression hashes.
    """
    is_new = await suppression.suppress(session, address, source=STAFF, now=now, key=key)
    return AddressChange(is_new, await patients_at(session, address))


async def address_is_welcome(
    session: AsyncSession, address: str, *, key: SecretStr
) -> AddressChange:
    """Let the clinic write to an address again; who opted out themselves stays silent.

    Args:
        session: A writing transaction.
        address: In its normal form: E.164, or an email.
        key: The key of the suppression hashes.
    """
    was_suppressed = await suppression.lift(session, address, key=key)
    return AddressChange(was_suppressed, await patients_at(session, address))
