"""The page that a POST came from: what its answer leads back to, in another language."""

from urllib.parse import quote

from fastapi import Request
from starlette.routing import Match

from console.doors.own_path import own_path


def page_behind(request: Request) -> str:
    """Return the address that a GET opens: what was posted to, else the nearest above it.

    A form posts to its own page's address, or to one below it.
    """
    path = request.scope["path"]
    while path.strip("/") and not _opens(request, path):
        path = path.rpartition("/")[0]
    return own_path(quote(path))


def _opens(request: Request, path: str) -> bool:
    asked = {**request.scope, "method": "GET", "path": path}
    return any(route.matches(asked)[0] is Match.FULL for route in request.app.routes)
