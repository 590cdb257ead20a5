"""A patient's card, as staff and ops read it in a terminal."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table
from rich.text import Text

from clinic.register.attempt_card import AttemptCard, CallLine, Said, StepLine
from clinic.register.card import Card, ConsentLine
from commands.terminal import CLEAR_ANSWERS, console, local


def print_card(card: Card, zone: ZoneInfo, now: datetime) -> None:
    """Print a card.

    Args:
        card: The card.
        zone: The clinic's time zone, in which times are written.
        now: Aware UTC; which appointments are still to come.
    """
    console.print(Text(f"{card.external_id}  {card.name}", style="bold"), f"  {card.patient_id}")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column()
    table.add_column(overflow="fold")
    for label, value in _facts(card, zone, now):
        table.add_row(label, value)
    console.print(table)
    for attempt in card.attempts:
        _print_attempt(attempt, zone)
    if not card.attempts:
        console.print("\nNo attempt yet.")
    for line in (*_calls(card.calls, zone), *_said(card.said, zone)):
        console.print(line)
    if card.open_tasks:
        console.print(f"  on the call list: {', '.join(card.open_tasks)}")


def print_consents(number: str, consents: Sequence[ConsentLine], zone: ZoneInfo) -> None:
    """Print what a patient said about being contacted, the newest word first."""
    if not consents:
        console.print(f"{number}: nothing was recorded.")
        return
    table = _table("Said", "channel", "content", "what", "source")
    for line in consents:
        what = "given" if line.given else "withdrawn"
        day = str(line.at.astimezone(zone).date())
        table.add_row(day, line.channel, line.content, what, line.source)
    console.print(table)


def _facts(card: Card, zone: ZoneInfo, now: datetime) -> Iterable[tuple[str, str]]:
    yield "status", _status(card, zone)
    if card.birth_date:
        yield "born", str(card.birth_date)
    yield "language", card.language or "not known: the clinic's"
    if card.preferred_channel:
        yield "prefers", card.preferred_channel
    if card.guardian is not None:
        yield "a minor", f"the guardian is written to: {card.guardian}"
    yield "email", _address(card.contact.email, bad=card.contact.email_bad)
    yield "phone", _phone(card)
    if card.other_phone:
        yield "other phone", card.other_phone
    if card.household:
        others = (f"{other.external_id} {other.name}" for other in card.household)
        more = f", and {card.household_more} more" if card.household_more else ""
        yield "shares an address with", f"{', '.join(others)}{more}"
    for twin in card.same_person:
        verdict = twin.verdict or "nobody has settled it"
        yield "perhaps also", f"{twin.external_id} {twin.name}: {twin.reason} ({verdict})"
    for line in card.suppressed:
        yield "suppressed", f"{line.address} since {local(line.since, zone)} by {line.source}"
    for said in card.consents:
        what = "given" if said.given else "withdrawn"
        day = said.at.astimezone(zone).date()
        yield "consent", f"{said.channel}, {said.content}: {what} ({said.source}, {day})"
    yield "visits", _visits(card)
    coming = [line for line in card.appointments if line.at > now]
    yield "next appointment", local(coming[-1].at, zone) if coming else "none"


def _status(card: Card, zone: ZoneInfo) -> str:
    parts = [card.status]
    if card.opted_out_at is not None:
        parts.append(f"opted out since {local(card.opted_out_at, zone)}")
    if card.loss_reason:
        parts.append(f"left because of {_words(card.loss_reason)}")
    return ", ".join(parts)


def _phone(card: Card) -> str:
    contact = card.contact
    # in some countries, as the United States, a number does not tell
    notes = [contact.phone_kind if contact.phone_kind not in (None, "unknown") else ""]
    if contact.sms_bad:
        notes.append("takes no SMS")
    written = _address(contact.phone, bad=contact.phone_bad)
    said = ", ".join(note for note in notes if note)
    return f"{written} ({said})" if contact.phone and said else written


def _address(address: str | None, *, bad: bool) -> str:
    if address is None:
        return "none"
    return f"{address} (does not work)" if bad else address


def _visits(card: Card) -> str:
    known = len(card.visits)
    total = max(known, card.reported_visits or 0)
    if not known:
        return f"{total}, their days are not known" if total else "none"
    last = card.visits[0]
    treated = f" ({last.treatment})" if last.treatment else ""
    days = "" if total == known else f" (of {known} the day is known)"
    return f"{total}{days}, the last on {last.day}{treated}"


def _print_attempt(attempt: AttemptCard, zone: ZoneInfo) -> None:
    console.print(
        Text(f"\nCampaign {attempt.campaign}", style="bold"), f": {_stand(attempt, zone)}", sep=""
    )
    if attempt.steps:
        table = _table("Step", "channel", "what became of it", "when", "why")
        for step in attempt.steps:
            when = local(step.at, zone) if step.at else ""
            table.add_row(str(step.number), step.channel, _became(step, zone), when, _why(step))
        console.print(table)
    for line in (*_calls(attempt.calls, zone), *_said(attempt.said, zone)):
        console.print(line)


def _stand(attempt: AttemptCard, zone: ZoneInfo) -> str:
    if attempt.left_out_reason:
        rule = f" ({attempt.rule})" if attempt.rule else ""
        return f"left out: {_words(attempt.left_out_reason)}{rule}"
    if attempt.outcome and attempt.ended_at:
        reason = f" ({_words(attempt.loss_reason)})" if attempt.loss_reason else ""
        return f"{_words(attempt.outcome)}{reason}, {local(attempt.ended_at, zone)}"
    task = f"; on the call list: {attempt.open_task}" if attempt.open_task else ""
    return f"{attempt.state}{task}"


def _became(step: StepLine, zone: ZoneInfo) -> str:
    until = f" until {local(step.until, zone)}" if step.until else ""
    together = ", with the household" if step.together else ""
    return f"{step.became}{until}{together}"


def _why(step: StepLine) -> str:
    return ": ".join(part for part in (_words(step.reason), step.rule) if part)


def _calls(calls: Sequence[CallLine], zone: ZoneInfo) -> Iterable[str]:
    for call in calls:
        again = f", again {local(call.again_at, zone)}" if call.again_at else ""
        reason = f" ({_words(call.loss_reason)})" if call.loss_reason else ""
        note = f": {call.note}" if call.note else ""
        came = f"{_words(call.outcome)}{reason}{again}{note}"
        yield f"  {local(call.at, zone)} called by {call.by}: {came}"


def _said(said: Sequence[Said], zone: ZoneInfo) -> Iterable[str]:
    for one in said:
        words = f": “{one.words}”" if one.words else ""
        read = f", says {one.reading}" if one.reading in CLEAR_ANSWERS else ""
        yield f"  {local(one.at, zone)} {_words(one.kind)} ({one.source}{read}){words}"


def _words(word: str) -> str:
    return word.replace("_", " ")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
