"""What a patient says on their own page, as the inbox is told of it."""

import hmac
import re
import secrets
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from clinic.event import EventKind
from clinic.inbox import Received
from clinic.link import LinkedMessage
from clinic.outcome import LossReason
from clinic.pressed import Pressed, Wish
from console.patient.call_times import CallTime

LONGEST_WORDS = 500
"""Characters; who has more to say is glad to be called."""

LINK = "link"
"""The source of events that come from a patient's own page."""
_NONCE = re.compile(r"[0-9a-f]{1,32}")
"""Of each showing of a form: the button pressed twice is one wish, another visit is another."""
_REASONS = frozenset(LossReason)

Problem = Literal["problem_time", "problem_reason", "problem_words"]
"""Why a form can't be taken as it is: a text of the page."""


class Draft(BaseModel):
    """A form that is shown again.

    Attributes:
        asked: Which form.
        words: The free words, so that nobody has to write them again.
        reason: The reason that was chosen.
        problem: What to change; None: nothing was sent yet.
    """

    model_config = ConfigDict(frozen=True)

    asked: Literal["", "call", "why"] = ""
    words: str = ""
    reason: str = ""
    problem: Problem | None = None


class Answer(BaseModel):
    """What a patient said.

    Attributes:
        wish: What they pressed.
        kind: What it means for the attempt.
        key: The same answer again has the same key; nobody can guess the words from it.
        words: The patient's own.
        time: When the patient asks to be called; None: at any time.
        reason: Why the patient left.
    """

    model_config = ConfigDict(frozen=True)

    wish: Wish
    kind: EventKind
    key: str
    words: str = ""
    time: CallTime | None = None
    reason: LossReason | None = None

    def pressed(self, language: str) -> Pressed:
        """Return what they pressed, without their own words.

        Args:
            language: In which they read their page.
        """
        at = self.time.at if self.time else None
        return Pressed(wish=self.wish, at=at, reason=self.reason, language=language)

    def received(self, linked: LinkedMessage, pressed: Pressed, asked: str) -> Received:
        """Return what the inbox stores: staff read the wish, then the patient's own words.

        Args:
            linked: Whose link it was.
            pressed: What they wish.
            asked: The same, said in the clinic's language.
        """
        return Received(
            source=LINK,
            source_key=f"{linked.attempt_id}.{linked.step}.{self.key}",
            kind=self.kind,
            attempt_id=linked.attempt_id,
            body=f"{asked} {self.words}".strip(),
            at=pressed.at,
            details={"step": linked.step} | pressed.details(asked),
        )


def stop() -> Answer:
    """Return the wish for no more messages; however often it is said, it is said once."""
    return Answer(wish=Wish.STOP, kind=EventKind.OPTED_OUT, key="stop.")


def call(at: str, words: str, nonce: str, times: Sequence[CallTime]) -> Answer | Draft:
    """Read the form that asks for a call.

    Args:
        at: The name of one of the times; empty: any.
        words: Free words.
        nonce: Of the form that was shown.
        times: Those that the clinic offers now.
    """
    words = readable(words)
    draft = Draft(asked="call", words=words[:LONGEST_WORDS])
    time = next((each for each in times if each.name == at), None)
    if time is None and at:
        return draft.model_copy(update={"problem": "problem_time"})
    if len(words) > LONGEST_WORDS:
        return draft.model_copy(update={"problem": "problem_words"})
    key = _key(Wish.CALL, nonce, f"{at}\n{words}" if at else words)
    return Answer(wish=Wish.CALL, kind=EventKind.REPLY, key=key, words=words, time=time)


def why(reason: str, words: str, nonce: str) -> Answer | Draft:
    """Read the form that says why the patient left.

    A reason alone needs no reading and ends the attempt; free words are a reply, which a person
    reads.

    Args:
        reason: One of the closed list; empty where the words say it.
        words: Free words.
        nonce: Of the form that was shown.
    """
    words = readable(words)
    known = LossReason(reason) if reason in _REASONS else None
    draft = Draft(asked="why", words=words[:LONGEST_WORDS], reason=known or "")
    if len(words) > LONGEST_WORDS:
        return draft.model_copy(update={"problem": "problem_words"})
    if known is None and (reason or not words):
        return draft.model_copy(update={"problem": "problem_reason"})
    if words:
        key = _key(Wish.WHY, nonce, f"{reason}\n{words}")
        return Answer(wish=Wish.WHY, kind=EventKind.REPLY, key=key, words=words, reason=known)
    return Answer(wish=Wish.WHY, kind=EventKind.DECLINED, key=f"why.{reason}", reason=known)


def readable(words: str) -> str:
    """Return words as they can be kept and shown: no control characters, no broken ones."""
    whole = words.replace("\r\n", "\n").encode("utf-8", "replace").decode()
    return "".join(each for each in whole if each.isprintable() or each in "\n\t").strip()


def _key(wish: str, nonce: str, said: str) -> str:
    shown = nonce if _NONCE.fullmatch(nonce) else secrets.token_hex(16)
    return f"{wish}.{hmac.new(shown.encode(), said.encode(), 'sha256').hexdigest()}"
