"""The doors through which simulated patients reach the clinic, and how each door answered.

A door that does not open is counted and logged; patients try a page once, or as often as they are
told to. The clinic's own software, which reports bookings, repeats what was not taken.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from http import HTTPStatus
from typing import Final
from uuid import uuid4

import httpx
import structlog

from sandbox.imap_mailbox import ImapMailbox
from sandbox.persistent_post import NotTakenError, post_until_taken
from sandbox.twilio_account import TwilioAccount

log: Final = structlog.get_logger(__name__)

_PAGE_TIMEOUT_S: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Door(StrEnum):
    """A way from a patient to the clinic."""

    BOOKING = "booking"
    SMS = "sms"
    MAIL = "mail"
    ONE_CLICK = "one_click"
    PAGE = "page"
    CALL_REQUEST = "call_request"
    SCANNED_LINK = "scanned_link"


class _OutsideError(Exception):
    """A link leads away from the clinic's own hosts."""


class Doors:
    """Knocks at doors and keeps count.

    Attributes:
        answers: For each door, how often it gave which answer: an HTTP status, ``unreachable``,
            ``outside`` (a host that is not the clinic's) or ``missing`` (no such door in the
            message).
    """

    def __init__(
        self,
        twilio: TwilioAccount,
        machines: httpx.AsyncClient,
        *,
        bookings_url: str,
        bookings_token: str,
        pauses: Sequence[float],
        page_pauses: Sequence[float] = (),
        mailbox: ImapMailbox | None = None,
        hosts: Collection[str] = (),
    ) -> None:
        """Know the doors.

        Args:
            twilio: Takes patients' SMS.
            machines: The HTTP client of the clinic's own software.
            bookings_url: Where that software reports bookings.
            bookings_token: Its bearer token there.
            pauses: Seconds before each repeat of a booking that was not taken.
            page_pauses: Seconds until a patient tries again a page that did not open.
            mailbox: The clinic's own, where it has one.
            hosts: The clinic's hosts besides loopback. No link is followed to any other.
        """
        self.answers: Counter[tuple[Door, str]] = Counter()
        self._twilio = twilio
        self._machines = machines
        self._bookings_url = bookings_url
        self._bookings_token = bookings_token
        self._pauses = tuple(pauses)
        self._page_pauses = tuple(page_pauses)
        self._mailbox = mailbox
        self._hosts = _LOOPBACK | frozenset(hosts)

    def missing(self, door: Door) -> str:
        """Count that a message did not offer the door a patient looked for."""
        return self._count(door, "missing")

    async def book(self, patient_id: str, appointment_at: datetime) -> str:
        """Report a booking, as the clinic's own software does; return the answer.

        Args:
            patient_id: The patient's id on the clinic's register.
            appointment_at: When, with a time zone.
        """
        booking = {
            "key": f"sandbox-{uuid4().hex}",
            "patient": patient_id,
            "appointment_at": appointment_at.isoformat(),
        }
        try:
            status = await post_until_taken(
                self._machines,
                self._bookings_url,
                pauses=self._pauses,
                json=booking,
                headers={"Authorization": f"Bearer {self._bookings_token}"},
            )
        except NotTakenError:
            return self._count(Door.BOOKING, "unreachable")
        return self._count(Door.BOOKING, status)

    async def text(self, from_: str, to: str, body: str) -> str:
        """Send an SMS to the clinic; return the answer of the clinic's door."""
        try:
            status = await self._twilio.receive_sms(from_, to, body)
        except NotTakenError:
            return self._count(Door.SMS, "unreachable")
        return self._count(Door.SMS, status)

    async def write_mail(self, reply: EmailMessage) -> str:
        """Send a mail to the clinic; return 200 once the clinic has put it away as seen."""
        if self._mailbox is None:
            return self.missing(Door.MAIL)
        await self._mailbox.deliver(reply.as_bytes(policy=SMTP))
        return self._count(Door.MAIL, HTTPStatus.OK.value)

    async def unsubscribe(self, link: str) -> str:
        """Unsubscribe with one click (RFC 8058): a form, no cookies, no redirects."""
        async with self._browser(follow_redirects=False) as browser:
            form = {"List-Unsubscribe": "One-Click"}
            return await self._knock(browser, Door.ONE_CLICK, "POST", link, form)

    async def ask_for_a_call(self, link: str, words: str = "") -> str:
        """Open the patient's page and ask there for a call, in the patient's own words."""
        async with self._browser(follow_redirects=True) as browser:
            await self._knock(browser, Door.PAGE, "GET", link)
            call = link.rstrip("/") + "/call"
            wish = {"wish": "call"} | ({"words": words} if words else {})
            return await self._knock(browser, Door.CALL_REQUEST, "POST", call, wish)

    async def scan(self, links: Sequence[str]) -> None:
        """Open every link, as a mail scanner does before the patient sees the message."""
        async with self._browser(follow_redirects=True) as browser:
            for link in links:
                await self._knock(browser, Door.SCANNED_LINK, "GET", link)

    def _browser(self, *, follow_redirects: bool) -> httpx.AsyncClient:
        # A new one for each visit: no cookie of one patient reaches another's page.
        return httpx.AsyncClient(
            timeout=_PAGE_TIMEOUT_S,
            trust_env=False,
            follow_redirects=follow_redirects,
            event_hooks={"request": [self._stay_inside]},
        )

    async def _stay_inside(self, request: httpx.Request) -> None:
        if request.url.host not in self._hosts:
            raise _OutsideError

    async def _knock(
        self,
        browser: httpx.AsyncClient,
        door: Door,
        method: str,
        link: str,
        form: Mapping[str, str] | None = None,
    ) -> str:
        for pause in self._page_pauses:
            answer = await self._knock_once(browser, door, method, link, form)
            if answer != "unreachable" and not answer.startswith("5"):
                return answer
            await asyncio.sleep(pause)
        return await self._knock_once(browser, door, method, link, form)

    async def _knock_once(
        self,
        browser: httpx.AsyncClient,
        door: Door,
        method: str,
        link: str,
        form: Mapping[str, str] | None,
    ) -> str:
        try:
            answer = await browser.request(method, link, data=form)
        except _OutsideError:
            return self._count(door, "outside")
        except (httpx.TransportError, httpx.TooManyRedirects) as error:
            log.warning("door_unreachable", door=door, error=type(error).__name__)
            return self._count(door, "unreachable")
        return self._count(door, answer.status_code)

    def _count(self, door: Door, answer: int | str) -> str:
        self.answers[door, str(answer)] += 1
        opened = isinstance(answer, int) and (HTTPStatus.OK <= answer < HTTPStatus.MULTIPLE_CHOICES)
        (log.info if opened else log.warning)("door_answered", door=door, answer=answer)
        return str(answer)
