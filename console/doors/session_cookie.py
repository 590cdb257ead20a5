"""The session as a browser holds it: signed, so that nobody can make one up or change one."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import SecretStr

COOKIE = "regresa_session"
LONGEST = timedelta(hours=12)
"""A working day: whoever comes back in the morning signs in anew."""

_SALT = "regresa.session"
_RANDOM_BYTES = 16


class SessionClaim(NamedTuple):
    """What a session's cookie says.

    Attributes:
        account_id: Whose session it is.
        session_id: Random; it names the session and is no secret.
        begun_at: Aware UTC.
    """

    account_id: str
    session_id: str
    begun_at: datetime

    @classmethod
    def new(cls, account_id: str, now: datetime) -> Self:
        """Return a session that begins now, under a name that nobody knew before."""
        return cls(account_id, f"se-{secrets.token_hex(_RANDOM_BYTES)}", now)

    def is_too_old(self, now: datetime) -> bool:
        """Say whether the session has lasted as long as any may."""
        return now - self.begun_at >= LONGEST


class SessionCookies:
    """Writes and reads the cookie's value.

    Args:
        key: The clinic's; the one that signs is derived from it.
    """

    def __init__(self, key: SecretStr) -> None:
        self._serializer = URLSafeSerializer(
            key.get_secret_value(),
            salt=_SALT,
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def write(self, claim: SessionClaim) -> str:
        """Return a cookie's value."""
        begun_at = claim.begun_at.astimezone(UTC).isoformat()
        written = self._serializer.dumps([claim.account_id, claim.session_id, begun_at])
        return str(written)

    def read(self, value: str) -> SessionClaim | None:
        """Return what a cookie says; None where we never wrote it."""
        try:
            said: Any = self._serializer.loads(value)
        except BadSignature:
            return None
        account_id, session_id, begun_at = said
        return SessionClaim(account_id, session_id, datetime.fromisoformat(begun_at))
