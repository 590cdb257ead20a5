"""What was seen, judged: duplicates, losses, and messages after a stop. Pure, so that it is tested.

A patient has a step twice when two messages of its channel name that patient. Two mails under one
Message-ID are one message: mail servers and readers fold them, and so does the count here. How
often that happened is a figure of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from chaos.figures import CardEvent, LedgerRow, Reply, SeenAttempt, Sights, Submission

LONGEST_TRY = timedelta(seconds=15)
"""From a claim to the handing over: five seconds at most to begin, ten for the connection. What was
claimed before a stop came in, and is handed over so soon, was on its way when it came."""

_ANSWERED = frozenset({"booked", "declined", "opted_out", "excluded"})
"""Outcomes that answer a reply by themselves."""

_SMS, _CALL_REQUEST, _BOOKING, _ONE_CLICK = "sms", "call_request", "booking", "one_click"
_STOPS = frozenset({"BAJA", "СТОП", "STOP"})


class Finding(BaseModel):
    """One thing that must not be.

    Attributes:
        patient: The clinic's number; empty where it is nobody's in particular.
    """

    model_config = ConfigDict(frozen=True)

    patient: str
    what: str


class Verdict(BaseModel):
    """What came of a run.

    Attributes:
        attempts: Attempts that there are.
        outcomes: Outcome to attempts that ended so.
        with_person: Attempts that are open and stand on the call list.
        messages: Channel to messages in the patients' mailboxes and telephones.
        submissions: Channel to messages that the provider took, repeats included.
        folded: Mails that were taken once more under a Message-ID that the mailbox had.
        replies: Door to answers of patients.
        on_the_way: Messages that were on their way already when their patient's stop came.
    """

    model_config = ConfigDict(frozen=True)

    attempts: int
    outcomes: dict[str, int]
    with_person: int
    messages: dict[str, int]
    submissions: dict[str, int]
    folded: int
    replies: dict[str, int]
    on_the_way: int
    duplicates: tuple[Finding, ...]
    losses: tuple[Finding, ...]
    after_stop: tuple[Finding, ...]

    @property
    def holds(self) -> bool:
        """Nothing was lost, nothing came twice, nobody was written to after a stop."""
        return not (self.duplicates or self.losses or self.after_stop)


def judge(sights: Sights) -> Verdict:
    """Judge what was seen at the end of a run."""
    mailbox = _folded(sights.submissions)
    after_stop, on_the_way = _after_stop(sights)
    return Verdict(
        attempts=len(sights.attempts),
        outcomes=dict(Counter(one.outcome for one in sights.attempts if one.outcome).most_common()),
        with_person=sum(one.with_person and one.state == "open" for one in sights.attempts),
        messages=dict(Counter(one.channel for one in mailbox)),
        submissions=dict(Counter(one.channel for one in sights.submissions)),
        folded=len(sights.submissions) - len(mailbox),
        replies=dict(Counter(one.door for one in sights.replies).most_common()),
        on_the_way=on_the_way,
        duplicates=tuple(_duplicates(mailbox)),
        losses=(
            *_lost_attempts(sights),
            *_lost_workflows(sights),
            *_lost_messages(sights),
            *_lost_replies(sights),
        ),
        after_stop=tuple(after_stop),
    )


def _folded(submissions: Iterable[Submission]) -> list[Submission]:
    """Return each message once: as the patient's mailbox shows it."""
    by_key: dict[tuple[str, str], Submission] = {}
    for submission in submissions:
        by_key.setdefault((submission.channel, submission.key), submission)
    return list(by_key.values())


def _duplicates(mailbox: Iterable[Submission]) -> Iterator[Finding]:
    had: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for message in mailbox:
        for patient in message.patients:
            had[patient, message.channel].append(message.key)
    for (patient, channel), keys in had.items():
        if len(keys) > 1:
            times = f"the {channel} step came {len(keys)} times"
            yield Finding(patient=patient, what=f"{times}: {', '.join(keys)}")


def _lost_attempts(sights: Sights) -> Iterator[Finding]:
    of_patient: defaultdict[str, list[SeenAttempt]] = defaultdict(list)
    for attempt in sights.attempts:
        of_patient[attempt.patient].append(attempt)
    for patient in sights.patients:
        found = of_patient[patient]
        if len(found) != 1:
            yield Finding(patient=patient, what=f"{len(found)} attempts instead of one")
        for attempt in found:
            if attempt.state == "ended" and attempt.outcome is not None:
                continue
            stands = f"{attempt.attempt_id} is {attempt.state}, outcome {attempt.outcome}"
            yield Finding(patient=patient, what=f"{stands}; {attempt.last}")


def _lost_workflows(sights: Sights) -> Iterator[Finding]:
    for status, count in sights.workflows.items():
        if status != "completed" and count:
            yield Finding(patient="", what=f"{count} workflows are {status}")


def _lost_messages(sights: Sights) -> Iterator[Finding]:
    taken = {(one.channel, one.key) for one in sights.submissions}
    claimed = {(row.patient, row.channel) for row in sights.ledger}
    for row in sights.ledger:
        if row.sent and (row.channel, row.key) not in taken:
            what = f"{row.channel} {row.key} is said to be sent, and no provider has it"
            yield Finding(patient=row.patient, what=what)
    for message in sights.submissions:
        if not message.patients:
            yield Finding(patient="", what=f"{message.channel} {message.key} names nobody")
        for patient in message.patients:
            if (patient, message.channel) not in claimed:
                what = f"{message.channel} {message.key} was sent without a claim"
                yield Finding(patient=patient, what=what)


def _lost_replies(sights: Sights) -> Iterator[Finding]:
    cards: defaultdict[str, list[CardEvent]] = defaultdict(list)
    for event in sights.events:
        cards[event.patient].append(event)
        if not event.relayed:
            what = f"event {event.event_id} ({event.kind}) was not relayed"
            yield Finding(patient=event.patient, what=what)
    attempts = {one.attempt_id: one for one in sights.attempts}
    for reply in sights.replies:
        said = f"{reply.door} {reply.words}".strip()
        if not reply.taken:
            yield Finding(patient=reply.patient, what=f"no door took: {said}")
        at_address = (reply.patient, *sights.patients.get(reply.patient, ()))
        found = [event for one in at_address for event in cards[one] if _is(event, reply)]
        if not found:
            yield Finding(patient=reply.patient, what=f"on no card: {said}")
        elif not any(_is_looked_after(event, attempts) for event in found):
            yield Finding(patient=reply.patient, what=f"nobody's task: {said}")


def _is(event: CardEvent, reply: Reply) -> bool:
    """Tell whether an event is what the patient said."""
    match reply.door:
        case door if door == _BOOKING:
            return event.kind == "booked" and event.source == "bookings"
        case door if door == _ONE_CLICK:
            return event.kind == "opted_out" and event.source == "link"
        case door if door == _SMS and reply.words in _STOPS:
            return event.kind == "opted_out" and event.source == _SMS
        case _:
            return reply.words in event.body


def _is_looked_after(event: CardEvent, attempts: dict[str, SeenAttempt]) -> bool:
    """Tell whether a reply has a task, or its attempt an outcome that answers it."""
    if event.kind != "reply":
        return True
    attempt = attempts.get(event.attempt_id or "")
    return attempt is not None and (attempt.replies_tasked or attempt.outcome in _ANSWERED)


def _after_stop(sights: Sights) -> tuple[list[Finding], int]:
    claims: defaultdict[tuple[str, str], list[LedgerRow]] = defaultdict(list)
    for row in sights.ledger:
        claims[row.patient, row.channel].append(row)
    messages: defaultdict[str, list[Submission]] = defaultdict(list)
    for message in sights.submissions:
        for patient in message.patients:
            messages[patient].append(message)
    found, on_the_way = [], 0
    for reply in sights.replies:
        if not (reply.taken and reply.answered_at):
            continue
        for message in messages[reply.patient]:
            if message.began_at <= reply.answered_at:
                continue
            if any(
                row.claimed_at <= reply.answered_at
                and message.began_at - row.claimed_at <= LONGEST_TRY
                for row in claims[reply.patient, message.channel]
            ):
                on_the_way += 1
                continue
            late = (message.began_at - reply.answered_at).total_seconds()
            what = (
                f"{message.channel} {message.key} began {late:.2f} s after {reply.door} was taken"
            )
            found.append(Finding(patient=reply.patient, what=what))
    return found, on_the_way
