"""National ids, checked where python-stdnum knows a country's."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from stdnum.exceptions import InvalidFormat, ValidationError

from clinic.register_import.cell import quoted
from clinic.register_import.cell_problem import CellProblem, Reason

_FEWEST_CHARACTERS = 5
"""No country numbers its people with fewer; what is shorter is a slip."""


def read_national_id(written: str, country: str) -> str:
    """Return a national id in its compact form.

    Args:
        written: As the front desk wrote it, with or without dots and dashes.
        country: ISO 3166 code of the clinic. What does not have the form of an id of that
            country, such as a foreigner's passport, is kept without being checked.

    Raises:
        ValueError: It has the form, but its check digit or a part of it is wrong; or it is none.
    """
    compact = "".join(filter(str.isalnum, written)).upper()
    if len(compact) < _FEWEST_CHARACTERS or not any(map(str.isdigit, compact)):
        raise _refused(written, f"{quoted(written)} is no national id")
    if len(set(compact)) == 1:
        raise _refused(written, f"{quoted(written)} is no national id: it fills the field")
    wrong = ""
    for known in _known_in(country):
        if known.length not in (None, len(compact)):
            continue
        try:
            return known.validate(written)
        except InvalidFormat:
            continue
        except ValidationError as error:
            wrong = str(error)
    if wrong:
        raise _refused(written, f"{quoted(written)} is no national id of {country}: {wrong}")
    return compact


def _refused(written: str, said: str) -> ValueError:
    return ValueError(Reason(CellProblem.NO_NATIONAL_ID, said, written))


@dataclass(frozen=True)
class _NationalId:
    validate: Callable[[str], str]
    length: int | None


@cache
def _known_in(country: str) -> tuple[_NationalId, ...]:
    return tuple(
        _NationalId(import_module(f"stdnum.{entry['module']}").validate, entry.get("length"))
        for entry in known_countries().get(country, ())
    )


@cache
def known_countries() -> dict[str, list[dict[str, Any]]]:
    """Return the table: ISO 3166 code to the modules that check its ids."""
    table: dict[str, list[dict[str, Any]]] = yaml.safe_load(
        Path(__file__).with_name("national_ids.yaml").read_text(encoding="utf-8")
    )
    return table
