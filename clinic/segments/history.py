"""What a patient's visits have to be for a segment, as SQL."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, aliased

from clinic.plain_text import plain
from clinic.register.vocabulary import WordKind
from clinic.segments.conditions import (
    ControlDue,
    LastVisit,
    NeverReturned,
    NotContinued,
    VisitCount,
)
from clinic.segments.patient_set import ByDatabase, among
from clinic.segments.rule import Rule
from clinic.tables import Patient, Visit, Vocabulary


def visit_conditions(
    rules: Sequence[Rule], today: date, *, few_asked: bool
) -> Iterator[ColumnElement[bool]]:
    """Yield what rules that must all hold ask of a patient's visits; never unknown.

    Args:
        rules: Whose conditions on visits to take, not those of the rules inside them.
        today: The clinic's day.
        few_asked: Other conditions leave few patients.
    """
    treated = [rule for rule in rules if asks_for_treatment(rule)]
    for rule in treated:
        for condition in _treated(rule, today, few_asked=few_asked):
            yield condition
            few_asked = True  # whoever had a certain treatment is one of few
    for rule in rules:
        if rule.control_due is not None and rule.control_due.control is None:
            yield not_(_seen_since(today - rule.control_due.every, few_asked=few_asked))
        if rule.never_returned is not None:
            yield from _never_returned(rule.never_returned, today, few_asked=few_asked)
        if rule.last_visit is not None:
            yield _last_visit(rule.last_visit, today, few_asked=few_asked, was_here=bool(treated))
        if rule.visits is not None:
            yield from _visits(rule.visits, few_asked=few_asked)


def asks_for_treatment(rule: Rule) -> bool:
    """Whether a rule picks patients by what they were treated for."""
    wanted = rule.treatment, rule.not_continued, rule.control_due
    return any(condition is not None for condition in wanted)


def written(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    kind: WordKind,
    words: Sequence[str],
) -> ColumnElement[bool]:
    """Return the condition that a column holds one of some words, however they were spelled.

    The register has one spelling of each word: it is looked up once, and rows are compared with
    it as they stand.
    """
    spellings = [
        select(Vocabulary.written)
        .where(Vocabulary.kind == kind.value, Vocabulary.key == key)
        .scalar_subquery()
        for key in dict.fromkeys(plain(word) for word in words)
    ]
    # rather than IN: PostgreSQL would make the list anew for each row
    return or_(*(column == spelling for spelling in spellings))


def _treated(rule: Rule, today: date, *, few_asked: bool) -> Iterator[ColumnElement[bool]]:
    if rule.treatment is not None:
        yield among(_visitors().where(_for_one_of(rule.treatment)), few_asked=few_asked)
        few_asked = True
    if rule.not_continued is not None:
        yield _not_continued(rule.not_continued, today, few_asked=few_asked)
        few_asked = True
    if rule.control_due is not None:
        yield among(_control_due(rule.control_due, today), few_asked=few_asked)


def _not_continued(wanted: NotContinued, today: date, *, few_asked: bool) -> ColumnElement[bool]:
    limit = today - wanted.for_
    is_treated = _for_one_of(wanted.treatment)
    treated = _visitors().where(is_treated)
    if wanted.finished_by is None:
        at_once = treated.group_by(Visit.patient_id).having(func.max(Visit.day) < limit)
        later = among(treated.where(Visit.day >= limit), few_asked=True)
        return ByDatabase(
            sqlite=among(at_once, few_asked=few_asked),
            # two joins that PostgreSQL's workers share, where one of them would group alone
            others=and_(among(treated, few_asked=True), not_(later)),
        )
    is_end = _for_one_of(wanted.finished_by)
    last = func.max(case((is_treated, Visit.day)))
    end = func.max(case((is_end, Visit.day)))
    left = (
        _visitors()
        .where(or_(is_treated, is_end))
        .group_by(Visit.patient_id)
        .having(last < limit, or_(end.is_(None), end < last))
    )
    return among(left, few_asked=few_asked)


def _control_due(wanted: ControlDue, today: date) -> Select[tuple[str]]:
    is_procedure = _for_one_of(wanted.after)
    if wanted.control is None:
        return _visitors().where(is_procedure)
    return (
        _visitors()
        .where(or_(is_procedure, _for_one_of(wanted.control)))
        .group_by(Visit.patient_id)
        .having(
            func.max(Visit.day) < today - wanted.every,
            func.max(case((is_procedure, 1), else_=0)) == 1,
        )
    )


def _never_returned(
    wanted: NeverReturned, today: date, *, few_asked: bool
) -> Iterator[ColumnElement[bool]]:
    first, last = func.min(Visit.day), func.max(Visit.day)
    # `<=` rather than `==`: PostgreSQL takes an equality for one group in 200, and then looks up
    # each of a quarter of the register on its own
    once = _visitors().group_by(Visit.patient_id).having(last <= first, last < today - wanted.for_)
    yield among(once, few_asked=few_asked)
    # an export may count more visits than it tells the days of
    yield func.coalesce(Patient.reported_visits, 0) <= 1


def _last_visit(
    wanted: LastVisit, today: date, *, few_asked: bool, was_here: bool
) -> ColumnElement[bool]:
    first, last = _span(wanted, today)
    not_later = not_(among(_visitors().where(Visit.day > last), few_asked=True))
    if was_here and first is None:
        return not_later  # who had a treatment, and not since, had it before
    then = and_(True if first is None else Visit.day >= first, Visit.day <= last)
    pair = and_(among(_visitors().where(then), few_asked=True), not_later)
    if few_asked:
        return pair
    latest = func.max(Visit.day)
    was_then = and_(True if first is None else latest >= first, latest <= last)
    at_once = _visitors().group_by(Visit.patient_id).having(was_then)
    return ByDatabase(sqlite=Patient.id.in_(at_once), others=pair)


def _span(wanted: LastVisit, today: date) -> tuple[date | None, date]:
    if wanted.between is not None:
        return wanted.between
    return None, today - (wanted.older_than or timedelta()) - timedelta(days=1)


def _seen_since(day: date, *, few_asked: bool) -> ColumnElement[bool]:
    return among(_visitors().where(Visit.day >= day), few_asked=few_asked)


def _visits(wanted: VisitCount, *, few_asked: bool) -> Iterator[ColumnElement[bool]]:
    reported = func.coalesce(Patient.reported_visits, 0)
    if wanted.at_least:
        by_rows = among(_made(wanted.at_least), few_asked=few_asked)
        yield ByDatabase(
            sqlite=or_(reported >= wanted.at_least, by_rows),
            # no join answers an OR: here it is asked within the list
            others=among(_made_or_reported(wanted.at_least), few_asked=True),
        )
    if wanted.at_most is not None:
        yield reported <= wanted.at_most
        yield not_(among(_made(wanted.at_most + 1), few_asked=few_asked))


def _made(count: int) -> Select[tuple[str]]:
    return _visitors().group_by(Visit.patient_id).having(func.count() >= count)


def _made_or_reported(count: int) -> Select[Any]:
    patient = aliased(Patient)
    counted = (
        select(Visit.patient_id, func.count().label("visits")).group_by(Visit.patient_id).subquery()
    )
    return (
        select(patient.id.label("patient_id"))
        .outerjoin(counted, counted.c.patient_id == patient.id)
        .where(or_(patient.reported_visits >= count, counted.c.visits >= count))
    )


def _visitors() -> Select[tuple[str]]:
    return select(Visit.patient_id)


def _for_one_of(treatments: Sequence[str]) -> ColumnElement[bool]:
    return written(Visit.treatment, WordKind.TREATMENT, treatments)
