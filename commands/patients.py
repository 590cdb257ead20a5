"""Commands about one patient: their card, and what they agreed to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, get_args

import typer
from sqlalchemy import select

from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.contact_policy import Content
from clinic.refusal import Refusal
from clinic.register import consent as consents
from clinic.register.card import ConsentLine, card_of
from clinic.register.search import find_patient
from clinic.tables import Consent
from commands import card_page, terminal
from commands.audited import note_command
from commands.options import AsJson, Who, past_day
from commands.running import now, run_with_clinic

app = typer.Typer()

_ALL = "all"


@app.command()
def card(
    context: typer.Context,
    patient: Annotated[
        str, typer.Argument(help="The clinic's own number, the opaque id, an email or a phone.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show a patient's card: every step, call and answer, and which rule decided.

    Example: `regresa card A-0042`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            found = await find_patient(
                session, patient, key=clinic.key, country=clinic.profile.country
            )
            await note_command(session, Action.VIEWED, patient_id=found.id)
            shown = await card_of(
                session, found, now=now(), zone=clinic.profile.zone, key=clinic.key
            )
        if as_json:
            terminal.print_json(shown)
        else:
            card_page.print_card(shown, clinic.profile.zone, now())

    run_with_clinic(context, run)


@app.command()
def consent(
    context: typer.Context,
    patient: Who,
    channel: Annotated[str | None, typer.Option(help="A channel in use, or `all` of them.")] = None,
    content: Annotated[
        str | None, typer.Option("--for", help="`reminder`, `advertising`, or `all`.")
    ] = None,
    given: Annotated[
        bool | None, typer.Option("--given/--withdrawn", help="What the patient said.")
    ] = None,
    source: Annotated[str, typer.Option(help="Where it was said: 'paper form'.")] = "",
    on: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="When it was said; default: now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Record what a patient agreed to or refused; without options, list what was recorded.

    Example: `regresa consent A-0042 --channel sms --for advertising --given --source 'paper form'`
    """

    async def run(clinic: Clinic) -> None:
        if (channel, content, given, source, on) == (None, None, None, "", None):
            await _list_consents(clinic, patient, as_json=as_json)
            return
        if channel is None or content is None or given is None or not source.strip():
            raise Refusal(
                "--channel, --for, --given or --withdrawn, and --source go together",
                "Example: --channel sms --for reminder --given --source 'paper form'",
            )
        channels = _chosen("--channel", channel, clinic.settings.channels)
        contents = _chosen("--for", content, get_args(Content))
        at = past_day(on, clinic, now())
        async with clinic.database.writing() as session:
            found = await find_patient(session, patient, key=clinic.key)
            added = await consents.record_each(
                session,
                found.id,
                channels=channels,
                contents=contents,
                given=given,
                source=source.strip(),
                at=at,
                zone=clinic.profile.zone,
            )
            await note_command(
                session,
                Action.CHANGED,
                patient_id=found.id,
                what="consent",
                given=given,
                recorded=added,
            )
        word = "given" if given else "withdrawn"
        if as_json:
            terminal.print_json({"patient": found.id, "recorded": added})
        else:
            about = f"{', '.join(contents)} by {', '.join(channels)}"
            said = "is recorded" if added else "was recorded before; nothing changes"
            terminal.console.print(f"{found.external_id}: {word} for {about}: {said}.")
            if given and found.opted_out_at is not None:
                lift = f"regresa suppress {found.external_id} --lift"
                terminal.console.print(f"They opted out, and that counts more; else: {lift}")

    run_with_clinic(context, run)


async def _list_consents(clinic: Clinic, patient: str, *, as_json: bool) -> None:
    async with clinic.database.writing() as session:
        found = await find_patient(session, patient, key=clinic.key)
        await note_command(session, Action.VIEWED, patient_id=found.id)
        rows = await session.scalars(
            select(Consent)
            .where(Consent.patient_id == found.id)
            .order_by(Consent.at.desc(), Consent.id.desc())
        )
        lines = [
            ConsentLine(
                channel=row.channel,
                content=row.content,
                given=row.given,
                source=row.source,
                at=row.at,
            )
            for row in rows
        ]
    if as_json:
        terminal.print_json(lines)
    else:
        card_page.print_consents(found.external_id, lines, clinic.profile.zone)


def _chosen(option: str, written: str, known: Sequence[str]) -> Sequence[str]:
    if written == _ALL:
        return known
    if written not in known:
        raise Refusal(f"{option}: there is no `{written}`", f"One of: {', '.join(known)}, {_ALL}")
    return [written]
