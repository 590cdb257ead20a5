"""The console on a real port of the loopback, at a time that stands still."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime

import uvicorn

from channels.protocol import Channel
from clinic.clinic import Clinic
from console.app import build_app


class Server(uvicorn.Server):
    """Uvicorn without its signal handlers: they are the test run's."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(
    clinic: Clinic, channels: Mapping[str, Channel], now: datetime
) -> AsyncIterator[str]:
    """Serve the console on a free port, and give its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            build_app(clinic, channels, clock=lambda: now),
            log_config=None,
            access_log=False,
            ws="none",
        )
        server = Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await running
