"""A stopped Temporal: staff work on, and are told that what they record is passed on later."""

import asyncio
import shutil
import socket
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.names import SEARCH_ATTRIBUTES
from clinic import inbox
from clinic.accounts import Role
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Call, Event
from console.app import build_app
from console.engine import Engine
from console.engine_watch import Delay, EngineWatch

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

AWAY = "does not answer just now"
UI = "https://temporal.example.com/ui"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """Where the environment says that Temporal is, and nobody listens yet."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = int(listener.getsockname()[1])
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{number}")
    return number


@pytest.fixture
def watch(clinic: Clinic, port: int, now: datetime) -> EngineWatch:  # noqa: ARG001 - set by it
    return EngineWatch(clinic.database, lambda: now, every=timedelta(milliseconds=50))


@pytest.fixture
def app(clinic: Clinic, watch: EngineWatch, now: datetime) -> FastAPI:
    return build_app(clinic, {}, clock=lambda: now, engine=Engine(ui_url=UI, watch=watch))


@ONE_KIND
async def test_a_server_that_stops_and_comes_back_is_noticed(watch: EngineWatch, port: int) -> None:
    async def server() -> WorkflowEnvironment:
        return await WorkflowEnvironment.start_local(
            port=port,
            dev_server_existing_path=shutil.which("temporal"),
            dev_server_log_level="error",
            search_attributes=SEARCH_ATTRIBUTES,
        )

    await watch.look()
    assert watch.delay is Delay.AWAY
    for _ in range(2):
        running = await server()
        await watch.look()
        assert watch.delay is None
        await running.shutdown()
        await watch.look()
        assert watch.delay is Delay.AWAY


@ONE_KIND
async def test_with_a_stopped_temporal_an_outcome_is_kept_and_every_page_says_so(
    desk: "Desk", signed: "Signed", watch: EngineWatch
) -> None:
    task = await desk.task_for(await desk.patient())
    lucia = await signed()
    assert AWAY not in await lucia.page("/calls")  # nobody has looked yet
    await watch.look()
    await lucia.press(f"/calls/{task.id}/claim")
    for path in ("/calls", "/calls/rows", f"/calls/{task.id}"):
        assert (await lucia.page(path)).count(AWAY) == 1
    done = await lucia.press(f"/calls/{task.id}/complete", outcome="declined", reason="price")
    assert done.status_code == 303
    assert [call.outcome for call in await desk.all(Call)] == ["declined"]
    [event] = await desk.all(Event)
    assert event.relayed_at is None


@ONE_KIND
async def test_what_nobody_passes_on_for_ten_seconds_is_told_as_well(
    desk: "Desk", temporal: WorkflowEnvironment
) -> None:
    async def reach() -> Client:
        return temporal.client

    watch = EngineWatch(desk.clinic.database, lambda: desk.now, reach=reach)
    task = await desk.task_for(await desk.patient())
    received = inbox.Received(
        source="sms", source_key="1", kind=EventKind.REPLY, attempt_id=task.attempt_id
    )
    for waited, delay in ((timedelta(seconds=9), None), (timedelta(seconds=11), Delay.WAITING)):
        async with desk.clinic.database.writing() as session:
            await inbox.store(session, received, now=desk.now, key=desk.clinic.key)
            await session.execute(update(Event).values(received_at=desk.now - waited))
        await watch.look()
        assert watch.delay is delay


@ONE_KIND
async def test_it_looks_as_long_as_the_console_runs_and_no_longer(
    app: FastAPI, watch: EngineWatch
) -> None:
    async with app.router.lifespan_context(app):
        async with asyncio.timeout(10):
            while watch.delay is None:
                await asyncio.sleep(0.01)
        assert watch.delay is Delay.AWAY
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not [task for task in others if "EngineWatch" in repr(task.get_coro())]


@ONE_KIND
async def test_a_card_leads_to_each_attempt_in_temporals_ui(desk: "Desk", signed: "Signed") -> None:
    task = await desk.task_for(await desk.patient())
    page = await (await signed("Olga", Role.OPS)).page(f"/calls/{task.id}")
    assert "See this attempt in Temporal" in page
    assert 'target="_blank" rel="noopener noreferrer"' in page
    assert f'href="{UI}/namespaces/default/workflows?query=' in page
    # who calls has no account there
    assert UI not in await (await signed()).page(f"/calls/{task.id}")


@pytest.mark.parametrize(
    ("campaign", "query"),
    [
        ("spring & more", 'WorkflowId="attempt-pt-1" AND RegresaCampaign="spring & more"'),
        # a quotation mark ends a name in the UI's filter, whatever stands before it
        ('the "best"', 'WorkflowId="attempt-pt-1"'),
    ],
)
def test_the_link_names_the_workflow_and_the_campaign(campaign: str, query: str) -> None:
    found = urlsplit(Engine(ui_url=UI, namespace="a b").page_of("pt-1", campaign))
    assert found.path == "/ui/namespaces/a%20b/workflows"
    assert parse_qs(found.query)["query"] == [query]


def test_without_an_address_of_the_ui_nobody_is_led_there() -> None:
    assert Engine().page_of("pt-1", "spring") == ""


@ONE_KIND
def test_the_settings_name_the_ui_and_temporals_own_the_namespace(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "clinic")
    clinic.settings.temporal_ui_url = f"{UI}/"
    engine = Engine.of(clinic, lambda: datetime.now().astimezone())
    assert (engine.ui_url, engine.namespace) == (UI, "clinic")
