"""Answers: channels that are held, and replies of people who have no attempt."""

import sqlalchemy as sa
from alembic import op

from clinic.tables import UtcMoment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OPEN = sa.text("closed_at IS NULL")
_OWNERS = ("attempt_id", "patient_id")


def upgrade() -> None:
    op.create_table(
        "channel_holds",
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("held_since", UtcMoment(timezone=True), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("channel", name="pk_channel_holds"),
    )
    op.add_column("events", sa.Column("from_address", sa.String(), nullable=True))
    written = sa.text("from_address IS NOT NULL")
    op.create_index(
        "ix_events_from_address",
        "events",
        ["from_address"],
        sqlite_where=written,
        postgresql_where=written,
    )
    op.add_column("attempts", sa.Column("held_channel", sa.String(), nullable=True))
    held = sa.text("held_channel IS NOT NULL")
    op.create_index(
        "ix_attempts_held_channel",
        "attempts",
        ["held_channel"],
        sqlite_where=held,
        postgresql_where=held,
    )
    _allow_tasks_of_nobody()
    of_nobody = sa.text("attempt_id IS NULL")
    op.create_index(
        "uq_call_tasks_event_id",
        "call_tasks",
        ["event_id"],
        unique=True,
        sqlite_where=of_nobody,
        postgresql_where=of_nobody,
    )


def _allow_tasks_of_nobody() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for column in _OWNERS:
            op.alter_column("call_tasks", column, nullable=True)
        return
    # SQLite can only re-create the table, which would empty the calls that refer to it
    op.execute("CREATE TEMPORARY TABLE kept_calls AS SELECT * FROM calls")
    op.execute("DELETE FROM calls")
    # the conditions of these would be lost on the way
    op.drop_index("ix_call_tasks_open_due", "call_tasks")
    op.drop_index("uq_call_tasks_open_attempt", "call_tasks")
    with op.batch_alter_table("call_tasks", recreate="always") as tasks:
        for column in _OWNERS:
            tasks.alter_column(column, existing_type=sa.String(), nullable=True)
    op.create_index("ix_call_tasks_open_due", "call_tasks", ["due_at"], sqlite_where=_OPEN)
    op.create_index(
        "uq_call_tasks_open_attempt", "call_tasks", ["attempt_id"], unique=True, sqlite_where=_OPEN
    )
    op.execute("INSERT INTO calls SELECT * FROM kept_calls")
    op.execute("DROP TABLE kept_calls")
