"""What rows say of consent: which words are new, and which are older than what is known."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register_import.patient_fields import FIELDS
from clinic.register_import.register_row import RegisterRow
from clinic.tables import Consent

ADVERTISING, REMINDER = "advertising", "reminder"
CHANNELS = ("email", "sms", "whatsapp", "call")
"""The channels for which a list may have a column; `advertising` speaks of all of them."""

_BITS = {
    column: 1 << len(FIELDS) + position for position, column in enumerate((*CHANNELS, ADVERTISING))
}
_FROM_LIST = "import "
"""Begins the source of each word that has none of its own."""


class _Word(NamedTuple):
    at: datetime
    given: bool
    source: str


class BatchConsents:
    """What the patients whom a batch of rows is about said of being contacted.

    Args:
        file_name: The source of a word for which the list names none.
        now: Aware UTC; when a word was said for which the list has no day.
        zone: The clinic's time zone, in which a day begins.
    """

    def __init__(self, file_name: str, now: datetime, zone: ZoneInfo) -> None:
        self._source = f"{_FROM_LIST}{file_name}"
        self._now = now
        self._zone = zone
        self._of: defaultdict[tuple[str, str, str], list[_Word]] = defaultdict(list)
        self._new: list[dict[str, Any]] = []

    async def load(self, session: AsyncSession, patient_ids: Collection[str]) -> None:
        """Read what the register has of patients."""
        if not patient_ids:
            return
        columns = (Consent.channel, Consent.content, Consent.at, Consent.given, Consent.source)
        for patient_id, channel, content, at, given, source in await session.execute(
            select(Consent.patient_id, *columns).where(Consent.patient_id.in_(patient_ids))
        ):
            self._of[patient_id, channel, content].append(_Word(at, given, source))

    def add(self, patient_id: str, row: RegisterRow, said_before: int) -> tuple[bool, list[str]]:
        """Add a row's words to a patient's.

        Args:
            patient_id: Who said it.
            row: The row.
            said_before: Bits of what earlier rows of the file said, see `consent_bits`: of words
                without a day, the first one of the file stands.

        Returns:
            Whether any word was news, and the columns that contradict an earlier row.
        """
        at, is_dated = self._now, row.consent_at is not None
        if row.consent_at is not None:
            at = datetime.combine(row.consent_at, time.min, tzinfo=self._zone).astimezone(UTC)
        is_new, contradicted = False, dict[str, None]()
        for column, channel, content, given in _words(row.consents):
            known = self._of[patient_id, channel, content]
            if not is_dated and said_before & _BITS[column]:
                if known and max(known).given != given:
                    contradicted[f"consent_{column}"] = None
                continue
            word = _Word(at, given, row.consent_source or self._source)
            if not _is_news(word, known, dated=is_dated):
                continue
            is_new = True
            known.append(word)
            said = {"patient_id": patient_id, "channel": channel, "content": content}
            self._new.append(said | word._asdict())
        return is_new, list(contradicted)

    async def write(self, session: AsyncSession) -> None:
        """Write what rows added."""
        if self._new:
            connection = await session.connection()
            await connection.execute(insert(Consent.__table__), self._new)  # type: ignore[arg-type]


def consent_bits(row: RegisterRow) -> int:
    """Return which words a row says, as bits that no field of a patient has."""
    return sum(_BITS[column] for column in row.consents)


def _words(consents: dict[str, bool]) -> Iterator[tuple[str, str, str, bool]]:
    """Yield column, channel, content, given.

    Who lets the clinic write on a channel has not agreed to advertising by it; who refuses the
    channel has refused both.
    """
    advertising = consents.get(ADVERTISING)
    for channel, given in consents.items():
        if channel == ADVERTISING:
            continue
        yield channel, channel, REMINDER, given
        if not given:
            yield channel, channel, ADVERTISING, False
    if advertising is None:
        return
    for channel in CHANNELS:
        if consents.get(channel, True):
            yield ADVERTISING, channel, ADVERTISING, advertising


def _is_news(word: _Word, known: list[_Word], *, dated: bool) -> bool:
    if not known:
        return True
    newest = max(known)
    if newest.given == word.given or any(each.at == word.at for each in known):
        return False
    # A list that says yes and not since when does not undo what the patient told the clinic
    # since; a no is believed at any time.
    return dated or not word.given or newest.source.startswith(_FROM_LIST)
