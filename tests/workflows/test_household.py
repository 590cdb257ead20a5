"""A household's attempts run side by side: the messages are shared, the outcomes are not."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from clinic import call_list
from clinic.attempt import AttemptState
from clinic.event import CallOutcome, EventKind
from clinic.identifiers import new_id
from clinic.outcome import Outcome
from clinic.plan import Plan
from clinic.tables import Attempt, Campaign, Patient
from sandbox.stand_ins import Sandbox
from tests.workflows.conftest import CALL, EMAIL, SMS

if TYPE_CHECKING:
    from tests.workflows.conftest import Recovery

PLAN = Plan.model_validate({"name": "test", "steps": [EMAIL, SMS, CALL | {"tries": 1}]})


@pytest.fixture
async def family(recovery: "Recovery") -> list[Attempt]:
    """Two who share an email address and a phone, in one campaign."""
    number = uuid4().hex[:8]
    shared = {"email": f"{number}@example.com", "phone": f"+1305556{int(number, 16) % 10000:04}"}
    now = datetime.now(UTC)
    plan = PLAN.model_dump(mode="json")
    campaign = Campaign(id=new_id("ca"), name=number, segment="test", plan=plan, started_at=now)
    patients = [
        Patient(
            id=new_id("pt"),
            external_id=f"{number}-{name}",
            first_name=name,
            language="es",
            **shared,
        )
        for name in ("Ana", "Eva")
    ]
    attempts = [
        Attempt(
            id=new_id("at"),
            campaign_id=campaign.id,
            patient_id=patient.id,
            state=AttemptState.OPEN.value,
            started_at=now,
        )
        for patient in patients
    ]
    async with recovery.clinic.database.writing() as session:
        session.add_all([campaign, *patients])
        await session.flush()
        session.add_all(attempts)
    return attempts


async def _calls(recovery: "Recovery", number: int) -> list[call_list.OpenCall]:
    while True:
        async with recovery.clinic.database.reading() as session:
            calls = await call_list.open_calls(session, datetime.now(UTC), recovery.clinic.key)
        if len(calls) >= number:
            return calls
        await asyncio.sleep(0.02)


async def test_a_family_gets_one_email_and_one_sms_and_each_an_outcome(
    recovery: "Recovery", sandbox: Sandbox, family: list[Attempt]
) -> None:
    handles = await asyncio.gather(*(recovery.start_attempt(one, PLAN) for one in family))
    calls = await _calls(recovery, len(family))
    async with recovery.clinic.database.reading() as session:
        patient = await session.get_one(Patient, family[0].patient_id)
    (email,) = sandbox.inbox.to(str(patient.email))
    (sms,) = sandbox.twilio.to(str(patient.phone))
    assert "Ana y Eva" in email.text
    assert "Ana y Eva" in sms.body
    assert [len(call.household) for call in calls] == [1, 1]

    recovery.attempts = [family[0].id]
    await recovery.say(EventKind.CALL_OUTCOME, call_outcome=CallOutcome.BOOKED.value)
    assert await handles[0].result() is Outcome.BOOKED
    recovery.attempts = [family[1].id]
    await recovery.say(EventKind.CALL_OUTCOME, call_outcome=CallOutcome.NO_ANSWER.value)
    assert await handles[1].result() is Outcome.EXHAUSTED
