"""Who reads the answers at a path: patients, programs, or staff."""

from enum import Enum, auto

_PATIENTS = "/p/"
_PROGRAMS = ("/webhooks", "/bookings", "/healthz", "/readyz", "/metrics", "/assets")


class Audience(Enum):
    """Whom an answer is made for; it decides its words and what a browser may do with it."""

    PATIENTS = auto()
    PROGRAMS = auto()
    STAFF = auto()


def audience_of(path: str) -> Audience:
    """Return who reads what stands at a path; all that is not for others is for staff."""
    if path.startswith(_PATIENTS):
        return Audience.PATIENTS
    if any(path == door or path.startswith(f"{door}/") for door in _PROGRAMS):
        return Audience.PROGRAMS
    return Audience.STAFF
