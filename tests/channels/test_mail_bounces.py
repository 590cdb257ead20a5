"""What mail servers report: whose message came back, whether for good, and whose fault it was."""

from email.message import EmailMessage

import pytest
from structlog.testing import capture_logs

from channels.mail_reading import MailReader
from channels.protocol import ProviderEvent
from clinic.event import EventKind

KEY = "at-0123456789abcdef.1"
OURS = f"<{KEY}@aurora.example>"
READER = MailReader("hello@aurora.example")
RETURNED = f"From: hello@aurora.example\r\nMessage-ID: {OURS}\r\nSubject: Un saludo\r\n"


def report(
    action: str = "failed",
    status: str = "5.1.1",
    said: str = "",
    *,
    report_type: str = "delivery-status",
    returned: str = RETURNED,
    returned_as: str = "text/rfc822-headers",
) -> bytes:
    """A report as RFC 3464 lays it down, of one recipient."""
    diagnostic = f"Diagnostic-Code: smtp; {said}\r\n" if said else ""
    return (
        "Return-Path: <>\r\n"
        "From: Mail Delivery System <MAILER-DAEMON@mail.example.com>\r\n"
        "To: hello@aurora.example\r\n"
        "Subject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <dsn-1@mail.example.com>\r\n"
        "MIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type={report_type}; boundary="b"\r\n'
        "\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nI could not deliver it to sofia@example.com.\r\n"
        f"--b\r\nContent-Type: message/{report_type}\r\n\r\n"
        "Reporting-MTA: dns; mail.example.com\r\n\r\n"
        "Final-Recipient: rfc822; sofia@example.com\r\n"
        f"Action: {action}\r\nStatus: {status}\r\n{diagnostic}\r\n"
        f"--b\r\nContent-Type: {returned_as}\r\n\r\n{returned}\r\n--b--\r\n"
    ).encode()


def read(raw: bytes) -> ProviderEvent:
    (event,) = READER.read(raw)
    return event


@pytest.mark.parametrize("returned_as", ["text/rfc822-headers", "message/rfc822", "text/plain"])
def test_a_message_that_came_back_is_found_by_what_comes_with_it(returned_as: str) -> None:
    event = read(report(returned_as=returned_as))
    assert event.kind is EventKind.BOUNCED
    assert (event.message, event.provider_id) == (KEY, None)  # our key says it all
    assert (event.failure, event.bad_address) == ("5.1.1", True)
    assert event.from_address is None  # nobody wrote


@pytest.mark.parametrize(
    ("status", "said", "failure", "bad", "ours"),
    [
        pytest.param("5.1.1", "550 5.1.1 unknown", "5.1.1", True, False, id="no such mailbox"),
        pytest.param("5.1.2", "", "5.1.2", True, False, id="no such domain"),
        pytest.param("5.2.1", "", "5.2.1", True, False, id="closed"),
        pytest.param("5.0.0", "550 5.1.1 unknown", "5.1.1", True, False, id="told in words"),
        pytest.param("5.0.0", "550 no such user", "5.0.0", True, False, id="a code of old"),
        pytest.param("5.2.2", "552 5.2.2 full", "5.2.2", False, False, id="full"),
        pytest.param("4.4.7", "", "4.4.7", False, False, id="tried for too long"),
        pytest.param("4.2.2", "452 4.2.2 full", "4.2.2", False, False, id="full, given up"),
        pytest.param("5.7.1", "550 5.7.1 policy", "5.7.1", False, False, id="somebody's policy"),
        pytest.param("5.7.26", "550 5.7.26 DMARC", "5.7.26", False, True, id="not authenticated"),
        pytest.param("5.1.8", "", "5.1.8", False, True, id="our domain"),
        pytest.param("", "", "bounced", False, False, id="nothing is said"),
    ],
)
def test_why_it_came_back_decides_what_becomes_of_the_address(
    status: str, said: str, failure: str, *, bad: bool, ours: bool
) -> None:
    with capture_logs() as logged:
        event = read(report(status=status, said=said))
    assert event.kind is EventKind.BOUNCED
    assert (event.failure, event.bad_address) == (failure, bad)
    # an operator is told; but nobody holds the channel by writing such a report
    assert [line["code"] for line in logged] == [failure] * ours
    assert event.misconfigured is False


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_a_message_that_did_not_come_back_changes_nothing(action: str) -> None:
    event = read(report(action=action, status="4.4.1"))
    assert (event.kind, event.status, event.message) == (EventKind.NOTICE, action, KEY)


def test_a_report_about_nobodys_message_is_kept_with_its_words() -> None:
    event = read(report(returned="From: hello@aurora.example\r\n"))
    assert (event.kind, event.message, event.provider_id) == (EventKind.UNKNOWN, None, None)
    assert "sofia@example.com" in event.body


def test_two_recipients_are_two_events() -> None:
    second = b"Final-Recipient: rfc822; b@example.com\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n"
    raw = report().replace(
        b"\r\n--b\r\nContent-Type: text/rfc822",
        b"\r\n" + second + b"--b\r\nContent-Type: text/rfc822",
    )
    first, other = READER.read(raw)
    assert [first.kind, other.kind] == [EventKind.BOUNCED, EventKind.NOTICE]
    assert first.key != other.key


@pytest.mark.parametrize(
    ("text", "failure", "bad"),
    [
        pytest.param(
            "Hi. This is the qmail-send program at mail.example.com.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
            "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
            "<sofia@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
            f"--- Below this line is a copy of the message.\n\n{RETURNED}",
            "5.1.1",
            True,
            id="qmail",
        ),
        pytest.param(
            "This message was created automatically by mail delivery software.\n\n"
            "A message that you sent could not be delivered to one or more of its\n"
            "recipients. This is a permanent error. The following address(es) failed:\n\n"
            "  sofia@example.com\n    550 Unknown user\n\n"
            "------ This is a copy of the message, including all the headers. ------\n\n"
            f"{RETURNED}",
            "550",
            True,
            id="Exim",
        ),
    ],
)
def test_a_report_of_no_standard_is_read(text: str, failure: str, *, bad: bool) -> None:
    made = EmailMessage()
    made["Return-Path"], made["From"] = "<>", "MAILER-DAEMON@mail.example.com"
    made["Subject"] = "failure notice"
    made.set_content(text)
    event = read(made.as_bytes())
    assert (event.kind, event.message) == (EventKind.BOUNCED, KEY)
    assert (event.failure, event.bad_address) == (failure, bad)


def test_a_person_who_passes_a_bounce_on_is_heard() -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "sofia@example.com", "Re: Un saludo"
    said = "This is a permanent error. The following address(es) failed:\n\n  sofia@example.com"
    made.set_content(said)
    event = read(made.as_bytes())
    assert event.kind is EventKind.REPLY
    assert "permanent error" in event.body


def complaint(kind: str, returned: str = RETURNED) -> bytes:
    return (
        "From: feedback@mail.example.com\r\nSubject: FW: Un saludo\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA report about a mail.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        f"Feedback-Type: {kind}\r\nUser-Agent: Example/1\r\nVersion: 1\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{returned}\r\n\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize("kind", ["abuse", "Opt-Out", "other"])
def test_a_complaint_is_an_opt_out(kind: str) -> None:
    event = read(complaint(kind))
    assert (event.kind, event.message) == (EventKind.OPTED_OUT, KEY)


def test_the_opposite_of_a_complaint_changes_nothing() -> None:
    assert read(complaint("not-spam")).kind is EventKind.NOTICE


def test_a_complaint_about_nobodys_message_is_kept_with_its_words() -> None:
    event = read(complaint("abuse", returned="Subject: x"))
    assert event.kind is EventKind.UNKNOWN
    assert "A report about a mail." in event.body


def test_a_read_receipt_changes_nothing() -> None:
    raw = report(report_type="disposition-notification")
    event = read(raw)
    assert (event.kind, event.status, event.message) == (EventKind.NOTICE, "read receipt", KEY)


@pytest.mark.parametrize("status", ["5.7.1", "5.7.26", "5.1.8", "4.7.0"])
def test_nobody_holds_a_channel_by_writing_a_report(status: str) -> None:
    for raw in (report(status=status), report(status=status, returned="Subject: x\r\n")):
        event = read(raw)
        assert not event.misconfigured
        assert event.kind in (EventKind.BOUNCED, EventKind.UNKNOWN)
