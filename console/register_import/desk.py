"""What is done with a list that somebody brought: looked at, imported, thrown away."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr
from sqlalchemy import select

from clinic.audit import Action, note
from clinic.clinic import Clinic
from clinic.register import duplicates
from clinic.register_import.import_run import unfinished_imports
from clinic.tables import Account, ImportRun
from console.clock import Clock
from console.register_import.jobs import Job, Jobs
from console.register_import.report import End, Kind, Order, Report
from console.register_import.upload import Upload
from console.register_import.uploads import Uploads


class Stage(StrEnum):
    """How far it is with a list."""

    WORKING = "working"
    LOST = "lost"
    """The console was restarted while it was looked at."""
    REFUSED = "refused"
    PREVIEW = "preview"
    UNFINISHED = "unfinished"
    """Its import did not come to its end."""
    IMPORTED = "imported"


class Standing(NamedTuple):
    """Where a list stands.

    Attributes:
        stage: How far it is.
        report: What is known of it; None while it is read, and where that was cut short.
        job: What is done with it just now.
    """

    stage: Stage
    report: Report | None = None
    job: Job | None = None


class Unfinished(NamedTuple):
    """An import that did not come to its end.

    Attributes:
        run: As the database has it.
        upload: The list, where the reader brought it and it is still here.
    """

    run: ImportRun
    upload: Upload | None


class ImportDesk:
    """Imports lists into the register, for whoever brought them.

    Args:
        clinic: Whose register.
        clock: What time it is.
    """

    def __init__(self, clinic: Clinic, clock: Clock) -> None:
        self._clinic = clinic
        self._clock = clock
        self.uploads = Uploads(clinic.uploads)
        self.jobs = Jobs()

    def now(self) -> datetime:
        """Return what time it is, aware UTC."""
        return self._clock()

    def standing(self, upload: Upload) -> Standing:
        """Say how far it is with a list."""
        job = self.jobs.under_way(upload.id)
        if job is not None:
            return Standing(Stage.WORKING, job=job)
        if upload.import_began is not None:
            report = upload.report(Kind.IMPORT)
            done = report is not None and report.end is End.DONE
            return Standing(Stage.IMPORTED if done else Stage.UNFINISHED, report)
        report = upload.report(Kind.TRIAL)
        if report is None or report.end is End.STOPPED:
            return Standing(Stage.LOST)
        return Standing(Stage.PREVIEW if report.end is End.DONE else Stage.REFUSED, report)

    def look(self, upload: Upload, account: Account) -> None:
        """Have a list tried, so that its owner sees what would become of it."""
        upload.forget(Kind.TRIAL)
        self._begin(upload, Kind.TRIAL, account)

    async def begin_import(self, upload: Upload, account: Account) -> bool:
        """Have a list imported, unless it was, or is just now.

        Returns:
            False: There is nothing to begin; its page says why.
        """
        standing = self.standing(upload)
        if standing.stage not in (Stage.PREVIEW, Stage.UNFINISHED):
            return False
        # from here to the beginning nothing else runs: of two clicks, one begins
        upload.note_beginning(self._clock())
        self._begin(upload, Kind.IMPORT, account)
        await self._note(upload, account, {"step": "began"})
        return True

    async def reached(self, upload: Upload) -> int:
        """Return the line up to which a list was imported; 0: none of it was."""
        run = ImportRun
        query = select(run.line).where(
            run.file_name == upload.name, run.started_at == upload.import_began
        )
        async with self._clinic.database.reading() as session:
            return await session.scalar(query.order_by(run.line.desc()).limit(1)) or 0

    async def possible_duplicates(self) -> int:
        """Return how many pairs of the register wait to be looked at."""
        async with self._clinic.database.reading() as session:
            return await duplicates.count_open(session)

    async def unfinished(self, account: Account) -> Sequence[Unfinished]:
        """Return the imports that did not come to their end, but for those under way."""
        async with self._clinic.database.reading() as session:
            runs = await unfinished_imports(session)
        theirs = {(each.name, each.import_began): each for each in self.uploads.of(account)}
        found = [Unfinished(run, theirs.get((run.file_name, run.started_at))) for run in runs]
        under_way = self.jobs.imports_begun()
        return [each for each in found if each.run.started_at not in under_way]

    async def note_export(self, upload: Upload, account: Account) -> None:
        """Note that somebody took rows of a list with them."""
        async with self._clinic.database.writing() as session:
            await note(
                session,
                who=account,
                action=Action.EXPORTED,
                now=self._clock(),
                subject=upload.id,
                details={"what": "rejects"},
            )

    def sweep(self) -> None:
        """Remove the lists that have been kept long enough."""
        self.uploads.sweep(self._clock(), self.jobs.busy)

    def _begin(self, upload: Upload, kind: Kind, account: Account) -> None:
        clinic, now = self._clinic, self._clock()
        profile = clinic.profile
        order = Order(
            folder=upload.folder,
            list_file=upload.list_file,
            kind=kind,
            mapping=upload.mapping_file,
            encoding=upload.record.encoding,
            database_url=SecretStr(self._database_url()),
            key=clinic.key,
            country=profile.country,
            language=profile.language,
            zone=profile.zone.key,
            now=upload.import_began or now,
            today=now.astimezone(profile.zone).date(),
        )
        self.jobs.begin(upload.id, order, account, partial(self._ended, upload, kind, account))

    def _database_url(self) -> str:
        """Return where the register is, also for a process that works in another folder."""
        url = self._clinic.database.url
        if self._clinic.database.embedded and url.database:
            url = url.set(database=str(Path(url.database).absolute()))
        return url.render_as_string(hide_password=False)

    async def _ended(self, upload: Upload, kind: Kind, account: Account) -> None:
        report = upload.report(kind)
        if kind is Kind.IMPORT and report is not None:
            details: dict[str, str | int] = {"step": report.end.value, **report.counts}
            await self._note(upload, account, details)

    async def _note(self, upload: Upload, account: Account, details: dict[str, str | int]) -> None:
        async with self._clinic.database.writing() as session:
            await note(
                session,
                who=account,
                action=Action.IMPORTED,
                now=self._clock(),
                subject=upload.id,
                details=details,
            )
