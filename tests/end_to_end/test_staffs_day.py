"""The staff's day, in a real browser over the real programs: from the login to a booked patient."""

import asyncio
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from temporalio.client import Client, WorkflowExecutionStatus
from twilio.request_validator import RequestValidator

from activities.names import attempt_workflow_id
from tests.browser import listen_for_complaints

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Processes

PLAN = """
steps:
  - {channel: sms, template: come-back, wait: 1 second}
  - {channel: call, template: come-back, wait: 1 day}
"""
TATIANA = "+13055550152"
REGISTER = f"""
patient_id,first_name,last_name,language,phone,treatment,last_visit,visits,status
B-1,Sofía,Quiroga,es,+13055550151,orthodontics,2025-01-14,4,active
B-2,Татьяна,Лебедева,ru,{TATIANA},orthodontics,2025-02-11,6,active
"""
HERS = """
SELECT patients.id, attempts.state, attempts.outcome, count(appointments.id)
FROM patients JOIN attempts ON attempts.patient_id = patients.id
LEFT JOIN appointments ON appointments.patient_id = patients.id
WHERE patients.external_id = 'B-2'
"""
ACCOUNT = ("accounts", "add", "Lucía", "--role", "staff", "--password-stdin")
PASSWORD = "a calm morning with tea"
WITHIN = 20_000
"""Milliseconds: the page asks for new work every ten seconds."""


def rows(processes: "Processes", query: str) -> list[tuple[Any, ...]]:
    path = processes.environment["REGRESA_DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


async def writes(processes: "Processes", phone: str, words: str) -> None:
    """Let Twilio report what a patient wrote."""
    form = {"MessageSid": "SM" + "5" * 32, "From": phone, "To": "+13055550100", "Body": words}
    url = f"{processes.environment['REGRESA_PUBLIC_URL']}/webhooks/sms"
    token = processes.environment["REGRESA_SMS_AUTH_TOKEN"]
    signature = RequestValidator(token).compute_signature(url, form)
    async with httpx.AsyncClient() as twilio:
        answer = await twilio.post(url, data=form, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 204


async def sign_in(page: Page, processes: "Processes") -> None:
    await page.goto(processes.environment["REGRESA_PUBLIC_URL"])
    await page.get_by_label("Name").fill("Lucía")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Call list")


@pytest.mark.timeout(110)
async def test_a_day_from_the_login_to_a_booked_patient_and_the_attempts_end(
    processes: "Processes", clinic_folder: Path, chromium: Browser
) -> None:
    (clinic_folder / "plans" / "short.yaml").write_text(PLAN)
    (clinic_folder / "patients.csv").write_text(REGISTER.lstrip())
    processes.environment["REGRESA_CLINIC"] = str(clinic_folder)
    processes.regresa("import", str(clinic_folder / "patients.csv"))
    processes.regresa(*ACCOUNT, typed=PASSWORD)
    await processes.start("temporal", "sandbox", "console", "worker")
    temporal = await Client.connect(processes.environment["TEMPORAL_ADDRESS"])
    complaints: list[str] = []
    window = await chromium.new_context(locale="en", timezone_id="America/New_York")
    page = await window.new_page()
    listen_for_complaints(page, complaints)

    await sign_in(page, processes)
    await expect(page.get_by_text("Nobody is waiting for a call.")).to_be_visible()
    await asyncio.to_thread(
        processes.regresa, "start", "lapsed-orthodontics", "--plan", "short", "--name", "spring"
    )
    # the page stays open, and nobody loads it again
    for name in ("Sofía Quiroga", "Татьяна Лебедева"):
        await expect(page.get_by_role("heading", name=name)).to_be_visible(timeout=WITHIN)
    await writes(processes, TATIANA, "Можно в четверг?")
    await expect(page.get_by_text("Можно в четверг?")).to_be_visible(timeout=WITHIN)

    # who wrote comes before whom nobody has reached
    await page.get_by_role("button", name="Next call").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Татьяна Лебедева")
    await expect(page.locator("[lang=ru]").get_by_text("Татьяна").first).to_be_visible()
    appointment = (datetime.now(UTC) + timedelta(days=7)).strftime("%Y-%m-%dT15:30")
    await page.get_by_label("The appointment").fill(appointment)
    await page.get_by_role("button", name="Booked").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Call list")
    await expect(page.get_by_role("heading", name="Татьяна Лебедева")).to_have_count(0)

    await page.get_by_role("button", name="Next call").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sofía Quiroga")

    [(tatiana, *_)] = rows(processes, HERS)
    attempt = temporal.get_workflow_handle(attempt_workflow_id(tatiana))
    assert await asyncio.wait_for(attempt.result(), 20) == "booked"
    assert (await attempt.describe()).status == WorkflowExecutionStatus.COMPLETED
    assert rows(processes, HERS) == [(tatiana, "ended", "booked", 1)]
    await window.close()
    assert complaints == []
