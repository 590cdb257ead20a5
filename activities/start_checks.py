"""What a worker looks at before it begins: is it safe to send, and does anybody wait in vain?"""

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

import structlog

from channels.loopback import is_loopback
from channels.protocol import Channel
from clinic import campaigns, channel_hold
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.settings import PREFIX

_log = structlog.get_logger()


def refuse_unsafe_demonstration(clinic: Clinic, channels: Mapping[str, Channel]) -> None:
    """Refuse a policy that protects nobody, where a message could reach somebody.

    Raises:
        Refusal: The policy is for demonstrations and a channel's provider is no loopback address.
    """
    if not clinic.policy.demonstration:
        return
    for channel in channels.values():
        if not is_loopback(channel.host):
            raise Refusal(
                f"the contact policy is for demonstrations, and channel `{channel.name}` reaches "
                f"{channel.host}",
                "Choose a real policy in clinic.yaml (and unset REGRESA_CONTACT_POLICY).",
            )


def refuse_unreachable_console(clinic: Clinic, channels: Mapping[str, Channel]) -> None:
    """Refuse to send links that lead nowhere.

    Raises:
        Refusal: The public URL is this machine's own, and a channel's provider is another's.
    """
    url = clinic.settings.public_url
    if not is_loopback(urlsplit(url).hostname or ""):
        return
    for channel in channels.values():
        if not is_loopback(channel.host):
            raise Refusal(
                f"{PREFIX}PUBLIC_URL is {url}, which nobody reaches from outside, and channel "
                f"`{channel.name}` reaches {channel.host}: patients' links would be dead",
                f"Set {PREFIX}PUBLIC_URL to where patients and providers reach the console.",
            )


async def name_channels_nobody_serves(clinic: Clinic, channels: Collection[str]) -> None:
    """Say loudly whose messages would wait for a worker that has their channel.

    Args:
        clinic: The clinic, its database prepared.
        channels: The names of the channels in use here.
    """
    async with clinic.database.reading() as session:
        named = await campaigns.channels_named(session)
    for channel in sorted(named.keys() - set(channels)):
        _log.error(
            "channel not in use",
            channel=channel,
            campaigns=named[channel],
            mend="add it to REGRESA_CHANNELS; until then its messages wait",
        )


async def name_channels_held(clinic: Clinic) -> None:
    """Say again which channels are held: what is mended by new settings still has to go on.

    Args:
        clinic: The clinic, its database prepared.
    """
    async with clinic.database.reading() as session:
        held = await channel_hold.held(session)
    for one in held:
        _log.error(
            "channel is held",
            channel=one.channel,
            code=one.code,
            patients=one.waiting,
            mended=f"{channel_hold.RESUME} {one.channel}",
        )
