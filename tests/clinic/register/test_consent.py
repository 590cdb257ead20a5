"""What a patient said counts by channel and content, the newest word first."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from clinic.register import consent
from clinic.tables import Consent

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

DAY = timedelta(days=1)


async def say(rows: "Rows", patient_id: str, *, given: bool, at: datetime, **about: str) -> bool:
    words: dict[str, Any] = {"channel": "sms", "content": "reminder", "source": "paper form"}
    async with rows.clinic.database.writing() as session:
        return await consent.record(session, patient_id, given=given, at=at, **(words | about))


async def said(rows: "Rows", *patient_ids: str) -> dict[str, dict[tuple[str, str], bool]]:
    async with rows.clinic.database.reading() as session:
        return await consent.consents_of(session, patient_ids)


async def test_the_newest_word_counts_whatever_the_order_in_which_they_were_recorded(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()
    await say(rows, patient.id, given=False, at=now)
    await say(rows, patient.id, given=True, at=now - DAY)
    assert await said(rows, patient.id) == {patient.id: {("sms", "reminder"): False}}


async def test_a_refusal_of_an_older_day_counts_over_a_yes_and_its_source_keeps_the_day(
    rows: "Rows", now: datetime
) -> None:
    patient = await rows.patient()
    await say(rows, patient.id, given=True, at=now)
    for is_new in (True, False):
        assert is_new == await say(rows, patient.id, given=False, at=now - 30 * DAY)
    assert await said(rows, patient.id) == {patient.id: {("sms", "reminder"): False}}
    assert [(row.at, row.source) for row in await rows.all(Consent)] == [
        (now, "paper form"),
        (now + timedelta(microseconds=1), "paper form (said on 2027-01-31)"),
    ]
    assert await say(rows, patient.id, given=True, at=now + DAY)
    assert await said(rows, patient.id) == {patient.id: {("sms", "reminder"): True}}


async def test_channels_and_contents_are_told_apart(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    await say(rows, patient.id, given=True, at=now)
    await say(rows, patient.id, given=False, at=now, content="advertising")
    await say(rows, patient.id, given=False, at=now, channel="email")
    assert await said(rows, patient.id) == {
        patient.id: {
            ("sms", "reminder"): True,
            ("sms", "advertising"): False,
            ("email", "reminder"): False,
        }
    }


async def test_who_said_nothing_is_not_named(rows: "Rows", now: datetime) -> None:
    silent, other = await rows.patient(), await rows.patient()
    await say(rows, other.id, given=True, at=now)
    assert await said(rows, silent.id) == {}
    assert (await said(rows, silent.id, other.id)).keys() == {other.id}


async def test_the_same_word_again_changes_nothing(rows: "Rows", now: datetime) -> None:
    patient = await rows.patient()
    assert await say(rows, patient.id, given=True, at=now)
    assert not await say(rows, patient.id, given=True, at=now, source="the same form, again")
    assert [(now, "paper form")] == [(row.at, row.source) for row in await rows.all(Consent)]


@pytest.mark.parametrize("words", [(True, False), (False, True), (True, False, True)])
async def test_of_two_words_on_one_moment_the_one_recorded_later_counts_and_both_stay(
    rows: "Rows", now: datetime, words: tuple[bool, ...]
) -> None:
    patient = await rows.patient()
    for given in words:
        assert await say(rows, patient.id, given=given, at=now)
    assert await said(rows, patient.id) == {patient.id: {("sms", "reminder"): words[-1]}}
    assert [row.given for row in await rows.all(Consent)] == list(words)


@pytest.mark.parametrize(
    ("source", "tells"),
    [
        ("import berta-ruiz.csv", "import"),
        ("import berta-ruiz.csv (said on 2026-05-01)", "import (said on 2026-05-01)"),
        ("import berta (said on ruiz).csv", "import"),
        ("paper form (said on 2026-05-01)", "paper form (said on 2026-05-01)"),
        ("paper form", "paper form"),
    ],
)
def test_a_source_can_be_told_without_the_name_of_a_list(source: str, tells: str) -> None:
    assert consent.without_list(source) == tells
