"""``python -m sandbox`` starts, says what it lacks, and stops when told."""

import asyncio
import os
import re
import signal
import socket
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from sandbox import PortTakenError, Sandbox, SandboxSettings

SECRETS = {
    "REGRESA_SANDBOX_SMTP_PASSWORD": "a password of the tests",
    "REGRESA_SANDBOX_TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2,
    "REGRESA_SANDBOX_TWILIO_AUTH_TOKEN": "a token of the tests",
    "REGRESA_SANDBOX_SMTP_PORT": "0",
    "REGRESA_SANDBOX_HTTP_PORT": "0",
}
ROOT = Path(__file__).parents[2]


async def start(environment: dict[str, str], *arguments: str) -> asyncio.subprocess.Process:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("REGRESA_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        *arguments,
        cwd=ROOT,
        env={**inherited, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, signal_number: int) -> None:
    ca_file = tmp_path / "new folder" / "ca.pem"
    program = await start({**SECRETS, "REGRESA_SANDBOX_CA_FILE": str(ca_file)})
    assert program.stderr is not None
    async with asyncio.timeout(30):
        ready = (await program.stderr.readline()).decode()
        port = re.search(r"smtp_port\S*=\S*?(\d+)", re.sub(r"\x1b\[[0-9;]*m", "", ready))
        assert port is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port[1]))
        greeting = await reader.readline()
        program.send_signal(signal_number)
        _, errors = await program.communicate()
        writer.close()

    assert greeting.startswith(b"220 ")
    assert ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert (program.returncode, errors) == (0, b"")


async def test_a_missing_setting_is_named(tmp_path: Path) -> None:
    given = {**SECRETS, "REGRESA_SANDBOX_CA_FILE": str(tmp_path / "ca.pem")}
    del given["REGRESA_SANDBOX_SMTP_PASSWORD"]

    program = await start(given)
    _, errors = await program.communicate()

    assert program.returncode == 2
    assert "REGRESA_SANDBOX_SMTP_PASSWORD: Field required" in errors.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", "a wrong value"),
        ("SMTP_PORT", "a wrong value"),
        ("HOST", "0.0.0.0"),  # noqa: S104 - the address that must be refused
        ("ANSWER_AFTER", "[5, 1]"),
        ("PERSONA_WEIGHTS", '{"scanner": 0.5}'),
        ("REGISTER_FILE", "no/such/file.csv"),
    ],
)
async def test_a_wrong_setting_is_named_without_its_value(
    tmp_path: Path, name: str, value: str
) -> None:
    variable = f"REGRESA_SANDBOX_{name}"
    program = await start(
        {**SECRETS, "REGRESA_SANDBOX_CA_FILE": str(tmp_path / "ca.pem"), variable: value}
    )
    _, errors = await program.communicate()

    assert program.returncode == 2
    assert variable in errors.decode()
    assert value not in errors.decode()


async def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    program = await start(
        {
            **SECRETS,
            "REGRESA_SANDBOX_CA_FILE": str(tmp_path / "ca.pem"),
            "REGRESA_SANDBOX_ANSWER_AFTER": "one to five",
        }
    )
    _, errors = await program.communicate()

    assert program.returncode == 2
    assert "answer_after" in errors.decode()


@pytest.mark.parametrize("setting", ["REGRESA_SANDBOX_SMTP_PORT", "REGRESA_SANDBOX_HTTP_PORT"])
async def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path, setting: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        program = await start(
            {**SECRETS, "REGRESA_SANDBOX_CA_FILE": str(tmp_path / "ca.pem"), setting: port}
        )
        _, errors = await program.communicate()

    assert program.returncode == 2
    assert f"port {port} on 127.0.0.1 is in use" in errors.decode()
    assert setting in errors.decode()


async def test_a_certificate_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    program = await start({**SECRETS, "REGRESA_SANDBOX_CA_FILE": str(tmp_path / "file" / "ca.pem")})
    _, errors = await program.communicate()

    assert program.returncode == 2
    assert "REGRESA_SANDBOX_CA_FILE" in errors.decode()


async def test_help_shows_examples() -> None:
    program = await start({}, "--help")
    text, _ = await program.communicate()

    assert program.returncode == 0
    assert "python -m sandbox" in text.decode()
    for name in ("SMTP_PASSWORD", "CA_FILE", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        assert f"REGRESA_SANDBOX_{name}" in text.decode()


async def test_the_authority_outlives_a_restart(
    settings: Callable[..., SandboxSettings],
) -> None:
    given = settings()
    async with Sandbox(given):
        first = given.ca_file.read_bytes()
    async with Sandbox(given):
        second = given.ca_file.read_bytes()

    assert first == second
    assert stat.S_IMODE(given.ca_file.with_suffix(".key").stat().st_mode) == 0o600


async def test_a_start_that_fails_lets_go_of_its_ports(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(settings()) as sandbox:
        taken = int(sandbox.http_url.rsplit(":", 1)[1])
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]
        with pytest.raises(PortTakenError, match="REGRESA_SANDBOX_HTTP_PORT"):
            async with Sandbox(settings(smtp_port=free, http_port=taken)):
                pass
        async with Sandbox(settings(smtp_port=free)) as second:
            assert second.smtp_port == free


def test_patients_need_to_know_their_doors(settings: Callable[..., SandboxSettings]) -> None:
    with pytest.raises(ValidationError, match="REGRESA_SANDBOX_REGISTER_FILE"):
        settings(patients=True)


def test_secrets_do_not_show(settings: Callable[..., SandboxSettings]) -> None:
    shown = repr(settings())

    assert "a password of the tests" not in shown
    assert "a token of the tests" not in shown
