"""One clinic, opened: its settings, folder, policy and database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr

from clinic.contact_policy import ContactCalendar
from clinic.database import Database
from clinic.folder import ClinicFolder, ClinicProfile
from clinic.link import PatientLinks
from clinic.register.register_key import refuse_another_key
from clinic.settings import ClinicSettings


class Clinic:
    """What every process needs of the clinic.

    Args:
        settings: Where the clinic's folder and database are.

    Raises:
        Refusal: The folder, its policy or the database's URL is wrong.
    """

    def __init__(self, settings: ClinicSettings) -> None:
        self.settings = settings
        self.folder = ClinicFolder(settings.clinic, settings.contact_policy)
        self.policy = self.folder.policy()
        self.database = Database(settings.database_url)
        self.links = PatientLinks(settings.secret_key, settings.public_url)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open the database for the block, and look whether it is this key's register.

        Raises:
            Refusal: The database can't be reached or is behind, or its key is another.
        """
        async with self.database:
            await refuse_another_key(self.database, self.key)
            yield

    @property
    def uploads(self) -> Path:
        """Where the console keeps lists while they are imported; nobody else reads along."""
        if self.settings.uploads:
            return self.settings.uploads
        file = self.database.url.database if self.database.embedded else None
        return (Path(file).parent if file else Path("var")) / "uploads"

    @property
    def key(self) -> SecretStr:
        """The key of links and suppression hashes."""
        return self.settings.secret_key

    @property
    def calendar(self) -> ContactCalendar:
        """The clinic's time zone and closing days."""
        return self.folder.profile.calendar

    @property
    def profile(self) -> ClinicProfile:
        """Who writes, and from where."""
        return self.folder.profile
