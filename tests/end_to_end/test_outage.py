"""Temporal is down while patients answer: nothing is lost, and all is caught up by itself."""

import asyncio
import json
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from twilio.request_validator import RequestValidator

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Processes

PLAN = """
steps:
  - {channel: sms, template: come-back, wait: 30 days}
"""
ALONE = """
SELECT patients.external_id, patients.phone FROM messages
JOIN attempts ON attempts.id = messages.attempt_id
JOIN patients ON patients.id = attempts.patient_id
WHERE messages.sent_at IS NOT NULL GROUP BY patients.phone HAVING count(*) = 1
ORDER BY patients.external_id
"""


def rows(processes: "Processes", query: str) -> list[tuple[Any, ...]]:
    path = processes.environment["REGRESA_DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return database.execute(query).fetchall()


async def patient_writes(
    processes: "Processes", client: httpx.AsyncClient, phone: str, words: str
) -> None:
    form = {"MessageSid": f"SM{phone[1:]}", "From": phone, "To": "+13055550100", "Body": words}
    url = f"{processes.environment['REGRESA_PUBLIC_URL']}/webhooks/sms"
    token = processes.environment["REGRESA_SMS_AUTH_TOKEN"]
    signature = RequestValidator(token).compute_signature(url, form)
    for _ in range(2):  # a provider repeats itself
        answer = await client.post(
            "/webhooks/sms", data=form, headers={"X-Twilio-Signature": signature}
        )
        assert answer.status_code == 204


def report(processes: "Processes") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(processes.regresa("report", "outage", "--json").stdout)
    return found


@pytest.mark.long  # in test_chaos_run.py the server is killed as well
@pytest.mark.timeout(180)
async def test_what_patients_say_while_temporal_is_down_is_caught_up(
    processes: "Processes", clinic_folder: Path
) -> None:
    (clinic_folder / "plans" / "short.yaml").write_text(PLAN)
    processes.environment["REGRESA_CLINIC"] = str(clinic_folder)
    processes.regresa("import", str(clinic_folder / "register.csv"))
    await processes.start("temporal", "sandbox", "console", "worker")
    processes.regresa("start", "lapsed-orthodontics", "--plan", "short", "--name", "outage")
    while len(patients := rows(processes, ALONE)) < 12:
        await asyncio.sleep(0.2)
    processes.kill("temporal")

    # the real server has the real time
    appointment = datetime.now(UTC) + timedelta(days=30)
    token = processes.environment["REGRESA_BOOKINGS_TOKEN"]
    console = f"http://127.0.0.1:{processes.settings.console_port}"
    async with httpx.AsyncClient(base_url=console) as client:
        for _, phone in patients[:4]:
            await patient_writes(processes, client, phone, "¿Me pueden llamar mañana?")
        for _, phone in patients[4:8]:
            await patient_writes(processes, client, phone, "No me escriban más, gracias")
        for number, _ in patients[8:12]:
            booking = {
                "key": f"B-{number}",
                "patient": number,
                "appointment_at": appointment.isoformat(),
            }
            answer = await client.post(
                "/bookings", json=booking, headers={"Authorization": f"Bearer {token}"}
            )
            assert answer.status_code == 200
    waiting = "SELECT count(*) FROM events WHERE relayed_at IS NULL"
    # the relay has tried, and has put off what it could not hand on
    while rows(processes, f"{waiting} AND relay_tries > 0") != [(12,)]:
        await asyncio.sleep(0.2)

    await processes.start("temporal")
    while rows(processes, waiting) != [(0,)]:
        await asyncio.sleep(0.2)
    ended: dict[str, int] = {}
    while sum(ended.values()) < 8:
        await asyncio.sleep(0.5)
        outcomes = (await asyncio.to_thread(report, processes))["outcomes"]
        ended = {outcome: count for outcome, count in outcomes.items() if count}
    assert ended == {"opted_out": 4, "booked": 4}
    calls: list[dict[str, Any]] = []
    while len(calls) < 4:
        await asyncio.sleep(0.5)
        calls = json.loads((await asyncio.to_thread(processes.regresa, "calls", "--json")).stdout)
    assert {call["external_id"] for call in calls} == {number for number, _ in patients[:4]}
    assert {call["words"] for call in calls} == {"¿Me pueden llamar mañana?"}
