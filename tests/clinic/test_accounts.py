"""Who may sign in: the right password of an account that is not disabled, and nothing else."""

import asyncio
import unicodedata
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher, extract_parameters

from clinic import accounts
from clinic.accounts import Role
from clinic.refusal import Refusal
from clinic.tables import Account

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

PASSWORD = "a river, two bridges"
OTHER = "three hills and a fog"
MINUTE = timedelta(minutes=1)


class Front:
    """The console's door: accounts are made, and people come with a name and a password."""

    def __init__(self, rows: "Rows") -> None:
        self.rows = rows
        self.database = rows.clinic.database

    async def make(
        self, name: str = "Vera", password: str = PASSWORD, role: Role = Role.STAFF
    ) -> Account:
        async with self.database.writing() as session:
            return await accounts.create(session, name, role, password, now=self.rows.now)

    async def sign_in(
        self, name: str, password: str, *, now: datetime | None = None
    ) -> Account | None:
        async with self.database.writing() as session:
            return await accounts.sign_in(session, name, password, now=now or self.rows.now)

    async def set_password(self, account: Account, password: str, now: datetime) -> None:
        async with self.database.writing() as session:
            found = await session.get_one(Account, account.id)
            await accounts.set_password(session, found, password, now=now)

    async def disable(self, account: Account, now: datetime) -> bool:
        async with self.database.writing() as session:
            found = await session.get_one(Account, account.id)
            return await accounts.disable(session, found, now=now)

    async def enable(self, account: Account) -> bool:
        async with self.database.writing() as session:
            return await accounts.enable(session, await session.get_one(Account, account.id))

    async def is_over(self, account: Account, begun_at: datetime) -> bool:
        async with self.database.reading() as session:
            found = await accounts.find(session, account.id)
        assert found is not None
        return accounts.is_over(found, begun_at)


@pytest.fixture
def front(rows: "Rows") -> Front:
    return Front(rows)


async def test_the_password_opens_the_account_and_another_does_not(
    front: Front, now: datetime
) -> None:
    made = await front.make()
    assert await front.sign_in("Vera", OTHER) is None
    assert (await front.rows.get(Account, made.id)).signed_in_at is None
    signed_in = await front.sign_in("Vera", PASSWORD, now=now + MINUTE)
    assert signed_in is not None
    assert signed_in.id == made.id
    stored = await front.rows.get(Account, made.id)
    assert (stored.role, stored.created_at) == (Role.STAFF, now)
    assert stored.signed_in_at == now + MINUTE


async def test_a_name_that_nobody_has_opens_nothing(front: Front) -> None:
    await front.make()
    for name in ("Boris", "", "Ve", "\ud800", "x" * 5_000):
        assert await front.sign_in(name, PASSWORD) is None


async def test_a_name_that_nobody_has_costs_the_work_of_a_wrong_password(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    await front.make()
    worked: list[str] = []
    for work in ("hash", "verify"):
        honest = getattr(PasswordHasher, work)

        def counted(*given: object, honest: object = honest, work: str = work) -> object:
            worked.append(work)
            return honest(*given)  # type: ignore[operator]

        monkeypatch.setattr(PasswordHasher, work, counted)
    await front.sign_in("Vera", OTHER)
    await front.sign_in("Boris", OTHER)
    assert worked == ["verify", "hash"]


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("  vera  IVANOVA ", id="case and spaces"),
        pytest.param("Vera\u00a0Ivanova", id="a space of another kind"),
    ],
)
async def test_a_name_is_known_however_it_is_typed(front: Front, typed: str) -> None:
    await front.make("Vera Ivanova")
    assert await front.sign_in(typed, PASSWORD) is not None


async def test_a_password_is_the_same_from_every_keyboard(front: Front) -> None:
    password = "un café en Bogotá"
    await front.make(password=unicodedata.normalize("NFC", password))
    assert await front.sign_in("Vera", unicodedata.normalize("NFD", password)) is not None
    assert await front.sign_in("Vera", password.upper()) is None


async def test_what_is_stored_is_argon2_with_a_salt_of_its_own(front: Front) -> None:
    made = [await front.make(name) for name in ("Vera", "Boris")]
    stored = [account.password_hash for account in made]
    assert stored[0] != stored[1]
    for text in stored:
        assert text.startswith("$argon2id$")
        assert PASSWORD not in text
        parameters = extract_parameters(text)
        assert (parameters.memory_cost, parameters.time_cost) >= (19 * 1024, 2)


async def test_a_hash_with_older_parameters_is_made_anew_at_the_next_sign_in(
    front: Front,
) -> None:
    made = await front.make()
    older = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await front.rows.change(made, password_hash=older)
    assert await front.sign_in("Vera", OTHER) is None
    assert (await front.rows.get(Account, made.id)).password_hash == older
    assert await front.sign_in("Vera", PASSWORD) is not None
    renewed = (await front.rows.get(Account, made.id)).password_hash
    assert extract_parameters(renewed) == extract_parameters(made.password_hash)
    assert await front.sign_in("Vera", PASSWORD) is not None


async def test_a_new_password_ends_the_sessions_begun_before(front: Front, now: datetime) -> None:
    made = await front.make()
    assert not await front.is_over(made, now)
    await front.set_password(made, OTHER, now + MINUTE)
    assert await front.sign_in("Vera", PASSWORD) is None
    assert await front.sign_in("Vera", OTHER) is not None
    assert await front.is_over(made, now)
    assert not await front.is_over(made, now + MINUTE)


async def test_a_disabled_account_is_out_at_once_and_comes_back_by_signing_in(
    front: Front, now: datetime
) -> None:
    made = await front.make()
    assert await front.disable(made, now + MINUTE)
    assert not await front.disable(made, now + 2 * MINUTE)
    assert await front.sign_in("Vera", PASSWORD) is None
    assert await front.is_over(made, now + 2 * MINUTE)
    assert await front.enable(made)
    assert not await front.enable(made)
    assert await front.sign_in("Vera", PASSWORD) is not None
    assert await front.is_over(made, now)
    assert not await front.is_over(made, now + 2 * MINUTE)


async def test_another_role_counts_from_the_next_look(front: Front) -> None:
    made = await front.make()
    async with front.database.writing() as session:
        account = await session.get_one(Account, made.id)
        assert await accounts.set_role(session, account, Role.ADMIN)
        assert not await accounts.set_role(session, account, Role.ADMIN)
    assert (await front.rows.get(Account, made.id)).role == Role.ADMIN


async def test_accounts_are_listed_by_name(front: Front, now: datetime) -> None:
    for name in ("vera", "Boris", "Ирина"):
        await front.make(name)
    await front.disable((await front.rows.all(Account))[0], now)
    async with front.database.reading() as session:
        listed = await accounts.everybody(session)
        unknown = await accounts.find(session, "ac-0")
    assert [account.name for account in listed] == ["Boris", "vera", "Ирина"]
    assert unknown is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("", "1 to 60 printable", id="empty"),
        pytest.param("   ", "1 to 60 printable", id="blank"),
        pytest.param("x" * 61, "1 to 60 printable", id="too long"),
        pytest.param("Ve\x1b[31mra", "1 to 60 printable", id="steers a terminal"),
        pytest.param("Ve\u202era", "1 to 60 printable", id="turned around"),
        pytest.param("VERA", "there is an account `Vera`", id="taken"),
        pytest.param("ＶＥＲＡ", "there is an account `Vera`", id="taken, in wide letters"),
    ],
)
async def test_a_name_that_cannot_be_had_is_refused(front: Front, name: str, said: str) -> None:
    await front.make("Vera")
    with pytest.raises(Refusal, match=said):
        await front.make(name)
    assert [account.name for account in await front.rows.all(Account)] == ["Vera"]


async def test_of_two_who_take_a_name_at_once_one_gets_it(front: Front) -> None:
    both = await asyncio.gather(front.make("Vera"), front.make("vera"), return_exceptions=True)
    refused = [result for result in both if not isinstance(result, Account)]
    assert [type(refusal) for refusal in refused] == [Refusal]
    assert "there is an account" in str(refused[0])
    assert len(await front.rows.all(Account)) == 1


@pytest.mark.parametrize(
    ("password", "said"),
    [
        pytest.param("", "has 0 characters, at least 12", id="empty"),
        pytest.param("elevenchars", "has 11 characters, at least 12", id="too short"),
        pytest.param("x" * 201, "has 201 characters, at most 200", id="too long"),
        pytest.param("VERA IVANOVA", "is the account's name", id="the name"),
    ],
)
async def test_a_password_that_is_not_allowed_is_refused_and_not_repeated(
    front: Front, now: datetime, password: str, said: str
) -> None:
    with pytest.raises(Refusal, match=said):
        await front.make("Vera Ivanova", password)
    made = await front.make("Vera Ivanova")
    with pytest.raises(Refusal, match=said) as refused:
        await front.set_password(made, password, now)
    assert not password or password not in str(refused.value)
    assert await front.sign_in("Vera Ivanova", PASSWORD) is not None


@pytest.mark.parametrize("password", ["x" * 12, "x" * 200, "пароль из слов", "\ud800" * 12])
async def test_length_is_all_that_is_asked_of_a_password(front: Front, password: str) -> None:
    await front.make(password=password)
    assert await front.sign_in("Vera", password) is not None


async def test_a_language_that_the_console_does_not_speak_is_refused(
    front: Front, now: datetime
) -> None:
    async with front.database.writing() as session:
        with pytest.raises(Refusal, match="does not speak `xx`"):
            await accounts.create(session, "Vera", Role.OPS, PASSWORD, now=now, language="xx")
        made = await accounts.create(session, "Vera", Role.OPS, PASSWORD, now=now, language="ru")
    assert (await front.rows.get(Account, made.id)).language == "ru"
