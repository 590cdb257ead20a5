"""A campaign's terms as a form brings them: each field is read by the clinic's own rules."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, Field

from clinic import campaign_terms
from clinic.campaign_refusal import CampaignProblem, CampaignRefusal
from clinic.campaign_start import CampaignTerms
from clinic.clinic import Clinic

_Value = TypeVar("_Value")
_Written = Annotated[str, Field(max_length=500)]


class LimitsForm(BaseModel):
    """What may be changed while a campaign runs, as it was written; empty: no limit.

    Attributes:
        pace: Patients started in an hour.
        open_calls: Nobody new is started while so many calls are open.
    """

    pace: _Written = ""
    open_calls: _Written = ""


class TermsForm(LimitsForm):
    """What ops filled in to start a campaign, as it was written.

    Attributes:
        campaign: The new campaign's id, given with the form: sent twice, it starts once.
        name: For reports.
        goal: In percent; empty: none.
        until: The last day; empty: no end.
        do: Look at it, change it once more, or start.
    """

    campaign: Annotated[str, Field(pattern=r"^ca-[0-9a-f]{16}$")]
    name: _Written = ""
    goal: _Written = ""
    until: _Written = ""
    do: Literal["check", "change", "start"] = "check"


Problems = dict[str, CampaignProblem]
"""Field to what is wrong with it."""


def read_limits(form: LimitsForm) -> tuple[dict[str, int | None], Problems]:
    """Return a form's limits by their columns, and what can't be taken as it is."""
    problems: Problems = {}
    limits = {
        "pace_per_hour": _read("pace", form, _pace, problems),
        "open_calls_at_most": _read("open_calls", form, campaign_terms.read_open_calls, problems),
    }
    return limits, problems


def read_terms(
    form: TermsForm, clinic: Clinic, now: datetime
) -> tuple[CampaignTerms | None, Problems]:
    """Return a form's terms, None where some can't be taken; and which, and why.

    Args:
        form: As it was filled in.
        clinic: Whose calendar counts.
        now: Aware UTC.
    """
    limits, problems = read_limits(form)

    def last_moment(written: str) -> datetime:
        day = campaign_terms.read_day(written)
        return campaign_terms.end_of_day(day, clinic.profile.zone, now)

    given: dict[str, Any] = limits | {
        "goal": _read("goal", form, campaign_terms.read_share, problems),
        "until": _read("until", form, last_moment, problems),
    }
    try:
        given["name"] = campaign_terms.checked_name(form.name)
    except CampaignRefusal as refusal:
        problems["name"] = refusal.why
    return (None if problems else CampaignTerms(**given)), problems


def _pace(written: str) -> int:
    # the field says that it is of an hour
    return campaign_terms.read_pace(written if "/" in written else f"{written}/h")


def _read(
    field: str, form: LimitsForm, read: Callable[[str], _Value], problems: Problems
) -> _Value | None:
    written = str(getattr(form, field)).strip()
    if not written:
        return None
    try:
        return read(written)
    except CampaignRefusal as refusal:
        problems[field] = refusal.why
        return None
