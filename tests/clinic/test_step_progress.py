"""The plan drawn with its figures: what became of every step, and who stands where."""

from datetime import timedelta
from typing import TYPE_CHECKING

from clinic.attempt import AttemptState
from clinic.delivery import SkipReason
from clinic.step_progress import StepProgress, progress_by_step
from clinic.tables import Attempt, Campaign, Message, StepNote

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

EMAIL, SMS, CALL = 0, 1, 2
ENDED = AttemptState.ENDED.value


async def progress(rows: "Rows", campaign: Campaign) -> list[StepProgress]:
    async with rows.clinic.database.reading() as session:
        return await progress_by_step(session, campaign)


async def sent(rows: "Rows", attempt: Attempt, step: int, **given: object) -> None:
    fields: dict[str, object] = {
        "attempt_id": attempt.id,
        "step": step,
        "channel": ("email", "sms", "call")[step],
        "address_hash": "",
        "claimed_at": rows.now,
        "sent_at": rows.now,
    }
    await rows.add(Message(**(fields | given)))


async def noted(rows: "Rows", attempt: Attempt, step: int, result: str, reason: str = "") -> None:
    await rows.add(
        StepNote(attempt_id=attempt.id, step=step, at=rows.now, result=result, reason=reason)
    )


async def test_a_campaign_that_has_just_started_has_its_ladder_with_zeros(rows: "Rows") -> None:
    campaign = await rows.campaign()
    await rows.attempt(campaign=campaign, state=AttemptState.PLANNED.value)
    steps = await progress(rows, campaign)
    assert [step.channel for step in steps] == ["email", "sms", "call"]
    assert [step.number for step in steps] == [1, 2, 3]
    assert [timedelta(days=3), timedelta(days=4), timedelta(days=2)] == [
        step.wait for step in steps
    ]
    assert [step.came_here for step in steps] == [0, 0, 0]


async def test_sent_failed_and_being_sent_are_told_apart(rows: "Rows") -> None:
    campaign = await rows.campaign()
    for given in ({}, {}, {"failed_at": rows.now}, {"sent_at": None}):
        await sent(rows, await rows.attempt(campaign=campaign), EMAIL, **given)
    await sent(rows, await rows.attempt(), EMAIL)  # of another campaign
    [email, *_] = await progress(rows, campaign)
    assert (email.sent, email.failed, email.sending, email.came_here) == (2, 1, 1, 4)


async def test_what_was_sent_again_for_our_own_fault_counts_once(rows: "Rows") -> None:
    campaign = await rows.campaign()
    attempt = await rows.attempt(campaign=campaign)
    await sent(rows, attempt, SMS, failed_at=rows.now)
    await sent(rows, attempt, SMS, try_number=2)
    assert (await progress(rows, campaign))[SMS].came_here == 1


async def test_what_was_skipped_is_counted_by_its_reason(rows: "Rows") -> None:
    campaign = await rows.campaign()
    for reason in ("no_address", "no_address", "no_consent"):
        await noted(rows, await rows.attempt(campaign=campaign), EMAIL, "skipped", reason)
    [email, *_] = await progress(rows, campaign)
    assert email.skipped == {SkipReason.NO_ADDRESS: 2, SkipReason.NO_CONSENT: 1}
    assert email.skipped_in_all == email.came_here == 3


async def test_a_step_that_failed_before_the_ledger_is_failed(rows: "Rows") -> None:
    campaign = await rows.campaign()
    await noted(rows, await rows.attempt(campaign=campaign), SMS, "failed", "unavailable")
    assert (await progress(rows, campaign))[SMS].failed == 1


async def test_what_was_put_off_and_then_sent_is_sent(rows: "Rows") -> None:
    campaign = await rows.campaign()
    attempt = await rows.attempt(campaign=campaign)
    await noted(rows, attempt, EMAIL, "deferred")
    [email, *_] = await progress(rows, campaign)
    assert (email.put_off, email.sent, email.waiting) == (1, 0, 0)
    await sent(rows, attempt, EMAIL)
    [email, *_] = await progress(rows, campaign)
    assert (email.put_off, email.sent, email.waiting) == (0, 1, 1)


async def test_nobody_waits_for_what_an_attempt_that_ended_had_put_off(rows: "Rows") -> None:
    campaign = await rows.campaign()
    attempt = await rows.attempt(campaign=campaign, state=ENDED)
    await noted(rows, attempt, EMAIL, "deferred")
    assert (await progress(rows, campaign))[EMAIL].put_off == 0


async def test_who_waits_for_an_answer_stands_at_the_last_step_that_was_sent(
    rows: "Rows",
) -> None:
    campaign = await rows.campaign()
    first, second, third, gone = [await rows.attempt(campaign=campaign) for _ in range(4)]
    for attempt in (first, second, third, gone):
        await sent(rows, attempt, EMAIL)
    await sent(rows, second, SMS)
    await noted(rows, third, SMS, "deferred")
    await rows.change(gone, state=ENDED)
    email, sms, call = await progress(rows, campaign)
    assert (email.waiting, sms.waiting, call.waiting) == (1, 1, 0)
    assert sms.put_off == 1


async def test_who_stands_on_the_call_list_is_with_a_person(rows: "Rows", staff: "Staff") -> None:
    campaign = await rows.campaign()
    attempt = await rows.attempt(campaign=campaign)
    await sent(rows, attempt, CALL)
    await staff.task(attempt, step=CALL)
    await staff.task(await rows.attempt(), step=CALL)  # of another campaign
    call = (await progress(rows, campaign))[CALL]
    assert (call.sent, call.with_person, call.waiting) == (1, 1, 0)
