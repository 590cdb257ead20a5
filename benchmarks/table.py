"""The figures as a table for people."""

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Count, Delay, Footprint, Memory, PageSize, PageTime, Rate
from benchmarks.results import Results

_MOST_ACTIONS, _MOST_EVENTS, _MOST_SECONDS, _MOST_PAGE_SECONDS = 10, 50, 1.0, 0.1
"""The aims that are no ratio."""


def print_results(results: Results) -> None:
    """Print every figure beside what it is measured against."""
    console = Console(width=120)
    machine = results.machine
    console.print(
        f"temporalio {machine.temporalio}, server {machine.server}, Python {machine.python}, "
        f"{machine.cores} cores"
    )
    console.print(_rates([*results.throughput, results.starting, *results.imports]))
    console.print(_footprints(results.footprint))
    console.print(_delays(results.reaction))
    console.print(_counts(results.segments))
    console.print(_memory(results.import_memory))
    print_pages(results.pages, results.page_sizes)


def print_pages(times: list[PageTime], sizes: list[PageSize]) -> None:
    """Print what the console's pages take, beside their aims."""
    console = Console(width=120)
    console.print(_times(times))
    console.print(_sizes(sizes))


def _rates(rates: list[Rate]) -> Table:
    table = _table(
        "A second (medians)",
        "n",
        "rounds",
        "engine",
        "bare",
        "ratio",
        "least",
        "most",
        "aim",
        "CPU ms",
    )
    for rate in rates:
        aim = f">= {rate.aim}" if rate.aim is not None else "-"
        table.add_row(
            rate.measured,
            str(rate.n),
            str(len(rate.rounds)),
            f"{rate.engine.median:.1f}",
            f"{rate.bare.median:.1f}",
            _verdict(f"{rate.ratio.median:.2f}", rate.aim is None or rate.ratio.median >= rate.aim),
            f"{rate.ratio.least:.2f}",
            f"{rate.ratio.most:.2f}",
            aim,
            f"{rate.engine_cpu_ms:.0f} : {rate.bare_cpu_ms:.0f}",
        )
    return table


def _footprints(footprints: list[Footprint]) -> Table:
    attempt, *_ = footprints
    table = _table("What it leaves", *(footprint.measured for footprint in footprints), "aim")
    kinds = dict.fromkeys(kind for footprint in footprints for kind in footprint.billed)
    for kind in kinds:
        counts = (str(footprint.billed.get(kind, 0)) for footprint in footprints)
        table.add_row(f"  {kind}", *counts, "")
    table.add_row(
        "billable actions",
        _verdict(str(attempt.actions), attempt.actions <= _MOST_ACTIONS),
        *(str(footprint.actions) for footprint in footprints[1:]),
        f"<= {_MOST_ACTIONS}",
    )
    table.add_row(
        "events",
        _verdict(str(attempt.events), attempt.events <= _MOST_EVENTS),
        *(str(footprint.events) for footprint in footprints[1:]),
        f"<= {_MOST_EVENTS}",
    )
    table.add_row(
        "history bytes", *(f"{footprint.history_bytes:,}" for footprint in footprints), "-"
    )
    return table


def _delays(delays: list[Delay]) -> Table:
    engine, *_ = delays
    table = _table("Seconds from event to end", "n", "p50", "p99", "most", "aim")
    for delay in delays:
        aim = f"< {_MOST_SECONDS:.0f}" if delay is engine else "-"
        most = f"{delay.most:.3f}"
        table.add_row(
            delay.measured,
            str(delay.n),
            f"{delay.p50:.3f}",
            f"{delay.p99:.3f}",
            _verdict(most, delay.most < _MOST_SECONDS) if delay is engine else most,
            aim,
        )
    return table


def _counts(counts: list[Count]) -> Table:
    table = _table(
        "Seconds to count (medians)",
        "on",
        "of",
        "found",
        "engine",
        "by hand",
        "ratio",
        "least",
        "most",
        "aim",
    )
    for count in counts:
        table.add_row(
            count.measured,
            count.database,
            f"{count.n:,}",
            f"{count.found:,}",
            f"{count.engine.median:.3f}",
            f"{count.by_hand.median:.3f}",
            _verdict(f"{count.ratio.median:.2f}", count.ratio.median <= count.aim),
            f"{count.ratio.least:.2f}",
            f"{count.ratio.most:.2f}",
            f"<= {count.aim}",
        )
    return table


def _memory(figures: list[Memory]) -> Table:
    table = _table("Memory", "rows", "peak MiB", "rows a second")
    for figure in figures:
        table.add_row(
            figure.measured,
            f"{figure.n:,}",
            f"{figure.peak_mib:.0f}",
            f"{figure.rows_a_second:,.0f}",
        )
    return table


def _times(times: list[PageTime]) -> Table:
    table = _table(
        "Milliseconds of a page",
        "database",
        "tasks",
        "patients",
        "p50",
        "p95",
        "aim",
        "bare SQL",
        "ratio",
        "least",
        "most",
        "aim",
    )
    for time in times:
        table.add_row(
            time.measured,
            time.database,
            f"{time.n:,}",
            f"{time.patients:,}",
            f"{1000 * time.p50:.1f}",
            _verdict(f"{1000 * time.p95:.1f}", time.p95 < _MOST_PAGE_SECONDS),
            f"< {1000 * _MOST_PAGE_SECONDS:.0f}",
            f"{1000 * time.bare.median:.1f}",
            _verdict(f"{time.ratio.median:.2f}", time.ratio.median <= time.aim),
            f"{time.ratio.least:.2f}",
            f"{time.ratio.most:.2f}",
            f"<= {time.aim}",
        )
    return table


def _sizes(sizes: list[PageSize]) -> Table:
    table = _table("Bytes of a page", "HTML", "assets", "in all", "zipped", "aim")
    for size in sizes:
        in_all = f"{size.total:,}"
        table.add_row(
            size.measured,
            f"{size.html:,}",
            str(size.assets),
            in_all if size.aim is None else _verdict(in_all, size.total < size.aim),
            f"{size.zipped:,}",
            "-" if size.aim is None else f"< {size.aim:,}",
        )
    return table


def _table(first: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _verdict(figure: str, reached: bool) -> str:  # noqa: FBT001 - one use, beside its figure
    return f"[green]{figure}[/]" if reached else f"[red]{figure}[/]"
