"""Everything that one run measured, as it is written to `results.json`."""

import os
import platform
from importlib.metadata import version

from benchmarks.figures import (
    Count,
    Delay,
    Figures,
    Footprint,
    Memory,
    PageSize,
    PageTime,
    Rate,
)


class Machine(Figures):
    """What it was measured on; nothing that names it."""

    python: str
    temporalio: str
    server: str
    cores: int

    @classmethod
    def here(cls, server: str) -> "Machine":
        """Describe this machine."""
        return cls(
            python=platform.python_version(),
            temporalio=version("temporalio"),
            server=server,
            cores=os.cpu_count() or 1,
        )


class Results(Figures):
    """Everything that one run measured."""

    machine: Machine
    throughput: list[Rate]
    footprint: list[Footprint]
    starting: Rate
    reaction: list[Delay]
    segments: list[Count]
    imports: list[Rate]
    import_memory: list[Memory]
    pages: list[PageTime]
    page_sizes: list[PageSize]
