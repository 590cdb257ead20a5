"""What workflows may ask for, without importing what does it."""

from abc import ABC, abstractmethod

from temporalio import activity

from clinic.attempt import (
    CallTaskInput,
    CampaignInput,
    CloseInput,
    DeliverInput,
    LateEvents,
    PageResult,
)
from clinic.delivery import Delivery


class DeliveryActivities(ABC):
    """Work that writes to a patient."""

    @activity.defn
    @abstractmethod
    async def deliver(self, request: DeliverInput) -> Delivery:
        """Deliver one step: everything is read fresh, checked, claimed, sent and recorded."""


class AttemptActivities(ABC):
    """An attempt's book-keeping in the clinic's database."""

    @activity.defn
    @abstractmethod
    async def open_call_task(self, request: CallTaskInput) -> None:
        """Ask a person to take over."""

    @activity.defn
    @abstractmethod
    async def close_attempt(self, request: CloseInput) -> None:
        """Record the outcome and take the attempt off the call list."""

    @activity.defn
    @abstractmethod
    async def keep_late_events(self, request: LateEvents) -> None:
        """Keep events that came after the end; a reply becomes a task."""


class CampaignActivities(ABC):
    """A campaign's work."""

    @activity.defn
    @abstractmethod
    async def start_page(self, campaign: CampaignInput) -> PageResult:
        """Start the campaign's next attempts."""
