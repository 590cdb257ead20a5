"""Places at which a process can be made to die: how a test forces what is rare.

Only where REGRESA_FAIL_POINTS names a folder. A file in it with the name of a place makes the
first process that comes there end as if by `kill -9`; the file is gone then, so that it happens
once.
"""

import os
import signal
from pathlib import Path

VARIABLE = "REGRESA_FAIL_POINTS"

CLAIMED = "claimed"
"""The ledger's row is committed; nothing was sent."""
SENT = "sent"
"""The provider has taken the message; the ledger does not know it."""


def reach(name: str) -> None:
    """Come to a place; it returns unless the process is to die there.

    Args:
        name: `CLAIMED` or `SENT`.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return
    try:
        # of several who come here at once, one takes the file away and dies
        Path(folder, name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
