"""Patients picked by their rows in other tables, asked for as each database answers soonest.

PostgreSQL turns `EXISTS` into one join over all rows, also where a condition says `NOT`. SQLite
answers `EXISTS` once for each patient: soonest where few patients are left to ask for. Where all
are, a list that is made once (`IN`) takes half the time. benchmarks/segments.py measures both.
"""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, Select, exists, not_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType

from clinic.tables import Patient


def among(patient_ids: Select[Any], *, few_asked: bool) -> ColumnElement[bool]:
    """Return the condition that a patient is one of those that a query yields; never unknown.

    Args:
        patient_ids: One column, `patient_id`, without NULL; a patient may stand there twice.
        few_asked: Other conditions leave few patients for whom this one has to be answered.
    """
    rows = patient_ids.subquery()
    looked_up = exists().where(rows.c.patient_id == Patient.id)
    if few_asked:
        return looked_up
    return ByDatabase(sqlite=Patient.id.in_(patient_ids), others=looked_up)


class ByDatabase(ColumnElement[bool]):
    """One condition over patients in two wordings.

    Args:
        sqlite: For SQLite.
        others: For every other database.
    """

    # a statement that holds one is compiled anew each time: it is asked once in a while
    inherit_cache = False
    type = Boolean()

    def __init__(self, *, sqlite: ColumnElement[bool], others: ColumnElement[bool]) -> None:
        self.sqlite = sqlite
        self.others = others

    def self_group(self, against: OperatorType | None = None) -> "ByDatabase":  # noqa: ARG002
        """Stand under AND and OR as it is; a column would be compared with 1 on SQLite."""
        return self

    def _negate(self) -> "ByDatabase":
        return ByDatabase(sqlite=not_(self.sqlite), others=not_(self.others))

    @property
    def _from_objects(self) -> list[FromClause]:
        return [Patient.__table__]


@compiles(ByDatabase)
def _for_others(element: ByDatabase, compiler: SQLCompiler, **given: Any) -> str:
    return f"({compiler.process(element.others, **given)})"


@compiles(ByDatabase, "sqlite")
def _for_sqlite(element: ByDatabase, compiler: SQLCompiler, **given: Any) -> str:
    return f"({compiler.process(element.sqlite, **given)})"
