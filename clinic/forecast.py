"""What a plan would do: who would get what when if nobody answered, and who is left out."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.contact_policy import ContactPolicy, may_contact, next_opening
from clinic.delivery import SkipReason
from clinic.delivery_check import (
    Address,
    AddressOf,
    LeftOut,
    address_on,
    unusable,
    why_left_out,
)
from clinic.plan import Plan
from clinic.segment import Segment
from clinic.segment_sql import members
from clinic.standing import Standing, standings
from clinic.tables import Patient


class ForecastStep(BaseModel):
    """One step of a forecast.

    Attributes:
        at: Aware UTC; when the step would be delivered. None: it would be skipped.
        skipped: Why it would be skipped.
        rule: Which rule of the contact policy put it off, if any did.
    """

    model_config = ConfigDict(frozen=True)

    channel: str
    template: str
    at: datetime | None = None
    skipped: SkipReason | None = None
    rule: str = ""


class Forecast(BaseModel):
    """What one patient of a segment would get."""

    model_config = ConfigDict(frozen=True)

    patient_id: str
    external_id: str
    name: str
    left_out: LeftOut | None = None
    steps: tuple[ForecastStep, ...] = ()


def forecast(
    patient: Standing,
    plan: Plan,
    addresses: Mapping[str, Address],
    *,
    policy: ContactPolicy,
    zone: ZoneInfo,
    now: datetime,
) -> Forecast:
    """Climb the plan for one patient who never answers.

    Args:
        patient: Where the patient stands.
        plan: The plan.
        addresses: The patient's address on each of the plan's channels.
        policy: The contact policy in force.
        zone: The clinic's time zone.
        now: Aware UTC; when the attempt would start.
    """
    name = f"{patient.first_name} {patient.last_name}".strip()
    left_out = why_left_out(patient, plan, addresses, policy, now)
    steps: list[ForecastStep] = []
    if left_out is None:
        contacted = list(patient.contacted_at)
        clock = now
        for step in plan.steps:
            planned = ForecastStep(channel=step.channel, template=step.template)
            if (reason := unusable(addresses[step.channel], patient)) is not None:
                steps.append(planned.model_copy(update={"skipped": reason}))
                continue
            if step.by_person:
                clock = next_opening(policy, zone, clock)
                steps.append(planned.model_copy(update={"at": clock}))
            else:
                blocked = may_contact(policy, zone, clock, contacted)
                clock = clock if blocked is None else blocked.until
                rule = "" if blocked is None else blocked.rule
                steps.append(planned.model_copy(update={"at": clock, "rule": rule}))
                contacted.append(clock)
            clock += step.wait
    return Forecast(
        patient_id=patient.patient_id,
        external_id=patient.external_id,
        name=name,
        left_out=left_out,
        steps=tuple(steps),
    )


async def forecast_segment(
    session: AsyncSession,
    segment: Segment,
    plan: Plan,
    channels: Mapping[str, AddressOf],
    *,
    policy: ContactPolicy,
    zone: ZoneInfo,
    key: SecretStr,
    now: datetime,
) -> list[Forecast]:
    """Climb the plan for everybody in a segment; ordered by the clinic's own numbers.

    Args:
        session: Any transaction.
        segment: Who.
        plan: What.
        channels: How each of the plan's channels reads a patient's address.
        policy: The contact policy in force.
        zone: The clinic's time zone.
        key: The key of the suppression hashes.
        now: Aware UTC; when the campaign would start.
    """
    query = select(Patient.id).where(members(segment, now, zone)).order_by(Patient.external_id)
    patient_ids = list(await session.scalars(query))
    found = await standings(session, patient_ids, now, key)
    return [
        forecast(
            found[patient_id],
            plan,
            {
                step.channel: address_on(channels[step.channel], found[patient_id].contact, key)
                for step in plan.steps
            },
            policy=policy,
            zone=zone,
            now=now,
        )
        for patient_id in patient_ids
    ]
