"""What people agree to, what is held about them, and that they are forgotten: by the console."""

import json
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING

import pytest

from clinic.accounts import Role
from clinic.tables import (
    AuditEntry,
    Consent,
    Duplicate,
    Forgotten,
    Patient,
    Suppression,
)

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SAID = {
    "channel": "sms",
    "content": "advertising",
    "word": "given",
    "source": " paper  form ",
    "day": "2027-03-01",
}


async def changes(desk: "Desk") -> list[tuple[str, str, object]]:
    entries = await desk.all(AuditEntry)
    return [(each.who, each.action, each.details) for each in entries if each.action != "viewed"]


async def test_what_somebody_agrees_to_is_recorded_with_where_and_when_they_said_so(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    vera = await signed("Vera", Role.OPS)
    at = f"/register/{patient.id}/consents"
    done = await vera.press(at, **SAID)
    assert done.headers["location"] == f"/register/{patient.id}?said=consent"
    [word] = await desk.all(Consent)
    assert (word.channel, word.content, word.given) == ("sms", "advertising", True)
    assert word.source == "paper form"
    # the day's end in New York: nobody noted the hour
    assert word.at == datetime(2027, 3, 2, 4, 59, 59, 999999, tzinfo=UTC)
    again = await vera.press(at, **SAID)
    assert again.headers["location"].endswith("said=consent-before")
    assert await changes(desk) == [
        ("Vera", "changed", {"what": "consent", "given": True, "recorded": 1})
    ]


async def test_a_refusal_of_everything_is_one_form_and_all_that_was_said_stays_listed(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    vera = await signed("Vera", Role.OPS)
    at = f"/register/{patient.id}/consents"
    await vera.press(at, **SAID)
    refused = SAID | {"channel": "all", "content": "all", "word": "withdrawn", "day": ""}
    await vera.press(at, **refused)
    words = [word for word in await desk.all(Consent) if not word.given]
    assert len(words) == 2 * len(desk.clinic.settings.channels)
    page = await vera.page(at)
    history = page.partition("What they have said")[2]
    assert history.count("<td>agrees</td>") == 1
    assert history.count("<td>refuses</td>") == len(words)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"channel": ""}, "By which way? Choose one"),
        ({"channel": "pigeon"}, "By which way? Choose one"),
        ({"content": "poems"}, "Choose what it is about"),
        ({"word": ""}, "What did they say?"),
        ({"source": "  "}, "Where did they say so?"),
        ({"day": "2027-03-03"}, "still to come"),
        ({"day": "9999-12-31"}, "still to come"),
        ({"day": "yesterday"}, "That is no day."),
    ],
)
async def test_a_word_that_lacks_something_is_asked_for_again_as_it_was_filled_in(
    desk: "Desk", signed: "Signed", wrong: dict[str, str], said: str
) -> None:
    patient = await desk.patient()
    vera = await signed("Vera", Role.OPS)
    answer = await vera.press(f"/register/{patient.id}/consents", **(SAID | wrong))
    assert answer.status_code == 422
    assert said in answer.text
    [name] = wrong
    assert f'id="{name}-wrong"' in answer.text
    if name != "source":
        assert "paper  form" in answer.text
    assert await desk.all(Consent) == []


async def test_an_address_alone_is_looked_at_silenced_and_allowed_again(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(phone="+13055550142")
    vera = await signed("Vera", Role.OPS)
    at = "/register/addresses"

    async def sent(**fields: str) -> str:
        return unescape((await vera.press(at, address="305 555 0142", **fields)).text)

    assert "The clinic may write there." in await sent(wish="look")
    silenced = await sent(wish="stop")
    assert "Nobody writes to this address any more." in silenced
    assert f'href="/register/{patient.id}"' in silenced
    assert len(await desk.all(Suppression)) == 1
    assert "Nobody wrote to this address before" in await sent(wish="stop")
    assert "Nobody writes there since Mar 2, 2027." in await sent(wish="look")
    assert "Who said so, and how?" in await sent(wish="lift")
    assert len(await desk.all(Suppression)) == 1
    allowed = await sent(wish="lift", who="mistake", how="in_writing")
    assert "The clinic may write to this address again." in allowed
    assert await desk.all(Suppression) == []
    assert (await changes(desk))[-1] == (
        "Vera",
        "changed",
        {"what": "address_lift", "new": True, "said_by": "mistake", "heard": "in_writing"},
    )
    entries = await desk.all(AuditEntry)
    # whoever sees on whose card it stands has seen that patient; a look alone tells of nobody
    assert [each.patient_id for each in entries if each.action == "viewed"] == [patient.id] * 3
    assert [each.action for each in entries].count("searched") == 3


async def test_an_address_is_for_ops_and_has_to_be_one(desk: "Desk", signed: "Signed") -> None:
    lucia, vera = await signed("Lucía"), await signed("Vera", Role.OPS)
    assert (await lucia.web.get("/register/addresses")).status_code == 403
    refused = await lucia.press("/register/addresses", address="ana@example.com", wish="stop")
    assert refused.status_code == 403
    answer = await vera.press("/register/addresses", address="ana at example", wish="stop")
    assert answer.status_code == 422
    assert "neither an email address nor a phone number" in answer.text
    assert 'value="ana at example"' in answer.text
    assert await desk.all(Suppression) == []


async def test_all_that_is_held_is_given_as_a_file_and_that_is_noted(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(first_name="Ana")
    twin = await desk.patient(duplicate_of=patient.id)
    vera = await signed("Vera", Role.OPS)
    answer = await vera.press(f"/register/{patient.id}/export")
    assert answer.status_code == 200
    name = f'attachment; filename="{patient.id}.json"'
    assert answer.headers["content-disposition"] == name
    held = json.loads(answer.text)
    assert {row["register"]["id"] for row in held["patients"]} == {patient.id, twin.id}
    noted = [(each.action, each.patient_id) for each in await desk.all(AuditEntry)]
    assert sorted(noted) == sorted([("exported", patient.id), ("exported", twin.id)])


async def test_forgetting_says_what_it_means_and_asks_for_the_number(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(external_id="A-0042", phone="+13055550142")
    await desk.patient(external_id="A-0043", phone="+13055550142")
    await desk.task_for(patient)
    olga = await signed("Olga", Role.ADMIN)
    at = f"/register/{patient.id}/forget"
    page = unescape(await olga.page(at))
    for words in (
        "2 email addresses and phone numbers stay blocked",
        "The open attempt ends as stopped.",
        "They leave the call list.",
        "get no messages there any more: A-0043.",
    ):
        assert words in page
    refused = await olga.press(at, number="A-0043")
    assert refused.status_code == 422
    assert "This is not the number A-0042: nobody was forgotten." in refused.text
    assert (await desk.again(patient)).erased_at is None
    done = await olga.press(at, number=" A-0042 ")
    assert done.status_code == 303
    row = await desk.again(patient)
    assert (row.first_name, row.phone, row.erased_at) == ("", None, desk.now)
    assert len(await desk.all(Forgotten)) == 1
    assert (await changes(desk))[-1] == ("Olga", "forgotten", {})
    assert "Backups that were made before" in await olga.page(done.headers["location"])
    again = await olga.press(at, number="A-0042")
    assert again.headers["location"] == f"/register/{patient.id}"


async def test_who_may_be_somebody_else_as_well_is_not_forgotten_before_that_is_settled(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(external_id="A-0042")
    other = await desk.patient(external_id="A-0043")
    pair = Duplicate(
        patient_id=other.id, other_id=patient.id, reason="name and phone", found_at=desk.now
    )
    await desk.add(pair)
    olga = await signed("Olga", Role.ADMIN)
    at = f"/register/{patient.id}/forget"
    asked = await olga.page(at, status=409)
    assert "whether the rows A-0043 and A-0042 are the same person" in asked
    refused = await olga.press(at, number="A-0042")
    assert refused.status_code == 409
    assert [row.erased_at for row in await desk.all(Patient)] == [None, None]
