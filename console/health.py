"""Whether the console lives, and whether it can do its work: for whatever watches over it."""

import asyncio

import asyncpg
import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError

from clinic import migrations
from clinic.clinic import Clinic
from clinic.database import cause_of

_SECONDS = 3.0
"""A database that takes longer to answer than that is not there for a patient either."""

_log = structlog.get_logger()


def router(clinic: Clinic) -> APIRouter:
    """Build the doors GET /healthz (the process answers) and GET /readyz (the database, too)."""
    routes = APIRouter()

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz() -> JSONResponse:
        reason = await _why_not_ready(clinic)
        if reason is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "not ready", "reason": reason}, 503)

    return routes


async def _why_not_ready(clinic: Clinic) -> str | None:
    try:
        async with asyncio.timeout(_SECONDS), clinic.database.reading() as session:
            connection = await session.connection()
            found = await connection.run_sync(migrations.revision_of)
    except TimeoutError:
        return "the database does not answer"
    except (SQLAlchemyError, asyncpg.PostgresError, OSError) as error:
        # where it stands is nobody's business outside
        _log.error("the database can't be reached", cause=cause_of(error))
        return "the database can't be reached"
    needed = migrations.latest()
    if found == needed:
        return None
    if found is None:
        return "the database has no tables: run `regresa migrate`"
    return f"the database is at revision {found}, this version needs {needed}"
