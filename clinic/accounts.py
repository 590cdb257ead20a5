"""Who may sign in to the console, and as what."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.conflict_free_insert import insert_if_new
from clinic.identifiers import new_id
from clinic.multilingual import LANGUAGES
from clinic.passwords import hashed, is_outdated, opens, refuse_password
from clinic.refusal import Refusal
from clinic.storable_text import storable
from clinic.tables import Account

_LONGEST_NAME = 60


class Role(StrEnum):
    """What an account may do in the console."""

    STAFF = "staff"
    """The call list, and patients' cards."""
    OPS = "ops"
    """All but accounts, and forgetting a patient."""
    ADMIN = "admin"


async def create(
    session: AsyncSession,
    name: str,
    role: Role,
    password: str,
    *,
    now: datetime,
    language: str = "",
) -> Account:
    """Make an account.

    Args:
        session: A writing transaction.
        name: Of which there is one, whatever its case; colleagues see it as it is written.
        role: What the account may do.
        password: See `refuse_password`.
        now: Aware UTC.
        language: One of `LANGUAGES`; empty: the browser says it.

    Raises:
        Refusal: The name is taken or can't be shown, the password is not allowed, or the
            console does not speak the language.
    """
    name = " ".join(name.split())
    await refuse_name(session, name)
    refuse_password(password, name)
    refuse_language(language)
    row = {
        "id": new_id("ac"),
        "name": name,
        "name_key": _name_key(name),
        "role": role.value,
        "password_hash": await hashed(password),
        "language": language,
        "created_at": now,
    }
    if not await insert_if_new(session, Account, row):
        raise _taken(name)
    return await session.get_one(Account, row["id"])


async def refuse_name(session: AsyncSession, name: str) -> None:
    """Look whether an account may be made under a name.

    Raises:
        Refusal: It is empty or too long, can't be shown, or is taken.
    """
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise Refusal(f"an account's name has 1 to {_LONGEST_NAME} printable characters")
    if (other := await named(session, name)) is not None:
        raise _taken(other.name)


def refuse_language(language: str) -> None:
    """Look whether the console speaks an account's language; empty: the browser says it.

    Raises:
        Refusal: It does not.
    """
    if language not in ("", *LANGUAGES):
        raise Refusal(f"the console does not speak `{language}`", f"One of: {', '.join(LANGUAGES)}")


async def sign_in(
    session: AsyncSession, name: str, password: str, *, now: datetime
) -> Account | None:
    """Return the account that a name and a password open; None where they open none.

    A name that nobody has costs the same work as a wrong password. A password whose hash was
    made with other parameters than today's is hashed anew.

    Args:
        session: A writing transaction.
        name: As it was typed; its case does not matter.
        password: As it was typed.
        now: Aware UTC; kept as the account's last sign-in.
    """
    account = await named(session, name)
    if account is None:
        await hashed(password)  # as much work as to verify one
        return None
    known = account.password_hash
    if not await opens(known, password) or account.disabled_at is not None:
        return None
    if is_outdated(known):
        # unless another one was set meanwhile
        await session.execute(
            update(Account)
            .where(Account.id == account.id, Account.password_hash == known)
            .values(password_hash=await hashed(password))
        )
    account.signed_in_at = now
    await session.flush()
    return account


def is_over(account: Account, begun_at: datetime) -> bool:
    """Say whether an account's session that began then (aware UTC) is over by now."""
    if account.disabled_at is not None:
        return True
    return account.signed_out_at is not None and begun_at < account.signed_out_at


async def set_password(
    session: AsyncSession, account: Account, password: str, *, now: datetime
) -> None:
    """Give an account another password; its sessions are over.

    Args:
        session: The writing transaction in which the account was read.
        account: The account.
        password: See `refuse_password`.
        now: Aware UTC.

    Raises:
        Refusal: The password is not allowed.
    """
    refuse_password(password, account.name)
    account.password_hash = await hashed(password)
    await sign_out_everywhere(session, account, now=now)


async def sign_out_everywhere(session: AsyncSession, account: Account, *, now: datetime) -> None:
    """End every session of an account that began before now (aware UTC)."""
    account.signed_out_at = now
    await session.flush()


async def disable(session: AsyncSession, account: Account, *, now: datetime) -> bool:
    """Let nobody sign in by an account, and end its sessions.

    Args:
        session: The writing transaction in which the account was read.
        account: The account.
        now: Aware UTC.

    Returns:
        False where it was disabled before.
    """
    if account.disabled_at is not None:
        return False
    account.disabled_at = now
    await sign_out_everywhere(session, account, now=now)
    return True


async def enable(session: AsyncSession, account: Account) -> bool:
    """Let an account sign in again, not its old sessions; False where it was not disabled."""
    if account.disabled_at is None:
        return False
    account.disabled_at = None
    await session.flush()
    return True


async def set_role(session: AsyncSession, account: Account, role: Role) -> bool:
    """Give an account another role, also in its open sessions; False where it had it."""
    if account.role == role:
        return False
    account.role = role.value
    await session.flush()
    return True


async def find(session: AsyncSession, account_id: str) -> Account | None:
    """Return the account with this id, disabled or not; None where there is none."""
    return await session.get(Account, account_id)


async def named(session: AsyncSession, name: str) -> Account | None:
    """Return the account with this name, whatever its case; None where there is none."""
    return await session.scalar(select(Account).where(Account.name_key == _name_key(name)))


async def everybody(session: AsyncSession) -> Sequence[Account]:
    """Return all accounts by name, also the disabled ones."""
    return (await session.scalars(select(Account).order_by(Account.name_key))).all()


def _name_key(name: str) -> str:
    return unicodedata.normalize("NFKC", " ".join(storable(name).split())).casefold()


def _taken(name: str) -> Refusal:
    return Refusal(
        f"there is an account `{name}`", "Its password is changed by: regresa accounts password"
    )
