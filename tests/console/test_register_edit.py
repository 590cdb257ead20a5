"""Ops change a patient's row by a form, with care for whoever does so at the same time."""

from html import unescape
from typing import TYPE_CHECKING

import pytest

from clinic.accounts import Role
from clinic.register.typed_fields import shown
from clinic.tables import AuditEntry, Event, Patient

if TYPE_CHECKING:
    from tests.console.at_work import Signed
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def form(patient: Patient, **typed: str) -> dict[str, str]:
    """What a browser sends: what stands in the fields, and what the form showed at first."""
    was = shown(patient)
    return was | {f"was_{name}": value for name, value in was.items()} | typed


async def test_the_form_shows_the_row_and_says_what_the_next_import_does_to_it(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(first_name='Ana "Anita"', status="moved", language="ru")
    page = unescape(await (await signed(role=Role.OPS)).page(f"/register/{patient.id}/edit"))
    assert 'value="Ana "Anita""' in page
    assert '<option value="moved" selected>Moved to another place</option>' in page
    assert '<option value="ru" selected>Russian</option>' in page
    assert "The next import of the clinic's list writes over what you change here" in page
    [entry] = await desk.all(AuditEntry)
    assert (entry.action, entry.patient_id) == ("viewed", patient.id)


async def test_what_was_changed_is_saved_and_noted_by_the_names_of_fields(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient()
    await desk.attempt(patient)
    vera = await signed("Vera", Role.OPS)
    fields = form(patient, first_name="Elena", phone="305 555 0142", status="deceased")
    saved = await vera.press(f"/register/{patient.id}/edit", **fields)
    assert (saved.status_code, saved.headers["location"]) == (
        303,
        f"/register/{patient.id}?said=saved",
    )
    row = await desk.again(patient)
    assert (row.first_name, row.phone, row.status) == ("Elena", "+13055550142", "deceased")
    assert [event.kind for event in await desk.all(Event)] == ["excluded"]
    [entry] = await desk.all(AuditEntry)
    assert (entry.action, entry.details) == (
        "changed",
        {"fields": ["first_name", "phone", "status"]},
    )
    card = await vera.page(f"/register/{patient.id}?said=saved")
    assert "Vera: changed: First name, Phone, Status" in card
    unchanged = form(row)
    assert (
        (await vera.press(f"/register/{patient.id}/edit", **unchanged))
        .headers["location"]
        .endswith("said=unchanged")
    )


async def test_what_can_not_be_saved_is_shown_at_its_field_as_it_was_typed(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(first_name="Ana")
    vera = await signed("Vera", Role.OPS)
    fields = form(patient, first_name="Elena", email="elena@", birth_date="31/31/1980")
    refused = await vera.press(f"/register/{patient.id}/edit", **fields)
    assert refused.status_code == 422
    page = unescape(refused.text)
    assert "Nothing was saved yet." in page
    assert 'value="Elena"' in page
    assert 'value="elena@"' in page
    assert 'value="31/31/1980"' in page
    assert "No mail can be sent to this address." in page
    assert 'aria-describedby="email-wrong"' in page
    assert (await desk.again(patient)).first_name == "Ana"


async def test_of_two_who_change_one_field_the_second_sees_both_and_may_insist(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(district="Centro", status="active")
    vera, olga = await signed("Vera", Role.OPS), await signed("Olga", Role.ADMIN)
    at = f"/register/{patient.id}/edit"
    await vera.press(at, **form(patient, district="Norte", status="moved", provider="Dr. Gil"))
    refused = await olga.press(at, **form(patient, district="Sur", status="inactive"))
    assert refused.status_code == 409
    page = unescape(refused.text)
    assert "changed this to “Norte” meanwhile. You wrote “Sur”" in page
    assert "changed this to “Moved to another place” meanwhile. You wrote “Former patient”" in page
    # what was not touched shows what stands there by now
    assert 'value="Dr. Gil"' in page
    row = await desk.again(patient)
    assert (row.district, row.status) == ("Norte", "moved")
    await olga.press(at, **form(row, district="Sur"))
    assert (await desk.again(patient)).district == "Sur"


async def test_who_now_looks_like_somebody_else_is_said_at_once(
    desk: "Desk", signed: "Signed"
) -> None:
    there = {"first_name": "Ana", "last_name": "Gil", "name_key": "ana gil"}
    await desk.patient(phone="+13055550142", **there)
    patient = await desk.patient(**there)
    vera = await signed("Vera", Role.OPS)
    fields = form(patient, phone="305 555 0142")
    saved = await vera.press(f"/register/{patient.id}/edit", **fields)
    assert saved.headers["location"].endswith("said=alike")
    card = await vera.page(f"/register/{patient.id}?said=alike")
    assert "until that is settled, this patient is in no campaign" in card
    assert "Perhaps on the register twice" in card


async def test_a_form_that_sends_less_changes_only_what_it_sends(
    desk: "Desk", signed: "Signed"
) -> None:
    patient = await desk.patient(district="Centro")
    vera = await signed("Vera", Role.OPS)
    at = f"/register/{patient.id}/edit"
    await vera.press(at, district="Norte", was_district="Centro", id="pt-1", erased_at="x")
    row = await desk.again(patient)
    assert (row.district, row.email, row.erased_at) == ("Norte", patient.email, None)
