"""What every channel must do, asked of each of ours with the sandbox in the provider's place."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from itertools import count
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pytest
from sqlalchemy import select
from twilio.request_validator import RequestValidator

from channels.conformance import ChannelConformance, StandIn, Taken
from channels.errors import Misconfigured, OptedOut, Permanent, SendError, Transient, Uncertain
from channels.protocol import OutgoingMessage, Receipt, WebhookRequest
from clinic.attempt import AttemptState
from clinic.clinic import Clinic
from clinic.identifiers import new_id
from clinic.plan import Plan
from clinic.tables import Attempt, CallTask, Campaign, Patient
from sandbox.stand_ins import Sandbox
from sandbox.twilio_account import NoWebhookUrlError
from tests.imap_server import PASSWORD, USER, ImapServer, dovecot_program

TWILIO_S = 36_000
"""Seconds for which Twilio goes on trying where it is told nothing."""


class MailServers(StandIn):
    """The sandbox's SMTP server, and an IMAP server where there is one."""

    LOCAL_PARTS: ClassVar[Mapping[type[SendError] | None, str]] = {
        None: "p",
        Permanent: "nobody",
        Transient: "greylisted",
        Uncertain: "cutoff",
    }

    def __init__(self, sandbox: Sandbox, imap: ImapServer | None) -> None:
        self._sandbox = sandbox
        self._imap = imap

    @property
    def environment(self) -> Mapping[str, str]:
        settings = self._sandbox.settings
        smtp = {
            "REGRESA_EMAIL_HOST": "127.0.0.1",
            "REGRESA_EMAIL_PORT": str(self._sandbox.smtp_port),
            "REGRESA_EMAIL_USERNAME": settings.smtp_user,
            "REGRESA_EMAIL_PASSWORD": settings.smtp_password.get_secret_value(),
            "REGRESA_EMAIL_FROM_ADDRESS": "hello@aurora.example",
            "REGRESA_EMAIL_CA_FILE": str(self._sandbox.ca_file),
        }
        if self._imap is None:
            return smtp
        return smtp | {
            "REGRESA_EMAIL_IMAP_HOST": "127.0.0.1",
            "REGRESA_EMAIL_IMAP_PORT": str(self._imap.port),
            "REGRESA_EMAIL_IMAP_SECURITY": "none",
            "REGRESA_EMAIL_IMAP_USERNAME": USER,
            "REGRESA_EMAIL_IMAP_PASSWORD": PASSWORD,
        }

    def address(self, failure: type[SendError] | None) -> str:
        return f"{self.LOCAL_PARTS[failure]}+{uuid4().hex}@example.com"

    async def taken(self, message: OutgoingMessage) -> Sequence[Taken]:
        return [Taken(text=mail.text) for mail in self._sandbox.inbox.to(message.to)]

    async def arrive(self, words: str, sender: str) -> None:
        if self._imap is None:
            pytest.skip("needs an IMAP server: apt-get install dovecot-imapd")
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"] = sender, "hello@aurora.example"
        mail["Subject"] = "Re: Un saludo"
        mail["Message-ID"] = f"<{uuid4().hex}@example.com>"
        mail.set_content(words)
        await asyncio.to_thread(self._imap.deliver, mail.as_bytes())


class TestEmail(ChannelConformance):
    name = "email"
    reaches_by = "email"
    wrong_setting = ("REGRESA_EMAIL_PORT", "0")
    # SMTP knows no opt-out; what our settings may lack is tried in test_email_failures.py
    failures = (Permanent, Transient, Uncertain)
    fetches = True
    takes_webhooks = False
    limits_validity = False

    @pytest.fixture
    def stand_in(self, sandbox: Sandbox, request: pytest.FixtureRequest) -> StandIn:
        imap = request.getfixturevalue("dovecot").server if dovecot_program() else None
        return MailServers(sandbox, imap)


class Twilio(StandIn):
    """The sandbox's look-alike of Twilio's API.

    Args:
        sandbox: With an account.
        channel: Which of the two it stands in for.
        numbers: Two digits that no other test of the channel uses.
    """

    ALWAYS: ClassVar[Mapping[type[SendError], str]] = {
        Permanent: "+15005550009",
        Misconfigured: "+15005550003",
        OptedOut: "+15005550004",
    }
    FIRST_TIME: ClassVar[Mapping[type[SendError], str]] = {
        Transient: "+150055520",
        Uncertain: "+150055523",
    }

    def __init__(self, sandbox: Sandbox, channel: str, numbers: Iterator[int]) -> None:
        self._sandbox = sandbox
        self._channel = channel
        self._prefix = "whatsapp:" if channel == "whatsapp" else ""
        self._numbers = numbers
        token = sandbox.settings.twilio_auth_token.get_secret_value()
        self._validator = RequestValidator(token)

    @property
    def environment(self) -> Mapping[str, str]:
        settings = self._sandbox.settings
        values = {
            "ACCOUNT_SID": settings.twilio_account_sid,
            "AUTH_TOKEN": settings.twilio_auth_token.get_secret_value(),
            "FROM_NUMBER": "+13055550100",
            "BASE_URL": self._sandbox.http_url,
        }
        return {f"REGRESA_{self._channel.upper()}_{name}": value for name, value in values.items()}

    def address(self, failure: type[SendError] | None) -> str:
        if failure is None:
            return f"+1305{uuid4().int % 10**9:09}"
        if failure in self.ALWAYS:
            return self.ALWAYS[failure]
        return f"{self.FIRST_TIME[failure]}{next(self._numbers):02}"

    async def prepare(self, message: OutgoingMessage) -> OutgoingMessage:
        """WhatsApp asks for an approved text, or that the patient wrote just now."""
        if self._channel == "whatsapp":
            with suppress(NoWebhookUrlError):  # nobody listens here
                await self._sandbox.twilio.receive_sms(
                    f"whatsapp:{message.to}", "whatsapp:+13055550100", "Hola"
                )
        heard_at = message.claimed_at - timedelta(minutes=5)
        return message.model_copy(update={"heard_at": heard_at})

    async def taken(self, message: OutgoingMessage) -> Sequence[Taken]:
        return [
            Taken(text=each.body, valid_for=self._told(each.validity_s))
            for each in self._sandbox.twilio.to(self._prefix + message.to)
        ]

    def reply(self, words: str, sender: str) -> WebhookRequest:
        """Return a message; its many other fields are those of a real one."""
        return self._signed(
            {
                "MessageSid": f"SM{uuid4().hex}",
                "From": self._prefix + sender,
                "To": f"{self._prefix}+13055550100",
                "Body": words,
                "NumMedia": "0",
            }
        )

    def report(self, receipt: Receipt, *, arrived: bool) -> WebhookRequest:
        status = {"MessageStatus": "delivered" if arrived else "undelivered"}
        code = {} if arrived else {"ErrorCode": "30005"}
        return self._signed({"MessageSid": receipt.provider_id} | status | code)

    @staticmethod
    def _told(validity_s: int | None) -> timedelta | None:
        # the look-alike does not tell its default from one that it was told
        untold = validity_s is None or validity_s == TWILIO_S
        return None if untold else timedelta(seconds=validity_s or 0)

    def _signed(self, form: dict[str, str]) -> WebhookRequest:
        url = f"https://aurora.example/webhooks/{self._channel}?message=at_1.0"
        signature = self._validator.compute_signature(url, form)
        headers = {"x-twilio-signature": signature, "user-agent": "TwilioProxy/1.1"}
        return WebhookRequest(url=url, headers=headers, form=form, body=b"")


class TestSms(ChannelConformance):
    name = "sms"
    reaches_by = "phone"
    wrong_setting = ("REGRESA_SMS_ACCOUNT_SID", "SK" + "0" * 32)
    retry_after = timedelta(seconds=1)
    numbers: ClassVar[Iterator[int]] = count(10)

    @pytest.fixture
    def stand_in(self, sandbox: Sandbox) -> StandIn:
        return Twilio(sandbox, self.name, self.numbers)


class TestWhatsApp(ChannelConformance):
    name = "whatsapp"
    reaches_by = "phone"
    wrong_setting = ("REGRESA_WHATSAPP_FROM_NUMBER", "305-555-0100")
    retry_after = timedelta(seconds=1)
    numbers: ClassVar[Iterator[int]] = count(50)

    @pytest.fixture
    def stand_in(self, sandbox: Sandbox) -> StandIn:
        return Twilio(sandbox, self.name, self.numbers)


class CallList(StandIn):
    """The clinic's own call list."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic = clinic

    @property
    def environment(self) -> Mapping[str, str]:
        return {"REGRESA_DATABASE_URL": self._clinic.settings.database_url}

    def address(self, failure: type[SendError] | None) -> str:
        assert failure is None
        return f"+1305{uuid4().int % 10**9:09}"

    async def prepare(self, message: OutgoingMessage) -> OutgoingMessage:
        """A task belongs to an attempt."""
        step = {"channel": "call", "template": "come-back", "wait": "2 days"}
        plan = Plan.model_validate({"name": "test", "steps": [step]})
        patient = Patient(
            id=new_id("pt"), external_id=message.attempt_id, first_name="Sofía", phone=message.to
        )
        campaign = Campaign(
            id=new_id("ca"),
            name=message.attempt_id,
            segment="test",
            plan=plan.model_dump(mode="json"),
            started_at=message.claimed_at,
        )
        attempt = Attempt(
            id=message.attempt_id,
            campaign_id=campaign.id,
            patient_id=patient.id,
            state=AttemptState.OPEN.value,
        )
        async with self._clinic.database.writing() as session:
            session.add_all([patient, campaign])
            await session.flush()
            session.add(attempt)
        return message

    async def taken(self, message: OutgoingMessage) -> Sequence[Taken]:
        of_attempt = select(CallTask.id).where(CallTask.attempt_id == message.attempt_id)
        async with self._clinic.database.reading() as session:
            tasks = await session.scalars(of_attempt)
        # a task holds no words: its script is rendered for whoever opens it
        return [Taken(text=message.text) for _ in tasks]


class TestCall(ChannelConformance):
    name = "call"
    reaches_by = "phone"
    wrong_setting = ("REGRESA_DATABASE_URL", "nonsense://")
    failures = ()
    takes_webhooks = False
    limits_validity = False
    opens_by_asking = True

    @pytest.fixture
    def database_url(self, prepared_sqlite: Path, tmp_path: Path) -> str:
        """One kind will do: `test_call.py` tries both."""
        return f"sqlite:///{shutil.copy(prepared_sqlite, tmp_path / 'clinic.db')}"

    @pytest.fixture
    def stand_in(self, clinic: Clinic) -> StandIn:
        return CallList(clinic)
