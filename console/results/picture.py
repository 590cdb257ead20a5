"""The geometry of pictures: what is drawn where, in per cent of the picture's width.

Lengths are shares of the width, so a picture fits a phone and a wide screen alike, while its words
keep their size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from clinic.results.share import Share

LINE = 64
"""Height of one bar with its words, in CSS pixels."""
PLOT = 180
"""Height of the columns' field, in CSS pixels."""
_LONGEST_LABEL = 38
"""Characters that fit on a phone's width; the table has the whole of it."""
_WEEKS_NAMED = 4
_STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        label: Whose it is.
        free: Whether the label is somebody's own words, in whatever language.
        share: How long it is, and how sure that is.
        ends: Where the bar ends, per cent of the width.
        low: Where its whisker begins, likewise.
        high: Where its whisker ends.
        cut: Whether the whisker would end beyond the scale.
        goal: Where the line of its goal stands; None: it has none.
        whole: Whether it is what the others are a part of: no chance moves it.
    """

    label: str
    free: bool
    share: Share
    ends: float
    low: float
    high: float
    cut: bool
    goal: float | None
    whole: bool


@dataclass(frozen=True)
class Bars:
    """Bars under one another on one scale that begins at 0.

    Attributes:
        top: The share at the right end, 0 to 1.
    """

    bars: tuple[Bar, ...]
    top: float

    @property
    def height(self) -> int:
        """In CSS pixels, with the scale beneath."""
        return LINE * len(self.bars) + 24


@dataclass(frozen=True)
class Row:
    """What a bar is made of.

    Attributes:
        label: Whose it is.
        share: How many of how many.
        goal: The share that was wished for, 0 to 1.
        free: See `Bar`.
        whole: See `Bar`.
    """

    label: str
    share: Share
    goal: float | None = None
    free: bool = False
    whole: bool = False


def bars(rows: Sequence[Row], *, ranked: bool = False, top: float | None = None) -> Bars:
    """Lay bars out.

    Args:
        rows: What they are made of.
        ranked: The largest share first; small groups are not ranked and stand at the end.
        top: The share at the right end; None: what the bars need.
    """
    if ranked:
        rows = sorted(
            rows, key=lambda row: (row.share.few, 0 if row.share.few else -row.share.share)
        )
    top = top or _top(rows)

    def at(share: float) -> float:
        return round(100 * min(share / top, 1), 2)

    return Bars(
        bars=tuple(
            Bar(
                label=_short(row.label),
                free=row.free,
                share=row.share,
                ends=at(row.share.share),
                low=at(row.share.interval.low),
                high=at(row.share.interval.high),
                cut=row.share.interval.high > top,
                goal=None if row.goal is None else at(row.goal),
                whole=row.whole,
            )
            for row in rows
        ),
        top=top,
    )


@dataclass(frozen=True)
class Column:
    """One column: like a bar, upright.

    Attributes:
        middle: Where it stands, per cent of the width.
        share: How high it is, and how sure that is; of nobody there is no column.
        top: Where it ends, in CSS pixels from above.
        low: Where its whisker begins.
        high: Where its whisker ends.
        cut: Whether it would end beyond the scale.
        named: Whether its name stands beneath.
    """

    label: str
    middle: float
    share: Share
    top: float
    low: float
    high: float
    cut: bool
    named: bool


@dataclass(frozen=True)
class Columns:
    """Columns beside one another, as time goes on.

    Attributes:
        width: Of one, per cent of the width.
        top: The share at the upper end, 0 to 1.
    """

    columns: tuple[Column, ...]
    width: float
    top: float


def columns(rows: Sequence[Row]) -> Columns:
    """Lay columns out, in the order of time."""
    top, each = _top(rows), 100 / max(len(rows), 1)

    def at(share: float) -> float:
        return round(PLOT * (1 - min(share / top, 1)), 2)

    between = max(1, ceil(len(rows) / _WEEKS_NAMED))
    return Columns(
        columns=tuple(
            Column(
                label=row.label,
                middle=round(each * (number + 0.5), 3),
                share=row.share,
                top=at(row.share.share),
                low=at(row.share.interval.low),
                high=at(row.share.interval.high),
                cut=row.share.interval.high > top,
                named=number % between == 0,
            )
            for number, row in enumerate(rows)
        ),
        width=round(each * 0.6, 3),
        top=top,
    )


def _top(rows: Iterable[Row]) -> float:
    """Return a round share that all bars, goals and whiskers reach at most.

    The whiskers of small groups are as long as they please; they are cut off rather than that all
    the rest is pressed into a corner.
    """
    ends = [0.01]
    for row in rows:
        ends.append(row.share.share if row.share.few else row.share.interval.high)
        ends.append(row.goal or 0)
    most = max(ends)
    unit = 10.0 ** floor(log10(most))
    return min(1.0, next(round(step * unit, 6) for step in _STEPS if step * unit >= most - 1e-9))


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
