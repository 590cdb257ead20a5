"""Providers' webhooks: verified, stored with the provider's own key, answered; relayed later."""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from starlette.datastructures import UploadFile

from activities.reception import Reception
from channels.protocol import Channel, WebhookRequest
from clinic.clinic import Clinic

_LARGEST_BODY = 64 * 1024

_log = structlog.get_logger()


def router(clinic: Clinic, channels: Mapping[str, Channel]) -> APIRouter:
    """Build the doors: one for each channel, POST /webhooks/<channel>."""
    routes = APIRouter()
    reception = Reception(clinic.folder, clinic.key)

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
            # what it says may quote what was sent
            _log.error("a webhook can't be read", channel=name, reason=type(error).__name__)
            raise HTTPException(400, "not of a form that this provider documents") from None
        named = request.query_params.get("message", "")
        now = datetime.now(UTC)
        async with clinic.database.writing() as session:
            for event in events:
                await reception.receive(session, name, event, named=named, now=now)
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
