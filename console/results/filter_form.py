"""Which campaigns, segment and days a manager has chosen to see."""

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict
from starlette.datastructures import QueryParams

from clinic.results.selection import Selection
from clinic.tables import Campaign
from console.staff_words import N_

_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)
"""A day beyond these is a slip of the pen."""
_MOST = 200
"""Campaigns named in one address; nobody ticks more, and none of them costs all of them."""

NO_DAY = N_("This is no day that we can read. Choose one in the calendar, please.")
WRONG_WAY_ROUND = N_("The first day comes after the last one. Choose them the other way round.")
NO_CAMPAIGN = N_("One of the campaigns is not there any more. Choose again, please.")
NO_SEGMENT = N_("No campaign was started on that segment. Choose again, please.")


class FilterForm(BaseModel):
    """What was filled in, as it was, so that it can be shown again.

    Attributes:
        campaigns: Ids.
        segment: By its name; empty: all.
        since: The first day, as `<input type="date">` writes it.
        until: The last day, likewise.
    """

    model_config = ConfigDict(frozen=True)

    campaigns: tuple[str, ...] = ()
    segment: str = ""
    since: str = ""
    until: str = ""

    @property
    def empty(self) -> bool:
        """Whether nothing was chosen: everything is shown."""
        return self == FilterForm()

    def selection(self, every: Sequence[Campaign]) -> Selection | str:
        """Return what is to be counted, or what is wrong with it, to be translated.

        Args:
            every: The campaigns there are.
        """
        try:
            since, until = _day(self.since), _day(self.until)
        except ValueError:
            return NO_DAY
        if since and until and since > until:
            return WRONG_WAY_ROUND
        if not set(self.campaigns) <= {campaign.id for campaign in every}:
            return NO_CAMPAIGN
        if self.segment and self.segment not in segments_of(every):
            return NO_SEGMENT
        return Selection(campaigns=self.campaigns, segment=self.segment, since=since, until=until)


def asked_for(asked: QueryParams) -> FilterForm:
    """Return what an address asks for: ids, a segment's name and days, of nobody in person."""
    return FilterForm(
        campaigns=tuple(dict.fromkeys(asked.getlist("campaign")[:_MOST])),
        segment=asked.get("segment", ""),
        since=asked.get("from", ""),
        until=asked.get("to", ""),
    )


def segments_of(every: Sequence[Campaign]) -> list[str]:
    """Return the segments on which campaigns were started, by name."""
    return sorted({campaign.segment for campaign in every})


def _day(written: str) -> date | None:
    if not written:
        return None
    day = date.fromisoformat(written)
    if not _EARLIEST <= day <= _LATEST:
        raise ValueError("a day beyond all bounds")
    return day
