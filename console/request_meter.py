"""Counts and times the console's answers, by door: no path, no id, nobody's name."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NO_DOOR = "none"
"""Where no door answers: a stranger's paths are not ours to keep, and have no end."""
_ASSETS = "/assets"
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_BROKEN = "5xx"
_CUT_OFF = "none"
"""Nobody was left to answer."""


class RequestMeter:
    """The figures.

    Args:
        registry: Where they are read.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "regresa_http_requests",
            "Requests that were answered, by door, method and class of status.",
            ("door", "method", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "regresa_http_request_seconds",
            "How long answers took, by door.",
            ("door",),
            buckets=_SECONDS,
            registry=registry,
        )

    def answered(self, door: str, method: str, status: str, seconds: float) -> None:
        """Count one answer."""
        known = method if method in _METHODS else "other"
        self._requests.labels(door, known, status).inc()
        self._seconds.labels(door).observe(seconds)


class Metered:
    """Has every answer of an application counted.

    It has to stand next to the routes, within everything that changes a request's scope: only
    there it learns which door it was.

    Args:
        app: Whose answers they are.
        meter: What counts them.
    """

    def __init__(self, app: ASGIApp, meter: RequestMeter) -> None:
        self._app = app
        self._meter = meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = _CUT_OFF

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        began = time.perf_counter()
        try:
            await self._app(scope, receive, noting)
        except Exception:
            status = _BROKEN
            raise
        finally:
            took = time.perf_counter() - began
            self._meter.answered(_door_of(scope), scope["method"], status, took)


def _door_of(scope: Scope) -> str:
    """Return the template of the route that answered, such as `/p/{token}/stop`."""
    if scope["path"].startswith(f"{_ASSETS}/"):
        return _ASSETS
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else _NO_DOOR
