"""What arrives in the mailbox: whose answer it is, or that it is none."""

from collections.abc import Callable
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail_reading import MailReader
from channels.protocol import ProviderEvent
from clinic.event import EventKind

KEY = "at-0123456789abcdef.1"
OURS = f"<{KEY}@aurora.example>"
READER = MailReader("hello@aurora.example")
Change = Callable[[EmailMessage], None]


def mail(text: str = "Sí, quiero una cita.", **headers: str) -> bytes:
    """A reply to one of our messages; keywords replace or add headers, or leave them out."""
    made = EmailMessage()
    fields = {
        "From": "Sofía Muñoz <Sofia.M@Example.COM>",
        "To": "hello@aurora.example",
        "Subject": "Re: Un saludo de Clínica Dental Aurora",
        "Message-ID": "<reply-1@mail.example.com>",
        "In-Reply-To": OURS,
    }
    for name, value in (
        fields | {name.replace("_", "-"): v for name, v in headers.items()}
    ).items():
        if value:
            made[name] = value
    made.set_content(text)
    return made.as_bytes()


def read(raw: bytes) -> ProviderEvent:
    (event,) = READER.read(raw)
    return event


def test_a_reply_says_who_wrote_what_and_to_which_message() -> None:
    event = read(mail())
    assert event.kind is EventKind.REPLY
    assert event.from_address == "Sofia.M@example.com"
    assert event.message == KEY
    assert event.body == "Sí, quiero una cita."
    assert event.provider_id is None


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"In_Reply_To": OURS}, id="In-Reply-To"),
        pytest.param({"In_Reply_To": OURS.upper()}, id="in capitals"),
        pytest.param(
            {
                "In_Reply_To": "<other@example.com>",
                "References": f"<a@b.example> {OURS} <c@d.example>",
            },
            id="References, of a longer thread",
        ),
        pytest.param(
            {"In_Reply_To": "", "References": f"<at-ffffffffffffffff.0@aurora.example> {OURS}"},
            id="References, the later one",
        ),
        pytest.param({"In_Reply_To": "", "To": f"hello+{KEY}@aurora.example"}, id="plus-address"),
        pytest.param(
            {"In_Reply_To": "", "Delivered_To": f"HELLO+{KEY.upper()}@aurora.example"},
            id="plus-address, in capitals, as it was delivered",
        ),
    ],
)
def test_the_message_that_is_answered_is_found(headers: dict[str, str]) -> None:
    assert read(mail(**headers)).message == KEY


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"In_Reply_To": ""}, id="no thread"),
        pytest.param({"In_Reply_To": "<campaign.1@aurora.example>"}, id="no message of ours"),
        pytest.param({"In_Reply_To": "", "To": "hello+sales@aurora.example"}, id="another plus"),
    ],
)
def test_a_mail_outside_every_thread_is_a_reply_too(headers: dict[str, str]) -> None:
    event = read(mail(**headers))
    assert (event.kind, event.message) == (EventKind.REPLY, None)
    assert event.from_address == "Sofia.M@example.com"


@pytest.mark.parametrize(
    ("subject", "text", "body"),
    [
        pytest.param("BAJA", "", "BAJA", id="the subject says it"),
        pytest.param("BAJA", "\nEnviado desde mi iPhone\n", "BAJA", id="the subject, by telephone"),
        pytest.param(
            "Re: x", "Enviado desde mi iPhone", "Enviado desde mi iPhone", id="nothing by telephone"
        ),
        pytest.param("unsubscribe", "unsubscribe", "unsubscribe", id="both say it"),
        pytest.param(
            "Mi cita", "¿Puede ser el lunes?", "Mi cita\n\n¿Puede ser el lunes?", id="both"
        ),
        pytest.param("Re: Un saludo", "Sí", "Sí", id="a program made the subject"),
        pytest.param("RE[2]: Un saludo", "Sí", "Sí", id="a program that counts"),
        pytest.param("RV: Un saludo", "Sí", "Sí", id="passed on, in Spanish"),
        pytest.param("Отв: Привет", "Да", "Да", id="a program in Russian"),
        pytest.param("Fuerte dolor: ayuda", "Sí", "Fuerte dolor: ayuda\n\nSí", id="a colon"),
        pytest.param("Re: Un saludo", "", "Re: Un saludo", id="nothing was written"),
        pytest.param("Re: x", "> Hola\n", "> Hola", id="only the original was sent"),
        pytest.param("BAJA", "> Hola, responda\n", "BAJA", id="the subject, above the original"),
    ],
)
def test_a_subject_that_a_person_wrote_is_part_of_the_words(
    subject: str, text: str, body: str
) -> None:
    assert read(mail(text, Subject=subject)).body == body


def test_what_is_attached_is_named_and_text_is_preferred_to_a_page() -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "sofia@example.com", "Re: x"
    made.set_content("Le mando una foto")
    made.add_alternative("<p>Le mando una <b>foto</b></p>", subtype="html")
    made.add_attachment(b"\xff\xd8", maintype="image", subtype="jpeg", filename="dolor.jpg")
    assert read(made.as_bytes()).body == "Le mando una foto\n\n[image/jpeg]"


@pytest.mark.parametrize("charset", ["koi8-r", "windows-1251", "iso-8859-5", "utf-8"])
def test_words_and_subject_in_cyrillic_encodings_are_read(charset: str) -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "katya@example.com", "Вопрос"
    made.set_content("Запишите меня на утро", charset=charset)
    assert read(made.as_bytes()).body == "Вопрос\n\nЗапишите меня на утро"


def test_headers_in_bare_bytes_are_read() -> None:
    raw = "From: katya@example.com\r\nSubject: Вопрос врачу\r\n\r\nКогда можно?".encode("cp1251")
    assert read(raw).body == "Вопрос врачу\n\nКогда можно?"


AUTOMATIC = [
    pytest.param({"Auto_Submitted": "auto-replied"}, id="RFC 3834"),
    pytest.param({"Auto_Submitted": 'auto-generated; owner="x"'}, id="RFC 3834, with more"),
    pytest.param({"X_Autoreply": "yes"}, id="X-Autoreply"),
    pytest.param({"X_Autorespond": "Vacaciones"}, id="X-Autorespond"),
    pytest.param({"Precedence": "auto_reply"}, id="Precedence: auto_reply"),
    pytest.param({"Precedence": "Bulk"}, id="Precedence: bulk"),
    pytest.param({"Return_Path": "<>"}, id="nobody to answer to"),
    pytest.param({"List_Id": "<news.example.com>"}, id="a mailing list"),
    pytest.param({"X_MS_Exchange_Inbox_Rules_Loop": "sofia@example.com"}, id="a rule in Exchange"),
    pytest.param({"From": "MAILER-DAEMON@example.com"}, id="a mail server"),
    pytest.param({"Subject": "Automatic reply: Un saludo"}, id="English"),
    pytest.param({"Subject": "Out of office"}, id="English, out of office"),
    pytest.param({"Subject": "Respuesta automática: Un saludo"}, id="Spanish"),
    pytest.param({"Subject": "Fuera de la oficina Re: Un saludo"}, id="Spanish, away"),
    pytest.param({"Subject": "Автоответ: Привет"}, id="Russian"),
    pytest.param({"Subject": "Автоматический ответ: Привет"}, id="Russian, Outlook"),
]


@pytest.mark.parametrize("headers", AUTOMATIC)
def test_a_programs_answer_is_noticed_and_kept_and_is_no_reply(headers: dict[str, str]) -> None:
    event = read(mail("Estoy fuera hasta el lunes. STOP", **headers))
    assert (event.kind, event.status) == (EventKind.NOTICE, "automatic answer")
    assert event.message == KEY
    assert "Estoy fuera hasta el lunes." in event.body


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Auto_Submitted": "no"}, id="RFC 3834 says so"),
        pytest.param({"X_Auto_Response_Suppress": "All"}, id="Exchange asks for no answers"),
        pytest.param({"Precedence": "normal"}, id="of no special kind"),
        pytest.param({"Return_Path": "<sofia@example.com>"}, id="somebody to answer to"),
        pytest.param({"Subject": "Re: Respuesta automática: hola"}, id="answers a program"),
        pytest.param({"Subject": "Automatic replying is rude"}, id="other words"),
    ],
)
def test_a_person_who_only_looks_like_a_program_is_heard(headers: dict[str, str]) -> None:
    event = read(mail("No recibí su respuesta automática. Out of office?", **headers))
    assert event.kind is EventKind.REPLY
    assert "No recibí su respuesta automática. Out of office?" in event.body


@pytest.mark.parametrize("author", ["hello@aurora.example", f"Hello+{KEY}@Aurora.Example"])
def test_our_own_mail_that_comes_back_is_no_reply(author: str) -> None:
    event = read(mail(From=author))
    assert (event.kind, event.status) == (EventKind.NOTICE, "our own message")


def test_the_same_mail_has_the_same_key_by_whichever_way_it_came() -> None:
    one = read(b"Received: by a.example\r\n" + mail())
    other = read(b"Received: by b.example\r\nDelivered-To: x@aurora.example\r\n" + mail())
    assert one.key == other.key


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(mail(Message_ID="<reply-2@mail.example.com>"), id="another Message-ID"),
        pytest.param(mail("No, gracias."), id="other words under the same Message-ID"),
        pytest.param(mail(Message_ID=""), id="no Message-ID"),
    ],
)
def test_another_mail_has_another_key(other: bytes) -> None:
    assert read(other).key != read(mail()).key


def test_a_key_holds_nobodys_address() -> None:
    assert "sofia" not in read(mail(Message_ID="<sofia@example.com>")).key


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\0\0\0", id="zeros"),
        pytest.param(b"Quiero una cita", id="no headers"),
        pytest.param(b"Content-Type: multipart/mixed\r\n\r\nQuiero una cita", id="no boundary"),
        pytest.param(
            b"Content-Type: text/plain; charset=\xff\r\nSubject: =?x?q?\xff?=\r\n\r\nHola", id="odd"
        ),
        pytest.param(b"Content-Transfer-Encoding: base64\r\n\r\n!!!!", id="base64 that is none"),
        pytest.param(b"From: \r\nFrom: <>\r\n\r\nHola", id="no author"),
        pytest.param(
            b"Content-Type: message/rfc822\r\n\r\n" * 2000 + b"Hola", id="too deep to be opened"
        ),
        pytest.param(
            b"".join(
                b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n)
                for n in range(2000)
            )
            + b"\r\nHola",
            id="parts too deep to be opened",
        ),
    ],
)
def test_a_mail_that_cannot_be_read_is_a_reply_all_the_same(raw: bytes) -> None:
    event = read(raw)
    assert event.kind is EventKind.REPLY
    for word in ("Quiero", "Hola"):
        assert (word.encode() in raw) == (word in event.body)


LIKE_A_MAIL = st.lists(
    st.sampled_from(
        [
            b"From: a@example.com\r\n",
            b"Subject: =?utf-8?b?0Q==?=\r\n",
            b"\r\n",
            b"--b\r\n",
            b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n",
            b"Content-Type: message/delivery-status\r\n",
            b"Action: failed\r\nStatus: 5.1.1\r\n",
            b"Content-Type: text/html; charset=koi8-r\r\n",
            b"Auto-Submitted: auto-replied\r\n",
            b"Content-Transfer-Encoding: quoted-printable\r\n",
            b"=\xff=3D\xd1",
            b"<p>x</p>",
            b"Feedback-Type: abuse\r\n",
            b"Content-Type: message/feedback-report\r\n",
            b"--b--",
        ]
    )
).map(b"".join)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(), LIKE_A_MAIL))
def test_any_bytes_give_an_event_that_can_be_stored(raw: bytes) -> None:
    events = READER.read(raw)
    assert events
    for event in events:
        assert "\0" not in event.body
        event.model_dump_json()


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(categories=("L", "N")), min_size=1), min_size=1, max_size=20),
    st.sampled_from(["plain", "html"]),
    st.sampled_from(["7bit", "quoted-printable", "base64"]),
)
def test_every_reply_keeps_its_words(words: list[str], kind: str, encoding: str) -> None:
    made = EmailMessage()
    made["From"], made["Subject"] = "sofia@example.com", "Re: x"
    said = " ".join(words)
    encoding = encoding if said.isascii() or encoding != "7bit" else "base64"
    made.set_content(f"<p>{said}</p>" if kind == "html" else said, subtype=kind, cte=encoding)
    event = read(made.as_bytes())
    assert event.kind is EventKind.REPLY
    assert event.body.split() == said.split()
