"""What came after the messages and calls of each channel and step."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from clinic.plan import CALL
from clinic.results.counting import Answered, Contact
from clinic.results.share import Share
from clinic.tables import Campaign


class ByContact(NamedTuple):
    """A channel, or a step, and what came after its messages or calls.

    Attributes:
        step: The step's number in its plan, from 1; None for a channel as a whole, and for calls
            that no plan names: about a reply, or a message that may not have arrived.
        channel: The channel's name.
        contacts: Messages that arrived, or calls that were made, before any answer.
        answered: First answers before which this was the last contact, or that came in the call.
        booked: Of those who answered.
        came: Of those who booked.
    """

    step: int | None
    channel: str
    contacts: int = 0
    answered: int = 0
    booked: int = 0
    came: int = 0

    @property
    def share(self) -> Share:
        """First answers, of the contacts."""
        return Share(min(self.answered, self.contacts), self.contacts)


def step_in(every: Mapping[str, Campaign]) -> Callable[[Contact | Answered], int | None]:
    """Return what tells the step of a contact by its number in the plan, from 1.

    Args:
        every: The campaigns by their ids, with their plans.
    """
    channels = {key: [step["channel"] for step in row.plan["steps"]] for key, row in every.items()}

    def number(contact: Contact | Answered) -> int | None:
        if contact.channel != CALL:
            return contact.step + 1
        planned = channels[str(contact.campaign_id)]
        is_planned = contact.step < len(planned) and planned[contact.step] == CALL
        return contact.step + 1 if is_planned else None

    return number


def by_contact(
    contacts: Iterable[Contact],
    answered: Iterable[Answered],
    step_of: Callable[[Contact | Answered], int | None],
) -> tuple[ByContact, ...]:
    """Put contacts and the answers to them together, in the order in which plans use them.

    Args:
        contacts: Messages and calls.
        answered: First answers, each by its last contact.
        step_of: Which step one belongs to; always None, to put channels together.
    """
    found: dict[tuple[int | None, str], ByContact] = {}
    first: dict[tuple[int | None, str], tuple[bool, int]] = {}
    for contact in contacts:
        key = step_of(contact), contact.channel
        line = found.get(key, ByContact(*key))
        found[key] = line._replace(contacts=line.contacts + contact.number)
        place = _place(key, contact)
        first[key] = min(first.get(key, place), place)
    for answer in answered:
        key = step_of(answer), answer.channel
        # a call that was made after the calls were counted, and before the answers were
        first.setdefault(key, _place(key, answer))
        line = found.get(key, ByContact(*key))
        found[key] = line._replace(
            answered=line.answered + answer.answered,
            booked=line.booked + answer.booked,
            came=line.came + answer.came,
        )
    return tuple(found[key] for key in sorted(found, key=lambda key: (first[key], key[1])))


def _place(key: tuple[int | None, str], of: Contact | Answered) -> tuple[bool, int]:
    """Return where a line stands among the others: calls that no plan names are the last."""
    return of.channel == CALL and key[0] is None, of.step
