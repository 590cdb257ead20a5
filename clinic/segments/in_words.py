"""A segment's rule as a sentence, so that whoever did not write it can check what it asks for."""

from collections.abc import Iterator, Sequence

from clinic.duration import spoken
from clinic.segments.conditions import (
    AgeRange,
    ControlDue,
    LastContact,
    LastVisit,
    NotContinued,
    VisitCount,
)
from clinic.segments.rule import Rule

_OLDEST = 130


def in_words(rule: Rule) -> str:
    """Say what a rule asks of a patient."""
    return ", and ".join(_conditions(rule))


def _conditions(rule: Rule) -> Iterator[str]:
    yield from _history(rule)
    yield from _person(rule)
    if rule.all is not None:
        yield from (f"({in_words(part)})" for part in rule.all)
    if rule.any is not None:
        yield "either " + ", or ".join(f"({in_words(part)})" for part in rule.any)
    if rule.not_ is not None:
        yield f"not ({in_words(rule.not_)})"


def _history(rule: Rule) -> Iterator[str]:
    if rule.treatment is not None:
        yield f"had a visit for {_one_of(rule.treatment)}"
    if rule.not_continued is not None:
        yield _not_continued(rule.not_continued)
    if rule.never_returned is not None:
        yield f"came on one day, over {spoken(rule.never_returned.for_)} ago, and not again"
    if rule.control_due is not None:
        yield _control_due(rule.control_due)
    if rule.last_visit is not None:
        yield _last_visit(rule.last_visit)
    if rule.visits is not None:
        yield _visits(rule.visits)
    if rule.has_future_appointment is not None:
        yield "has an appointment ahead" if rule.has_future_appointment else "no appointment ahead"
    if rule.last_contact is not None:
        yield _last_contact(rule.last_contact)


def _person(rule: Rule) -> Iterator[str]:
    if rule.age is not None:
        yield _age(rule.age)
    if rule.sex is not None:
        yield rule.sex
    for name, values in (
        ("occupation", rule.occupation),
        ("district", rule.district),
        ("insurance", rule.insurance),
        ("provider", rule.provider),
        ("language", rule.language),
        ("preferred channel", rule.preferred_channel),
        ("status", rule.status),
        ("loss reason", rule.loss_reason),
    ):
        if values is not None:
            yield f"{name} {_one_of([value.replace('_', ' ') for value in values])}"
    for name, flag in (("an email", rule.has_email), ("a phone", rule.has_phone)):
        if flag is not None:
            yield f"has {name}" if flag else f"has not {name}"


def _not_continued(wanted: NotContinued) -> str:
    said = f"last visit for {_one_of(wanted.treatment)} over {spoken(wanted.for_)} ago"
    if wanted.finished_by is None:
        return said
    return f"{said} and none for {_one_of(wanted.finished_by)} on that day or since"


def _control_due(wanted: ControlDue) -> str:
    control = "visit of any kind" if wanted.control is None else _one_of(wanted.control)
    return (
        f"had {_one_of(wanted.after)}, and neither that nor a control ({control}) "
        f"for {spoken(wanted.every)}"
    )


def _last_visit(wanted: LastVisit) -> str:
    if wanted.between is not None:
        first, last = wanted.between
        return f"last visit from {first} to {last}"
    return f"last visit over {spoken(wanted.older_than)} ago" if wanted.older_than else ""


def _visits(wanted: VisitCount) -> str:
    at_least = None if wanted.at_least is None else f"at least {wanted.at_least}"
    at_most = None if wanted.at_most is None else f"at most {wanted.at_most}"
    return f"{' and '.join(filter(None, (at_least, at_most)))} visits"


def _last_contact(wanted: LastContact) -> str:
    if wanted.within is not None:
        return f"written to or called within the last {spoken(wanted.within)}"
    if wanted.older_than is not None:
        return f"last written to or called over {spoken(wanted.older_than)} ago"
    return "never written to nor called"


def _age(wanted: AgeRange) -> str:
    if wanted.to == _OLDEST:
        return f"{wanted.from_} years or older"
    return f"{wanted.from_} to {wanted.to} years" if wanted.from_ else f"up to {wanted.to} years"


def _one_of(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
