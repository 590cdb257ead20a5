"""Twilio's Messages API: hand a message over, once, and look for one that may have been taken."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError
from twilio.base.exceptions import TwilioException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from channels import errors
from channels.twilio_failures import (
    NEVER_ARRIVES,
    UNREADABLE,
    Meaning,
    Refused,
    broken,
    meaning_of,
    not_asked,
    not_sent,
)
from channels.twilio_settings import TwilioSettings

_SECONDS = 10.0
"""To ask about a message, and again to send it: together shorter than an activity's time-out, so
a try ends before the next begins."""

_LISTED = 100
"""Messages to one number among which one is looked for: more than it gets in a year."""

_TAKEN = range(200, 300)
_NO_MESSAGE = (TwilioException, ValueError, TypeError, AttributeError, RecursionError)
"""What Twilio's client raises about an answer that is no message."""


class TwilioMessages:
    """The messages of one account. It is used concurrently, on one event loop.

    Args:
        settings: The account.
    """

    def __init__(self, settings: TwilioSettings) -> None:
        self._settings = settings
        self._twilio: Client | None = None

    @property
    def host(self) -> str:
        """The API's host."""
        return urlsplit(self._settings.base_url).hostname or ""

    async def create(self, **fields: Any) -> str:
        """Create a message and return its id; never repeated by the client itself.

        Args:
            fields: As Twilio's client names them; those that are None are left out.

        Raises:
            SendError: One of the closed set.
        """
        create: Any = self._client().messages.create_async
        try:
            async with asyncio.timeout(_SECONDS):  # the client takes one and never applies it
                created = await create(**fields)
        except Refused as refused:
            raise not_sent(refused) from None
        except (ClientError, OSError) as error:
            raise broken(error) from None
        except _NO_MESSAGE:
            raise errors.Uncertain(UNREADABLE) from None
        if not created.sid:
            raise errors.Uncertain(UNREADABLE)
        return str(created.sid)

    async def find(self, to: str, words: str) -> str | None:
        """Return the id of the latest message to a number whose text holds the words.

        Dates decide nothing: a message that still waits in Twilio's queue was sent at none. One
        that came back for our own fault is not the one that is looked for: that is delivered
        again, with the same words.

        Args:
            to: The number, as the message was addressed.
            words: What no other message has, such as a patient's link.

        Raises:
            SendError: Twilio could not be asked.
        """
        try:
            async with asyncio.timeout(_SECONDS):
                listed = await self._client().messages.list_async(to=to, limit=_LISTED)
        except Refused as refused:
            raise not_asked(refused) from None
        except (ClientError, OSError, *_NO_MESSAGE) as error:
            raise errors.Transient(type(error).__name__) from None
        return next(
            (
                str(taken.sid)
                for taken in listed
                if words in (taken.body or "") and not _came_back(taken)
            ),
            None,
        )

    async def close(self) -> None:
        """Close the HTTP session."""
        if self._twilio is not None:
            await self._twilio.http_client.close()

    def _client(self) -> Client:
        # built on first use: its HTTP session belongs to the running event loop
        if self._twilio is None:
            self._twilio = Client(
                self._settings.account_sid,
                self._settings.auth_token.get_secret_value(),
                http_client=_HttpClient(),
            )
            self._twilio.api.base_url = self._settings.base_url
        return self._twilio


def _came_back(taken: Any) -> bool:
    failed = taken.status in NEVER_ARRIVES
    return failed and meaning_of(str(taken.error_code)) is Meaning.MISCONFIGURED


class _HttpClient(AsyncTwilioHttpClient):  # type: ignore[misc] # twilio is not typed
    """Twilio's own, which gives every error to us as it came: with its headers."""

    async def request(self, *args: Any, **kwargs: Any) -> Response:
        response = await super().request(*args, **kwargs)
        if response.status_code not in _TAKEN:
            raise Refused(response.status_code, response.text, response.headers)
        return response
