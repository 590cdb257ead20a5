"""What stands in a mail: the same words as text and as a page, and headers without surprise."""

import re
from collections.abc import Callable
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email import EmailChannel, EmailSettings
from channels.mail_composing import compose
from channels.mail_html import text_of_html
from channels.protocol import OutgoingMessage
from sandbox.stand_ins import Sandbox

if TYPE_CHECKING:
    from tests.channels.conftest import MailServer

Make = Callable[..., OutgoingMessage]
SETTINGS = EmailSettings.model_validate(
    {"host": "127.0.0.1", "from_address": "hello@aurora.example"}
)
LINK = "https://aurora.example/p/at-0123456789abcdef.0.a-signature-of-27-letters-0"
FOLDED = 998
"""RFC 5322, section 2.1.1: no line is longer."""

printable = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200
).map(lambda text: " ".join(text.split()))


def composed(message: OutgoingMessage, **settings: object) -> EmailMessage:
    told = SETTINGS.model_copy(update=settings)
    return message_from_bytes(compose(message, told).content, policy=policy.default)


def outgoing(**given: object) -> OutgoingMessage:
    fields: dict[str, object] = {
        "key": "at-0123456789abcdef.0",
        "attempt_id": "at-0123456789abcdef",
        "step": 0,
        "to": "sofia@example.com",
        "language": "es",
        "sender": "Clínica Dental Aurora",
        "subject": "Un saludo",
        "text": f"Hola, Sofía:\n\nLe esperamos.\n\n{LINK}\n\nUn abrazo,\nel equipo",
        "link": LINK,
        "stop_url": f"{LINK}/stop",
        "status_url": "https://aurora.example/webhooks/email",
        "claimed_at": "2027-03-02T17:00:00Z",
        "due_at": "2027-03-04T17:00:00Z",
        "tries": 1,
    }
    return OutgoingMessage.model_validate(fields | given)


def author_of(content: bytes) -> tuple[str, str]:
    """Return a mail's author; the library's newer parser puts spaces into long names."""
    name, address = parseaddr(message_from_bytes(content)["From"])
    return str(make_header(decode_header(name))), address


class _Page(HTMLParser):
    """What a page names: where its elements lead, and which there are."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.leads_to: list[str] = []
        self.attributes: list[str] = []
        self.language: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        for name, value in attrs:
            self.attributes.append(name)
            if name in ("href", "src", "action", "background"):
                self.leads_to.append(value or "")
            if name == "lang":
                self.language.append(value or "")


def page_of(message: OutgoingMessage) -> str:
    part = composed(message).get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_plain_text_comes_first_and_the_page_says_the_same() -> None:
    mail = composed(outgoing())
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    read = text_of_html(page_of(outgoing()))
    for line in ("Hola, Sofía:", "Le esperamos.", "Un abrazo,", "el equipo"):
        assert line in read.splitlines()


@pytest.mark.parametrize(
    ("language", "button", "stop"),
    [
        ("es", "Abrir mi página", "No quiero recibir más mensajes"),
        ("ru", "Открыть мою страницу", "Не хочу получать сообщения"),
        ("en", "Open my page", "I don't want any more messages"),
        ("pt", "Open my page", "I don't want any more messages"),
    ],
)
def test_the_page_has_one_button_a_way_to_stop_and_the_clinics_name(
    language: str, button: str, stop: str
) -> None:
    message = outgoing(language=language)
    page = _Page(page_of(message))
    assert page.leads_to == [LINK, f"{LINK}/stop"]
    assert set(page.language) == {language}
    lines = text_of_html(page_of(message)).splitlines()
    assert {button, stop, "Clínica Dental Aurora"} <= set(lines)
    assert LINK not in lines  # the button stands for it


def test_the_page_fetches_nothing_and_runs_nothing() -> None:
    page = page_of(outgoing())
    read = _Page(page)
    assert not {"img", "script", "link", "iframe", "form", "object", "input"} & set(read.elements)
    assert not [name for name in read.attributes if name.startswith("on")]
    assert "url(" not in page
    assert "@import" not in page
    assert set(re.findall(r"https?://([^/\"'\s]+)", page)) == {"aurora.example"}


def test_the_page_is_for_small_and_for_dark_screens() -> None:
    page = page_of(outgoing())
    assert "width=device-width" in page
    assert "prefers-color-scheme: dark" in page
    assert '<meta name="color-scheme" content="light dark">' in page


def test_a_link_amid_words_leads_there_and_is_no_button() -> None:
    page = page_of(outgoing(text=f"Aquí: {LINK} y nada más"))
    assert _Page(page).leads_to == [LINK, f"{LINK}/stop"]
    assert f"Aquí: {LINK} y nada más" in text_of_html(page)


@settings(deadline=None)
@given(text=printable, sender=printable)
def test_whatever_the_words_hold_is_words(text: str, sender: str) -> None:
    plain, odd = (
        page_of(outgoing(text="x", sender="x")),
        page_of(outgoing(text=text, sender=sender)),
    )
    assert _Page(odd).elements == _Page(plain).elements
    assert _Page(odd).attributes == _Page(plain).attributes


@settings(deadline=None)
@given(subject=printable, sender=printable)
def test_a_subject_and_a_name_in_any_script_arrive_as_they_are(subject: str, sender: str) -> None:
    content = compose(outgoing(subject=subject, sender=sender), SETTINGS).content
    mail = message_from_bytes(content, policy=policy.default)
    assert str(mail["Subject"]) == subject
    assert author_of(content) == (sender, "hello@aurora.example")
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= FOLDED


@pytest.mark.parametrize(
    ("subject", "sender"),
    [
        pytest.param(
            "¡Le echamos de menos, Señora Muñoz Ibáñez! " * 6, "Clínica Ñandú", id="Spanish"
        ),
        pytest.param(
            "Тёплый привет, дорогая Екатерина Александровна! " * 6, "Аврора", id="Russian"
        ),
        pytest.param(
            "Hola",
            'Clínica "Aurora", S.L. (Centro): Santísima Trinidad, Ángeles Custodios y muchos más',
            id="a long name with all that headers treat specially",
        ),
    ],
)
def test_long_ones_are_folded_into_lines(subject: str, sender: str) -> None:
    content = compose(outgoing(subject=subject.strip(), sender=sender), SETTINGS).content
    head = content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    folded = [line for line in head if not line.startswith(b"List-Unsubscribe:")]
    assert max(map(len, folded)) <= 78
    mail = message_from_bytes(content, policy=policy.default)
    assert str(mail["Subject"]) == subject.strip()
    assert author_of(content) == (sender, "hello@aurora.example")


@pytest.mark.parametrize("field", ["subject", "sender", "to", "stop_url"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_no_value_adds_a_header(field: str, end: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compose(outgoing(**{field: f"x@example.com{end}Bcc: all@example.com"}), SETTINGS)


def test_every_byte_is_ascii_so_that_no_server_has_to_change_one() -> None:
    content = compose(
        outgoing(text="Здравствуйте, señora Muñoz\n\n" + "ж" * 2000), SETTINGS
    ).content
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")


def test_the_same_message_is_the_same_mail() -> None:
    assert compose(outgoing(), SETTINGS) == compose(outgoing(), SETTINGS)


@pytest.mark.parametrize("text", ["--=_at-0123456789abcdef.0", "--=_at-0123456789abcdef.0--\n\nб"])
def test_no_text_ends_its_own_part(text: str) -> None:
    part = composed(outgoing(text=text)).get_body(("plain",))
    assert part is not None
    assert str(part.get_content()).replace("\r\n", "\n") == text + "\n"


async def test_an_address_beyond_ascii_is_reached_by_a_server_that_can(
    email: EmailChannel, sandbox: Sandbox, message: Make
) -> None:
    outgoing = message(f"екатерина.{uuid4().hex}@example.com")
    await email.send(outgoing)
    (received,) = sandbox.inbox.to(outgoing.to)
    assert str(received.message["To"]) == outgoing.to
    assert received.message["Subject"] == outgoing.subject


def test_replies_come_to_the_sender_unless_the_server_takes_plus_addresses() -> None:
    assert composed(outgoing())["Reply-To"] is None
    (reply_to,) = composed(outgoing(), reply_plus=True)["Reply-To"].addresses
    assert reply_to.addr_spec == "hello+at-0123456789abcdef.0@aurora.example"


def test_a_sender_too_long_for_a_plus_address_is_refused(
    email_settings: Callable[..., EmailSettings],
) -> None:
    with pytest.raises(ValueError, match="reply_plus"):
        email_settings(from_address=f"{'a' * 41}@aurora.example", reply_plus=True)


async def test_the_rate_is_the_settings(email_settings: Callable[..., EmailSettings]) -> None:
    assert EmailChannel(email_settings()).per_second is None
    assert EmailChannel(email_settings(per_second=2.5)).per_second == 2.5
    for wrong in (0, -1, "inf", "many"):
        with pytest.raises(ValueError, match="per_second"):
            email_settings(per_second=wrong)


async def test_the_page_arrives_as_it_was_made(
    plain_email: EmailChannel, mail_server: "MailServer", message: Make, address: str
) -> None:
    outgoing = message(address, text="Здравствуйте!\n\n.\nточка")
    await plain_email.send(outgoing)
    arrived = message_from_bytes(mail_server.taken[0], policy=policy.default)
    part = arrived.get_body(("html",))
    assert part is not None
    assert "Здравствуйте!" in str(part.get_content())
