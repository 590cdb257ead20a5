"""The web application: which doors there are, and what they share.

Routes are taken over from their routers as they stand: each has its router's prefix already, and no
router has a dependency. FastAPI's `include_router` would take the signature of each apart once
more, on the first request (35 ms of processor time), and walk through all routers for each further
one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
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

_STAFF_PAGES = (
    login,
    list_page,
    card_page,
    campaigns,
    results_page,
    import_page,
    register,
)
"""What staff work with; all but the login opens for those who are signed in."""


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
    figures = metrics.Metrics(clinic, channels, clock)
    doors = Doors(clinic, clock, engine)
    routers = (
        webhooks.router(clinic, channels),
        bookings.router(clinic, clock),
        patient_page.router(clinic, clock),
        health.router(clinic),
        metrics.router(clinic, figures),
        *(pages.router(clinic, clock, doors) for pages in _STAFF_PAGES),
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with clinic.opened(), AsyncExitStack() as opened:
            for router in routers:
                await opened.enter_async_context(router.lifespan_context(app))
            if engine is not None and engine.watch is not None:
                await opened.enter_async_context(engine.watch.watching())
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
    app.add_middleware(Metered, meter=figures.requests)
    app.add_middleware(BoundedBody, apart=import_page.BOUNDS)
    app.add_middleware(SecurityHeaders)
    refuse_in_words(app, clinic)
    for router in routers:
        app.router.routes.extend(router.routes)
    app.mount("/assets", StaticFiles(directory=Path(__file__).with_name("assets")))
    return app
