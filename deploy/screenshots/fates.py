"""How the invented patients of the pictures answer: each has a fate, the same every time."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple, TypeVar

from clinic.event import CallOutcome, EventKind
from clinic.outcome import LossReason

Choice = TypeVar("Choice")

_SEED = 5

_REPLIES: Mapping[str, Sequence[str]] = {
    "es": (
        "Hola, ¿tienen algo el jueves por la tarde?",
        "Sí, quiero volver. ¿Me llaman mañana?",
        "¿Cuánto cuesta la consulta de control?",
        "Estoy de viaje, la semana que viene les digo",
    ),
    "ru": (
        "Здравствуйте! Можно в субботу утром?",
        "Да, хочу прийти. Позвоните, пожалуйста, после обеда",
        "Подскажите, сколько сейчас стоит консультация?",
        "Спасибо, что написали. Доктор тот же?",
    ),
    "en": (
        "Hi! Do you have anything on Thursday afternoon?",
        "Yes, I'd like to come back. Can you call me tomorrow?",
    ),
}
_CALLS = (
    (CallOutcome.BOOKED, 13),
    (CallOutcome.NO_ANSWER, 40),
    (CallOutcome.DECLINED, 15),
    (CallOutcome.VOICEMAIL, 16),
    (CallOutcome.THINKING, 9),
    (CallOutcome.WRONG_NUMBER, 5),
)
_REASONS = (
    LossReason.PRICE,
    LossReason.PRICE,
    LossReason.OTHER_CLINIC,
    LossReason.NO_TIME,
    LossReason.HOURS,
    LossReason.WAITING_TIME,
    LossReason.DISTANCE,
)
_ANSWERS = (
    (EventKind.BOOKED, 9),
    (EventKind.REPLY, 16),
    (EventKind.DECLINED, 5),
    (EventKind.OPTED_OUT, 4),
    (None, 64),
)


class Fate(NamedTuple):
    """What becomes of a patient, as far as the day of the pictures has come.

    Attributes:
        answer: What they do; None: nothing, until somebody calls.
        to: The index of the step that they answer.
        hours: After how many.
        words: What they write, where they do.
        reason: Why they left, where they say.
        called_after: Hours until staff come to a task of theirs.
        comes: Whether they keep their appointment.
        calls: What comes of the calls, one after the other.
    """

    answer: EventKind | None
    to: int
    hours: float
    words: str
    reason: LossReason
    called_after: float
    comes: bool
    calls: Sequence[CallOutcome]


def fate_of(patient: str, language: str) -> Fate:
    """Return a patient's fate.

    Args:
        patient: The clinic's own number for them, and nothing else, decides it.
        language: In which they write.
    """
    chance = Random(f"{_SEED} {patient}")  # noqa: S311 - for pictures
    return Fate(
        answer=_one_of(chance, _ANSWERS),
        to=chance.randint(0, 1),
        hours=chance.uniform(0.3, 5),
        words=chance.choice(_REPLIES[language]),
        reason=chance.choice(_REASONS),
        called_after=chance.uniform(0.5, 44),
        comes=patient[-1] not in "27",
        calls=[_one_of(chance, _CALLS) for _ in range(6)],
    )


def _one_of(chance: Random, weighted: Sequence[tuple[Choice, int]]) -> Choice:
    choices, weights = zip(*weighted, strict=True)
    chosen: Choice = chance.choices(choices, weights)[0]
    return chosen
