"""Channels at the command line: what is in use, what is held and why, and letting it go on."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from clinic import channel_hold
from clinic.attempt import AttemptState
from clinic.event import EventKind
from clinic.tables import Attempt, Campaign, Event

if TYPE_CHECKING:
    from tests.commands.conftest import Desk

THEN = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)


def plan(channel: str) -> dict[str, Any]:
    step = {"channel": channel, "template": "come-back", "wait": "2 days"}
    return {"name": "one step", "steps": [step]}


@pytest.fixture
def two_wait(desk: "Desk") -> None:
    """SMS is held, and two patients of the campaign `spring` wait for it."""
    desk.add(Campaign(id="ca-1", name="spring", segment="all", plan=plan("sms"), started_at=THEN))
    for number in range(2):
        patient = desk.patient(f"A-{number}")
        desk.add(
            Attempt(
                id=f"at-{number}",
                campaign_id="ca-1",
                patient_id=patient.id,
                state=AttemptState.OPEN.value,
                started_at=THEN,
                held_channel="sms",
            )
        )

    async def hold(session: AsyncSession) -> None:
        await channel_hold.hold(session, "sms", code="twilio 20003", now=THEN)

    desk.in_session(hold)


def test_every_installed_channel_is_listed(desk: "Desk") -> None:
    lines = json.loads(desk.says("channels", "--json"))
    in_use = {line["channel"]: line["in_use"] for line in lines}
    assert in_use | {"email": True, "sms": True, "call": True} == in_use
    assert all(line["installed"] for line in lines)
    assert {line["held_since"] for line in lines} == {None}
    assert "is held" not in desk.says("channels")


@pytest.mark.usefixtures("two_wait")
def test_a_held_channel_says_since_when_why_and_who_waits(desk: "Desk") -> None:
    said = desk.says("channels")
    (row,) = [line.split() for line in said.splitlines() if line.strip().startswith("sms")]
    # in the clinic's time, New York's
    assert row == ["sms", "yes", "Tue", "2027-03-02", "12:00", "twilio", "20003", "2"]
    assert "Mend channel sms, then: regresa channels resume sms" in said
    (held,) = [
        line for line in json.loads(desk.says("channels", "--json")) if line["channel"] == "sms"
    ]
    assert (held["code"], held["waiting"]) == ("twilio 20003", 2)
    assert datetime.fromisoformat(held["held_since"]) == THEN


@pytest.mark.usefixtures("two_wait")
@pytest.mark.parametrize(
    ("command", "campaign"),
    [
        pytest.param("report", "spring", id="report"),
        pytest.param("watch", "nobody", id="watch, of a campaign that is over at once"),
    ],
)
def test_who_follows_a_campaign_reads_that_its_channel_is_held(
    desk: "Desk", command: str, campaign: str
) -> None:
    desk.add(Campaign(id="ca-2", name="nobody", segment="all", plan=plan("sms"), started_at=THEN))
    assert (
        "Channel sms is held since Tue 2027-03-02 12:00 (twilio 20003); 2 patients wait. "
        "Mend it, then: regresa channels resume sms"
    ) in desk.says(command, campaign)
    (held,) = json.loads(desk.says("report", campaign, "--json"))["held"]
    assert (held["channel"], held["waiting"]) == ("sms", 2)


@pytest.mark.usefixtures("two_wait")
def test_a_campaign_without_the_channel_says_nothing_of_it(desk: "Desk") -> None:
    desk.add(Campaign(id="ca-2", name="mails", segment="all", plan=plan("email"), started_at=THEN))
    assert "is held" not in desk.says("report", "mails")


@pytest.mark.usefixtures("two_wait")
@pytest.mark.parametrize(
    ("options", "read"),
    [
        pytest.param([], lambda said: "2 patients" in said, id="for people"),
        pytest.param(
            ["--json"],
            lambda said: json.loads(said) == {"channel": "sms", "patients": 2},
            id="for programs",
        ),
    ],
)
def test_a_mended_channel_goes_on(
    desk: "Desk", options: list[str], read: Callable[[str], bool]
) -> None:
    assert read(desk.says("channels", "resume", "sms", *options))
    assert {row.held_channel for row in desk.all(Attempt)} == {None}
    told = [row.attempt_id for row in desk.all(Event) if row.kind == EventKind.RESUMED.value]
    assert sorted(told, key=str) == ["at-0", "at-1"]
    assert "regresa: channel `sms` is not held" in desk.says("channels", "resume", "sms", code=2)


def test_a_channel_that_nobody_knows_is_refused(desk: "Desk") -> None:
    said = desk.says("channels", "resume", "pigeon", code=2)
    assert "regresa: no channel `pigeon`" in said
    assert "email" in said


def test_a_channel_that_a_campaign_needs_and_nobody_has_is_named(desk: "Desk") -> None:
    patient = desk.patient()
    desk.add(
        Campaign(id="ca-1", name="spring", segment="all", plan=plan("pigeon"), started_at=THEN),
        Attempt(
            id="at-1", campaign_id="ca-1", patient_id=patient.id, state=AttemptState.OPEN.value
        ),
    )
    said = desk.says("channels")
    assert "not installed" in said
    assert "Channel pigeon is not in use, and campaigns under way need it: spring." in said
