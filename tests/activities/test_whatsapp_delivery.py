"""A step by WhatsApp: approved texts for whom the patient is silent, and found again if lost."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from temporalio.exceptions import ApplicationError

from activities.delivery_errors import CLAIM_SETTLES
from channels.whatsapp import WhatsAppChannel, WhatsAppSettings
from clinic.clinic import Clinic
from clinic.delivery import Failed, FailReason, Sent
from clinic.event import EventKind
from clinic.register.address import address_hash
from clinic.tables import Attempt, Patient
from sandbox.stand_ins import Sandbox
from sandbox.twilio_message import TwilioMessage

if TYPE_CHECKING:
    from tests.activities.conftest import Deliver, Desk

PLAN = (
    {"channel": "whatsapp", "template": "come-back", "wait": "3 days"},
    {"channel": "sms", "template": "come-back", "wait": "4 days"},
)
WHATSAPP = 0


@pytest.fixture
async def whatsapp(
    whatsapp_settings: Callable[..., WhatsAppSettings],
) -> AsyncIterator[WhatsAppChannel]:
    channel = WhatsAppChannel(whatsapp_settings())
    yield channel
    await channel.close()


async def attempt_of(desk: "Desk", patient: Patient) -> Attempt:
    return await desk.attempt(patient, await desk.campaign(*PLAN))


def taken_for(sandbox: Sandbox, patient: Patient) -> TwilioMessage:
    (taken,) = sandbox.twilio.to(f"whatsapp:{patient.phone}")
    return taken


async def test_the_approved_text_goes_out_with_the_patients_name_and_link(
    desk: "Desk", deliver: "Deliver", whatsapp: WhatsAppChannel, sandbox: Sandbox, clinic: Clinic
) -> None:
    patient = await desk.patient()
    attempt = await attempt_of(desk, patient)
    assert await deliver(attempt, WHATSAPP, whatsapp=whatsapp) == Sent()
    taken = taken_for(sandbox, patient)
    template = clinic.folder.template("come-back").es["whatsapp"]
    assert taken.content_sid == template.approved_text
    assert taken.body == f"Sofía {clinic.links.link_to(attempt.id, WHATSAPP)}"
    assert taken.status_callback is not None
    assert taken.status_callback.endswith(f"/webhooks/whatsapp?message={attempt.id}.{WHATSAPP}")


async def test_who_wrote_on_whatsapp_just_now_gets_the_text_itself(
    desk: "Desk", deliver: "Deliver", whatsapp: WhatsAppChannel, sandbox: Sandbox
) -> None:
    desk.now = datetime.now(UTC) - timedelta(hours=1)
    patient = await desk.patient()
    await desk.event(EventKind.REPLY, source="whatsapp", patient_id=patient.id, body="Hola")
    attempt = await attempt_of(desk, patient)
    assert await deliver(attempt, WHATSAPP, whatsapp=whatsapp) == Sent()
    taken = taken_for(sandbox, patient)
    assert taken.content_sid is None
    assert taken.body.startswith("Hola, Sofía: le escribimos de Clínica Dental Aurora")


async def test_who_wrote_an_sms_has_not_written_on_whatsapp(
    desk: "Desk", deliver: "Deliver", whatsapp: WhatsAppChannel, sandbox: Sandbox
) -> None:
    desk.now = datetime.now(UTC) - timedelta(hours=1)
    patient = await desk.patient()
    await desk.event(EventKind.REPLY, source="sms", patient_id=patient.id, body="Hola")
    attempt = await attempt_of(desk, patient)
    assert await deliver(attempt, WHATSAPP, whatsapp=whatsapp) == Sent()
    assert taken_for(sandbox, patient).content_sid is not None


async def test_a_household_is_named_in_the_approved_text_for_several(
    desk: "Desk", deliver: "Deliver", whatsapp: WhatsAppChannel, sandbox: Sandbox, clinic: Clinic
) -> None:
    campaign = await desk.campaign(*PLAN)
    sofia = await desk.patient()
    luis = await desk.patient(first_name="Luis", phone=sofia.phone, email=sofia.email)
    attempt = await desk.attempt(sofia, campaign)
    await desk.attempt(luis, campaign)
    assert await deliver(attempt, WHATSAPP, whatsapp=whatsapp) == Sent()
    taken = taken_for(sandbox, sofia)
    together = clinic.folder.template("come-back").es["whatsapp"].together
    assert together is not None
    assert taken.content_sid == together.approved_text
    link = clinic.links.link_to(attempt.id, WHATSAPP)
    assert taken.body in (f"Sofía y Luis {link}", f"Luis y Sofía {link}")


async def test_an_answer_that_was_lost_is_found_and_nothing_is_sent_again(
    desk: "Desk",
    deliver: "Deliver",
    whatsapp: WhatsAppChannel,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("channels.twilio_client._SECONDS", 0.5)
    # of each kind of database: a number has its first time once
    number = len([one for one in sandbox.twilio.messages if "+150055522" in one.to])
    patient = await desk.patient(phone=f"+150055522{number:02}")
    attempt = await attempt_of(desk, patient)
    at = datetime.now(UTC)
    with pytest.raises(ApplicationError) as raised:
        await deliver(attempt, WHATSAPP, at=at, whatsapp=whatsapp)
    assert raised.value.type == "Uncertain"
    assert await deliver(attempt, WHATSAPP, at=at + CLAIM_SETTLES, whatsapp=whatsapp) == Sent()
    row = await desk.ledger_row(attempt, WHATSAPP)
    assert row is not None
    assert row.provider_id == taken_for(sandbox, patient).sid


async def test_a_number_without_whatsapp_still_gets_the_sms(
    desk: "Desk", deliver: "Deliver", whatsapp: WhatsAppChannel, clinic: Clinic
) -> None:
    refused = "+15005550009"
    patient = await desk.patient(phone=refused)
    attempt = await attempt_of(desk, patient)
    assert await deliver(attempt, WHATSAPP, whatsapp=whatsapp) == Failed(reason=FailReason.REFUSED)
    row, again = await desk.ledger_row(attempt, WHATSAPP), await desk.again(patient)
    assert row is not None
    assert (row.failure, row.address_hash) == ("twilio 21614", address_hash(clinic.key, refused))
    assert (again.sms_bad_at, again.phone_bad_at) == (None, None)
