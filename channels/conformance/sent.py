"""Sending: a receipt or one failure of the closed set, and never a message twice."""

import asyncio
from datetime import timedelta

import pytest

from channels.conformance.given import Given, only_where
from channels.conformance.stand_in import StandIn, Taken
from channels.errors import SendError, Transient, Uncertain
from channels.protocol import Channel, OutgoingMessage, Receipt

_AT_ONCE = 20
_LONGEST_CODE = 80


class Sending(Given):
    """A message handed over, refused, cut off, and asked for."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Try every failure that the provider knows."""
        if "failure" in metafunc.fixturenames:
            known = sorted(self.failures, key=lambda failure: failure.__name__)
            metafunc.parametrize("failure", known, ids=[failure.__name__ for failure in known])

    @pytest.mark.asyncio
    async def test_a_message_that_was_sent_has_a_receipt_without_an_address(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        message = await self.message(stand_in)
        receipt = await channel.send(message)
        assert isinstance(receipt, Receipt)
        assert receipt.provider_id
        assert personal_in(receipt.provider_id, message) == []

    @pytest.mark.asyncio
    async def test_the_provider_takes_it_once_with_the_patients_link(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        message = await self.message(stand_in)
        await channel.send(message)
        (taken,) = await stand_in.taken(message)
        assert_once(message, taken)

    @pytest.mark.asyncio
    @pytest.mark.parametrize(
        "words",
        [
            pytest.param("¿Le esperamos el sábado, señora Núñez?", id="Spanish"),
            pytest.param("Здравствуйте, Татьяна! Ждём вас.", id="Russian"),
            pytest.param("5 < 6 & \"x\" + 'y' = 100 %\n— “ok” €{}", id="signs"),
            pytest.param("Hola 👋🏽", id="beyond the basic plane"),
        ],
    )
    async def test_a_text_of_any_letters_is_sent(
        self, channel: Channel, stand_in: StandIn, words: str
    ) -> None:
        message = await self.message(stand_in)
        message = message.model_copy(update={"text": f"{words}\n{message.link}"})
        await channel.send(message)
        (taken,) = await stand_in.taken(message)
        assert_once(message, taken)

    @pytest.mark.asyncio
    async def test_many_at_once_are_each_taken_once(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        messages = [await self.message(stand_in) for _ in range(_AT_ONCE)]
        receipts = await asyncio.gather(*(channel.send(message) for message in messages))
        assert len({receipt.provider_id for receipt in receipts}) == _AT_ONCE
        assert [len(await stand_in.taken(message)) for message in messages] == [1] * _AT_ONCE

    @only_where("limits_validity")
    @pytest.mark.asyncio
    async def test_a_validity_reaches_the_provider_and_none_is_made_up(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        within = timedelta(hours=2)
        limited = await self.message(stand_in, valid_for=within)
        free = await self.message(stand_in, valid_for=None)
        await asyncio.gather(channel.send(limited), channel.send(free))
        (taken,) = await stand_in.taken(limited)
        # a minute less may have passed on the way, and never a second more is allowed
        assert taken.valid_for is not None
        assert within - timedelta(minutes=1) <= taken.valid_for <= within
        (taken,) = await stand_in.taken(free)
        assert taken.valid_for is None

    @pytest.mark.asyncio
    async def test_a_failure_is_the_one_that_it_means(
        self, channel: Channel, stand_in: StandIn, failure: type[SendError]
    ) -> None:
        message = await self._message_that_fails(stand_in, failure)
        failed = await failure_of(channel, message)
        assert type(failed) is failure
        assert 0 < len(failed.code) <= _LONGEST_CODE
        assert personal_in(failed.code, message) == []
        # what the provider said, and what the library raised, hold the address
        assert failed.__cause__ is None
        assert failed.__suppress_context__ or failed.__context__ is None

    @pytest.mark.asyncio
    async def test_the_channel_itself_repeats_nothing(
        self, channel: Channel, stand_in: StandIn, failure: type[SendError]
    ) -> None:
        message = await self._message_that_fails(stand_in, failure)
        await failure_of(channel, message)
        assert len(await stand_in.taken(message)) == (1 if failure is Uncertain else 0)

    @pytest.mark.asyncio
    async def test_the_providers_pause_is_kept(self, channel: Channel, stand_in: StandIn) -> None:
        message = await self._message_that_fails(stand_in, Transient)
        failed = await failure_of(channel, message)
        assert isinstance(failed, Transient)
        assert failed.retry_after == self.retry_after

    @pytest.mark.asyncio
    async def test_what_was_refused_for_now_is_taken_later_once(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        message = await self._message_that_fails(stand_in, Transient)
        await failure_of(channel, message)
        await channel.send(message)
        assert len(await stand_in.taken(message)) == 1

    @pytest.mark.asyncio
    async def test_one_patients_failure_is_nobody_elses(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        if not self.failures:
            pytest.skip("nothing fails")
        for failure in self.failures:
            await failure_of(channel, await self._message_that_fails(stand_in, failure))
        message = await self.message(stand_in)
        await channel.send(message)
        assert len(await stand_in.taken(message)) == 1

    @pytest.mark.asyncio
    async def test_a_message_that_was_sent_is_found_again_and_not_sent_by_asking(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        if not channel.settles:
            pytest.skip("it can't be asked for")
        message = await self.message(stand_in)
        receipt = await channel.send(message)
        assert await channel.reconcile(message) == receipt
        assert len(await stand_in.taken(message)) == 1

    @pytest.mark.asyncio
    async def test_a_lost_answer_is_settled_or_left_open_but_nothing_is_sent_by_asking(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        message = await self._message_that_fails(stand_in, Uncertain)
        await failure_of(channel, message)
        if channel.settles:
            found = await channel.reconcile(message)
            assert found is not None, "the provider has it: it would be sent twice"
        else:
            assert await self._left_open(channel, message)
        assert len(await stand_in.taken(message)) == 1

    @pytest.mark.asyncio
    async def test_a_message_that_never_arrived_is_not_found(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        message = await self.message(stand_in)
        if not channel.settles:
            assert await self._left_open(channel, message)
            return
        found = await channel.reconcile(message)
        if self.opens_by_asking:
            assert len(await stand_in.taken(message)) == (0 if found is None else 1)
        else:
            assert found is None
            assert list(await stand_in.taken(message)) == []

    @pytest.mark.asyncio
    async def test_another_message_to_the_same_address_is_not_taken_for_it(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        if not channel.settles:
            pytest.skip("it can't be asked for")
        earlier = await self.message(stand_in)
        receipt = await channel.send(earlier)
        later = await self.message(stand_in, to=earlier.to)
        assert await channel.reconcile(later) != receipt

    async def _message_that_fails(
        self, stand_in: StandIn, failure: type[SendError]
    ) -> OutgoingMessage:
        if failure not in self.failures:
            pytest.skip(f"the provider knows no {failure.__name__}")
        return await self.message(stand_in, failure)

    async def _left_open(self, channel: Channel, message: OutgoingMessage) -> bool:
        """Whether a channel that can't settle lets it be sent again, or says that nobody knows."""
        try:
            return await channel.reconcile(message) is None
        except Uncertain:
            return True


async def failure_of(channel: Channel, message: OutgoingMessage) -> SendError:
    """Return how the sending of a message fails."""
    with pytest.raises(SendError) as raised:
        await channel.send(message)
    return raised.value


def assert_once(message: OutgoingMessage, taken: Taken) -> None:
    """Tell that the text reached the provider, and not twice within one message."""
    links = taken.text.replace(message.stop_url, "").count(message.link)
    assert links == 1, f"the patient's link stands {links} times in the text that was taken"


def personal_in(said: str, message: OutgoingMessage) -> list[str]:
    """Return what of a message stands in a text that is logged."""
    words = (message.to, message.to.removeprefix("+"), "Sofía", message.link, message.text)
    return [word for word in words if word in said]
