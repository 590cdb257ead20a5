"""How the channels look in a terminal: which are in use, which are held, and who waits."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from rich.text import Text

from clinic.channel_hold import RESUME, Held
from commands.terminal import console, local, new_table


class ChannelLine(BaseModel):
    """One channel.

    Attributes:
        installed: It can be used.
        in_use: REGRESA_CHANNELS names it.
        campaigns: The campaigns under way whose plans name it.
        held_since: Aware UTC; None while it goes on.
        code: Why it is held: what the provider said, by its code.
        waiting: How many patients wait for it while it is held.
    """

    model_config = ConfigDict(frozen=True)

    channel: str
    installed: bool
    in_use: bool
    campaigns: tuple[str, ...] = ()
    held_since: datetime | None = None
    code: str = ""
    waiting: int = 0


def print_channels(lines: Sequence[ChannelLine], zone: ZoneInfo) -> None:
    """Print every channel that is installed, or that a campaign under way needs.

    Args:
        lines: The channels.
        zone: The clinic's time zone, in which times are written.
    """
    table = new_table("Channel", "in use", "held since", "why", "patients")
    for line in lines:
        table.add_row(
            line.channel,
            _use(line),
            local(line.held_since, zone) if line.held_since else "",
            line.code,
            str(line.waiting) if line.held_since else "",
        )
    console.print(table)
    for line in lines:
        if line.campaigns and not line.in_use:
            console.print(
                f"Channel {line.channel} is not in use, and campaigns under way need it: "
                f"{', '.join(line.campaigns)}. Their messages wait until a worker has it "
                "(REGRESA_CHANNELS)."
            )
        if line.held_since:
            console.print(f"Mend channel {line.channel}, then: {RESUME} {line.channel}")


def print_held(held: Sequence[Held], zone: ZoneInfo) -> None:
    """Print a line for each channel that is held, and how it goes on."""
    for one in held:
        said = (
            f"Channel {one.channel} is held since {local(one.since, zone)} ({one.code}); "
            f"{one.waiting} patients wait. Mend it, then: {RESUME} {one.channel}"
        )
        console.print(Text(said, style="bold red"), soft_wrap=True)


def _use(line: ChannelLine) -> Text:
    if line.in_use:
        return Text("yes")
    said = "no" if line.installed else "not installed"
    return Text(said, style="bold red" if line.campaigns else "dim")
