"""The messages that were accepted, as a page for whoever opens their address in a browser."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from sandbox.twilio_submission import WHATSAPP

MOST_SHOWN: Final = 200


def messages_page(messages: Sequence[Mapping[str, Any]]) -> HTMLResponse:
    """Return a page of messages, newest first.

    A message may hold anything: its text is escaped, no script runs, and nothing is fetched. What
    looks like a web address is a link.

    Args:
        messages: As they are listed for programs, oldest first; the newest `MOST_SHOWN` are shown.
    """
    nonce = secrets.token_urlsafe()
    newest = [_shown(message) for message in reversed(messages[-MOST_SHOWN:])]
    page = _page().render(messages=newest, count=len(messages), nonce=nonce)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",  # the list's address may hold a patient's number
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(page, headers=headers)


def _shown(message: Mapping[str, Any]) -> dict[str, Any]:
    # in this machine's zone: the sandbox knows no clinic
    at = datetime.fromisoformat(message["received_at"]).astimezone()
    return {
        "channel": _CHANNELS[message["channel"]],
        "to": message["to"].removeprefix(WHATSAPP),
        "at": at,
        "subject": message.get("subject", ""),
        "body": message["body"].strip(),
    }


@cache
def _page() -> Template:
    here = Path(__file__).parent
    pages = Environment(
        loader=FileSystemLoader(here),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return pages.get_template("messages.html")


_CHANNELS: Final = {"email": "Email", "sms": "SMS", "whatsapp": "WhatsApp"}
