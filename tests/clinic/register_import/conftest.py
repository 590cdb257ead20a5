"""The front desk, which exports a list from its software and has it imported."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from clinic.database import Transactions
from clinic.refusal import Refusal
from clinic.register_import.import_run import ImportResult, import_register
from clinic.register_import.register_row import BadCell, RegisterRow, Source
from clinic.register_import.rejects import Reject
from clinic.register_import.source_file import open_source
from clinic.tables import Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

ZONE = ZoneInfo("America/New_York")


@dataclass
class Desk:
    """A clinic in New York whose lists are written and imported, a few rows at once."""

    rows: "Rows"
    path: Path
    rows_at_once: int = 4
    reached: list[int] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    def writes(self, *lines: str) -> None:
        self.path.write_text("\r\n".join(lines), encoding="utf-8")

    async def imports(self, *lines: str, at: datetime | None = None) -> ImportResult:
        self.writes(*lines)
        return await self.imports_again(at)

    async def imports_again(
        self, at: datetime | None = None, database: Transactions | None = None
    ) -> ImportResult:
        return await self.imports_from(self.source(), at, database)

    async def imports_from(
        self,
        source: Source,
        at: datetime | None = None,
        database: Transactions | None = None,
        result: ImportResult | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> ImportResult:
        self.reached.clear()
        self.rejects.clear()
        return await import_register(
            database or self.rows.clinic.database,
            source,
            now=at or self.rows.now,
            key=self.rows.clinic.key,
            zone=ZONE,
            rows_at_once=self.rows_at_once,
            result=result,
            on_reject=self.rejects.append,
            on_progress=on_progress or self.reached.append,
        )

    def source(self) -> Source:
        return open_source(
            self.path,
            country="US",
            language="en",
            zone=ZONE,
            today=self.rows.now.astimezone(ZONE).date(),
        )

    async def patient(self, external_id: str = "A-1") -> Patient:
        [found] = [
            patient
            for patient in await self.rows.all(Patient)
            if patient.external_id == external_id
        ]
        return found


@pytest.fixture
def desk(rows: "Rows", tmp_path: Path) -> Desk:
    return Desk(rows, tmp_path / "list.csv")


@dataclass
class Export:
    """A file as a clinic's software left it, and the clinic that opens it."""

    path: Path

    def holding(self, content: str | bytes, encoding: str = "utf-8") -> "Export":
        self.path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return self

    def opened(self, **given: Any) -> Source:
        how: dict[str, Any] = {
            "country": "US",
            "language": "es",
            "zone": ZONE,
            "today": date(2027, 3, 2),
        }
        return open_source(self.path, **(how | given))

    def rows(self, **given: Any) -> list[RegisterRow]:
        """Read all rows, none of which may be rejected."""
        read = [row.said for row in self.opened(**given).rows()]
        assert [str(said) for said in read if isinstance(said, BadCell)] == []
        return [said for said in read if isinstance(said, RegisterRow)]

    def refusal(self, **given: Any) -> Refusal:
        with pytest.raises(Refusal) as refused:
            self.opened(**given)
        return refused.value


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path / "list.csv")
