"""The call list says who else answers at a number, and who is on the phone with them."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic import call_claim
from clinic.call_task import CLAIM_LASTS, TaskKind
from clinic.event import CallOutcome
from clinic.register.crowd import MOST_IN_A_HOUSEHOLD
from clinic.tables import CallTask, Campaign, Consent

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows, Staff

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

PHONE = "+13055550123"
CHILD = date(2018, 10, 18)
ALICIA = {"external_id": "A-2", "first_name": "Alicia"}


@pytest.fixture
async def campaign(rows: "Rows") -> Campaign:
    return await rows.campaign()


@pytest.fixture
async def task(rows: "Rows", staff: "Staff", campaign: Campaign) -> CallTask:
    """Whom to call: Ana, at the number of the house."""
    ana = await rows.patient(external_id="A-1", first_name="Ana", phone=PHONE)
    return await staff.task(await rows.attempt(ana, campaign))


async def _also(staff: "Staff") -> list[str]:
    (call,) = [call for call in await staff.calls() if call.external_id == "A-1"]
    return [str(one) for one in call.household]


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"phone": PHONE}, id="the same number"),
        pytest.param(
            {"phone": None, "birth_date": CHILD, "guardian_phone": PHONE}, id="the guardian's"
        ),
        pytest.param(
            {"phone": None, "birth_date": CHILD, "guardian_number": "A-1"}, id="the guardian's own"
        ),
    ],
)
async def test_whoever_answers_at_the_number_too_is_named(
    rows: "Rows", staff: "Staff", campaign: Campaign, given: dict[str, Any]
) -> None:
    await rows.attempt(await rows.patient(**(ALICIA | given)), campaign)
    assert await _also(staff) == ["A-2 Alicia"]


@pytest.mark.usefixtures("task")
@pytest.mark.parametrize(
    ("given", "attempt"),
    [
        pytest.param({"phone": "+13055550124"}, {}, id="another number"),
        pytest.param({"phone": PHONE}, {"state": "ended"}, id="an attempt that has ended"),
        pytest.param({"phone": PHONE}, {"state": "planned"}, id="an attempt not begun"),
        pytest.param({"phone": "+13055550124", "guardian_phone": PHONE}, {}, id="of age"),
    ],
)
async def test_nobody_else_is_named(
    rows: "Rows",
    staff: "Staff",
    campaign: Campaign,
    given: dict[str, Any],
    attempt: dict[str, Any],
) -> None:
    await rows.attempt(await rows.patient(**(ALICIA | given)), campaign, **attempt)
    assert await _also(staff) == []


@ONE_KIND
@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("what", ["deceased", "inactive", "opted out", "booked", "refused calls"])
async def test_whom_nobody_may_call_is_not_spoken_of(
    rows: "Rows", staff: "Staff", campaign: Campaign, what: str
) -> None:
    status = what if what in ("deceased", "inactive") else "active"
    alicia = await rows.patient(**ALICIA, phone=PHONE, status=status)
    await rows.attempt(alicia, campaign)
    match what:
        case "opted out":
            await rows.change(alicia, opted_out_at=rows.now)
        case "booked":
            await rows.appointment(alicia, rows.now + timedelta(days=4))
        case "refused calls":
            said = {"channel": "call", "content": "reminder", "source": "paper form"}
            await rows.add(Consent(patient_id=alicia.id, given=False, at=rows.now, **said))
    assert await _also(staff) == []


@ONE_KIND
@pytest.mark.usefixtures("task")
async def test_another_campaigns_patients_are_not_named(rows: "Rows", staff: "Staff") -> None:
    await rows.attempt(await rows.patient(**(ALICIA | {"phone": PHONE})))
    assert await _also(staff) == []


async def test_a_child_is_called_at_the_guardians_number(rows: "Rows", staff: "Staff") -> None:
    child = await rows.patient(birth_date=CHILD, guardian_name="Ana", guardian_phone=PHONE)
    await staff.task(await rows.attempt(child))
    (call,) = await staff.calls()
    assert call.phone == PHONE


async def test_a_colleague_on_the_phone_with_the_household_is_known(
    rows: "Rows", staff: "Staff", campaign: Campaign, task: CallTask
) -> None:
    alicia = await rows.attempt(await rows.patient(**(ALICIA | {"phone": PHONE})), campaign)
    hers = await staff.task(alicia)
    until = await staff.claim(hers, "vera")
    await staff.claim(task, "max")  # told, not refused: it is another patient
    async with rows.clinic.database.reading() as session:
        (one,) = await call_claim.household_of(session, task.id, rows.now, rows.clinic.key)
        assert (one.claimed_by, one.claimed_until) == ("vera", until)
        (one,) = await call_claim.household_of(
            session, task.id, rows.now + CLAIM_LASTS, rows.clinic.key
        )
        assert (one.claimed_by, one.claimed_until) == (None, None)


async def test_one_call_of_a_household_leaves_the_others_tasks_open(
    rows: "Rows", staff: "Staff", campaign: Campaign, task: CallTask
) -> None:
    alicia = await rows.attempt(await rows.patient(**(ALICIA | {"phone": PHONE})), campaign)
    hers = await staff.task(alicia, TaskKind.CALL, due_at=rows.now + timedelta(days=1))
    await staff.complete(task, CallOutcome.BOOKED)
    assert [hers.id] == [call.task_id for call in await staff.calls()]


@ONE_KIND
async def test_the_script_names_the_household(
    rows: "Rows", campaign: Campaign, task: CallTask
) -> None:
    await rows.attempt(await rows.patient(**(ALICIA | {"phone": PHONE})), campaign)
    async with rows.clinic.database.reading() as session:
        household = await call_claim.household_of(session, task.id, rows.now, rows.clinic.key)
        script = await call_claim.script_for(session, task.id, rows.clinic.folder, household)
    assert script.startswith("Comparten este teléfono Ana y Alicia")
    assert "¿hablo con Ana?" in script


@ONE_KIND
async def test_of_several_households_each_has_its_own(
    rows: "Rows", staff: "Staff", campaign: Campaign
) -> None:
    for number in range(6):
        phone = f"+1305555010{number // 2}"
        patient = await rows.patient(external_id=f"B-{number}", first_name="Eva", phone=phone)
        await staff.task(await rows.attempt(patient, campaign))
    also = {call.external_id: [str(one) for one in call.household] for call in await staff.calls()}
    assert also == {f"B-{number}": [f"B-{number ^ 1} Eva"] for number in range(6)}


@ONE_KIND
@pytest.mark.usefixtures("task")
@pytest.mark.parametrize("in_campaign", [True, False], ids=["all called", "most not called"])
async def test_at_a_number_that_a_crowd_shares_nobody_else_is_spoken_of(
    rows: "Rows",
    staff: "Staff",
    campaign: Campaign,
    in_campaign: bool,  # noqa: FBT001 - a column of the table
) -> None:
    crowd = [await rows.patient(phone=PHONE) for _ in range(MOST_IN_A_HOUSEHOLD)]
    for patient in crowd if in_campaign else crowd[:2]:
        await rows.attempt(patient, campaign)
    assert await _also(staff) == []
