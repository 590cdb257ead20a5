"""What is shown of a list to whoever brought it, from choosing it to what became of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse

from clinic.clinic import Clinic
from console.clock import Clock
from console.doors.sessions import Visitor
from console.register_import import words
from console.register_import.desk import ImportDesk, Stage
from console.register_import.jobs import Job
from console.register_import.posted_list import (
    LARGEST_LIST,
    ListTooLargeError,
    Posted,
    receive,
)
from console.register_import.rejects_csv import rejects_csv
from console.register_import.report import Kind, Report
from console.register_import.upload import Upload
from console.register_import.uploads import KEPT, NewUpload
from console.register_import.view import ReportView
from console.staff_view import render, translated

PATH = "/register/import"
KEPT_FREE = 256 * 1024 * 1024
"""Bytes of the disk that are left to the database and all else."""
_SWEEP_SECONDS = 3600
_PAGES = "register_import/"


class ImportPages:
    """Shows lists to those who brought them.

    Args:
        clinic: Whose register.
        clock: What time it is.
        kept_free: Bytes of the disk that no list may take.
    """

    def __init__(self, clinic: Clinic, clock: Clock, *, kept_free: int = KEPT_FREE) -> None:
        self._clinic = clinic
        self._kept_free = kept_free
        self.desk = ImportDesk(clinic, clock)

    async def front(self, visitor: Visitor, *, status: int = 200, problem: str = "") -> Response:
        """Return the page on which a list is chosen."""
        mine = self.desk.uploads.of(visitor.account)
        return render(
            visitor,
            f"{_PAGES}choose.html",
            status=status,
            problem=translated(visitor, problem) if problem else "",
            mine=[(each, self.desk.standing(each).stage.value) for each in mine],
            others=self._somebody_elses(visitor),
            unfinished=await self.desk.unfinished(visitor.account),
            encodings=words.ENCODINGS,
            largest_bytes=LARGEST_LIST,
            kept_hours=int(KEPT.total_seconds() // 3600),
            zone=self._clinic.profile.zone,
        )

    async def take(self, request: Request, visitor: Visitor) -> Response:
        """Take a list in, and have it looked at."""
        await asyncio.to_thread(self.desk.sweep)
        if self._is_too_full_for(request):
            return await self.front(visitor, status=507, problem=words.NO_ROOM)
        try:
            async with self.desk.uploads.coming() as new:
                posted = await receive(request, visitor.csrf, new)
                return await self._taken(visitor, new, posted)
        except ListTooLargeError:
            return await self.front(visitor, status=413, problem=words.TOO_LARGE)
        except OSError:
            return await self.front(visitor, status=507, problem=words.NO_ROOM)

    async def show(self, upload: Upload, visitor: Visitor) -> Response:
        """Return a list's page, as far as it is with it.

        Raises:
            HTTPException: 404, it has just been removed.
        """
        try:
            return await self._shown(upload, visitor)
        except FileNotFoundError:
            raise HTTPException(404, "no such list") from None

    async def _shown(self, upload: Upload, visitor: Visitor) -> Response:
        standing = self.desk.standing(upload)
        stage, report, job = standing
        first = self.desk.jobs.first()
        values: dict[str, Any] = {
            "upload": upload,
            "job": job,
            "ahead": first if job is not None and first is not job else None,
            "mine": first is not None and first.who.id == visitor.account.id,
            "report": report,
            "view": self._view(report, visitor) if report else None,
            "kind": self._kind(upload).value,
            "has_rejects": upload.rejects(self._kind(upload)) is not None,
            "kept_hours": int(KEPT.total_seconds() // 3600),
            "encodings": words.ENCODINGS,
        }
        if stage is Stage.UNFINISHED:
            values["line"] = report.line if report else await self.desk.reached(upload)
        if stage is Stage.IMPORTED:
            values["duplicates"] = await self.desk.possible_duplicates()
        if stage is Stage.REFUSED:
            why = report.refused.why if report and report.refused else None
            values |= {
                "mapping": upload.mapping,
                "asks_mapping": why in words.NEEDS_MAPPING or upload.mapping_file is not None,
                "asks_encoding": why in words.NEEDS_ENCODING,
            }
        return render(visitor, f"{_PAGES}{stage.value}.html", **values)

    async def look_again(
        self, upload: Upload, visitor: Visitor, mapping: str, encoding: str
    ) -> Response:
        """Have a list looked at once more, read as its owner says."""
        stage = self.desk.standing(upload).stage
        if stage in (Stage.REFUSED, Stage.LOST, Stage.PREVIEW):
            said = mapping.replace("\r\n", "\n").encode() if mapping.strip() else None
            upload.say_how(mapping=said, encoding=encoding, now=self.desk.now())
            self.desk.look(upload, visitor.account)
        return to(upload)

    async def discard(self, upload: Upload) -> Response:
        """Remove a list, unless it is being read."""
        if self.desk.standing(upload).stage is Stage.WORKING:
            return to(upload)
        await asyncio.to_thread(upload.discard)
        return RedirectResponse(PATH, 303)

    async def rejects(self, upload: Upload, visitor: Visitor) -> Response:
        """Return what could not be used, as a file to keep."""
        file = upload.rejects(self._kind(upload))
        if file is None or self.desk.standing(upload).stage is Stage.WORKING:
            raise HTTPException(404, "nothing was rejected")
        await self.desk.note_export(upload, visitor.account)
        return StreamingResponse(
            rejects_csv(file, visitor),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="rejects.csv"'},
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Remove old lists at the beginning and now and then, and end all work at the end."""

        async def sweep() -> None:
            while True:
                await asyncio.sleep(_SWEEP_SECONDS)
                await asyncio.to_thread(self.desk.sweep)

        await asyncio.to_thread(self.desk.sweep)
        async with self.desk.jobs.ending():
            sweeping = asyncio.create_task(sweep())
            try:
                yield
            finally:
                sweeping.cancel()

    def _is_too_full_for(self, request: Request) -> bool:
        declared = request.headers.get("content-length", "")
        size = int(declared) if declared.isdecimal() and len(declared) < len("1" * 16) else 0
        return self.desk.uploads.free_bytes() < min(size, LARGEST_LIST) + self._kept_free

    async def _taken(self, visitor: Visitor, new: NewUpload, posted: Posted) -> Response:
        if not posted.size:
            problem = words.EMPTY_FILE if posted.has_list else words.NO_FILE
            return await self.front(visitor, status=422, problem=problem)
        upload = new.keep(
            visitor.account,
            mapping=posted.mapping,
            encoding=posted.encoding,
            now=self.desk.now(),
        )
        self.desk.look(upload, visitor.account)
        return to(upload)

    def _somebody_elses(self, visitor: Visitor) -> Job | None:
        """Return what another person has read just now; one's own list says so itself."""
        first = self.desk.jobs.first()
        return first if first is not None and first.who.id != visitor.account.id else None

    def _view(self, report: Report, visitor: Visitor) -> ReportView:
        profile = self._clinic.profile
        return ReportView(report, visitor, profile.zone, profile.country)

    def _kind(self, upload: Upload) -> Kind:
        return Kind.TRIAL if upload.import_began is None else Kind.IMPORT


def to(upload: Upload) -> Response:
    """Lead to a list's page."""
    return RedirectResponse(f"{PATH}/{upload.id}", 303)
