"""How often somebody may try to sign in: whoever guesses passwords runs out of tries.

Refused tries are counted for each name, whether there is such an account or not (apart for a
browser that the name has signed in by before), and for each address that they come from. They are
counted by the console's clock and in its memory: each of several processes has its own count, and
a restart forgets it.
"""

import ipaddress
import unicodedata
from collections import deque
from datetime import datetime, timedelta
from typing import NamedTuple

WINDOW = timedelta(minutes=15)
TRIES_OF_NAME = 10
"""In a window. NIST SP 800-63B (section 3.2.2 of revision 4) asks for a limit and leaves at most
100 in a row; at this one, a year has 350,000 guesses at a password of 12 characters."""
TRIES_OF_ADDRESS = 30
"""In a window: the people of a clinic often share an address."""

_SWEEP_AT = 10_000
"""Keys that are held before those whose window has passed are thrown out."""
_NEIGHBOURS = 64
"""Bits of an IPv6 address that one customer's line has: it has all the addresses below them."""


class Try(NamedTuple):
    """A try to sign in that was let through.

    Attributes:
        name_key: Whose name, the same for all ways to write it, or whose browser.
        address_key: Where from.
        at: Aware UTC.
    """

    name_key: str
    address_key: str
    at: datetime


class TooMany(NamedTuple):
    """A try that was refused before its password was looked at.

    Attributes:
        wait: Until the next one may be made.
        is_first: Whether none before it was refused so since the last that was let through.
    """

    wait: timedelta
    is_first: bool


class LoginLimit:
    """Counts tries; a try counts from its beginning, so that many at once are no way round it."""

    def __init__(self) -> None:
        self._tries: dict[str, deque[datetime]] = {}
        self._told: set[str] = set()

    def begin(self, name: str, address: str, now: datetime, *, browser: str = "") -> Try | TooMany:
        """Let a try through, or say how long to wait.

        Args:
            name: As it was written.
            address: Of the client, as its connection says.
            now: Aware UTC.
            browser: The mark of one that the name has signed in by before; empty: of none.
        """
        whose = f"browser {browser}" if browser else f"name {name_key(name)}"
        begun = Try(whose, f"address {_line(address)}", now)
        self._sweep(now)
        limits = (begun.name_key, TRIES_OF_NAME), (begun.address_key, TRIES_OF_ADDRESS)
        waits = {key: self._wait(key, most, now) for key, most in limits}
        full = {key for key, wait in waits.items() if wait > timedelta(0)}
        if full:
            is_first = not full <= self._told
            self._told |= full
            return TooMany(max(waits.values()), is_first)
        for key, _ in limits:
            self._told.discard(key)
            self._tries.setdefault(key, deque()).append(now)
        return begun

    def succeeded(self, begun: Try) -> None:
        """Take back a try whose password was right, and all others of its name."""
        self._tries.pop(begun.name_key, None)
        of_address = self._tries.get(begun.address_key)
        if of_address is not None and begun.at in of_address:
            of_address.remove(begun.at)

    def _wait(self, key: str, most: int, now: datetime) -> timedelta:
        tries = self._tries.get(key, deque())
        while tries and tries[0] <= now - WINDOW:
            tries.popleft()
        return tries[0] + WINDOW - now if len(tries) >= most else timedelta(0)

    def _sweep(self, now: datetime) -> None:
        if len(self._tries) < _SWEEP_AT:
            return
        self._tries = {
            key: tries for key, tries in self._tries.items() if tries and tries[-1] > now - WINDOW
        }
        self._told &= self._tries.keys()


def name_key(name: str) -> str:
    """Return what all ways to write one name have in common; other names may share it."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def _line(address: str) -> str:
    """Return what stands for all the addresses that one client can easily have."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004 - IPv4
        return address
    return str(ipaddress.ip_network((parsed, _NEIGHBOURS), strict=False))
