"""Lists that were uploaded: each for whoever brought it, and not for long.

A list, and what of it could not be used, are whole rows about people: the folders are open to the
console's user alone. Names of files may say who is in them: they stand nowhere else.
"""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import IO

from clinic.identifiers import new_id
from clinic.plain_text import legible
from clinic.tables import Account
from console.register_import.upload import (
    LIST,
    Record,
    Upload,
    open_unread_by_others,
    read_upload,
)

KEPT = timedelta(hours=24)
"""A list, since it was brought or imported last."""
PREFIX = "up"

_ID = re.compile(rf"{PREFIX}-[0-9a-f]{{16}}")
_ONLY_OURS = 0o700
_LONGEST_STEM, _LONGEST_ENDING = 180, 20
"""Bytes of a file's name; file systems take 255, and a proposed mapping has its own ending."""


class Uploads:
    """Where the lists are kept.

    Args:
        folder: Made when the first of them comes.

    Attributes:
        folder: As an absolute path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()

    @asynccontextmanager
    async def coming(self) -> AsyncIterator["NewUpload"]:
        """Give room to a list that is about to come; what nobody keeps is gone after the block.

        Raises:
            OSError: There is none.
        """
        self.folder.mkdir(mode=_ONLY_OURS, parents=True, exist_ok=True)
        new = NewUpload(self.folder / new_id(PREFIX))
        try:
            yield new
        finally:
            if not new.is_kept:
                new.discard()

    def find(self, upload_id: str, account: Account) -> Upload | None:
        """Return a list of somebody's; None: there is no such list of theirs."""
        if _ID.fullmatch(upload_id) is None:
            return None
        upload = read_upload(self.folder / upload_id)
        return upload if upload and upload.record.account_id == account.id else None

    def of(self, account: Account) -> list[Upload]:
        """Return somebody's lists, the newest first."""
        theirs = [each for each in self._all() if each.record.account_id == account.id]
        return sorted(theirs, key=lambda each: each.record.at, reverse=True)

    def free_bytes(self) -> int:
        """Return how much the disk has room for."""
        there = next(each for each in (self.folder, *self.folder.parents) if each.exists())
        return shutil.disk_usage(there).free

    def sweep(self, now: datetime, busy: frozenset[str]) -> None:
        """Remove what has been kept long enough.

        Args:
            now: Aware UTC.
            busy: The lists that are being read.
        """
        if not self.folder.is_dir():
            return
        for folder in list(self.folder.iterdir()):
            if _ID.fullmatch(folder.name) is None or folder.name in busy:
                continue
            upload = read_upload(folder)
            # without a record, it did not arrive as a whole: nobody has it
            last = _last_of(upload) if upload else datetime.fromtimestamp(_age(folder), now.tzinfo)
            if last > now - KEPT:
                continue
            if upload:
                upload.discard()
            else:
                shutil.rmtree(folder, ignore_errors=True)

    def _all(self) -> Iterator[Upload]:
        if self.folder.is_dir():
            for folder in self.folder.iterdir():
                if _ID.fullmatch(folder.name) and (upload := read_upload(folder)):
                    yield upload


class NewUpload:
    """A list on its way; it is nobody's until it has come as a whole.

    Args:
        folder: Its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.is_kept = False
        (folder / LIST).mkdir(mode=_ONLY_OURS, parents=True)
        folder.chmod(_ONLY_OURS)

    def open(self, name: str) -> IO[bytes]:
        """Open the list's file for writing.

        Args:
            name: What the browser says that it is called.
        """
        return open_unread_by_others(self._folder / LIST / _kept_name(name))

    def keep(
        self, account: Account, *, mapping: bytes | None, encoding: str, now: datetime
    ) -> Upload:
        """Give the list to its owner."""
        upload = Upload(self._folder, Record(account_id=account.id, at=now))
        upload.say_how(mapping=mapping, encoding=encoding, now=now)
        self.is_kept = True
        return upload

    def discard(self) -> None:
        """Remove what has come of it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _last_of(upload: Upload) -> datetime:
    return max(filter(None, (upload.record.at, upload.import_began)))


def _age(folder: Path) -> float:
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0


def _kept_name(name: str) -> str:
    """Return a name without the folders of whoever sent it, and no longer than a disk takes."""
    last = PurePosixPath(legible(re.split(r"[/\\]", name)[-1]).lstrip(".") or LIST)
    ending = last.suffix.encode()[:_LONGEST_ENDING].decode("utf-8", "ignore")
    return last.stem.encode()[:_LONGEST_STEM].decode("utf-8", "ignore") + ending
