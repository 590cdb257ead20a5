"""Words from addresses that nobody on the register had when they came."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, func

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
