"""A batch of rows: read, compared with the register in memory, written with a few statements."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.register.vocabulary import Spelling, WordKind
from clinic.register_import.batch_result import BatchResult
from clinic.register_import.batch_work import BatchWork, Numbered
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.consents_said import BatchConsents
from clinic.register_import.forgotten_numbers import forgotten_among
from clinic.register_import.numbers_seen import NumbersSeen
from clinic.register_import.patient_history import BatchHistory
from clinic.register_import.patient_number import number_of
from clinic.register_import.register_entry import read_entries
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow

_WORD_OF = {kind.value: attrgetter(kind.value) for kind in WordKind}


class BatchWriter:
    """Writes the rows of one file, batch by batch.

    Args:
        file_name: The source of consents for which the list names none.
        now: Aware UTC.
        key: For the inbox, and for the hashes of those who were forgotten.
        zone: The clinic's time zone.
        seen: What the file's rows said so far.
    """

    def __init__(
        self, file_name: str, *, now: datetime, key: SecretStr, zone: ZoneInfo, seen: NumbersSeen
    ) -> None:
        self._file_name = file_name
        self._now = now
        self._key = key
        self._zone = zone
        self._seen = seen
        self._spelling = Spelling()

    async def write(self, session: AsyncSession, rows: Sequence[ReadRow]) -> BatchResult:
        """Write rows in their order.

        Args:
            session: A writing transaction, this batch's own.
            rows: Some thousands of them at the most.
        """
        result = BatchResult()
        numbered = _number(rows, result)
        numbered = _leave_out(numbered, await self._forgotten(session, numbered), result)
        await self._spell(session, [each.row for each in numbered])
        numbers = list({each.number for each in numbered})
        entries = await read_entries(session, numbers)
        # whoever is not there may have been forgotten while this waited for their row
        unknown = [each for each in numbered if each.number not in entries]
        numbered = _leave_out(numbered, await self._forgotten(session, unknown), result)
        work = BatchWork(
            entries,
            seen=self._seen.of(numbers),
            history=BatchHistory(self._now),
            consents=BatchConsents(self._file_name, self._now, self._zone),
            result=result,
        )
        await work.load(session, numbered)
        for each in numbered:
            work.add(each)
        await work.write(session, now=self._now, key=self._key)
        work.remember(self._seen)
        return result

    async def _forgotten(self, session: AsyncSession, numbered: Sequence[Numbered]) -> set[str]:
        people = ((each.number, each.row.national_id) for each in numbered)
        return await forgotten_among(session, people, self._key)

    async def _spell(self, session: AsyncSession, rows: Sequence[RegisterRow]) -> None:
        for kind, word_of in _WORD_OF.items():
            words = dict.fromkeys(map(word_of, rows))
            words.pop(None, None)
            words.pop("", None)
            if not words:
                continue
            written = await self._spelling.of(session, kind, words)
            if all(written[word] == word for word in words):
                continue
            for row in rows:
                if word := word_of(row):
                    setattr(row, kind, written[word])


def _number(rows: Sequence[ReadRow], result: BatchResult) -> list[Numbered]:
    numbered: list[Numbered] = []
    for read in rows:
        if isinstance(read.said, BadCell):
            result.reject(read, read.said)
            continue
        try:
            numbered.append(Numbered(read, read.said, number_of(read.said)))
        except BadCell as bad:
            result.reject(read, bad.along_with((), read.said.unusable))
    return numbered


def _leave_out(
    numbered: list[Numbered], forgotten: set[str], result: BatchResult
) -> list[Numbered]:
    if not forgotten:
        return numbered
    for each in numbered:
        if each.number in forgotten:
            wish = Reason(CellProblem.FORGOTTEN, "was forgotten at their own wish")
            result.reject(each.read, BadCell("patient_id", wish))
    return [each for each in numbered if each.number not in forgotten]
