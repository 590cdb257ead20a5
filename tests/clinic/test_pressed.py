"""What was pressed on a patient's own page is told by an event's details, as far as they do."""

from datetime import UTC, datetime
from typing import Any

import pytest

from clinic.call_words import Written, in_lines, written_of
from clinic.outcome import LossReason
from clinic.pressed import Pressed, Wish, pressed_in

AT = datetime(2027, 3, 4, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "pressed",
    [
        Pressed(wish=Wish.CALL, language="ru"),
        Pressed(wish=Wish.WHY, reason=LossReason.PRICE, language="es"),
        Pressed(wish=Wish.WHY),
        Pressed(wish=Wish.STOP, language="en"),
    ],
)
def test_what_is_stored_tells_the_same(pressed: Pressed) -> None:
    assert pressed_in({"step": 1} | pressed.details("Dice algo.")) == pressed


@pytest.mark.parametrize(
    ("details", "told"),
    [
        pytest.param(
            {"asked_length": 8, "at": AT.isoformat()}, Pressed(wish=Wish.CALL, at=AT), id="a time"
        ),
        pytest.param(
            {"asked_length": 8, "loss_reason": "price"},
            Pressed(wish=Wish.WHY, reason=LossReason.PRICE),
            id="a reason",
        ),
        pytest.param({"asked_length": 8}, None, id="neither"),
        pytest.param({"loss_reason": "price"}, None, id="own words begin nobody knows where"),
        pytest.param({}, None, id="of a person who was forgotten"),
    ],
)
def test_an_older_event_tells_it_by_what_came_with_it(
    details: dict[str, Any], told: Pressed | None
) -> None:
    assert pressed_in({"step": 1} | details) == told
    # whatever is told, no word is lost
    assert in_lines([written_of("Dice no. Muy caro", "link", details)]) == "Dice no. Muy caro"


def test_only_a_patients_own_page_is_pressed() -> None:
    details = {"loss_reason": "price", "asked_length": 4}
    assert written_of("Muy caro", "staff", details) == Written("", "Muy caro")
