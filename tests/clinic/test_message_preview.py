"""The messages of a plan as one patient would read them, before any is sent."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

from channels.addresses import addresses_by_channel
from clinic.delivery import SkipReason
from clinic.delivery_check import LeftOut
from clinic.message_preview import MessagePreview, messages_for
from clinic.plan import Plan
from clinic.tables import Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def preview(rows: "Rows", patient: Patient, plan: Plan) -> MessagePreview:
    clinic = rows.clinic
    async with clinic.database.reading() as session:
        return await messages_for(
            session,
            patient.id,
            plan,
            addresses_by_channel(clinic),
            policy=clinic.policy,
            folder=clinic.folder,
            links=clinic.links,
            key=clinic.key,
            now=rows.now,
        )


async def test_every_step_is_written_for_the_patient_in_their_language(
    rows: "Rows", plan: Plan
) -> None:
    patient = await rows.patient(first_name="Ольга", language="ru")
    seen = await preview(rows, patient, plan)
    email, sms, call = seen.messages
    assert seen.language == "ru"
    assert "Здравствуйте, Ольга!" in email.words.text
    assert email.link in email.words.text
    assert sms.link in sms.words.text
    assert "Ольга" in call.words.script
    assert [step.at for step in seen.forecast.steps] == [
        rows.now,
        rows.now + timedelta(days=3),
        rows.now + timedelta(days=7),
    ]


async def test_its_links_are_of_no_attempt_there_is(rows: "Rows", plan: Plan) -> None:
    attempt = await rows.attempt()
    seen = await preview(rows, await rows.patient(), plan)
    named = [rows.clinic.links.read(each.link.rpartition("/")[2]) for each in seen.messages]
    assert [linked and linked.step for linked in named] == [0, 1, 2]
    assert attempt.id not in {linked.attempt_id for linked in named if linked}


async def test_what_would_be_skipped_and_who_would_be_left_out_is_said(
    rows: "Rows", plan: Plan
) -> None:
    seen = await preview(rows, await rows.patient(email=None), plan)
    assert seen.forecast.steps[0].skipped is SkipReason.NO_ADDRESS
    seen = await preview(rows, await rows.patient(opted_out_at=rows.now), plan)
    assert seen.forecast.left_out is LeftOut.OPTED_OUT
    assert len(seen.messages) == 3


async def test_a_childs_message_is_written_to_whoever_is_responsible(
    rows: "Rows", plan: Plan
) -> None:
    child = await rows.patient(
        first_name="Luis",
        birth_date=date(2020, 1, 1),
        guardian_name="Elena",
        guardian_email="elena@example.com",
        guardian_phone="+13055550177",
    )
    email, *_ = (await preview(rows, child, plan)).messages
    assert "Estimada familia" in email.words.text
    assert "Luis" in email.words.text
