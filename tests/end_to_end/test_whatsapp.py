"""A plan that begins on WhatsApp, over the real programs: approved texts out, answers in."""

import asyncio
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Processes

PLAN = """
steps:
  - {channel: whatsapp, template: come-back, wait: 1 day}
  - {channel: sms, template: come-back, wait: 1 day}
  - {channel: call, template: come-back, wait: 1 day}
"""

SOFIA, TATIANA, LANDLINE = "+13055550151", "+13055550152", "+15005552411"
REGISTER = f"""
patient_id,first_name,last_name,language,phone,treatment,last_visit,visits,status
B-1,Sofía,Quiroga,es,{SOFIA},orthodontics,2025-01-14,4,active
B-2,Татьяна,Лебедева,ru,{TATIANA},orthodontics,2025-02-11,6,active
B-3,Megan,Doyle,en,{LANDLINE},orthodontics,2025-03-04,3,active
"""


def contents(folder: Path) -> dict[str, str]:
    """Return the texts that WhatsApp has approved, as the clinic's template repeats them."""
    template = yaml.safe_load((folder / "templates" / "come-back.yaml").read_text("utf-8"))
    approved = {}
    for language in ("es", "ru", "en"):
        words = template[language]["whatsapp"]
        text = words["text"]
        for number, value in words["values"].items():
            text = text.replace(value, f"{{{{{number}}}}}")
        text = text.replace("{{ clinic }}", "Aurora").replace("{{ clinic_phone }}", "+13055550100")
        approved[words["approved_text"]] = text
    return approved


class Telephones:
    """What patients have received, and a way to write back."""

    def __init__(self, processes: "Processes") -> None:
        self._url = f"http://127.0.0.1:{processes.settings.sandbox_port}/sandbox"

    def received(self) -> list[dict[str, Any]]:
        url = f"{self._url}/messages"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def write(self, number: str, body: str) -> int:
        sent = {"from": f"whatsapp:{number}", "to": "whatsapp:+13055550100", "body": body}
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self._url}/inbound-sms",
            data=json.dumps(sent).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
            status: int = json.load(answer)["webhook_status"]
        return status


async def eventually(look: Callable[[], list[Any]], count: int) -> list[Any]:
    async with asyncio.timeout(40):
        while len(found := await asyncio.to_thread(look)) < count:
            await asyncio.sleep(0.1)
    return found


@pytest.mark.long  # in test_plugin.py another channel takes the same way
@pytest.mark.timeout(110)
async def test_a_plan_begins_on_whatsapp_and_hears_what_patients_write_there(
    processes: "Processes", clinic_folder: Path
) -> None:
    (clinic_folder / "plans" / "by-whatsapp.yaml").write_text(PLAN)
    (clinic_folder / "patients.csv").write_text(REGISTER.lstrip())
    processes.environment |= {
        "REGRESA_CLINIC": str(clinic_folder),
        "REGRESA_SANDBOX_TWILIO_CONTENTS": json.dumps(contents(clinic_folder)),
    }
    processes.regresa("import", str(clinic_folder / "patients.csv"))
    await processes.start("temporal", "sandbox", "console", "worker")
    processes.regresa("start", "lapsed-orthodontics", "--plan", "by-whatsapp", "--name", "wa")
    telephones = Telephones(processes)

    # everybody reads the approved text; the number that takes none gets the SMS, in vain too
    taken = await eventually(telephones.received, 4)
    texts = {message["to"]: message["body"] for message in taken}
    assert texts.keys() == {*(f"whatsapp:{to}" for to in (SOFIA, TATIANA, LANDLINE)), LANDLINE}
    assert texts[f"whatsapp:{TATIANA}"].startswith("Здравствуйте, Татьяна! Пишем вам из Aurora")
    assert f"{processes.environment['REGRESA_PUBLIC_URL']}/p/" in texts[f"whatsapp:{SOFIA}"]

    assert telephones.write(SOFIA, "¿El jueves por la tarde?") == 204
    assert telephones.write(TATIANA, "СТОП") == 204

    def calls() -> list[Any]:
        listed = processes.regresa("calls", "--json")
        found: list[Any] = json.loads(listed.stdout)
        return found

    tasks = await eventually(calls, 2)
    assert sorted(task["kind"] for task in tasks) == ["call", "reply"]
    (reply,) = (task for task in tasks if task["kind"] == "reply")
    assert "¿El jueves por la tarde?" in json.dumps(reply, ensure_ascii=False)

    def stopped() -> list[Any]:
        report = json.loads(processes.regresa("report", "wa", "--json").stdout)
        return ["stopped"] * report["outcomes"].get("opted_out", 0)

    await eventually(stopped, 1)
    assert len(telephones.received()) == 4
    log = "".join(processes.log(name) for name in ("worker", "console"))
    assert [to for to in (SOFIA, TATIANA, LANDLINE) if to[-10:] in log] == []
