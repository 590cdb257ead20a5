"""Rows are read ahead, a long file's by a process of its own: the rows are the same."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import cast

import pytest

from clinic.refusal import Refusal
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow, Source
from clinic.register_import.rows_ahead import RowsAhead, rows_ahead


@dataclass
class Listed:
    """A source of some rows, and of what comes after them."""

    count: int = 7
    error: Exception | None = None
    size: int = 100
    position: int = 0

    def rows(self) -> Iterator[ReadRow]:
        for number in range(self.count):
            self.position += 10
            if number == 3:
                yield ReadRow(number, ["?"], BadCell("birth_date", "`?` is no date"))
            else:
                said = RegisterRow(
                    external_id=f"A-{number}",
                    first_name="Ána",
                    birth_date=date(1960, 5, 1),
                    consents={"sms": True},
                    unusable={"email": "no address"},
                )
                yield ReadRow(number, [f"A-{number}", "Ána"], said)
        if self.error is not None:
            raise self.error


def begin(source: Listed, *, by_process: bool) -> RowsAhead:
    return rows_ahead(cast("Source", source), 3, long_file=1 if by_process else 1_000)


@pytest.mark.parametrize("by_process", [False, True], ids=["here", "in a process"])
def test_all_rows_come_in_their_order_with_how_far_the_file_was_read(*, by_process: bool) -> None:
    ahead = begin(Listed(), by_process=by_process)
    batches = [ahead.take() for _ in range(4)]
    ahead.close()
    assert [(len(batch.rows), batch.position) for batch in batches] == [
        (3, 30),
        (3, 60),
        (1, 70),
        (0, 70),
    ]
    read = [row for batch in batches for row in batch.rows]
    for row, expected in zip(read, Listed().rows(), strict=True):
        assert (row.line, row.cells) == (expected.line, expected.cells)
        if isinstance(expected.said, BadCell):
            assert isinstance(row.said, BadCell)
            assert (row.said.column, row.said.reason) == ("birth_date", "`?` is no date")
        else:
            assert row.said == expected.said


@pytest.mark.parametrize("by_process", [False, True], ids=["here", "in a process"])
def test_a_refusal_comes_after_the_rows_before_it_and_says_the_same(*, by_process: bool) -> None:
    ahead = begin(
        Listed(4, Refusal("list.csv has changed", "Run it again.")), by_process=by_process
    )
    assert len(ahead.take().rows) == 3
    with pytest.raises(Refusal) as refused:
        ahead.take()
    ahead.close()
    assert (refused.value.problem, refused.value.remedy) == (
        "list.csv has changed",
        "Run it again.",
    )


def test_a_file_that_cannot_be_read_on_is_told_by_the_reading_process() -> None:
    ahead = begin(Listed(0, OSError(5, "Input/output error")), by_process=True)
    with pytest.raises(OSError, match="Input/output error"):
        ahead.take()
    ahead.close()


def test_a_reading_process_that_is_killed_is_told() -> None:
    ahead = begin(Listed(100_000), by_process=True)
    ahead.take()
    [process] = multiprocessing.active_children()
    process.kill()
    with pytest.raises(Refusal, match="the process that reads the file was ended"):
        read_all(ahead)
    ahead.close()


def test_nobody_reads_on_once_it_is_closed() -> None:
    ahead = begin(Listed(100_000), by_process=True)
    ahead.take()
    assert len(multiprocessing.active_children()) == 1
    ahead.close()
    assert multiprocessing.active_children() == []


def read_all(ahead: RowsAhead) -> None:
    while ahead.take().rows:
        pass
