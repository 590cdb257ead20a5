"""The policies that come with the product: every rule has its source, and named days its answer."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import clinic
from clinic.contact_policy import (
    ContactCalendar,
    ContactPolicy,
    Content,
    PastContact,
    calendar_for,
    consent_lacking,
    cooled_down,
    may_contact,
    too_long,
)
from clinic.contact_policy.rules import Rule
from clinic.yaml_document import read_yaml

SHIPPED = Path(clinic.__file__).with_name("policies")
NAMES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
POLICIES = {name: read_yaml(SHIPPED / f"{name}.yaml", ContactPolicy) for name in NAMES}
ZONES = {
    "cl": "America/Santiago",
    "co": "America/Bogota",
    "default": "Europe/Lisbon",
    "es": "Europe/Madrid",
    "mx": "America/Mexico_City",
    "ru": "Europe/Moscow",
    "us": "America/New_York",
}
READ_ON = date(2026, 11, 21)
"""When the sources were read; what comes into force later is in the file with its date."""
TO_COME = {("cl", "Ley 21.719")}


def rules_of(policy: ContactPolicy) -> Iterator[Rule]:
    for field in ContactPolicy.model_fields:
        value = getattr(policy, field)
        listed = value if isinstance(value, tuple) else (value,)
        yield from (each for each in listed if isinstance(each, Rule))


RULES = [(name, rule) for name in NAMES for rule in rules_of(POLICIES[name])]


def local(name: str, written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo(ZONES[name])).astimezone(UTC)


def asked(name: str, now: str, *earlier: str, channel: str = "sms") -> tuple[str, str] | None:
    """Ask about a moment after contacts such as `2026-11-20 10:00 email`; all local time."""
    zone = ZoneInfo(ZONES[name])
    parts = [each.rsplit(" ", 1) for each in earlier]
    contacts = [PastContact(at=local(name, at), channel=on) for at, on in parts]
    calendar = ContactCalendar(zone=zone)
    blocked = may_contact(POLICIES[name], calendar, channel, local(name, now), contacts)
    if blocked is None:
        return None
    return f"{blocked.until.astimezone(zone):%Y-%m-%d %H:%M}", blocked.rule


def test_these_policies_are_shipped() -> None:
    assert NAMES == ["cl", "co", "default", "es", "mx", "ru", "us"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_policy_protects_and_says_what_it_is(name: str) -> None:
    policy = POLICIES[name]
    assert policy.description
    assert not policy.demonstration
    assert policy.country == ("" if name == "default" else name.upper())
    assert policy.holidays is None or policy.holidays.country == policy.country


@pytest.mark.parametrize(
    ("name", "rule"), [pytest.param(*each, id=f"{each[0]}: {each[1].source}") for each in RULES]
)
def test_every_rule_names_its_source_and_its_date(name: str, rule: Rule) -> None:
    assert len(rule.source) <= 60
    house = rule.source.startswith("house rule: ")
    assert house or any(figure.isdigit() for figure in rule.source) or "LFPDPPP" in rule.source
    assert rule.in_force(READ_ON) != ((name, rule.source) in TO_COME)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_policy_has_hours_a_cap_a_rest_and_consent(name: str) -> None:
    policy = POLICIES[name]
    assert policy.contacts is not None
    assert policy.contacts.per_day == 1
    assert policy.cool_down is not None
    assert {rule.content for rule in policy.consent} == {"reminder", "advertising"}


@pytest.mark.parametrize("name", NAMES)
def test_the_default_is_at_least_as_cautious_in_hours_and_caps(name: str) -> None:
    default, other = POLICIES["default"], POLICIES[name]
    for narrow, wide in zip(default.contact_hours.week, other.contact_hours.week, strict=True):
        for window in narrow:
            assert any(each.opens <= window.opens < window.closes <= each.closes for each in wide)
    assert default.contacts is not None
    assert other.contacts is not None
    assert (default.contacts.per_week or 7) <= (other.contacts.per_week or 7)


LEY_2300 = "(Ley 2300 de 2023, art. 3)"
LGDCU = "(LGDCU, art. 96.2)"
NO_LAW = "(house rule: no law sets hours for reminders)"
KEPT_FREE = "(house rule: holidays are kept free)"


@pytest.mark.parametrize(
    ("name", "now", "until", "rule"),
    [
        pytest.param("co", "2026-11-20 07:00", None, "", id="co: Friday at seven"),
        pytest.param("co", "2026-11-20 18:59", None, "", id="co: Friday before seven"),
        pytest.param(
            "co",
            "2026-11-20 19:00",
            "2026-11-21 08:00",
            f"contact hours: 07:00-19:00 on friday {LEY_2300}",
            id="co: Friday at seven in the evening",
        ),
        pytest.param("co", "2026-11-21 14:59", None, "", id="co: Saturday before three"),
        pytest.param(
            "co",
            "2026-11-21 15:00",
            "2026-11-23 07:00",
            f"contact hours: 08:00-15:00 on saturday, none on sunday {LEY_2300}",
            id="co: Saturday at three",
        ),
        pytest.param(
            "co",
            "2026-11-22 10:00",
            "2026-11-23 07:00",
            f"contact hours: none on sunday {LEY_2300}",
            id="co: Sunday",
        ),
        pytest.param(
            "co",
            "2026-12-08 10:00",
            "2026-12-09 07:00",
            f"holiday: Immaculate Conception {LEY_2300}",
            id="co: 8 December",
        ),
        pytest.param("us", "2026-11-22 20:59", None, "", id="us: Sunday before nine"),
        pytest.param(
            "us",
            "2026-11-22 21:00",
            "2026-11-23 08:00",
            "contact hours: 08:00-21:00 on sunday (47 CFR 64.1200(c)(1))",
            id="us: Sunday at nine",
        ),
        pytest.param(
            "us",
            "2026-11-26 12:00",
            "2026-11-27 08:00",
            "holiday: Thanksgiving Day (house rule: federal holidays are kept free)",
            id="us: Thanksgiving",
        ),
        pytest.param("es", "2026-11-20 20:59", None, "", id="es: Friday before nine"),
        pytest.param(
            "es",
            "2026-11-20 21:00",
            "2026-11-23 09:00",
            f"contact hours: 09:00-21:00 on friday, none on saturday, sunday {LGDCU}",
            id="es: Friday at nine, over the weekend",
        ),
        pytest.param(
            "es",
            "2026-12-08 12:00",
            "2026-12-09 09:00",
            f"holiday: Immaculate Conception {LGDCU}",
            id="es: 8 December",
        ),
        pytest.param(
            "cl",
            "2026-09-18 12:00",
            "2026-09-21 09:00",
            f"holiday: Independence Day {KEPT_FREE}; holiday: Army Day {KEPT_FREE}; "
            f"contact hours: none on sunday {NO_LAW}",
            id="cl: Fiestas Patrias",
        ),
        pytest.param(
            "mx",
            "2026-11-16 12:00",
            "2026-11-17 09:00",
            f"holiday: Revolution Day {KEPT_FREE}",
            id="mx: Revolution Day, on its Monday",
        ),
        pytest.param(
            "ru",
            "2026-05-08 21:00",
            "2026-05-12 09:00",
            f"contact hours: 09:00-20:00 on friday {NO_LAW}; holiday: Victory Day {KEPT_FREE}; "
            "and 2 more",
            id="ru: Victory Day, and its Monday",
        ),
        pytest.param(
            "default",
            "2026-11-20 19:00",
            "2026-11-23 09:00",
            "contact hours: 09:00-19:00 on friday, none on saturday, sunday "
            "(house rule: within the hours of every shipped policy)",
            id="default: Friday at seven, over the weekend",
        ),
    ],
)
def test_a_named_moment_has_its_answer(name: str, now: str, until: str | None, rule: str) -> None:
    assert (until and (until, rule)) == asked(name, now)


def test_colombia_stretches_email_sms_and_call_to_a_week_each() -> None:
    email = "2026-11-23 10:00 email"
    first = asked("co", "2026-11-26 10:00", email)
    assert first == (
        "2026-11-30 10:00",
        f"one channel a week: email on Mon 2026-11-23 {LEY_2300}",
    )
    sms = f"{first[0]} sms"
    # a week later is Monday 7 December, the day before a holiday
    second = asked("co", "2026-12-04 10:00", email, sms, channel="call")
    assert second == ("2026-12-07 10:00", f"one channel a week: sms on Mon 2026-11-30 {LEY_2300}")
    assert asked("co", "2026-12-07 10:00", email, sms, channel="call") is None


def test_colombia_writes_twice_on_one_channel_but_not_on_one_day() -> None:
    assert asked("co", "2026-11-24 10:00", "2026-11-23 10:00 sms") is None
    assert asked("co", "2026-11-23 16:00", "2026-11-23 10:00 sms") == (
        "2026-11-24 07:00",
        f"contacts per day: at most 1 {LEY_2300}",
    )


def test_the_united_states_take_three_contacts_a_week() -> None:
    two = ("2026-11-16 10:00 email", "2026-11-17 10:00 sms")
    assert asked("us", "2026-11-19 10:00", *two) is None
    assert asked("us", "2026-11-19 10:00", *two, "2026-11-18 10:00 sms") == (
        "2026-11-23 08:00",
        "contacts per week: at most 3 (47 CFR 64.1200(a)(9)(iv))",
    )


@pytest.mark.parametrize(
    ("name", "phone", "zone"),
    [
        pytest.param("us", "+12135550100", "America/Los_Angeles", id="us: Los Angeles"),
        pytest.param("es", "+34922555010", "Atlantic/Canary", id="es: a landline on Tenerife"),
        pytest.param("es", "+34600555010", "Europe/Madrid", id="es: a mobile tells nothing"),
        pytest.param("ru", "+73835550100", "Asia/Novosibirsk", id="ru: a landline"),
        pytest.param("ru", "+79165550100", "Europe/Moscow", id="ru: a mobile tells nothing"),
        pytest.param("co", "+13055550100", "America/Bogota", id="co: always the clinic's"),
    ],
)
def test_whose_time_counts(name: str, phone: str, zone: str) -> None:
    clinic = ContactCalendar(zone=ZoneInfo(ZONES[name]))
    assert clinic.in_zones(ZoneInfo(zone)) == calendar_for(POLICIES[name], clinic, phone)


@pytest.mark.parametrize(
    ("name", "channel", "content", "source"),
    [
        pytest.param("co", "sms", "reminder", None, id="co: a reminder"),
        pytest.param("co", "sms", "advertising", "Ley 2300 de 2023, art. 2 and 5", id="co"),
        pytest.param("us", "sms", "reminder", None, id="us: a reminder"),
        pytest.param("us", "sms", "advertising", "47 CFR 64.1200(a)(2)", id="us: an SMS"),
        pytest.param("us", "email", "advertising", "45 CFR 164.508(a)(3)", id="us: an email"),
        pytest.param("es", "email", "reminder", None, id="es: a reminder"),
        pytest.param("es", "email", "advertising", "LSSI, art. 21.1", id="es: an email"),
        pytest.param("es", "call", "advertising", "Ley 11/2022, art. 66.1", id="es: a call"),
        pytest.param("cl", "sms", "reminder", None, id="cl: a reminder"),
        pytest.param("mx", "sms", "reminder", None, id="mx: a reminder"),
        pytest.param("mx", "sms", "advertising", "LFPDPPP of 2025", id="mx"),
        pytest.param("ru", "email", "reminder", None, id="ru: a reminder by email"),
        pytest.param("ru", "sms", "reminder", "126-FZ, art. 44.1", id="ru: a reminder by SMS"),
        pytest.param("ru", "call", "advertising", "38-FZ, art. 18(1)", id="ru: a call"),
        pytest.param("default", "sms", "reminder", None, id="default: a reminder"),
        pytest.param(
            "default", "call", "advertising", "house rule: advertising is asked for", id="default"
        ),
    ],
)
def test_who_was_never_asked_gets_what_the_law_lets_through(
    name: str, channel: str, content: Content, source: str | None
) -> None:
    said = source and f"consent: {content} by {channel} needs the patient's yes ({source})"
    assert said == consent_lacking(POLICIES[name], channel, content, {}, on=READ_ON)


def test_chile_asks_for_consent_to_advertising_from_december_2026() -> None:
    policy = POLICIES["cl"]
    last_day = date(2026, 11, 30)
    assert consent_lacking(policy, "sms", "advertising", {}, on=last_day) is None
    refused = {("sms", "advertising"): False}
    said = "consent: advertising by sms was refused (Ley 19.496, art. 28 B)"
    assert said == consent_lacking(policy, "sms", "advertising", refused, on=last_day)
    said = "consent: advertising by sms needs the patient's yes (Ley 21.719)"
    assert said == consent_lacking(policy, "sms", "advertising", {}, on=date(2026, 12, 1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channel", ["email", "sms", "call", "whatsapp"])
@pytest.mark.parametrize("content", ["reminder", "advertising"])
def test_a_refusal_closes_its_channel_under_every_policy(
    name: str, channel: str, content: Content
) -> None:
    refused: dict[tuple[str, str], bool] = {(channel, content): False}
    words = consent_lacking(POLICIES[name], channel, content, refused, on=READ_ON)
    assert words is not None
    assert words.startswith(f"consent: {content} by {channel} was refused (")


def test_a_reminder_by_sms_has_160_characters_in_the_united_states() -> None:
    policy = POLICIES["us"]
    source = "47 CFR 64.1200(a)(9)(iv)"
    said = f"length: over 160 characters for reminder by sms ({source})"
    assert said == too_long(policy, "sms", "reminder", "x" * 161)
    assert too_long(policy, "sms", "reminder", "x" * 160) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_patient_rests_for_90_days_between_two_attempts(name: str) -> None:
    ended = local(name, "2026-11-02 10:00")
    assert cooled_down(POLICIES[name], ended, ended + timedelta(days=90)) is None
    blocked = cooled_down(POLICIES[name], ended, ended + timedelta(days=89))
    assert blocked is not None
    said = "cool-down: 90 days after 2026-11-02 (house rule: a rest between two attempts)"
    assert blocked.rule == said
