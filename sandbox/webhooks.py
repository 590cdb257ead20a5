"""Webhooks as Twilio posts them: signed forms, repeated while the receiver cannot take them.

The signature follows https://www.twilio.com/docs/usage/webhooks/webhooks-security: base64 of
HMAC-SHA1, keyed with the auth token, over the full URL followed by each parameter's name and
value in the order of the names. It is computed here and not by Twilio's library, so that the
product, which checks with that library, is held to a second reading of the rule.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

import httpx

from sandbox.background_work import BackgroundWork
from sandbox.persistent_post import NotTakenError, post_until_taken
from sandbox.random_faults import RandomFaults

SIGNATURE_HEADER: Final = "X-Twilio-Signature"


def signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Return the value of the signature header for a form posted to `url`."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


class WebhookSender:
    """Posts signed forms, with bounded repeats."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth_token: str,
        *,
        pauses: Sequence[float],
        faults: RandomFaults,
        work: BackgroundWork,
    ) -> None:
        """Prepare a sender.

        Args:
            http: The client to post with.
            auth_token: The account's token, which keys the signature.
            pauses: Seconds before each repeat; as many repeats as there are pauses.
            faults: Says which webhooks come late or once more.
            work: Where webhooks are repeated.
        """
        self._http = http
        self._auth_token = auth_token
        self._pauses = tuple(pauses)
        self._faults = faults
        self._work = work

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        """Post a form until it is taken, and return the last answer's status.

        Raises:
            NotTakenError: The receiver could not be reached, the last repeat included.
        """
        await asyncio.sleep(self._faults.delay())
        status = await self._post(url, form)
        if (pause := self._faults.repeat_after()) > 0:
            self._work.start(self._repeat(url, form, pause), name="webhook_repeat")
        return status

    async def _repeat(self, url: str, form: Mapping[str, str], pause: float) -> None:
        await asyncio.sleep(pause)
        with suppress(NotTakenError):  # the receiver has it already
            await self._post(url, form)

    async def _post(self, url: str, form: Mapping[str, str]) -> int:
        return await post_until_taken(
            self._http,
            url,
            pauses=self._pauses,
            form=form,
            headers={SIGNATURE_HEADER: signature(self._auth_token, url, form)},
        )
