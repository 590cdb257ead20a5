"""One list that was uploaded, as a folder on the disk, and what became of it so far."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ValidationError

from console.register_import.report import Kind, Report

_RECORD, _BEGUN, _MAPPING = "upload.json", "import.begun", "mapping.yaml"
LIST = "list"
"""The folder with the list itself, under the name that it came with."""


class Record(BaseModel):
    """What is known of a list beside what stands in it.

    Attributes:
        account_id: Who brought it.
        at: When, or when it was looked at last with another mapping; aware UTC.
        encoding: As its owner said; empty: to be found out.
    """

    account_id: str
    at: datetime
    encoding: str = ""


class Upload:
    """One list, and what became of it so far.

    Args:
        folder: Its own.
        record: What is known of it.
    """

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder = folder
        self.record = record

    @property
    def id(self) -> str:
        """Its opaque id."""
        return self.folder.name

    @property
    def list_file(self) -> Path:
        """The list, under the name that it came with."""
        return next((self.folder / LIST).iterdir())

    @property
    def name(self) -> str:
        """The list's name, which is for its owner alone."""
        return self.list_file.name

    @property
    def mapping_file(self) -> Path | None:
        """How the list is to be read, where its owner said so."""
        mapping = self.folder / _MAPPING
        return mapping if mapping.is_file() else None

    @property
    def mapping(self) -> str:
        """The mapping's text: the owner's, else the one that is proposed, else nothing."""
        proposed = self.folder / f"{self.list_file.stem}.mapping.yaml"
        for file in (self.mapping_file, proposed):
            if file is not None and file.is_file():
                return file.read_text(encoding="utf-8", errors="replace")
        return ""

    @property
    def import_began(self) -> datetime | None:
        """When its import began, aware UTC; None: it was only looked at so far."""
        begun = self.folder / _BEGUN
        try:
            return datetime.fromisoformat(begun.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:  # the machine went down before the disk had it: it began all the same
            return datetime.fromtimestamp(begun.stat().st_mtime, UTC)

    def report(self, kind: Kind) -> Report | None:
        """Return what became of it; None where the work has not come to an end.

        A report that another version wrote, or that is cut short, counts as none.
        """
        try:
            said = (self.folder / f"{kind}.json").read_bytes()
            return Report.model_validate_json(said)
        except (FileNotFoundError, ValidationError):
            return None

    def rejects(self, kind: Kind) -> Path | None:
        """Return the file of what could not be used; None where all could."""
        file = self.folder / f"{kind}.rejects.jsonl"
        return file if file.is_file() else None

    def say_how(self, *, mapping: bytes | None, encoding: str, now: datetime) -> None:
        """Keep how the list is to be read; what was found out before counts no more."""
        self.record = self.record.model_copy(update={"encoding": encoding, "at": now})
        _write(self.folder / _RECORD, self.record.model_dump_json().encode())
        if mapping is None:
            (self.folder / _MAPPING).unlink(missing_ok=True)
        else:
            _write(self.folder / _MAPPING, mapping)
        self.forget(Kind.TRIAL)

    def note_beginning(self, now: datetime) -> None:
        """Note that the import begins."""
        self.forget(Kind.IMPORT)
        _write(self.folder / _BEGUN, now.isoformat().encode())

    def forget(self, kind: Kind) -> None:
        """Remove what became of it before."""
        for name in (f"{kind}.json", f"{kind}.rejects.jsonl"):
            (self.folder / name).unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the list and all that is known of it."""
        # without its record it is nobody's, however long the rest takes
        (self.folder / _RECORD).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def read_upload(folder: Path) -> Upload | None:
    """Return the list of a folder; None: none came here as a whole."""
    try:
        said = (folder / _RECORD).read_text(encoding="utf-8")
        return Upload(folder, Record.model_validate_json(said))
    except (OSError, ValidationError):
        return None


def open_unread_by_others(file: Path) -> IO[bytes]:
    """Open a file for writing that the console's user alone may read."""
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write(file: Path, content: bytes) -> None:
    """Write a file as a whole: where the disk is full, what stood there before still does."""
    part = file.with_name(f"{file.name}.part")
    with open_unread_by_others(part) as opened:
        opened.write(content)
    part.rename(file)
