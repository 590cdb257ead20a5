"""Which attempts are counted."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, func

from clinic.results.local_calendar import begins
from clinic.tables import Attempt, Campaign

Conditions = list[ColumnElement[bool]]
"""What holds of an attempt, and of its campaign; none: everything is counted."""


class Selection(BaseModel):
    """What a manager wants to see counted; what is left empty restricts nothing.

    Attributes:
        campaigns: Ids.
        segment: The segment's name, as campaigns were started on it.
        since: The first day, in the clinic's zone, on which attempts started. Who never was
            started counts with the day on which the campaign began.
        until: The last such day.
    """

    model_config = ConfigDict(frozen=True)

    campaigns: tuple[str, ...] = ()
    segment: str = ""
    since: date | None = None
    until: date | None = None

    def conditions(self, zone: ZoneInfo) -> Conditions:
        """Return what holds of an attempt that is counted, and of its campaign.

        Args:
            zone: The clinic's time zone.
        """
        conditions: Conditions = []
        if self.campaigns:
            conditions.append(Campaign.id.in_(self.campaigns))
        if self.segment:
            conditions.append(Campaign.segment == self.segment)
        if self.since is not None:
            conditions.append(begun_at() >= begins(self.since, zone))
        if self.until is not None and self.until < date.max:
            conditions.append(begun_at() < begins(self.until + timedelta(days=1), zone))
        return conditions


def begun_at() -> ColumnElement[datetime]:
    """Return when an attempt began; of one that was never started, when its campaign did."""
    return func.coalesce(Attempt.started_at, Campaign.started_at)
