"""What the contacts of attempts cost, and what each recovered patient did."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from clinic.results.costs import Costs
from clinic.results.share import Share


class Line(NamedTuple):
    """What one channel's contacts cost.

    Attributes:
        channel: Its name.
        contacts: Messages that were sent, or calls that were made.
        price: Of one; None: the clinic has not said it.
    """

    channel: str
    contacts: int
    price: Decimal | None

    @property
    def cost(self) -> Decimal | None:
        """Of all of them."""
        return None if self.price is None else self.price * self.contacts


class CostOfOne(NamedTuple):
    """What one recovered patient cost.

    Attributes:
        amount: On the average; None: nobody was recovered yet.
        low: At the least, if the share of the recovered were the highest that chance leaves.
        high: At the most, likewise.
        recovered: How many were, of those who were contacted.
    """

    amount: Decimal | None
    low: Decimal | None
    high: Decimal | None
    recovered: Share


class Spending(NamedTuple):
    """What was spent, in the clinic's currency.

    Attributes:
        lines: By channel; only those that were used.
    """

    lines: tuple[Line, ...]

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The channels that were used and have no price."""
        return tuple(line.channel for line in self.lines if line.price is None)

    @property
    def total(self) -> Decimal | None:
        """Of all channels; None while one of them has no price: a part would pass for the whole."""
        if self.unpriced:
            return None
        return sum((line.cost for line in self.lines if line.cost is not None), Decimal(0))

    def of_one(self, recovered: Share) -> CostOfOne:
        """Return what one recovered patient cost.

        What was spent is known; how many come back for it is what chance moves. So the range is
        that of the share of the contacted who were recovered, turned round.

        Args:
            recovered: How many, of those who were contacted.
        """
        if self.total is None or recovered.number == 0:
            return CostOfOne(None, None, None, recovered)
        interval = recovered.interval
        return CostOfOne(
            self.total / recovered.number,
            _each(self.total, recovered.of * interval.high),
            _each(self.total, recovered.of * interval.low),
            recovered,
        )


def spending(contacts: Mapping[str, int], costs: Costs | None) -> Spending:
    """Return what contacts cost.

    Args:
        contacts: How many there were, by channel.
        costs: The clinic's prices; None: it has none.
    """
    return Spending(
        tuple(
            Line(channel, count, costs.price_of(channel) if costs else None)
            for channel, count in contacts.items()
            if count
        )
    )


def _each(total: Decimal, people: float) -> Decimal:
    return total / Decimal(str(people))
