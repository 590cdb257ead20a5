"""Commands for operators: which channels are in use or held, and letting one go on."""

from typing import Annotated

import typer

from clinic import campaigns, channel_hold
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from commands import channel_screen, terminal
from commands.channel_screen import ChannelLine
from commands.options import AsJson
from commands.running import now, run_with_clinic

group = typer.Typer(invoke_without_command=True)
app = typer.Typer()
app.add_typer(group, name="channels")


@group.callback()
def channels(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every channel: in use or not, since when and why it is held, how many patients wait.

    It asks no provider: whether a mailbox can be read stands in the workers' log.

    Example: `regresa channels`
    """
    if context.invoked_subcommand is not None:
        return

    async def run(clinic: Clinic) -> None:
        lines = await _lines(clinic)
        if as_json:
            terminal.print_json(lines)
        else:
            channel_screen.print_channels(lines, clinic.profile.zone)

    run_with_clinic(context, run)


@group.command()
def resume(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="The channel's name, such as `sms`.")],
    as_json: AsJson = False,
) -> None:
    """Let a channel that is held go on, once what the provider said is mended.

    Example: `regresa channels resume sms`
    """

    async def run(clinic: Clinic) -> None:
        known = [line.channel for line in await _lines(clinic)]
        if channel not in known:
            raise Refusal(f"no channel `{channel}`", f"There are: {', '.join(known)}")
        async with clinic.database.writing() as session:
            count = await channel_hold.resume(session, channel, now=now())
        if as_json:
            terminal.print_json({"channel": channel, "patients": count})
        else:
            terminal.console.print(f"Channel {channel} goes on; {count} patients waited for it.")

    run_with_clinic(context, run)


async def _lines(clinic: Clinic) -> list[ChannelLine]:
    from channels import registry  # noqa: PLC0415 - the providers' libraries load slowly

    installed = registry.installed()
    async with clinic.database.reading() as session:
        named = await campaigns.channels_named(session)
        held = {one.channel: one for one in await channel_hold.held(session)}
    in_use = clinic.settings.channels
    return [
        ChannelLine(
            channel=name,
            installed=name in installed,
            in_use=name in in_use,
            campaigns=tuple(named.get(name, ())),
            held_since=held[name].since if name in held else None,
            code=held[name].code if name in held else "",
            waiting=held[name].waiting if name in held else 0,
        )
        for name in sorted({*installed, *in_use, *named, *held})
    ]
