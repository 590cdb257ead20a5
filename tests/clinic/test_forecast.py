"""What a plan would do: who would get what when, and who is left out."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from clinic.contact_policy import ContactPolicy
from clinic.delivery import SkipReason
from clinic.delivery_check import Address, LeftOut
from clinic.forecast import Forecast, ForecastStep, forecast, forecast_segment
from clinic.plan import Plan
from clinic.standing import Contact, PatientStatus, Standing

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

NEW_YORK = ZoneInfo("America/New_York")
DAYTIME = ContactPolicy.model_validate(
    {
        "contact_hours": dict.fromkeys(
            ("monday", "tuesday", "wednesday", "thursday", "friday"), "09:00-20:00"
        ),
        "contacts_per_day": 1,
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
    contacted_at=(),
)
GOOD = Address(address="an address", hashed="h")
NONE = Address(address=None)
ALL_GOOD = {"email": GOOD, "sms": GOOD, "call": GOOD}


def local(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=NEW_YORK).astimezone(UTC)


def planned(
    plan: Plan,
    now: str,
    addresses: dict[str, Address] = ALL_GOOD,
    patient: Standing = PATIENT,
) -> Forecast:
    return forecast(patient, plan, addresses, policy=DAYTIME, zone=NEW_YORK, now=local(now))


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
        step("email", "2027-03-03 09:00", "contact hours: 09:00-20:00"),
        # three days later is a Saturday; and the call, four days after Monday, needs no rule
        step("sms", "2027-03-08 09:00", "contact hours: none on saturday"),
        step("call", "2027-03-12 09:00"),
    ) == planned(plan, "2027-03-02 21:00").steps


def test_a_call_falls_into_the_hours(plan: Plan) -> None:
    only_call = plan.model_copy(update={"steps": plan.steps[2:]})
    assert (step("call", "2027-03-08 09:00"),) == planned(only_call, "2027-03-06 12:00").steps


def test_a_skipped_step_costs_no_time(plan: Plan) -> None:
    addresses = {**ALL_GOOD, "email": NONE}
    assert (
        step("email", None, skipped=SkipReason.NO_ADDRESS),
        step("sms", "2027-03-02 12:00"),
        step("call", "2027-03-08 09:00"),
    ) == planned(plan, "2027-03-02 12:00", addresses).steps


def test_two_messages_never_fall_on_one_day(plan: Plan) -> None:
    hasty = plan.model_copy(
        update={
            "steps": tuple(
                each.model_copy(update={"wait": timedelta(minutes=5)}) for each in plan.steps
            )
        }
    )
    assert (
        step("email", "2027-03-02 12:00"),
        step("sms", "2027-03-03 09:00", "contacts per day: at most 1"),
        step("call", "2027-03-03 09:05"),
    ) == planned(hasty, "2027-03-02 12:00").steps


def test_a_contact_of_today_puts_the_first_message_off(plan: Plan) -> None:
    contacted = PATIENT.model_copy(update={"contacted_at": (local("2027-03-02 10:00"),)})
    [first, *_] = planned(plan, "2027-03-02 12:00", patient=contacted).steps
    assert step("email", "2027-03-03 09:00", "contacts per day: at most 1") == first


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


async def test_a_segments_forecast_has_everybody_in_the_clinics_order(
    rows: "Rows", plan: Plan, now: datetime
) -> None:
    await rows.patient(external_id="A-3", loss_reason="price", email=None)
    await rows.patient(external_id="A-1", loss_reason="price", opted_out_at=now)
    await rows.patient(external_id="A-2", loss_reason="distance")
    folder = rows.clinic.folder
    async with rows.clinic.database.reading() as session:
        forecasts = await forecast_segment(
            session,
            folder.segment("price-was-the-reason"),
            plan,
            {
                "email": lambda contact: (contact.email, contact.email_bad),
                "sms": lambda contact: (contact.phone, contact.phone_bad),
                "call": lambda contact: (contact.phone, contact.phone_bad),
            },
            policy=rows.clinic.policy,
            zone=folder.profile.zone,
            key=rows.clinic.key,
            now=now,
        )
    assert [(each.external_id, each.left_out) for each in forecasts] == [
        ("A-1", LeftOut.OPTED_OUT),
        ("A-3", None),
    ]
    assert [each.skipped for each in forecasts[1].steps] == [SkipReason.NO_ADDRESS, None, None]
    assert [None, now, now + timedelta(days=4)] == [each.at for each in forecasts[1].steps]
