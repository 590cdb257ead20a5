"""The card's word on a step that was not delivered: the latest one stands."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from clinic.delivery import Deferred, Delivery, Failed, FailReason, Sent, Skipped, SkipReason
from clinic.step_notes import note_down
from clinic.tables import StepNote

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY = timedelta(days=1)


async def noted(rows: "Rows", *deliveries: Delivery) -> list[tuple[object, ...]]:
    """Let a step be delivered several times, a day apart; return what the card says."""
    attempt = await rows.attempt()
    for day, delivery in enumerate(deliveries):
        async with rows.clinic.database.writing() as session:
            await note_down(session, attempt.id, 1, delivery, rows.now + day * DAY)
    return [
        (note.step, note.at - rows.now, note.result, note.reason, note.rule, note.until)
        for note in await rows.all(StepNote)
    ]


async def test_each_kind_of_delivery_says_what_there_is_to_say(rows: "Rows", now: datetime) -> None:
    put_off = Deferred(until=now + DAY, rule="a rule (a law)")
    assert [(1, 0 * DAY, "deferred", "", "a rule (a law)", now + DAY)] == await noted(rows, put_off)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(
            Skipped(reason=SkipReason.NO_CONSENT, rule="another rule"),
            ("skipped", "no_consent", "another rule", None),
            id="skipped",
        ),
        pytest.param(
            Failed(reason=FailReason.REFUSED), ("failed", "refused", "", None), id="failed"
        ),
        pytest.param(
            Deferred(until=None, rule="the campaign is paused"),
            ("deferred", "", "the campaign is paused", None),
            id="put off until an event",
        ),
    ],
)
async def test_what_is_said_later_takes_its_place_whole(
    rows: "Rows", now: datetime, last: Delivery, expected: tuple[object, ...]
) -> None:
    put_off = Deferred(until=now + DAY, rule="a rule (a law)")
    assert [(1, DAY, *expected)] == await noted(rows, put_off, last)


async def test_what_was_sent_is_not_noted(rows: "Rows") -> None:
    assert await noted(rows, Sent()) == []
