"""The clinic's mailbox, as a mail program finds it, and patients who answer by mail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import pytest
from imap_tools import MailBoxUnencrypted
from imap_tools.errors import MailboxLoginError

from sandbox import Sandbox, SandboxSettings

PASSWORD = "a password of the tests"
REGISTER = """\
patient_id,first_name,language,email,phone
A-0001,Ana,es,ana@example.com,+13055550142
"""


@pytest.fixture
async def sandbox(
    settings: Callable[..., SandboxSettings], tmp_path: Path
) -> AsyncIterator[Sandbox]:
    """A sandbox with a mailbox, whose only patient answers by mail at once."""
    (tmp_path / "register.csv").write_text(REGISTER)
    made = settings(
        imap_port=0,
        patients=True,
        patients_sign=True,
        register_file=tmp_path / "register.csv",
        bookings_url="http://127.0.0.1:1/bookings",
        bookings_token="a token",
        answer_after=(0, 0),
        persona_weights={"replies_by_email": 1},
    )
    async with Sandbox(made) as running:
        yield running


async def write_to_ana(sandbox: Sandbox) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "hello@aurora.example", "ana@example.com"
    message["Subject"], message["Message-ID"] = "Un saludo", "<1@aurora.example>"
    message.set_content("Hola, Ana:\n\nNos acordamos de usted.")
    await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=True,
        username="aurora",
        password=PASSWORD,
        cert_bundle=str(sandbox.ca_file),
    )
    assert sandbox.patients is not None
    while not sandbox.patients.log.replies:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


def opened(sandbox: Sandbox, password: str = PASSWORD) -> MailBoxUnencrypted:
    mailbox = MailBoxUnencrypted("127.0.0.1", sandbox.imap_port, timeout=5)
    try:
        mailbox.login("aurora", password)
    except MailboxLoginError:
        mailbox.client.shutdown()
        raise
    return mailbox


async def test_an_answer_stands_in_the_thread_above_a_quotation(sandbox: Sandbox) -> None:
    await write_to_ana(sandbox)

    def fetched() -> tuple[str, str, str]:
        with opened(sandbox) as mailbox:
            (uid,) = mailbox.uids("UNSEEN", charset=None)
            told = mailbox.client.uid("FETCH", uid, "(BODY.PEEK[]<0.100000>)")
        content = told[1][0][1].decode()
        head, _, body = content.partition("\r\n\r\n")
        return uid, head, body

    uid, head, _ = await asyncio.to_thread(fetched)
    assert uid == "1"
    assert "In-Reply-To: <1@aurora.example>" in head
    assert "To: hello@aurora.example" in head
    assert sandbox.patients is not None
    (reply,) = sandbox.patients.log.replies
    assert (reply.door, reply.answered_at) == ("mail", None)
    assert reply.words.endswith("A-0001")


async def test_what_is_put_away_is_taken_and_not_found_again(sandbox: Sandbox) -> None:
    await write_to_ana(sandbox)

    def put_away() -> tuple[list[str], list[str]]:
        with opened(sandbox) as mailbox:
            mailbox.client.uid("STORE", "1", "+FLAGS.SILENT", r"(\Seen)")
            return mailbox.uids("UNSEEN", charset=None), mailbox.uids("ALL", charset=None)

    assert await asyncio.to_thread(put_away) == ([], ["1"])
    await sandbox.settled()
    assert sandbox.patients is not None
    (reply,) = sandbox.patients.log.replies
    assert reply.seen()["taken"] is True


async def test_a_wrong_password_is_refused(sandbox: Sandbox) -> None:
    def log_in() -> None:
        with pytest.raises(MailboxLoginError), suppress(OSError):
            opened(sandbox, "another password")

    await asyncio.to_thread(log_in)
