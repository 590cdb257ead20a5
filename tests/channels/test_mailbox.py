"""What the email channel fetches from a real IMAP server, and what it leaves there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from channels import mailbox
from channels.email import EmailChannel, EmailSettings
from channels.errors import Misconfigured, SendError, Transient
from tests.imap_server import ImapServer

Settings = Callable[..., EmailSettings]


def mail(words: str) -> bytes:
    return f"From: sofia@example.com\r\nSubject: Re: x\r\n\r\n{words}\r\n".encode()


async def words_in(channel: EmailChannel) -> list[str]:
    return [fetched.events[0].body for fetched in await channel.fetch()]


async def test_mails_are_fetched_in_their_order_and_stay_unseen(
    imap_settings: Settings, imap_server: ImapServer
) -> None:
    for words in ("uno", "dos", "tres"):
        imap_server.deliver(mail(words))
    channel = EmailChannel(imap_settings())
    assert await words_in(channel) == ["uno", "dos", "tres"]
    # a process that ends before it has stored them fetches them again
    assert await words_in(EmailChannel(imap_settings())) == ["uno", "dos", "tres"]
    assert not any(b"Seen" in flags for flags in imap_server.flags())


async def test_what_is_acknowledged_is_fetched_no_more_and_stays_unread_for_people(
    imap_settings: Settings, imap_server: ImapServer
) -> None:
    imap_server.deliver(mail("uno"))
    imap_server.deliver(mail("dos"))
    channel = EmailChannel(imap_settings())
    first, _ = await channel.fetch()
    await channel.acknowledge([first])
    assert await words_in(channel) == ["dos"]
    assert not any(b"Seen" in flags for flags in imap_server.flags())


async def test_what_somebody_has_opened_before_it_was_fetched_is_fetched_all_the_same(
    imap_settings: Settings, imap_server: ImapServer
) -> None:
    imap_server.deliver(mail("uno"))
    with imap_server.client() as staff:
        staff.select("INBOX")
        staff.store("1", "+FLAGS", r"(\Seen)")
    channel = EmailChannel(imap_settings())
    assert await words_in(channel) == ["uno"]
    await channel.acknowledge(await channel.fetch())
    assert await words_in(channel) == []


async def test_where_the_server_keeps_no_other_mark_a_stored_mail_is_marked_as_seen(
    imap_settings: Settings, imap_server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "_mark_in", lambda _: r"\Seen")
    imap_server.deliver(mail("uno"))
    channel = EmailChannel(imap_settings())
    await channel.acknowledge(await channel.fetch())
    assert await words_in(channel) == []
    assert all(b"Seen" in flags for flags in imap_server.flags())


async def test_what_is_acknowledged_is_moved_where_the_settings_say(
    imap_settings: Settings, imap_server: ImapServer
) -> None:
    imap_server.deliver(mail("uno"))
    channel = EmailChannel(imap_settings(imap_done_folder="Leídos"))
    await channel.acknowledge(await channel.fetch())
    assert imap_server.flags() == []
    moved = EmailChannel(imap_settings(imap_folder="Leídos", imap_done_folder="INBOX"))
    assert await words_in(moved) == ["uno"]


async def test_of_a_folder_that_is_emptied_also_what_somebody_has_seen_is_fetched(
    imap_settings: Settings, imap_server: ImapServer
) -> None:
    imap_server.deliver(mail("uno"))
    with imap_server.client() as staff:
        staff.select("INBOX")
        staff.store("1", "+FLAGS", r"(\Seen)")
    assert await words_in(EmailChannel(imap_settings(imap_done_folder="Done"))) == ["uno"]


async def test_a_mail_that_is_never_acknowledged_keeps_none_waiting(
    imap_settings: Settings, imap_server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "_AT_ONCE", 2)
    for words in ("uno", "dos", "tres"):
        imap_server.deliver(mail(words))
    channel = EmailChannel(imap_settings())
    assert await words_in(channel) == ["uno", "dos"]
    assert await words_in(channel) == ["tres", "uno"]


async def test_of_a_mail_that_is_large_the_beginning_is_read(
    imap_settings: Settings, imap_server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "_LARGEST", 200)
    imap_server.deliver(mail("Sí, quiero.\r\n" + "x" * 10_000))
    (body,) = await words_in(EmailChannel(imap_settings()))
    assert body.startswith("Sí, quiero.")
    assert len(body) < 200


async def test_any_bytes_come_through(imap_settings: Settings, imap_server: ImapServer) -> None:
    imap_server.deliver(b"\xff\xfe\r\n\r\n\xd1\xf2\xee\xef")
    imap_server.deliver(mail("dos"))
    assert (await words_in(EmailChannel(imap_settings())))[1:] == ["dos"]


async def test_a_receipt_of_a_mailbox_that_was_made_anew_marks_nothing(
    imap_settings: Settings, imap_server: ImapServer
) -> None:
    imap_server.deliver(mail("uno"))
    channel = EmailChannel(imap_settings())
    (fetched,) = await channel.fetch()
    uid = fetched.receipt.partition(".")[2]
    await channel.acknowledge([fetched.model_copy(update={"receipt": f"1.{uid}"})])
    assert await words_in(channel) == ["uno"]


async def test_without_a_server_nothing_is_fetched(email: EmailChannel) -> None:
    assert await email.fetch() == []
    await email.acknowledge([])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"imap_security": "starttls"}, id="STARTTLS"),
        pytest.param({"imap_security": "tls"}, id="TLS"),
    ],
)
async def test_the_connection_may_be_encrypted(
    imap_settings: Settings, imap_server: ImapServer, change: dict[str, object]
) -> None:
    imap_server.deliver(mail("uno"))
    port = imap_server.tls_port if change["imap_security"] == "tls" else imap_server.port
    trusted = imap_settings(imap_port=port, ca_file=imap_server.base / "ca.pem", **change)
    assert await words_in(EmailChannel(trusted)) == ["uno"]
    other = imap_settings(imap_port=port, ca_file=None, **change)
    with pytest.raises(Misconfigured, match="imap tls"):
        await EmailChannel(other).fetch()


@pytest.mark.parametrize(
    ("change", "kind", "code"),
    [
        pytest.param({"imap_password": "wrong"}, Misconfigured, "imap login", id="password"),
        pytest.param(
            {"imap_password": "contraseña"}, Misconfigured, "imap login", id="beyond ASCII"
        ),
        pytest.param({"imap_folder": "Nowhere"}, Misconfigured, "imap folder", id="folder"),
        pytest.param(
            {"imap_security": "tls", "ca_file": Path("none.pem")},
            Misconfigured,
            "imap ca_file",
            id="certificate file",
        ),
    ],
)
async def test_what_is_wrong_with_the_settings_is_told(
    imap_settings: Settings, change: dict[str, object], kind: type[SendError], code: str
) -> None:
    with pytest.raises(SendError) as raised:
        await EmailChannel(imap_settings(**change)).fetch()
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert raised.value.__cause__ is None  # what the server said may hold a name


async def test_a_server_that_is_down_is_asked_again(
    imap_settings: Settings, unused_port: int
) -> None:
    with pytest.raises(Transient, match="imap unreachable") as raised:
        await EmailChannel(imap_settings(imap_port=unused_port)).fetch()
    assert raised.value.look_at == "REGRESA_EMAIL_IMAP_HOST, REGRESA_EMAIL_IMAP_PORT"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"imap_username": ""}, "imap_username", id="no user"),
        pytest.param({"imap_password": ""}, "imap_password", id="no password"),
        pytest.param({"imap_host": "imap.aurora.example"}, "imap_security", id="not encrypted"),
        pytest.param({"imap_port": 0}, "imap_port", id="no port"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_start(
    email_settings: Callable[..., EmailSettings], change: dict[str, object], named: str
) -> None:
    fields: dict[str, object] = {
        "imap_host": "127.0.0.1",
        "imap_security": "none",
        "imap_username": "answers",
        "imap_password": "a password",
    }
    with pytest.raises(ValueError, match=named):
        email_settings(**(fields | change))
