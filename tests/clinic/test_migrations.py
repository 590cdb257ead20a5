"""What stands in the tables survives a new revision, and so do the rules that guard it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from clinic import migrations
from clinic.audit import Action, entries, note
from clinic.database import Database
from clinic.tables import CallTask, Event

NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
TASK = """
INSERT INTO call_tasks (id, attempt_id, patient_id, step, kind, priority, due_at, opened_at,
                        tries_allowed, tries_made)
VALUES (:id, 'at-1', 'pt-1', 2, 'call', 0, '2027-03-02 17:00:00', '2027-03-02 17:00:00', 3, 0)
"""
OLD = (
    """
    INSERT INTO patients (id, external_id, first_name, last_name, status)
    VALUES ('pt-1', 'A-1', 'Ana', 'Ruiz', 'active')
    """,
    """
    INSERT INTO campaigns (id, name, segment, plan, state, started_at)
    VALUES ('ca-1', 'spring', 'everybody', '{}', 'running', '2027-03-02 17:00:00')
    """,
    """
    INSERT INTO attempts (id, campaign_id, patient_id, state, held)
    VALUES ('at-1', 'ca-1', 'pt-1', 'open', false)
    """,
    TASK.replace(":id", "'ct-1'"),
    """
    INSERT INTO calls (id, task_id, made_at, made_by, outcome, note)
    VALUES (7, 'ct-1', '2027-03-02 18:00:00', 'ana', 'no_answer', 'rang twice')
    """,
)


def _to_revision(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def _at_revision(url: str, revision: str) -> Database:
    database = Database(url)
    async with database.writing() as session:
        await (await session.connection()).run_sync(_to_revision, revision)
    return database


async def _filled(url: str) -> Database:
    database = await _at_revision(url, "0002")
    async with database.writing() as session:
        for row in OLD:
            await session.execute(text(row))
    return database


async def test_tasks_and_their_calls_are_kept(new_database_url: str) -> None:
    database = await _filled(new_database_url)
    await database.migrate()
    async with database.reading() as session:
        tasks = await session.execute(text("SELECT id, attempt_id, patient_id FROM call_tasks"))
        calls = await session.execute(text("SELECT id, task_id, note FROM calls"))
    await database.close()
    assert [tuple(row) for row in tasks] == [("ct-1", "at-1", "pt-1")]
    assert [tuple(row) for row in calls] == [(7, "ct-1", "rang twice")]


async def test_one_open_task_for_each_attempt_and_a_call_needs_its_task(
    new_database_url: str,
) -> None:
    database = await _filled(new_database_url)
    await database.migrate()
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            await session.execute(text(TASK), {"id": "ct-2"})
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            await session.execute(text("DELETE FROM call_tasks WHERE id = 'ct-1'"))
    async with database.writing() as session:
        await session.execute(text("UPDATE call_tasks SET closed_at = '2027-03-03 17:00:00'"))
        await session.execute(text(TASK), {"id": "ct-2"})
    await database.close()


async def test_a_revision_that_fails_half_way_leaves_everything_as_it_was(
    new_database_url: str,
) -> None:
    database = await _filled(new_database_url)

    def fail_after(connection: Connection) -> None:
        migrations.upgrade(connection)
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        async with database.writing() as session:
            await (await session.connection()).run_sync(fail_after)
    async with database.reading() as session:
        found = await (await session.connection()).run_sync(migrations.revision_of)
        calls = (await session.execute(text("SELECT id FROM calls"))).all()
    await database.close()
    assert found == "0002"
    assert [tuple(row) for row in calls] == [(7,)]


async def test_the_audit_log_of_a_database_that_was_there_before_takes_no_edit(
    new_database_url: str,
) -> None:
    database = await _filled(new_database_url)
    await database.migrate()
    async with database.writing() as session:
        await note(session, who="vera", action=Action.VIEWED, now=NOON, patient_id="pt-1")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.writing() as session:
            await session.execute(text("DELETE FROM audit_entries"))
    async with database.reading() as session:
        kept = [entry.who for entry in await entries(session, patient_id="pt-1")]
    await database.close()
    assert kept == ["vera"]


async def test_who_asked_to_be_called_at_a_time_is_not_called_before(new_database_url: str) -> None:
    then = datetime(2027, 3, 4, 14, 30, tzinfo=UTC)
    asked = {"at": then.isoformat()}
    waiting = {
        "ct-any-time": (NOON, {"step": 1}),
        "ct-sooner": (NOON, asked),  # who wrote once more is called sooner
        "ct-then": (then, asked),
    }
    database = await _at_revision(new_database_url, "0003")
    async with database.writing() as session:
        for task, (due_at, details) in waiting.items():
            event = {"id": f"ev-{task}", "source": "link", "source_key": task, "kind": "reply"}
            told = event | {"details": details, "received_at": NOON, "relay_tries": 0}
            await session.execute(insert(Event).values(told))
            about = {"step": 0, "kind": "reply", "priority": 1, "tries_allowed": 3}
            opened = about | {"opened_at": NOON, "due_at": due_at, "event_id": event["id"]}
            await session.execute(insert(CallTask).values(opened | {"id": task}))
    await database.migrate()
    async with database.reading() as session:
        tasks = (await session.scalars(select(CallTask).order_by(CallTask.id))).all()
    await database.close()
    found = [(task.id, task.not_before) for task in tasks]
    assert found == [("ct-any-time", None), ("ct-sooner", None), ("ct-then", then)]
