"""The one loud notice of a channel that is held: the same words, whoever hears of it first."""

import structlog

from clinic import channel_hold

_log = structlog.get_logger()


def tell_of_hold(channel: str, code: str) -> None:
    """Tell an operator that a channel is held, and how it is resumed.

    Args:
        channel: The channel's name.
        code: The provider's code, no free text.
    """
    mended = f"{channel_hold.RESUME} {channel}"
    _log.error("channel is held", channel=channel, code=code, mended=mended)
