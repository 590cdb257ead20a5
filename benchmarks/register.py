"""Invented patients and their campaigns, written straight into the clinic's database."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import count as counting

from benchmarks.ground import Ground
from clinic import campaigns
from clinic.attempt import AttemptInput, AttemptState
from clinic.identifiers import new_id
from clinic.plan import Plan
from clinic.tables import Attempt, Campaign, Patient

_numbers = counting(1)


async def plan_campaign(ground: Ground, count: int, wait: timedelta) -> tuple[str, list[str]]:
    """Write a campaign over so many new patients; nobody is started yet.

    Args:
        ground: The clinic.
        count: How many patients.
        wait: After the email and after the SMS, instead of the days of the standard plan.

    Returns:
        The campaign's id and its patients' ids.
    """
    patients = [_patient() for _ in range(count)]
    campaign = _campaign(_plan(ground, wait))
    async with ground.clinic.database.writing() as session:
        session.add_all(patients)
        await session.flush()
        segment = Patient.external_id.between(patients[0].external_id, patients[-1].external_id)
        await campaigns.start(session, campaign, segment, ground.clinic.key)
    return campaign.id, [patient.id for patient in patients]


async def open_attempts(
    ground: Ground, count: int, wait: timedelta, channels: Collection[str]
) -> list[AttemptInput]:
    """Write a campaign over so many new patients, as it stands once its pages are through.

    Args:
        ground: The clinic.
        count: How many patients.
        wait: After a message, instead of the days of the standard plan.
        channels: Of the standard plan's steps, those to take.

    Returns:
        What starts the attempts' workflows.
    """
    plan = _plan(ground, wait, channels)
    patients, campaign = [_patient() for _ in range(count)], _campaign(plan)
    attempts = [
        Attempt(
            id=new_id("at"),
            campaign_id=campaign.id,
            patient_id=patient.id,
            state=AttemptState.OPEN.value,
            started_at=campaign.started_at,
        )
        for patient in patients
    ]
    async with ground.clinic.database.writing() as session:
        session.add_all([campaign, *patients])
        await session.flush()
        session.add_all(attempts)
    return [
        AttemptInput(attempt_id=attempt.id, patient_id=attempt.patient_id, plan=plan)
        for attempt in attempts
    ]


def _plan(
    ground: Ground, wait: timedelta, channels: Collection[str] = ("email", "sms", "call")
) -> Plan:
    plan = ground.clinic.folder.plan("standard", ("email", "sms", "call"))
    steps = tuple(
        step.model_copy(update={"wait": wait}) for step in plan.steps if step.channel in channels
    )
    return plan.model_copy(update={"steps": steps})


def _campaign(plan: Plan) -> Campaign:
    return Campaign(
        id=new_id("ca"),
        name=new_id("benchmark"),
        segment="benchmark",
        plan=plan.model_dump(mode="json"),
        started_at=datetime.now(UTC),
    )


def _patient() -> Patient:
    number = next(_numbers)
    return Patient(
        id=new_id("pt"),
        external_id=f"B-{number:07}",
        first_name="Sofía",
        language="es",
        email=f"b{number}@example.com",
        phone=f"+1305{number + 5_000_000:07}",
    )
