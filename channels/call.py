"""A person who calls: the message is a task on the call list."""

from collections.abc import Sequence
from typing import ClassVar

from pydantic_settings import BaseSettings, SettingsConfigDict

from channels.protocol import Fetched, OutgoingMessage, ProviderEvent, Receipt, WebhookRequest
from clinic import call_opening
from clinic.call_task import TaskKind
from clinic.database import Database
from clinic.register.contact import Contact
from clinic.settings import PREFIX


class CallSettings(BaseSettings):
    """The call channel's provider is the clinic's own database."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore")

    database_url: str = "sqlite:///var/regresa.db"


class CallChannel:
    """Puts a patient on the call list."""

    name: ClassVar[str] = "call"
    settings_model: ClassVar[type[BaseSettings]] = CallSettings
    fetches: ClassVar[bool] = False
    settles: ClassVar[bool] = True

    def __init__(self, settings: BaseSettings) -> None:
        """Take settings that `settings_model` has checked."""
        self._database = Database(CallSettings.model_validate(settings).database_url)

    @property
    def host(self) -> str:
        """No provider outside the clinic is involved."""
        return "127.0.0.1"

    @property
    def per_second(self) -> float | None:
        """A list has no rate."""
        return None

    @staticmethod
    def address_of(contact: Contact) -> tuple[str | None, bool]:
        """Return the patient's phone number."""
        return contact.phone, contact.phone_bad

    async def send(self, message: OutgoingMessage) -> Receipt:
        """Open the task; a second time for the same step finds the one there is."""
        async with self._database.writing() as session:
            task_id = await call_opening.open_task(
                session,
                attempt_id=message.attempt_id,
                step=message.step,
                kind=TaskKind.CALL,
                due_at=message.due_at,
                tries=message.tries,
                event_id=None,
                now=message.claimed_at,
            )
        return Receipt(provider_id=task_id or message.key)

    async def reconcile(self, message: OutgoingMessage) -> Receipt | None:
        """Open the task if it is not there: that is safe to repeat."""
        return await self.send(message)

    def verify(self, request: WebhookRequest) -> bool:
        """A call task has no webhooks: no request is genuine."""
        del request
        return False

    def parse(self, request: WebhookRequest) -> list[ProviderEvent]:
        """A call task has no webhooks.

        Raises:
            ValueError: Always.
        """
        del request
        raise ValueError("the call channel takes no webhooks")

    async def fetch(self) -> Sequence[Fetched]:
        """Nothing comes in here."""
        return []

    async def acknowledge(self, fetched: Sequence[Fetched]) -> None:
        """Nothing was fetched."""
        del fetched

    def redact(self, text: str) -> str:
        """Nothing of a task is ever logged."""
        del text
        return "[call task]"

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()
