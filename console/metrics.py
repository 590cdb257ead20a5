"""GET /metrics: what the clinic's Prometheus reads of requests and of the clinic's pulse.

Labels are of closed lists, or names of the clinic's own channels: no patient, no id, no path.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterable

import asyncpg
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    ProcessCollector,
    generate_latest,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from clinic.clinic import Clinic
from clinic.database import cause_of
from clinic.pulse import pulse_of
from console.bearer import refuse_strangers
from console.clock import Clock
from console.pulse_metrics import PulseMetrics
from console.request_meter import RequestMeter

KEPT_FOR = 10.0
"""Seconds for which a pulse is shown again; Prometheus asks every quarter of a minute or more."""
_PAUSE = 20
"""A pulse that took long is kept so many times as long: taking it is a twentieth of the time at
most, however large the clinic is."""
_TAKEN_WITHIN = 8.0
"""Seconds; Prometheus gives up after ten."""

_UNREACHABLE = (TimeoutError, NoConnectionFree, DBAPIError, asyncpg.PostgresError, OSError)

_log = structlog.get_logger()


class Metrics:
    """All that GET /metrics tells.

    Args:
        clinic: Whose pulse it is.
        channels: Names of those in use.
        clock: What time it is.
        ticks: Seconds of a clock that nobody sets; a pulse's age is told by it.
    """

    def __init__(
        self,
        clinic: Clinic,
        channels: Iterable[str],
        clock: Clock,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clinic = clinic
        self._clock = clock
        self._ticks = ticks
        self._registry = CollectorRegistry(auto_describe=False)
        self.requests = RequestMeter(self._registry)
        ProcessCollector(registry=self._registry)
        self._shown = PulseMetrics(channels)
        self._registry.register(self._shown)
        self._turn = asyncio.Lock()
        self._good_until = -math.inf

    async def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        async with self._turn:
            if self._ticks() >= self._good_until:
                await self._take_pulse()
        return generate_latest(self._registry)

    async def _take_pulse(self) -> None:
        began = self._ticks()
        now = self._clock()
        try:
            async with (
                asyncio.timeout(_TAKEN_WITHIN),
                self._clinic.database.reading() as session,
            ):
                self._shown.show(await pulse_of(session, now), now)
        except _UNREACHABLE as error:
            _log.error("the pulse can't be taken", cause=cause_of(error))
            self._shown.show(None, now)
        taken = self._ticks()
        self._good_until = taken + max(KEPT_FOR, _PAUSE * (taken - began))


def router(clinic: Clinic, metrics: Metrics) -> APIRouter:
    """Build the door, with `Authorization: Bearer <REGRESA_METRICS_TOKEN>`."""
    routes = APIRouter()

    @routes.get("/metrics")
    async def show(request: Request) -> Response:
        refuse_strangers(request, clinic.settings.metrics_token)
        return Response(await metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return routes
