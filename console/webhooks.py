"""Providers' webhooks: verified, stored with the provider's own key, answered; relayed later."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import UploadFile

from channels.protocol import Channel, ProviderEvent, WebhookRequest
from clinic import inbox, ledger
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.opt_out_words import means_stop
from clinic.register import household, suppression
from clinic.register.who_wrote import who_wrote
from clinic.tables import Message

_LARGEST_BODY = 64 * 1024
_MESSAGE = re.compile(r"(?P<attempt_id>[A-Za-z0-9_-]{1,64})\.(?P<step>[0-9]{1,4})")
"""What a status URL may add as `?message=`: the message that it was given for."""

_log = structlog.get_logger()


def router(clinic: Clinic, channels: Mapping[str, Channel]) -> APIRouter:
    """Build the doors: one for each channel, POST /webhooks/<channel>."""
    routes = APIRouter()

    @routes.post("/webhooks/{name}", status_code=204)
    async def receive(name: str, request: Request) -> Response:
        channel = channels.get(name)
        if channel is None:
            raise HTTPException(404, "no such channel")
        webhook = await _read(request, clinic)
        if not channel.verify(webhook):
            raise HTTPException(403, "not signed by the provider")
        try:
            events = channel.parse(webhook)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        named = request.query_params.get("message", "")
        async with clinic.database.writing() as session:
            for event in events:
                await _store(session, channel, event, named, clinic)
        return Response(status_code=204)

    return routes


async def _read(request: Request, clinic: Clinic) -> WebhookRequest:
    body = await request.body()
    if len(body) > _LARGEST_BODY:
        raise HTTPException(413, "too large")
    form = {
        name: value
        for name, value in (await request.form()).items()
        if not isinstance(value, UploadFile)
    }
    # behind a proxy the request does not know its public URL, and the signature covers that
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return WebhookRequest(
        url=clinic.settings.public_url.rstrip("/") + path,
        headers={name.lower(): value for name, value in request.headers.items()},
        form=form,
        body=body,
    )


async def _store(
    session: AsyncSession, channel: Channel, event: ProviderEvent, named: str, clinic: Clinic
) -> None:
    now = datetime.now(UTC)
    for target in await _targets(session, channel, event, named, clinic, now):
        stored = await inbox.store(session, target, now=now, key=clinic.key)
        _log.info("event received", source=channel.name, kind=target.kind.value, new=stored)
        if stored and event.misconfigured:
            _log.error("channel is misconfigured", channel=channel.name, code=event.failure)
        if stored and event.from_phone and target.kind is EventKind.OPTED_OUT:
            # the number itself, also where it is nobody's on the register, or not any more
            await suppression.suppress(
                session, event.from_phone, source=channel.name, now=now, key=clinic.key
            )


async def _targets(
    session: AsyncSession,
    channel: Channel,
    event: ProviderEvent,
    named: str,
    clinic: Clinic,
    now: datetime,
) -> list[inbox.Received]:
    """Find out whom an event concerns; one that concerns nobody we know is kept all the same."""
    if event.provider_id is not None:
        message = await ledger.message_of(session, channel.name, event.provider_id)
        if message is None:  # the report may be faster than the worker's note of the id
            message = await _named(session, channel, named)
        if (
            message is not None
            and event.status is not None
            and message.provider_id in (None, event.provider_id)
        ):
            message.provider_status = event.status
        about = _about_message(channel, event, message)
        if message is None or about.kind is EventKind.UNKNOWN:
            return [about]
        return await household.for_each(session, about, message.step)
    kind = EventKind.OPTED_OUT if means_stop(event.body) else event.kind
    concerned = (
        await who_wrote(
            session,
            channel=channel.name,
            phone=event.from_phone,
            says_stop=kind is EventKind.OPTED_OUT,
            now=now,
            key=clinic.key,
        )
        if event.from_phone is not None
        else []
    )
    received = inbox.Received(
        source=channel.name,
        source_key=event.key,
        kind=kind,
        body=event.body.replace("\0", ""),  # PostgreSQL takes none, and no reply is dropped
    )
    if not concerned:
        return [received]
    by_patient = {
        patient_id: received.model_copy(
            update={
                "source_key": event.key if number == 0 else f"{event.key}.{number}",
                "patient_id": patient_id,
                "attempt_id": attempt_id,
            }
        )
        for number, (patient_id, attempt_id) in enumerate(concerned)
    }
    # in one order, as in `household.for_each`: two who stop a family can't wait for each other
    return [by_patient[patient_id] for patient_id in sorted(by_patient)]


async def _named(session: AsyncSession, channel: Channel, named: str) -> Message | None:
    """Find the message that a verified request's URL names; the provider's signature covers it."""
    parts = _MESSAGE.fullmatch(named)
    if parts is None:
        return None
    message = await session.get(Message, (parts["attempt_id"], int(parts["step"]), 1))
    return message if message is not None and message.channel == channel.name else None


def _about_message(
    channel: Channel, event: ProviderEvent, message: Message | None
) -> inbox.Received:
    details: dict[str, object] = {"status": event.status}
    if event.failure:
        details["failure"] = event.failure
    if message is not None:
        details["step"] = message.step
    return inbox.Received(
        source=channel.name,
        source_key=event.key,
        kind=event.kind if message is not None else EventKind.UNKNOWN,
        attempt_id=message.attempt_id if message is not None else None,
        details=details,
    )
