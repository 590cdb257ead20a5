"""Webhooks: only the provider's own are believed, and no word of a patient's is lost."""

import json
import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from channels.conformance.given import Given, only_where
from channels.conformance.stand_in import StandIn
from channels.protocol import Channel, ProviderEvent, WebhookRequest
from clinic.event import EventKind
from clinic.inbox import SILENCING

_URL = "https://aurora.example/webhooks/x"
_WORD, _OTHER_WORD = "perhaps", "certain"
_STRANGE_SIGNATURES = ("", "\0", "é", "=", "Bearer ", "A" * 10_000, "bWFkZSB1cA==", "0" * 64)
_STRANGE_VALUES: tuple[Any, ...] = (None, 7, "", [], {}, True, "\0", 1e308, ["a"])
_STRANGE_BODIES = (
    b"",
    b"null",
    b"[]",
    b"{}",
    b'"words"',
    b"\xff\xfe",
    b"[" * 60_000,
    b"9" * 5_000,
    b"<xml/>",
    b"%",
    b"=&=&",
)


class Webhooks(Given):
    """What the provider posts to the console, and what others post there."""

    @pytest.fixture
    def reply(self, stand_in: StandIn) -> WebhookRequest:
        """A reply, as the provider hands it over."""
        return stand_in.reply(_WORD, stand_in.address(None))

    @only_where("takes_webhooks")
    def test_what_the_provider_sends_is_genuine(
        self, channel: Channel, reply: WebhookRequest
    ) -> None:
        assert channel.verify(reply) is True

    def test_what_anybody_may_send_is_not_genuine(self, channel: Channel) -> None:
        for form in ({}, {"From": "+13055550123", "Body": "BAJA"}):
            for body in _STRANGE_BODIES:
                request = WebhookRequest(url=_URL, headers={}, form=form, body=body)
                assert channel.verify(request) is False

    @only_where("takes_webhooks")
    def test_nothing_is_genuine_without_what_the_provider_adds(
        self, channel: Channel, reply: WebhookRequest
    ) -> None:
        bare = reply.model_copy(update={"headers": {}, "url": reply.url.partition("?")[0]})
        assert channel.verify(bare) is False

    @only_where("takes_webhooks")
    def test_a_signature_made_up_is_not_genuine(
        self, channel: Channel, reply: WebhookRequest
    ) -> None:
        for name in _signing_headers(channel, reply):
            for value in _STRANGE_SIGNATURES:
                assert channel.verify(_with_header(reply, name, value)) is False, (name, value)

    @only_where("takes_webhooks")
    def test_a_signature_with_one_character_changed_is_not_genuine(
        self, channel: Channel, reply: WebhookRequest
    ) -> None:
        for name in _signing_headers(channel, reply):
            for changed in _one_character_changed(reply.headers[name]):
                assert channel.verify(_with_header(reply, name, changed)) is False, (name, changed)

    @only_where("takes_webhooks", "signs_content")
    def test_words_that_were_changed_on_the_way_are_not_genuine(
        self, channel: Channel, reply: WebhookRequest
    ) -> None:
        changed = {name: _forged(value) for name, value in reply.form.items()}
        body = _forged(reply.body.decode("latin-1")).encode("latin-1")
        forged = reply.model_copy(update={"form": changed, "body": body})
        assert forged != reply
        assert channel.verify(forged) is False

    @only_where("takes_webhooks")
    @pytest.mark.parametrize(
        "words",
        [
            pytest.param("STOP", id="stop"),
            pytest.param("Sí, ¿el sábado?\nGracias — “Ana”", id="Spanish"),
            pytest.param("Да, запишите меня", id="Russian"),
            pytest.param("👍🏽 نعم", id="emoji and Arabic"),
            pytest.param("a+b & c=d % 100; {x} <y> \\u0041 'q' \"r\"", id="signs"),
            pytest.param("  spaces  ", id="spaces"),
            pytest.param("á" * 1600, id="long"),
            pytest.param("1", id="a digit"),
        ],
    )
    def test_a_reply_keeps_who_wrote_and_every_word(
        self, channel: Channel, stand_in: StandIn, words: str
    ) -> None:
        sender = stand_in.address(None)
        request = stand_in.reply(words, sender)
        assert channel.verify(request) is True
        (event,) = channel.parse(request)
        assert (event.kind, event.from_address, event.body) == (EventKind.REPLY, sender, words)
        assert event.provider_id is None

    @only_where("takes_webhooks")
    def test_the_same_request_has_the_same_key_and_another_has_another(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        sender = stand_in.address(None)
        first, second = (stand_in.reply("Sí", sender) for _ in range(2))
        keys = [event.key for request in (first, first, second) for event in channel.parse(request)]
        assert keys[0] == keys[1] != keys[2]
        assert [key for key in keys if sender.removeprefix("+") in key] == []

    @only_where("takes_webhooks")
    @pytest.mark.asyncio
    async def test_a_report_names_its_message_and_only_a_failure_is_one(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        message = await self.message(stand_in)
        receipt = await channel.send(message)
        events = []
        for arrived in (True, False):
            request = stand_in.report(receipt, arrived=arrived)
            assert channel.verify(request) is True
            events += channel.parse(request)
        delivered, failed = events
        for event in events:
            assert event.provider_id == receipt.provider_id
            assert event.message in (None, message.key)
            assert event.status
        assert delivered.key != failed.key
        assert delivered.kind not in (*SILENCING, EventKind.BOUNCED, EventKind.RETURNED)
        assert delivered.failure is None
        assert (failed.kind, failed.bad_address) == (EventKind.BOUNCED, True)
        assert failed.failure

    @only_where("takes_webhooks")
    @pytest.mark.asyncio
    async def test_a_message_that_came_back_can_be_sent_anew_and_is_another_one(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        first = await self.message(stand_in)
        # same key, same link: only the claim is a new one
        anew = first.model_copy(update={"claimed_at": first.claimed_at + timedelta(hours=1)})
        receipts = [await channel.send(message) for message in (first, anew)]
        assert receipts[0] != receipts[1]
        if channel.settles:
            assert await channel.reconcile(anew) == receipts[1]

    def test_what_is_of_no_known_form_is_a_value_error_and_nothing_else(
        self, channel: Channel
    ) -> None:
        for body in _STRANGE_BODIES:
            for form in ({}, {"surprise": "yes"}):
                with pytest.raises(ValueError, match=r".+"):
                    channel.parse(WebhookRequest(url=_URL, headers={}, form=form, body=body))

    def test_random_bytes_are_never_more_than_a_value_error(self, channel: Channel) -> None:
        chance = random.Random(20261122)  # noqa: S311 - the same bytes on every run
        for _ in range(200):
            body = chance.randbytes(chance.randrange(200))
            form = {body.decode("latin-1")[:20]: body.decode("latin-1")}
            assert _read(channel, WebhookRequest(url=_URL, headers={}, form=form, body=body)) == []

    @only_where("takes_webhooks")
    @pytest.mark.asyncio
    async def test_a_genuine_request_with_a_part_amiss_is_read_or_a_value_error(
        self, channel: Channel, stand_in: StandIn, reply: WebhookRequest
    ) -> None:
        receipt = await channel.send(await self.message(stand_in))
        for request in (reply, stand_in.report(receipt, arrived=False)):
            for amiss in _with_a_part_amiss(request):
                for event in _read(channel, amiss):
                    assert isinstance(event, ProviderEvent)
                    assert event.key

    @only_where("takes_webhooks")
    def test_an_error_repeats_no_word_of_a_patients(
        self, channel: Channel, reply: WebhookRequest
    ) -> None:
        for amiss in _with_a_part_amiss(reply):
            try:
                channel.parse(amiss)
            except ValueError as error:
                assert _WORD not in str(error)  # noqa: PT017 - not every one of them is an error


def _read(channel: Channel, request: WebhookRequest) -> list[ProviderEvent]:
    try:
        return channel.parse(request)
    except ValueError:
        return []


def _signing_headers(channel: Channel, request: WebhookRequest) -> list[str]:
    """Return the headers without which the request is not genuine."""
    return [name for name in request.headers if not channel.verify(_without(request, name))]


def _without(request: WebhookRequest, name: str) -> WebhookRequest:
    rest = {key: value for key, value in request.headers.items() if key != name}
    return request.model_copy(update={"headers": rest})


def _with_header(request: WebhookRequest, name: str, value: str) -> WebhookRequest:
    return request.model_copy(update={"headers": {**request.headers, name: value}})


def _one_character_changed(value: str) -> Iterator[str]:
    for place, character in enumerate(value):
        other = "1" if character == "0" else "0"
        yield value[:place] + other + value[place + 1 :]


def _forged(text: str) -> str:
    return text.replace(_WORD, _OTHER_WORD)


def _with_a_part_amiss(request: WebhookRequest) -> Iterator[WebhookRequest]:
    for name in request.form:
        rest = {key: value for key, value in request.form.items() if key != name}
        yield request.model_copy(update={"form": rest})
        for value in ("", "\0", "9" * 400):
            yield request.model_copy(update={"form": rest | {name: value}})
    for place in range(0, len(request.body), 7):
        yield request.model_copy(update={"body": request.body[:place]})
    try:
        written = json.loads(request.body)
    except ValueError:
        return
    for changed in _changed(written):
        yield request.model_copy(update={"body": json.dumps(changed).encode()})


def _changed(written: object) -> Iterator[object]:
    """Yield a JSON document with each of its parts, in turn, left out or of another type."""
    yield from _STRANGE_VALUES
    if isinstance(written, list):
        for place, part in enumerate(written):
            for other in _changed(part):
                yield [*written[:place], other, *written[place + 1 :]]
    if isinstance(written, Mapping):
        for name, part in written.items():
            yield {key: value for key, value in written.items() if key != name}
            for other in _changed(part):
                yield {**written, name: other}
