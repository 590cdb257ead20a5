"""May a step be delivered, may an attempt start: every rule, in its order."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from clinic.address import address_hash
from clinic.contact_policy import ContactPolicy
from clinic.delivery import Deferred, Skipped, SkipReason
from clinic.delivery_check import (
    Address,
    AttemptFacts,
    LeftOut,
    address_on,
    check_delivery,
    why_left_out,
)
from clinic.plan import Plan
from clinic.standing import Contact, PatientStatus, Standing

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=12)
POLICY = ContactPolicy.model_validate(
    {
        "contact_hours": {"tuesday": "09:00-20:00", "wednesday": "09:00-20:00"},
        "contacts_per_day": 1,
        "cool_down": "90 days",
    }
)
FACTS = AttemptFacts(over=False, answered=False, campaign_paused=False, campaign_over=False)
PATIENT = Standing(
    patient_id="pt-1",
    external_id="A-1",
    first_name="Ana",
    last_name="Gil",
    language="es",
    status=PatientStatus.ACTIVE,
    opted_out=False,
    booked=False,
    contact=Contact(email="ana@example.com", phone="+13055550101"),
    suppressed=frozenset(),
    open_attempt_id=None,
    last_ended_at=None,
    contacted_at=(),
)
GOOD = Address(address="ana@example.com", hashed="h")
NONE = Address(address=None)
BAD = Address(address="ana@example.com", bad=True, hashed="h")
SUPPRESSED = PATIENT.model_copy(update={"suppressed": frozenset({"h"})})
PLAN = Plan.model_validate(
    {
        "name": "two",
        "steps": [
            {"channel": "email", "template": "t", "wait": "1 day"},
            {"channel": "sms", "template": "t", "wait": "1 day"},
        ],
    }
)


def standing(**given: object) -> Standing:
    return PATIENT.model_copy(update=given)


def facts(**given: bool) -> AttemptFacts:
    return FACTS.model_copy(update=given)


def check(
    attempt: AttemptFacts = FACTS,
    patient: Standing = PATIENT,
    address: Address = GOOD,
    *,
    by_person: bool = False,
    now: datetime = NOON,
) -> Skipped | Deferred | None:
    return check_delivery(
        attempt, patient, address, by_person=by_person, policy=POLICY, zone=NEW_YORK, now=now
    )


def test_nothing_stands_in_the_way() -> None:
    assert check() is None


@pytest.mark.parametrize(
    ("attempt", "patient", "address", "reason"),
    [
        pytest.param(facts(over=True), PATIENT, GOOD, SkipReason.ATTEMPT_OVER, id="over"),
        pytest.param(
            FACTS,
            standing(status=PatientStatus.DECEASED),
            GOOD,
            SkipReason.DECEASED,
            id="deceased",
        ),
        pytest.param(
            FACTS, standing(status=PatientStatus.MOVED), GOOD, SkipReason.MOVED, id="moved"
        ),
        pytest.param(
            FACTS, standing(status=PatientStatus.INACTIVE), GOOD, SkipReason.INACTIVE, id="inactive"
        ),
        pytest.param(FACTS, standing(opted_out=True), GOOD, SkipReason.OPTED_OUT, id="opted out"),
        pytest.param(FACTS, standing(booked=True), GOOD, SkipReason.ALREADY_BOOKED, id="booked"),
        pytest.param(
            facts(campaign_over=True), PATIENT, GOOD, SkipReason.CAMPAIGN_OVER, id="campaign over"
        ),
        pytest.param(FACTS, PATIENT, NONE, SkipReason.NO_ADDRESS, id="no address"),
        pytest.param(FACTS, PATIENT, BAD, SkipReason.BAD_ADDRESS, id="a bad address"),
        pytest.param(FACTS, SUPPRESSED, GOOD, SkipReason.SUPPRESSED, id="a suppressed address"),
    ],
)
@pytest.mark.parametrize("by_person", [False, True], ids=["by machine", "by a person"])
def test_a_step_is_skipped(
    attempt: AttemptFacts,
    patient: Standing,
    address: Address,
    reason: SkipReason,
    by_person: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert Skipped(reason=reason) == check(attempt, patient, address, by_person=by_person)


@pytest.mark.parametrize(
    ("attempt", "rule"),
    [
        pytest.param(
            facts(answered=True), "an answer is on its way to this attempt", id="an answer"
        ),
        pytest.param(facts(campaign_paused=True), "the campaign is paused", id="a pause"),
        pytest.param(
            facts(campaign_paused=True, campaign_over=True),
            "the campaign is paused",
            id="a pause holds also after the end date",
        ),
    ],
)
def test_a_step_waits_for_an_event(attempt: AttemptFacts, rule: str) -> None:
    assert Deferred(until=None, rule=rule) == check(attempt)


def test_a_message_waits_for_the_contact_hours() -> None:
    opening = datetime(2027, 3, 3, 14, 0, tzinfo=UTC)
    assert Deferred(until=opening, rule="contact hours: 09:00-20:00") == check(now=NIGHT)


def test_a_message_waits_for_the_next_day_after_a_contact() -> None:
    deferred = check(patient=standing(contacted_at=(NOON - timedelta(hours=1),)))
    assert isinstance(deferred, Deferred)
    assert deferred.rule == "contacts per day: at most 1"


def test_the_policy_binds_no_person() -> None:
    contacted = standing(contacted_at=(NIGHT,))
    assert check(patient=contacted, by_person=True, now=NIGHT) is None


@pytest.mark.parametrize(
    ("attempt", "patient", "address", "reason"),
    [
        pytest.param(
            facts(over=True, answered=True),
            standing(status=PatientStatus.DECEASED),
            NONE,
            SkipReason.ATTEMPT_OVER,
            id="over, before all",
        ),
        pytest.param(
            facts(answered=True, campaign_paused=True),
            standing(opted_out=True, booked=True),
            NONE,
            SkipReason.OPTED_OUT,
            id="what ends the attempt, before what holds it",
        ),
        pytest.param(
            facts(campaign_over=True), PATIENT, NONE, SkipReason.CAMPAIGN_OVER, id="the end date"
        ),
        pytest.param(FACTS, SUPPRESSED, BAD, SkipReason.BAD_ADDRESS, id="bad, then suppressed"),
    ],
)
def test_of_several_reasons_the_gravest_is_given(
    attempt: AttemptFacts, patient: Standing, address: Address, reason: SkipReason
) -> None:
    assert Skipped(reason=reason) == check(attempt, patient, address, now=NIGHT)


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        pytest.param(PATIENT, None, id="nothing"),
        pytest.param(standing(status=PatientStatus.DECEASED), LeftOut.DECEASED, id="deceased"),
        pytest.param(standing(status=PatientStatus.MOVED), LeftOut.MOVED, id="moved"),
        pytest.param(standing(status=PatientStatus.INACTIVE), LeftOut.INACTIVE, id="inactive"),
        pytest.param(standing(opted_out=True), LeftOut.OPTED_OUT, id="opted out"),
        pytest.param(standing(booked=True), LeftOut.ALREADY_BOOKED, id="booked"),
        pytest.param(standing(open_attempt_id="at-1"), LeftOut.OPEN_ATTEMPT, id="open attempt"),
        pytest.param(
            standing(last_ended_at=NOON - timedelta(days=90) + timedelta(seconds=1)),
            LeftOut.COOL_DOWN,
            id="the last second of the cool-down",
        ),
        pytest.param(
            standing(last_ended_at=NOON - timedelta(days=90)), None, id="the cool-down is over"
        ),
    ],
)
def test_a_patient_is_left_out(patient: Standing, reason: LeftOut | None) -> None:
    addresses = {"email": GOOD, "sms": NONE}
    assert reason == why_left_out(patient, PLAN, addresses, POLICY, NOON)


@pytest.mark.parametrize(
    ("email", "sms", "reason"),
    [
        pytest.param(NONE, NONE, LeftOut.NO_WAY_TO_REACH, id="no address at all"),
        pytest.param(BAD, NONE, LeftOut.NO_WAY_TO_REACH, id="a bad one"),
        pytest.param(GOOD, NONE, LeftOut.NO_WAY_TO_REACH, id="a suppressed one"),
        pytest.param(NONE, Address(address="+1", hashed="x"), None, id="one that is left"),
    ],
)
def test_a_patient_whom_no_step_reaches_is_left_out(
    email: Address, sms: Address, reason: LeftOut | None
) -> None:
    found = why_left_out(SUPPRESSED, PLAN, {"email": email, "sms": sms}, POLICY, NOON)
    assert reason == found


def test_an_address_carries_its_keyed_hash() -> None:
    key = SecretStr("k" * 32)
    found = address_on(lambda contact: (contact.email, contact.email_bad), PATIENT.contact, key)
    hashed = address_hash(key, "ana@example.com")
    assert Address(address="ana@example.com", bad=False, hashed=hashed) == found
    none = address_on(lambda _: (None, False), PATIENT.contact, key)
    assert Address(address=None) == none


def test_every_reason_that_ends_an_attempt_has_its_outcome_and_leaves_out_at_the_start() -> None:
    ending = {reason for reason in SkipReason if reason.ends_as} - {SkipReason.ATTEMPT_OVER}
    assert {reason.value for reason in ending} <= {reason.value for reason in LeftOut}
