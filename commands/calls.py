"""Commands for staff: who to call, take a call, what came of it."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_claim, call_closing, call_completion, call_list, inbox
from clinic.audit import Action, Detail
from clinic.call_task import Reported
from clinic.clinic import Clinic
from clinic.event import CallOutcome, EventKind
from clinic.identifiers import new_id
from clinic.outcome import LossReason
from clinic.refusal import Refusal
from clinic.register.search import find_patient
from clinic.tables import CallTask
from commands import terminal
from commands.audited import login_name, note_command
from commands.options import AsJson, By, Task, Who, moment, read_words
from commands.running import now, run_with_clinic

app = typer.Typer()


@app.command()
def calls(
    context: typer.Context,
    limit: Annotated[int | None, typer.Option(min=1, help="Show the first ones only.")] = None,
    as_json: AsJson = False,
) -> None:
    """List who to call: overdue first, then by priority and due time; who was put off, last.

    Examples:
    - `regresa calls`
    - `regresa calls --limit 20`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            found = await call_list.open_calls(session, now(), clinic.key, at_most=limit)
            waiting = await call_list.count_open(session)
            # one line: a list of a hundred thousand would drown all others
            await note_command(session, Action.VIEWED, what="call_list", rows=len(found))
        if as_json:
            terminal.print_json(found)
        else:
            terminal.print_calls(found, clinic.profile.zone)
            if waiting > len(found):
                terminal.console.print(f"... and {waiting - len(found)} more (--limit shows more)")

    run_with_clinic(context, run)


@app.command()
def claim(context: typer.Context, task: Task, by: By = "", as_json: AsJson = False) -> None:
    """Take a call task for 15 minutes, so that nobody else calls the same patient.

    Example: `regresa claim ct-5f0c9a3e1b7d2c48`
    """

    async def run(clinic: Clinic) -> None:
        who = by or login_name()
        async with clinic.database.writing() as session:
            until = await call_claim.claim(
                session, task, who=who, now=now(), key=clinic.key, zone=clinic.profile.zone
            )
            household = await call_claim.household_of(session, task, now(), clinic.key)
            script = await call_claim.script_for(session, task, clinic.folder, household)
            await _note(session, Action.CLAIMED, task)
            written = await call_claim.words_for_claim(session, task)
        on_the_phone = [one for one in household if one.claimed_by not in (None, who)]
        if as_json:
            terminal.print_json(
                {
                    "task": task,
                    "by": who,
                    "until": until,
                    "script": script,
                    "household": household,
                    "words": written.text,
                    "from_address": written.from_address,
                }
            )
        else:
            terminal.console.print(
                f"Task {task} is yours until {terminal.local(until, clinic.profile.zone)}.\n"
            )
            for one in on_the_phone:
                terminal.console.print(
                    f"Wait a little: {one.claimed_by} is calling {one} at the same number.\n"
                )
            if written.text:
                whom = f" from {written.from_address}" if written.from_address else ""
                terminal.console.print(f"They wrote{whom}: “{written.text}”\n")
            if script:
                terminal.console.print(script)

    run_with_clinic(context, run)


@app.command()
def complete(
    context: typer.Context,
    task: Task,
    outcome: Annotated[
        CallOutcome,
        typer.Option(
            parser=read_words(CallOutcome),
            metavar="OUTCOME",
            help="What came of it: " + ", ".join(kind.replace("_", "-") for kind in CallOutcome),
        ),
    ],
    reason: Annotated[
        LossReason | None,
        typer.Option(
            parser=read_words(LossReason),
            metavar="REASON",
            help="With declined: " + ", ".join(kind.replace("_", "-") for kind in LossReason),
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When to call back, or the appointment: '2027-03-02 10:30' local."),
    ] = None,
    note: Annotated[str, typer.Option(help="Free words for the patient's card.")] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Record what came of a call; the patient's attempt hears of it as soon as a worker runs.

    Examples:
    - `regresa complete ct-5f0c9a3e1b7d2c48 --outcome no-answer`
    - `regresa complete ct-5f0c9a3e1b7d2c48 --outcome declined --reason price`
    """

    async def run(clinic: Clinic) -> None:
        reported = Reported(outcome=outcome, reason=reason, at=moment(at, clinic), note=note)
        async with clinic.database.writing() as session:
            completed = await call_completion.complete(
                session,
                task,
                reported,
                who=by or login_name(),
                now=now(),
                policy=clinic.policy,
                calendar=clinic.calendar,
                key=clinic.key,
            )
            await _note(session, Action.COMPLETED, task, outcome=outcome.value)
        if as_json:
            terminal.print_json(completed)
        elif completed.again_at is None:
            terminal.console.print(f"Task {task} is closed as {outcome}.")
        else:
            due = terminal.local(completed.again_at, clinic.profile.zone)
            terminal.console.print(f"Task {task} stays open as {outcome}; it is due again {due}.")

    run_with_clinic(context, run)


@app.command()
def close(context: typer.Context, task: Task, by: By = "", as_json: AsJson = False) -> None:
    """Close a call task that nobody may call about any more, as a refused claim says: no call.

    Example: `regresa close ct-5f0c9a3e1b7d2c48`
    """

    async def run(clinic: Clinic) -> None:
        async with clinic.database.writing() as session:
            outcome = await call_closing.close_uncalled(
                session,
                task,
                who=by or login_name(),
                now=now(),
                key=clinic.key,
                zone=clinic.profile.zone,
            )
            if outcome is None:
                raise Refusal(
                    f"task {task} can't be closed without a call",
                    f"To see how it stands, take it: regresa claim {task}",
                )
            await _note(session, Action.COMPLETED, task, what="no_call", outcome=outcome.value)
        if as_json:
            terminal.print_json({"task": task, "outcome": outcome})
        else:
            terminal.console.print(f"Task {task} is closed as {outcome}; nobody has called.")

    run_with_clinic(context, run)


_EVENTS = {
    "booked": EventKind.BOOKED,
    "replied": EventKind.REPLY,
    "opted-out": EventKind.OPTED_OUT,
}


@app.command()
def event(
    context: typer.Context,
    patient: Who,
    what: Annotated[str, typer.Argument(help="One of: " + ", ".join(_EVENTS))],
    at: Annotated[
        str | None, typer.Option(help="The appointment: '2027-03-02 10:30', local time.")
    ] = None,
    text: Annotated[str, typer.Option(help="What the patient said.")] = "",
    key: Annotated[
        str | None, typer.Option(help="Your own key: the same key again is a repeat.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Report what a patient did: booked, replied or opted out.

    Examples:
    - `regresa event A-0042 booked --at '2027-03-02 10:30'`
    - `regresa event A-0042 replied --text 'Can you call me on Monday?'`
    """

    async def run(clinic: Clinic) -> None:
        if what not in _EVENTS:
            raise Refusal(f"no event `{what}`", f"One of: {', '.join(_EVENTS)}")
        appointment = moment(at, clinic)
        if appointment is not None and appointment <= now():
            raise Refusal(f"--at: {at} has passed", "An appointment lies ahead.")
        async with clinic.database.writing() as session:
            patient_id = (await find_patient(session, patient, key=clinic.key)).id
            received = inbox.Received(
                source=inbox.STAFF,
                source_key=key or new_id("said"),
                kind=_EVENTS[what],
                patient_id=patient_id,
                body=text,
                at=appointment,
            )
            is_new = await inbox.store(session, received, now=now(), key=clinic.key)
            said = _EVENTS[what].value
            await note_command(session, Action.CHANGED, patient_id=patient_id, what=said)
        if as_json:
            terminal.print_json({"patient": patient_id, "event": what, "new": is_new})
        else:
            said = "is recorded" if is_new else "was recorded before; nothing changes"
            terminal.console.print(f"{patient} {what}: {said}.")

    run_with_clinic(context, run)


async def _note(session: AsyncSession, action: Action, task_id: str, **details: Detail) -> None:
    task = await session.get_one(CallTask, task_id)
    await note_command(session, action, patient_id=task.patient_id, subject=task_id, **details)
