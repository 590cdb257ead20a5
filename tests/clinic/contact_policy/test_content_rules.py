"""Consent by channel and content, and the length of a text."""

from datetime import date
from typing import Any

import pytest

from clinic.contact_policy import ContactPolicy, Content, consent_lacking, too_long

RULE = {"source": "house rule", "since": "2026-01-01"}


def policy(**rules: list[dict[str, Any]]) -> ContactPolicy:
    given = {name: [RULE | rule for rule in listed] for name, listed in rules.items()}
    return ContactPolicy.model_validate({"contact_hours": RULE | {"monday": "09:00-20:00"}} | given)


NO_RULE = policy()
ADVERTISING_GIVEN = policy(
    consent=[{"content": "advertising", "channels": "all", "needs": "given"}]
)
SMS_GIVEN = policy(consent=[{"content": "reminder", "channels": ["sms"], "needs": "given"}])
NOT_REFUSED = policy(
    consent=[
        {
            "content": "reminder",
            "channels": "all",
            "needs": "not_refused",
            "source": "GDPR, art. 21",
        }
    ]
)


@pytest.mark.parametrize(
    ("rules", "channel", "content", "consents"),
    [
        pytest.param(NO_RULE, "sms", "advertising", {}, id="no rule"),
        pytest.param(ADVERTISING_GIVEN, "sms", "reminder", {}, id="a rule for other content"),
        pytest.param(SMS_GIVEN, "email", "reminder", {}, id="a rule for another channel"),
        pytest.param(SMS_GIVEN, "sms", "reminder", {("sms", "reminder"): True}, id="given"),
        pytest.param(NOT_REFUSED, "sms", "reminder", {}, id="never asked"),
        pytest.param(
            NO_RULE, "sms", "reminder", {("email", "reminder"): False}, id="refused elsewhere"
        ),
        pytest.param(
            NO_RULE, "sms", "reminder", {("sms", "advertising"): False}, id="only offers refused"
        ),
    ],
)
def test_no_consent_is_lacking(
    rules: ContactPolicy, channel: str, content: Content, consents: dict[tuple[str, str], bool]
) -> None:
    assert consent_lacking(rules, channel, content, consents) is None


@pytest.mark.parametrize(
    ("rules", "content", "consents", "words"),
    [
        pytest.param(
            ADVERTISING_GIVEN,
            "advertising",
            {},
            "consent: advertising by sms needs the patient's yes (house rule)",
            id="not given",
        ),
        pytest.param(
            ADVERTISING_GIVEN,
            "advertising",
            {("email", "advertising"): True, ("sms", "reminder"): True},
            "consent: advertising by sms needs the patient's yes (house rule)",
            id="given for another channel and another content",
        ),
        pytest.param(
            NO_RULE,
            "reminder",
            {("sms", "reminder"): False},
            "consent: reminder by sms was refused (the patient's wish)",
            id="refused, without any rule",
        ),
        pytest.param(
            NOT_REFUSED,
            "reminder",
            {("sms", "reminder"): False},
            "consent: reminder by sms was refused (GDPR, art. 21)",
            id="refused, by a rule",
        ),
        pytest.param(
            NO_RULE,
            "advertising",
            {("sms", "reminder"): False},
            "consent: advertising by sms was refused (the patient's wish)",
            id="who refused reminders wants no advertising",
        ),
        pytest.param(
            ADVERTISING_GIVEN,
            "advertising",
            {("sms", "reminder"): False, ("sms", "advertising"): True},
            "consent: advertising by sms was refused (house rule)",
            id="a refusal weighs more than an older yes",
        ),
    ],
)
def test_a_lacking_consent_is_named_by_its_rule(
    rules: ContactPolicy, content: Content, consents: dict[tuple[str, str], bool], words: str
) -> None:
    assert words == consent_lacking(rules, "sms", content, consents)


@pytest.mark.parametrize(
    ("consents", "lacking"),
    [
        pytest.param({}, False, id="never asked"),
        # a list that says no to every channel can't name this one
        pytest.param({("sms", "reminder"): False}, True, id="no text messages"),
        pytest.param({("email", "reminder"): False}, False, id="no email"),
        pytest.param(
            {("sms", "reminder"): False, ("gateway", "reminder"): True}, False, id="but these"
        ),
        pytest.param({("gateway", "reminder"): False}, True, id="not these"),
    ],
)
def test_a_no_to_text_messages_holds_on_a_plug_in_until_the_patient_said_more(
    consents: dict[tuple[str, str], bool],
    lacking: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert lacking == (consent_lacking(NO_RULE, "gateway", "reminder", consents) is not None)


@pytest.mark.parametrize(
    ("on", "lacking"),
    [
        pytest.param(date(2026, 11, 30), False, id="the day before"),
        pytest.param(date(2026, 12, 1), True, id="the day itself"),
        pytest.param(None, True, id="no day: every rule counts"),
    ],
)
def test_a_rule_counts_from_its_date(
    on: date | None,
    lacking: bool,  # noqa: FBT001 - a column of the table
) -> None:
    consent = {"content": "reminder", "channels": "all", "needs": "given"}
    length = {"content": "reminder", "channel": "sms", "characters": 1}
    later = policy(
        consent=[consent | {"since": "2026-12-01"}], length=[length | {"since": "2026-12-01"}]
    )
    assert lacking == (consent_lacking(later, "sms", "reminder", {}, on=on) is not None)
    assert lacking == (too_long(later, "sms", "reminder", "hello", on=on) is not None)


def test_a_refusal_counts_on_any_day() -> None:
    refused = {("sms", "reminder"): False}
    day = date(2020, 1, 1)
    assert consent_lacking(NOT_REFUSED, "sms", "reminder", refused, on=day) is not None


SHORT_SMS = policy(length=[{"channel": "sms", "content": "reminder", "characters": 160}])


def test_a_text_that_is_too_long_is_named_with_both_figures() -> None:
    said = "length: over 160 characters for reminder by sms (house rule)"
    assert said == too_long(SHORT_SMS, "sms", "reminder", "á" * 161)


@pytest.mark.parametrize(
    ("channel", "content", "characters"),
    [
        pytest.param("sms", "reminder", 160, id="just as long as allowed"),
        pytest.param("email", "reminder", 5000, id="another channel"),
        pytest.param("sms", "advertising", 300, id="another content"),
    ],
)
def test_a_text_fits(channel: str, content: Content, characters: int) -> None:
    assert too_long(SHORT_SMS, channel, content, "x" * characters) is None
