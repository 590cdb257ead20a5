"""What every answer tells a browser: run nothing strange, show me nowhere else, keep nothing.

Patients' pages and what programs read run no script at all. Staff's pages run the console's own.
"""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.audience import Audience, audience_of

_FOR_ALL = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}
_FOR_STAFF = _FOR_ALL | {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
_FOR_MAIL = _FOR_ALL | {
    # a mail brings its own style; nothing in it runs, is fetched, sent or followed
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
_MAIL = re.compile(r"/campaigns/new/.+/messages/[^/]+/\d+/mail")
"""A mail as its reader will show it, before it is sent."""
_ASSETS = "/assets/"
_KEEP_ASSETS = "public, max-age=3600"
"""A style sheet is nobody's secret, and the same for everybody."""


def headers_of(path: str) -> dict[str, str]:
    """Return the headers of every answer at a path."""
    if _MAIL.fullmatch(path):
        return _FOR_MAIL
    return _FOR_STAFF if audience_of(path) is Audience.STAFF else _FOR_ALL


class SecurityHeaders:
    """Adds `headers_of` its path to every answer, and answers a HEAD as a GET without its body.

    Args:
        app: Whose answers they are.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        only_head = scope["method"] == "HEAD"
        own_headers = headers_of(scope["path"])
        is_asset = scope["path"].startswith(_ASSETS)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in own_headers.items():
                    headers[name] = value
                if is_asset and message["status"] == 200:  # noqa: PLR2004 - found
                    headers["Cache-Control"] = _KEEP_ASSETS
            elif only_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        seen = {**scope, "method": "GET"} if only_head else scope
        await self._app(seen, receive, send_with_headers)
