"""The channels that the engine's side sends through: in memory, or to the sandbox."""

import asyncio
import os
import secrets
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from benchmarks.ground import ROOT, Ground
from channels.call import CallChannel, CallSettings
from channels.email import EmailChannel, EmailSettings
from channels.protocol import Channel, OutgoingMessage, Receipt
from channels.sms import SmsChannel, SmsSettings
from clinic.refusal import Refusal

HOST = "127.0.0.1"
_FROM_ADDRESS = "hello@aurora.example"
_FROM_NUMBER = "+13055550100"
_READY_WITHIN = 30.0
_STOP_WITHIN = 10.0


class EmailInMemory(EmailChannel):
    """Takes mail without a server: what is left is the engine's own cost."""

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Take a message."""
        return Receipt(provider_id=message.key)


class SmsInMemory(SmsChannel):
    """Takes text messages without a server."""

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Take a message."""
        return Receipt(provider_id=message.key)


@asynccontextmanager
async def in_memory(ground: Ground) -> AsyncIterator[Mapping[str, Channel]]:
    """Yield channels whose messages go nowhere; calls go on the real call list."""
    email = EmailSettings(_env_file=None, host=HOST, from_address=_FROM_ADDRESS)
    sms = SmsSettings(
        _env_file=None,
        account_sid=_account_sid(),
        auth_token=SecretStr(secrets.token_hex()),
        from_number=_FROM_NUMBER,
    )
    async with _closing(EmailInMemory(email), SmsInMemory(sms), _calls(ground)) as channels:
        yield channels


@asynccontextmanager
async def on_loopback(ground: Ground) -> AsyncIterator[Mapping[str, Channel]]:
    """Yield the real channels, with the sandbox in a process of its own at the other end.

    Raises:
        Refusal: The sandbox does not start.
    """
    smtp_port, http_port = free_ports(2)
    password, token, account = secrets.token_hex(), secrets.token_hex(), _account_sid()
    ca_file = ground.directory / "sandbox-ca.pem"
    sandbox = {
        "SMTP_PORT": str(smtp_port),
        "HTTP_PORT": str(http_port),
        "SMTP_USER": "aurora",
        "SMTP_PASSWORD": password,
        "CA_FILE": str(ca_file),
        "TWILIO_ACCOUNT_SID": account,
        "TWILIO_AUTH_TOKEN": token,
        "WEBHOOK_PAUSES": "[]",
    }
    email = EmailSettings(
        _env_file=None,
        host=HOST,
        port=smtp_port,
        username="aurora",
        password=SecretStr(password),
        from_address=_FROM_ADDRESS,
        ca_file=ca_file,
    )
    sms = SmsSettings(
        _env_file=None,
        account_sid=account,
        auth_token=SecretStr(token),
        from_number=_FROM_NUMBER,
        base_url=f"http://{HOST}:{http_port}",
    )
    async with (
        process(
            (sys.executable, "-m", "sandbox"),
            dict(os.environ) | {f"REGRESA_SANDBOX_{k}": v for k, v in sandbox.items()},
            ground.directory / "sandbox.log",
            (smtp_port, http_port),
        ),
        _closing(EmailChannel(email), SmsChannel(sms), _calls(ground)) as channels,
    ):
        yield channels


def _calls(ground: Ground) -> CallChannel:
    url = ground.clinic.settings.database_url
    return CallChannel(CallSettings(_env_file=None, database_url=url))


def _account_sid() -> str:
    return f"AC{secrets.token_hex(16)}"


@asynccontextmanager
async def _closing(*channels: Channel) -> AsyncIterator[Mapping[str, Channel]]:
    try:
        yield {channel.name: channel for channel in channels}
    finally:
        for channel in channels:
            await channel.close()


@asynccontextmanager
async def process(
    command: Sequence[str], environment: Mapping[str, str], log: Path, ports: Sequence[int]
) -> AsyncIterator[None]:
    """Run a program of the product for as long as the block lasts.

    Args:
        command: What to run, in the repository's folder.
        environment: All of it.
        log: Where its output goes.
        ports: It is ready when all of these answer.

    Raises:
        Refusal: It ended by itself, or is not up in time.
    """
    with log.open("wb") as output:
        running = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches the benchmarks alone, which then stop it
        )
        try:
            await _answering(running, ports, log)
            yield
        finally:
            await _stop(running)


async def _answering(process: Process, ports: Sequence[int], log: Path) -> None:
    try:
        async with asyncio.timeout(_READY_WITHIN):
            for port in ports:
                while not await _answers(port):
                    if process.returncode is not None:
                        said = await asyncio.to_thread(log.read_text, errors="replace")
                        raise Refusal(f"{log.stem} has ended", said)
                    await asyncio.sleep(0.05)
    except TimeoutError:
        raise Refusal(f"{log.stem} is not up after {_READY_WITHIN:.0f} s") from None


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    return True


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_WITHIN)
    except TimeoutError:
        process.kill()
        await process.wait()


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback that nobody has."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((HOST, 0))
        return [probe.getsockname()[1] for probe in probes]
