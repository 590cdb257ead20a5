"""A list on its way from a browser: what arrives goes straight to the disk, and none is kept here.

The form's token comes first, before any file: what is no form of ours is refused at that point.
"""

import asyncio
from collections.abc import Callable
from typing import IO, NamedTuple

from fastapi import HTTPException, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from console.doors import csrf
from console.register_import.uploads import NewUpload

LARGEST_LIST = 200 * 1024 * 1024
"""Bytes: a list of a million patients has about as many."""
LARGEST_MAPPING = 16 * 1024
"""Bytes; one has two or three thousand."""

_LONGEST_FIELD = 200
_AT_ONCE = 1024 * 1024
_MOST_PARTS = 10


class ListTooLargeError(Exception):
    """A list, or a mapping, is larger than is taken."""


class Posted(NamedTuple):
    """What came beside the list.

    Attributes:
        size: Bytes of the list.
        has_list: Whether a file was chosen.
        mapping: How to read it; None: nobody said so.
        encoding: The same; empty: to be found out.
    """

    size: int
    has_list: bool
    mapping: bytes | None
    encoding: str


async def receive(request: Request, token: str, new: NewUpload) -> Posted:
    """Read a posted form to its end, its list into a file.

    Args:
        request: Whose body has not been touched.
        token: That a form of ours carries.
        new: Where the list goes.

    Raises:
        HTTPException: 400, it is no such form; 403, it is not of this session.
        ListTooLargeError: All of it was read, so that the browser listens to the answer.
        OSError: The disk takes no more.
    """
    parts = _Parts(token, new)
    parser = _parser(request, parts)
    held = bytearray()
    try:
        async for chunk in request.stream():
            held += chunk
            if len(held) >= _AT_ONCE:
                await asyncio.to_thread(parser.write, bytes(held))
                held.clear()
        await asyncio.to_thread(parser.write, bytes(held))
        parser.finalize()
    except (FormParserError, UnicodeDecodeError):
        raise HTTPException(400, "no form") from None
    finally:
        parts.close()
    if not parts.is_ours:
        raise HTTPException(403, "not a form of this session")
    if not parts.is_complete:
        raise HTTPException(400, "the form's end is missing")
    if parts.too_large:
        raise ListTooLargeError
    fields = parts.fields
    mapping = bytes(fields["mapping"]) if fields.get("mapping", b"").strip() else None
    # what is no text is the name of no encoding: the list's page says so
    encoding = fields.get("encoding", bytearray()).decode("utf-8", "replace")
    return Posted(parts.size, parts.has_list, mapping, encoding)


def _parser(request: Request, parts: "_Parts") -> MultipartParser:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise HTTPException(400, "no form with a file")
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_header_field": parts.header_name,
                "on_header_value": parts.header_value,
                "on_header_end": parts.header_end,
                "on_headers_finished": parts.headers_finished,
                "on_part_data": parts.data,
                "on_part_end": parts.end,
                "on_end": parts.complete,
            },
        )
    except FormParserError:
        raise HTTPException(400, "no form with a file") from None


class _Parts:
    """The form's parts as the parser comes upon them."""

    def __init__(self, token: str, new: NewUpload) -> None:
        self._token = token
        self._new = new
        self._count = 0
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value = b"", b""
        self._file: IO[bytes] | None = None
        self._take: Callable[[bytes], None] = _leave
        self._end: Callable[[], None] = _nothing
        self.fields: dict[str, bytearray] = {}
        self.size = 0
        self.is_ours = False
        self.is_complete = False
        self.too_large = False

    def begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise HTTPException(400, "too many fields")
        self._headers = {}
        self._take, self._end = _leave, _nothing

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        field = options.get(b"name", b"").decode()
        if field == csrf.FIELD:
            self._take, self._end = self._keep(field, _LONGEST_FIELD), self._check
            return
        if not self.is_ours:
            raise HTTPException(403, "not a form of this session")
        if field == "list" and self._file is None:
            name = options.get(b"filename", b"").decode("utf-8", "replace")
            if name:
                self._file = self._new.open(name)
                self._take = self._write
        elif field in ("mapping", "encoding"):
            largest = LARGEST_MAPPING if field == "mapping" else _LONGEST_FIELD
            self._take = self._keep(field, largest)

    def data(self, data: bytes, start: int, end: int) -> None:
        self._take(data[start:end])

    def end(self) -> None:
        self._end()

    @property
    def has_list(self) -> bool:
        return self._file is not None

    def complete(self) -> None:
        self.is_complete = True

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _check(self) -> None:
        self.is_ours = csrf.is_token(bytes(self.fields[csrf.FIELD]), self._token)

    def _keep(self, field: str, largest: int) -> Callable[[bytes], None]:
        kept = self.fields[field] = bytearray()

        def keep(data: bytes) -> None:
            if len(kept) + len(data) > largest:
                self.too_large = True
            else:
                kept.extend(data)

        return keep

    def _write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > LARGEST_LIST:
            self.too_large = True
        if not self.too_large and self._file is not None:
            self._file.write(data)


def _leave(_data: bytes) -> None:
    pass


def _nothing() -> None:
    pass
