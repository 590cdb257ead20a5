"""What a recovered patient cost."""

from decimal import Decimal

import pytest

from clinic.results.costs import Costs
from clinic.results.share import Share
from clinic.results.spending import spending

COSTS = Costs.model_validate(
    {"currency": "USD", "messages": {"email": 0.001, "sms": "0.025"}, "call": 1.5}
)


def test_all_contacts_are_paid_by_those_who_were_recovered() -> None:
    spent = spending({"email": 1000, "sms": 400, "call": 40}, COSTS)
    assert [line.cost for line in spent.lines] == [1, 10, 60]
    assert spent.total == 71
    one = spent.of_one(Share(20, 100))
    assert one.amount == Decimal("3.55")
    # 20 of 100 may as well be 13.3 or 28.9
    assert [float(end or 0) for end in (one.low, one.high)] == pytest.approx(
        [71 / 28.88, 71 / 13.34], rel=1e-3
    )


def test_a_channel_without_a_price_leaves_the_whole_unknown_and_no_zero() -> None:
    spent = spending({"email": 10, "whatsapp": 3, "sms": 0}, COSTS)
    assert (spent.unpriced, spent.total) == (("whatsapp",), None)
    assert spent.of_one(Share(1, 10)).amount is None
    assert spending({"email": 10}, None).total is None


def test_nobody_recovered_has_no_price() -> None:
    assert spending({"sms": 10}, COSTS).of_one(Share(0, 10)).amount is None
