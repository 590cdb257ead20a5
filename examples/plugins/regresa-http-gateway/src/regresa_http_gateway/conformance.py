"""The channel before Regresa's conformance suite: `pytest --pyargs channels.conformance`.

Needs pytest: a live system never imports this module.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest_asyncio

from channels.conformance import ChannelConformance, StandIn, Taken
from channels.errors import Misconfigured, OptedOut, Permanent, SendError, Transient, Uncertain
from channels.protocol import OutgoingMessage, Receipt, WebhookRequest
from regresa_http_gateway.stand_in import Gateway, Refusal, serving

_KEY, _SECRET = "a-key-of-the-tests", "a-secret-of-the-tests"
_PAUSE = timedelta(seconds=7)


class GatewayStandIn(StandIn):
    """The stand-in gateway, as the suite asks it."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self._gateway = gateway
        self._url = url

    @property
    def environment(self) -> Mapping[str, str]:
        """The channel's settings for this stand-in."""
        return {
            "REGRESA_GATEWAY_BASE_URL": self._url,
            "REGRESA_GATEWAY_API_KEY": _KEY,
            "REGRESA_GATEWAY_SENDER": "Aurora",
            "REGRESA_GATEWAY_WEBHOOK_SECRET": _SECRET,
        }

    def address(self, failure: type[SendError] | None) -> str:
        """Return a new number, and refuse the next message to it."""
        number = f"7999{uuid4().int % 10**7:07}"
        refusals = {
            Permanent: Refusal(422, "unknown_subscriber"),
            OptedOut: Refusal(422, "stop_list"),
            Misconfigured: Refusal(402, "no_money"),
            Transient: Refusal(429, headers={"Retry-After": f"{_PAUSE.seconds}"}),
            Uncertain: Refusal(0, takes_it=True),
        }
        if failure is not None:
            self._gateway.refusals[number] = refusals[failure]
        return f"+{number}"

    async def taken(self, message: OutgoingMessage) -> Sequence[Taken]:
        """Return what the gateway took for a number."""
        return [
            Taken(text=each["text"], valid_for=_seconds(each.get("ttl")))
            for each in self._gateway.taken
            if f"+{each['to']}" == message.to
        ]

    def reply(self, words: str, sender: str) -> WebhookRequest:
        """Return what a patient wrote, as the gateway posts it."""
        return _request(*self._gateway.message(words, sender))

    def report(self, receipt: Receipt, *, arrived: bool) -> WebhookRequest:
        """Return a report on a message, as the gateway posts it."""
        known = next(
            each for each in self._gateway.taken if each["known_as"] == receipt.provider_id
        )
        if arrived:
            return _request(*self._gateway.report(known, "delivered", None))
        return _request(*self._gateway.report(known, "undelivered", "unknown_subscriber"))


class GatewayConformance(ChannelConformance):
    """The whole suite, for this channel."""

    name = "gateway"
    reaches_by = "phone"
    wrong_setting = ("REGRESA_GATEWAY_BASE_URL", "http://gateway.example")
    retry_after = _PAUSE

    @pytest_asyncio.fixture
    async def stand_in(self) -> AsyncIterator[StandIn]:
        """A gateway of this test alone."""
        gateway = Gateway(api_key=_KEY, secret=_SECRET)
        async with serving(gateway) as url:
            yield GatewayStandIn(gateway, url)


def _request(body: bytes, signed: str) -> WebhookRequest:
    return WebhookRequest(
        url="https://aurora.example/webhooks/gateway",
        headers={"content-type": "application/json", "x-signature": signed},
        form={},
        body=body,
    )


def _seconds(ttl: Any) -> timedelta | None:
    return None if ttl is None else timedelta(seconds=int(ttl))
