"""What a plan would do: who would get what when, and who is left out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import ContactCalendar, ContactPolicy, PastContact
from clinic.delivery import SkipReason
from clinic.delivery_check import Address, LeftOut, StepContent
from clinic.forecast import Forecast, ForecastStep, forecast, forecast_segment
from clinic.plan import Plan
from clinic.register.contact import Contact
from clinic.register.standing import PatientStatus, Standing
from clinic.tables import Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

NEW_YORK = ContactCalendar(zone=ZoneInfo("America/New_York"))
RULE = {"source": "a law", "since": "2026-01-01"}
DAYTIME = ContactPolicy.model_validate(
    {
        "contact_hours": RULE
        | dict.fromkeys(("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-20:00"),
        "contacts": {**RULE, "per_day": 1},
        "length": [{**RULE, "channel": "sms", "content": "reminder", "characters": 160}],
    }
)
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
GOOD = Address(address="an address", hashed="h")
NONE = Address(address=None)
ALL_GOOD = {"email": GOOD, "sms": GOOD, "call": GOOD}
REMINDERS = (StepContent(kind="reminder"),) * 3


def local(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=NEW_YORK.zone).astimezone(UTC)


def planned(
    plan: Plan,
    now: str,
    addresses: dict[str, Address] = ALL_GOOD,
    patient: Standing = PATIENT,
) -> Forecast:
    contents = REMINDERS[: len(plan.steps)]
    return forecast(
        patient, plan, addresses, contents, policy=DAYTIME, calendar=NEW_YORK, now=local(now)
    )


def step(channel: str, at: str | None, rule: str = "", **given: SkipReason) -> ForecastStep:
    moment = None if at is None else local(at)
    return ForecastStep(
        channel=channel, template="come-back", at=moment, rule=rule, skipped=given.get("skipped")
    )


def test_each_step_follows_the_wait_of_the_one_before(plan: Plan) -> None:
    assert (
        step("email", "2027-03-02 12:00"),
        step("sms", "2027-03-05 12:00"),
        step("call", "2027-03-09 12:00"),
    ) == planned(plan, "2027-03-02 12:00").steps


def test_a_step_outside_the_hours_is_put_off_with_the_rule(plan: Plan) -> None:
    assert (
        step("email", "2027-03-03 09:00", "contact hours: 09:00-20:00 on tuesday (a law)"),
        # three days later is a Saturday; and the call, four days after Monday, needs no rule
        step("sms", "2027-03-08 09:00", "contact hours: none on saturday, sunday (a law)"),
        step("call", "2027-03-12 09:00"),
    ) == planned(plan, "2027-03-02 21:00").steps


def test_a_call_falls_into_the_hours(plan: Plan) -> None:
    only_call = plan.model_copy(update={"steps": plan.steps[2:]})
    rule = "contact hours: none on saturday, sunday (a law)"
    assert (step("call", "2027-03-08 09:00", rule),) == planned(only_call, "2027-03-06 12:00").steps


def test_a_skipped_step_costs_no_time(plan: Plan) -> None:
    addresses = {**ALL_GOOD, "email": NONE}
    assert (
        step("email", None, skipped=SkipReason.NO_ADDRESS),
        step("sms", "2027-03-02 12:00"),
        step(
            "call",
            "2027-03-08 09:00",
            "contact hours: none on saturday, sunday (a law)",
        ),
    ) == planned(plan, "2027-03-02 12:00", addresses).steps


def test_two_contacts_never_fall_on_one_day_where_the_policy_says_so(plan: Plan) -> None:
    hasty = plan.model_copy(
        update={
            "steps": tuple(
                each.model_copy(update={"wait": timedelta(minutes=5)}) for each in plan.steps
            )
        }
    )
    assert (
        step("email", "2027-03-02 12:00"),
        step("sms", "2027-03-03 09:00", "contacts per day: at most 1 (a law)"),
        step("call", "2027-03-04 09:00", "contacts per day: at most 1 (a law)"),
    ) == planned(hasty, "2027-03-02 12:00").steps


def test_a_contact_of_today_puts_the_first_message_off(plan: Plan) -> None:
    earlier = PastContact(at=local("2027-03-02 10:00"), channel="call")
    contacted = PATIENT.model_copy(update={"contacts": (earlier,)})
    [first, *_] = planned(plan, "2027-03-02 12:00", patient=contacted).steps
    assert step("email", "2027-03-03 09:00", "contacts per day: at most 1 (a law)") == first


@pytest.mark.parametrize(
    ("given", "addresses", "reason"),
    [
        pytest.param({"booked": True}, ALL_GOOD, LeftOut.ALREADY_BOOKED, id="booked"),
        pytest.param(
            {}, dict.fromkeys(ALL_GOOD, NONE), LeftOut.NO_WAY_TO_REACH, id="no address at all"
        ),
    ],
)
def test_who_is_left_out_gets_no_step(
    plan: Plan, given: dict[str, object], addresses: dict[str, Address], reason: LeftOut
) -> None:
    left_out = planned(plan, "2027-03-02 12:00", addresses, PATIENT.model_copy(update=given))
    assert (reason, ()) == (left_out.left_out, left_out.steps)
    assert (left_out.external_id, left_out.name) == ("A-1", "Ana Gil")


def test_a_step_that_a_rule_closes_is_skipped_with_the_rule(plan: Plan) -> None:
    refused = PATIENT.model_copy(update={"consents": {("email", "reminder"): False}})
    too_long = StepContent(kind="reminder", text="x" * 161)
    found = forecast(
        refused,
        plan,
        ALL_GOOD,
        [REMINDERS[0], too_long, REMINDERS[0]],
        policy=DAYTIME,
        calendar=NEW_YORK,
        now=local("2027-03-02 12:00"),
    )
    assert found.steps == (
        step(
            "email",
            None,
            "consent: reminder by email was refused (the patient's wish)",
            skipped=SkipReason.NO_CONSENT,
        ),
        step(
            "sms",
            None,
            "length: over 160 characters for reminder by sms (a law)",
            skipped=SkipReason.TOO_LONG,
        ),
        step("call", "2027-03-02 12:00"),
    )


async def segment_forecast(rows: "Rows", plan: Plan, policy: str) -> list[Forecast]:
    """Forecast the segment of those who left for the price, by a contact policy."""
    clinic = rows.clinic
    async with clinic.database.reading() as session:
        forecasts = forecast_segment(
            session,
            clinic.folder.segment("price-was-the-reason"),
            plan,
            {
                "email": lambda contact: (contact.email, contact.email_bad),
                "sms": lambda contact: (contact.phone, contact.phone_bad or contact.sms_bad),
                "call": lambda contact: (contact.phone, contact.phone_bad),
            },
            policy=clinic.folder.policy(policy),
            folder=clinic.folder,
            links=clinic.links,
            key=clinic.key,
            now=rows.now,
        )
        return [each async for each in forecasts]


async def test_a_segments_forecast_has_everybody_in_the_clinics_order(
    rows: "Rows", plan: Plan, now: datetime
) -> None:
    await rows.patient(external_id="A-3", loss_reason="price", email=None)
    await rows.patient(external_id="A-1", loss_reason="price", opted_out_at=now)
    await rows.patient(external_id="A-2", loss_reason="distance")
    forecasts = await segment_forecast(rows, plan, "round-the-clock")
    assert [(each.external_id, each.left_out) for each in forecasts] == [
        ("A-1", LeftOut.OPTED_OUT),
        ("A-3", None),
    ]
    assert [each.skipped for each in forecasts[1].steps] == [SkipReason.NO_ADDRESS, None, None]
    assert [None, now, now + timedelta(days=4)] == [each.at for each in forecasts[1].steps]


async def test_a_large_segment_is_read_page_by_page_and_misses_nobody(
    rows: "Rows", plan: Plan
) -> None:
    everybody = [
        Patient(external_id=f"{number:04}", first_name="Ana", loss_reason="price")
        for number in range(1001)
    ]
    async with rows.clinic.database.writing() as session:
        session.add_all(everybody)
    found = await segment_forecast(rows, plan, "round-the-clock")
    assert [f"{number:04}" for number in range(1001)] == [each.external_id for each in found]
    assert {LeftOut.NO_WAY_TO_REACH} == {each.left_out for each in found}


CO = "(Ley 2300 de 2023, art. 3)"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        pytest.param(
            "2026-12-18 10:00",  # the Friday before Christmas
            (
                step("email", "2026-12-18 10:00"),
                step(
                    "sms",
                    "2026-12-26 08:00",
                    f"one channel a week: email on Fri 2026-12-18 {CO}; "
                    f"holiday: Christmas Day {CO}",
                ),
                step("call", "2027-01-02 08:00", f"one channel a week: sms on Sat 2026-12-26 {CO}"),
            ),
            id="a holiday",
        ),
        pytest.param(
            "2026-11-22 12:00",  # a Sunday
            (
                step("email", "2026-11-23 07:00", f"contact hours: none on sunday {CO}"),
                step(
                    "sms", "2026-11-30 07:00", f"one channel a week: email on Mon 2026-11-23 {CO}"
                ),
                step("call", "2026-12-07 07:00", f"one channel a week: sms on Mon 2026-11-30 {CO}"),
            ),
            id="a Sunday",
        ),
    ],
)
async def test_colombias_law_stretches_the_plan_and_is_named(
    rows: "Rows", plan: Plan, start: str, expected: tuple[ForecastStep, ...]
) -> None:
    patient = await rows.patient(loss_reason="price")
    [found] = await segment_forecast(replace(rows, now=local(start)), plan, "co")
    assert (patient.external_id, expected) == (found.external_id, found.steps)


async def test_a_text_is_measured_as_the_patient_would_read_it(
    rows: "Rows", plan: Plan, clinic_folder: Path
) -> None:
    template = clinic_folder / "templates" / "come-back.yaml"
    text = template.read_text(encoding="utf-8")
    template.write_text(text.replace("{{ link }}", "x" * 160 + " {{ link }}"), encoding="utf-8")
    await rows.patient(loss_reason="price")
    [found] = await segment_forecast(rows, plan, "us")
    assert [each.skipped for each in found.steps] == [None, SkipReason.TOO_LONG, None]
