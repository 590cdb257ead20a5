"""A claimed message is handed to its channel: asked about first, where it may have been sent."""

import asyncio
import traceback
from datetime import timedelta

import structlog

from activities.delivery_errors import CLAIM_SETTLES, Unsettled
from activities.outgoing import Ready
from channels import errors
from channels.protocol import OutgoingMessage, Receipt
from clinic.ledger import Claim

_OVER_BY = CLAIM_SETTLES - timedelta(seconds=2)
"""So long after its beginning a try is broken off: the next one must not find it still sending."""

_SHORTEST = timedelta(seconds=10)
"""Before the hours close: a provider that may try for less hardly begins, and the step is lost."""

_log = structlog.get_logger()


async def hand_over(ready: Ready) -> str:
    """Send a message unless it turns out to have been sent; return its provider's id.

    Whatever a channel raises besides the closed set is a fault of its own, and so is taking too
    long. What it says stays here: it would stand in the log and in Temporal's history, and may
    name the patient.

    Args:
        ready: The message, claimed.

    Raises:
        SendError: One of the closed set; or `Unsettled`. `Transient` too where the hours have
            closed meanwhile: the next try finds when they open.
    """
    if ready.claim is Claim.UNCERTAIN and (receipt := await _asked(ready)) is not None:
        return receipt.provider_id
    message = _in_time(ready)
    try:
        async with _within_the_try(ready):
            return (await ready.channel.send(message)).provider_id
    except errors.SendError:
        raise
    except Exception as error:  # noqa: BLE001 - a plug-in's may be any, before or after it sent
        raise errors.Uncertain(_fault(ready, error)) from None


def _in_time(ready: Ready) -> OutgoingMessage:
    """Return the message with as much time as there still is: some went by since it was written."""
    if ready.message.valid_for is None:
        return ready.message
    left = ready.message.valid_for - ready.lasted
    if left < _SHORTEST:
        raise errors.Transient("hours close")
    return ready.message.model_copy(update={"valid_for": left})


async def _asked(ready: Ready) -> Receipt | None:
    try:
        async with _within_the_try(ready):
            return await ready.channel.reconcile(ready.message)
    except errors.Uncertain as error:
        raise Unsettled(error.code) from None
    except errors.SendError:
        raise
    except Exception as error:  # noqa: BLE001 - likewise; a question sends nothing
        raise errors.Transient(_fault(ready, error)) from None


def _within_the_try(ready: Ready) -> asyncio.Timeout:
    return asyncio.timeout((_OVER_BY - ready.lasted).total_seconds())


def _fault(ready: Ready, error: Exception) -> str:
    """Say where a channel fell over, without what the error says; return its kind."""
    kind = type(error).__name__
    *_, place = traceback.extract_tb(error.__traceback__)
    at = f"{place.filename}:{place.lineno}"
    _log.error("fault in a channel", channel=ready.channel.name, reason=kind, at=at)
    return kind
