"""The day of the pictures: the example clinic's register, and campaigns that are under way."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import call_claim
from clinic.accounts import Role
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.campaign_start import CampaignTerms, start_campaign
from clinic.clinic import Clinic
from clinic.delivery_check import LeftOut
from clinic.register_import.import_run import import_register
from clinic.register_import.source_file import open_source
from clinic.tables import Account, Attempt, CallTask, Campaign, Event, Message, Patient
from deploy.screenshots.walk import Walk

NOW = datetime(2026, 11, 24, 15, 40, tzinfo=UTC)
"""A Tuesday, 10:40 by the example clinic's clock."""

_COOL_DOWN = timedelta(days=90)
_PACE = timedelta(minutes=4)


class _Planned(NamedTuple):
    campaign_id: str
    name: str
    segment: str
    plan: str
    start: datetime
    goal: float
    a_day: int
    until: date | None = None


_CAMPAIGNS = (
    _Planned(
        *("ca-0000000000000001", "Ortodoncia, octubre", "lapsed-orthodontics", "standard"),
        start=datetime(2026, 10, 12, 14, 5, tzinfo=UTC),
        goal=0.15,
        a_day=24,
    ),
    _Planned(
        *("ca-0000000000000002", "Пациенты, ноябрь", "lapsed-russian-speaking", "standard"),
        start=datetime(2026, 11, 13, 14, 20, tzinfo=UTC),
        goal=0.2,
        a_day=5,
        until=date(2026, 12, 18),
    ),
    _Planned(
        *("ca-0000000000000003", "Junto al mar", "lapsed-by-the-sea", "gentle"),
        start=datetime(2026, 11, 23, 14, 30, tzinfo=UTC),
        goal=0.1,
        a_day=12,
        until=date(2027, 1, 29),
    ),
)


class Scene(NamedTuple):
    """What pages of the pictures are of.

    Attributes:
        account: Who is signed in, and may do everything.
        campaign: The id of a campaign under way.
        task: The id of a call task that the account has taken: a reply.
        patient: The id of its patient.
        link: The address of a patient's own page, without the host.
    """

    account: Account
    campaign: str
    task: str
    patient: str
    link: str


async def write_scene(clinic: Clinic) -> Scene:
    """Write the scene into an empty database.

    Args:
        clinic: The example clinic, its database open.
    """
    await _import(clinic)
    for planned in _CAMPAIGNS:
        await _run(clinic, planned)
    async with clinic.database.writing() as session:
        # nothing here waits for Temporal
        await session.execute(update(Event).values(relayed_at=Event.received_at))
        account = Account(
            id="ac-0000000000000001",
            name="Lucía",
            name_key="lucía",
            role=Role.ADMIN.value,
            password_hash="nobody signs in by a password here",  # noqa: S106
            created_at=NOW - timedelta(days=90),
        )
        session.add(account)
    return await _look_around(clinic, account)


async def _import(clinic: Clinic) -> None:
    profile = clinic.profile
    source = open_source(
        clinic.folder.path / "register.csv",
        country=profile.country,
        language=profile.language,
        zone=profile.zone,
        today=NOW.date(),
    )
    began = min(planned.start for planned in _CAMPAIGNS) - timedelta(days=1)
    await import_register(clinic.database, source, now=began, key=clinic.key, zone=profile.zone)


async def _run(clinic: Clinic, planned: _Planned) -> None:
    plan = clinic.folder.plan(planned.plan, clinic.settings.channels)
    until = planned.until and datetime(*planned.until.timetuple()[:3], 23, tzinfo=UTC)
    terms = CampaignTerms(name=planned.name, goal=planned.goal, until=until)
    async with clinic.database.writing() as session:
        await start_campaign(
            session,
            planned.campaign_id,
            clinic.folder.segment(planned.segment),
            plan,
            terms,
            zone=clinic.profile.zone,
            key=clinic.key,
            now=planned.start,
        )
        patients = await _patients_of(session, planned.campaign_id)
        busy = await _lately_contacted(session, planned)
        for number, (attempt, patient) in enumerate(patients):
            days, turn = divmod(number, planned.a_day)
            start = planned.start + timedelta(days=days) + _PACE * turn
            if start > NOW:
                break
            if (reason := _left_out(patient, busy)) is not None:
                attempt.state, attempt.left_out_reason = AttemptState.LEFT_OUT.value, reason.value
                continue
            walk = Walk(session, clinic, attempt, patient, NOW)
            await walk.climb(plan, start)


async def _patients_of(
    session: AsyncSession, campaign_id: str
) -> Sequence[tuple[Attempt, Patient]]:
    found = await session.execute(
        select(Attempt, Patient)
        .join(Patient, Patient.id == Attempt.patient_id)
        .where(Attempt.campaign_id == campaign_id)
        .order_by(Patient.external_id)
    )
    return [(attempt, patient) for attempt, patient in found]


async def _lately_contacted(session: AsyncSession, planned: _Planned) -> Mapping[str, LeftOut]:
    """Return who was in a campaign before, and why they are in no other so soon."""
    others = await session.execute(
        select(Attempt.patient_id, Attempt.state).where(
            Attempt.campaign_id != planned.campaign_id, Attempt.started_at.is_not(None)
        )
    )
    return {
        patient: LeftOut.OPEN_ATTEMPT if state == AttemptState.OPEN.value else LeftOut.COOL_DOWN
        for patient, state in others
    }


def _left_out(patient: Patient, busy: Mapping[str, LeftOut]) -> LeftOut | None:
    if patient.opted_out_at is not None:
        return LeftOut.OPTED_OUT
    if patient.email is None and patient.phone is None:
        return LeftOut.NO_WAY_TO_REACH
    return busy.get(patient.id)


async def _look_around(clinic: Clinic, account: Account) -> Scene:
    async with clinic.database.writing() as session:
        # who speaks Spanish wrote something that the most readers of the pictures can read
        replies = _open_tasks(TaskKind.REPLY).where(Patient.language == "es")
        task = (await session.scalars(replies.limit(1))).one()
        others = (await session.scalars(_open_tasks(TaskKind.CALL).offset(1).limit(1))).one()
        for taken, who in ((task, account.name), (others, "Irina")):
            await call_claim.claim(
                session, taken.id, who=who, now=NOW, key=clinic.key, zone=clinic.profile.zone
            )
        sent = select(Message.attempt_id).where(Message.attempt_id == task.attempt_id).limit(1)
        attempt_id = (await session.scalars(sent)).one()
        campaign = await session.get_one(Campaign, _CAMPAIGNS[1].campaign_id)
        return Scene(
            account=account,
            campaign=campaign.id,
            task=task.id,
            patient=str(task.patient_id),
            link=clinic.links.link_to(attempt_id, 0).removeprefix(clinic.settings.public_url),
        )


def _open_tasks(kind: TaskKind) -> Select[CallTask]:
    return (
        select(CallTask)
        .join(Patient, Patient.id == CallTask.patient_id)
        .where(CallTask.closed_at.is_(None), CallTask.kind == kind.value)
        .order_by(CallTask.priority, CallTask.due_at)
    )
