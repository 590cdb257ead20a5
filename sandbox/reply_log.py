"""What the simulated patients have said, for whoever looks whether the clinic has it all."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.doors import Door


@dataclass(slots=True)
class SentReply:
    """One answer of a patient, from the moment when the patient has sent it."""

    patient_id: str
    door: Door
    words: str
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answered_at: datetime | None = None
    answer: str = ""
    """The door's last answer: an HTTP status, or why there is none; empty: not yet."""

    def answered(self, answer: str) -> None:
        """Note how the door answered, now."""
        self.answered_at, self.answer = datetime.now(UTC), answer

    def seen(self) -> dict[str, Any]:
        """Return it for the observer; ``taken`` says whether the door took it (2xx)."""
        return {
            "patient": self.patient_id,
            "door": self.door,
            "words": self.words,
            "sent_at": self.sent_at.isoformat(),
            "answered_at": self.answered_at.isoformat() if self.answered_at else None,
            "answer": self.answer,
            "taken": self.answer.startswith("2"),
        }


class ReplyLog:
    """Every answer, oldest first.

    Attributes:
        replies: The answers.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.replies: list[SentReply] = []

    def sent(self, patient_id: str, door: Door, words: str = "") -> SentReply:
        """Note that a patient answers, now."""
        reply = SentReply(patient_id, door, words)
        self.replies.append(reply)
        return reply

    def seen(self) -> list[dict[str, Any]]:
        """Return all of it for the observer."""
        return [reply.seen() for reply in self.replies]
