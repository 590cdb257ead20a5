"""A POST that is repeated while its receiver cannot take it, for machines that call the product."""

import asyncio
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import httpx
import structlog

log: Final = structlog.get_logger(__name__)

# Twilio waits 15 seconds for a webhook's answer.
_ANSWER_TIMEOUT_S: Final = 15.0


class NotTakenError(Exception):
    """The receiver could not be reached, the last repeat included."""


def machine_client() -> httpx.AsyncClient:
    """Return an HTTP client for machines that call the product."""
    # A proxy from the environment has no business between stand-ins on one machine.
    return httpx.AsyncClient(timeout=_ANSWER_TIMEOUT_S, trust_env=False)


async def post_until_taken(
    http: httpx.AsyncClient,
    url: str,
    *,
    pauses: Sequence[float],
    form: Mapping[str, str] | None = None,
    json: Any = None,
    headers: Mapping[str, str] | None = None,
) -> int:
    """Post until an answer below 500 comes, and return the last answer's status.

    An answer of 5xx and a connection that fails are repeated after a pause. A refusal (4xx) is
    final: repeating would not change it.

    Args:
        http: The client to post with.
        url: Where to.
        pauses: Seconds before each repeat; as many repeats as there are pauses.
        form: Fields of a form, or None.
        json: What goes as JSON, or None.
        headers: Headers to add.

    Raises:
        NotTakenError: The receiver could not be reached, the last repeat included.
    """
    request = http.build_request("POST", url, data=form, json=json, headers=headers)
    for pause in pauses:
        status = await _status_of(http, request)
        if status is not None and status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return status
        log.warning("post_not_taken", status=status, next_try_in_s=pause)
        await asyncio.sleep(pause)
    status = await _status_of(http, request)
    if status is None:
        raise NotTakenError("the receiver cannot be reached")
    return status


async def _status_of(http: httpx.AsyncClient, request: httpx.Request) -> int | None:
    try:
        answer = await http.send(request)
    except httpx.TransportError as error:
        log.warning("post_found_no_receiver", error=type(error).__name__)
        return None
    return answer.status_code
