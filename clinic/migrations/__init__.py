"""The tables' revisions, run by Alembic without a configuration file."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text


def latest() -> str:
    """Return the newest revision's name: versions are files named NNNN_what.py."""
    newest = max(Path(__file__).with_name("versions").glob("[0-9]*.py"))
    return newest.name.partition("_")[0]


def revision_of(connection: Connection) -> str | None:
    """Return the revision a database is at; None where it has no tables yet."""
    # Alembic's own table, read by hand: its import costs a command more than its work does
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(connection: Connection) -> None:
    """Bring a database to the newest revision, inside the connection's transaction."""
    # imported here: only what sets tables up needs it
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        # two processes that start at once: the second waits, and finds nothing left to do
        # (on SQLite the writing transaction itself is the lock)
        connection.execute(text("SELECT pg_advisory_xact_lock(7346001)"))

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
