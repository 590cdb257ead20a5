"""What mail programs write by themselves, by the tables in `mail_reading.yaml`."""

import re
from functools import cache
from pathlib import Path

import yaml


@cache
def phrases(name: str) -> re.Pattern[str]:
    """Return the pattern that any of a table's phrases fits."""
    return re.compile("|".join(f"(?:{phrase})" for phrase in _tables()[name]), re.IGNORECASE)


@cache
def frequent_pairs() -> frozenset[str]:
    """Return the pairs of letters that are frequent in Cyrillic words."""
    return frozenset(str(_tables()["frequent_pairs"]).split())


@cache
def _tables() -> dict[str, list[str]]:
    read: dict[str, list[str]] = yaml.safe_load(
        Path(__file__).with_name("mail_reading.yaml").read_text(encoding="utf-8")
    )
    return read
