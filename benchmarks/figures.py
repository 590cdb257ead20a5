"""What each measurement yields."""

from statistics import median
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, computed_field

Figure = Annotated[float, AfterValidator(lambda figure: float(f"{figure:.4g}"))]
"""Four digits say all that a measurement knows."""


class Figures(BaseModel):
    """What belongs together; it does not change."""

    model_config = ConfigDict(frozen=True)


class Spread(Figures):
    """The middle and the ends of several rounds."""

    median: Figure
    least: Figure
    most: Figure

    @classmethod
    def of(cls, figures: list[float]) -> "Spread":
        """Summarise one figure a round."""
        return cls(median=median(figures), least=min(figures), most=max(figures))


class Round(Figures):
    """Both sides of a ratio, measured one after the other.

    Attributes:
        engine: Attempts a second.
        bare: Bare workflows a second.
        engine_cpu: Seconds of this process's CPU for each attempt.
        bare_cpu: The same for each bare workflow.
    """

    engine: Figure
    bare: Figure
    engine_cpu: Figure
    bare_cpu: Figure


class Rate(Figures):
    """The engine's rate against the bare one.

    Attributes:
        measured: What was done so many times a second.
        n: On each side, in each round.
        aim: The least ratio that was asked for; None where none was.
    """

    measured: str
    n: int
    aim: float | None
    rounds: list[Round]

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def ratio(self) -> Spread:
        """Engine to bare, pair by pair."""
        return Spread.of([pair.engine / pair.bare for pair in self.rounds])

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def engine(self) -> Spread:
        """A second."""
        return Spread.of([pair.engine for pair in self.rounds])

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def bare(self) -> Spread:
        """A second."""
        return Spread.of([pair.bare for pair in self.rounds])

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def engine_cpu_ms(self) -> Figure:
        """Median milliseconds of this process's CPU for each one."""
        return 1000 * median(pair.engine_cpu for pair in self.rounds)

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def bare_cpu_ms(self) -> Figure:
        """The same on the bare side."""
        return 1000 * median(pair.bare_cpu for pair in self.rounds)


class Footprint(Figures):
    """What one attempt leaves at Temporal.

    Attributes:
        measured: Which workflow.
        events: In its history.
        history_bytes: Of its history.
        billed: What Temporal Cloud bills, by kind.
    """

    measured: str
    events: int
    history_bytes: int
    billed: dict[str, int]

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def actions(self) -> int:
        """Billable actions."""
        return sum(self.billed.values())


class Delay(Figures):
    """Seconds from an event to the end of the workflow that it ends.

    Attributes:
        measured: Which workflow, told in which way.
        n: How many events.
    """

    measured: str
    n: int
    p50: Figure
    p99: Figure
    most: Figure


class Memory(Figures):
    """The most memory that a process takes for one thing.

    Attributes:
        measured: What it does.
        n: With so many rows.
        peak_mib: Largest resident set, in MiB, libraries and all.
        rows_a_second: How fast it was.
    """

    measured: str
    n: int
    peak_mib: Figure
    rows_a_second: Figure


class CountRound(Figures):
    """Seconds that both sides took to count a segment, one after the other."""

    engine: Figure
    by_hand: Figure


class Count(Figures):
    """How long a segment's count takes, against SQL written by hand.

    Attributes:
        measured: The segment.
        database: `sqlite` or `postgresql`.
        n: Patients on the register.
        found: Patients of the segment, the same on both sides.
        aim: The largest ratio that was asked for.
    """

    measured: str
    database: str
    n: int
    found: int
    aim: float
    rounds: list[CountRound]

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def ratio(self) -> Spread:
        """Engine to hand-written, pair by pair; less is better."""
        return Spread.of([pair.engine / pair.by_hand for pair in self.rounds])

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def engine(self) -> Spread:
        """Seconds."""
        return Spread.of([pair.engine for pair in self.rounds])

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def by_hand(self) -> Spread:
        """Seconds."""
        return Spread.of([pair.by_hand for pair in self.rounds])


class PageRound(Figures):
    """The middle seconds of both sides in one round, measured one after the other.

    Attributes:
        page: Of the page, as a browser waits for it.
        bare: Of the statements that it needs, sent by the bare driver.
    """

    page: Figure
    bare: Figure


class PageTime(Figures):
    """How long a page of the console takes, against the bare statements that it needs.

    Attributes:
        measured: The page.
        database: `sqlite` or `postgresql`.
        n: Open call tasks.
        patients: On the register.
        p50: Seconds, over all rounds.
        p95: The same.
        aim: The largest ratio that was asked for.
    """

    measured: str
    database: str
    n: int
    patients: int
    p50: Figure
    p95: Figure
    aim: float
    rounds: list[PageRound]

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def ratio(self) -> Spread:
        """Page to bare statements, pair by pair; less is better."""
        return Spread.of([pair.page / pair.bare for pair in self.rounds])

    @computed_field  # type: ignore[prop-decorator]  # mypy #14461: decorators on properties
    @property
    def bare(self) -> Spread:
        """Seconds."""
        return Spread.of([pair.bare for pair in self.rounds])


class PageSize(Figures):
    """What a browser fetches to show a page for the first time.

    Attributes:
        measured: Which page, and for whom.
        assets: Style sheets and scripts that it asks for.
        html: Bytes of the page itself.
        total: Bytes with all of its assets.
        zipped: The same, each as `gzip -6` makes it.
        aim: The most bytes in all that were asked for; None where none were.
    """

    measured: str
    assets: int
    html: int
    total: int
    zipped: int
    aim: int | None
