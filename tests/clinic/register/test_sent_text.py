"""What a message said, put together again for the card."""

from datetime import date, datetime
from typing import TYPE_CHECKING

import pytest

from clinic.register.card import card_of
from clinic.register.sent_text import PERSONAL_LINK, SentText, SentTexts
from clinic.tables import Attempt, Message, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


async def texts(rows: "Rows", patient: Patient) -> list[SentText | None]:
    clinic = rows.clinic
    async with clinic.database.reading() as session:
        card = await card_of(
            session,
            await session.get_one(Patient, patient.id),
            now=rows.now,
            zone=clinic.profile.zone,
            key=clinic.key,
            texts=SentTexts(clinic.folder, clinic.links, rows.now),
        )
    return [step.text for attempt in card.attempts for step in attempt.steps]


def sent(attempt: Attempt, step: int, now: datetime, **given: object) -> Message:
    fields = {
        "attempt_id": attempt.id,
        "step": step,
        "channel": ("email", "sms", "call")[step],
        "address_hash": "of-somebody",
        "claimed_at": now,
        "sent_at": now,
    }
    return Message(**(fields | given))


async def test_it_is_the_template_with_the_patients_name_in_their_language(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient(first_name="Ирина", language="ru")
    attempt = await rows.attempt(patient)
    await rows.add(sent(attempt, 0, now), sent(attempt, 1, now))
    email, sms, call = await texts(rows, patient)
    assert email is not None
    assert email.subject
    assert "Ирина" in email.text
    assert (email.language, email.text.count(PERSONAL_LINK)) == ("ru", 1)
    assert sms is not None
    assert (sms.subject, sms.text.count(PERSONAL_LINK)) == ("", 1)
    assert call is None


async def test_the_patients_own_link_is_in_none_of_them(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    await rows.add(sent(attempt, 0, now), sent(attempt, 1, now))
    for step, text in enumerate((await texts(rows, patient))[:2]):
        assert text is not None
        assert rows.clinic.links.link_to(attempt.id, step) not in text.text


async def test_what_was_not_sent_said_nothing(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    # asked for by a person, and a message that never left
    await rows.add(sent(attempt, 2, now), sent(attempt, 0, now, sent_at=None, failed_at=now))
    assert await texts(rows, patient) == [None, None, None]


async def test_a_households_one_message_names_them_all_on_each_card(
    rows: "Rows", now: datetime
) -> None:
    campaign = await rows.campaign()
    ana = await rows.patient(first_name="Ana", external_id="A-1")
    luis = await rows.patient(first_name="Luis", external_id="A-2", language="en")
    carrier = await rows.attempt(ana, campaign)
    carried = await rows.attempt(luis, campaign)
    await rows.add(sent(carrier, 0, now), sent(carried, 0, now, carried_by=carrier.id))
    of_ana, of_luis = (await texts(rows, ana))[0], (await texts(rows, luis))[0]
    assert of_ana == of_luis
    assert of_ana is not None
    assert "Ana y Luis" in of_ana.text


async def test_a_childs_message_spoke_to_whoever_is_responsible(
    rows: "Rows", now: datetime
) -> None:
    child = await rows.patient(
        first_name="Inés", birth_date=date(2020, 5, 1), guardian_email="rosa@example.com"
    )
    attempt = await rows.attempt(child)
    await rows.add(sent(attempt, 0, now))
    text = (await texts(rows, child))[0]
    assert text is not None
    assert "Estimada familia" in text.text


@pytest.mark.usefixtures("clinic_folder")  # which it changes
async def test_a_text_is_gone_with_its_template(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    attempt = await rows.attempt(patient)
    await rows.add(sent(attempt, 0, now))
    (rows.clinic.folder.path / "templates" / "come-back.yaml").unlink()
    assert (await texts(rows, patient))[0] == SentText(language="es")
