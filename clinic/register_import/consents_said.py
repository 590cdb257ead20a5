"""What rows say of consent: which words are new, and which are older than what is known."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register.consent import FROM_LIST, Word
from clinic.register_import.patient_fields import FIELDS
from clinic.register_import.register_row import RegisterRow
from clinic.tables import Consent

ADVERTISING, REMINDER = "advertising", "reminder"
CHANNELS = ("email", "sms", "whatsapp", "call")
"""The channels for which a list may have a column; `advertising` speaks of all of them."""

_BITS = {
    column: 1 << len(FIELDS) + position for position, column in enumerate((*CHANNELS, ADVERTISING))
}


class BatchConsents:
    """What the patients whom a batch of rows is about said of being contacted.

    Args:
        file_name: The source of a word for which the list names none.
        now: Aware UTC; when a word was said for which the list has no day.
        zone: The clinic's time zone, in which a day begins.
    """

    def __init__(self, file_name: str, now: datetime, zone: ZoneInfo) -> None:
        self._source = f"{FROM_LIST}{file_name}"
        self._now = now
        self._zone = zone
        self._of: defaultdict[tuple[str, str, str], list[Word]] = defaultdict(list)
        self._new: list[dict[str, Any]] = []

    async def load(self, session: AsyncSession, patient_ids: Collection[str]) -> None:
        """Read what the register has of patients."""
        if not patient_ids:
            return
        columns = (Consent.channel, Consent.content, Consent.at, Consent.given, Consent.source)
        for patient_id, channel, content, at, given, source in await session.execute(
            select(Consent.patient_id, *columns).where(Consent.patient_id.in_(patient_ids))
        ):
            self._of[patient_id, channel, content].append(Word(at, given, source))

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
            said = Word(at, given, row.consent_source or self._source)
            word = said.counting_after(max(known), self._zone) if known else said
            if not _is_news(said, word, known, dated=is_dated):
                continue
            is_new = True
            known.append(word)
            about = {"patient_id": patient_id, "channel": channel, "content": content}
            self._new.append(about | word._asdict())
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


def _is_news(said: Word, word: Word, known: list[Word], *, dated: bool) -> bool:
    """Answer whether a word changes what is known; `word` is what was said as it would count."""
    if not known:
        return True
    newest = max(known)
    if newest.given == said.given:
        return False
    if said.given:
        # A list that says yes and not since when does not undo what the patient told the clinic
        # since.
        at_once = any(each.at == said.at for each in known)
        return not at_once and (dated or newest.source.startswith(FROM_LIST))
    # a no is believed at any time, unless the same list said it before the yes
    return not any(
        each.at == said.at or (each.source == word.source and word.source != said.source)
        for each in known
        if not each.given
    )
