"""The results as a file for a spreadsheet: one figure a row.

Words are in the reader's language, as on the page. So are the signs: in Spanish and Russian a
spreadsheet expects a semicolon between cells and a comma in a number, in English a comma and a
point. Numbers stay numbers.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from io import StringIO
from typing import NamedTuple

from clinic.multilingual import Saying
from clinic.outcome import LossReason
from clinic.results.by_contact import ByContact
from clinic.results.facts import Stage
from clinic.results.results import Results
from clinic.results.share import Share
from console.results.words import RESULT_PARTS, STAGES
from console.staff_words import CHANNELS, N_, REASONS

HEADER = (
    N_("part"),
    N_("group"),
    N_("figure"),
    N_("number"),
    N_("of"),
    N_("share"),
    N_("share at least"),
    N_("share at most"),
    N_("small group"),
)
_YES = N_("few")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A spreadsheet takes what begins so for a formula (OWASP, "CSV Injection")."""
_PLACES = 5
_Cell = str | int | float | Decimal
_Words = Callable[[str], str]


class _Figure(NamedTuple):
    part: str
    group: str
    figure: str
    number: int | Decimal
    share: Share | None = None


def csv_of(
    results: Results,
    titles: Mapping[str, Saying],
    language: str,
    gettext: _Words,
    currency: str,
) -> bytes:
    """Write results as CSV, with the mark by which a spreadsheet knows UTF-8.

    Args:
        results: What was counted.
        titles: What segments are called, by their names.
        language: `es`, `ru` or `en`.
        gettext: Translates into it.
        currency: Of the costs.
    """
    comma = language == "en"
    file = StringIO(newline="")
    writer = csv.writer(file, delimiter="," if comma else ";")
    writer.writerow([gettext(name) for name in HEADER])
    for figure in _figures(results, titles, gettext, currency):
        writer.writerow([_written(cell, "." if comma else ",") for cell in _row(figure, gettext)])
    return file.getvalue().encode("utf-8-sig")


def _row(figure: _Figure, gettext: _Words) -> list[_Cell]:
    row: list[_Cell] = [gettext(figure.part), figure.group, figure.figure, figure.number]
    if figure.share is None:
        return [*row, "", "", "", "", ""]
    share = figure.share
    few = gettext(_YES) if share.few else ""
    return [*row, share.of, share.share, *share.interval, few]


def _written(cell: _Cell, point: str) -> str:
    """Write a cell: a text so that no spreadsheet runs it, a number so that it can be added up."""
    match cell:
        case str():
            return f"'{cell}" if cell.startswith(_FORMULA) else cell
        case int():
            return str(cell)
        case _:
            return str(round(cell, _PLACES)).replace(".", point)


def _figures(
    results: Results, titles: Mapping[str, Saying], gettext: _Words, currency: str
) -> Iterator[_Figure]:
    for stage in Stage:
        share = results.funnel.share(stage)
        yield _Figure(RESULT_PARTS["funnel"], "", gettext(STAGES[stage]), share.number, share)
    groups = [
        *(("campaigns", each.name, each.funnel) for each in results.campaigns),
        *(("segments", titles[name].text, funnel) for name, funnel in results.segments.items()),
        *(("weeks", monday.isoformat(), funnel) for monday, funnel in results.weeks.items()),
    ]
    for part, name, funnel in groups:
        for stage in Stage:
            share = funnel.share(stage)
            yield _Figure(RESULT_PARTS[part], name, gettext(STAGES[stage]), share.number, share)
    yield from _by_contact("channels", results.channels, gettext)
    yield from _by_contact("steps", results.steps, gettext)
    for reason, number in results.reasons.items():
        share = Share(number, results.declined)
        name = gettext(REASONS[reason] if reason is not None else NO_REASON)
        yield _Figure(RESULT_PARTS["reasons"], name, gettext(_side(reason)), number, share)
    for line in results.spending.lines:
        if line.cost is not None:
            name = _channel(line.channel, gettext)
            yield _Figure(RESULT_PARTS["costs"], name, currency, line.cost)
    for caller in results.callers:
        for what, number in ((N_("reached"), caller.reached), (N_("booked"), caller.booked)):
            share = Share(number, caller.calls)
            yield _Figure(RESULT_PARTS["callers"], caller.name, gettext(what), number, share)


NO_REASON = N_("No reason given")
_INTERNAL, _EXTERNAL = N_("the clinic's"), N_("not the clinic's")


def _side(reason: LossReason | None) -> str:
    if reason is None:
        return NO_REASON
    return _INTERNAL if reason.internal else _EXTERNAL


def _by_contact(part: str, lines: tuple[ByContact, ...], gettext: _Words) -> Iterator[_Figure]:
    for line in lines:
        name = _channel(line.channel, gettext)
        if part == "steps":
            name = f"{line.step or ''} {name}".strip()
        for stage, number in (
            (Stage.ANSWERED, line.answered),
            (Stage.BOOKED, line.booked),
            (Stage.CAME, line.came),
        ):
            share = Share(min(number, line.contacts), line.contacts)
            yield _Figure(RESULT_PARTS[part], name, gettext(STAGES[stage]), number, share)


def _channel(name: str, gettext: _Words) -> str:
    return gettext(CHANNELS[name]) if name in CHANNELS else name
