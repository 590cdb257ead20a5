"""What a preview counts of a segment's forecasts."""

from datetime import UTC, datetime

from clinic.delivery import SkipReason
from clinic.delivery_check import LeftOut
from clinic.forecast import Forecast, ForecastStep
from clinic.preview import LeftOutRow, Preview

AT = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)


def patient(
    number: str, *steps: ForecastStep, left_out: LeftOut | None = None, rule: str = ""
) -> Forecast:
    return Forecast(
        patient_id=f"pt-{number}",
        external_id=number,
        name="Ana Gil",
        left_out=left_out,
        left_out_rule=rule,
        steps=steps,
    )


def sent(channel: str, rule: str = "") -> ForecastStep:
    return ForecastStep(channel=channel, template="come-back", at=AT, rule=rule)


def skipped(channel: str, reason: SkipReason, rule: str = "") -> ForecastStep:
    return ForecastStep(channel=channel, template="come-back", skipped=reason, rule=rule)


def preview(*forecasts: Forecast, at_most: int = 20) -> Preview:
    counted = Preview(at_most=at_most)
    for one in forecasts:
        counted.take(one)
    return counted


def test_everybody_is_counted_and_the_first_few_are_shown() -> None:
    chosen = [patient(f"A-{number}", sent("email"), sent("sms")) for number in range(3)]
    out = patient("A-9", left_out=LeftOut.DECEASED)
    counted = preview(out, *chosen, at_most=2)
    assert (4, 3, chosen[:2]) == (counted.patients, counted.chosen, counted.shown)
    assert counted.sends == {"email": 3, "sms": 3}


def test_each_rule_that_puts_a_step_off_is_counted_by_itself() -> None:
    counted = preview(
        patient("A-1", sent("email", "holiday: Christmas Day (a law); and 2 more")),
        patient("A-2", sent("email", "holiday: Christmas Day (a law); closed on 2026-12-26")),
    )
    assert counted.put_off == {"holiday: Christmas Day (a law)": 2, "closed on 2026-12-26": 1}


def test_the_same_rule_counts_once_whenever_each_patient_was_contacted() -> None:
    counted = preview(
        patient("A-1", sent("sms", "one channel a week: email on Fri 2026-12-18 (a law)")),
        patient("A-2", sent("sms", "one channel a week: email on Sat 2026-12-19 (a law)")),
        patient("A-3", left_out=LeftOut.COOL_DOWN, rule="cool-down: 90 days after 2026-12-03 (b)"),
        patient("A-4", left_out=LeftOut.COOL_DOWN, rule="cool-down: 90 days after 2026-12-04 (b)"),
    )
    assert counted.put_off == {"one channel a week: email (a law)": 2}
    rested = LeftOutRow(patients=2, few=["A-3", "A-4"])
    assert {(LeftOut.COOL_DOWN, "cool-down: 90 days (b)"): rested} == counted.left_out


def test_a_skipped_step_is_counted_by_its_rule_or_by_channel_and_reason() -> None:
    counted = preview(
        patient("A-1", skipped("email", SkipReason.NO_ADDRESS), sent("sms")),
        patient("A-2", skipped("sms", SkipReason.NO_CONSENT, "consent: ... (a law)"), sent("call")),
    )
    assert counted.skipped == {"email: no address": 1, "consent: ... (a law)": 1}
    assert counted.sends == {"sms": 1, "call": 1}


def test_of_those_left_out_a_few_are_named() -> None:
    out = [patient(f"A-{number}", left_out=LeftOut.MOVED) for number in range(25)]
    [row] = preview(*out).left_out.values()
    assert (25, [f"A-{number}" for number in range(20)]) == (row.patients, row.few)
