"""Doors for programs, which open for whoever presents a token of the clinic's settings."""

import hmac

from fastapi import HTTPException, Request
from pydantic import SecretStr

_NEEDED = "a bearer token is needed: `Authorization: Bearer ...`"
_WRONG = "this bearer token is not the right one"


def refuse_strangers(request: Request, token: SecretStr) -> None:
    """Let nobody in without the token.

    Args:
        request: Whose header says it.
        token: What is to be presented; empty: the door is closed.

    Raises:
        HTTPException: 401, it is missing or wrong, or the door is closed.
    """
    authorization = request.headers.get("authorization", "")
    expected = token.get_secret_value()
    if expected and hmac.compare_digest(authorization.encode(), f"Bearer {expected}".encode()):
        return
    # that a token is wrong helps nobody to guess it, and whoever sets it up to mend it
    is_given = authorization.startswith("Bearer ") and len(authorization.split()) > 1
    raise HTTPException(401, _WRONG if is_given else _NEEDED, {"WWW-Authenticate": "Bearer"})
