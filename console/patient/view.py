"""The pages that patients see: rendered for their language, without a script, under 50 kB."""

import re
import secrets
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from clinic.folder import ClinicProfile
from clinic.multilingual import LANGUAGES
from console.patient.answer import LONGEST_WORDS, Draft
from console.patient.said_before import SaidBefore
from console.patient.spoken import spoken_day, spoken_time
from console.patient.texts import DAY_PARTS, LANGUAGE_NAMES, REASONS, TEXTS
from console.patient.visit import Visit

_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_ACCEPTED = re.compile(
    r"\s*([A-Za-z]{2,3})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*"
)
_MOST_ACCEPTED = 500
"""Characters of an Accept-Language header that are read; browsers send fewer than a hundred."""
_SAYS = {404: "error_link", 413: "error_size", 400: "error_form", 422: "error_form"}


def patient_page(profile: ClinicProfile, visit: Visit, draft: Draft | None = None) -> HTMLResponse:
    """Return the page with the four things to do, and what was said on it before.

    Args:
        profile: The clinic's.
        visit: Who has come.
        draft: What the patient sent, where it can't be taken as it is: it is shown again.
    """
    language = visit.language
    texts = TEXTS[language]
    draft = draft or Draft()
    days = [
        {
            "words": spoken_day(day, language),
            "parts": [
                {"name": time.name, "words": DAY_PARTS[language][time.part]} for time in parts
            ],
        }
        for day, parts in groupby(visit.times, attrgetter("day"))
    ]
    return _page(
        profile,
        language,
        "patient.html",
        status=200 if draft.problem is None else 422,
        token=visit.token,
        language_names=LANGUAGE_NAMES,
        nonce=secrets.token_hex(16),
        days=days,
        before=visit.before,
        will_call=_will_call(visit.before, language),
        reasons=REASONS[language],
        incentive=profile.feedback_incentive.get(language, ""),
        most=LONGEST_WORDS,
        problem=texts[draft.problem].format(most=LONGEST_WORDS) if draft.problem else "",
        asked=draft.asked,
        call_words=draft.words if draft.asked == "call" else "",
        why_words=draft.words if draft.asked == "why" else "",
        chosen_reason=draft.reason,
    )


def over_page(profile: ClinicProfile, visit: Visit) -> HTMLResponse:
    """Return what is left of the page when its link has expired: the clinic, and the stop.

    Args:
        profile: The clinic's.
        visit: Who has come.
    """
    return _page(
        profile,
        visit.language,
        "over.html",
        status=410,
        token=visit.token,
        before=visit.before,
        language_names=LANGUAGE_NAMES,
    )


def thanks_page(
    profile: ClinicProfile, language: str, token: str | None, said: str, *, incentive: bool = False
) -> HTMLResponse:
    """Return what a patient reads after an answer.

    Args:
        profile: The clinic's.
        language: `es`, `ru` or `en`.
        token: The link's, to go back to the page; None: it has expired.
        said: The thanks.
        incentive: Say again what the clinic gives for an answer.
    """
    return _page(
        profile,
        language,
        "thanks.html",
        token=token,
        said=said,
        incentive=profile.feedback_incentive.get(language, "") if incentive else "",
    )


def error_page(profile: ClinicProfile, accepted: str, status: int) -> HTMLResponse:
    """Return a refusal in words, where no link says who reads it.

    Args:
        profile: The clinic's.
        accepted: The browser's Accept-Language.
        status: Of the answer.
    """
    language = language_accepted(accepted) or profile.language
    says = _SAYS.get(status, "error_form" if status < 500 else "error_ours")  # noqa: PLR2004
    return _page(profile, language, "error.html", status=status, said=TEXTS[language][says])


def language_accepted(header: str) -> str | None:
    """Return the one of our languages that a browser likes best; None: it names none of them."""
    liked: list[tuple[float, str]] = []
    for each in header[:_MOST_ACCEPTED].split(","):
        found = _ACCEPTED.fullmatch(each)
        if found is not None and found[1].lower() in LANGUAGES:
            liked.append((float(found[2] or 1), found[1].lower()))
    best = max(liked, key=lambda each: each[0], default=(0.0, None))
    return best[1] if best[0] > 0 else None


def _will_call(before: SaidBefore, language: str) -> str:
    """Return what was promised about a call, as it was said then; empty: nothing."""
    if not before.awaits_call:
        return ""
    if before.call_time is None:
        return TEXTS[language]["will_call"]
    return TEXTS[language]["will_call_at"].format(time=spoken_time(before.call_time, language))


def _page(
    profile: ClinicProfile, language: str, name: str, *, status: int = 200, **values: object
) -> HTMLResponse:
    html = _PAGES.get_template(name).render(
        clinic=profile, language=language, texts=TEXTS[language], **values
    )
    return HTMLResponse(html, status)
