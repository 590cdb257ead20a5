"""What a message asked that a patient answers."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from clinic.folder import ClinicFolder
from clinic.plan import Plan
from clinic.refusal import Refusal
from clinic.reply_reading import Question
from clinic.tables import Attempt, Campaign, Message


async def what_was_asked(
    session: AsyncSession, message: Message, folder: ClinicFolder
) -> Question | None:
    """Return what a message asked; None: nothing in particular.

    Args:
        session: Any transaction.
        message: The message's row in the ledger.
        folder: Has the templates; one that is gone by now asked nothing.
    """
    plan = await session.scalar(
        select(Campaign.plan)
        .join(Attempt, Attempt.campaign_id == Campaign.id)
        .where(Attempt.id == message.attempt_id)
    )
    if plan is None:
        return None
    steps = Plan.model_validate(plan).steps
    if message.step >= len(steps):
        return None
    try:
        return folder.template(steps[message.step].template).asks
    except Refusal:
        return None
