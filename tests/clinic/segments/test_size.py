"""How many a segment has, who they are, and how many would be left out: read page by page."""

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from channels import registry
from clinic.delivery_check import LeftOut
from clinic.segments import size as segment_size
from clinic.segments.rule import Segment
from clinic.tables import Duplicate, Patient

if TYPE_CHECKING:
    from clinic.segments.size import SegmentSize
    from tests.clinic.conftest import Rows

EVERYBODY = Segment.model_validate(
    {"name": "everybody", "where": {"any": [{"has_email": True}, {"has_email": False}]}}
)


async def measured(rows: "Rows", sample: int = 0, segment: Segment = EVERYBODY) -> "SegmentSize":
    clinic = rows.clinic
    async with clinic.database.reading() as session:
        return await segment_size.measure(
            session,
            segment,
            {name: registry.installed()[name].address_of for name in ("email", "sms", "call")},
            policy=clinic.policy,
            calendar=clinic.calendar,
            key=clinic.key,
            now=rows.now,
            sample=sample,
        )


async def test_everybody_is_counted_once_and_with_one_reason(rows: "Rows") -> None:
    await rows.patient(external_id="may be written to")
    for status in ("deceased", "moved", "inactive"):
        await rows.patient(external_id=status, status=status)
    await rows.patient(external_id="stop", opted_out_at=rows.now)
    await rows.appointment(await rows.patient(external_id="booked"), rows.now + timedelta(days=1))
    await rows.attempt(await rows.patient(external_id="open"))
    await rows.patient(external_id="unreachable", email=None, phone=None)
    twin, other = await rows.patient(external_id="twin"), await rows.patient(external_id="other")
    await rows.add(
        Duplicate(patient_id=twin.id, other_id=other.id, reason="name", found_at=rows.now)
    )
    size = await measured(rows)
    assert size.patients == 10
    assert size.left_out == dict.fromkeys(
        (
            LeftOut.DECEASED,
            LeftOut.MOVED,
            LeftOut.INACTIVE,
            LeftOut.OPTED_OUT,
            LeftOut.ALREADY_BOOKED,
            LeftOut.OPEN_ATTEMPT,
            LeftOut.NO_WAY_TO_REACH,
            LeftOut.POSSIBLE_DUPLICATE,
        ),
        1,
    )
    assert size.sample == []


async def test_a_sample_is_the_first_by_number_with_the_last_visit(rows: "Rows") -> None:
    for number in (3, 1, 2):
        patient = await rows.patient(external_id=f"A-{number}", status="moved")
        for year in range(2020, 2020 + number):
            await rows.visit(patient, date(year, 5, 1))
    size = await measured(rows, sample=2)
    assert [one.external_id for one in size.sample] == ["A-1", "A-2"]
    assert [date(2020, 5, 1), date(2021, 5, 1)] == [one.last_visit for one in size.sample]
    assert {"Sofía Rojas"} == {one.name for one in size.sample}
    assert {(LeftOut.MOVED, "")} == {one.left_out for one in size.sample}


@pytest.mark.parametrize("patients", [0, 4, 5])
async def test_pages_hold_everybody_in_order_and_the_session_stays_usable(
    rows: "Rows", monkeypatch: pytest.MonkeyPatch, patients: int
) -> None:
    monkeypatch.setattr(segment_size, "_AT_ONCE", 2)
    added = [await rows.patient(external_id=f"A-{number}") for number in reversed(range(patients))]
    clinic = rows.clinic
    seen: list[str] = []
    async with clinic.database.reading() as session:
        async for page in segment_size.member_pages(
            session, EVERYBODY, now=rows.now, calendar=clinic.calendar
        ):
            assert 0 < len(page) <= 2
            assert await session.get(Patient, page[0]) is not None
            seen.extend(page)
        count = await segment_size.count(session, EVERYBODY, now=rows.now, calendar=clinic.calendar)
    assert [patient.id for patient in reversed(added)] == seen
    assert count == patients == (await measured(rows)).patients
