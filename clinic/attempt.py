"""The data that travels with an attempt: ids and the plan's snapshot, no personal data."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from clinic.call_task import TaskKind
from clinic.outcome import LossReason, Outcome
from clinic.plan import Plan


class AttemptState(StrEnum):
    """Where an attempt's row stands."""

    PLANNED = "planned"
    """In the campaign, not started yet."""
    OPEN = "open"
    """Its workflow runs; a patient has at most one open attempt over all campaigns."""
    ENDED = "ended"
    """It has an outcome."""
    LEFT_OUT = "left_out"
    """In the segment, but never started; the row says why."""


class _Input(BaseModel):
    model_config = ConfigDict(frozen=True)


class AttemptInput(_Input):
    """What starts an attempt's workflow."""

    attempt_id: str
    patient_id: str
    plan: Plan


class DeliverInput(_Input):
    """Which step of which attempt to deliver."""

    attempt_id: str
    step: int


class CallTaskInput(_Input):
    """Which person-sized problem to put on the call list."""

    attempt_id: str
    step: int
    kind: TaskKind
    event_id: str | None = None


class CloseInput(_Input):
    """How an attempt ended."""

    attempt_id: str
    outcome: Outcome
    loss_reason: LossReason | None = None


class LateEvents(_Input):
    """Events that reached an attempt after its end."""

    event_ids: tuple[str, ...]


class CampaignInput(_Input):
    """What starts a campaign's workflow."""

    campaign_id: str


class PageState(StrEnum):
    """How a campaign goes on after a page."""

    MORE = "more"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"


class PageResult(_Input):
    """What a page of a campaign did.

    Attributes:
        state: How the campaign goes on.
        started: Attempts started on this page.
        left_out: Patients left out on this page.
        remaining: Attempts still to be started.
        next_page_at: Aware UTC; the pace, or a full call list, asks to wait until then.
        waits: Why nobody was started, in words for staff; empty where nothing keeps them waiting.
    """

    state: PageState
    started: int
    left_out: int
    remaining: int
    next_page_at: datetime | None = None
    waits: str = ""
