"""The call channel: its messages are tasks on the clinic's own call list."""

from collections.abc import Callable

from channels.call import CallChannel
from channels.protocol import OutgoingMessage
from clinic import call_list
from clinic.attempt import AttemptState
from clinic.call_task import TaskKind
from clinic.clinic import Clinic
from clinic.tables import Attempt

Make = Callable[..., OutgoingMessage]


def of(attempt: Attempt, message: Make, **given: object) -> OutgoingMessage:
    fields: dict[str, object] = {
        "key": f"{attempt.id}.2",
        "attempt_id": attempt.id,
        "step": 2,
        "tries": 3,
    }
    return message("+13055550123", **(fields | given))


async def test_a_message_is_a_task_with_the_plans_due_time_and_tries(
    calls: CallChannel, clinic: Clinic, attempt: Attempt, message: Make
) -> None:
    outgoing = of(attempt, message)
    receipt = await calls.send(outgoing)
    async with clinic.database.reading() as session:
        (listed,) = await call_list.open_calls(session, outgoing.claimed_at, clinic.key)
    assert (listed.task_id, listed.kind) == (receipt.provider_id, TaskKind.CALL)
    assert (listed.due_at, listed.tries_allowed) == (outgoing.due_at, 3)
    assert listed.patient_id == attempt.patient_id


async def test_the_same_message_again_is_the_same_task(
    calls: CallChannel, clinic: Clinic, attempt: Attempt, message: Make
) -> None:
    outgoing = of(attempt, message)
    receipts = [
        await calls.send(outgoing),
        await calls.send(outgoing),
        await calls.reconcile(outgoing),
    ]
    assert receipts[0] == receipts[1] == receipts[2]
    async with clinic.database.reading() as session:
        assert await call_list.count_open(session) == 1


async def test_asking_about_a_message_that_never_arrived_opens_its_task(
    calls: CallChannel, clinic: Clinic, attempt: Attempt, message: Make
) -> None:
    assert await calls.reconcile(of(attempt, message)) is not None
    async with clinic.database.reading() as session:
        assert await call_list.count_open(session) == 1


async def test_nobody_is_asked_to_call_after_the_attempts_end(
    calls: CallChannel, clinic: Clinic, attempt: Attempt, message: Make
) -> None:
    async with clinic.database.writing() as session:
        row = await session.get_one(Attempt, attempt.id)
        row.state = AttemptState.ENDED.value
    outgoing = of(attempt, message)
    assert (await calls.send(outgoing)).provider_id == outgoing.key
    async with clinic.database.reading() as session:
        assert await call_list.count_open(session) == 0


async def test_nothing_of_a_task_is_left_for_a_log(calls: CallChannel) -> None:
    assert calls.redact("Sofía, +13055550123: Hola, ¿hablo con Sofía?") == "[call task]"
