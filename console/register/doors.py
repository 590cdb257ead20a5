"""All doors of the register."""

from fastapi import APIRouter

from clinic.clinic import Clinic
from console.clock import Clock
from console.doors.sessions import Doors
from console.register import (
    address_page,
    booking,
    card_page,
    consent_page,
    edit_page,
    privacy_pages,
    same_person_page,
    search_page,
    stop_pages,
)

_PAGES = (
    search_page,
    address_page,
    card_page,
    edit_page,
    consent_page,
    stop_pages,
    booking,
    same_person_page,
    privacy_pages,
)


def router(clinic: Clinic, clock: Clock, doors: Doors) -> APIRouter:
    """Build the doors under /register, but for the import's."""
    routes = APIRouter()
    for page in _PAGES:
        routes.routes.extend(page.router(clinic, clock, doors).routes)
    return routes
