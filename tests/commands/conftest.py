"""The commands as people type them, on an invented clinic of their own."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner, Result

from clinic.clinic import Clinic
from clinic.settings import ClinicSettings
from clinic.tables import Patient, Table
from starter import app

Row = TypeVar("Row", bound=Table)
Found = TypeVar("Found")
KEY = "a-secret-that-is-32-characters-long"


@dataclass
class Desk:
    """A front desk: it types commands, and looks at what stands in the tables."""

    folder: Path
    database_url: str

    def types(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["--clinic", str(self.folder), *arguments])

    def says(self, *arguments: str, code: int = 0) -> str:
        """Type a command; return what it prints."""
        result = self.types(*arguments)
        assert result.exit_code == code, result.output
        return result.output

    def add(self, *rows: Table) -> None:
        async def write(session: AsyncSession) -> None:
            for row in rows:
                session.add(row)
                await session.flush()

        self.in_session(write)

    def patient(self, external_id: str = "A-0042", **given: object) -> Patient:
        fields: dict[str, object] = {
            "external_id": external_id,
            "first_name": "Sofía",
            "last_name": "Rojas",
            "email": f"{external_id.lower()}@example.com",
            "phone": "+13055550142",
        }
        row = Patient(**(fields | given))
        self.add(row)
        return row

    def all(self, table: type[Row]) -> list[Row]:
        async def read(session: AsyncSession) -> list[Row]:
            return list(await session.scalars(select(table)))

        return self.in_session(read)

    def in_session(self, work: Callable[[AsyncSession], Awaitable[Found]]) -> Found:
        async def run() -> Found:
            clinic = Clinic(
                ClinicSettings(
                    clinic=self.folder,
                    database_url=self.database_url,
                    secret_key=SecretStr(KEY),
                )
            )
            async with clinic.database, clinic.database.writing() as session:
                return await work(session)

        return asyncio.run(run())


@pytest.fixture
def desk(
    clinic_folder: Path, prepared_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Desk:
    """The example clinic with an empty register, set by the environment."""
    for name in [name for name in os.environ if name.startswith(("REGRESA_", "TEMPORAL_"))]:
        monkeypatch.delenv(name)
    database_url = f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / 'clinic.db')}"
    monkeypatch.setenv("REGRESA_SECRET_KEY", KEY)
    monkeypatch.setenv("REGRESA_DATABASE_URL", database_url)
    return Desk(clinic_folder, database_url)
