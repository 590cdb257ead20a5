"""Rows imported a second, against the bare reading of the same file; and the memory it takes.

The bare side is what any import of a list has to do: `csv.reader`, and each phone through
phonenumbers (parsed, checked, written as E.164). The engine does the whole of its work: it looks
the file through, reads its rows, finds duplicates, and writes the register. Memory is that of a
process which imports one file and nothing else.
"""

import asyncio
import csv
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

import phonenumbers
from pydantic import SecretStr

from benchmarks import databases
from benchmarks.figures import Memory, Rate
from benchmarks.ground import ROOT
from benchmarks.rounds import Stopwatch, alternate
from clinic.database import Database
from clinic.register_import.import_run import ImportResult, import_register
from clinic.register_import.source_file import open_source

_AIM = 0.5
_COUNTRY = "US"
_ZONE = ZoneInfo("America/New_York")
_NOW = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
_KEY = SecretStr("a key for invented patients only")
_HEADER = (
    *("patient_id", "first_name", "last_name", "birth_date", "sex", "occupation", "district"),
    *("language", "email", "phone", "treatment", "last_visit", "visits", "next_appointment"),
    *("status", "loss_reason"),
)
_PHONE = _HEADER.index("phone")
_FIRST, _LAST = 400, 4_000
"""So many first and last names there are: namesakes are as rare as in a large town."""


async def measure(*, rounds: int, rows: int) -> list[Rate]:
    """Import a list of new patients, on SQLite and on PostgreSQL.

    Args:
        rounds: Pairs of runs for each database.
        rows: Of the list.
    """
    rates: list[Rate] = []
    with tempfile.TemporaryDirectory(prefix="regresa-benchmarks-") as directory:
        path = Path(directory) / "list.csv"
        write_list(path, rows)

        async def bare() -> Stopwatch:
            watch = Stopwatch()
            with watch.running():
                _read_bare(path)
            return watch

        for opened in (databases.sqlite, databases.postgresql):
            engine = partial(_engine, opened, path, rows)
            pairs = await alternate(engine, bare, rounds=rounds, n=rows)
            name = f"rows imported, {opened.__name__}"
            rates.append(Rate(measured=name, n=rows, aim=_AIM, rounds=pairs))
    return rates


async def _engine(
    opened: Callable[[], AbstractAsyncContextManager[Database]], path: Path, rows: int
) -> Stopwatch:
    watch = Stopwatch()
    async with opened() as database:
        with watch.running():
            result = await _import(database, path)
    assert result.counts["new"] == rows, result.counts
    return watch


def measure_memory(rows: Sequence[int]) -> list[Memory]:
    """Import lists of so many rows, each in a process of its own, into SQLite."""
    return [_memory(count) for count in rows]


def _memory(rows: int) -> Memory:
    with tempfile.TemporaryDirectory(prefix="regresa-benchmarks-") as directory:
        path = Path(directory) / "list.csv"
        write_list(path, rows)
        url = f"sqlite:///{Path(directory) / 'register.db'}"
        said = subprocess.run(  # noqa: S603 - this module
            [sys.executable, "-m", "benchmarks.register_import", str(path), url],
            cwd=ROOT,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    imported, kibibytes, seconds = said.stdout.split()
    assert int(imported) == rows, said.stdout
    return Memory(
        measured="import, SQLite",
        n=rows,
        peak_mib=int(kibibytes) / 1024,
        rows_a_second=rows / float(seconds),
    )


def write_list(path: Path, rows: int) -> None:
    """Write a list of invented patients; the same one for the same number of rows.

    Their numbers are of the clinic's country, as nearly all of a clinic's list are.
    """
    chance = random.Random(rows)  # noqa: S311 - invented patients
    areas = [
        area
        for area in range(201, 990)
        if phonenumbers.is_valid_number_for_region(phonenumbers.parse(f"+1{area}5550100"), "US")
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for number in range(rows):
            area = areas[number // 10_000 % len(areas)]
            booked = "2027-01-15 10:30" if number % 10 == 0 else ""
            writer.writerow(
                [
                    f"B-{number:07}",
                    f"Nombre{chance.randrange(_FIRST)}",
                    f"Apellido{chance.randrange(_LAST)}",
                    date(1940, 1, 1) + timedelta(days=chance.randrange(25_000)),
                    chance.choice(["female", "male"]),
                    f"occupation {chance.randrange(40)}",
                    f"district {chance.randrange(20)}",
                    chance.choice(["es", "en", "ru"]),
                    f"b{number}@example.com",
                    f"{area}-555-{number % 10_000:04}",
                    f"treatment {chance.randrange(12)}",
                    date(2023, 1, 1) + timedelta(days=chance.randrange(1_300)),
                    chance.randrange(1, 12),
                    booked,
                    "active",
                    "",
                ]
            )


def _read_bare(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        for cells in islice(csv.reader(file), 1, None):
            number = phonenumbers.parse(cells[_PHONE], _COUNTRY)
            if phonenumbers.is_valid_number(number):
                phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def _import(database: Database, path: Path) -> ImportResult:
    today = _NOW.astimezone(_ZONE).date()
    source = open_source(path, country=_COUNTRY, language="es", zone=_ZONE, today=today)
    return await import_register(database, source, now=_NOW, key=_KEY, zone=_ZONE)


async def _import_alone(path: Path, url: str) -> None:
    watch = Stopwatch()
    async with Database(url) as database:
        with watch.running():
            result = await _import(database, path)
    # with the process that reads a long file; what both share is counted twice
    peak = sum(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(result.counts["new"], peak, watch.seconds)


if __name__ == "__main__":
    asyncio.run(_import_alone(Path(sys.argv[1]), sys.argv[2]))
