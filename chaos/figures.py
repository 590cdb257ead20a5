"""What is seen at the end of a run, in the sandbox and in the clinic's database: plain data."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class _Seen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Submission(_Seen):
    """A message that a provider took, once for each time that it took it.

    Attributes:
        key: The Message-ID of a mail, the provider's id of a text: two of one key are one message
            to the patient's mailbox.
        to: The address.
        patients: Whom it names, by the clinic's number.
        began_at: When the client began to hand it over, aware UTC.
    """

    channel: str
    key: str
    to: str
    patients: tuple[str, ...]
    began_at: datetime


class Reply(_Seen):
    """Something that a simulated patient has said.

    Attributes:
        patient: The clinic's number.
        door: By which way.
        words: What the patient wrote; no two write the same, but for a bare stop.
        sent_at: Aware UTC.
        answered_at: When the clinic's door answered, aware UTC; None: never.
        taken: The door took it (2xx).
    """

    patient: str
    door: str
    words: str
    sent_at: datetime
    answered_at: datetime | None
    taken: bool


class CardEvent(_Seen):
    """An event on a patient's card.

    Attributes:
        patient: The clinic's number.
        attempt_id: The attempt that it concerns.
        kind: What happened.
        source: By which way it came.
        relayed: It has arrived where it was to go.
    """

    event_id: str
    patient: str
    attempt_id: str | None
    kind: str
    source: str
    body: str
    relayed: bool


class SeenAttempt(_Seen):
    """A patient's attempt, as its row stands.

    Attributes:
        patient: The clinic's number.
        outcome: How it ended, if it has.
        with_person: A call task of it is open.
        replies_tasked: It has or had a call task about a reply.
        last: Its last events in words, for whoever looks why it is not finished.
    """

    attempt_id: str
    patient: str
    state: str
    outcome: str | None
    with_person: bool
    replies_tasked: bool
    last: str = ""


class LedgerRow(_Seen):
    """A row of the ledger.

    Attributes:
        patient: The clinic's number.
        key: The provider's id of the message.
        claimed_at: Aware UTC.
        sent: The ledger says that it was sent.
    """

    patient: str
    channel: str
    key: str | None
    claimed_at: datetime
    sent: bool
    failed: bool = False


class Sights(_Seen):
    """Everything that is seen.

    Attributes:
        patients: The clinic's number to whoever shares an address with that patient.
        workflows: Temporal's own count of attempts' workflows by how they stand.
    """

    patients: dict[str, tuple[str, ...]]
    attempts: tuple[SeenAttempt, ...]
    submissions: tuple[Submission, ...]
    replies: tuple[Reply, ...]
    events: tuple[CardEvent, ...]
    ledger: tuple[LedgerRow, ...]
    workflows: dict[str, int] = {}


class Kills(_Seen):
    """What was killed, and how often."""

    worker: int = 0
    between_acceptance_and_record: int = 0
    between_claim_and_sending: int = 0
    server: int = 0
    console: int = 0

    def reach(self, quota: "Kills") -> bool:
        """Tell whether each is at least as many as in `quota`."""
        return all(done >= least for (_, done), (_, least) in zip(self, quota, strict=True))
