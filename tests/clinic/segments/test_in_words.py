"""A rule says in a sentence what it asks for; none of its conditions is passed over."""

from typing import Any

import pytest

from clinic.segments.in_words import in_words
from clinic.segments.rule import Rule

CASES: list[tuple[dict[str, Any], str]] = [
    ({"treatment": "orthodontics"}, "had a visit for orthodontics"),
    ({"treatment": ["a", "b", "c"]}, "had a visit for a, b or c"),
    (
        {"not_continued": {"treatment": "braces", "for": "90 days"}},
        "last visit for braces over 90 days ago",
    ),
    (
        {"not_continued": {"treatment": "braces", "for": "90 days", "finished_by": "retainer"}},
        "last visit for braces over 90 days ago and none for retainer on that day or since",
    ),
    (
        {"never_returned": {"for": "120 days"}},
        "came on one day, over 120 days ago, and not again",
    ),
    (
        {"control_due": {"after": ["crown", "implant"], "every": "365 days"}},
        (
            "had crown or implant; last visit for that or a control (visit of any kind) "
            "over 365 days ago"
        ),
    ),
    (
        {"control_due": {"after": "crown", "every": "365 days", "control": "checkup"}},
        "had crown; last visit for that or a control (checkup) over 365 days ago",
    ),
    ({"last_visit": {"older_than": "180 days"}}, "last visit over 180 days ago"),
    (
        {"last_visit": {"between": ["2026-01-01", "2026-02-01"]}},
        "last visit from 2026-01-01 to 2026-02-01",
    ),
    ({"visits": {"at_least": 2}}, "at least 2 visits"),
    ({"visits": {"at_least": 2, "at_most": 3}}, "at least 2 and at most 3 visits"),
    ({"has_future_appointment": False}, "no appointment ahead"),
    ({"has_future_appointment": True}, "has an appointment ahead"),
    ({"last_contact": "never"}, "never written to nor called"),
    ({"last_contact": {"older_than": "90 days"}}, "last written to or called over 90 days ago"),
    ({"last_contact": {"within": "90 days"}}, "written to or called within the last 90 days"),
    ({"age": {"from": 60}}, "60 years or older"),
    ({"age": {"to": 17}}, "up to 17 years"),
    ({"age": {"from": 18, "to": 35}}, "18 to 35 years"),
    ({"sex": "female"}, "female"),
    ({"occupation": "driver"}, "occupation driver"),
    ({"district": ["Aventura", "Doral"]}, "district Aventura or Doral"),
    ({"insurance": "Unión"}, "insurance Unión"),
    ({"provider": "Dra. Gómez"}, "provider Dra. Gómez"),
    ({"language": "ru"}, "language ru"),
    ({"preferred_channel": "sms"}, "preferred channel sms"),
    ({"status": "active"}, "status active"),
    ({"loss_reason": ["waiting_time", "price"]}, "loss reason waiting time or price"),
    ({"has_email": True}, "has an email"),
    ({"has_phone": False}, "has not a phone"),
    ({"all": [{"sex": "male"}, {"has_email": True}]}, "(male), and (has an email)"),
    ({"any": [{"sex": "male"}, {"has_email": True}]}, "either (male), or (has an email)"),
    ({"not": {"sex": "male", "has_email": True}}, "not (male, and has an email)"),
]


@pytest.mark.parametrize(("rule", "expected"), CASES, ids=[words for _, words in CASES])
def test_a_rule_is_said_in_words(rule: dict[str, Any], expected: str) -> None:
    assert expected == in_words(Rule.model_validate(rule))


def test_every_condition_has_its_words() -> None:
    known = {field.alias or name for name, field in Rule.model_fields.items()}
    assert known == {field for rule, _ in CASES for field in rule}
