"""The web application: which doors there are, and what they share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from channels.protocol import Channel
from clinic.clinic import Clinic
from console import bookings, health, webhooks
from console.bounded_body import BoundedBody
from console.calls import card_page, list_page
from console.clock import Clock, utc_now
from console.doors import login
from console.doors.sessions import Doors
from console.patient import page as patient_page
from console.refusals import refuse_in_words
from console.security_headers import SecurityHeaders


def build_app(
    clinic: Clinic, channels: Mapping[str, Channel], *, clock: Clock = utc_now
) -> FastAPI:
    """Build the application for one clinic.

    Args:
        clinic: The clinic; its database is prepared when the application starts.
        channels: The channels in use, by name; each has its webhook.
        clock: What time it is for patients, bookings and staff.
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
    _open_staff_doors(app, clinic, clock)
    app.mount("/assets", StaticFiles(directory=Path(__file__).with_name("assets")))
    return app


def _open_staff_doors(app: FastAPI, clinic: Clinic, clock: Clock) -> None:
    """Include what staff work with; all but the login opens for those who are signed in."""
    doors = Doors(clinic, clock)
    for pages in (login, list_page, card_page):
        app.include_router(pages.router(clinic, clock, doors))
