"""One message for a household: whom else it names, and what those do whom another's carries."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from channels.protocol import Channel
from clinic import ledger
from clinic.attempt import DeliverInput
from clinic.contact_policy import ContactPolicy
from clinic.delivery import Deferred, Failed, FailReason
from clinic.delivery_check import StepContent
from clinic.folder import ClinicFolder
from clinic.plan import Plan, Step
from clinic.refusal import Refusal
from clinic.register import household
from clinic.register.neighbour import Rules, Rung
from clinic.tables import Attempt, Message, Patient

_SOON = timedelta(seconds=2)
"""A carrier's message is mostly on its way for less than a second."""

_LATER = timedelta(minutes=1)
"""A carrier that has not settled its message at once may need an operator, or the provider."""


class SharedMessages:
    """What a delivery asks about the others at its address.

    Args:
        folder: The clinic's folder: its calendar, and what templates are.
        policy: The contact policy in force.
        channels: The channels in use, by name.
        key: The key of the address hashes.
    """

    def __init__(
        self,
        *,
        folder: ClinicFolder,
        policy: ContactPolicy,
        channels: Mapping[str, Channel],
        key: SecretStr,
    ) -> None:
        self._folder = folder
        self._policy = policy
        self._channels = channels
        self._key = key

    async def name_others(
        self,
        session: AsyncSession,
        row: Message,
        plan: Plan,
        attempt_ids: Sequence[str],
        now: datetime,
    ) -> list[str]:
        """Claim the step for those at the same address who stand at it just now, too.

        Args:
            session: The transaction that has just claimed the message's own row.
            row: That row.
            plan: The campaign's plan.
            attempt_ids: The others' attempts (`clinic.register.household.sharing`).
            now: Aware UTC.

        Returns:
            The first names of everybody whom the message is to name, in a fixed order.
        """
        if not attempt_ids:
            return []
        rung, rules = self._rung(row, plan), self._rules()
        asking = DeliverInput(attempt_id=row.attempt_id, step=row.step)
        joining = await household.joining(session, attempt_ids, rung, rules, now, besides=asking)
        if not await ledger.carry(session, row, joining):
            return []
        return await household.names_on(session, row.attempt_id, row.step)

    async def name_again(
        self, session: AsyncSession, row: Message, plan: Plan, now: datetime
    ) -> list[str]:
        """Return the first names that a message is to say when it goes out again.

        Args:
            session: Any transaction.
            row: The message's own row, which an earlier try has claimed.
            plan: The campaign's plan.
            now: Aware UTC.
        """
        rung = self._rung(row, plan)
        return await household.names_again(session, row.attempt_id, rung, self._rules(), now)

    def _rung(self, row: Message, plan: Plan) -> Rung:
        contents = [self._content(step) for step in plan.steps]
        return Rung(plan=plan, step=row.step, contents=contents, hashed=row.address_hash)

    def _content(self, step: Step) -> StepContent | None:
        """Return what a step says; None where the clinic's settings have no such step just now.

        A step that is not being delivered fails nobody's delivery.
        """
        if step.channel not in self._channels:
            return None
        try:
            return StepContent(kind=self._folder.template(step.template).kind)
        except (Refusal, OSError):
            return None

    def _rules(self) -> Rules:
        address_of = {name: channel.address_of for name, channel in self._channels.items()}
        return Rules(self._policy, self._folder.profile.calendar, address_of, self._key)


async def wait_for_carrier(
    session: AsyncSession, row: Message, longest: timedelta, now: datetime
) -> Deferred | Failed:
    """Answer for a row that another's message carries, while that one's fate is not known.

    Nobody sends in the carrier's stead: its message may have arrived. It is a deferral and no
    failed try: Temporal's pauses grow with the tries, whatever the one says that ends by a
    time-out.

    Args:
        session: Any transaction.
        row: A carried row that is not settled.
        longest: For how long a carrier's delivery may be tried.
        now: Aware UTC.

    Returns:
        When to ask again; or that nobody can tell any more, and a person looks.
    """
    if await household.is_lost(session, row, longest, now):
        return Failed(reason=FailReason.UNCERTAIN)
    pause = min(max(_SOON, now - row.claimed_at), _LATER)
    return Deferred(until=now + pause, rule="the message to the household is on its way")


async def patients_named(session: AsyncSession, attempt_id: str, step: int) -> list[Patient]:
    """Return the patient whose message it is, and those whom it carries, in their order.

    It is that of `clinic.register.household.for_each`.
    """
    carried = await household.carried_by(session, attempt_id, step)
    attempt_ids = [attempt_id, *(other.id for other in carried)]
    query = (
        select(Patient)
        .join(Attempt, Attempt.patient_id == Patient.id)
        .where(Attempt.id.in_(attempt_ids))
    )
    return list(await session.scalars(query.order_by(Patient.id)))
