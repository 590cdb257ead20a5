"""The pictures of a page of results, each laid out from its figures."""

from collections.abc import Mapping
from typing import NamedTuple

from clinic.multilingual import Saying
from clinic.results.by_contact import ByContact
from clinic.results.facts import Stage
from clinic.results.results import Results
from clinic.results.share import Share
from console.results.csv_file import NO_REASON
from console.results.formats import result_formats
from console.results.picture import Bars, Columns, Row, bars, columns
from console.results.words import STAGES
from console.staff_words import CHANNELS, N_, REASONS
from console.translations import translations

_IN_BETWEEN = N_("in between")
"""A call that no plan names."""


class Pictures(NamedTuple):
    """What is drawn."""

    funnel: Bars
    campaigns: Bars
    segments: Bars
    channels: Bars
    steps: Bars
    weeks: Columns
    internal: Bars
    external: Bars
    callers: Bars


def pictures_of(results: Results, titles: Mapping[str, Saying], language: str) -> Pictures:
    """Lay out all pictures.

    Args:
        results: What was counted.
        titles: What segments are called, by their names.
        language: `es`, `ru` or `en`.
    """
    gettext = translations(language).gettext
    week = result_formats(language)["week"]

    def contact(line: ByContact) -> str:
        return gettext(CHANNELS[line.channel]) if line.channel in CHANNELS else line.channel

    def step(line: ByContact) -> str:
        place = gettext(_IN_BETWEEN) if line.step is None else str(line.step)
        return f"{place} · {contact(line)}"

    def reasons(*, internal: bool) -> list[Row]:
        return [
            Row(gettext(REASONS[reason]), Share(number, results.declined))
            for reason, number in results.reasons.items()
            if reason is not None and reason.internal == internal
        ]

    unknown = results.reasons.get(None, 0)
    why_not = [Row(gettext(NO_REASON), Share(unknown, results.declined))] if unknown else []
    inside, outside = reasons(internal=True), reasons(internal=False)
    longest = bars([*inside, *outside, *why_not]).top
    booked = [
        Row(each.name, each.funnel.share(Stage.BOOKED), each.goal, free=True)
        for each in results.campaigns
    ]
    by_segment = [
        Row(titles[name].text, funnel.share(Stage.BOOKED), free=titles[name].language != language)
        for name, funnel in results.segments.items()
    ]
    stages = [
        Row(
            gettext(STAGES[stage]),
            results.funnel.share(stage),
            whole=stage is Stage.IN_SEGMENT,
        )
        for stage in Stage
    ]
    return Pictures(
        funnel=bars(stages, top=1.0),
        campaigns=bars(booked, ranked=True),
        segments=bars(by_segment, ranked=True),
        channels=bars([Row(contact(line), line.share) for line in results.channels], ranked=True),
        steps=bars([Row(step(line), line.share) for line in results.steps]),
        weeks=columns(
            [
                Row(week(monday), funnel.share(Stage.BOOKED))
                for monday, funnel in results.weeks.items()
            ]
        ),
        internal=bars(inside, ranked=True, top=longest),
        external=bars([*outside, *why_not], ranked=True, top=longest),
        callers=bars(
            [Row(each.name, Share(each.booked, each.calls), free=True) for each in results.callers]
        ),
    )
