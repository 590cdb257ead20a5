"""From a delivered mail to its answer in the mailbox, over real SMTP and IMAP, to the event."""

from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from activities.fetching import Fetching
from activities.reception import Reception
from channels.email import EmailChannel, EmailSettings
from clinic.clinic import Clinic
from clinic.event import EventKind
from clinic.tables import Attempt, Event
from sandbox.stand_ins import Sandbox
from tests.imap_server import ImapServer

if TYPE_CHECKING:
    from sandbox.smtp_inbox import ReceivedEmail
    from tests.activities.conftest import Deliver, Desk

Arrive = Callable[[bytes], Awaitable[Event]]


@pytest.fixture
async def attempt(desk: "Desk") -> Attempt:
    return await desk.attempt()


@pytest.fixture
async def sent(
    desk: "Desk", attempt: Attempt, deliver: "Deliver", sandbox: Sandbox
) -> "ReceivedEmail":
    """The mail of the attempt's first step, as the patient has it."""
    await deliver(attempt, 0)
    patient = await desk.patient_of(attempt)
    (received,) = sandbox.inbox.to(str(patient.email))
    return received


@pytest.fixture
def arrive(
    clinic: Clinic,
    desk: "Desk",
    imap_settings: Callable[..., EmailSettings],
    imap_server: ImapServer,
) -> Arrive:
    """Let a mail arrive in the mailbox, and return what it became."""
    channel = EmailChannel(imap_settings())
    fetching = Fetching(clinic.database, {"email": channel}, Reception(clinic.folder, clinic.key))

    async def arrived(mail: bytes) -> Event:
        known = {event.id for event in await desk.all(Event)}
        imap_server.deliver(mail)
        assert await fetching.fetch_once(channel) == 1
        events: list[Event] = await desk.all(Event)
        (event,) = [event for event in events if event.id not in known]
        return event

    return arrived


def reply_to(sent: "ReceivedEmail", text: str, **headers: str) -> bytes:
    made = EmailMessage()
    fields = {
        "From": "another.address@example.net",
        "To": str(sent.message["From"]),
        "Subject": f"Re: {sent.message['Subject']}",
        "In-Reply-To": sent.message_id,
    }
    for name, value in (fields | headers).items():
        made[name] = value
    quoted = "\n".join(f"> {line}" for line in sent.text.splitlines())
    made.set_content(f"{text}\n\nEl 2 mar 2027 a las 12:00, Aurora escribió:\n{quoted}\n")
    return made.as_bytes()


def bounce_of(sent: "ReceivedEmail", status: str) -> bytes:
    return (
        "Return-Path: <>\r\nFrom: MAILER-DAEMON@example.com\r\nSubject: Undelivered\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mail.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; {sent.recipients[0]}\r\n"
        f"Action: failed\r\nStatus: {status}\r\n\r\n"
        "--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Message-ID: {sent.message_id}\r\n\r\n--b--\r\n"
    ).encode()


async def test_a_reply_from_any_address_belongs_to_the_attempt_that_wrote(
    attempt: Attempt, sent: "ReceivedEmail", arrive: Arrive
) -> None:
    event = await arrive(reply_to(sent, "¿Tienen hora el jueves?"))
    assert (event.kind, event.attempt_id) == (EventKind.REPLY.value, attempt.id)
    assert event.body == "¿Tienen hora el jueves?"


async def test_a_stop_in_the_subject_alone_is_an_opt_out(
    attempt: Attempt, sent: "ReceivedEmail", arrive: Arrive
) -> None:
    event = await arrive(reply_to(sent, "", Subject="BAJA"))
    assert (event.kind, event.attempt_id) == (EventKind.OPTED_OUT.value, attempt.id)


async def test_an_absent_patients_program_stops_nothing(
    attempt: Attempt, sent: "ReceivedEmail", arrive: Arrive
) -> None:
    away = {"Subject": "Respuesta automática", "Auto-Submitted": "auto-replied"}
    event = await arrive(reply_to(sent, "BAJA temporal: vuelvo el lunes", **away))
    assert (event.kind, event.attempt_id) == (EventKind.NOTICE.value, attempt.id)


@pytest.mark.parametrize(
    ("status", "is_bad"),
    [pytest.param("5.1.1", True, id="hard"), pytest.param("5.2.2", False, id="full")],
)
async def test_a_bounce_marks_the_address_bad_only_where_it_will_never_work(
    desk: "Desk",
    attempt: Attempt,
    sent: "ReceivedEmail",
    arrive: Arrive,
    status: str,
    *,
    is_bad: bool,
) -> None:
    event = await arrive(bounce_of(sent, status))
    assert (event.kind, event.attempt_id) == (EventKind.BOUNCED.value, attempt.id)
    row = await desk.ledger_row(attempt, 0)
    assert row is not None
    assert row.failure == status
    assert ((await desk.patient_of(attempt)).email_bad_at is not None) is is_bad
