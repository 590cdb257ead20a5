"""What Prometheus reads: true figures, for whoever presents the token, and nothing of anybody."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from channels.protocol import Channel
from clinic import audit, channel_hold
from clinic.audit import Action
from clinic.clinic import Clinic
from clinic.database import Database
from clinic.event import EventKind
from clinic.tables import Event, ImportRun
from console.app import build_app
from console.metrics import Metrics

if TYPE_CHECKING:
    from tests.console.conftest import Desk

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""
TOKEN = {"Authorization": "Bearer metrics-token"}

Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(autouse=True)
def _open(clinic: Clinic) -> None:
    clinic.settings.metrics_token = SecretStr("metrics-token")


def read(text: str) -> Figures:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def figures(desk: "Desk") -> Figures:
    """Read them as they stand now."""
    metrics = Metrics(desk.clinic, ("email", "sms"), lambda: desk.now)
    return read((await metrics.text()).decode())


async def asked(web: httpx.AsyncClient) -> Figures:
    answer = await web.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    return read(answer.text)


def figure(found: Figures, name: str, **labels: str) -> float | None:
    return found.get((f"regresa_{name}", tuple(sorted(labels.items()))))


@ONE_KIND
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="nothing presented"),
        pytest.param({"Authorization": "Bearer another"}, id="another token"),
        pytest.param({"Authorization": "Basic metrics-token"}, id="another scheme"),
        pytest.param({"Authorization": "Bearer bookings-token"}, id="the token for bookings"),
    ],
)
async def test_nobody_reads_them_without_the_token(
    web: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await web.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "regresa_" not in answer.text


@ONE_KIND
@pytest.mark.parametrize("presented", ["Bearer ", "Bearer", ""])
async def test_the_door_is_closed_while_no_token_is_set(
    web: httpx.AsyncClient, clinic: Clinic, presented: str
) -> None:
    clinic.settings.metrics_token = SecretStr("")
    answer = await web.get("/metrics", headers={"Authorization": presented})
    assert answer.status_code == 401


@ONE_KIND
async def test_requests_are_counted_by_door_and_class_of_status(
    desk: "Desk", web: httpx.AsyncClient
) -> None:
    token = desk.token(await desk.written_to())
    await web.get(f"/p/{token}")
    await web.head(f"/p/{token}")
    await web.post(f"/p/{token}/stop")
    await web.get("/p/nonsense")
    await web.get("/no/such/place")
    await web.get("/assets/patient.css")
    await web.request("BREW", "/calls")
    found = await asked(web)

    def count(door: str, method: str, status: str) -> float | None:
        return figure(found, "http_requests_total", door=door, method=method, status=status)

    # a HEAD is served as a GET
    assert count("/p/{token}", "GET", "2xx") == 2
    assert count("/p/{token}", "GET", "4xx") == 1
    assert count("/p/{token}/stop", "POST", "2xx") == 1
    assert count("none", "GET", "4xx") == 1
    assert count("/assets", "GET", "2xx") == 1
    assert figure(found, "http_request_seconds_count", door="/p/{token}") == 3
    methods = {dict(labels).get("method") for name, labels in found if "requests_total" in name}
    assert methods == {"GET", "POST", "other"}


@ONE_KIND
async def test_what_broke_is_counted_as_ours(
    clinic: Clinic, channels: Mapping[str, Channel], now: datetime
) -> None:
    app = build_app(clinic, channels, clock=lambda: now)

    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://console") as web:
        assert (await web.get("/breaks")).status_code == 500
        found = await asked(web)
    labels = {"door": "/breaks", "method": "GET", "status": "5xx"}
    assert figure(found, "http_requests_total", **labels) == 1


@ONE_KIND
async def test_they_say_nothing_of_anybody(desk: "Desk", web: httpx.AsyncClient) -> None:
    written = await desk.written_to(first_name="Elena", external_id="A-7777")
    token = desk.token(written)
    await web.post(f"/p/{token}/call?lang=es", data={"words": "soy Elena"})
    await web.get(f"/calls/{written.attempt.id}")
    told = (await web.get("/metrics", headers=TOKEN)).text
    patient = written.patient
    for personal in (
        *("Elena", "A-7777", token, written.sid, written.attempt.id, patient.id),
        *(str(patient.email), str(patient.phone)),
    ):
        assert personal not in told


async def test_the_call_list_is_counted(desk: "Desk") -> None:
    for ahead in (-1, -30, +30):
        await desk.task_for(await desk.patient(), due_at=desk.now + timedelta(minutes=ahead))
    await desk.task_for(await desk.patient(), closed_at=desk.now, closed_by="vera")
    found = await figures(desk)
    assert figure(found, "call_tasks_open") == 3
    assert figure(found, "call_tasks_overdue") == 2


async def test_what_no_workflow_has_heard_of_is_told_with_its_age(desk: "Desk") -> None:
    found = await figures(desk)
    assert figure(found, "events_unrelayed") == 0
    assert figure(found, "events_unrelayed_oldest_seconds") == 0
    for number, minutes in enumerate((10, 3)):
        await desk.add(
            Event(
                source="sms",
                source_key=f"SM{number}",
                kind=EventKind.REPLY.value,
                received_at=desk.now - timedelta(minutes=minutes),
            )
        )
    found = await figures(desk)
    assert figure(found, "events_unrelayed") == 2
    assert figure(found, "events_unrelayed_oldest_seconds") == 600
    assert figure(found, "replies_received_total", source="sms") == 2


async def test_open_attempts_are_told_by_who_has_the_next_word_and_how_far_they_are(
    desk: "Desk",
) -> None:
    await desk.attempt(await desk.patient())
    await desk.attempt(await desk.patient())
    await desk.written_to()
    await desk.attempt(await desk.patient(), held=True)
    await desk.attempt(await desk.patient(), held_channel="sms")
    await desk.task_for(await desk.patient(), step=2)
    await desk.attempt(await desk.patient(), state="ended", ended_at=desk.now)
    await desk.attempt(await desk.patient(), state="planned", started_at=None)
    found = await figures(desk)
    told = {
        tuple(value for _, value in labels): count
        for (name, labels), count in found.items()
        if name == "regresa_attempts_open"
    }
    assert told == {
        ("machine", "0"): 2,
        ("machine", "2"): 1,
        ("held", "0"): 2,
        ("person", "3"): 1,
    }


async def test_messages_are_told_by_channel_and_one_for_a_household_is_one(desk: "Desk") -> None:
    first = await desk.written_to()
    second = await desk.written_to()
    await desk.write_to(await desk.patient(), recorded=False)
    carried = await desk.message(second)
    async with desk.clinic.database.writing() as session:
        found_row = await session.get_one(type(carried), (second.attempt.id, 1, 1))
        found_row.carried_by = first.attempt.id
    found = await figures(desk)
    assert figure(found, "messages_sent_total", channel="sms") == 1


async def test_a_channel_that_is_held_is_told_with_who_waits(desk: "Desk") -> None:
    async with desk.clinic.database.writing() as session:
        await channel_hold.hold(session, "sms", code="twilio 20003", now=desk.now)
    await desk.attempt(await desk.patient(), held_channel="sms")
    found = await figures(desk)
    assert figure(found, "channel_held", channel="sms") == 1
    assert figure(found, "channel_waiting", channel="sms") == 1
    assert figure(found, "channel_held", channel="email") == 0


async def test_imports_and_refused_sign_ins_are_counted(desk: "Desk") -> None:
    await desk.add(ImportRun(file_name="a.csv", started_at=desk.now, finished_at=desk.now))
    await desk.add(ImportRun(file_name="b.csv", started_at=desk.now))
    async with desk.clinic.database.writing() as session:
        for action in (Action.SIGN_IN_REFUSED, Action.SIGNED_IN, Action.SIGN_IN_REFUSED):
            await audit.note(session, who=None, action=action, now=desk.now)
    found = await figures(desk)
    assert figure(found, "imports_unfinished") == 1
    assert figure(found, "sign_ins_refused_total") == 2


@ONE_KIND
async def test_the_counts_are_kept_for_ten_seconds_and_then_taken_again(desk: "Desk") -> None:
    time = 1000.0
    metrics = Metrics(desk.clinic, (), lambda: desk.now, ticks=lambda: time)

    async def calls() -> float | None:
        return figure(read((await metrics.text()).decode()), "call_tasks_open")

    assert await calls() == 0
    await desk.task_for(await desk.patient())
    time += 9.9
    assert await calls() == 0
    time += 0.1
    assert await calls() == 1


@ONE_KIND
async def test_counts_that_took_long_are_kept_the_longer(desk: "Desk") -> None:
    ticks = iter([0.0, 0.0, 3.0, 59.0, 63.0, 63.0, 63.0])
    metrics = Metrics(desk.clinic, (), lambda: desk.now, ticks=lambda: next(ticks))

    async def calls() -> float | None:
        return figure(read((await metrics.text()).decode()), "call_tasks_open")

    assert await calls() == 0  # it took three seconds: a minute of rest
    await desk.task_for(await desk.patient())
    assert await calls() == 0
    assert await calls() == 1


@ONE_KIND
async def test_without_a_database_they_say_so_and_tell_the_rest(
    web: httpx.AsyncClient, clinic: Clinic
) -> None:
    clinic.database = Database("postgresql://nobody:secret@127.0.0.1:1/none")
    await web.get("/healthz")
    found = await asked(web)
    await clinic.database.close()
    assert figure(found, "database_up") == 0
    assert figure(found, "call_tasks_open") is None
    labels = {"door": "/healthz", "method": "GET", "status": "2xx"}
    assert figure(found, "http_requests_total", **labels) == 1
