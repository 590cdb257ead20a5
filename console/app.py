"""The web application: which doors there are, and what they share."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from channels.protocol import Channel
from clinic.clinic import Clinic
from console import bookings, health, metrics, webhooks
from console.bounded_body import BoundedBody
from console.calls import card_page, list_page
from console.campaigns import doors as campaigns
from console.clock import Clock, utc_now
from console.doors import login
from console.doors.sessions import Doors
from console.engine import Engine
from console.patient import page as patient_page
from console.refusals import refuse_in_words
from console.register import doors as register
from console.register_import import page as import_page
from console.request_meter import Metered
from console.results import page as results_page
from console.security_headers import SecurityHeaders


def build_app(
    clinic: Clinic,
    channels: Mapping[str, Channel],
    *,
    clock: Clock = utc_now,
    engine: Engine | None = None,
) -> FastAPI:
    """Build the application for one clinic.

    Args:
        clinic: The clinic; its database is prepared when the application starts.
        channels: The channels in use, by name; each has its webhook.
        clock: What time it is for patients, bookings and staff.
        engine: What staff's pages tell of Temporal; None: nothing.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with clinic.opened():
            if engine is None or engine.watch is None:
                yield
            else:
                async with engine.watch.watching():
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
    figures = metrics.Metrics(clinic, channels, clock)
    app.add_middleware(Metered, meter=figures.requests)
    app.add_middleware(BoundedBody, apart=import_page.BOUNDS)
    app.add_middleware(SecurityHeaders)
    refuse_in_words(app, clinic)
    app.include_router(webhooks.router(clinic, channels))
    app.include_router(bookings.router(clinic, clock))
    app.include_router(patient_page.router(clinic, clock))
    app.include_router(health.router(clinic))
    app.include_router(metrics.router(clinic, figures))
    _open_staff_doors(app, clinic, clock, engine)
    app.mount("/assets", StaticFiles(directory=Path(__file__).with_name("assets")))
    return app


def _open_staff_doors(app: FastAPI, clinic: Clinic, clock: Clock, engine: Engine | None) -> None:
    """Include what staff work with; all but the login opens for those who are signed in."""
    doors = Doors(clinic, clock, engine)
    for pages in (
        login,
        list_page,
        card_page,
        campaigns,
        results_page,
        import_page,
        register,
    ):
        app.include_router(pages.router(clinic, clock, doors))
