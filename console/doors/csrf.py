"""Whether a request that changes something comes from a page of ours, and not from a stranger's."""

import hmac

from fastapi import Request
from pydantic import SecretStr

FIELD = "csrf"
"""The hidden field of every form."""
HEADER = "X-CSRF-Token"
"""The same for a script's requests."""

_PURPOSE = "regresa.csrf"
_OUR_OWN = frozenset({"same-origin", "none"})
"""What a browser says of a request that one of our pages, or its reader, makes."""


def token_of(key: SecretStr, session_id: str) -> str:
    """Return what the forms of a session carry; it ends with the session.

    Args:
        key: The clinic's.
        session_id: Of the session.
    """
    said = f"{_PURPOSE}:{session_id}".encode()
    return hmac.new(key.get_secret_value().encode(), said, "sha256").hexdigest()


def comes_from_elsewhere(request: Request) -> bool:
    """Say whether the browser itself tells that another site's page makes the request.

    Browsers say nothing of it over plain HTTP, except on this machine: silence proves nothing.
    """
    return request.headers.get("sec-fetch-site", "none") not in _OUR_OWN


async def carries(request: Request, token: str) -> bool:
    """Say whether a request carries a session's token, in its header or in its form."""
    # a door that takes files says so, and looks for the token itself; no other gets any
    sent = request.headers.get(HEADER) or (await request.form(max_files=0)).get(FIELD)
    return isinstance(sent, str) and is_token(sent.encode("utf-8", "replace"), token)


def is_token(sent: bytes, token: str) -> bool:
    """Say whether what was sent is a session's token."""
    return hmac.compare_digest(sent, token.encode())
