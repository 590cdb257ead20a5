"""Fetching, where the provider calls no webhook: nothing is lost, and nothing comes for ever."""

import pytest

from channels.conformance.given import Given, only_where
from channels.conformance.stand_in import StandIn
from channels.protocol import Channel, Fetched
from clinic.event import EventKind


class Fetching(Given):
    """What came in at the provider, asked for again and again."""

    @pytest.mark.asyncio
    async def test_it_says_whether_it_fetches_and_else_there_is_nothing(
        self, channel: Channel
    ) -> None:
        assert channel.fetches is self.fetches
        if not channel.fetches:
            assert list(await channel.fetch()) == []
        await channel.acknowledge([])

    @only_where("fetches")
    @pytest.mark.asyncio
    @pytest.mark.parametrize(
        "words",
        [
            pytest.param("Sí, ¿el sábado?", id="Spanish"),
            pytest.param("Да, запишите меня", id="Russian"),
            pytest.param("👍🏽 < & > %", id="signs"),
        ],
    )
    async def test_what_a_patient_wrote_is_fetched_with_every_word(
        self, channel: Channel, stand_in: StandIn, words: str
    ) -> None:
        sender = stand_in.address(None)
        await stand_in.arrive(words, sender)
        fetched = await _all_of(channel)
        found = [event for each in fetched for event in each.events if event.body.strip() == words]
        assert [(event.kind, event.from_address) for event in found] == [(EventKind.REPLY, sender)]

    @only_where("fetches")
    @pytest.mark.asyncio
    async def test_it_comes_again_under_the_same_key_until_it_is_acknowledged(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        await stand_in.arrive("Sí", stand_in.address(None))
        first, again = await channel.fetch(), await channel.fetch()
        assert first
        assert list(first) == list(again)
        await _all_of(channel)
        assert list(await channel.fetch()) == []

    @only_where("fetches")
    @pytest.mark.asyncio
    async def test_two_messages_have_two_keys_without_an_address(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        sender = stand_in.address(None)
        await stand_in.arrive("Sí", sender)
        await stand_in.arrive("Sí", sender)
        fetched = await _all_of(channel)
        keys = [event.key for each in fetched for event in each.events]
        assert len(set(keys)) == len(keys) >= 2  # noqa: PLR2004 - both, and what else there was
        assert [key for key in keys if sender.removeprefix("+") in key] == []


async def _all_of(channel: Channel) -> list[Fetched]:
    """Fetch and acknowledge until there is nothing more."""
    everything: list[Fetched] = []
    while fetched := await channel.fetch():
        everything += fetched
        await channel.acknowledge(fetched)
    return everything
