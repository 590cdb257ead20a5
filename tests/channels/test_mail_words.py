"""What a patient wrote in a mail: the newest words, all of them, and nothing of the program's."""

import time
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.mail_charsets import decode
from channels.mail_html import text_of_html
from channels.mail_words import newest_words, words_of

SAID = "Sí, quiero una cita.\nMejor por la tarde."
OURS = "Hola, Sofía:\n\n> Un saludo\n\nSi no desea más mensajes, responda BAJA."
QUOTED = "\n".join(f"> {line}" for line in OURS.splitlines())


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(
            "El mar, 2 mar 2027 a las 12:00, Clínica Aurora (<hello@aurora.example>)\n"
            f"escribió:\n\n{QUOTED}",
            id="Gmail, Spanish, wrapped",
        ),
        pytest.param(
            "On Tue, Mar 2, 2027 at 12:00 PM Clínica Aurora <hello@aurora.example> wrote:\n"
            f"{QUOTED}",
            id="Gmail, English",
        ),
        pytest.param(
            f"вт, 2 мар. 2027 г. в 12:00, Аврора <hello@aurora.example>:\n\n{QUOTED}",
            id="Gmail, Russian",
        ),
        pytest.param(
            "El 2 mar 2027, a las 12:00, Clínica Aurora <hello@aurora.example> escribió:\n"
            f"{QUOTED}",
            id="Apple, Spanish",
        ),
        pytest.param(
            f"> 2 марта 2027 г., в 12:00, Аврора <hello@aurora.example> написал(а):\n> \n{QUOTED}",
            id="Apple, Russian, all of it quoted",
        ),
        pytest.param(f'02.03.2027, 12:00, "Аврора" <hello@aurora.example>:\n{QUOTED}', id="Yandex"),
        pytest.param(
            f"Вторник, 2 марта 2027, 12:00 +03:00 от Аврора <hello@aurora.example>:\n\n{OURS}",
            id="Mail.ru, without marks",
        ),
        pytest.param(f"02.03.2027 12:00, Аврора пишет:\n{QUOTED}", id="Thunderbird, Russian"),
        pytest.param(
            f"El 2/3/2027 a las 12:00, Clínica Aurora escribió:\n{QUOTED}",
            id="Thunderbird, Spanish",
        ),
        pytest.param(f"-----Mensaje original-----\nDe: Aurora\n\n{OURS}", id="Outlook of old"),
        pytest.param(f"-----Original Message-----\n{OURS}", id="Outlook of old, English"),
        pytest.param(
            "________________________________\nDe: Clínica Aurora <hello@aurora.example>\n"
            "Enviado: martes, 2 de marzo de 2027 12:00\nPara: Sofía <sofia@example.com>\n"
            f"Asunto: Un saludo\n\n{OURS}",
            id="Outlook, Spanish",
        ),
        pytest.param(
            "От: Аврора <hello@aurora.example>\nОтправлено: 2 марта 2027 г. 12:00\n"
            f"Кому: Екатерина\nТема: Привет\n\n{OURS}",
            id="Outlook, Russian",
        ),
        pytest.param(
            "*From:* Aurora <hello@aurora.example>\n*Sent:* Tuesday\n*To:* Sofia\n"
            f"*Subject:* Hello\n\n{OURS}",
            id="Outlook, English, as bold text",
        ),
        pytest.param(f"-------- Пересылаемое сообщение --------\n{OURS}", id="Yandex, passed on"),
        pytest.param(QUOTED, id="only marks"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_original_is_left_out(original: str, end: str) -> None:
    text = f"{SAID}\n\n{original}\n".replace("\n", end)
    assert newest_words(text.replace("\r\n", "\n")) == SAID


def test_an_answer_below_the_original_stays() -> None:
    text = f"El 2 mar 2027 a las 12:00, Aurora <hello@aurora.example> escribió:\n{QUOTED}\n\n{SAID}"
    assert newest_words(text) == SAID


def test_answers_between_the_lines_stay() -> None:
    assert newest_words("> ¿Cuándo?\nEl lunes\n> ¿Dónde?\nEn el centro") == "El lunes\nEn el centro"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("El doctor escribió:\nno quiero volver", id="somebody wrote something"),
        pytest.param("De: nadie, gracias\nNo quiero nada", id="a line that begins as a header"),
        pytest.param("Horario:\nlunes 10:30\nmartes 12:00", id="times"),
        pytest.param("Mi teléfono: 555-0123\nMi correo es sofia@example.com", id="addresses"),
        pytest.param("Sent my regards?", id="begins as a program's line"),
        pytest.param("Enviado todo por mi hija\n\nGracias", id="begins as one in Spanish"),
        pytest.param("--\nSofía Muñoz\n555-0123", id="a signature"),
    ],
)
def test_words_that_only_look_like_a_programs_stay(text: str) -> None:
    assert newest_words(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "Enviado desde mi iPhone",
        "Sent from my Galaxy",
        "Отправлено с iPhone",
        "Отправлено из мобильной Яндекс Почты",
        "--\nОтправлено из Mail.ru для Android",
        "Enviado desde Outlook para Android",
        "Get Outlook for iOS<https://example.com/x>",
        "Obtener Outlook para iOS",
    ],
)
def test_what_a_telephone_adds_is_left_out(line: str) -> None:
    assert newest_words(f"BAJA\n\n{line}\n") == "BAJA"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        pytest.param("<p>Sí</p><p>Mañana</p>", "Sí\n\nMañana", id="paragraphs"),
        pytest.param("<div>Sí<br>Mañana&nbsp;&iacute;</div>", "Sí\nMañana í", id="a line break"),
        pytest.param(
            '<div dir="ltr">Sí</div><br><div class="gmail_quote gmail_quote_container">'
            '<div class="gmail_attr">El mar, 2 mar 2027, Aurora escribió:<br></div>'
            "<blockquote>Hola, Sofía</blockquote></div>",
            "Sí",
            id="Gmail",
        ),
        pytest.param(
            'Sí<br><blockquote type="cite"><div>El 2 mar 2027, Aurora escribió:</div>Hola'
            "</blockquote>",
            "Sí",
            id="Apple",
        ),
        pytest.param(
            '<body><div>Sí</div><hr><div id="divRplyFwdMsg"><b>De:</b> Aurora<br>'
            "<b>Asunto:</b> Hola</div><div>Hola, Sofía</div>",
            "Sí",
            id="Outlook on the web",
        ),
        pytest.param(
            "<p>Sí</p><div><p><b>De:</b> Aurora &lt;hello@aurora.example&gt;<br><b>Enviado:</b> "
            "martes<br><b>Para:</b> Sofía<br><b>Asunto:</b> Hola</p></div><p>Hola, Sofía</p>",
            "Sí",
            id="Outlook",
        ),
        pytest.param(
            "<div>Да</div><div>02.03.2027, 12:00, &quot;Аврора&quot; "
            "&lt;hello@aurora.example&gt;:</div><blockquote><p>Привет</p></blockquote>",
            "Да",
            id="Yandex",
        ),
        pytest.param(
            "<head><title>x</title><style>p {}</style></head><script>var a;</script>Sí",
            "Sí",
            id="what nobody reads",
        ),
        pytest.param("<ul><li>uno<li>dos</ul>", "uno\ndos", id="a list, not closed"),
        pytest.param("Sí </b></div> < 3 <!-- x", "Sí\n< 3 x", id="broken"),
    ],
)
def test_a_page_is_read_as_text(html: str, words: str) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Re: Un saludo"
    mail.set_content(html, subtype="html")
    assert words_of(message_from_bytes(mail.as_bytes())) == words


@settings(deadline=None)
@given(st.text(st.sampled_from(list("<>/!-&;=\"' abpdivscriptblockquote#\n"))))
def test_no_page_is_too_broken_to_be_read(html: str) -> None:
    assert isinstance(text_of_html(html), str)


@pytest.mark.parametrize(
    "piece",
    ["<!--", "<!", "<a ", "<a b='", "</", "<a", "&#", "<div>", "</p><div>", "<div id='", "a"],
)
def test_a_page_made_to_take_long_takes_not_long(piece: str) -> None:
    began = time.process_time()
    text_of_html(piece * (2**18 // len(piece)))
    assert time.process_time() - began < 3


@pytest.mark.parametrize("piece", ["1<" * 120 + ":\n", "De: x\n", "1 " * 120 + ":\n", ">\n", ":"])
def test_a_text_made_to_take_long_takes_not_long(piece: str) -> None:
    began = time.process_time()
    newest_words(piece * (100_000 // len(piece)))
    assert time.process_time() - began < 3


def test_words_above_an_attribution_that_has_no_date_stay() -> None:
    said = "Llámeme a las 10:30"
    assert newest_words(f"{said}\nAurora <hello@aurora.example> wrote:\n> Hola").startswith(said)


WORDS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)


@settings(deadline=None)
@given(st.lists(st.lists(WORDS, min_size=1, max_size=8).map(" ".join), min_size=1, max_size=8))
def test_every_word_stays(lines: list[str]) -> None:
    said = "\n".join(lines)
    above = (
        f"{said}\n\nEl 2 mar 2027 a las 12:00, Aurora <hello@aurora.example> escribió:\n{QUOTED}"
    )
    for text in (said, above):
        kept = newest_words(text).split()
        assert kept == said.split()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Да, запишите меня, пожалуйста", "koi8-r"),
        ("Да, запишите меня, пожалуйста", "cp1251"),
        ("СТОП", "cp1251"),
        ("СТОП", "koi8-r"),
        ("стоп", "koi8-r"),
        ("отписаться", "cp1251"),
        ("Спасибо, не нужно", "cp1251"),
        ("Sí, mañana. ¿A qué hora?", "cp1252"),
        ("sí", "iso-8859-1"),
        ("Привет, señora", "utf-8"),
        ("plain", "ascii"),
    ],
)
@pytest.mark.parametrize("declared", ["as it is", "", "us-ascii", "iso-8859-1", "x-nonsense"])
def test_an_encoding_is_found_out_where_it_is_missing_or_wrong(
    text: str, encoding: str, declared: str
) -> None:
    assert decode(text.encode(encoding), encoding if declared == "as it is" else declared) == text


@given(st.binary(), st.text(max_size=12))
def test_any_bytes_are_some_text(content: bytes, declared: str) -> None:
    decode(content, declared).encode("utf-8")
