"""The audit log's lines for what is done at a command line."""

import os
import pwd

from sqlalchemy.ext.asyncio import AsyncSession

from clinic.audit import Action, Detail, note
from commands.running import now


def login_name() -> str:
    """Return under which name somebody is logged in on this machine.

    It is the system's: `LOGNAME` and `USER` are what anybody may set. In a container whose user
    has no name, it is the user's number.
    """
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"


async def note_command(
    session: AsyncSession,
    action: Action,
    *,
    patient_id: str | None = None,
    subject: str | None = None,
    **details: Detail,
) -> None:
    """Note what somebody does by a command, under their login name on this machine.

    That is not the name given by `--as`, which anybody may type.

    Args:
        session: The transaction that does it.
        action: What is done.
        patient_id: To whom, or whose data is shown.
        subject: The opaque id of the call task or campaign.
        details: As in `clinic.audit.note`.
    """
    await note(
        session,
        who=login_name(),
        action=action,
        now=now(),
        patient_id=patient_id,
        subject=subject,
        details=details,
    )
