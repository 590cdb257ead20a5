"""The clinic's tables. Every moment is aware UTC; every id is opaque."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from clinic.attempt import AttemptState
from clinic.identifiers import new_id


class UtcMoment(TypeDecorator[datetime]):
    """An aware UTC datetime on every database; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite has no time zones, so it gets the naive form."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the clinic's tables")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give aware UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Table(DeclarativeBase):
    """What all tables share: a naming convention, so that migrations can name constraints."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcMoment,
        date: Date,
        dict[str, Any]: JSON,
        str: String,
    }


class Patient(Table):
    """A person on the clinic's register.

    `external_id` is the clinic's own number, or one that the import made from what it knew of
    the person; `name_key` is the name as names are compared, to find duplicates by. `phone` is
    the best number to write to, `phone_kind` says whether it is a landline (which is called and
    gets no SMS), `other_phone` a second number to call. A minor is reached by the guardian's
    addresses, or by those of the patient whose number `guardian_number` is.

    `email_bad_at` and `phone_bad_at` say since when the address is known not to work,
    `sms_bad_at` since when the number takes no text messages; `opted_out_at` since when the
    person wants no message. `duplicate_of` is the row that staff said is the same person;
    `erased_at` is when the person was forgotten: nothing but the opaque id is left then.
    """

    __tablename__ = "patients"
    __table_args__ = (
        # the import looks for people of the same name who were born on the same day
        Index("ix_patients_name_key_birth_date", "name_key", "birth_date"),
        # ... and of the same name at one phone; replies are matched by the phone alone
        Index("ix_patients_phone_name_key", "phone", "name_key"),
        Index(
            "ix_patients_national_id",
            "national_id",
            sqlite_where=text("national_id IS NOT NULL"),
            postgresql_where=text("national_id IS NOT NULL"),
        ),
        # before every message: who else is reached at its address, and which rows are the same
        # person; an answer may come from the second number. Few rows have any of these
        *(
            Index(
                f"ix_patients_{column}",
                column,
                sqlite_where=text(f"{column} IS NOT NULL"),
                postgresql_where=text(f"{column} IS NOT NULL"),
            )
            for column in (
                "guardian_email",
                "guardian_phone",
                "guardian_number",
                "other_phone",
                "duplicate_of",
            )
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: new_id("pt"))
    external_id: Mapped[str] = mapped_column(unique=True)
    first_name: Mapped[str]
    last_name: Mapped[str] = mapped_column(default="")
    name_key: Mapped[str] = mapped_column(default="", server_default="")
    national_id: Mapped[str | None]
    birth_date: Mapped[date | None]
    sex: Mapped[str | None]
    occupation: Mapped[str | None]
    district: Mapped[str | None]
    language: Mapped[str | None]
    email: Mapped[str | None] = mapped_column(index=True)
    phone: Mapped[str | None]
    phone_kind: Mapped[str | None]
    other_phone: Mapped[str | None]
    insurance: Mapped[str | None]
    provider: Mapped[str | None]
    preferred_channel: Mapped[str | None]
    guardian_name: Mapped[str | None]
    guardian_email: Mapped[str | None]
    guardian_phone: Mapped[str | None]
    guardian_number: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="active")
    loss_reason: Mapped[str | None]
    reported_visits: Mapped[int | None]
    email_bad_at: Mapped[datetime | None]
    phone_bad_at: Mapped[datetime | None]
    sms_bad_at: Mapped[datetime | None]
    opted_out_at: Mapped[datetime | None]
    duplicate_of: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    erased_at: Mapped[datetime | None]


class Visit(Table):
    """A patient's visit to the clinic."""

    __tablename__ = "visits"
    __table_args__ = (UniqueConstraint("patient_id", "day", "treatment"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    day: Mapped[date]
    treatment: Mapped[str] = mapped_column(default="")


class Appointment(Table):
    """An appointment in the clinic's book."""

    __tablename__ = "appointments"
    __table_args__ = (UniqueConstraint("patient_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    source: Mapped[str]


class Duplicate(Table):
    """Two rows of the register that may be one person; somebody settles which it is.

    `patient_id` is the row that came later. While `verdict` is empty it gets no attempt: the
    same person must not be written to twice.
    """

    __tablename__ = "duplicates"
    __table_args__ = (
        UniqueConstraint("patient_id", "other_id"),
        Index("ix_duplicates_other_id", "other_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    other_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    reason: Mapped[str]
    found_at: Mapped[datetime]
    verdict: Mapped[str | None]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[str | None]


class Vocabulary(Table):
    """How a word that rules ask for is written on this register, such as a treatment's name.

    Every spelling with the same key (without case, accents, punctuation) is stored as the one
    that came first, so a rule finds them all by one exact comparison.
    """

    __tablename__ = "vocabulary"

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    written: Mapped[str]


class ImportRun(Table):
    """One run of an import: what came of the rows, and whether it reached the file's end."""

    __tablename__ = "imports"

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: new_id("im"))
    file_name: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    line: Mapped[int] = mapped_column(default=0)
    new: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)


class Consent(Table):
    """What a patient said about being contacted; the newest word on a channel and content counts.

    `content` is `reminder` or `advertising`; `given` is false where it was refused or withdrawn.
    """

    __tablename__ = "consents"
    __table_args__ = (UniqueConstraint("patient_id", "channel", "content", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id", ondelete="CASCADE"))
    channel: Mapped[str]
    content: Mapped[str]
    given: Mapped[bool]
    source: Mapped[str]
    at: Mapped[datetime]


class RegisterKey(Table):
    """The secret key that this register is kept with, as a keyed hash; one row."""

    __tablename__ = "register_key"

    key_hash: Mapped[str] = mapped_column(primary_key=True)


class Forgotten(Table):
    """The clinic's number of a person who was forgotten, as a keyed hash.

    The next export still holds the person; the import knows by this row to leave them out.
    """

    __tablename__ = "forgotten"

    number_hash: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Suppression(Table):
    """An address nobody may write to, as a keyed hash: it outlives the patient's erasure."""

    __tablename__ = "suppressions"

    address_hash: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    source: Mapped[str]


class Campaign(Table):
    """A plan applied to a segment. The plan is a snapshot: later edits do not touch it.

    `next_page_at` is when the pace lets the next attempts start, also after a pause.
    """

    __tablename__ = "campaigns"

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: new_id("ca"))
    name: Mapped[str] = mapped_column(unique=True)
    segment: Mapped[str]
    plan: Mapped[dict[str, Any]]
    goal: Mapped[float | None]
    until: Mapped[datetime | None]
    pace_per_hour: Mapped[int | None]
    open_calls_at_most: Mapped[int | None]
    next_page_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="running")
    started_at: Mapped[datetime]


class Attempt(Table):
    """One patient's way up one plan, or why the patient was left out.

    `held` says that a delivery waits until its campaign is resumed, `held_channel` that it waits
    until that channel is.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("campaign_id", "patient_id"),
        # one open attempt for each patient over all campaigns
        Index(
            "uq_attempts_open_patient",
            "patient_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
        # the next page of a campaign: planned, or opened but not known to have started
        Index(
            "ix_attempts_to_start",
            "campaign_id",
            "id",
            sqlite_where=text("started_at IS NULL AND state IN ('planned', 'open')"),
            postgresql_where=text("started_at IS NULL AND state IN ('planned', 'open')"),
        ),
        Index("ix_attempts_patient_id", "patient_id"),
        # who waits for a channel that is held
        Index(
            "ix_attempts_held_channel",
            "held_channel",
            sqlite_where=text("held_channel IS NOT NULL"),
            postgresql_where=text("held_channel IS NOT NULL"),
        ),
        Index("ix_attempts_campaign_state", "campaign_id", "state"),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: new_id("at"))
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaigns.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("patients.id"))
    state: Mapped[str] = mapped_column(default=AttemptState.PLANNED.value)
    left_out_reason: Mapped[str | None]
    left_out_rule: Mapped[str] = mapped_column(default="", server_default="")
    held: Mapped[bool] = mapped_column(default=False)
    held_channel: Mapped[str | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    loss_reason: Mapped[str | None]


class ChannelHold(Table):
    """Whether a channel is held because our own account or settings are wrong; a row once it was.

    `held_since` is empty while the channel goes on. `code` is the provider's, no free text.
    """

    __tablename__ = "channel_holds"

    channel: Mapped[str] = mapped_column(primary_key=True)
    held_since: Mapped[datetime | None]
    code: Mapped[str | None]


class Message(Table):
    """The ledger: one row for each delivery by machine, claimed before it is sent.

    `carried_by` is the attempt whose message names this patient too: people of one household
    who share an address get one message, and each has a row.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_provider_id", "channel", "provider_id"),
        Index("ix_messages_address_hash", "address_hash"),
        Index("ix_messages_carried_by", "carried_by"),
    )

    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    try_number: Mapped[int] = mapped_column(primary_key=True, default=1)
    channel: Mapped[str]
    address_hash: Mapped[str]
    claimed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    provider_id: Mapped[str | None]
    provider_status: Mapped[str | None]
    failed_at: Mapped[datetime | None]
    failure: Mapped[str | None]
    carried_by: Mapped[str | None] = mapped_column(ForeignKey("attempts.id"))


class StepNote(Table):
    """Why a step was skipped, put off or failed, for the patient's card: the latest word on it."""

    __tablename__ = "step_notes"

    attempt_id: Mapped[str] = mapped_column(ForeignKey("attempts.id"), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    result: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    rule: Mapped[str] = mapped_column(default="")
    until: Mapped[datetime | None]


class CallTask(Table):
    """Work for a person: who to call, why, by when; one open task for each attempt.

    A task without an attempt is about a reply (`event_id`) of a patient who never had one, or,
    where the patient is empty too, of somebody whom the register does not know.
    """

    __tablename__ = "call_tasks"
    __table_args__ = (
        Index(
            "uq_call_tasks_open_attempt",
            "attempt_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "ix_call_tasks_open_due",
            "due_at",
            "not_before",
            "closed_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        # the call list's order: a page of a hundred thousand open ones is read off it; `closed_at`
        # is there so that SQLite counts and filters without looking at the rows
        Index(
            "ix_call_tasks_open_order",
            "priority",
            "due_at",
            "not_before",
            "closed_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        # who was put off, by when they are called
        Index(
            "ix_call_tasks_open_later",
            "not_before",
            "closed_at",
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("ix_call_tasks_patient_id", "patient_id"),
        # an attempt's calls, also of tasks that are closed: for its card, and for the figures
        Index("ix_call_tasks_attempt_id", "attempt_id"),
        # a reply without an attempt becomes one task, however often it is relayed
        Index(
            "uq_call_tasks_event_id",
            "event_id",
            unique=True,
            sqlite_where=text("attempt_id IS NULL"),
            postgresql_where=text("attempt_id IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: new_id("ct"))
    attempt_id: Mapped[str | None] = mapped_column(ForeignKey("attempts.id"))
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    step: Mapped[int]
    kind: Mapped[str]
    priority: Mapped[int]
    due_at: Mapped[datetime]
    not_before: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    tries_allowed: Mapped[int]
    tries_made: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    outcome: Mapped[str | None]
    event_id: Mapped[str | None]


class Call(Table):
    """One call of a task: who made it, when, and what came of it."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[str] = mapped_column(ForeignKey("call_tasks.id"), index=True)
    made_at: Mapped[datetime]
    made_by: Mapped[str]
    outcome: Mapped[str]
    loss_reason: Mapped[str | None]
    again_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")


class Event(Table):
    """The inbox: what happened outside, stored first, then relayed to the workflow.

    `source` and `source_key` are the giver's own key: a repeat is stored once. `body` holds
    what the patient wrote. `from_address` is who wrote, only where it is nobody's on the register:
    staff have no other way to answer. `relayed_at` stays empty until the event has arrived.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("source", "source_key"),
        Index(
            "ix_events_to_relay",
            "number",
            sqlite_where=text("relayed_at IS NULL"),
            postgresql_where=text("relayed_at IS NULL"),
        ),
        Index("ix_events_attempt_id", "attempt_id"),
        Index("ix_events_patient_id", "patient_id"),
        # what else somebody wrote whom the register does not know
        Index(
            "ix_events_from_address",
            "from_address",
            sqlite_where=text("from_address IS NOT NULL"),
            postgresql_where=text("from_address IS NOT NULL"),
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True, default=lambda: new_id("ev"))
    source: Mapped[str]
    source_key: Mapped[str]
    kind: Mapped[str]
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("patients.id"))
    attempt_id: Mapped[str | None] = mapped_column(ForeignKey("attempts.id"))
    campaign_id: Mapped[str | None] = mapped_column(ForeignKey("campaigns.id"))
    body: Mapped[str] = mapped_column(Text, default="")
    from_address: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime]
    relayed_at: Mapped[datetime | None]
    relay_result: Mapped[str | None]
    relay_tries: Mapped[int] = mapped_column(default=0)
    relay_after: Mapped[datetime | None]


class Account(Table):
    """Somebody who signs in to the console.

    `name_key` is the name as names are compared; `password_hash` says its own parameters.
    `language` is empty where the browser says it; `signed_in_at` is the last time. An account
    that is not used any more is disabled and never deleted: the audit log names it. Sessions
    begun before `signed_out_at` are over.
    """

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(primary_key=True, default=lambda: new_id("ac"))
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    language: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    signed_in_at: Mapped[datetime | None]
    signed_out_at: Mapped[datetime | None]


class AuditEntry(Table):
    """One line of the audit log; the database refuses to change or delete it.

    `who` is the account's name at that moment, or the login name of whoever typed a command;
    `subject` the opaque id of what was done something to. It refers to nothing, so that no other
    table's rule can ever ask for one of its lines to go, and it names no patient otherwise than
    by the opaque id, so that nothing has to go from it when one is forgotten.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(
            "ix_audit_entries_patient_id",
            "patient_id",
            "number",
            sqlite_where=text("patient_id IS NOT NULL"),
            postgresql_where=text("patient_id IS NOT NULL"),
        ),
        # whether a session has ended, which every request of the console asks
        Index(
            "ix_audit_entries_subject",
            "subject",
            sqlite_where=text("action = 'signed_out'"),
            postgresql_where=text("action = 'signed_out'"),
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    account_id: Mapped[str | None]
    who: Mapped[str] = mapped_column(default="")
    action: Mapped[str]
    patient_id: Mapped[str | None]
    subject: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
