"""The web application: which doors there are, and what they share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from channels.protocol import Channel
from clinic.clinic import Clinic
from console import bookings, health, patient_page, webhooks
from console.bounded_body import BoundedBody
from console.clock import Clock, utc_now
from console.refusals import refuse_in_words
from console.security_headers import SecurityHeaders


def build_app(
    clinic: Clinic, channels: Mapping[str, Channel], *, clock: Clock = utc_now
) -> FastAPI:
    """Build the application for one clinic.

    Args:
        clinic: The clinic; its database is prepared when the application starts.
        channels: The channels in use, by name; each has its webhook.
        clock: What time it is for patients and bookings.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with clinic.opened():
            yield
        for channel in channels.values():
            await channel.close()

    app = FastAPI(
        title=clinic.profile.name,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.add_middleware(BoundedBody)
    app.add_middleware(SecurityHeaders)
    refuse_in_words(app, clinic)
    app.include_router(webhooks.router(clinic, channels))
    app.include_router(bookings.router(clinic, clock))
    app.include_router(patient_page.router(clinic, clock))
    app.include_router(health.router(clinic))
    app.mount("/assets", StaticFiles(directory=Path(__file__).with_name("assets")))
    return app
