"""What patients wrote, as it stands beside their call tasks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, and_, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.event import EventKind
from clinic.pressed import ASKED_LENGTH, Pressed, pressed_in
from clinic.tables import CallTask, Event

_AT_ONCE = 500
_PATIENTS_PAGE = "link"
"""The source of what was pressed and written on a patient's own page."""


class Written(NamedTuple):
    """One reply.

    Attributes:
        asked: What was pressed on the patient's own page, said in the clinic's language.
        own: The patient's own words, in whatever language.
        pressed: The same as `asked`, to be said in whatever language; None: only `asked` tells.
    """

    asked: str
    own: str
    pressed: Pressed | None = None


class Words(BaseModel):
    """What somebody wrote.

    Attributes:
        written: The replies, in their order.
        reading: How the latest reply was read; None where there is none, or a person took it down.
        from_address: Where it came from, only where the register does not know it.
    """

    model_config = ConfigDict(frozen=True)

    written: tuple[Written, ...] = ()
    reading: str | None = None
    from_address: str | None = None

    @property
    def text(self) -> str:
        """The replies, one a line."""
        return in_lines(self.written)


def in_lines(written: Iterable[Written]) -> str:
    """Return replies as they were read together, one a line."""
    return "\n".join(" ".join(filter(None, (each.asked, each.own))) for each in written)


def written_of(body: str, source: str, details: Mapping[str, Any]) -> Written:
    """Tell the patient's own words from what the clinic's page says for them.

    Args:
        body: Of an event.
        source: Its giver.
        details: Its details.
    """
    if source != _PATIENTS_PAGE:
        return Written("", body.lstrip())
    asked = details.get(ASKED_LENGTH, len(body))
    return Written(body[:asked].rstrip(), body[asked:].lstrip(), pressed_in(details))


async def words_of(session: AsyncSession, tasks: Sequence[CallTask]) -> dict[str, Words]:
    """Return what was written, by the task's id: all replies to its attempt.

    Where there is no attempt, it is what this patient, or this address, wrote without one; where
    nobody knows who wrote, it is that one reply.
    """
    found: dict[str, Words] = {}
    for page in _pages([task for task in tasks if task.attempt_id is not None]):
        found |= await _of_attempts(session, page)
    for page in _pages([task for task in tasks if task.attempt_id is None]):
        found |= await _without_attempt(session, page)
    return found


async def _of_attempts(session: AsyncSession, tasks: Sequence[CallTask]) -> dict[str, Words]:
    asked = {"attempt_ids": [task.attempt_id for task in tasks]}
    replies: defaultdict[str | None, list[Any]] = defaultdict(list)
    for event in await session.execute(_SAID_TO, asked):
        replies[event.attempt_id].append(event)
    return {task.id: _words(replies.get(task.attempt_id, ())) for task in tasks}


async def _without_attempt(session: AsyncSession, tasks: Sequence[CallTask]) -> dict[str, Words]:
    asked_for = select(Event).where(Event.id.in_([task.event_id for task in tasks]))
    own = {event.id: event for event in await session.scalars(asked_for)}
    addresses = {event.from_address for event in own.values()} - {None}
    written = _written(EventKind.REPLY, EventKind.OPTED_OUT).where(
        or_(
            Event.patient_id.in_({task.patient_id for task in tasks} - {None}),
            and_(Event.patient_id.is_(None), Event.from_address.in_(addresses)),
        ),
        # a word that stopped the machine is read by staff where there were more words than that
        or_(Event.attempt_id.is_(None), Event.kind == EventKind.OPTED_OUT.value),
    )
    said: defaultdict[tuple[str | None, str | None], list[Event]] = defaultdict(list)
    for event in await session.scalars(written):
        said[event.patient_id, event.from_address].append(event)
    found = {}
    for task in tasks:
        asks = own[str(task.event_id)]
        nobody = task.patient_id is None and asks.from_address is None
        events = [asks] if nobody else said[task.patient_id, asks.from_address]
        found[task.id] = _words(events, asks.from_address)
    return found


def _written(*kinds: EventKind) -> Select[Event]:
    of_kinds = Event.kind.in_([kind.value for kind in kinds])
    return select(Event).where(of_kinds).order_by(Event.number)


def _words(replies: Iterable[Any], from_address: str | None = None) -> Words:
    written = [event for event in replies if event.body]
    if not written and from_address is None:
        return _NOTHING
    return Words(
        written=tuple(written_of(event.body, event.source, event.details) for event in written),
        reading=written[-1].details.get("reading") if written else None,
        from_address=from_address,
    )


def _pages(tasks: Sequence[CallTask]) -> Iterator[Sequence[CallTask]]:
    for start in range(0, len(tasks), _AT_ONCE):
        yield tasks[start : start + _AT_ONCE]


_NOTHING = Words()
# who says no once a person has the attempt, is that person's: they read it, and why; the query is
# built once, for that takes longer than a database takes to answer it
_SAID_TO = (
    _written(EventKind.REPLY, EventKind.DECLINED)
    .with_only_columns(Event.attempt_id, Event.body, Event.source, Event.details)
    .where(Event.attempt_id.in_(bindparam("attempt_ids", expanding=True)))
)
