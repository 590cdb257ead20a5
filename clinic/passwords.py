"""Passwords: which are allowed, and hashes that open to nothing but the password itself."""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from clinic.refusal import Refusal

SHORTEST = 12
LONGEST = 200
"""In characters."""

_Made = TypeVar("_Made")

# Argon2id with the least that OWASP's Password Storage Cheat Sheet asks for. More memory would
# buy little against guesses at a console that counts them, and cost every small server.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Many who sign in at once, or somebody who guesses, must not take all the memory and processors.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="passwords")


def refuse_password(password: str, name: str) -> None:
    """Look whether a password may be set.

    Length is all that is asked for, as in NIST SP 800-63B: rules about kinds of characters make
    passwords that are alike.

    Args:
        password: As it was typed.
        name: The account's name, which is no password for it.

    Raises:
        Refusal: It is too short, too long, or the account's name; it does not repeat it.
    """
    if len(password) < SHORTEST:
        raise Refusal(
            f"the password has {len(password)} characters, at least {SHORTEST} are needed",
            "A few words in a row are easier to remember than signs.",
        )
    if len(password) > LONGEST:
        raise Refusal(f"the password has {len(password)} characters, at most {LONGEST} are taken")
    if password.strip().casefold() == name.casefold():
        raise Refusal("the password is the account's name", "Everybody would try that first.")


async def hashed(password: str) -> str:
    """Return a password's hash with a salt of its own; the loop goes on meanwhile."""
    return await _in_thread(lambda: _HASHER.hash(_bytes(password)))


async def opens(known: str, password: str) -> bool:
    """Say whether a password is the one that was hashed; the loop goes on meanwhile."""
    try:
        return await _in_thread(lambda: _HASHER.verify(known, _bytes(password)))
    except VerifyMismatchError:
        return False


def is_outdated(known: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(known)


def _bytes(password: str) -> bytes:
    # an é is typed as one character on one keyboard, and as two on another
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


async def _in_thread(work: Callable[[], _Made]) -> _Made:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)
