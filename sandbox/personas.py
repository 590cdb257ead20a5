"""Who the simulated patients are, and how each of them is chosen.

A patient's persona follows from the seed and the patient's id alone: the same person behaves in
the same way over email and SMS, in every run and whatever order the messages arrive in.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Persona(StrEnum):
    """One way in which a patient answers; each patient has one and acts on it once."""

    BOOKS_AFTER_EMAIL = "books_after_email"
    BOOKS_AFTER_SMS = "books_after_sms"
    REPLIES_BY_SMS = "replies_by_sms"
    REPLIES_BY_EMAIL = "replies_by_email"
    STOPS_BY_EMAIL = "stops_by_email"
    STOPS_BY_SMS = "stops_by_sms"
    ASKS_FOR_A_CALL = "asks_for_a_call"
    SCANNER = "scanner"
    NEVER_ANSWERS = "never_answers"


PERSONA_WEIGHTS: Final[Mapping[Persona, float]] = {
    # The shares are set so that a demonstration with some forty patients shows every way to
    # answer; they are no forecast. Silence stays the commonest answer, as it is outside.
    Persona.BOOKS_AFTER_EMAIL: 0.10,
    Persona.BOOKS_AFTER_SMS: 0.10,
    Persona.REPLIES_BY_SMS: 0.12,
    # Opt-outs are rarer than answers, and both doors must be seen.
    Persona.STOPS_BY_EMAIL: 0.05,
    Persona.STOPS_BY_SMS: 0.05,
    Persona.ASKS_FOR_A_CALL: 0.10,
    # Mailboxes behind a security gateway: enough of them that a click taken for an answer shows.
    Persona.SCANNER: 0.13,
    Persona.NEVER_ANSWERS: 0.35,
}


def fraction_of(seed: int, *words: str) -> float:
    """Return a number in [0, 1) that depends on the seed and the words and on nothing else."""
    digest = hashlib.sha256("\x1f".join((str(seed), *words)).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def persona_of(
    seed: int, patient_id: str, weights: Mapping[Persona, float] = PERSONA_WEIGHTS
) -> Persona:
    """Return the persona of a patient.

    Args:
        seed: The run's seed.
        patient_id: The id of the patient on the clinic's register.
        weights: The share of each persona; personas left out have none, the rest sum to 1.
    """
    share = fraction_of(seed, patient_id, "persona")
    reached = 0.0
    chosen = Persona.NEVER_ANSWERS
    # In the order of the declaration, not of the mapping: the choice must not hang on spelling.
    for persona in Persona:
        weight = weights.get(persona, 0.0)
        if weight == 0.0:
            continue
        chosen = persona
        reached += weight
        if share < reached:
            break
    return chosen
