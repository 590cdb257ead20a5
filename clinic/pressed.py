"""What a patient pressed on their own page, as an event's details tell it in every language."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from clinic.outcome import LossReason

ASKED_LENGTH = "asked_length"
"""Of an event's details: how many characters of its body the clinic's page said for the patient."""
PAGE_LANGUAGE = "page_language"
"""Of an event's details: in which language the patient read their page, and so wrote there."""
_WISH = "pressed"
_AT = "at"
"""See `clinic.inbox.Received.at`, which is stored under this name."""
_REASON = "loss_reason"


class Wish(StrEnum):
    """What a patient may press; to book leads elsewhere."""

    CALL = "call"
    WHY = "why"
    STOP = "stop"


class Pressed(BaseModel):
    """What was pressed.

    Attributes:
        wish: What it was.
        at: Aware UTC; when the patient asks to be called. None: at any time.
        reason: Why the patient left, as far as they chose one.
        language: In which they read their page; None: an older event does not tell.
    """

    model_config = ConfigDict(frozen=True)

    wish: Wish
    at: datetime | None = None
    reason: LossReason | None = None
    language: str | None = None

    def details(self, asked: str) -> dict[str, object]:
        """Return the details of its event: closed lists, nothing that the patient wrote.

        Its time is stored by the inbox (`clinic.inbox.Received.at`).

        Args:
            asked: How its event's body begins: the same, said in the clinic's language.
        """
        details: dict[str, object] = {_WISH: self.wish.value, ASKED_LENGTH: len(asked)}
        if self.reason is not None:
            details[_REASON] = self.reason.value
        if self.language is not None:
            details[PAGE_LANGUAGE] = self.language
        return details


def pressed_in(details: Mapping[str, Any]) -> Pressed | None:
    """Return what was pressed; None: the details do not tell, and the body says it.

    Args:
        details: Of an event from a patient's own page.
    """
    wish = _wish(details)
    # where the patient's own words begin, an event older than that does not tell: none may be lost
    if wish is None or ASKED_LENGTH not in details:
        return None
    return Pressed(
        wish=wish,
        at=details.get(_AT),
        reason=details.get(_REASON),
        language=details.get(PAGE_LANGUAGE),
    )


def _wish(details: Mapping[str, Any]) -> Wish | None:
    """Return what was pressed, also where an older event tells it by what came with it alone."""
    if _WISH in details:
        return Wish(details[_WISH])
    if _REASON in details:
        return Wish.WHY
    return Wish.CALL if _AT in details else None
