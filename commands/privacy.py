"""Commands for whoever answers for privacy: say stop, what is held, forget me."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.register import erasure, forgetting
from clinic.register.forgetting import Forgetting
from clinic.register.patient_export import export_patient
from clinic.register.says_stop import (
    address_is_welcome,
    address_says_stop,
    patient_is_welcome,
    patient_says_stop,
)
from clinic.register.search import find_patient, known_as, read_address, rows_of_person
from clinic.tables import Patient
from commands import terminal
from commands.audited import note_command
from commands.options import AsJson, Who, refuse_unwritable
from commands.running import now, run_with_clinic

app = typer.Typer()

_OWNER_ONLY = 0o600
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")]


@app.command()
def suppress(
    context: typer.Context,
    whom: Annotated[
        str, typer.Argument(help="An email or a phone; or a patient's number or opaque id.")
    ],
    lift: Annotated[bool, typer.Option("--lift", help="Let the clinic write again.")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make sure that nobody writes to an address again; of a patient, to any of theirs.

    Examples:
    - `regresa suppress +13055550144`
    - `regresa suppress A-0042 --lift`
    """

    async def run(clinic: Clinic) -> None:
        if lift:
            _ask(f"{whom} said themselves that the clinic may write again?", yes=yes)
        change = _lift if lift else _suppress
        async with clinic.database.writing() as session:
            changed, sharing = await change(session, whom.strip(), clinic)
        if as_json:
            terminal.print_json({"changed": changed, "lifted": lift, "patients": sharing})
            return
        terminal.console.print(f"{whom}: {_SAID[lift, changed]}.")
        if sharing:
            asks = " Who opted out stays silent: lift that by their number." if lift else ""
            terminal.console.print(f"On the register at this address: {_few(sharing)}.{asks}")

    run_with_clinic(context, run)


_SAID = {
    (False, True): "is not written to any more",
    (False, False): "was suppressed before; nothing changes",
    (True, True): "may be written to again",
    (True, False): "was not suppressed; nothing changes",
}


@app.command()
def forget(context: typer.Context, patient: Who, yes: Yes = False, as_json: AsJson = False) -> None:
    """Erase a person everywhere, for good; the suppression of their addresses stays.

    Example: `regresa forget A-0042`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.reading() as session:
            found = await find_patient(session, patient, key=clinic.key)
            meant = await forgetting.foresee(session, found.id, now())
        if not yes:
            name = f"{found.first_name} {found.last_name}".strip()
            terminal.console.print(f"{name} would be forgotten. {_means(meant)}")
        _ask("Erase this person for good?", yes=yes)
        async with clinic.database.writing() as session:
            rows = [row.id for row in await rows_of_person(session, found.id)]
            meant = await erasure.forget(session, found.id, now=now(), key=clinic.key)
            for row in rows:
                await note_command(session, Action.FORGOTTEN, patient_id=row)
        emptied = await clinic.database.leave_no_traces()
        if as_json:
            terminal.print_json(meant.model_dump() | {"patient": found.id})
            return
        terminal.console.print(f"{', '.join(meant.numbers)}: forgotten. {_means(meant)}")
        if not emptied:
            terminal.console.print(
                "SQLite's log is in use and may hold older copies of the row until every process "
                "that uses the database has ended once."
            )
        terminal.console.print("Backups made before hold the person as long as you keep them.")

    run_with_clinic(context, run)


@app.command()
def export(
    context: typer.Context,
    patient: Who,
    to: Annotated[
        Path | None, typer.Option(help="The file to write; default: the terminal.")
    ] = None,
) -> None:
    """Give all that is held about a person, as JSON, without anything about anybody else.

    Example: `regresa export A-0042 --to A-0042.json`
    """

    async def run(clinic: Clinic) -> None:
        if to is not None:
            refuse_unwritable(to, "--to")
        async with clinic.database.writing() as session:
            found = await find_patient(session, patient, key=clinic.key)
            await note_command(session, Action.EXPORTED, patient_id=found.id)
            held = await export_patient(
                session, found, clinic=clinic.profile.name, now=now(), key=clinic.key
            )
        if to is None:
            terminal.print_json(held)
            return
        _write_for_owner(to, json.dumps(held, ensure_ascii=False, indent=2) + "\n")
        terminal.console.print(f"Written to {to}; only you can read it.")

    run_with_clinic(context, run)


def _write_for_owner(path: Path, text: str) -> None:
    """Write a file that its owner alone can read.

    Raises:
        Refusal: It can't be written.
    """
    try:
        path.touch(_OWNER_ONLY)
        path.chmod(_OWNER_ONLY)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refusal(f"--to: {path} can't be written: {error.strerror}") from None


async def _suppress(session: AsyncSession, whom: str, clinic: Clinic) -> tuple[bool, Sequence[str]]:
    """Suppress; return whether that is new, and who else is at the address."""
    meant = await _patient_or_address(session, whom, clinic)
    if isinstance(meant, Patient):
        await note_command(session, Action.CHANGED, patient_id=meant.id, what="stop")
        return await patient_says_stop(session, meant, now=now(), key=clinic.key), []
    is_new, sharing = await address_says_stop(session, meant, now=now(), key=clinic.key)
    await note_command(session, Action.CHANGED, what="address_stop", new=is_new)
    return is_new, _numbers(sharing)


async def _lift(session: AsyncSession, whom: str, clinic: Clinic) -> tuple[bool, Sequence[str]]:
    """Lift a suppression; return whether there was one, and who is at the address."""
    meant = await _patient_or_address(session, whom, clinic)
    if isinstance(meant, Patient):
        await note_command(session, Action.CHANGED, patient_id=meant.id, what="lift")
        return await patient_is_welcome(session, meant, now=now(), key=clinic.key), []
    was_suppressed, sharing = await address_is_welcome(session, meant, key=clinic.key)
    await note_command(session, Action.CHANGED, what="address_lift", new=was_suppressed)
    return was_suppressed, _numbers(sharing)


async def _patient_or_address(session: AsyncSession, whom: str, clinic: Clinic) -> Patient | str:
    """Return the patient with this number, or else the address in its normal form.

    Raises:
        Refusal: It is neither, or the patient was forgotten.
    """
    country = clinic.profile.country
    if await known_as(session, whom) is None and (address := read_address(whom, country)):
        return address
    try:
        return await find_patient(session, whom, key=clinic.key)
    except Refusal as refusal:
        also = f"An email or a phone is understood too; without +, as one of {country}."
        raise Refusal(refusal.problem, refusal.remedy or also) from None


def _numbers(patients: Sequence[Patient]) -> Sequence[str]:
    return [patient.external_id for patient in patients]


def _means(meant: Forgetting) -> str:
    """Say what forgetting means, in numbers."""
    sentences = [f"Addresses that nobody writes to any more: {meant.addresses}."]
    if len(meant.numbers) > 1:
        sentences.append(f"Rows of the same person: {_few(meant.numbers)}.")
    if meant.open_attempts:
        sentences.append("The open attempt ends as cancelled.")
    if meant.open_calls:
        sentences.append("It is taken off the call list.")
    if meant.sharing:
        sentences.append(
            f"Others share an address and get no message there any more: {_few(meant.sharing)}."
        )
    return " ".join(sentences)


def _few(numbers: Sequence[str]) -> str:
    return ", ".join(numbers)


def _ask(question: str, *, yes: bool) -> None:
    """Go on only where a person says so.

    Raises:
        Refusal: They say no, or there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refusal("nobody is here to be asked; nothing was changed", "Say --yes.")
    if not typer.confirm(question):
        raise Refusal("nothing was changed")
