"""The way to Temporal: its own variables and TOML profile, and a quick, clear no."""

import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment

from activities.names import SEARCH_ATTRIBUTES
from activities.temporal_connection import connect, register_search_attributes
from clinic.refusal import Refusal


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A developer's own Temporal profile must not reach a test."""
    for variable in ("TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "temporal.toml"))
    (tmp_path / "temporal.toml").touch()


def address_of(temporal: WorkflowEnvironment) -> str:
    return temporal.client.service_client.config.target_host


async def test_nobody_at_the_address_is_said_at_once_with_how_to_start_a_server(
    monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{unused_port}")
    with pytest.raises(Refusal) as refused:
        await connect()
    assert refused.value.problem == f"no Temporal at 127.0.0.1:{unused_port}"
    assert "make run" in refused.value.remedy
    assert "TEMPORAL_ADDRESS" in refused.value.remedy


async def test_an_address_that_does_not_answer_is_given_up_within_five_seconds(
    monkeypatch: pytest.MonkeyPatch, silent_port: int
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{silent_port}")
    began = time.monotonic()
    with pytest.raises(Refusal, match=f"no Temporal at 127.0.0.1:{silent_port}"):
        await connect()
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("port", ["unused_port", "silent_port"])
async def test_the_sdk_is_not_troubled_where_nobody_answers(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, port: str
) -> None:
    """What it leaves behind after a failed connection may abort the program's exit."""
    asked: list[object] = []
    monkeypatch.setattr(Client, "connect", asked.append)
    monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{request.getfixturevalue(port)}")
    began = time.monotonic()
    with pytest.raises(Refusal, match="no Temporal"):
        await connect()
    assert time.monotonic() - began < 3
    assert asked == []


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1:port", id="no number for a port"),
        pytest.param(":7233", id="no host"),
    ],
)
async def test_an_address_that_is_none_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    with pytest.raises(Refusal, match=f"no Temporal at {address}"):
        await connect()


async def test_the_address_is_read_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, temporal: WorkflowEnvironment
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", address_of(temporal))
    client = await connect()
    assert await client.service_client.check_health()
    assert client.namespace == "default"


async def test_the_address_and_namespace_are_read_from_a_profile(
    monkeypatch: pytest.MonkeyPatch, temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    (tmp_path / "temporal.toml").write_text(
        f'[profile.clinic]\naddress = "{address_of(temporal)}"\nnamespace = "aurora"\n'
    )
    monkeypatch.setenv("TEMPORAL_PROFILE", "clinic")
    client = await connect()
    assert client.service_client.config.target_host == address_of(temporal)
    assert client.namespace == "aurora"


async def test_the_environment_wins_over_the_profile(
    monkeypatch: pytest.MonkeyPatch, temporal: WorkflowEnvironment, tmp_path: Path, unused_port: int
) -> None:
    profile = f'[profile.default]\naddress = "127.0.0.1:{unused_port}"\n'
    (tmp_path / "temporal.toml").write_text(profile)
    monkeypatch.setenv("TEMPORAL_ADDRESS", address_of(temporal))
    assert await (await connect()).service_client.check_health()


@pytest.mark.parametrize(
    ("written", "profile"),
    [
        pytest.param('[profile.default\napi_key = "a-secret"', "default", id="no TOML"),
        pytest.param("[profile.default]\naddress = 7233", "default", id="not of this form"),
        pytest.param("[profile.default]", "clinic", id="no such profile"),
    ],
)
async def test_a_profile_that_cannot_be_read_is_refused_without_quoting_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: str, profile: str
) -> None:
    (tmp_path / "temporal.toml").write_text(written)
    monkeypatch.setenv("TEMPORAL_PROFILE", profile)
    with pytest.raises(Refusal, match="Temporal's settings can't be read") as refused:
        await connect()
    assert "TEMPORAL_CONFIG_FILE" in refused.value.remedy
    assert len(refused.value.problem.splitlines()) == 1
    assert "a-secret" not in str(refused.value)


@pytest.fixture
async def new_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server that knows none of the product's search attributes."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=shutil.which("temporal"), dev_server_log_level="error"
    ) as environment:
        yield environment


async def test_search_attributes_are_registered_once(new_server: WorkflowEnvironment) -> None:
    names = [key.name for key in SEARCH_ATTRIBUTES]
    assert await register_search_attributes(new_server.client) == names
    assert await register_search_attributes(new_server.client) == []


async def test_search_attributes_that_are_there_are_left_alone(
    temporal: WorkflowEnvironment,
) -> None:
    assert await register_search_attributes(temporal.client) == []


async def test_a_service_that_registers_no_attributes_is_refused_with_what_to_do(
    temporal: WorkflowEnvironment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def denied(*_: object) -> None:
        raise RPCError("not allowed", RPCStatusCode.PERMISSION_DENIED, b"")

    service = temporal.client.operator_service
    monkeypatch.setattr(service, "list_search_attributes", denied)
    with pytest.raises(Refusal, match="not allowed") as refused:
        await register_search_attributes(temporal.client)
    assert SEARCH_ATTRIBUTES[0].name in refused.value.remedy
