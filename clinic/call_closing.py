"""A task whose call the register forbids by now is closed, and no call is counted."""

from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import inbox
from clinic.call_check import closing, refused_calls
from clinic.call_claim import claimant, why_not
from clinic.call_completion import as_event
from clinic.call_task import Reported
from clinic.event import CallOutcome
from clinic.tables import CallTask


async def close_uncalled(
    session: AsyncSession,
    task_id: str,
    *,
    who: str,
    now: datetime,
    key: SecretStr,
    zone: ZoneInfo,
) -> CallOutcome | None:
    """Close a task that nobody may call about any more, as the refusal's remedy says.

    Nobody has dialled: no call is kept, which would stand among somebody's calls and count
    against how often the patient may be contacted. Nor does the register learn anything, for it
    is the register that said so, perhaps of another row of the same person's. The attempt hears
    of it as of any closed task.

    Args:
        session: A writing transaction.
        task_id: The task.
        who: Who closes it.
        now: Aware UTC.
        key: The key of the suppression hashes.
        zone: The clinic's time zone.

    Returns:
        As what it was closed; None where the call may be made, or something else has to be settled
        first: nothing was changed.

    Raises:
        CallRefusal: No such task, closed already, or claimed by somebody else.
    """
    task = await session.get(CallTask, task_id, with_for_update=True)
    if task is None or task.closed_at is not None or claimant(task, now) not in (None, who):
        raise why_not(task, task_id, zone)
    refused = await refused_calls(session, [task_id], now, key, zone)
    outcome = closing(refused[task_id]) if task_id in refused else None
    if outcome is None:
        return None
    task.claimed_by = task.claimed_until = None
    task.closed_at, task.closed_by, task.outcome = now, who, outcome.value
    # whoever declines tells a reason; here nobody was asked for one
    await inbox.store(session, as_event(task, Reported(outcome=outcome)), now=now, key=key)
    return outcome
