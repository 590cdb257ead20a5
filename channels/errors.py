"""The closed set of send failures; each says what to do next. Every channel translates into it.

SendError
|-- Permanent      this address will never work: mark it bad, climb
|-- OptedOut       the provider knows that the patient said stop: end
|-- Misconfigured  our account or settings are wrong: hold everybody, tell an operator
|-- Transient      certainly not sent: try again, not before `retry_after`
`-- Uncertain      may have been sent: ask the provider before sending again
"""

from datetime import timedelta


class SendError(Exception):
    """A message was not certainly sent.

    Args:
        code: The provider's code or a short closed word. No address, no text: it is logged and
            stands in Temporal's history.
        look_at: Names of the variables that an operator looks at first, for the log.
    """

    def __init__(self, code: str, *, look_at: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.look_at = look_at


class Permanent(SendError):
    """The provider refused this address for good."""


class OptedOut(SendError):
    """The provider refuses because the patient said stop."""


class Misconfigured(SendError):
    """The provider refuses us, not the patient."""


class Transient(SendError):
    """The provider certainly did not take the message, and may take it later."""

    def __init__(
        self, code: str, retry_after: timedelta | None = None, *, look_at: str = ""
    ) -> None:
        super().__init__(code, look_at=look_at)
        self.retry_after = retry_after


class Uncertain(SendError):
    """Nobody can tell whether the provider took the message."""
