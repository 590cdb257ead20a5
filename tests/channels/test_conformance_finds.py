"""The suite finds what is wrong with a channel, and says what."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from channels.call import CallChannel
from channels.conformance import ChannelConformance, StandIn, Taken
from channels.errors import SendError
from channels.protocol import OutgoingMessage, Receipt


class Suite(ChannelConformance):
    name = "lacking"
    reaches_by = "phone"
    wrong_setting = ("REGRESA_LACKING", "")


class Post(StandIn):
    """Takes whatever it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    @property
    def environment(self) -> Mapping[str, str]:
        return {}

    def address(self, failure: type[SendError] | None) -> str:
        assert failure is None
        return "+13055550123"

    async def taken(self, message: OutgoingMessage) -> Sequence[Taken]:
        assert message.to == self.address(None)
        return [Taken(text=text) for text in self.texts]


class Sender:
    """Hands over each text as it is told."""

    def __init__(self, post: Post, form: str) -> None:
        self._post = post
        self._form = form

    async def send(self, message: OutgoingMessage) -> Receipt:
        self._post.texts.append(self._form.format(message=message))
        return Receipt(provider_id="1")


@pytest.mark.parametrize(
    "lacking", ["settles", "fetches", "host", "per_second", "reconcile", "redact", "close"]
)
def test_a_member_that_is_missing_is_named(lacking: str) -> None:
    members = {name: getattr(CallChannel, name) for name in dir(CallChannel) if name[0] != "_"}
    del members[lacking]
    channel: Any = type("Lacking", (), members)()
    with pytest.raises(AssertionError, match=f"^Lacking lacks {lacking}\\b"):
        Suite().test_it_has_every_member_of_the_protocol(channel)


@pytest.mark.parametrize(
    ("form", "times"),
    [
        pytest.param("{message.text}\n{message.text}", 2, id="the text twice in one message"),
        pytest.param("Hola", 0, id="no link"),
    ],
)
async def test_a_text_that_is_not_there_once_is_found(form: str, times: int) -> None:
    post = Post()
    channel: Any = Sender(post, form)
    with pytest.raises(AssertionError, match=f"link stands {times} times"):
        await Suite().test_the_provider_takes_it_once_with_the_patients_link(channel, post)


async def test_a_text_with_the_link_and_a_way_to_say_stop_is_fine() -> None:
    post = Post()
    channel: Any = Sender(post, "{message.text} {message.stop_url}")
    await Suite().test_the_provider_takes_it_once_with_the_patients_link(channel, post)
