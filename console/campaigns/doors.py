"""All doors under /campaigns, for ops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from clinic.clinic import Clinic
from console.campaigns import campaign_page, list_page, messages_page, new_page, segment_page
from console.campaigns.looks import CampaignLooks
from console.clock import Clock
from console.doors.sessions import Doors


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors: a GET shows, only a POST changes anything."""
    looks = CampaignLooks(clinic)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        looks.close()

    routes = APIRouter(lifespan=lifespan)
    routes.routes.extend(list_page.router(clinic, clock, doors).routes)
    routes.routes.extend(segment_page.router(clinic, clock, doors, looks).routes)
    routes.routes.extend(new_page.router(clinic, clock, doors, looks).routes)
    routes.routes.extend(messages_page.router(clinic, clock, doors, looks).routes)
    # last: /campaigns/new is no campaign
    routes.routes.extend(campaign_page.router(clinic, clock, doors, looks).routes)
    return routes
