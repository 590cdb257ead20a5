"""How many patients a segment has, who a few of them are, and how many would be left out."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.contact_policy import ContactCalendar, ContactPolicy
from clinic.delivery_check import (
    AddressOf,
    LeftOut,
    StepContent,
    address_on,
    calendar_of,
    why_left_out,
)
from clinic.plan import Plan, Step
from clinic.register.standing import Standing, standings
from clinic.segments.rule import Segment
from clinic.segments.sql import members
from clinic.tables import Patient, Visit

_AT_ONCE = 500


@dataclass(frozen=True)
class SampledPatient:
    """One patient of a segment, as the clinic knows them.

    Attributes:
        last_visit: A day of the clinic; None where the register knows of none.
        left_out: Why an attempt would not start now, and by which rule; None where it would.
    """

    external_id: str
    name: str
    last_visit: date | None
    left_out: tuple[LeftOut, str] | None


@dataclass
class SegmentSize:
    """A segment's patients.

    Attributes:
        patients: How many there are.
        left_out: Reason to how many of them would get no attempt now, on any channel in use.
        sample: The first of them, in the order of the clinic's numbers.
    """

    patients: int = 0
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    sample: list[SampledPatient] = field(default_factory=list)


async def count(
    session: AsyncSession, segment: Segment, *, now: datetime, calendar: ContactCalendar
) -> int:
    """Return how many patients a segment has at a moment (aware UTC)."""
    condition = members(segment, now, calendar.zone)
    return await session.scalar(select(func.count()).select_from(Patient).where(condition)) or 0


async def member_pages(
    session: AsyncSession, segment: Segment, *, now: datetime, calendar: ContactCalendar
) -> AsyncIterator[list[str]]:
    """Yield the ids of a segment's patients by the hundred, in the order of the clinic's numbers.

    The rule is evaluated once, however many pages there are, and memory stays flat. The session
    may be used between two pages; it is emptied before each.

    Args:
        session: A transaction that stays open to the end.
        segment: The rule.
        now: Aware UTC.
        calendar: The clinic's.
    """
    condition = members(segment, now, calendar.zone)
    query = select(Patient.id).where(condition).order_by(Patient.external_id)
    stream = await session.stream_scalars(query.execution_options(yield_per=_AT_ONCE))
    async for page in stream.partitions():
        session.expunge_all()
        yield list(page)


async def measure(
    session: AsyncSession,
    segment: Segment,
    channels: Mapping[str, AddressOf],
    *,
    policy: ContactPolicy,
    calendar: ContactCalendar,
    key: SecretStr,
    now: datetime,
    sample: int,
    on_page: Callable[[int], object] = lambda _: None,
) -> SegmentSize:
    """Count a segment's patients by whether an attempt over all channels in use would start.

    Args:
        session: A transaction that stays open to the end.
        segment: The rule.
        channels: How each channel in use reads a patient's address.
        policy: The contact policy.
        calendar: The clinic's.
        key: The key of the suppression hashes.
        now: Aware UTC.
        sample: How many patients to name.
        on_page: Is told how many patients were looked at since the last time.
    """
    size = SegmentSize()
    plan, contents = _over_all(channels)

    def left_out_of(patient: Standing) -> tuple[LeftOut, str] | None:
        addresses = {
            name: address_on(address_of, patient.contact, key)
            for name, address_of in channels.items()
        }
        own_calendar = calendar_of(patient.contact, policy, calendar)
        return why_left_out(patient, plan, addresses, contents, policy, own_calendar, now)

    async for page in member_pages(session, segment, now=now, calendar=calendar):
        found = await standings(session, page, now, key, zone=calendar.zone)
        reasons = {patient_id: left_out_of(found[patient_id]) for patient_id in page}
        size.patients += len(page)
        size.left_out.update(reason[0] for reason in reasons.values() if reason is not None)
        wanted = page[: sample - len(size.sample)]
        if wanted:
            last_visits = await _last_visits(session, wanted)
            size.sample.extend(
                _sampled(found[one], last_visits.get(one), reasons[one]) for one in wanted
            )
        on_page(len(page))
    return size


def _over_all(channels: Mapping[str, AddressOf]) -> tuple[Plan, list[StepContent]]:
    """Return a plan with a reminder on every channel: which of them is open is all it is for."""
    steps = tuple(Step(channel=name, template="", wait=timedelta(days=1)) for name in channels)
    return Plan(name="", steps=steps), [StepContent(kind="reminder") for _ in steps]


async def _last_visits(session: AsyncSession, patient_ids: list[str]) -> dict[str, date]:
    query = (
        select(Visit.patient_id, func.max(Visit.day).label("day"))
        .where(Visit.patient_id.in_(patient_ids))
        .group_by(Visit.patient_id)
    )
    return {row.patient_id: row.day for row in await session.execute(query)}


def _sampled(
    patient: Standing, last_visit: date | None, left_out: tuple[LeftOut, str] | None
) -> SampledPatient:
    name = f"{patient.first_name} {patient.last_name}".strip()
    return SampledPatient(patient.external_id, name, last_visit, left_out)
