"""Patients who answer the clinic through its real doors.

Each message that reaches a patient of the register is read by that patient; what the patient then
does is decided by the persona, once, after a while. See `personas` for who there is and `doors`
for the ways to answer.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog

from sandbox.background_work import BackgroundWork
from sandbox.doors import Door, Doors
from sandbox.links import links_in, one_click_link, unsubscribe_links
from sandbox.personas import Persona, fraction_of, persona_of
from sandbox.register import Register, RegisteredPatient
from sandbox.replies import mail_answering, reply_in, stop_in
from sandbox.reply_log import ReplyLog, SentReply
from sandbox.smtp_inbox import ReceivedEmail
from sandbox.twilio_message import TwilioMessage
from sandbox.twilio_submission import WHATSAPP

log: Final = structlog.get_logger(__name__)

# A booking made after a message is for some day of the next two weeks, in the clinic's hours on
# either side of the Atlantic.
_BOOKED_FOR_DAYS: Final = (3, 14)
_BOOKED_FOR_HOUR_UTC: Final = 15


@dataclass(frozen=True, slots=True)
class _Read:
    """A message as its patient has it."""

    patient: RegisteredPatient
    email: ReceivedEmail | None = None
    sms: TwilioMessage | None = None

    @property
    def text(self) -> str:
        if self.email is not None:
            return self.email.text or self.email.html
        return self.sms.body if self.sms else ""


class SimulatedPatients:
    """All patients of a register, each with a persona.

    Attributes:
        unknown: How many messages reached an address that is not on the register.
        log: Everything that they have answered.
    """

    def __init__(
        self,
        register: Register,
        doors: Doors,
        work: BackgroundWork,
        *,
        seed: int,
        answer_after: tuple[float, float],
        weights: Mapping[Persona, float],
        sign: bool = False,
    ) -> None:
        """Give every patient a persona.

        Args:
            register: The patients.
            doors: Their ways to the clinic.
            work: Where they think their answers over.
            seed: Decides who is who, and what else is left to chance.
            answer_after: Seconds until an answer, at least and at most.
            weights: The share of each persona.
            sign: Whether what they write ends with their number on the register.
        """
        self.unknown = 0
        self.log = ReplyLog()
        self._register = register
        self._doors = doors
        self._work = work
        self._seed = seed
        self._answer_after = answer_after
        self._weights = weights
        self._sign = sign
        self._acted: set[str] = set()
        self._received: Counter[Persona] = Counter()
        self._answered: Counter[Persona] = Counter()

    def persona_of(self, patient_id: str) -> Persona:
        """Return the persona of a patient."""
        return persona_of(self._seed, patient_id, self._weights)

    def read_email(self, received: ReceivedEmail) -> None:
        """Let the patients at an email's addresses read it."""
        for address in received.recipients:
            patient = self._register.patient_at(address, received.text)
            self._read(_Read(patient, email=received) if patient else None)

    def read_sms(self, message: TwilioMessage) -> None:
        """Let the patient at an SMS's number read it."""
        number = message.to.removeprefix(WHATSAPP)
        patient = self._register.patient_at(number, message.body)
        self._read(_Read(patient, sms=message) if patient else None)

    def counts(self) -> dict[str, Any]:
        """Return what happened so far, in numbers only.

        Returns:
            ``patients`` on the register, messages ``received`` and patients who ``answered``, by
            persona; how each of the ``doors`` answered; and messages to ``unknown`` addresses.
        """
        living = Counter(self.persona_of(patient.patient_id) for patient in self._register.patients)
        doors: dict[str, dict[str, int]] = {door: {} for door in Door}
        for (door, answer), times in sorted(self._doors.answers.items()):
            doors[door][answer] = times
        return {
            "personas": {
                persona: {
                    "patients": living[persona],
                    "received": self._received[persona],
                    "answered": self._answered[persona],
                }
                for persona in Persona
            },
            "doors": doors,
            "unknown": self.unknown,
        }

    def _read(self, read: _Read | None) -> None:
        if read is None:
            self.unknown += 1
            log.warning("message_to_unknown_address")
            return
        patient_id = read.patient.patient_id
        persona = self.persona_of(patient_id)
        self._received[persona] += 1
        if patient_id in self._acted or not _answers_to(persona, read):
            return
        self._acted.add(patient_id)
        self._work.start(self._answer(persona, read), name=f"patient_{persona}")

    async def _answer(self, persona: Persona, read: _Read) -> None:
        least, most = self._answer_after
        thinking = fraction_of(self._seed, read.patient.patient_id, "answer_after")
        await asyncio.sleep(least + thinking * (most - least))
        await self._act(persona, read)
        self._answered[persona] += 1
        log.info("patient_answered", persona=persona)

    async def _act(self, persona: Persona, read: _Read) -> None:
        match persona:
            case Persona.BOOKS_AFTER_EMAIL | Persona.BOOKS_AFTER_SMS:
                patient_id = read.patient.patient_id
                reply = self._says(read, Door.BOOKING)
                at = self._appointment_of(patient_id)
                reply.answered(await self._doors.book(patient_id, at))
            case Persona.REPLIES_BY_SMS:
                await self._text(read, self._reply_of(read.patient))
            case Persona.REPLIES_BY_EMAIL:
                await self._write_mail(read)
            case Persona.STOPS_BY_SMS:
                await self._text(read, stop_in(read.patient.language))
            case Persona.STOPS_BY_EMAIL:
                await self._unsubscribe(read)
            case Persona.ASKS_FOR_A_CALL:
                await self._ask_for_a_call(read)
            case Persona.SCANNER:
                await self._scan(read)
            case Persona.NEVER_ANSWERS:
                raise AssertionError("a patient who never answers does nothing")

    def _reply_of(self, patient: RegisteredPatient) -> str:
        words = reply_in(patient.language, seed=self._seed, patient_id=patient.patient_id)
        return f"{words} {patient.patient_id}" if self._sign else words

    async def _text(self, read: _Read, body: str) -> None:
        if read.sms is not None:
            reply = self._says(read, Door.SMS, body)
            reply.answered(await self._doors.text(read.sms.to, read.sms.sender or "", body))

    async def _write_mail(self, read: _Read) -> None:
        if read.email is not None:
            words = self._reply_of(read.patient)
            reply = self._says(read, Door.MAIL, words)
            mail = mail_answering(read.email, read.patient.email, words)
            reply.answered(await self._doors.write_mail(mail))

    def _says(self, read: _Read, door: Door, words: str = "") -> SentReply:
        return self.log.sent(read.patient.patient_id, door, words)

    async def _unsubscribe(self, read: _Read) -> None:
        link = one_click_link(read.email.message) if read.email else None
        if link is None:
            self._doors.missing(Door.ONE_CLICK)
            return
        reply = self._says(read, Door.ONE_CLICK)
        reply.answered(await self._doors.unsubscribe(link))

    async def _ask_for_a_call(self, read: _Read) -> None:
        # The way out is not the patient's page, even where it stands first.
        ways_out = unsubscribe_links(read.email.message) if read.email else []
        link = next((link for link in links_in(read.text) if link not in ways_out), None)
        if link is None:
            self._doors.missing(Door.PAGE)
            return
        words = read.patient.patient_id if self._sign else ""
        reply = self._says(read, Door.CALL_REQUEST, words)
        reply.answered(await self._doors.ask_for_a_call(link, words))

    async def _scan(self, read: _Read) -> None:
        if read.email is None:
            return
        links = links_in(f"{read.email.text}\n{read.email.html}")
        links += unsubscribe_links(read.email.message)
        await self._doors.scan(list(dict.fromkeys(links)))

    def _appointment_of(self, patient_id: str) -> datetime:
        first, last = _BOOKED_FOR_DAYS
        days = first + int(fraction_of(self._seed, patient_id, "day") * (last - first + 1))
        day = datetime.now(UTC) + timedelta(days=days)
        return day.replace(hour=_BOOKED_FOR_HOUR_UTC, minute=0, second=0, microsecond=0)


# What a persona waits for; one left out waits for nothing and does nothing.
_ANSWERS_TO_EMAIL: Final = frozenset(
    {
        Persona.BOOKS_AFTER_EMAIL,
        Persona.REPLIES_BY_EMAIL,
        Persona.STOPS_BY_EMAIL,
        Persona.ASKS_FOR_A_CALL,
        Persona.SCANNER,
    }
)
_ANSWERS_TO_SMS: Final = frozenset(
    {
        Persona.BOOKS_AFTER_SMS,
        Persona.REPLIES_BY_SMS,
        Persona.STOPS_BY_SMS,
        Persona.ASKS_FOR_A_CALL,
    }
)


def _answers_to(persona: Persona, read: _Read) -> bool:
    return persona in (_ANSWERS_TO_SMS if read.email is None else _ANSWERS_TO_EMAIL)
