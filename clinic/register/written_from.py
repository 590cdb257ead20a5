"""Words from addresses, or about them, that nobody on the register had when they came."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, func, or_

from clinic.event import EventKind
from clinic.tables import Event


def wrote_from(addresses: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that an event holds the words of somebody at one of the addresses.

    Args:
        addresses: Normal forms; an email counts however its letters are written.
    """
    return and_(
        Event.from_address.is_not(None),
        func.lower(Event.from_address).in_([address.lower() for address in addresses]),
    )


def tells_of(addresses: Collection[str]) -> ColumnElement[bool]:
    """Return the condition that an event about nobody in particular names one of the addresses.

    Such is a mail server's report that does not say which message it is about.

    Args:
        addresses: At least one; normal forms.
    """
    body = func.lower(Event.body)
    return and_(
        Event.kind == EventKind.UNKNOWN.value,
        Event.patient_id.is_(None),
        Event.attempt_id.is_(None),
        or_(*(body.contains(address.lower(), autoescape=True) for address in addresses)),
    )
