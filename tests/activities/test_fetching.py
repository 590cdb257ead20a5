"""What is fetched is stored first, acknowledged after, and stops nothing else when it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from activities.fetching import Fetching
from activities.reception import Reception
from channels.call import CallChannel, CallSettings
from channels.email import EmailChannel, EmailSettings
from channels.errors import Misconfigured, SendError, Transient
from channels.protocol import Channel, Fetched, ProviderEvent
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Event
from tests.imap_server import ImapServer

QUICK = timedelta(milliseconds=10)


class Provider(CallChannel):
    """A provider that has, fails and forgets as it is told."""

    name: ClassVar[str] = "email"
    fetches: ClassVar[bool] = True

    def __init__(self, clinic: Clinic) -> None:
        super().__init__(CallSettings(database_url=clinic.settings.database_url))
        self.has: list[Fetched] = []
        self.fails: SendError | None = None
        self.takes_acknowledgements = True
        self.asked = 0

    async def fetch(self) -> Sequence[Fetched]:
        self.asked += 1
        if self.fails is not None:
            raise self.fails
        return list(self.has)

    async def acknowledge(self, fetched: Sequence[Fetched]) -> None:
        if not self.takes_acknowledgements:
            raise Transient("not told")
        self.has = [one for one in self.has if one not in fetched]


def fetched(key: str, *bodies: str) -> Fetched:
    events = [
        ProviderEvent(
            key=f"{key}.{number}",
            kind=EventKind.REPLY,
            from_address="nobody@example.com",
            body=body,
        )
        for number, body in enumerate(bodies)
    ]
    return Fetched(receipt=key, events=tuple(events))


@pytest.fixture
def provider(clinic: Clinic) -> Provider:
    return Provider(clinic)


@pytest.fixture
def fetch_from(clinic: Clinic) -> Callable[[Channel], Fetching]:
    def make(channel: Channel) -> Fetching:
        reception = Reception(clinic.folder, clinic.key)
        return Fetching(clinic.database, {channel.name: channel}, reception, QUICK)

    return make


async def stored(clinic: Clinic) -> list[str]:
    async with clinic.database.reading() as session:
        return list(await session.scalars(select(Event.body).order_by(Event.number)))


async def until(ready: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await ready():
            await asyncio.sleep(0.01)


async def test_everything_that_one_thing_reports_is_stored_and_then_acknowledged(
    clinic: Clinic, provider: Provider, fetch_from: Callable[[Channel], Fetching]
) -> None:
    provider.has = [fetched("a", "uno", "dos"), fetched("b", "tres")]
    assert await fetch_from(provider).fetch_once(provider) == 2
    assert await stored(clinic) == ["uno", "dos", "tres"]
    assert provider.has == []


async def test_what_was_not_acknowledged_is_stored_once(
    clinic: Clinic, provider: Provider, fetch_from: Callable[[Channel], Fetching]
) -> None:
    provider.has, provider.takes_acknowledgements = [fetched("a", "uno")], False
    for _ in range(2):
        with pytest.raises(Transient):
            await fetch_from(provider).fetch_once(provider)
    assert await stored(clinic) == ["uno"]


async def test_two_workers_that_fetch_at_once_store_it_once(
    clinic: Clinic, provider: Provider, fetch_from: Callable[[Channel], Fetching]
) -> None:
    provider.has = [fetched(key, key) for key in ("uno", "dos", "tres")]
    one, other = fetch_from(provider), fetch_from(provider)
    await asyncio.gather(one.fetch_once(provider), other.fetch_once(provider))
    provider.has = []
    assert sorted(await stored(clinic)) == ["dos", "tres", "uno"]


class Reluctant(Reception):
    """Fails at one event, as a database might."""

    async def receive(self, session: Any, channel: str, event: ProviderEvent, **more: Any) -> None:
        await super().receive(session, channel, event, **more)
        if event.body == "impossible":
            raise OSError


async def test_what_cannot_be_stored_is_kept_there_and_stops_nothing(
    clinic: Clinic, provider: Provider
) -> None:
    cannot = fetched("b", "half", "impossible")
    provider.has = [fetched("a", "uno"), cannot, fetched("c", "tres")]
    reception = Reluctant(clinic.folder, clinic.key)
    fetching = Fetching(clinic.database, {"email": provider}, reception, QUICK)
    with capture_logs() as logged:
        assert await fetching.fetch_once(provider) == 2
        assert await stored(clinic) == ["uno", "tres"]  # of the other, nothing by half
        assert provider.has == [cannot]
        assert await fetching.fetch_once(provider) == 0
    told = [line["event"] for line in logged if "fetch" in line["event"]]
    assert told == ["fetched, and not stored"]  # once, however often it is tried


async def test_a_provider_that_fails_is_told_of_once_and_asked_again(
    clinic: Clinic, provider: Provider, fetch_from: Callable[[Channel], Fetching]
) -> None:
    provider.fails = Transient("imap down")
    stop = asyncio.Event()
    with capture_logs() as logged:
        running = asyncio.create_task(fetch_from(provider).run(stop))

        async def asked_often() -> bool:
            return provider.asked >= 4

        await until(asked_often)
        provider.has, provider.fails = [fetched("a", "uno")], None

        async def arrived() -> bool:
            return await stored(clinic) == ["uno"]

        await until(arrived)
        stop.set()
        await running
    told = [line["event"] for line in logged if "fetch" in line["event"]]
    assert told == ["can't fetch", "fetches again"]


async def test_a_provider_that_goes_on_failing_is_told_of_again_with_what_to_look_at(
    clinic: Clinic, provider: Provider
) -> None:
    provider.fails = Misconfigured("imap login", look_at="REGRESA_EMAIL_IMAP_PASSWORD")
    stop = asyncio.Event()
    reception = Reception(clinic.folder, clinic.key)
    fetching = Fetching(clinic.database, {"email": provider}, reception, QUICK, timedelta(0))
    with capture_logs() as logged:
        running = asyncio.create_task(fetching.run(stop))

        async def asked_again() -> bool:
            return provider.asked >= 2

        await until(asked_again)
        stop.set()
        await running
    # the sandbox, which all tests share, may say something of its own meanwhile
    line, *again = [said for said in logged if "channel" in said]
    assert line == {
        "event": "can't fetch",
        "log_level": "error",
        "channel": "email",
        "reason": "Misconfigured",
        "code": "imap login",
        "look_at": "REGRESA_EMAIL_IMAP_PASSWORD",
    }
    assert again == [line] * (provider.asked - 1)


async def test_a_defect_in_a_channel_ends_no_worker(
    provider: Provider, fetch_from: Callable[[Channel], Fetching]
) -> None:
    provider.fails = ZeroDivisionError()  # type: ignore[assignment]  # what no channel may raise
    stop = asyncio.Event()
    running = asyncio.create_task(fetch_from(provider).run(stop))

    async def asked_again() -> bool:
        return provider.asked >= 2

    await until(asked_again)
    assert not running.done()
    stop.set()
    await running


async def test_it_ends_at_once_where_no_channel_fetches(clinic: Clinic) -> None:
    calls = CallChannel(CallSettings(database_url=clinic.settings.database_url))
    reception = Reception(clinic.folder, clinic.key)
    async with asyncio.timeout(5):
        await Fetching(clinic.database, {"call": calls}, reception).run(asyncio.Event())
    await calls.close()


async def test_a_mail_in_the_mailbox_becomes_an_event(
    clinic: Clinic,
    imap_settings: Callable[..., EmailSettings],
    imap_server: ImapServer,
    fetch_from: Callable[[Channel], Fetching],
) -> None:
    imap_server.deliver(b"From: nobody@example.com\r\nSubject: Re: x\r\n\r\nQuiero una cita\r\n")
    channel = EmailChannel(imap_settings())
    assert await fetch_from(channel).fetch_once(channel) == 1
    assert await stored(clinic) == ["Quiero una cita"]
    assert b"$RegresaStored" in imap_server.flags()[0]
    assert await fetch_from(channel).fetch_once(channel) == 0
