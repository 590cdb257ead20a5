"""A policy's file: what is refused, with file, line and field; and the clinic's closing days."""

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import TypeAdapter, ValidationError

from clinic.contact_policy import ClosingDays, ContactPolicy, blocks
from clinic.refusal import Refusal

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile

RULE = "source: house rule\n  since: 2026-01-01\n"
HOURS = f"contact_hours:\n  {RULE}  monday: 09:00-20:00\n"
RULE_INLINE = "source: house rule, since: 2026-01-01"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        pytest.param("monday: 09:00-09:00", "`09:00-09:00` ends as it begins", id="no length"),
        pytest.param("monday: 24:00-06:00", "`24:00-06:00` ends as it begins", id="from midnight"),
        pytest.param("monday: 9 to 5", "`9 to 5` is no window", id="words"),
        pytest.param("monday: 09:00-25:00", "`09:00-25:00` is no window", id="25 o'clock"),
        pytest.param("monday: 09:00-24:01", "`09:00-24:01` is no window", id="past midnight"),
        pytest.param("monday: 09:60-20:00", "`09:60-20:00` is no window", id="60 minutes"),
        pytest.param("monday: 09:00-12:00-20:00", "is no window", id="three ends"),
        pytest.param("monday: 9", "`9` is no window", id="a number"),
        pytest.param("monday: 9:00", "is no window", id="one end"),
        pytest.param("monday: [09:00-12:00, 13]", "`13` is no window", id="one of two"),
        pytest.param("monday: {opens: 60, closes: 30}", "is no window", id="minutes"),
        pytest.param(
            "mondays: 09:00-20:00", "mondays: is no field that is known here", id="no such day"
        ),
    ],
)
def test_hours_that_make_no_window_are_refused_with_their_line(
    yaml_file: "YamlFile", line: str, what: str
) -> None:
    document = yaml_file.holding(f"contact_hours:\n  {RULE}  {line}\n")
    with pytest.raises(Refusal) as refused:
        document.as_model(ContactPolicy)
    assert str(refused.value).startswith(f"{document.path}:4: contact_hours.monday")
    assert what in str(refused.value)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        pytest.param("description: none", ":1: contact_hours: is missing", id="no hours"),
        pytest.param(
            f"contact_hours:\n  {RULE}",
            ":2: contact_hours: no day has a window",
            id="not one day",
        ),
        pytest.param(f"{HOURS}contact_days: 7", ":5: contact_days: is no field", id="unknown rule"),
        pytest.param(
            "contact_hours:\n  since: 2026-01-01\n  monday: 09:00-20:00",
            ":2: contact_hours.source: is missing",
            id="no source",
        ),
        pytest.param(
            "contact_hours:\n  source: house rule\n  monday: 09:00-20:00",
            ":2: contact_hours.since: is missing",
            id="no date",
        ),
        pytest.param(
            f"{HOURS}contacts: {{{RULE_INLINE}, per_day: 0}}",
            ":5: contacts.per_day",
            id="none a day",
        ),
        pytest.param(
            f"{HOURS}contacts: {{{RULE_INLINE}}}",
            ":5: contacts: write per_day, per_week, or both",
            id="a cap that caps nothing",
        ),
        pytest.param(
            f"{HOURS}cool_down: 90 days",
            ":5: cool_down: `90 days` is no rule: write its fields below it (source, since,",
            id="a rule without fields",
        ),
        pytest.param(
            f"{HOURS}cool_down: {{{RULE_INLINE}, for: 90}}",
            ":5: cool_down.for: 90 has no unit",
            id="a bare number",
        ),
        pytest.param(
            f"{HOURS}cool_down: {{{RULE_INLINE}, for: -90 days}}",
            ":5: cool_down.for",
            id="a cool-down backwards",
        ),
        pytest.param(
            f"{HOURS}holidays: {{{RULE_INLINE}, country: XX}}",
            ":5: holidays: no holidays are known for country `XX`",
            id="no such country",
        ),
        pytest.param(
            f"{HOURS}holidays: {{{RULE_INLINE}, country: ES, subdivision: XX}}",
            ":5: holidays: `ES` has no subdivision `XX` (there are: AN, AR,",
            id="no such part of the country",
        ),
        pytest.param(
            f"{HOURS}time_zone: {{{RULE_INLINE}, of: server}}", ":5: time_zone.of", id="whose zone"
        ),
        pytest.param(
            f"{HOURS}consent:\n"
            f"  - {{{RULE_INLINE}, content: greeting, channels: all, needs: given}}",
            ":6: consent.0.content",
            id="an unknown content",
        ),
        pytest.param(
            f"{HOURS}consent:\n"
            f"  - {{{RULE_INLINE}, content: reminder, channels: [], needs: given}}",
            ":6: consent.0.channels: is empty",
            id="on no channel",
        ),
        pytest.param(
            f"{HOURS}consent:\n"
            f"  - {{{RULE_INLINE}, content: reminder, channels: [SMS], needs: given}}",
            ":6: consent.0.channels",
            id="on a channel that is never called so",
        ),
        pytest.param(
            f"{HOURS}length:\n"
            f"  - {{{RULE_INLINE}, content: reminder, channel: sms, characters: 0}}",
            ":6: length.0.characters",
            id="no characters",
        ),
    ],
)
def test_a_wrong_policy_is_refused_with_line_and_field(
    yaml_file: "YamlFile", text: str, where: str
) -> None:
    document = yaml_file.holding(text)
    with pytest.raises(Refusal) as refused:
        document.as_model(ContactPolicy)
    assert f"{document.path}{where}" in str(refused.value)


def test_a_policy_without_further_rules_limits_nothing_but_the_hours(
    yaml_file: "YamlFile",
) -> None:
    policy = yaml_file.holding(HOURS).as_model(ContactPolicy)
    given = policy.model_dump(exclude_defaults=True)
    assert set(given) == {"contact_hours"}


def test_hours_that_holidays_never_leave_open_are_refused(
    yaml_file: "YamlFile", monkeypatch: pytest.MonkeyPatch
) -> None:
    # no country keeps every Sunday by law today; the library once counted Sweden's
    monkeypatch.setattr(
        blocks,
        "holiday_on",
        lambda _country, _subdivision, day: "Sunday" if day.isoweekday() == 7 else None,
    )
    document = yaml_file.holding(
        f"contact_hours: {{{RULE_INLINE}, sunday: 09:00-20:00}}\n"
        f"holidays: {{{RULE_INLINE}, country: SE}}\n"
    )
    with pytest.raises(Refusal, match="no moment within 400 days is allowed"):
        document.as_model(ContactPolicy)


CLOSING_DAYS = TypeAdapter(ClosingDays)


@pytest.mark.parametrize(
    ("written", "days"),
    [
        pytest.param([], [], id="none"),
        pytest.param([date(2026, 12, 24)], ["2026-12-24"], id="a day"),
        pytest.param(["2026-12-24"], ["2026-12-24"], id="a day in quotes"),
        pytest.param(
            ["2026-12-31 to 2027-01-02", date(2027, 3, 1)],
            ["2026-12-31", "2027-01-01", "2027-01-02", "2027-03-01"],
            id="a span over New Year, and a day",
        ),
    ],
)
def test_closing_days_are_days_and_spans(written: Any, days: list[str]) -> None:
    assert {date.fromisoformat(day) for day in days} == CLOSING_DAYS.validate_python(written)


@pytest.mark.parametrize(
    ("written", "what"),
    [
        pytest.param("2026-12-24", "write a list such as", id="no list"),
        pytest.param(7, "write a list such as", id="a number"),
        pytest.param(["Christmas"], "`Christmas` is no day", id="a name"),
        pytest.param(["2027-01-02 to 2026-12-31"], "ends before it begins", id="backwards"),
        pytest.param(["2026-01-01 to 2030-01-01"], "or after a year", id="for years"),
    ],
)
def test_closing_days_that_are_none_are_refused(written: Any, what: str) -> None:
    with pytest.raises(ValidationError) as refused:
        CLOSING_DAYS.validate_python(written)
    assert what in str(refused.value)
