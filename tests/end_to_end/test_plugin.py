"""A channel from a package of its own: installed, held to the suite, used; nothing here changes."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.end_to_end.conftest import free_ports

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Processes

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "plugins" / "regresa-http-gateway"

PLAN = """
steps:
  - {channel: gateway, template: come-back, wait: 1 day}
  - {channel: call, template: come-back, wait: 1 day}
"""

REGISTER = """
patient_id,first_name,last_name,language,phone,treatment,last_visit,visits,status
B-1,Sofía,Quiroga,es,305-555-0151,orthodontics,2025-01-14,4,active
B-2,Татьяна,Лебедева,ru,305-555-0152,orthodontics,2025-02-11,6,active
B-3,Megan,Doyle,en,305-555-0153,orthodontics,2025-03-04,3,active
"""

SETTINGS = {
    "REGRESA_CHANNELS": '["email", "gateway", "call"]',
    "REGRESA_GATEWAY_API_KEY": "a-key-of-the-tests",
    "REGRESA_GATEWAY_SENDER": "Aurora",
    "REGRESA_GATEWAY_WEBHOOK_SECRET": "a-secret-of-the-tests",
}


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's source, where building it leaves nothing behind."""
    return Path(shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("source") / "plugin"))


@pytest.fixture(scope="session")
def site(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH in which the example is installed, without any network."""
    target = tmp_path_factory.mktemp("site")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    ended = run("pip", "install", *options, "--target", str(target), str(source), site=target)
    assert ended.returncode == 0, ended.stderr
    return target


def run(
    module: str, *arguments: str, site: Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a module where the example is installed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=kept | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_installed_package_passes_the_suite_by_the_documented_command(
    site: Path, tmp_path: Path
) -> None:
    command = ("--pyargs", "channels.conformance", "-k", "gateway", "-p", "no:cacheprovider")
    assert f"pytest {' '.join(command[:4])}" in (ROOT / "docs" / "channels.md").read_text()
    ended = run("pytest", *command, site=site, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed is not None
    assert int(passed[1]) > 50


def test_its_own_tests_pass(site: Path, source: Path) -> None:
    # without those of the suite, which have just been run
    ended = run("pytest", "tests/test_gateway.py", "-p", "no:cacheprovider", site=site, cwd=source)
    assert ended.returncode == 0, ended.stdout


class StandIn:
    """The example's own stand-in, as another process."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def messages(self) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = await asyncio.to_thread(ask, f"{self._url}/stand-in/messages")
        return taken

    async def post(self, what: str, **given: str) -> int:
        answer = await asyncio.to_thread(ask, f"{self._url}/stand-in/{what}", given)
        answered: int = answer["answered"]
        return answered


def ask(url: str, given: dict[str, str] | None = None, **headers: str) -> Any:
    data = None if given is None else json.dumps(given).encode()
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


async def eventually(look: Callable[[], Awaitable[list[Any]]], count: int) -> list[Any]:
    async with asyncio.timeout(60):
        while len(found := await look()) < count:
            await asyncio.sleep(0.1)
    return found


@pytest.fixture
async def stand_in(processes: "Processes", site: Path, clinic_folder: Path) -> StandIn:
    """The whole stack with the plug-in in place of SMS, and the gateway's stand-in."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    webhook = f"http://127.0.0.1:{processes.settings.console_port}/webhooks/gateway"
    processes.environment |= SETTINGS | {
        "PYTHONPATH": str(site),
        "REGRESA_GATEWAY_BASE_URL": url,
        "REGRESA_CLINIC": str(clinic_folder),
    }
    processes.add(
        "gateway",
        f"exec python -m regresa_http_gateway.stand_in --port {port} --webhook-url {webhook}",
        port=port,
    )
    (clinic_folder / "plans" / "by-gateway.yaml").write_text(PLAN)
    (clinic_folder / "patients.csv").write_text(REGISTER.lstrip())
    template = clinic_folder / "templates" / "come-back.yaml"
    words = yaml.safe_load(template.read_text())
    for language in ("es", "ru", "en"):
        words[language]["gateway"] = {"text": "{{ first_name }}, {{ clinic }}: {{ link }}"}
    template.write_text(yaml.safe_dump(words, allow_unicode=True))
    return StandIn(url)


@pytest.mark.timeout(200)
async def test_a_plan_writes_by_the_plug_in_and_hears_its_answers(
    processes: "Processes", stand_in: StandIn, clinic_folder: Path
) -> None:
    processes.regresa("import", str(clinic_folder / "patients.csv"))
    await processes.start("temporal", "sandbox", "gateway", "console", "worker")
    processes.regresa("start", "lapsed-orthodontics", "--plan", "by-gateway", "--name", "plug-in")

    taken = await eventually(stand_in.messages, 3)
    texts = {message["to"]: message["text"] for message in taken}
    assert texts.keys() == {"13055550151", "13055550152", "13055550153"}
    assert texts["13055550152"].startswith("Татьяна, ")
    assert {message["from"] for message in taken} == {"Aurora"}

    # one answers, one message gets lost
    answer = "Да, запишите меня, пожалуйста"
    assert await stand_in.post("reply", text=answer, **{"from": "+13055550152"}) == 204
    lost = {"to": "+13055550153", "status": "undelivered", "code": "unknown_subscriber"}
    assert await stand_in.post("report", **lost) == 204

    async def calls() -> list[Any]:
        listed = await asyncio.to_thread(processes.regresa, "calls", "--json")
        found: list[Any] = json.loads(listed.stdout)
        return found

    tasks = await eventually(calls, 2)
    assert sorted(task["kind"] for task in tasks) == ["call", "reply"]
    (reply,) = (task for task in tasks if task["kind"] == "reply")
    assert answer in json.dumps(reply, ensure_ascii=False)

    # nobody else speaks for a patient
    webhook = f"{processes.environment['REGRESA_PUBLIC_URL']}/webhooks/gateway"
    made_up = {"event": "message", "id": "in-9", "from": "13055550151", "text": "STOP"}
    with pytest.raises(urllib.error.HTTPError, match="403"):
        await asyncio.to_thread(ask, webhook, made_up, **{"X-Signature": "0" * 64})

    # and nothing came twice
    assert len(await stand_in.messages()) == 3
    log = "".join(processes.log(name) for name in ("worker", "console"))
    assert [to for to in texts if to[-10:] in log] == []
