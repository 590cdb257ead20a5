"""What the commands of `starter.py` share: their options, and how people's words are read."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from clinic import campaign_terms
from clinic.clinic import Clinic
from clinic.event import CallOutcome
from clinic.outcome import LossReason
from clinic.refusal import Refusal
from clinic.register.consent import heard_on
from clinic.settings import ClinicSettings

_Value = TypeVar("_Value")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
By = Annotated[
    str,
    typer.Option("--as", envvar="REGRESA_STAFF", help="Who you are; default: your login name."),
]
Name = Annotated[str, typer.Argument(help="The campaign's name.")]
Who = Annotated[str, typer.Argument(help="The clinic's own number, or the opaque id.")]
Task = Annotated[str, typer.Argument(help="The call task, as `calls` lists it.")]


def complete_from(kind: str) -> Callable[[typer.Context, str], list[str]]:
    """Complete the names of the clinic's files of a kind, such as `segments`."""

    def complete(context: typer.Context, incomplete: str) -> list[str]:
        given = (context.find_root().params or {}).get("clinic")
        folder = Path(given or ClinicSettings.model_fields["clinic"].default)
        return [path.stem for path in (folder / kind).glob(f"{incomplete}*.yaml")]

    return complete


SegmentName = Annotated[
    str, typer.Argument(help="A file of segments/.", autocompletion=complete_from("segments"))
]
PlanName = Annotated[
    str, typer.Option("--plan", help="A file of plans/.", autocompletion=complete_from("plans"))
]
PolicyName = Annotated[
    str | None,
    typer.Option(
        "--policy",
        help="Look at it by another contact policy: a file of policies/, or a shipped one.",
        autocompletion=complete_from("policies"),
        show_default=False,
    ),
]


def read_share(written: str) -> float:
    """Read `15%` as 0.15.

    Raises:
        BadParameter: Not more than 0 % and at most 100 %.
    """
    return _read(campaign_terms.read_share, written)


def read_pace(written: str) -> int:
    """Read `120/h` or `2/min` as attempts an hour.

    Raises:
        BadParameter: No such pace.
    """
    return _read(campaign_terms.read_pace, written)


def read_words(kinds: type[CallOutcome] | type[LossReason]) -> Callable[[str], Any]:
    """Return a reader of one word of a closed list, with hyphens or underscores."""

    def read(written: str) -> Any:
        try:
            return kinds(written.strip().lower().replace("-", "_"))
        except ValueError:
            known = ", ".join(kind.value.replace("_", "-") for kind in kinds)
            raise typer.BadParameter(f"`{written}` is not one of: {known}") from None

    return read


def checked_name(name: str) -> str:
    """Return a campaign's name.

    Raises:
        Refusal: It is empty, too long, or can't be printed.
    """
    return _said_of("--name", lambda: campaign_terms.checked_name(name))


def end_of_day(day: datetime | None, clinic: Clinic, now: datetime) -> datetime | None:
    """Return the end of a day in the clinic's time zone, aware UTC.

    Raises:
        Refusal: It has passed.
    """
    if day is None:
        return None
    last = day.date()
    return _said_of("--until", lambda: campaign_terms.end_of_day(last, clinic.profile.zone, now))


def past_day(day: datetime | None, clinic: Clinic, now: datetime) -> datetime:
    """Return the end of a day in the clinic's time zone, but now at the latest; aware UTC.

    Args:
        day: The day that was written; None: now.
        clinic: Whose time zone counts.
        now: Aware UTC.

    Raises:
        Refusal: The day is still to come.
    """
    if day is None:
        return now
    try:
        return heard_on(day.date(), clinic.profile.zone, now)
    except ValueError as error:
        raise Refusal(f"--on: {error}") from None


def refuse_unwritable(path: Path, option: str) -> None:
    """Look whether a file can be written, before the work whose result it takes.

    Raises:
        Refusal: It can't, or its folder is not there.
    """
    if path.is_dir():
        raise Refusal(f"{option}: {path} is a folder", "Name a file.")
    if not path.exists() and not path.parent.is_dir():
        raise Refusal(f"{option}: there is no folder {path.parent}", "Nothing was changed.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Refusal(f"{option}: {path} can't be written", f"Name another file with {option}.")


def moment(written: str | None, clinic: Clinic) -> datetime | None:
    """Read a time in the clinic's time zone, unless it says its own, as aware UTC.

    Raises:
        Refusal: It is no time.
    """
    if written is None:
        return None
    try:
        said = datetime.fromisoformat(written)
    except ValueError:
        raise Refusal(
            f"--at: `{written}` is no time", "Write for example '2027-03-02 10:30'."
        ) from None
    if said.tzinfo is None:
        said = said.replace(tzinfo=clinic.profile.zone)
    return said.astimezone(UTC)


def _read(read: Callable[[str], _Value], written: str) -> _Value:
    """Have typer name the option of what can't be read."""
    try:
        return read(written)
    except Refusal as refusal:
        raise typer.BadParameter(refusal.problem) from None


def _said_of(option: str, check: Callable[[], _Value]) -> _Value:
    try:
        return check()
    except Refusal as refusal:
        raise Refusal(f"{option}: {refusal.problem}", refusal.remedy) from None
