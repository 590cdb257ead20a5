"""A segment compiled to SQL: the database evaluates it, never Python row by row."""

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, exists, false, func, not_, or_, select

from clinic.segment import LastVisit, Rule, Segment, VisitCount
from clinic.tables import Appointment, Patient, Visit


def members(segment: Segment, now: datetime, zone: ZoneInfo) -> ColumnElement[bool]:
    """Return the condition over `Patient` that a segment's patients meet.

    Args:
        segment: The rule.
        now: Aware UTC; ages and "older than" are counted from the clinic's day at that moment.
        zone: The clinic's time zone.
    """
    return _compile(segment.where, now, now.astimezone(zone).date())


def _compile(rule: Rule, now: datetime, today: date) -> ColumnElement[bool]:
    return and_(*_conditions(rule, now, today))


def _conditions(rule: Rule, now: datetime, today: date) -> Iterator[ColumnElement[bool]]:
    yield from _person(rule, today)
    yield from _history(rule, today)
    yield from _flags(rule, now)
    yield from _nested(rule, now, today)


def _person(rule: Rule, today: date) -> Iterator[ColumnElement[bool]]:
    if rule.age is not None:
        # someone is N years old from their Nth birthday to the day before the next
        yield Patient.birth_date <= _years_before(today, rule.age.from_)
        yield Patient.birth_date > _years_before(today, rule.age.to + 1)
    if rule.sex is not None:
        yield Patient.sex == rule.sex
    for column, wanted in (
        (Patient.occupation, rule.occupation),
        (Patient.district, rule.district),
        (Patient.language, rule.language),
        (Patient.loss_reason, rule.loss_reason),
    ):
        if wanted is not None:
            yield column.in_([str(value) for value in wanted])


def _history(rule: Rule, today: date) -> Iterator[ColumnElement[bool]]:
    if rule.treatment is not None:
        words = [word.lower() for word in rule.treatment]
        yield exists().where(Visit.patient_id == Patient.id, func.lower(Visit.treatment).in_(words))
    if rule.last_visit is not None:
        yield from _last_visit(rule.last_visit, today)
    if rule.visits is not None:
        yield from _visits(rule.visits)


def _flags(rule: Rule, now: datetime) -> Iterator[ColumnElement[bool]]:
    for flag, holds in (
        (rule.has_future_appointment, has_future_appointment(now)),
        (rule.has_email, Patient.email.is_not(None)),
        (rule.has_phone, Patient.phone.is_not(None)),
    ):
        if flag is not None:
            yield holds if flag else not_(holds)


def _nested(rule: Rule, now: datetime, today: date) -> Iterator[ColumnElement[bool]]:
    if rule.all is not None:
        yield and_(*(_compile(part, now, today) for part in rule.all))
    if rule.any is not None:
        yield or_(*(_compile(part, now, today) for part in rule.any))
    if rule.not_ is not None:
        # NULL is "unknown", and "not unknown" must leave the patient in
        yield not_(func.coalesce(_compile(rule.not_, now, today), false()))


def has_future_appointment(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a patient has an appointment after a moment."""
    return exists().where(Appointment.patient_id == Patient.id, Appointment.at > now)


def _last_visit(wanted: LastVisit, today: date) -> Iterator[ColumnElement[bool]]:
    latest = select(func.max(Visit.day)).where(Visit.patient_id == Patient.id).scalar_subquery()
    if wanted.older_than is not None:
        yield latest < today - wanted.older_than
    if wanted.between is not None:
        yield latest.between(*wanted.between)


def _visits(wanted: VisitCount) -> Iterator[ColumnElement[bool]]:
    counted = select(func.count()).where(Visit.patient_id == Patient.id).scalar_subquery()
    reported = func.coalesce(Patient.reported_visits, 0)
    visits = case((counted > reported, counted), else_=reported)
    if wanted.at_least is not None:
        yield visits >= wanted.at_least
    if wanted.at_most is not None:
        yield visits <= wanted.at_most


def _years_before(day: date, years: int) -> date:
    if years >= day.year:
        return date.min
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February: who was born on 1 March has the birthday tomorrow
        return date(day.year - years, 2, 28)
