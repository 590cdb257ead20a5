"""One batch of rows on its way: compared with the register in memory, then written."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.event import EventKind
from clinic.identifiers import new_ids
from clinic.register.standing import PatientStatus
from clinic.register_import import possible_duplicates
from clinic.register_import.batch_result import BatchResult
from clinic.register_import.cell_problem import CellProblem, Reason
from clinic.register_import.consents_said import BatchConsents, consent_bits
from clinic.register_import.ended_attempts import Ending, end_attempts
from clinic.register_import.numbers_seen import NumbersSeen, Seen
from clinic.register_import.patient_fields import IDENTITY, Fields, bits_of, said_by
from clinic.register_import.patient_history import BatchHistory
from clinic.register_import.possible_duplicates import Person
from clinic.register_import.register_entry import Entry, insert_entries, update_entries
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow


class Numbered(NamedTuple):
    """A row, and the number by which the register knows its patient.

    Attributes:
        read: The row of the file.
        row: What it says.
        number: The clinic's, or one that is made of what the row says.
    """

    read: ReadRow
    row: RegisterRow
    number: str


class BatchWork:
    """One batch on its way: its patients, what rows said of them, what has to be written.

    Args:
        entries: The batch's patients that the register has, by number; new ones join them.
        seen: What earlier rows of the file said, by number.
        history: Their visits and appointments.
        consents: What they said of being contacted.
        result: Counts what became of each row.
    """

    def __init__(
        self,
        entries: dict[str, Entry],
        *,
        seen: dict[str, Seen],
        history: BatchHistory,
        consents: BatchConsents,
        result: BatchResult,
    ) -> None:
        self._entries = entries
        self._seen = seen
        self._history = history
        self._consents = consents
        self._result = result
        self._endings: dict[str, Ending] = {}
        self._new_ids: Iterator[str] = iter(())

    async def load(self, session: AsyncSession, numbered: Sequence[Numbered]) -> None:
        """Read what the register has of the known patients, beside their fields."""
        self._new_ids = iter(new_ids("pt", len(numbered)))
        ids = {entry.kept_id for entry in self._entries.values()}
        await self._history.load(session, ids)
        if any(each.row.consents for each in numbered):
            await self._consents.load(session, ids)

    def add(self, numbered: Numbered) -> None:
        """Take over what a row says."""
        read, row, number = numbered
        entry = self._entries.get(number)
        if entry is None and row.first_name is None:
            lacking = f"no patient {number} on the register: import the patients first"
            unknown = Reason(CellProblem.NO_PATIENT, lacking, number)
            bad = BadCell("patient_id", unknown).along_with((), row.unusable)
            self._result.reject(read, bad)
            return
        for column, reason in row.unusable.items():
            self._result.leave_out(read, column, reason)
        said = said_by(row)
        is_new = entry is None
        if entry is None:
            patient_id, fields = next(self._new_ids), Fields.of_new(said, row)
            entry = Entry(patient_id, number, patient_id, fields, is_new=True)
            self._entries[number] = entry
        seen = self._seen.get(number) or Seen(read.line, 0)
        changed = False if is_new else self._update_fields(entry, said, numbered, seen)
        changed |= self._add_history(entry, row)
        changed |= self._add_consents(entry, numbered, seen)
        bits = bits_of(said) | consent_bits(row) if row.consents else bits_of(said)
        self._seen[number] = Seen(seen.line, seen.said | bits)
        if is_new:
            self._result.new += 1
        elif changed:
            self._result.updated += 1
        else:
            self._result.unchanged += 1
        if is_new or changed:
            self._result.show(row)
        if not is_new:
            self._history.doubt(entry.kept_id, row, read.line, unchanged=not changed)

    async def write(self, session: AsyncSession, *, now: datetime, key: SecretStr) -> None:
        """Write all of it."""
        new = [entry for entry in self._entries.values() if entry.is_new]
        changed = [
            entry for entry in self._entries.values() if entry.fields.changed and not entry.is_new
        ]
        # who is on the register was there before: of an alike pair, the new one waits
        compared = [*(each for each in changed if each.fields.changed & IDENTITY), *new]
        for entry in compared:
            entry.compare_name()
        found = await possible_duplicates.find(session, [_person(entry) for entry in compared])
        await insert_entries(session, new)
        await update_entries(session, changed)
        await self._history.write(session)
        await self._consents.write(session)
        self._result.duplicates = await possible_duplicates.note(session, found, now)
        await end_attempts(session, self._endings, now=now, key=key)

    def remember(self, file: NumbersSeen) -> None:
        """Note what later batches of the file depend on."""
        file.keep(self._seen)
        file.appointments_stand(self._history.standing)
        file.doubt(self._history.doubts)

    def _update_fields(
        self, entry: Entry, said: tuple[object, ...], numbered: Numbered, seen: Seen
    ) -> bool:
        read, row, _ = numbered
        status = entry.fields.get("status")
        changed, contradicted = entry.fields.update(said, row, seen.said)
        self._contradict(read, contradicted, seen)
        now_status = entry.fields.get("status")
        if now_status not in (status, PatientStatus.ACTIVE.value):
            self._endings[entry.kept_id] = Ending(EventKind.EXCLUDED)
        return changed

    def _add_history(self, entry: Entry, row: RegisterRow) -> bool:
        added = self._history.add(entry.kept_id, row, row.treatment)
        if added.came_back and not entry.is_new:
            self._endings.setdefault(entry.kept_id, Ending(EventKind.BOOKED, added.appointment))
        return added.changed

    def _add_consents(self, entry: Entry, numbered: Numbered, seen: Seen) -> bool:
        if not numbered.row.consents:
            return False
        is_new, contradicted = self._consents.add(entry.kept_id, numbered.row, seen.said)
        self._contradict(numbered.read, contradicted, seen)
        return is_new

    def _contradict(self, read: ReadRow, columns: Sequence[str], seen: Seen) -> None:
        for column in columns:
            stands = f"an earlier row says otherwise, and stands (the first is line {seen.line})"
            reason = Reason(CellProblem.CONTRADICTED, stands, str(seen.line))
            self._result.leave_out(read, column, reason)


def _person(entry: Entry) -> Person:
    return Person(entry.id, entry.number, entry.kept_id, entry.name_key, *entry.fields.compared())
