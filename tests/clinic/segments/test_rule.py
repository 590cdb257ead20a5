"""Segments in YAML: what is refused, and that the error names file, line and field."""

from typing import TYPE_CHECKING

import pytest

from clinic.refusal import Refusal
from clinic.segments.rule import Segment

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile


def where(rule: str) -> str:
    return f"description: a rule\nwhere:\n{rule}\n"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("  treatmen: filling", ":3: where.treatmen: is no field", id="typo"),
        pytest.param("  treatment: []", ":3: where.treatment: is empty", id="of no treatment"),
        pytest.param("  loss_reason: []", ":3: where.loss_reason: is empty", id="of no reason"),
        pytest.param("  any: []", ":3: where.any: is empty", id="any of nothing"),
        pytest.param("  all: []", ":3: where.all: is empty", id="all of nothing"),
        pytest.param("  loss_reason: prices", ":3: where.loss_reason.0: ", id="unknown reason"),
        pytest.param("  loss_reason: no_call", ":3: where.loss_reason.0: ", id="another list's"),
        pytest.param("  sex: cat", ":3: where.sex: `cat` is not one of: f", id="unknown sex"),
        pytest.param("  status: gone", ":3: where.status.0: `gone` is not", id="unknown status"),
        pytest.param("  language: [es, x]", ":3: where.language.1: `x` is not", id="language"),
        pytest.param(
            "  preferred_channel: pigeon", ":3: where.preferred_channel.0: ", id="unknown channel"
        ),
        pytest.param("  treatment: '-'", ":3: where.treatment.0: `-` has neither", id="a sign"),
        pytest.param("  insurance: []", ":3: where.insurance: is empty", id="of no insurance"),
        pytest.param(
            "  not_continued: {for: 90 days}",
            ":3: where.not_continued.treatment: is missing",
            id="nothing to continue",
        ),
        pytest.param(
            "  not_continued: {treatment: braces, for: 3 hours}",
            ":3: where.not_continued.for: must be at least one day",
            id="not continued for hours",
        ),
        pytest.param(
            "  not_continued: {treatment: braces, for: 1 day, finished_by: []}",
            ":3: where.not_continued.finished_by: is empty",
            id="finished by nothing",
        ),
        pytest.param(
            "  never_returned: {}", ":3: where.never_returned.for: is missing", id="no interval"
        ),
        pytest.param(
            "  control_due: {after: crown}",
            ":3: where.control_due.every: is missing",
            id="no round",
        ),
        pytest.param("  last_contact: always", ":3: where.last_contact: ", id="contact in a word"),
        pytest.param("  last_contact: {}", ":3: where.last_contact: say `never`", id="no contact"),
        pytest.param(
            "  last_contact: {older_than: 9 days, within: 90 days}",
            ":3: where.last_contact: say `never`",
            id="two contacts",
        ),
        pytest.param("  has_email: sometimes", ":3: where.has_email: ", id="neither yes nor no"),
        pytest.param("  age: {from: 60, to: 50}", ":3: where.age: nobody is", id="age backwards"),
        pytest.param("  age: {from: -1}", ":3: where.age.from: ", id="age below zero"),
        pytest.param("  age: {over: 60}", ":3: where.age.over: is no field", id="age in words"),
        pytest.param("  last_visit: {}", ":3: where.last_visit: say either", id="no visit"),
        pytest.param(
            "  last_visit: {older_than: 180}",
            ":3: where.last_visit.older_than: 180 has no",
            id="180",
        ),
        pytest.param(
            "  last_visit: {older_than: 3 hours}",
            ":3: where.last_visit.older_than: must be",
            id="hours",
        ),
        pytest.param(
            "  last_visit: {older_than: 99999 weeks}",
            ":3: where.last_visit.older_than: is longer",
            id="longer than anybody lives",
        ),
        pytest.param(
            "  last_visit:\n    older_than: 1 day\n    between: [2026-01-01, 2026-02-01]",
            ":4: where.last_visit: say either",
            id="both",
        ),
        pytest.param(
            "  last_visit:\n    between: [2026-02-01, 2026-01-01]",
            ":4: where.last_visit: `between` ends",
            id="between backwards",
        ),
        pytest.param(
            "  last_visit:\n    between: [2026-01-01]",
            ":4: where.last_visit.between",
            id="between one day",
        ),
        pytest.param(
            "  last_visit:\n    between: [2026-02-30, 2026-03-01]",
            ":4: where.last_visit.between.0: day is out of range",
            id="an impossible date",
        ),
        pytest.param("  visits: {}", ":3: where.visits: say `at_least`", id="visits of nothing"),
        pytest.param("  visits: {at_least: -1}", ":3: where.visits.at_least: ", id="below zero"),
        pytest.param(
            "  not:\n    any:\n      - sex: cat", ":5: where.not.any.0.sex: ", id="deep inside"
        ),
        # a condition whose value was forgotten must never mean "everybody"
        pytest.param("  treatment:", ":3: where.treatment: ", id="no value"),
        pytest.param("  sex: male\n  age:", ":4: where.age: ", id="no value beside another"),
        pytest.param("  not:", ":3: where.not: ", id="not of no value"),
        pytest.param(
            "  visits: {at_most: 1, at_least: }", ":3: where.visits.at_least: ", id="null"
        ),
    ],
)
def test_a_wrong_rule_is_refused_with_file_line_and_field(
    yaml_file: "YamlFile", rule: str, expected: str
) -> None:
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(where(rule)).as_model(Segment, name="test")
    assert f"{yaml_file.path}{expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("where: {}", ":1: where: a rule needs at least one condition", id="no rule"),
        pytest.param("where:", ":1: where: ", id="no value"),
        pytest.param("description: everybody", ":1: where: is missing", id="no `where`"),
        pytest.param("where: {sex: male}\nplan: x", ":2: plan: is no field", id="unknown field"),
        pytest.param("where: {not: {}}", ":1: where.not: a rule needs", id="an empty rule inside"),
    ],
)
def test_a_segment_without_a_rule_is_refused(
    yaml_file: "YamlFile", text: str, expected: str
) -> None:
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(text).as_model(Segment, name="test")
    assert f"{yaml_file.path}{expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("{from: 60}", (60, 130)), ("{to: 17}", (0, 17)), ("{from: 18, to: 18}", (18, 18))],
)
def test_an_age_without_an_end_is_open(
    yaml_file: "YamlFile", written: str, expected: tuple[int, int]
) -> None:
    age = yaml_file.holding(where(f"  age: {written}")).as_model(Segment, name="test").where.age
    assert age is not None
    assert expected == (age.from_, age.to)


def test_one_value_may_stand_without_a_list(yaml_file: "YamlFile") -> None:
    segment = yaml_file.holding(where("  treatment: filling\n  loss_reason: price")).as_model(
        Segment, name="test"
    )
    assert segment.where.treatment == ["filling"]
    assert segment.where.loss_reason == ["price"]


@pytest.mark.parametrize(
    ("field", "written", "expected"),
    [
        ("sex", "Mujer", "female"),
        ("language", "[Español, ru]", ["es", "ru"]),
        ("status", "активный", ["active"]),
        ("loss_reason", "[waiting time, Цена]", ["waiting_time", "price"]),
        ("preferred_channel", "WhatsApp", ["whatsapp"]),
    ],
)
def test_words_of_closed_lists_are_read_as_people_write_them(
    yaml_file: "YamlFile", field: str, written: str, expected: object
) -> None:
    segment = yaml_file.holding(where(f"  {field}: {written}")).as_model(Segment, name="test")
    assert expected == getattr(segment.where, field)


def test_a_rule_tells_every_word_that_it_asks_the_register_for(yaml_file: "YamlFile") -> None:
    rule = """
  treatment: a
  not_continued: {treatment: b, for: 9 days, finished_by: [c]}
  any:
    - control_due: {after: d, every: 9 days, control: e}
    - not: {occupation: f, district: [g, h]}
  all:
    - {insurance: i, provider: j}"""
    words = yaml_file.holding(where(rule)).as_model(Segment, name="test").where.words()
    assert [*"abc", *"ij", *"de", *"fgh"] == [word for _, word in words]
