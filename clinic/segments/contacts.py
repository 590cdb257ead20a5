"""When the clinic last contacted a patient, for a segment, as SQL."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, not_, select, union_all

from clinic.plan import CALL
from clinic.segments.conditions import LastContact
from clinic.segments.patient_set import among
from clinic.tables import Attempt, Call, CallTask, Message


def last_contact(
    wanted: LastContact, starts_at: Callable[[timedelta], datetime], *, few_asked: bool
) -> ColumnElement[bool]:
    """Return the condition on the clinic's last message or call; never unknown.

    A message counts once it was sent and did not come back, a call once it was made.

    Args:
        wanted: What the rule says.
        starts_at: When the clinic's day of so long ago began, aware UTC.
        few_asked: Other conditions leave few patients.
    """
    ever = among(_contacted(None), few_asked=few_asked)
    if wanted.within is not None:
        return among(_contacted(starts_at(wanted.within)), few_asked=few_asked)
    if wanted.older_than is None:
        return not_(ever)
    lately = among(_contacted(starts_at(wanted.older_than)), few_asked=few_asked)
    return and_(ever, not_(lately))


def _contacted(since: datetime | None) -> Select[tuple[str]]:
    written_to = (
        select(Attempt.patient_id.label("patient_id"))
        .join(Message, Message.attempt_id == Attempt.id)
        .where(
            Message.sent_at.is_not(None),
            Message.failed_at.is_(None),
            Message.channel != CALL,  # a task for a person: nobody was called yet
        )
    )
    called = select(CallTask.patient_id.label("patient_id")).join(Call, Call.task_id == CallTask.id)
    if since is not None:
        written_to = written_to.where(Message.sent_at >= since)
        called = called.where(Call.made_at >= since)
    either = union_all(written_to, called).subquery()
    return select(either.c.patient_id)
