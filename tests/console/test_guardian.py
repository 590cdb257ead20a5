"""A guardian answers for a child, also when the child's attempt is over."""

from datetime import date
from typing import TYPE_CHECKING

import pytest
from temporalio.testing import WorkflowEnvironment

from activities.relay import Relay
from clinic import ledger
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.register.address import address_hash
from clinic.tables import Attempt, CallTask, Event, Patient, Suppression
from tests.console.conftest import SMS

if TYPE_CHECKING:
    from tests.console.conftest import Desk, Post

PHONE, EMAIL = "+13055550123", "tatiana@example.com"
GIVEN = {"guardian_name": "Tatiana Gil", "guardian_phone": PHONE, "guardian_email": EMAIL}
ON_REGISTER = {"guardian_number": "G-1"}


async def about_the_child(
    desk: "Desk", clinic: Clinic, *, state: str, given: dict[str, str]
) -> tuple[Patient, Attempt]:
    """Have an SMS about a child sent to the guardian."""
    if given is ON_REGISTER:
        await desk.patient(external_id="G-1", first_name="Tatiana", phone=PHONE, email=EMAIL)
    child = await desk.patient(
        first_name="Alicia", birth_date=date(2018, 10, 18), phone=None, email=None, **given
    )
    attempt = await desk.attempt(child)
    hashed = address_hash(clinic.key, PHONE)
    async with clinic.database.writing() as session:
        await ledger.claim(
            session,
            attempt_id=attempt.id,
            step=SMS,
            channel="sms",
            address_hash=hashed,
            now=desk.now,
        )
        await ledger.record_sent(
            session, attempt_id=attempt.id, step=SMS, provider_id="SM1", now=desk.now
        )
    if state == "ended":
        await desk.change(attempt, state=state, ended_at=desk.now, outcome="exhausted")
    return child, attempt


@pytest.mark.parametrize("given", [GIVEN, ON_REGISTER], ids=["on the child's row", "a patient"])
@pytest.mark.parametrize("state", ["open", "ended"])
async def test_the_answer_is_the_childs(
    desk: "Desk", clinic: Clinic, patient_writes: "Post", state: str, given: dict[str, str]
) -> None:
    child, attempt = await about_the_child(desk, clinic, state=state, given=given)
    await patient_writes(PHONE, "Sí, queremos una hora para Alicia")
    [event] = await desk.all(Event)
    assert event.kind == EventKind.REPLY.value
    assert (event.patient_id, event.attempt_id) == (child.id, attempt.id)


@pytest.mark.parametrize("given", [GIVEN, ON_REGISTER], ids=["on the child's row", "a patient"])
@pytest.mark.parametrize("state", ["open", "ended"])
async def test_stop_is_the_childs_and_closes_the_guardians_email_too(
    desk: "Desk", clinic: Clinic, patient_writes: "Post", state: str, given: dict[str, str]
) -> None:
    child, _ = await about_the_child(desk, clinic, state=state, given=given)
    await patient_writes(PHONE, "STOP")
    assert (await desk.again(child)).opted_out_at is not None
    silent = {row.address_hash for row in await desk.all(Suppression)}
    assert silent == {address_hash(clinic.key, address) for address in (PHONE, EMAIL)}


async def test_an_answer_after_the_end_becomes_a_call(
    desk: "Desk", clinic: Clinic, patient_writes: "Post", temporal: WorkflowEnvironment
) -> None:
    child, _ = await about_the_child(desk, clinic, state="ended", given=ON_REGISTER)
    await patient_writes(PHONE, "Sí, queremos una hora para Alicia")
    await Relay(temporal.client, clinic.database, "nobody").relay_due()
    assert [task.patient_id for task in await desk.all(CallTask)] == [child.id]
