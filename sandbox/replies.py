"""What simulated patients write, in their own language."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Final

from sandbox.personas import fraction_of
from sandbox.smtp_inbox import ReceivedEmail

_DEFAULT_LANGUAGE: Final = "en"

# Written as people write on a telephone: short, some with a question that only a person can
# answer, by a patient of either sex. None of them can be taken for an opt-out.
_REPLIES: Final[Mapping[str, tuple[str, ...]]] = {
    "es": (
        "Hola, ¿puedo ir el jueves por la tarde?",
        "Gracias por acordarse de mí. ¿Tienen algo para el sábado?",
        "Justo pensaba llamarlos. ¿Me pueden dar una cita para la próxima semana?",
        "¡Qué bueno saber de ustedes! ¿Puedo llevar también a mi hija?",
    ),
    "ru": (
        "Здравствуйте! Можно мне прийти в четверг после обеда?",
        "Спасибо, что не забыли меня. Есть ли время в субботу?",
        "Очень вовремя! Запишите меня, пожалуйста, на следующую неделю.",
        "Спасибо за сообщение! Можно записать ещё и дочку?",
    ),
    "en": (
        "Hi! Could I come in on Thursday afternoon?",
        "Thanks for thinking of me. Do you have anything on Saturday?",
        "I was just about to call you. Can you fit me in next week?",
        "Good to hear from you! Could I bring my daughter along too?",
    ),
}

_STOPS: Final[Mapping[str, str]] = {"es": "BAJA", "ru": "СТОП", "en": "STOP"}


def reply_in(language: str, *, seed: int, patient_id: str) -> str:
    """Return what a patient answers; English for a language without texts."""
    texts = _REPLIES.get(language, _REPLIES[_DEFAULT_LANGUAGE])
    return texts[int(fraction_of(seed, patient_id, "reply") * len(texts))]


def stop_in(language: str) -> str:
    """Return the word with which a patient stops messages; English for an unknown language."""
    return _STOPS.get(language, _STOPS[_DEFAULT_LANGUAGE])


def mail_answering(received: ReceivedEmail, sender: str, words: str) -> EmailMessage:
    """Return a patient's answer as mail programs write it: in its thread, above a quotation."""
    reply = EmailMessage()
    reply["From"] = sender
    reply["To"] = str(received.message["Reply-To"] or received.message["From"])
    reply["Subject"] = f"Re: {received.message['Subject']}"
    reply["Message-ID"] = make_msgid(domain="example.com")
    reply["In-Reply-To"] = reply["References"] = received.message_id
    quotation = "\n".join(f"> {line}" for line in received.text.splitlines())
    reply.set_content(f"{words}\n\n{quotation}\n")
    return reply
