"""A segment's rule as a sentence, so that whoever did not write it can check what it asks for."""

from collections.abc import Iterator, Sequence

from clinic.segments.conditions import (
    AgeRange,
    ControlDue,
    LastContact,
    LastVisit,
    NotContinued,
    VisitCount,
)
from clinic.segments.phrases import English, Phrase, Speech
from clinic.segments.rule import Rule

_OLDEST = 130
_ENGLISH = English()


def in_words(rule: Rule, speech: Speech = _ENGLISH) -> str:
    """Say what a rule asks of a patient, in one sentence.

    Args:
        rule: The rule.
        speech: How a language says it; default: as the command line does.
    """
    return speech.all_of(list(conditions(rule, speech)))


def conditions(rule: Rule, speech: Speech = _ENGLISH) -> Iterator[str]:
    """Yield a rule's conditions, each in words; all of them hold.

    Args:
        rule: The rule.
        speech: As in `in_words`.
    """
    yield from _history(rule, speech)
    yield from _person(rule, speech)
    if rule.all is not None:
        yield from (f"({in_words(part, speech)})" for part in rule.all)
    if rule.any is not None:
        parts = [f"({in_words(part, speech)})" for part in rule.any]
        yield speech.say(Phrase.EITHER, words=speech.any_of(parts))
    if rule.not_ is not None:
        yield speech.say(Phrase.NOT, words=f"({in_words(rule.not_, speech)})")


def _history(rule: Rule, speech: Speech) -> Iterator[str]:
    if rule.treatment is not None:
        yield speech.say(Phrase.TREATMENT, words=speech.listed(rule.treatment))
    if rule.not_continued is not None:
        yield _not_continued(rule.not_continued, speech)
    if rule.never_returned is not None:
        yield speech.say(Phrase.NEVER_RETURNED, time=speech.time(rule.never_returned.for_))
    if rule.control_due is not None:
        yield _control_due(rule.control_due, speech)
    if rule.last_visit is not None:
        yield _last_visit(rule.last_visit, speech)
    if rule.visits is not None:
        yield _visits(rule.visits, speech)
    if rule.has_future_appointment is not None:
        ahead = rule.has_future_appointment
        yield speech.say(Phrase.APPOINTMENT if ahead else Phrase.NO_APPOINTMENT)
    if rule.last_contact is not None:
        yield _last_contact(rule.last_contact, speech)


def _person(rule: Rule, speech: Speech) -> Iterator[str]:
    if rule.age is not None:
        yield _age(rule.age, speech)
    if rule.sex is not None:
        yield speech.say(Phrase.FEMALE if rule.sex == "female" else Phrase.MALE)
    for phrase, words in (
        (Phrase.OCCUPATION, rule.occupation),
        (Phrase.DISTRICT, rule.district),
        (Phrase.INSURANCE, rule.insurance),
        (Phrase.PROVIDER, rule.provider),
    ):
        if words is not None:
            yield speech.say(phrase, words=speech.listed(words))
    yield from _of_closed_lists(rule, speech)
    for flag, has, has_not in (
        (rule.has_email, Phrase.HAS_EMAIL, Phrase.HAS_NO_EMAIL),
        (rule.has_phone, Phrase.HAS_PHONE, Phrase.HAS_NO_PHONE),
    ):
        if flag is not None:
            yield speech.say(has if flag else has_not)


def _of_closed_lists(rule: Rule, speech: Speech) -> Iterator[str]:
    lists: tuple[tuple[Phrase, Sequence[str] | None], ...] = (
        (Phrase.LANGUAGE, rule.language),
        (Phrase.PREFERRED_CHANNEL, rule.preferred_channel),
        (Phrase.STATUS, rule.status),
        (Phrase.LOSS_REASON, rule.loss_reason),
    )
    for phrase, values in lists:
        if values is not None:
            said = [speech.value(phrase, str(value)) for value in values]
            yield speech.say(phrase, words=speech.listed(said))


def _not_continued(wanted: NotContinued, speech: Speech) -> str:
    places = {"words": speech.listed(wanted.treatment), "time": speech.time(wanted.for_)}
    if wanted.finished_by is None:
        return speech.say(Phrase.NOT_CONTINUED, **places)
    return speech.say(Phrase.NOT_FINISHED, **places, others=speech.listed(wanted.finished_by))


def _control_due(wanted: ControlDue, speech: Speech) -> str:
    any_visit = wanted.control is None
    return speech.say(
        Phrase.CONTROL_DUE,
        words=speech.listed(wanted.after),
        others=speech.say(Phrase.ANY_VISIT) if any_visit else speech.listed(wanted.control or ()),
        time=speech.time(wanted.every),
    )


def _last_visit(wanted: LastVisit, speech: Speech) -> str:
    if wanted.between is not None:
        first, last = map(speech.day, wanted.between)
        return speech.say(Phrase.SEEN_BETWEEN, first=first, last=last)
    if wanted.older_than is None:
        return ""
    return speech.say(Phrase.SEEN_BEFORE, time=speech.time(wanted.older_than))


def _visits(wanted: VisitCount, speech: Speech) -> str:
    if wanted.at_most is None:
        return speech.say(Phrase.VISITS_AT_LEAST, first=str(wanted.at_least))
    if wanted.at_least is None:
        return speech.say(Phrase.VISITS_AT_MOST, last=str(wanted.at_most))
    return speech.say(Phrase.VISITS_BETWEEN, first=str(wanted.at_least), last=str(wanted.at_most))


def _last_contact(wanted: LastContact, speech: Speech) -> str:
    if wanted.within is not None:
        return speech.say(Phrase.CONTACTED_WITHIN, time=speech.time(wanted.within))
    if wanted.older_than is not None:
        return speech.say(Phrase.CONTACTED_BEFORE, time=speech.time(wanted.older_than))
    return speech.say(Phrase.NEVER_CONTACTED)


def _age(wanted: AgeRange, speech: Speech) -> str:
    if wanted.to == _OLDEST:
        return speech.say(Phrase.AGE_FROM, first=str(wanted.from_))
    if not wanted.from_:
        return speech.say(Phrase.AGE_TO, last=str(wanted.to))
    return speech.say(Phrase.AGE_BETWEEN, first=str(wanted.from_), last=str(wanted.to))
