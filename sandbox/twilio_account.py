"""A Twilio account: the messages it took, who stopped them, and what it tells its owner.

A message taken goes on by itself, as at Twilio: it is sent, then delivered or not, and each step
is reported to its status callback. An SMS received is posted to the account's webhook.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from sandbox.background_work import BackgroundWork
from sandbox.persistent_post import NotTakenError
from sandbox.twilio_errors import Refusal, TwilioRefusalError
from sandbox.twilio_faults import seconds_in_queue_of, undelivered_code_of
from sandbox.twilio_message import TwilioMessage
from sandbox.twilio_submission import WHATSAPP, Submission
from sandbox.twilio_webhook_forms import inbound_form, status_form
from sandbox.webhooks import WebhookSender

log: Final = structlog.get_logger(__name__)

# Twilio's default keywords, English only, matched as the whole message without regard to case:
# https://help.twilio.com/articles/223134027. BAJA or СТОП block nothing here: the product must.
STOP_KEYWORDS: Final = frozenset(
    {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
)
START_KEYWORDS: Final = frozenset({"START", "UNSTOP", "YES"})

# Twilio's magic number that passes all validation: the sender of a messaging service when the
# account was given no numbers.
_DEFAULT_SENDER: Final = "+15005550006"

# WhatsApp takes free text for 24 hours after the patient's last message; then only a template.
# https://www.twilio.com/docs/api/errors/63016
_WHATSAPP_WINDOW: Final = timedelta(hours=24)
_OUTSIDE_WHATSAPP_WINDOW: Final = 63016

_VALIDITY_OVER: Final = 30036


class NoWebhookUrlError(Exception):
    """An SMS cannot be passed on: the account has no webhook URL."""


class TwilioAccount:
    """The state of the account, and the doors through which tests and patients reach it.

    Attributes:
        sid: The account's id.
        numbers: The numbers it owns (E.164); empty when any number is taken for its own.
        contents: Its approved texts by their ids; empty when any id is taken for one.
        messages: Everything taken and received, oldest first.
        callbacks_given_up: How many status callbacks found no receiver, repeats included.
        on_delivered: Called with each message that reached its recipient, on the event loop.
    """

    def __init__(
        self,
        sid: str,
        *,
        numbers: Sequence[str],
        webhook_url: str | None,
        webhooks: WebhookSender,
        work: BackgroundWork,
        whatsapp_webhook_url: str | None = None,
        contents: Mapping[str, str] | None = None,
    ) -> None:
        """Open an account.

        Args:
            sid: The account's id.
            numbers: The numbers it owns (E.164); empty: any number is its own.
            webhook_url: Where a message received is posted.
            webhooks: What posts to the owner's webhooks.
            work: Where deliveries go on after the request was answered.
            whatsapp_webhook_url: Where a WhatsApp message received is posted; None: like an SMS.
            contents: Its approved texts by their ids; empty: any id is taken for one.
        """
        self.sid = sid
        self.numbers = tuple(numbers)
        self.messages: list[TwilioMessage] = []
        self.callbacks_given_up = 0
        self.on_delivered: Callable[[TwilioMessage], None] | None = None
        self.contents = dict(contents or {})
        self._webhook_url = webhook_url
        self._whatsapp_webhook_url = whatsapp_webhook_url or webhook_url
        self._webhooks = webhooks
        self._work = work
        self._stopped: set[tuple[str, str]] = set()
        self._last_received: dict[tuple[str, str], datetime] = {}
        self._changed = asyncio.Condition()

    def to(self, number: str) -> list[TwilioMessage]:
        """Return the messages taken for a number, oldest first."""
        return [message for message in self.messages if message.to == number]

    def message(self, sid: str) -> TwilioMessage | None:
        """Return a message by its id."""
        return next((message for message in self.messages if message.sid == sid), None)

    async def wait_for(
        self, wanted: Callable[[TwilioMessage], bool], *, count: int = 1
    ) -> list[TwilioMessage]:
        """Wait until at least `count` messages are `wanted`, and return those.

        It waits for ever: put it inside `asyncio.timeout` where they may not come.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: sum(map(wanted, self.messages)) >= count)
            return [message for message in self.messages if wanted(message)]

    async def message_to(self, number: str) -> TwilioMessage:
        """Wait for a message to `number`, and return the first; see `wait_for`."""
        return (await self.wait_for(lambda message: message.to == number))[0]

    async def accept(self, submission: Submission) -> TwilioMessage:
        """Take a message and send it on in the background.

        Raises:
            TwilioRefusalError: The recipient has stopped messages from this sender (21610).
        """
        if (submission.to, self._sender_of(submission)) in self._stopped:
            raise TwilioRefusalError(Refusal.UNSUBSCRIBED)
        by_service = submission.messaging_service_sid is not None
        message = TwilioMessage(
            account_sid=self.sid,
            to=submission.to,
            sender=None if by_service else submission.sender,
            body=submission.body,
            direction="outbound-api",
            status="accepted" if by_service else "queued",
            messaging_service_sid=submission.messaging_service_sid,
            content_sid=submission.content_sid,
            status_callback=submission.status_callback,
            validity_s=submission.validity_s,
        )
        await self._keep(message)
        log.info("twilio_message_accepted", sid=message.sid)
        self._work.start(
            self._deliver(message, self._sender_of(submission), submission.undelivered_with),
            name="twilio_delivery",
        )
        return message

    async def receive_sms(self, from_: str, to: str, body: str) -> int:
        """Receive an SMS from a patient and post it to the webhook.

        Args:
            from_: The patient's number (E.164), or ``whatsapp:`` and the number.
            to: The account's number the patient wrote to, in the same form.
            body: The text.

        Returns:
            The HTTP status of the webhook's last answer.

        Raises:
            NoWebhookUrlError: There is no webhook URL: the account has the SMS, and tells nobody.
            NotTakenError: The webhook could not be reached, repeats included.
        """
        message = TwilioMessage(
            account_sid=self.sid,
            to=to,
            sender=from_,
            body=body,
            direction="inbound",
            status="received",
        )
        message.sent_at = message.created_at
        self._heed_keywords(message)
        await self._keep(message)
        log.info("twilio_message_received", sid=message.sid)
        url = self._whatsapp_webhook_url if to.startswith(WHATSAPP) else self._webhook_url
        if url is None:
            raise NoWebhookUrlError("set the webhook URL (REGRESA_SANDBOX_WEBHOOK_URL)")
        return await self._webhooks.post(url, inbound_form(message))

    def _sender_of(self, submission: Submission) -> str:
        if submission.sender and not submission.messaging_service_sid:
            return submission.sender
        chosen = self.numbers[0] if self.numbers else _DEFAULT_SENDER
        return WHATSAPP + chosen if submission.to.startswith(WHATSAPP) else chosen

    def _heed_keywords(self, message: TwilioMessage) -> None:
        pair = (message.sender or "", message.to)
        self._last_received[pair] = message.created_at
        word = message.body.strip().upper()
        if word in STOP_KEYWORDS:
            self._stopped.add(pair)
        elif word in START_KEYWORDS:
            self._stopped.discard(pair)

    async def _deliver(
        self, message: TwilioMessage, sender: str, undelivered_with: int | None
    ) -> None:
        message.sender = sender
        if await self._outstays_its_validity(message):
            await self._reach(message, ["failed"], _VALIDITY_OVER)
            return
        number = message.to.removeprefix(WHATSAPP)
        error_code = undelivered_with or undelivered_code_of(number)
        steps = ["sent", "delivered" if error_code is None else "undelivered"]
        if self._is_outside_whatsapp_window(message):
            error_code = _OUTSIDE_WHATSAPP_WINDOW
            steps = ["undelivered"]
        await self._reach(message, steps, error_code)

    async def _outstays_its_validity(self, message: TwilioMessage) -> bool:
        waits = seconds_in_queue_of(message.to.removeprefix(WHATSAPP))
        valid_for = message.validity_s or waits
        await asyncio.sleep(min(waits, valid_for))
        return waits > valid_for

    async def _reach(
        self, message: TwilioMessage, steps: Sequence[str], error_code: int | None
    ) -> None:
        """Go through statuses, the last of which bears the error, and report each."""
        reports = []
        for status in steps:
            message.become(status, error_code=error_code if status == steps[-1] else None)
            reports.append(status_form(message))
        async with self._changed:
            self._changed.notify_all()
        # The message reaches the patient, whether the account's owner listens to reports or not.
        if error_code is None and self.on_delivered is not None:
            self.on_delivered(message)
        if message.status_callback is not None:
            for report in reports:
                await self._report(message.status_callback, report)

    def _is_outside_whatsapp_window(self, message: TwilioMessage) -> bool:
        if not message.to.startswith(WHATSAPP) or message.content_sid is not None:
            return False
        last = self._last_received.get((message.to, message.sender or ""))
        return last is None or datetime.now(UTC) - last > _WHATSAPP_WINDOW

    async def _report(self, url: str, report: Mapping[str, str]) -> None:
        try:
            await self._webhooks.post(url, report)
        except NotTakenError:
            # Twilio, too, lets the message be when its owner does not listen.
            self.callbacks_given_up += 1
            log.warning("status_callback_given_up", status=report["MessageStatus"])

    async def _keep(self, message: TwilioMessage) -> None:
        async with self._changed:
            self.messages.append(message)
            self._changed.notify_all()
