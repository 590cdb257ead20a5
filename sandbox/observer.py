"""A window on the sandbox: what either provider accepted, and a telephone to write an SMS with.

These routes hold what patients were sent, and have no login: the sandbox listens on loopback only.
"""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict, Field

from sandbox.messages_page import messages_page
from sandbox.persistent_post import NotTakenError
from sandbox.random_faults import RandomFaults
from sandbox.simulated_patients import SimulatedPatients
from sandbox.smtp_inbox import ReceivedEmail, SmtpInbox
from sandbox.twilio_account import NoWebhookUrlError, TwilioAccount
from sandbox.twilio_message import TwilioMessage
from sandbox.twilio_submission import WHATSAPP

_Number = Annotated[str, Field(pattern=r"^(whatsapp:)?\+?[0-9]{3,15}$")]


class PatientsSms(BaseModel):
    """An SMS that a patient sends."""

    model_config = ConfigDict(extra="forbid")

    sender: _Number = Field(alias="from")
    to: _Number
    body: str = Field(min_length=1)


class Observer:
    """The routes under ``/sandbox``.

    Attributes:
        router: The routes.
    """

    def __init__(self, inbox: SmtpInbox, twilio: TwilioAccount, faults: RandomFaults) -> None:
        """Look at an inbox and an account, and at the faults that came by chance."""
        self._inbox = inbox
        self._twilio = twilio
        self._faults = faults
        self.router = APIRouter(prefix="/sandbox")
        self.router.add_api_route("/messages", self._messages, methods=["GET"], response_model=None)
        self.router.add_api_route("/faults", self._faults_so_far, methods=["GET"])
        self.router.add_api_route("/inbound-sms", self._inbound_sms, methods=["POST"])

    def show_patients(self, patients: SimulatedPatients) -> None:
        """Add ``/sandbox/patients``, counts by persona and door, and ``/sandbox/replies``."""
        self.router.add_api_route("/patients", patients.counts, methods=["GET"])
        self.router.add_api_route("/replies", patients.log.seen, methods=["GET"])

    async def _faults_so_far(self) -> dict[str, int]:
        """Count the faults that came by chance, by kind."""
        return dict(self._faults.counts)

    async def _messages(
        self,
        channel: Literal["email", "sms", "whatsapp"] | None = None,
        to: str | None = None,
        accept: Annotated[str, Header()] = "",
    ) -> list[dict[str, Any]] | HTMLResponse:
        """List what was accepted for patients, oldest first, by channel or recipient if asked.

        Whoever opens it in a browser, which asks for HTML by name, gets a page.
        """
        seen = [_seen_email(received) for received in self._inbox.messages]
        seen += [
            _seen_sms(message)
            for message in self._twilio.messages
            if message.direction == "outbound-api"
        ]
        seen = [
            one
            for one in seen
            if channel in {None, one["channel"]} and (to is None or to in one["to"].split(", "))
        ]
        seen.sort(key=lambda one: str(one["received_at"]))
        return messages_page(seen) if "text/html" in accept else seen

    async def _inbound_sms(self, sms: PatientsSms) -> dict[str, int]:
        """Play a patient's SMS, and tell how the webhook answered it."""
        try:
            status = await self._twilio.receive_sms(sms.sender, sms.to, sms.body)
        except NoWebhookUrlError as error:
            raise HTTPException(HTTPStatus.CONFLICT, str(error)) from error
        except NotTakenError as error:
            raise HTTPException(HTTPStatus.BAD_GATEWAY, str(error)) from error
        return {"webhook_status": status}


def _seen_email(received: ReceivedEmail) -> dict[str, Any]:
    return {
        "channel": "email",
        "to": ", ".join(received.recipients),
        "subject": str(received.message["Subject"] or ""),
        "body": received.text,
        "message_id": received.message_id,
        "began_at": received.began_at.isoformat(),
        "received_at": received.received_at.isoformat(),
    }


def _seen_sms(message: TwilioMessage) -> dict[str, Any]:
    return {
        "channel": "whatsapp" if message.to.startswith(WHATSAPP) else "sms",
        "to": message.to,
        "body": message.body,
        "sid": message.sid,
        "status": message.status,
        "began_at": message.began_at.isoformat(),
        "received_at": message.created_at.isoformat(),
    }
