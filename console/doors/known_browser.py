"""Browsers in which somebody has signed in before: strangers' guesses do not keep them out.

Anybody can use up the tries of a name, and does no harm by it but to the name's holder. So whoever
once signed in by a name in this browser has tries of their own there.
"""

import hashlib
import secrets

from fastapi import Request
from fastapi.responses import Response
from itsdangerous import BadSignature, URLSafeSerializer

from clinic.clinic import Clinic
from console.doors.login_limit import name_key
from console.reader import is_secure

_COOKIE = "regresa_browser"
_KEPT = 180 * 24 * 3600
"""Seconds."""
_PATH = "/login"
_RANDOM_BYTES = 8


class KnownBrowsers:
    """Marks browsers, and reads the mark.

    Args:
        clinic: Whose key signs.
    """

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic
        self._serializer = URLSafeSerializer(
            clinic.key.get_secret_value(),
            salt="regresa.known-browser",
            signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
        )

    def mark_of(self, request: Request, name: str) -> str:
        """Return the mark of a browser in which a name was signed in by; empty: it was not."""
        try:
            name_hash, mark = self._serializer.loads(request.cookies.get(_COOKIE, ""))
        except BadSignature:
            return ""
        return str(mark) if name_hash == _hash(name) else ""

    def remember(self, answer: Response, name: str) -> None:
        """Mark a browser in which a name was signed in by."""
        answer.set_cookie(
            _COOKIE,
            str(self._serializer.dumps([_hash(name), secrets.token_hex(_RANDOM_BYTES)])),
            max_age=_KEPT,
            path=_PATH,
            secure=is_secure(self._clinic),
            httponly=True,
            samesite="lax",
        )


def _hash(name: str) -> str:
    return hashlib.sha256(name_key(name).encode()).hexdigest()[:16]
