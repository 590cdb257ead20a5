"""A segment compiled to SQL: the database evaluates it, never Python row by row."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, true

from clinic.register.vocabulary import WordKind
from clinic.segments.contacts import last_contact
from clinic.segments.history import asks_for_treatment, visit_conditions, written
from clinic.segments.rule import Rule, Segment
from clinic.tables import Appointment, Patient


def members(segment: Segment, now: datetime, zone: ZoneInfo) -> ColumnElement[bool]:
    """Return the condition over `Patient` that a segment's patients meet.

    Whoever was forgotten, and a row that staff said is a duplicate, is in no segment.

    Args:
        segment: The rule.
        now: Aware UTC; ages and "older than" are counted from the clinic's day at that moment.
        zone: The clinic's time zone.
    """
    moment = _Moment(now=now, today=now.astimezone(zone).date(), zone=zone)
    one_person = Patient.erased_at.is_(None), Patient.duplicate_of.is_(None)
    return and_(*one_person, *_conditions(segment.where, moment))


def has_future_appointment(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a patient has an appointment after a moment."""
    return exists().where(Appointment.patient_id == Patient.id, Appointment.at > now)


@dataclass(frozen=True)
class _Moment:
    """When a rule is evaluated, and where in it we are.

    Attributes:
        few_asked: The conditions outside leave few patients.
        under_not: Here "unknown" has to be "no": what `not` turns round would stay unknown.
    """

    now: datetime
    today: date
    zone: ZoneInfo
    few_asked: bool = False
    under_not: bool = False

    def day_began(self, ago: timedelta) -> datetime:
        """Return when the clinic's day of so long ago began, aware UTC."""
        return datetime.combine(self.today - ago, time.min, tzinfo=self.zone).astimezone(UTC)


def _conditions(rule: Rule, moment: _Moment) -> Iterator[ColumnElement[bool]]:
    rules = list(_together(rule))
    few_asked = moment.few_asked or any(map(_picks_few, rules))
    for one in rules:
        for condition in _person(one, moment.today):
            yield func.coalesce(condition, false()) if moment.under_not else condition
        yield from _flags(one, moment.now)
    yield from visit_conditions(rules, moment.today, few_asked=few_asked)
    inside = replace(moment, few_asked=few_asked or any(map(asks_for_treatment, rules)))
    for one in rules:
        if one.last_contact is not None:
            yield last_contact(one.last_contact, moment.day_began, few_asked=inside.few_asked)
        if one.any is not None:
            yield or_(*(_all_of(part, inside) for part in one.any))
        if one.not_ is not None:
            yield not_(_all_of(one.not_, replace(inside, under_not=True)))


def _all_of(rule: Rule, moment: _Moment) -> ColumnElement[bool]:
    return and_(true(), *_conditions(rule, moment))


def _together(rule: Rule) -> Iterator[Rule]:
    """Yield a rule and those under its `all`: their conditions hold together."""
    yield rule
    for part in rule.all or ():
        yield from _together(part)


def _picks_few(rule: Rule) -> bool:
    """Whether a rule's conditions on the person leave some half of the register, or fewer."""
    picky = (
        rule.age,
        rule.sex,
        rule.occupation,
        rule.district,
        rule.insurance,
        rule.provider,
        rule.language,
        rule.preferred_channel,
        rule.loss_reason,
    )
    no_longer_here = rule.status is not None and "active" not in rule.status
    return no_longer_here or any(condition is not None for condition in picky)


def _person(rule: Rule, today: date) -> Iterator[ColumnElement[bool]]:
    if rule.age is not None:
        # someone is N years old from their Nth birthday to the day before the next
        yield Patient.birth_date <= _years_before(today, rule.age.from_)
        yield Patient.birth_date > _years_before(today, rule.age.to + 1)
    if rule.sex is not None:
        yield Patient.sex == rule.sex
    for column, values in (
        (Patient.language, rule.language),
        (Patient.preferred_channel, rule.preferred_channel),
        (Patient.status, rule.status),
        (Patient.loss_reason, rule.loss_reason),
    ):
        if values is not None:
            yield column.in_([str(value) for value in values])
    for word_column, kind, words in (
        (Patient.occupation, WordKind.OCCUPATION, rule.occupation),
        (Patient.district, WordKind.DISTRICT, rule.district),
        (Patient.insurance, WordKind.INSURANCE, rule.insurance),
        (Patient.provider, WordKind.PROVIDER, rule.provider),
    ):
        if words is not None:
            yield written(word_column, kind, words)


def _flags(rule: Rule, now: datetime) -> Iterator[ColumnElement[bool]]:
    for flag, holds in (
        (rule.has_future_appointment, has_future_appointment(now)),
        (rule.has_email, Patient.email.is_not(None)),
        (rule.has_phone, Patient.phone.is_not(None)),
    ):
        if flag is not None:
            yield holds if flag else not_(holds)


def _years_before(day: date, years: int) -> date:
    if years >= day.year:
        return date.min
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February: who was born on 1 March has the birthday tomorrow
        return date(day.year - years, 2, 28)
