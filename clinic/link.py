"""The patient's own link: it names one message, and nobody can make one up."""

from typing import NamedTuple

from itsdangerous import BadSignature, Signer
from pydantic import SecretStr


class LinkedMessage(NamedTuple):
    """The message whose link was followed."""

    attempt_id: str
    step: int


class PatientLinks:
    """Makes and reads the links in patients' messages.

    Args:
        key: Signs the links.
        public_url: Where patients reach the console.
    """

    def __init__(self, key: SecretStr, public_url: str) -> None:
        self._signer = Signer(key.get_secret_value(), salt="regresa.patient-link")
        self._page = public_url.rstrip("/") + "/p/"

    def link_to(self, attempt_id: str, step: int) -> str:
        """Return the link in one message of an attempt."""
        return self._page + self._signer.sign(f"{attempt_id}.{step}").decode()

    def stop_url(self, attempt_id: str, step: int) -> str:
        """Return where the one-click unsubscribe of that message goes."""
        return self.link_to(attempt_id, step) + "/stop"

    def read(self, token: str) -> LinkedMessage | None:
        """Return which message a link's token names; None where we never made it."""
        try:
            attempt_id, _, step = self._signer.unsign(token).decode().rpartition(".")
        except BadSignature:
            return None
        return LinkedMessage(attempt_id, int(step))
