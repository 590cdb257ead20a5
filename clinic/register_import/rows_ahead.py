"""Reading ahead: the next rows are read while the database takes the ones before.

A short file is read by a thread of this process. Reading a long one takes as much work as
writing it, so it gets a process of its own, which hands over batches through a pipe.
"""

import gc
import multiprocessing
import os
import pickle
import signal
from collections.abc import Iterator
from dataclasses import fields
from itertools import islice
from multiprocessing.connection import Connection
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from clinic.refusal import Refusal
from clinic.register_import.register_row import BadCell, ReadRow, RegisterRow, Source

LONG_FILE = 4 * 1024 * 1024
"""Bytes; below it, all is read before a second process would pay."""

_values_of = attrgetter(*(field.name for field in fields(RegisterRow)))


class Batch(NamedTuple):
    """Rows in their order, and how far the source was read for them; no rows at the end."""

    rows: list[ReadRow]
    position: int


class RowsAhead(Protocol):
    """Reads batch after batch; `take` blocks, so it belongs in a thread."""

    def take(self) -> Batch:
        """Return the next rows.

        Raises:
            Refusal: The file can't be read on.
        """

    def close(self) -> None:
        """Stop reading."""


def rows_ahead(source: Source, at_once: int, *, long_file: int = LONG_FILE) -> RowsAhead:
    """Begin to read a source, in the way that suits its length.

    Args:
        source: The export.
        at_once: Rows in a batch.
        long_file: From this size on, a second process reads.
    """
    can_fork = "fork" in multiprocessing.get_all_start_methods() and (os.cpu_count() or 1) > 1
    if source.size >= long_file and can_fork:
        return _ReadByProcess(source, at_once)
    return _ReadHere(source, at_once)


class _ReadHere:
    def __init__(self, source: Source, at_once: int) -> None:
        self._source = source
        self._rows = source.rows()
        self._at_once = at_once

    def take(self) -> Batch:
        return Batch(list(islice(self._rows, self._at_once)), self._source.position)

    def close(self) -> None:
        pass


class _ReadByProcess:
    """Reads in a copy of this process: what was found out about the file need not be sent."""

    def __init__(self, source: Source, at_once: int) -> None:
        context = multiprocessing.get_context("fork")
        self._receiving, sending = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_send_rows, args=(source, at_once, sending, self._receiving), daemon=True
        )
        self._process.start()
        sending.close()  # else the end of the other side would not be seen

    def take(self) -> Batch:
        try:
            received = pickle.loads(self._receiving.recv_bytes())  # noqa: S301 - our own process
        except EOFError:
            raise Refusal("the process that reads the file was ended") from None
        if isinstance(received, Exception):
            raise received
        position, rows = received
        return Batch([_unpacked(*row) for row in rows], position)

    def close(self) -> None:
        self._process.terminate()
        self._process.join()
        self._receiving.close()


def _send_rows(source: Source, at_once: int, sending: Connection, receiving: Connection) -> None:
    receiving.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the importing process's matter
    gc.disable()  # a row holds no circle
    try:
        for batch in _batches(source, at_once):
            sending.send_bytes(pickle.dumps((source.position, [_packed(row) for row in batch])))
    except BrokenPipeError:
        return  # nobody listens any more
    except Refusal as refusal:
        sending.send_bytes(pickle.dumps(_Sent(refusal.problem, refusal.remedy)))
    except OSError as error:
        sending.send_bytes(pickle.dumps(error))


def _batches(source: Source, at_once: int) -> Iterator[list[ReadRow]]:
    rows = source.rows()
    while batch := list(islice(rows, at_once)):
        yield batch
    yield []


class _Sent(Refusal):
    """A refusal that keeps both its parts on the way through a pipe."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Refusal, (self.problem, self.remedy)


def _packed(row: ReadRow) -> tuple[Any, ...]:
    """Return a row without its class: that takes a third of the time to send."""
    said = row.said
    if isinstance(said, BadCell):
        return row.line, row.cells, None, (said.column, said.reason, said.also)
    return row.line, row.cells, _values_of(said), None


def _unpacked(line: int, cells: Any, values: Any, bad: Any) -> ReadRow:
    return ReadRow(line, cells, BadCell(*bad) if values is None else RegisterRow(*values))
