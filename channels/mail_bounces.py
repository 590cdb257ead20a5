"""What mail servers report: a mail that came back, that waits, or that somebody complained of."""

import logging
from email.message import Message
from enum import StrEnum
from typing import NamedTuple

from flufl.bounce import all_failures

from channels.mail_automatic import is_by_a_program
from channels.mail_words import text_of, words_of
from channels.smtp_codes import basic_code_in, status_in

# what goes wrong in it is for `reports_in` to deal with, and its log would hold addresses
logging.getLogger("flufl.bounce").disabled = True

_COMPLAINTS = frozenset({"abuse", "fraud", "opt-out", "opt-out-list", "other", "virus"})
"""RFC 5965, section 3.1 and its registry; `not-spam` is the opposite."""

_SAYS_NOTHING = ("5.0.0", "4.0.0")


class ReportKind(StrEnum):
    """What is reported."""

    FAILED = "failed"
    DELAYED = "delayed"
    OTHERWISE = "otherwise"
    COMPLAINT = "complaint"
    READ = "read"


class Report(NamedTuple):
    """What a mail server, or a mail program, reports of one recipient.

    Attributes:
        kind: What is reported.
        says: In its own word, where it has one, such as `relayed`.
        status: The enhanced status (RFC 3463), such as `5.1.1`.
        basic: The basic code of SMTP, such as `550`.
    """

    kind: ReportKind
    says: str
    status: str | None = None
    basic: str | None = None


def reports_in(mail: Message) -> list[Report]:
    """Return what a mail reports; nothing where it is no report."""
    if mail.get_content_maintype() == "message" or _is_report(mail):
        match _report_type(mail):
            case "feedback-report":
                return [_complaint(mail)]
            case "disposition-notification":
                return [Report(ReportKind.READ, "read receipt")]
            case "delivery-status":
                blocks = [block for part in mail.walk() for block in _recipients(part)]
                return [_delivery(block) for block in blocks] or _unstandardised(mail)
    return _unstandardised(mail) if is_by_a_program(mail) else []


def _is_report(mail: Message) -> bool:
    return mail.get_content_type() == "multipart/report"


def _report_type(mail: Message) -> str:
    if not _is_report(mail):
        return mail.get_content_subtype()
    named = str(mail.get_param("report-type", "") or "").lower()
    # RFC 6522: the parameter is asked for; some servers leave it out
    return named or next(
        (
            part.get_content_subtype()
            for part in mail.walk()
            if part.get_content_maintype() == "message"
        ),
        "",
    )


def _complaint(mail: Message) -> Report:
    for part in mail.walk():
        if "Feedback-Type" in part:
            kind = str(part["Feedback-Type"]).strip().lower()
            if kind not in _COMPLAINTS:
                return Report(ReportKind.OTHERWISE, kind[:40])
    return Report(ReportKind.COMPLAINT, "complaint")


def _recipients(part: Message) -> list[Message]:
    """Return the blocks of RFC 3464 that are about one recipient each."""
    if part.get_content_type() not in ("message/delivery-status", "message/global-delivery-status"):
        return []
    blocks = part.get_payload()
    if not isinstance(blocks, list):
        return []
    return [block for block in blocks if isinstance(block, Message) and "Action" in block]


def _delivery(block: Message) -> Report:
    action = str(block["Action"]).strip().lower()
    said = str(block.get("Diagnostic-Code", ""))
    status = status_in(str(block.get("Status", "")))
    if status is None or status in _SAYS_NOTHING:
        status = status_in(said) or status
    basic = basic_code_in(said)
    if action.startswith("failed"):
        return Report(ReportKind.FAILED, "failed", status, basic)
    if action.startswith("delayed"):
        return Report(ReportKind.DELAYED, "delayed", status, basic)
    return Report(ReportKind.OTHERWISE, action[:40], status, basic)


def _unstandardised(mail: Message) -> list[Report]:
    """Read what servers write that follow no standard: the library knows many of them."""
    try:
        temporary, permanent = all_failures(mail)
    except Exception:  # noqa: BLE001 - what it was not written for is no report to us
        return []
    said = " ".join([words_of(mail), *(text_of(part) for part in mail.walk())])[:20_000]
    if permanent:
        return [Report(ReportKind.FAILED, "failed", status_in(said), basic_code_in(said))]
    if temporary:
        return [Report(ReportKind.DELAYED, "delayed", status_in(said))]
    return []
