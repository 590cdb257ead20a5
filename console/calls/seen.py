"""Who has seen whom on the call list, for the audit log."""

from collections.abc import Sequence
from datetime import date, datetime

from clinic.audit import Action, note_many
from clinic.call_list import OpenCall
from clinic.clinic import Clinic
from clinic.tables import Account


class SeenCalls:
    """Notes every task that somebody sees on the list, once a day.

    A row shows a name, a number and what was written, so it is a view of that patient; a line for
    each look would drown the log, for the page looks again every ten seconds. A line for each
    person, task and day answers who has seen whom, and there are as many as a day has work. What
    was noted is remembered by this process alone: after a restart a line may stand there twice.

    Args:
        clinic: Whose audit log, and whose day.
    """

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._day: date | None = None
        self._noted: set[tuple[str, str]] = set()

    async def note(self, account: Account, calls: Sequence[OpenCall], now: datetime) -> None:
        """Note that somebody sees a part of the call list.

        Args:
            account: Who.
            calls: What they see.
            now: Aware UTC.
        """
        today = self._clinic.calendar.day_of(now)
        if today != self._day:
            self._day, self._noted = today, set()
        noted = self._noted
        new = [call for call in calls if (account.id, call.task_id) not in noted]
        if not new:
            return
        async with self._clinic.database.writing() as session:
            await note_many(
                session,
                who=account,
                action=Action.VIEWED,
                now=now,
                about=[(call.patient_id, call.task_id) for call in new],
                details={"what": "call_list"},
            )
        noted.update((account.id, call.task_id) for call in new)
