"""What every part of the suite is given: the author's stand-in, and the channel built for it."""

from collections.abc import AsyncIterator, Callable, Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar
from uuid import uuid4

import pytest
import pytest_asyncio

from channels import registry
from channels.conformance.stand_in import CLOSED_SET, StandIn
from channels.errors import SendError
from channels.protocol import Channel, OutgoingMessage

_Test = TypeVar("_Test", bound=Callable[..., Any])


def only_where(*said: str) -> Callable[[_Test], _Test]:
    """Leave a test out of the suites of channels of which something is not said.

    Args:
        said: What has to be true of `Given`, by name.
    """

    def marked(test: _Test) -> _Test:
        test.__dict__["only_where"] = said
        return test

    return marked


class Given:
    """What the author of a channel tells of it, and what is made of that."""

    name: ClassVar[str]
    """As plans name the channel."""
    reaches_by: ClassVar[Literal["email", "phone"]]
    """Which of a patient's addresses it uses."""
    wrong_setting: ClassVar[tuple[str, str]]
    """A variable and a value that must be refused."""
    failures: ClassVar[Collection[type[SendError]]] = CLOSED_SET
    """Those that the provider knows."""
    retry_after: ClassVar[timedelta | None] = None
    """What the stand-in asks for where it fails as `Transient`; None: it says nothing."""
    fetches: ClassVar[bool] = False
    """Whether the channel fetches what comes in."""
    takes_webhooks: ClassVar[bool] = True
    """Whether the provider calls the console."""
    signs_content: ClassVar[bool] = True
    """Whether a genuine request whose words were changed is no longer genuine. False for a
    provider that presents only a secret."""
    limits_validity: ClassVar[bool] = True
    """Whether the provider can be told until when it may go on trying."""
    opens_by_asking: ClassVar[bool] = False
    """Whether `reconcile` makes good what is lacking, safely, however often it is asked."""
    stand_in: Any
    """A fixture, to be given by whoever inherits: the `StandIn`."""

    @pytest_asyncio.fixture
    async def channel(
        self, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> AsyncIterator[Channel]:
        """The channel as the product builds it, from the environment alone."""
        monkeypatch.chdir(tmp_path)  # where no .env is
        for variable, value in stand_in.environment.items():
            monkeypatch.setenv(variable, value)
        built = registry.in_use([self.name])[self.name]
        yield built
        await built.close()

    async def message(
        self, stand_in: StandIn, failure: type[SendError] | None = None, **given: object
    ) -> OutgoingMessage:
        """Make a message that no other test sends.

        Args:
            stand_in: Gives the address.
            failure: How it fails; None: it is taken.
            given: Fields to replace.
        """
        attempt_id = f"at_{uuid4().hex[:16]}"
        link = f"https://aurora.example/p/{attempt_id}.0.a-signature-of-27-letters-0"
        claimed_at = datetime.now(UTC)
        fields: dict[str, object] = {
            "key": f"{attempt_id}.0",
            "attempt_id": attempt_id,
            "step": 0,
            "to": stand_in.address(failure),
            "language": "es",
            "sender": "Clínica Dental Aurora",
            "subject": "Un saludo de Clínica Dental Aurora",
            "text": f"Hola, Sofía: le esperamos con gusto.\n\n{link}",
            "link": link,
            "stop_url": f"{link}/stop",
            "status_url": f"http://127.0.0.1:9/webhooks/{self.name}?message={attempt_id}.0",
            "claimed_at": claimed_at,
            "due_at": claimed_at + timedelta(days=2),
            "tries": 1,
            "valid_for": timedelta(hours=2),
        }
        return await stand_in.prepare(OutgoingMessage.model_validate(fields | given))
