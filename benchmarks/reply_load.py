"""Seconds from a reply's arrival to its attempt stopped, while 20 and 50 a second come in.

Attempts wait for an answer to their SMS. Replies are posted to the real console, a process of its
own, signed as Twilio signs them, each at its moment whether or not those before it are through.
The clock starts when a reply is posted. It is read twice: when the console has answered (from
then on no message leaves), and when the attempt's workflow has heard of it and its task stands on
the call list. Beside it, a bare workflow and a signal at the same rates.

Everything runs on this machine: the server, the console, the worker, and who posts. Where they
need more than it has, a queue grows for as long as the load lasts.
"""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus

import aiohttp
from pydantic import SecretStr
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from activities import names
from benchmarks import providers
from benchmarks.figures import Delay
from benchmarks.ground import Ground
from benchmarks.reaction import summary
from benchmarks.sides import BareSide, EngineSide, Side, relaying, settled
from clinic.tables import Attempt, Patient

RATES = (20, 50)
"""Replies a second; the second is the load that the product is asked to stand."""

_WAIT = timedelta(hours=1)
_WITHIN = timedelta(seconds=60)
"""After the last reply: by then the last attempt has to have stopped."""

Post = Callable[[str], Awaitable[None]]
"""Hands over the answer to an attempt, given its workflow's id."""


async def measure(ground: Ground, *, n: int) -> list[Delay]:
    """Let n replies come in on each side, at each rate."""
    found: list[Delay] = []
    token = SecretStr(secrets.token_hex())
    engine, bare = EngineSide(ground, _WAIT, channels=("sms", "call")), BareSide(ground, _WAIT)
    async with providers.in_memory(ground) as channels:
        async with (
            EngineSide.worker(ground, channels),
            relaying(ground),
            _console(ground, token) as url,
            aiohttp.ClientSession() as http,
        ):
            for a_second in RATES:
                ids = await _waiting(ground, engine, n)
                phones = await _phones(ground, ids)
                ground.activities.note(
                    "open_call_task", lambda task: engine.workflow_of(task.attempt_id)
                )
                post = _webhook(http, url, ground, token, phones)
                stored, heard = await _under_load(ground, ids, post, a_second)
                found += [
                    summary(f"stored, no message leaves any more, {a_second} a second", stored),
                    summary(f"heard by the attempt, {a_second} a second", heard),
                ]
        async with BareSide.worker(ground):
            for a_second in RATES:
                ids = await _waiting(ground, bare, n)
                ground.activities.note("close_nothing", str)
                _, heard = await _under_load(ground, ids, bare.answer, a_second)
                found.append(summary(f"bare workflow, by a signal, {a_second} a second", heard))
    return found


async def _waiting(ground: Ground, side: Side, n: int) -> list[str]:
    """Start n attempts and wait until each has sent its first message."""
    ids = await side.prepare(n)
    ground.activities.expect(n)
    handles = [await side.start(one) for one in ids]
    await ground.activities.reached()
    for handle in handles:
        await settled(handle)
    return ids


async def _under_load(
    ground: Ground, ids: Sequence[str], post: Post, a_second: int
) -> tuple[list[float], list[float]]:
    """Answer each at its moment; return after how many seconds it was stored, and heard of."""
    ground.activities.expect(len(ids))
    began = time.perf_counter()
    posted_at: dict[str, float] = {}
    stored: list[float] = []

    async def answer(number: int, one: str) -> None:
        await asyncio.sleep(began + number / a_second - time.perf_counter())
        posted_at[one] = time.perf_counter()
        await post(one)
        stored.append(time.perf_counter() - posted_at[one])

    async with asyncio.TaskGroup() as posting:
        for number, one in enumerate(ids):
            posting.create_task(answer(number, one))
    async with asyncio.timeout(_WITHIN.total_seconds()):
        await ground.activities.reached()
    return stored, [ground.activities.ended_at[one] - posted_at[one] for one in ids]


def _webhook(
    http: aiohttp.ClientSession, url: str, ground: Ground, token: SecretStr, phones: dict[str, str]
) -> Post:
    signer = RequestValidator(token.get_secret_value())
    public = f"{ground.clinic.settings.public_url}/webhooks/sms"

    async def post(workflow_id: str) -> None:
        form = {
            "MessageSid": f"SM{secrets.token_hex(16)}",
            "From": phones[workflow_id],
            "To": "+13055550100",
            "Body": "¿Tienen hora el martes?",
        }
        headers = {"X-Twilio-Signature": signer.compute_signature(public, form)}
        async with http.post(url, data=form, headers=headers) as answered:
            assert answered.status == HTTPStatus.NO_CONTENT, answered.status

    return post


async def _phones(ground: Ground, ids: Sequence[str]) -> dict[str, str]:
    async with ground.clinic.database.reading() as session:
        rows = await session.execute(
            select(Patient.id, Patient.phone).join(Attempt, Attempt.patient_id == Patient.id)
        )
        found = {names.attempt_workflow_id(one): str(phone) for one, phone in rows}
    return {one: found[one] for one in ids}


@asynccontextmanager
async def _console(ground: Ground, token: SecretStr) -> AsyncIterator[str]:
    """Run the console on the clinic's database; yield where its SMS webhook listens."""
    (port,) = providers.free_ports(1)
    settings = ground.clinic.settings
    variables = {
        "CLINIC": str(settings.clinic),
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "PUBLIC_URL": settings.public_url,
        "CONTACT_POLICY": settings.contact_policy or "",
        "CHANNELS": '["sms"]',
        "LOG_LEVEL": "warning",
        "SMS_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "SMS_AUTH_TOKEN": token.get_secret_value(),
        "SMS_FROM_NUMBER": "+13055550100",
    }
    command = (sys.executable, "-m", "console", "--port", str(port))
    environment = dict(os.environ) | {f"REGRESA_{name}": given for name, given in variables.items()}
    log = ground.directory / "console.log"
    async with providers.process(command, environment, log, (port,)):
        yield f"http://{providers.HOST}:{port}/webhooks/sms"
