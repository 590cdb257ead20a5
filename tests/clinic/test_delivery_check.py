"""May a step be delivered, may an attempt start: every rule, in its order."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from clinic.contact_policy import ContactCalendar, ContactPolicy, PastContact
from clinic.delivery import Deferred, Skipped, SkipReason
from clinic.delivery_check import (
    Address,
    AttemptFacts,
    LeftOut,
    StepContent,
    address_on,
    calendar_of,
    check_delivery,
    why_left_out,
)
from clinic.plan import Plan, Step
from clinic.register.address import address_hash
from clinic.register.contact import Contact
from clinic.register.standing import PatientStatus, Standing

NEW_YORK = ContactCalendar(zone=ZoneInfo("America/New_York"))
NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
NIGHT = NOON + timedelta(hours=12)
RULE = {"source": "a law", "since": "2026-01-01"}
POLICY = ContactPolicy.model_validate(
    {
        "contact_hours": {**RULE, "tuesday": "09:00-20:00", "wednesday": "09:00-20:00"},
        "contacts": {**RULE, "per_day": 1},
        "cool_down": {**RULE, "for": "90 days"},
        "consent": [
            {**RULE, "content": "advertising", "channels": ["sms"], "needs": "given"},
            {
                **RULE,
                "since": "2027-03-03",
                "content": "advertising",
                "channels": "all",
                "needs": "given",
            },
        ],
        "length": [{**RULE, "channel": "sms", "content": "reminder", "characters": 160}],
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
)
GOOD = Address(address="ana@example.com", hashed="h")
NONE = Address(address=None)
BAD = Address(address="ana@example.com", bad=True, hashed="h")
SUPPRESSED = PATIENT.model_copy(update={"suppressed": frozenset({"h"})})
EMAIL, SMS, CALL = STEPS = (
    Step(channel="email", template="t", wait=timedelta(days=1)),
    Step(channel="sms", template="t", wait=timedelta(days=1)),
    Step(channel="call", template="t", wait=timedelta(days=1)),
)
PLAN = Plan(name="two", steps=(EMAIL, SMS))
REMINDER = StepContent(kind="reminder")
OFFER = StepContent(kind="advertising")


def standing(**given: object) -> Standing:
    return PATIENT.model_copy(update=given)


def facts(**given: bool) -> AttemptFacts:
    return FACTS.model_copy(update=given)


def check(
    attempt: AttemptFacts = FACTS,
    patient: Standing = PATIENT,
    address: Address = GOOD,
    *,
    step: Step = EMAIL,
    content: StepContent = REMINDER,
    now: datetime = NOON,
) -> Skipped | Deferred | None:
    return check_delivery(
        attempt,
        patient,
        address,
        step=step,
        content=content,
        policy=POLICY,
        calendar=NEW_YORK,
        now=now,
    )


def left_out(
    patient: Standing,
    addresses: dict[str, Address],
    *,
    content: StepContent = REMINDER,
    now: datetime = NOON,
) -> tuple[LeftOut, str] | None:
    return why_left_out(patient, PLAN, addresses, [content, content], POLICY, NEW_YORK, now)


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
            FACTS,
            standing(possible_duplicate=True),
            GOOD,
            SkipReason.POSSIBLE_DUPLICATE,
            id="the row may be another one's person",
        ),
        pytest.param(FACTS, standing(erased=True), GOOD, SkipReason.ERASED, id="forgotten"),
        pytest.param(
            facts(campaign_over=True), PATIENT, GOOD, SkipReason.CAMPAIGN_OVER, id="campaign over"
        ),
        pytest.param(FACTS, PATIENT, NONE, SkipReason.NO_ADDRESS, id="no address"),
        pytest.param(FACTS, PATIENT, BAD, SkipReason.BAD_ADDRESS, id="a bad address"),
        pytest.param(FACTS, SUPPRESSED, GOOD, SkipReason.SUPPRESSED, id="a suppressed address"),
    ],
)
@pytest.mark.parametrize("step", STEPS, ids=["email", "sms", "call"])
def test_a_step_is_skipped(
    attempt: AttemptFacts,
    patient: Standing,
    address: Address,
    reason: SkipReason,
    step: Step,
) -> None:
    assert Skipped(reason=reason) == check(attempt, patient, address, step=step)


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


@pytest.mark.parametrize("step", STEPS, ids=["email", "sms", "call"])
def test_a_step_waits_for_the_contact_hours_also_one_by_a_person(step: Step) -> None:
    opening = datetime(2027, 3, 3, 14, 0, tzinfo=UTC)
    expected = Deferred(until=opening, rule="contact hours: 09:00-20:00 on wednesday (a law)")
    assert expected == check(step=step, now=NIGHT)


@pytest.mark.parametrize("step", STEPS, ids=["email", "sms", "call"])
def test_a_step_waits_for_the_next_day_after_a_contact(step: Step) -> None:
    contacted = PastContact(at=NOON - timedelta(hours=1), channel="sms")
    deferred = check(patient=standing(contacts=(contacted,)), step=step)
    assert isinstance(deferred, Deferred)
    assert deferred.rule == "contacts per day: at most 1 (a law)"


@pytest.mark.parametrize(
    ("step", "content", "consents", "rule"),
    [
        pytest.param(
            SMS,
            OFFER,
            {},
            "consent: advertising by sms needs the patient's yes (a law)",
            id="an offer by SMS needs a yes",
        ),
        pytest.param(
            SMS,
            OFFER,
            {("sms", "reminder"): True},
            "consent: advertising by sms needs the patient's yes (a law)",
            id="a yes to reminders is none to offers",
        ),
        pytest.param(
            CALL,
            REMINDER,
            {("call", "reminder"): False},
            "consent: reminder by call was refused (the patient's wish)",
            id="whoever refused calls is not called, without any rule",
        ),
    ],
)
def test_a_step_that_lacks_the_consent_is_skipped_with_the_rule(
    step: Step, content: StepContent, consents: dict[tuple[str, str], bool], rule: str
) -> None:
    found = check(patient=standing(consents=consents), step=step, content=content)
    assert Skipped(reason=SkipReason.NO_CONSENT, rule=rule) == found


@pytest.mark.parametrize(
    ("step", "content", "consents"),
    [
        pytest.param(SMS, OFFER, {("sms", "advertising"): True}, id="a yes"),
        pytest.param(EMAIL, REMINDER, {("sms", "reminder"): False}, id="a no to another channel"),
        pytest.param(EMAIL, OFFER, {}, id="a rule that comes into force tomorrow"),
    ],
)
def test_a_step_with_the_consent_it_needs_is_delivered(
    step: Step, content: StepContent, consents: dict[tuple[str, str], bool]
) -> None:
    assert check(patient=standing(consents=consents), step=step, content=content) is None


def test_a_text_that_is_too_long_is_skipped_with_the_rule() -> None:
    fits = StepContent(kind="reminder", text="x" * 160)
    too_long = StepContent(kind="reminder", text="x" * 161)
    assert check(step=SMS, content=fits) is None
    assert check(step=SMS, content=too_long) == Skipped(
        reason=SkipReason.TOO_LONG,
        rule="length: over 160 characters for reminder by sms (a law)",
    )


def test_an_address_that_a_crowd_shares_gets_no_message_and_may_be_called() -> None:
    crowd = standing(crowded=frozenset({"h"}))
    expected = Skipped(
        reason=SkipReason.BAD_ADDRESS, rule="sms: the address is shared by more than 8 patients"
    )
    assert check(patient=crowd, step=SMS) == expected
    assert check(patient=crowd, step=CALL) is None


def test_of_a_landline_the_card_says_why_no_message_goes_there() -> None:
    contact = Contact(email=None, phone="+13055550101", phone_kind="landline", sms_bad=True)
    number = Address(address="+13055550101", bad=True, hashed="h")
    found = check(patient=standing(contact=contact), address=number, step=SMS)
    expected = Skipped(reason=SkipReason.BAD_ADDRESS, rule="a landline takes no text messages")
    assert expected == found


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
        pytest.param(
            FACTS,
            standing(erased=True, opted_out=True, possible_duplicate=True),
            GOOD,
            SkipReason.ERASED,
            id="forgotten, before what the empty row still says",
        ),
        pytest.param(
            FACTS,
            standing(booked=True, possible_duplicate=True),
            GOOD,
            SkipReason.ALREADY_BOOKED,
            id="booked, before what makes no booking",
        ),
        pytest.param(
            FACTS,
            standing(suppressed=frozenset({"h"}), consents={("email", "reminder"): False}),
            GOOD,
            SkipReason.SUPPRESSED,
            id="suppressed, then refused",
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
            standing(possible_duplicate=True), LeftOut.POSSIBLE_DUPLICATE, id="possible duplicate"
        ),
        pytest.param(standing(erased=True), LeftOut.ERASED, id="forgotten"),
        pytest.param(
            standing(last_ended_at=NOON - timedelta(days=90)), None, id="the cool-down is over"
        ),
    ],
)
def test_a_patient_is_left_out(patient: Standing, reason: LeftOut | None) -> None:
    expected = None if reason is None else (reason, "")
    assert expected == left_out(patient, {"email": GOOD, "sms": NONE})


def test_the_cool_down_names_its_rule_up_to_its_last_second() -> None:
    rests = standing(last_ended_at=NOON - timedelta(days=90) + timedelta(seconds=1))
    rule = "cool-down: 90 days after 2026-12-02 (a law)"
    assert (LeftOut.COOL_DOWN, rule) == left_out(rests, {"email": GOOD, "sms": NONE})


@pytest.mark.parametrize(
    ("email", "sms", "rule"),
    [
        pytest.param(NONE, NONE, "email: no address; sms: no address", id="no address at all"),
        pytest.param(BAD, NONE, "email: bad address; sms: no address", id="a bad one"),
        pytest.param(GOOD, NONE, "email: suppressed; sms: no address", id="a suppressed one"),
    ],
)
def test_a_patient_whom_no_step_reaches_is_left_out_and_every_channel_says_why(
    email: Address, sms: Address, rule: str
) -> None:
    found = left_out(SUPPRESSED, {"email": email, "sms": sms})
    assert (LeftOut.NO_WAY_TO_REACH, rule) == found


def test_one_address_that_is_left_is_enough() -> None:
    addresses = {"email": NONE, "sms": Address(address="+1", hashed="x")}
    assert left_out(SUPPRESSED, addresses) is None


def test_a_channel_that_lacks_the_consent_is_no_way_to_reach() -> None:
    wednesday = NOON + timedelta(days=1)  # the second rule on consent is in force
    assert left_out(PATIENT, {"email": NONE, "sms": GOOD}, content=OFFER, now=wednesday) == (
        LeftOut.NO_WAY_TO_REACH,
        "email: no address; consent: advertising by sms needs the patient's yes (a law)",
    )


def test_a_channel_that_closes_twice_is_named_once() -> None:
    twice = Plan(name="twice", steps=(EMAIL, EMAIL))
    found = why_left_out(
        PATIENT, twice, {"email": NONE}, [REMINDER, REMINDER], POLICY, NEW_YORK, NOON
    )
    assert found == (LeftOut.NO_WAY_TO_REACH, "email: no address")


@pytest.mark.parametrize(
    ("of", "phone", "zone"),
    [
        pytest.param("clinic", "+34912345678", "America/New_York", id="the clinic's"),
        pytest.param("patient", "+34912345678", "Europe/Madrid", id="the patient's"),
        pytest.param("patient", "+18005550100", "America/New_York", id="the clinic's among many"),
        pytest.param("patient", None, "America/New_York", id="a patient without a phone"),
    ],
)
def test_hours_and_days_are_meant_in_the_zone_that_the_policy_asks_for(
    of: str, phone: str | None, zone: str
) -> None:
    policy = ContactPolicy.model_validate(
        {"contact_hours": {**RULE, "monday": "09:00-20:00"}, "time_zone": {**RULE, "of": of}}
    )
    closed = NEW_YORK.model_copy(update={"closing_days": frozenset({date(2027, 3, 8)})})
    found = calendar_of(Contact(email=None, phone=phone), policy, closed)
    assert (ZoneInfo(zone), closed.closing_days) == (found.zone, found.closing_days)


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
