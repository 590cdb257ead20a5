"""The database: set up when it is new, refused when it does not fit, silent about patients."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text
from sqlalchemy.exc import IntegrityError, SQLAlchemyError, StatementError

from clinic import migrations
from clinic.database import Database
from clinic.refusal import Refusal
from clinic.tables import Campaign, Patient, Table

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

ROOT = Path(__file__).parents[2]
PREPARE = """
import asyncio, sys
from clinic.database import Database

async def prepare():
    async with Database(sys.argv[1]):
        pass

asyncio.run(prepare())
"""


async def test_an_empty_database_is_set_up(new_database_url: str) -> None:
    async with Database(new_database_url) as database, database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Patient)) == 0


async def test_the_migrated_tables_are_those_of_the_models(new_database_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found: list[object] = compare_metadata(context, Table.metadata)
        return found

    async with Database(new_database_url) as database, database.reading() as session:
        assert await (await session.connection()).run_sync(differences) == []


async def test_what_is_set_up_is_left_alone(new_database_url: str) -> None:
    async with Database(new_database_url) as database, database.writing() as session:
        session.add(Patient(external_id="A-1", first_name="Ana"))
    async with Database(new_database_url) as database:
        await database.migrate()
        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(Patient)) == 1


async def test_two_processes_that_start_at_once_set_it_up_once(new_database_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            PREPARE,
            new_database_url,
            stderr=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        for _ in range(2)
    ]
    errors = [(await process.communicate())[1] for process in processes]
    assert errors == [b"", b""]
    async with Database(new_database_url) as database, database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Patient)) == 0


@pytest.mark.parametrize("revision", ["0000", "9999"], ids=["behind", "ahead"])
async def test_another_versions_tables_are_refused_and_left_alone(
    database_url: str, revision: str
) -> None:
    async with Database(database_url) as database:
        try:
            async with database.writing() as session:
                await session.execute(
                    text("UPDATE alembic_version SET version_num = :revision"),
                    {"revision": revision},
                )
            with pytest.raises(Refusal) as refused:
                await database.prepare()
        finally:
            async with database.writing() as session:
                await session.execute(
                    text("UPDATE alembic_version SET version_num = :revision"),
                    {"revision": migrations.latest()},
                )
    assert f"the database is at revision {revision}" in refused.value.problem
    assert "regresa migrate" in refused.value.remedy


@pytest.mark.parametrize(
    ("url", "said"),
    [
        pytest.param("nonsense", "REGRESA_DATABASE_URL is no database URL", id="no URL"),
        pytest.param("", "REGRESA_DATABASE_URL is no database URL", id="empty"),
        pytest.param("mysql://host/name", "names `mysql`, which is not supported", id="MySQL"),
    ],
)
def test_a_url_of_no_known_database_is_refused(url: str, said: str) -> None:
    with pytest.raises(Refusal, match=said):
        Database(url)


async def test_a_server_that_does_not_answer_is_refused_without_its_password() -> None:
    with pytest.raises(Refusal) as refused:
        async with Database("postgresql://clinic:s3cret@127.0.0.1:1/clinic"):
            pass
    assert "no database at postgresql+asyncpg://clinic:***@127.0.0.1:1/clinic" in str(refused.value)
    assert "s3cret" not in str(refused.value)


async def test_a_database_that_the_server_does_not_have_is_refused(postgresql: str) -> None:
    with pytest.raises(Refusal, match="no database at"):
        async with Database(postgresql.replace("/postgres?", "/nowhere?")):
            pass


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clinic.db"
    path.write_bytes(b"a photograph, not a database" * 100)
    with pytest.raises(Refusal, match="file is not a database"):
        async with Database(f"sqlite:///{path}"):
            pass


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="no database at"):
        async with Database(f"sqlite:///{tmp_path / 'file' / 'clinic.db'}"):
            pass


async def test_a_folder_for_the_file_is_made(tmp_path: Path) -> None:
    async with Database(f"sqlite:///{tmp_path / 'deep' / 'er' / 'clinic.db'}"):
        pass
    assert (tmp_path / "deep" / "er" / "clinic.db").is_file()


async def test_a_failed_block_leaves_nothing_behind(rows: "Rows") -> None:
    async def write_and_fail() -> None:
        async with rows.clinic.database.writing() as session:
            session.add(Patient(external_id="A-1", first_name="Ana"))
            await session.flush()
            raise TimeoutError

    with pytest.raises(TimeoutError):
        await write_and_fail()
    assert await rows.all(Patient) == []


async def test_an_error_carries_no_patients_data(rows: "Rows") -> None:
    await rows.patient(external_id="A-1")
    with pytest.raises(IntegrityError) as failed:
        await rows.patient(external_id="A-1", first_name="Ludmila", phone="+13055550101")
    said = str(failed.value)
    assert "Ludmila" not in said
    assert "+13055550101" not in said
    assert isinstance(failed.value, SQLAlchemyError)


async def test_a_naive_moment_is_refused(rows: "Rows") -> None:
    with pytest.raises(StatementError, match="a naive datetime has no place"):
        await rows.campaign(started_at=datetime(2027, 3, 2, 12, 0))  # noqa: DTZ001 - that is the point


async def test_a_moment_comes_back_as_aware_utc(rows: "Rows") -> None:
    bogota = timezone(timedelta(hours=-5))
    campaign = await rows.campaign(started_at=datetime(2027, 3, 2, 12, 30, 15, 123456, bogota))
    found = (await rows.get(Campaign, campaign.id)).started_at
    assert datetime(2027, 3, 2, 17, 30, 15, 123456, UTC) == found
    assert UTC is found.tzinfo


async def test_moments_are_compared_in_utc(rows: "Rows") -> None:
    bogota = timezone(timedelta(hours=-5))
    await rows.campaign(started_at=datetime(2027, 3, 2, 17, 0, tzinfo=UTC))
    later = Campaign.started_at < datetime(2027, 3, 2, 12, 1, tzinfo=bogota)
    async with rows.clinic.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Campaign).where(later)) == 1


async def test_two_writers_wait_for_each_other(rows: "Rows") -> None:
    patient = await rows.patient(reported_visits=0)

    async def count_one_more() -> None:
        async with rows.clinic.database.writing() as session:
            found = await session.get_one(Patient, patient.id, with_for_update=True)
            await asyncio.sleep(0.01)
            found.reported_visits = (found.reported_visits or 0) + 1

    await asyncio.gather(*(count_one_more() for _ in range(5)))
    assert (await rows.get(Patient, patient.id)).reported_visits == 5
