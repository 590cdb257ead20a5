"""What campaigns' pages let be counted in the background."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from channels.addresses import addresses_by_channel
from clinic import campaigns
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.forecast import forecast_segment
from clinic.plan import Plan
from clinic.report import Report, report_on
from clinic.segments import size as segment_size
from clinic.segments.rule import Segment
from clinic.segments.size import SegmentSize
from clinic.step_progress import StepProgress, progress_by_step
from console.campaigns.background import Background, Look, Work
from console.campaigns.outlook import Outlook

_COUNTS_KEPT = timedelta(minutes=1)
_LOOKS_KEPT = timedelta(hours=1)
PATIENCE = 0.8
"""Seconds that a page waits for a count: most registers are counted by then."""
_SAMPLED = 10


class Figures(NamedTuple):
    """What has become of a campaign, counted in one transaction."""

    report: Report
    steps: list[StepProgress]


class CampaignLooks:
    """Counts segments, at once by the database, and patient by patient by the rules; and campaigns.

    Args:
        clinic: Whose register.
    """

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        url = clinic.settings.database_url
        self._counts = Background(url, _COUNTS_KEPT)
        self._looks = Background(url, _LOOKS_KEPT)
        self._figures = Background(url, timedelta(0))

    async def counts(self, segments: Sequence[Segment], now: datetime) -> Mapping[str, Look[int]]:
        """Return how many patients each segment has, by the segments' names."""
        looks = {
            segment.name: self._counts.look(_key(segment), self._counted(segment, now), now)
            for segment in segments
        }
        await self._counts.wait(map(_key, segments), PATIENCE)
        return looks

    async def size(
        self, segment: Segment, now: datetime, *, anew: bool = False
    ) -> Look[SegmentSize]:
        """Return how many of a segment would be left out, whatever the plan, and a few by name."""
        clinic, channels = self._clinic, addresses_by_channel(self._clinic)

        async def work(database: Database, look: Look[SegmentSize]) -> SegmentSize:
            look.total = await self._count(database, segment, now)
            async with database.reading() as session:
                return await segment_size.measure(
                    session,
                    segment,
                    channels,
                    policy=clinic.policy,
                    calendar=clinic.calendar,
                    key=clinic.key,
                    now=now,
                    sample=_SAMPLED,
                    on_page=look.count,
                )

        key = ("size", _key(segment))
        look = self._looks.look(key, work, now, anew=anew)
        await self._looks.wait([key], PATIENCE)
        return look

    async def outlook(
        self, segment: Segment, plan: Plan, now: datetime, *, anew: bool = False
    ) -> Look[Outlook]:
        """Return what a plan would do for a segment."""
        clinic, channels = self._clinic, addresses_by_channel(self._clinic)

        async def work(database: Database, look: Look[Outlook]) -> Outlook:
            look.total = await self._count(database, segment, now)
            counted = Outlook.of(plan)
            async with database.reading() as session:
                async for one in forecast_segment(
                    session,
                    segment,
                    plan,
                    channels,
                    policy=clinic.policy,
                    folder=clinic.folder,
                    links=clinic.links,
                    key=clinic.key,
                    now=now,
                ):
                    counted.take(one)
                    look.count(1)
            return counted

        key = ("outlook", _key(segment), plan.model_dump_json())
        look = self._looks.look(key, work, now, anew=anew)
        await self._looks.wait([key], PATIENCE)
        return look

    async def figures(self, campaign_id: str, now: datetime) -> Look[Figures]:
        """Return what has become of a campaign that there is."""

        async def work(database: Database, look: Look[Figures]) -> Figures:
            del look
            async with database.reading() as session:
                campaign = await campaigns.find_by_id(session, campaign_id)
                return Figures(
                    report=await report_on(session, campaign, now),
                    steps=await progress_by_step(session, campaign),
                )

        look = self._figures.look(campaign_id, work, now)
        await self._figures.wait([campaign_id], PATIENCE)
        return look

    def close(self) -> None:
        """Leave what is being counted."""
        self._counts.close()
        self._looks.close()
        self._figures.close()

    def _counted(self, segment: Segment, now: datetime) -> Work[int]:
        async def work(database: Database, look: Look[int]) -> int:
            del look  # one statement: there is no progress to tell
            return await self._count(database, segment, now)

        return work

    async def _count(self, database: Database, segment: Segment, now: datetime) -> int:
        calendar = self._clinic.calendar
        async with database.reading() as session:
            return await segment_size.count(session, segment, now=now, calendar=calendar)


def _key(segment: Segment) -> str:
    """Return what a segment says: once its file says something else, it is counted again."""
    return segment.model_dump_json()
