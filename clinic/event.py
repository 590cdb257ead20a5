"""What happens outside and concerns an attempt or a campaign."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinic.outcome import LossReason


class EventKind(StrEnum):
    """What happened."""

    # to an attempt
    REPLY = "reply"
    """The patient wrote: a person reads it and answers."""
    BOOKED = "booked"
    DECLINED = "declined"
    """The patient said, in a way that needs no reading, that they will not come, and maybe why."""
    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    """A message will never arrive: the ladder climbs."""
    RETURNED = "returned"
    """A message that was taken did not arrive for a reason that is ours to mend: it is delivered
    again once its channel goes on."""
    NOTICE = "notice"
    """Kept on the card, and changes nothing: an automatic answer, a delay on the way."""
    CALL_OUTCOME = "call_outcome"
    STOPPED = "stopped"
    RESUMED = "resumed"
    EXCLUDED = "excluded"
    # to a campaign
    CAMPAIGN_STARTED = "campaign_started"
    CAMPAIGN_PAUSED = "campaign_paused"
    CAMPAIGN_RESUMED = "campaign_resumed"
    CAMPAIGN_STOPPED = "campaign_stopped"
    # to nobody yet: kept as it came
    UNKNOWN = "unknown"


class CallOutcome(StrEnum):
    """What came of a call."""

    BOOKED = "booked"
    CALL_BACK = "call_back"
    THINKING = "thinking"
    NO_ANSWER = "no_answer"
    VOICEMAIL = "voicemail"
    DECLINED = "declined"
    WRONG_NUMBER = "wrong_number"
    DO_NOT_CONTACT = "do_not_contact"
    MOVED = "moved"
    DECEASED = "deceased"


class AttemptEvent(BaseModel):
    """An event as an attempt's workflow hears it: ids and closed lists, no personal data.

    Attributes:
        event_id: The event's row; a second signal with the same id is a repeat.
        kind: What happened.
        step: For a message that bounced or was returned, the index of its step.
        call_outcome: For a call, what came of it.
        loss_reason: Where the patient declined, why they left.
    """

    model_config = ConfigDict(frozen=True)

    event_id: str
    kind: EventKind
    step: int | None = None
    call_outcome: CallOutcome | None = None
    loss_reason: LossReason | None = None
