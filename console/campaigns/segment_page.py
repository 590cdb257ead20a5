"""Choosing a segment, and looking at it closely: its rule, who is left out and why, a plan."""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar
from urllib.parse import quote

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.addresses import addresses_by_channel
from clinic.accounts import Role
from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.segments.in_words import conditions
from clinic.segments.rule import Segment
from clinic.segments.size import SampledPatient
from clinic.segments.unknown_words import unknown_words
from clinic.tables import Patient
from console.campaigns.looks import CampaignLooks
from console.campaigns.rule_words import RuleSpeech
from console.campaigns.titles import Titles
from console.clock import Clock
from console.doors.sessions import Doors, Visitor
from console.staff_view import render

_Read = TypeVar("_Read")


class SegmentPages:
    """Shows segments.

    Args:
        clinic: Whose.
        clock: What time it is.
        looks: Counts them.
    """

    def __init__(self, clinic: Clinic, clock: Clock, looks: CampaignLooks) -> None:
        self._clinic = clinic
        self._clock = clock
        self._looks = looks

    async def all(self, visitor: Visitor) -> Response:
        """Return the list of segments with how many patients each has."""
        segments, broken = each_that_can_be_read(
            self._clinic.folder.names("segments"), self._clinic.folder.segment
        )
        counts = await self._looks.counts(segments, self._clock())
        return render(
            visitor,
            "campaigns/segments.html",
            segments=segments,
            titles=Titles(self._clinic.folder, visitor.language),
            broken=broken,
            counts=counts,
            running=any(look.running for look in counts.values()),
        )

    async def one(self, name: str, visitor: Visitor) -> Response:
        """Return a segment's page: what its rule asks, who is left out, and the plans there are."""
        segment = self.segment(name)
        channels = addresses_by_channel(self._clinic)
        plans, broken = each_that_can_be_read(
            self._clinic.folder.names("plans"),
            lambda plan: self._clinic.folder.plan(plan, channels),
        )
        is_shown = self._clinic.policy.demonstration
        async with self._clinic.database.reading() as session:
            unknown = await unknown_words(session, segment.where)
        return render(
            visitor,
            "campaigns/segment.html",
            segment=segment,
            titles=Titles(self._clinic.folder, visitor.language),
            conditions=list(conditions(segment.where, RuleSpeech(visitor.language))),
            unknown=unknown,
            look=await self._looks.size(segment, self._clock()),
            # whoever watches a demonstration has no days to wait
            plans=sorted(plans, key=lambda plan: plan.takes) if is_shown else plans,
            is_shown=is_shown,
            broken=broken,
            zone=self._clinic.profile.zone,
        )

    async def again(self, name: str) -> Response:
        """Count a segment anew."""
        await self._looks.size(self.segment(name), self._clock(), anew=True)
        return RedirectResponse(f"/campaigns/new/{quote(name)}", 303)

    async def some(self, name: str, visitor: Visitor) -> Response:
        """Return a few of a segment's patients by name; that they were looked at is noted."""
        segment, now = self.segment(name), self._clock()
        look = await self._looks.size(segment, now)
        async with self._clinic.database.writing() as session:
            sample = await _still_there(session, look.result.sample if look.result else [])
            for patient_id in sample:
                await note(
                    session,
                    who=visitor.account,
                    action=Action.VIEWED,
                    now=now,
                    patient_id=patient_id,
                )
        return render(
            visitor,
            "campaigns/patients.html",
            segment=segment,
            titles=Titles(self._clinic.folder, visitor.language),
            look=look,
            sample=list(sample.values()),
        )

    def segment(self, name: str) -> Segment:
        """Return a segment.

        Raises:
            HTTPException: 404, there is none, or its file can't be read.
        """
        return found(name, self._clinic.folder.segment)


async def _still_there(
    session: AsyncSession, sample: Sequence[SampledPatient]
) -> dict[str, SampledPatient]:
    """Return those of a sample whom nobody has forgotten since, by their opaque ids."""
    numbers = [one.external_id for one in sample]
    rows = await session.execute(
        select(Patient.external_id, Patient.id).where(
            Patient.external_id.in_(numbers), Patient.erased_at.is_(None)
        )
    )
    ids = {row[0]: row[1] for row in rows}
    return {ids[one.external_id]: one for one in sample if one.external_id in ids}


def found(name: str, read: Callable[[str], _Read]) -> _Read:
    """Read one file of the clinic's folder.

    Raises:
        HTTPException: 404, there is none, or it can't be read; the lists say why.
    """
    try:
        return read(name)
    except (Refusal, OSError, ValueError):  # a name that no file can have
        raise HTTPException(404, "no such file in the clinic's folder") from None


def each_that_can_be_read(
    names: list[str], read: Callable[[str], _Read]
) -> tuple[list[_Read], dict[str, str]]:
    """Read files of the clinic's folder; one that is wrong does not hide the others.

    Returns:
        Those that could be read; and the names of the others, each with what is wrong.
    """
    good: list[_Read] = []
    broken: dict[str, str] = {}
    for name in names:
        try:
            good.append(read(name))
        except Refusal as refusal:
            broken[name] = str(refusal)
    return good, broken


def router(clinic: Clinic, clock: Clock, doors: Doors, looks: CampaignLooks) -> APIRouter:
    """Build the doors that lead to a new campaign, up to its plan."""
    routes = APIRouter(default_response_class=HTMLResponse)
    pages = SegmentPages(clinic, clock, looks)
    ops = Annotated[Visitor, Depends(doors.signed_in(Role.OPS))]

    @routes.get("/campaigns/new")
    async def choose(visitor: ops) -> Response:
        return await pages.all(visitor)

    @routes.get("/campaigns/new/{segment}")
    async def show(segment: str, visitor: ops) -> Response:
        return await pages.one(segment, visitor)

    @routes.post(
        "/campaigns/new/{segment}/count", dependencies=[Depends(doors.signed_in(Role.OPS))]
    )
    async def count(segment: str) -> Response:
        return await pages.again(segment)

    @routes.get("/campaigns/new/{segment}/patients")
    async def patients(segment: str, visitor: ops) -> Response:
        return await pages.some(segment, visitor)

    return routes
