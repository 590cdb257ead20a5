"""What FHIR's elements have in common: when they hold, their codes, and which one comes first."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

Element = Mapping[str, Any]
"""A part of a resource, as it stands in its JSON."""


def in_use(elements: Iterable[Element], today: date) -> list[Element]:
    """Return the elements that are not marked as old, and whose period has not ended."""
    return [
        element
        for element in elements
        if element.get("use") != "old" and not _has_ended(element.get("period") or {}, today)
    ]


def codes(concepts: Iterable[Element]) -> set[str]:
    """Return the codes of some concepts, of whichever system."""
    return {
        coding["code"]
        for concept in concepts
        for coding in concept.get("coding", [])
        if "code" in coding
    }


def place(value: str | None, order: tuple[str | None, ...]) -> int:
    """Return where a value stands in an order; what is not in it comes last."""
    return order.index(value) if value in order else len(order)


def _has_ended(period: Element, today: date) -> bool:
    end = str(period.get("end", ""))
    return bool(end) and end[:10] < today.isoformat()[: len(end[:10])]
