"""`regresa segments`: the sizes, one segment closely, and what it warns of."""

import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from clinic.tables import Visit, Vocabulary

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

LAPSED = "lapsed-orthodontics"


@pytest.fixture
def register(desk: "Desk") -> "Desk":
    """Three orthodontic patients: lapsed on 2026-06-01, moved away, and not lapsed yet."""
    desk.add(Vocabulary(kind="treatment", key="orthodontics", written="Orthodontics"))
    for number, status, month in (("A-1", "active", 1), ("A-2", "moved", 1), ("A-3", "active", 5)):
        patient = desk.patient(number, status=status)
        day = date(2025, month, 1)
        desk.add(Visit(patient_id=patient.id, day=day, treatment="Orthodontics"))
    return desk


def test_the_list_counts_as_of_noon_of_a_day(register: "Desk") -> None:
    for day, expected in (("2025-06-30", 0), ("2025-07-01", 2), ("2025-12-01", 3)):
        listed = register.types("segments", "--on", day, "--json").stdout
        sizes = {row["name"]: row["patients"] for row in json.loads(listed)}
        assert expected == sizes[LAPSED]


def test_a_segment_is_shown_with_its_rule_a_sample_and_who_is_left_out(register: "Desk") -> None:
    shown = register.says("segments", LAPSED, "--on", "2025-12-01", "--sample", "2")
    for expected in (
        "had a visit for orthodontics, and last visit over 180 days ago",
        "left out: moved",
        "could get an attempt now, on some channel in use",
        "A-1",
        "A-2",
        "... and 1 more",
    ):
        assert expected in shown
    assert "A-3" not in shown


def test_a_program_gets_the_same(register: "Desk") -> None:
    shown = register.types("segments", LAPSED, "--on", "2025-12-01", "--sample", "2", "--json")
    found = json.loads(shown.stdout)
    assert (found["patients"], found["left_out"]) == (3, {"moved": 1})
    assert [one["external_id"] for one in found["sample"]] == ["A-1", "A-2"]
    assert [one["left_out"] for one in found["sample"]] == [None, "moved"]
    assert found["sample"][0]["last_visit"] == "2025-01-01"
    assert found["rule"].startswith("had a visit for orthodontics")


def test_a_word_that_nobody_has_is_warned_of_and_the_rest_still_comes(register: "Desk") -> None:
    slip = register.folder / "segments" / "slip.yaml"
    slip.write_text("description: a slip\nwhere: {treatment: orthodontix}\n", encoding="utf-8")
    for arguments in (("segments",), ("segments", "slip")):
        shown = register.types(*arguments, "--json")
        assert shown.exit_code == 0
        assert json.loads(shown.stdout)
        assert (
            "segment slip: treatment `orthodontix`: nobody on the register; "
            "there are: Orthodontics" in shown.stderr
        )


def test_a_segment_that_is_not_there_is_refused_with_those_that_are(desk: "Desk") -> None:
    said = desk.says("segments", "lapsed", code=2)
    assert "no segment `lapsed`" in said
    assert LAPSED in said


def test_a_day_that_is_none_is_refused(desk: "Desk") -> None:
    assert "2026-02-30" in desk.says("segments", "--on", "2026-02-30", code=2)
