"""Plans in YAML: what is refused, and that the error names file, line and field."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.plan import Plan
from clinic.refusal import Refusal

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile

GOOD = """\
description: two steps
steps:
  - channel: email
    template: come-back
    wait: 3 days
  - channel: call
    template: come-back
    wait: 2 days
    tries: 3
"""
STEP = {"channel": "email", "template": "come-back", "wait": "P1D"}


def test_a_plan_is_read_as_it_is_written(yaml_file: "YamlFile") -> None:
    plan = yaml_file.holding(GOOD).as_model(Plan, name="two")
    assert (plan.name, plan.description.said("ru").text) == ("two", "two steps")
    assert [("email", timedelta(days=3), 1), ("call", timedelta(days=2), 3)] == [
        (step.channel, step.wait, step.tries) for step in plan.steps
    ]
    assert [step.by_person for step in plan.steps] == [False, True]


def test_a_plan_travels_as_json_and_back(yaml_file: "YamlFile") -> None:
    plan = yaml_file.holding(f"title: {{es: dos}}\n{GOOD}").as_model(Plan, name="two")
    travelled = Plan.model_validate(plan.model_dump(mode="json"))
    assert (travelled.name, travelled.steps) == (plan.name, plan.steps)


def test_what_a_plan_is_called_does_not_travel_with_every_attempt(yaml_file: "YamlFile") -> None:
    plan = yaml_file.holding(f"title: {{es: dos}}\n{GOOD}").as_model(Plan, name="two")
    assert set(plan.model_dump(mode="json")) == {"name", "steps"}


def test_a_plan_that_travelled_with_its_description_is_still_read() -> None:
    before = {"name": "two", "description": "two steps", "steps": [STEP]}
    assert Plan.model_validate(before).name == "two"


def test_a_plan_takes_as_long_as_all_its_waits(yaml_file: "YamlFile") -> None:
    assert yaml_file.holding(GOOD).as_model(Plan, name="two").takes == timedelta(days=5)


@pytest.mark.parametrize("wait", ["1 second", "366 days"], ids=["shortest", "longest"])
def test_a_plan_may_have_one_step_and_a_short_or_long_wait(
    yaml_file: "YamlFile", wait: str
) -> None:
    text = f"steps:\n  - channel: email\n    template: come-back\n    wait: {wait}\n"
    assert len(yaml_file.holding(text).as_model(Plan, name="one").steps) == 1


@pytest.mark.parametrize(
    ("given", "written", "expected"),
    [
        pytest.param("3 days", "0 days", ":5: steps.0.wait: a wait must be longer", id="zero"),
        pytest.param("3 days", "-3 days", ":5: steps.0.wait: a wait must be longer", id="below"),
        pytest.param("3 days", "3", ":5: steps.0.wait: 3 has no unit", id="a bare number"),
        pytest.param("3 days", '"3"', ":5: steps.0.wait: 3 has no unit", id="a quoted number"),
        pytest.param("3 days", "2 years", ":5: steps.0.wait: unknown unit `years`", id="years"),
        pytest.param("3 days", "367 days", ":5: steps.0.wait: a wait must be at most", id="long"),
        pytest.param("3 days", "", ":5: steps.0.wait: ", id="no value"),
        pytest.param("    wait: 3 days\n", "", ":3: steps.0.wait: is missing", id="no wait"),
        pytest.param("wait: 3 days", "waits: 3 days", ":5: steps.0.waits: is no field", id="typo"),
        pytest.param("tries: 3", "tries: 0", ":9: steps.1.tries: ", id="no tries"),
        pytest.param("tries: 3", "tries: 11", ":9: steps.1.tries: ", id="too many tries"),
        pytest.param("tries: 3", "tries: many", ":9: steps.1.tries: ", id="tries in words"),
        pytest.param(
            "channel: call",
            "channel: sms",
            ":6: steps.1: tries are for the call",
            id="tries of sms",
        ),
        pytest.param("description:", "pace:", ":1: pace: is no field", id="unknown field"),
    ],
)
def test_a_wrong_plan_is_refused_with_file_line_and_field(
    yaml_file: "YamlFile", given: str, written: str, expected: str
) -> None:
    document = yaml_file.holding(GOOD.replace(given, written, 1))
    with pytest.raises(Refusal) as refused:
        document.as_model(Plan, name="two")
    assert f"{document.path}{expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("steps: []", ":1: steps: is empty", id="no steps"),
        pytest.param("steps:", ":1: steps: ", id="steps without a value"),
        pytest.param("description: none", ":1: steps: is missing", id="no field `steps`"),
        pytest.param("steps: email", ":1: steps: ", id="steps in a word"),
        pytest.param("steps:\n  - email", ":2: steps.0: ", id="a step in a word"),
    ],
)
def test_a_plan_without_steps_is_refused(yaml_file: "YamlFile", text: str, expected: str) -> None:
    document = yaml_file.holding(text)
    with pytest.raises(Refusal) as refused:
        document.as_model(Plan, name="none")
    assert f"{document.path}{expected}" in str(refused.value)


def test_every_problem_is_named_at_once(yaml_file: "YamlFile") -> None:
    wrong = GOOD.replace("3 days", "0 days").replace("tries: 3", "tries: 99")
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(wrong).as_model(Plan, name="two")
    first, second = str(refused.value).splitlines()
    assert first.startswith(f"{yaml_file.path}:5: steps.0.wait: ")
    assert second.startswith(f"{yaml_file.path}:9: steps.1.tries: ")
