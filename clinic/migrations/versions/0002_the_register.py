"""The register: duplicates, consents, imports, households, and words as they are compared."""

import sqlalchemy as sa
from alembic import op

from clinic.plain_text import name_key, plain
from clinic.tables import UtcMoment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PAGE = 1_000
_WORDS = (
    ("treatment", "visits", "treatment"),
    ("occupation", "patients", "occupation"),
    ("district", "patients", "district"),
)


def upgrade() -> None:
    _create_tables()
    _add_columns()
    _fill_name_keys()
    for kind, table, column in _WORDS:
        _fill_vocabulary(kind, table, column)


def _create_tables() -> None:
    op.create_table(
        "forgotten",
        sa.Column("number_hash", sa.String(), nullable=False),
        sa.Column("at", UtcMoment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number_hash", name="pk_forgotten"),
    )
    op.create_table(
        "register_key",
        sa.Column("key_hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name="pk_register_key"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("started_at", UtcMoment(timezone=True), nullable=False),
        sa.Column("finished_at", UtcMoment(timezone=True), nullable=True),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_table(
        "vocabulary",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("written", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_vocabulary"),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", UtcMoment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.id"], name="fk_consents_patient_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_consents"),
        sa.UniqueConstraint(
            "patient_id",
            "channel",
            "content",
            "at",
            name="uq_consents_patient_id_channel_content_at",
        ),
    )
    op.create_table(
        "duplicates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.String(), nullable=False),
        sa.Column("other_id", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("found_at", UtcMoment(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("settled_at", UtcMoment(timezone=True), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["other_id"], ["patients.id"], name="fk_duplicates_other_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.id"], name="fk_duplicates_patient_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_duplicates"),
        sa.UniqueConstraint("patient_id", "other_id", name="uq_duplicates_patient_id_other_id"),
    )
    op.create_index("ix_duplicates_other_id", "duplicates", ["other_id"])
    op.create_table(
        "step_notes",
        sa.Column("attempt_id", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("at", UtcMoment(timezone=True), nullable=False),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("until", UtcMoment(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name="fk_step_notes_attempt_id"),
        sa.PrimaryKeyConstraint("attempt_id", "step", name="pk_step_notes"),
    )


def _add_columns() -> None:
    # never by re-creating a table: on SQLite that empties those which refer to it
    op.add_column(
        "attempts", sa.Column("left_out_rule", sa.String(), server_default="", nullable=False)
    )
    op.add_column("patients", sa.Column("name_key", sa.String(), server_default="", nullable=False))
    for name in (
        "national_id",
        "phone_kind",
        "other_phone",
        "insurance",
        "provider",
        "preferred_channel",
        "guardian_name",
        "guardian_email",
        "guardian_phone",
        "guardian_number",
    ):
        op.add_column("patients", sa.Column(name, sa.String(), nullable=True))
    op.add_column("patients", sa.Column("erased_at", UtcMoment(timezone=True), nullable=True))
    for table, column, other in (
        ("patients", "duplicate_of", "patients"),
        ("messages", "carried_by", "attempts"),
    ):
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {column} VARCHAR "
            f"CONSTRAINT fk_{table}_{column} REFERENCES {other} (id)"
        )
    op.create_index("ix_patients_name_key_birth_date", "patients", ["name_key", "birth_date"])
    op.create_index("ix_patients_phone_name_key", "patients", ["phone", "name_key"])
    op.drop_index("ix_patients_phone", "patients")
    for column in (
        "national_id",
        "guardian_email",
        "guardian_phone",
        "guardian_number",
        "other_phone",
        "duplicate_of",
    ):
        op.create_index(
            f"ix_patients_{column}",
            "patients",
            [column],
            sqlite_where=sa.text(f"{column} IS NOT NULL"),
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
        )
    op.create_index("ix_messages_address_hash", "messages", ["address_hash"])
    op.create_index("ix_messages_carried_by", "messages", ["carried_by"])


def _fill_name_keys() -> None:
    connection = op.get_bind()
    patients = sa.table(
        "patients", *(sa.column(name) for name in ("id", "first_name", "last_name", "name_key"))
    )
    last = ""
    while True:
        page = connection.execute(
            sa.select(patients.c.id, patients.c.first_name, patients.c.last_name)
            .where(patients.c.id > last)
            .order_by(patients.c.id)
            .limit(_PAGE)
        ).all()
        if not page:
            return
        connection.execute(
            sa.update(patients)
            .where(patients.c.id == sa.bindparam("of"))
            .values(name_key=sa.bindparam("key")),
            [
                {
                    "of": row.id,
                    "key": name_key(row.first_name, row.last_name),
                }
                for row in page
            ],
        )
        last = page[-1].id


def _fill_vocabulary(kind: str, table: str, column: str) -> None:
    connection = op.get_bind()
    source = sa.table(table, sa.column(column))
    vocabulary = sa.table("vocabulary", sa.column("kind"), sa.column("key"), sa.column("written"))
    first: dict[str, str] = {}
    spellings = connection.scalars(
        sa.select(source.c[column]).where(source.c[column].is_not(None)).distinct()
    ).all()
    for written in sorted(spellings):
        key = plain(written)
        if not key:
            continue
        if key not in first:
            first[key] = written
            connection.execute(sa.insert(vocabulary).values(kind=kind, key=key, written=written))
        else:
            if table == "visits":
                _drop_same_visits(connection, written, first[key])
            connection.execute(
                sa.update(source).where(source.c[column] == written).values({column: first[key]})
            )


def _drop_same_visits(connection: sa.Connection, written: str, first: str) -> None:
    """Drop visits that stand there twice, in two spellings of one treatment."""
    visits = sa.table("visits", *(sa.column(name) for name in ("patient_id", "day", "treatment")))
    same = visits.alias("same")
    connection.execute(
        sa.delete(visits).where(
            visits.c.treatment == written,
            sa.exists().where(
                same.c.patient_id == visits.c.patient_id,
                same.c.day == visits.c.day,
                same.c.treatment == first,
            ),
        )
    )
