"""The command for rows of the register that may be one person."""

from typing import Annotated

import typer

from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.register import duplicates
from clinic.register.duplicates import PossiblePatient, Verdict
from clinic.register.search import find_row
from commands import terminal
from commands.audited import login_name, note_command
from commands.options import AsJson, By
from commands.running import now, run_with_clinic

app = typer.Typer()

_SHOWN = 50


@app.command(name="duplicates")
def settle_duplicates(
    context: typer.Context,
    patient: Annotated[str | None, typer.Argument(help="One of the two.")] = None,
    other: Annotated[str | None, typer.Argument(help="The other.")] = None,
    *,
    same: Annotated[bool, typer.Option("--same", help="They are one person.")] = False,
    different: Annotated[bool, typer.Option("--different", help="They are two people.")] = False,
    who: By = "",
    limit: Annotated[int, typer.Option(help="Pairs shown at the most.", min=1)] = _SHOWN,
    as_json: AsJson = False,
) -> None:
    """List the patients who may be on the register twice, or say of two whether they are.

    Nobody is merged silently: who came later gets no attempt until somebody has looked. If both
    are one person, the row that was there before gets the visits and appointments of the other,
    also of its later imports.

    Example: `regresa duplicates A-0311 A-0042 --same`
    """

    async def run(clinic: Clinic) -> None:
        if patient is None:
            if same or different:
                raise Refusal("name both patients: regresa duplicates PATIENT OTHER --same")
            await _list(clinic, limit, as_json=as_json)
        else:
            await _settle(clinic, patient, other, _verdict(same=same, different=different), who)

    run_with_clinic(context, run)


async def _list(clinic: Clinic, limit: int, *, as_json: bool) -> None:
    async with clinic.database.writing() as session:
        count = await duplicates.count_open(session)
        shown = await duplicates.open_duplicates(session, count if as_json else limit)
        await note_command(session, Action.VIEWED, what="duplicates", rows=len(shown))
    if as_json:
        terminal.print_json(shown)
        return
    if not shown:
        terminal.console.print("Nobody seems to be on the register twice.")
        return
    table = terminal.new_table("Patient", "who", "may be", "who", "same")
    for pair in shown:
        table.add_row(
            pair.patient.external_id,
            _who(pair.patient),
            pair.other.external_id,
            _who(pair.other),
            pair.reason,
        )
    terminal.console.print(table)
    if count > len(shown):
        terminal.console.print(f"... and {count - len(shown)} more (--limit shows more)")
    example = f"{shown[0].patient.external_id} {shown[0].other.external_id}"
    terminal.console.print(f"Settle: regresa duplicates {example} --same (or --different)")


def _who(one: PossiblePatient) -> str:
    said = (one.name, one.birth_date, one.national_id, one.phone, one.email)
    return ", ".join(part for part in said if part)


def _verdict(*, same: bool, different: bool) -> Verdict:
    if same == different:
        raise Refusal("say which it is: --same or --different")
    return Verdict.SAME if same else Verdict.DIFFERENT


async def _settle(
    clinic: Clinic, patient: str, other: str | None, verdict: Verdict, who: str
) -> None:
    if other is None:
        raise Refusal("name the other patient as well: regresa duplicates PATIENT OTHER --same")
    async with clinic.database.writing() as session:
        one = await find_row(session, patient, key=clinic.key)
        two = await find_row(session, other, key=clinic.key)
        await duplicates.settle(
            session, one, two, verdict, who=who or login_name(), now=now(), key=clinic.key
        )
        for row in (one, two):
            await note_command(
                session, Action.CHANGED, patient_id=row.id, what="duplicate", verdict=verdict.value
            )
    said = "one person" if verdict is Verdict.SAME else "two people"
    terminal.console.print(f"Settled: {one.external_id} and {two.external_id} are {said}.")
