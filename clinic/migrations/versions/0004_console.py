"""The console: accounts, and an audit log that nobody can edit."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from clinic.tables import UtcMoment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("created_at", UtcMoment(timezone=True), nullable=False),
        sa.Column("disabled_at", UtcMoment(timezone=True), nullable=True),
        sa.Column("signed_in_at", UtcMoment(timezone=True), nullable=True),
        sa.Column("signed_out_at", UtcMoment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("name_key", name="uq_accounts_name_key"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcMoment(timezone=True), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_entries"),
    )
    of_patient = sa.text("patient_id IS NOT NULL")
    op.create_index(
        "ix_audit_entries_patient_id",
        "audit_entries",
        ["patient_id", "number"],
        sqlite_where=of_patient,
        postgresql_where=of_patient,
    )
    of_session = sa.text("action = 'signed_out'")
    op.create_index(
        "ix_audit_entries_subject",
        "audit_entries",
        ["subject"],
        sqlite_where=of_session,
        postgresql_where=of_session,
    )
    is_open = sa.text("closed_at IS NULL")
    op.add_column("call_tasks", sa.Column("not_before", UtcMoment(timezone=True), nullable=True))
    op.drop_index("ix_call_tasks_open_due", "call_tasks")
    for name, columns in {
        "ix_call_tasks_open_due": ["due_at", "not_before", "closed_at"],
        "ix_call_tasks_open_order": ["priority", "due_at", "not_before", "closed_at"],
        "ix_call_tasks_open_later": ["not_before", "closed_at"],
    }.items():
        op.create_index(name, "call_tasks", columns, sqlite_where=is_open, postgresql_where=is_open)
    # what was put off before there was the column: it is due when the next call was agreed for
    op.execute("""
        UPDATE call_tasks SET not_before = due_at WHERE closed_at IS NULL AND due_at IN (
            SELECT again_at FROM calls WHERE calls.task_id = call_tasks.id
        )
    """)
    _not_before_what_patients_asked_for()
    op.create_index("ix_call_tasks_attempt_id", "call_tasks", ["attempt_id"])
    _only_append()


def _not_before_what_patients_asked_for() -> None:
    """Keep the times at which patients asked to be called: their tasks are due then."""
    tasks = sa.table(
        "call_tasks",
        sa.column("id", sa.String()),
        sa.column("event_id", sa.String()),
        sa.column("due_at", UtcMoment(timezone=True)),
        sa.column("not_before", UtcMoment(timezone=True)),
        sa.column("closed_at", UtcMoment(timezone=True)),
    )
    events = sa.table("events", sa.column("id", sa.String()), sa.column("details", sa.JSON()))
    waiting = (
        sa.select(tasks.c.id, tasks.c.due_at, events.c.details)
        .join(events, events.c.id == tasks.c.event_id)
        .where(tasks.c.closed_at.is_(None), tasks.c.not_before.is_(None))
    )
    # the two databases read JSON and moments each in its own way: it is done here, once
    agreed = [
        {"task": row.id, "then": row.due_at}
        for row in op.get_bind().execute(waiting)
        if "at" in row.details and datetime.fromisoformat(row.details["at"]) == row.due_at
    ]
    if agreed:
        of_task = tasks.update().where(tasks.c.id == sa.bindparam("task"))
        op.get_bind().execute(of_task.values(not_before=sa.bindparam("then")), agreed)


def _only_append() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("""
            CREATE FUNCTION refuse_to_edit_the_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the audit log is append-only';
            END $$
        """)
        op.execute("""
            CREATE TRIGGER audit_entries_append_only
            BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_edit_the_audit_log()
        """)
        return
    for change in ("UPDATE", "DELETE"):
        op.execute(f"""
            CREATE TRIGGER audit_entries_no_{change.lower()} BEFORE {change} ON audit_entries
            BEGIN
                SELECT RAISE(ABORT, 'the audit log is append-only');
            END
        """)
    # INSERT OR REPLACE deletes without asking the trigger above
    op.execute("""
        CREATE TRIGGER audit_entries_no_replace BEFORE INSERT ON audit_entries
        WHEN EXISTS (SELECT 1 FROM audit_entries WHERE number = NEW.number)
        BEGIN
            SELECT RAISE(ABORT, 'the audit log is append-only');
        END
    """)
