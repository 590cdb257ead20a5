"""What the page of results shows of them: the pictures, and the rows of the tables beneath."""

from collections.abc import Mapping
from typing import Any

from clinic.multilingual import Saying
from clinic.results.facts import Stage
from clinic.results.results import Results
from clinic.results.share import Share
from console.results.csv_file import NO_REASON
from console.results.formats import result_formats
from console.results.pictures import pictures_of
from console.staff_words import N_, REASONS
from console.translations import translations

_FOR_BOOKED, _FOR_CAME = N_("For each who booked"), N_("For each who came")


def shown(results: Results, titles: Mapping[str, Saying], language: str) -> dict[str, Any]:
    """Return what the page's templates need, by name.

    Args:
        results: What was counted.
        titles: What segments are called, by their names.
        language: `es`, `ru` or `en`.
    """
    gettext = translations(language).gettext
    week = result_formats(language)["week_of_year"]
    spent = results.spending
    return {
        "pictures": pictures_of(results, titles, language),
        "campaign_rows": [(each.name, each.funnel) for each in results.campaigns],
        "segment_rows": [(titles[name].text, funnel) for name, funnel in results.segments.items()],
        "week_rows": [(week(monday), funnel) for monday, funnel in results.weeks.items()],
        "declined": Share(results.declined, results.declined),
        "reason_rows": [
            (gettext(REASONS[reason] if reason else NO_REASON), Share(number, results.declined))
            for reason, number in results.reasons.items()
        ],
        "caller_rows": [
            (
                each.name,
                each.calls,
                Share(each.reached, each.calls),
                Share(each.booked, each.calls),
            )
            for each in results.callers
        ],
        "cost_rows": [
            (gettext(said), spent.of_one(results.funnel.share(stage, of=Stage.CONTACTED)))
            for said, stage in ((_FOR_BOOKED, Stage.BOOKED), (_FOR_CAME, Stage.CAME))
        ],
    }
