"""Segments, evaluated by SQLite and by PostgreSQL over a small register."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from clinic.segments.rule import Segment
from clinic.segments.sql import members
from clinic.tables import Message, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows

NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
TODAY = date(2027, 3, 2)


async def found(rows: "Rows", where: dict[str, Any], now: datetime = NOON) -> set[str]:
    """Return the numbers of a segment's patients, asked of the database in one statement."""
    segment = Segment.model_validate({"name": "test", "where": where})
    query = select(Patient.external_id).where(members(segment, now, NEW_YORK))
    async with rows.clinic.database.reading() as session:
        return set(await session.scalars(query))


async def fill(rows: "Rows") -> None:
    """Four patients who differ in everything, and one of whom nothing is known."""
    ana = await rows.patient(
        external_id="ana",
        birth_date=date(1960, 5, 1),
        sex="female",
        occupation="teacher",
        district="Surfside",
        language="es",
        loss_reason="price",
        reported_visits=7,
        insurance="Seguros Unión",
        provider="Dra. Gómez",
        preferred_channel="sms",
    )
    boris = await rows.patient(
        external_id="boris",
        birth_date=date(1990, 5, 1),
        sex="male",
        occupation="driver",
        district="Hialeah",
        language="ru",
        email=None,
        reported_visits=1,
    )
    cleo = await rows.patient(
        external_id="cleo",
        birth_date=date(2015, 5, 1),
        sex="female",
        occupation="student",
        district="Surfside",
        language="en",
        phone=None,
        insurance="ОСАГО",
        status="moved",
    )
    await rows.patient(
        external_id="unknown", language=None, email=None, phone=None, reported_visits=None
    )
    await rows.visit(ana, date(2026, 1, 10), "orthodontics")
    await rows.visit(ana, date(2024, 1, 10), "filling")
    await rows.visit(boris, date(2026, 12, 1), "Orthodontics")
    await rows.visit(cleo, date(2026, 6, 1), "Чистка")
    await rows.visit(cleo, date(2026, 7, 1), "children")
    await rows.appointment(boris, NOON + timedelta(days=1))
    await rows.appointment(ana, NOON - timedelta(days=1))
    await contact(rows, boris, date(2027, 2, 1))


async def contact(rows: "Rows", patient: Patient, day: date, **given: object) -> None:
    """Have the machine write to a patient at noon of a day."""
    attempt = await rows.attempt(patient, state="ended")
    at = datetime.combine(day, time(12), NEW_YORK).astimezone(UTC)
    fields = {"channel": "email", "sent_at": at, "claimed_at": at} | given
    await rows.add(Message(attempt_id=attempt.id, step=0, address_hash="", **fields))


CASES: list[tuple[str, dict[str, Any], set[str]]] = [
    ("treatment", {"treatment": "orthodontics"}, {"ana", "boris"}),
    ("treatment, any case", {"treatment": "ORTHODONTICS"}, {"ana", "boris"}),
    ("treatment in Russian, any case", {"treatment": "чистка"}, {"cleo"}),
    ("one of several treatments", {"treatment": ["filling", "children"]}, {"ana", "cleo"}),
    ("no such treatment", {"treatment": "orthodontic"}, set()),
    ("treatment, without accents", {"treatment": "«Cleaning», ORTHODÓNTICS!"}, set()),
    ("treatment, with accents", {"treatment": " Orthodóntics. "}, {"ana", "boris"}),
    (
        "a treatment not continued",
        {"not_continued": {"treatment": "orthodontics", "for": "90 days"}},
        {"boris", "ana"},
    ),
    (
        "never returned",
        {"never_returned": {"for": "90 days"}},
        {"boris"},
    ),
    (
        "control due",
        {"control_due": {"after": "children", "every": "90 days"}},
        {"cleo"},
    ),
    ("contacted", {"last_contact": {"within": "60 days"}}, {"boris"}),
    ("contacted long ago", {"last_contact": {"older_than": "20 days"}}, {"boris"}),
    ("never contacted", {"last_contact": "never"}, {"ana", "cleo", "unknown"}),
    (
        "not contacted lately, or never",
        {"not": {"last_contact": {"within": "20 days"}}},
        {"ana", "boris", "cleo", "unknown"},
    ),
    ("age from", {"age": {"from": 18}}, {"ana", "boris"}),
    ("age to", {"age": {"to": 17}}, {"cleo"}),
    ("age from and to", {"age": {"from": 36, "to": 66}}, {"ana", "boris"}),
    ("sex", {"sex": "female"}, {"ana", "cleo"}),
    ("occupation", {"occupation": "teacher"}, {"ana"}),
    ("district", {"district": ["Surfside", "Miami Beach"]}, {"ana", "cleo"}),
    ("insurance", {"insurance": ["seguros union", "осаго"]}, {"ana", "cleo"}),
    ("provider", {"provider": "DRA GOMEZ"}, {"ana"}),
    ("a district that nobody has", {"district": "Atlantis"}, set()),
    ("some have it, some are in none", {"district": ["Atlantis", "hialeah"]}, {"boris"}),
    ("preferred channel", {"preferred_channel": "sms"}, {"ana"}),
    ("status", {"status": ["moved", "inactive"]}, {"cleo"}),
    ("language", {"language": ["ru", "en"]}, {"boris", "cleo"}),
    ("last visit long ago", {"last_visit": {"older_than": "180 days"}}, {"ana", "cleo"}),
    (
        "last visit between two days",
        {"last_visit": {"between": ["2026-07-01", "2026-12-01"]}},
        {"boris", "cleo"},
    ),
    # ana was here before, too: only the latest visit counts
    ("an earlier visit", {"last_visit": {"between": ["2024-01-01", "2024-12-31"]}}, set()),
    ("visits reported, more than rows", {"visits": {"at_least": 3}}, {"ana"}),
    ("visits as rows, more than reported", {"visits": {"at_least": 2}}, {"ana", "cleo"}),
    ("few visits", {"visits": {"at_most": 1}}, {"boris", "unknown"}),
    ("a number of visits", {"visits": {"at_least": 1, "at_most": 2}}, {"boris", "cleo"}),
    ("never here", {"visits": {"at_most": 0}}, {"unknown"}),
    ("has an appointment", {"has_future_appointment": True}, {"boris"}),
    ("has none, or a past one", {"has_future_appointment": False}, {"ana", "cleo", "unknown"}),
    ("has email", {"has_email": True}, {"ana", "cleo"}),
    ("has no email", {"has_email": False}, {"boris", "unknown"}),
    ("has phone", {"has_phone": True}, {"ana", "boris"}),
    ("has no phone", {"has_phone": False}, {"cleo", "unknown"}),
    ("loss reason", {"loss_reason": ["price", "other"]}, {"ana"}),
    ("two conditions", {"sex": "female", "has_phone": True}, {"ana"}),
    ("all", {"all": [{"sex": "female"}, {"age": {"from": 18}}]}, {"ana"}),
    ("any", {"any": [{"sex": "male"}, {"age": {"from": 60}}]}, {"ana", "boris"}),
    ("not", {"not": {"has_email": True}}, {"boris", "unknown"}),
    ("not of an unknown", {"not": {"sex": "female"}}, {"boris", "unknown"}),
    ("not of an unknown age", {"not": {"age": {"from": 18}}}, {"cleo", "unknown"}),
    (
        "not of an unknown last visit",
        {"not": {"last_visit": {"older_than": "180 days"}}},
        {"boris", "unknown"},
    ),
    (
        "any with an unknown side",
        {"any": [{"sex": "male"}, {"has_email": False}]},
        {"boris", "unknown"},
    ),
    (
        "not of all, with unknowns",
        {"not": {"all": [{"sex": "female"}, {"district": "Surfside"}]}},
        {"boris", "unknown"},
    ),
    ("not of not", {"not": {"not": {"sex": "female"}}}, {"ana", "cleo"}),
    (
        "nested deeply",
        {"any": [{"not": {"any": [{"sex": "female"}, {"sex": "male"}]}}, {"treatment": "filling"}]},
        {"ana", "unknown"},
    ),
]


async def test_every_rule_finds_whom_it_means(rows: "Rows") -> None:
    await fill(rows)
    assert {label: expected for label, _, expected in CASES} == {
        label: await found(rows, where) for label, where, _ in CASES
    }


def test_every_rule_has_its_case() -> None:
    tried = {field for _, where, _ in CASES for field in where}
    rule = Segment.model_fields["where"].annotation
    assert rule is not None
    known = {field.alias or name for name, field in rule.model_fields.items()}
    assert known == tried


@pytest.mark.parametrize(
    ("today", "ages"),
    [
        pytest.param(date(2027, 3, 1), {"born 2 March 2009": 17, "born 29 February 2008": 19}),
        pytest.param(date(2027, 3, 2), {"born 2 March 2009": 18, "born 29 February 2008": 19}),
        pytest.param(date(2027, 2, 28), {"born 29 February 2008": 18}),
        pytest.param(date(2028, 2, 28), {"born 29 February 2008": 19}),
        pytest.param(date(2028, 2, 29), {"born 29 February 2008": 20, "born 1 March 2009": 18}),
        pytest.param(date(2028, 3, 1), {"born 29 February 2008": 20, "born 1 March 2009": 19}),
    ],
    ids=lambda value: str(value) if isinstance(value, date) else "",
)
async def test_an_age_changes_on_the_birthday(
    rows: "Rows", today: date, ages: dict[str, int]
) -> None:
    for label in ages:
        born = datetime.strptime(label, "born %d %B %Y").replace(tzinfo=UTC).date()
        await rows.patient(external_id=label, birth_date=born)
    noon = datetime(today.year, today.month, today.day, 17, tzinfo=UTC)
    for label, age in ages.items():
        assert label in await found(rows, {"age": {"from": age, "to": age}}, noon)
        assert label not in await found(rows, {"age": {"from": age + 1}}, noon)
        assert label not in await found(rows, {"age": {"to": age - 1}}, noon)


async def test_an_age_is_counted_from_the_clinics_day(rows: "Rows") -> None:
    await rows.patient(external_id="born on 2 March", birth_date=date(2009, 3, 2))
    evening = datetime(2027, 3, 2, 4, 59, tzinfo=UTC)  # still 1 March in New York
    assert set() == await found(rows, {"age": {"from": 18}}, evening)
    midnight = evening + timedelta(minutes=1)
    assert {"born on 2 March"} == await found(rows, {"age": {"from": 18}}, midnight)


async def test_older_than_begins_the_day_after(rows: "Rows") -> None:
    for days in (179, 180, 181):
        patient = await rows.patient(external_id=f"{days} days ago")
        await rows.visit(patient, TODAY - timedelta(days=days))
    where = {"last_visit": {"older_than": "180 days"}}
    assert {"181 days ago"} == await found(rows, where)


async def test_between_includes_both_ends(rows: "Rows") -> None:
    for day in (9, 10, 12, 13):
        patient = await rows.patient(external_id=f"the {day}th")
        await rows.visit(patient, date(2026, 3, day))
    where = {"last_visit": {"between": ["2026-03-10", "2026-03-12"]}}
    assert {"the 10th", "the 12th"} == await found(rows, where)


async def test_an_appointment_that_begins_now_is_not_in_the_future(rows: "Rows") -> None:
    await rows.appointment(await rows.patient(external_id="now"), NOON)
    await rows.appointment(await rows.patient(external_id="soon"), NOON + timedelta(microseconds=1))
    assert {"soon"} == await found(rows, {"has_future_appointment": True})


async def test_a_patient_with_many_matching_visits_is_found_once(rows: "Rows") -> None:
    patient = await rows.patient()
    for day in range(1, 5):
        await rows.visit(patient, date(2026, 1, day), "filling")
    segment = Segment.model_validate({"name": "test", "where": {"treatment": "filling"}})
    query = select(func.count()).where(members(segment, NOON, NEW_YORK))
    async with rows.clinic.database.reading() as session:
        assert await session.scalar(query.select_from(Patient)) == 1


async def test_whoever_was_never_here_is_not_called_lapsed(rows: "Rows") -> None:
    await rows.patient()
    assert set() == await found(rows, {"last_visit": {"older_than": "1 day"}})


async def test_whoever_was_forgotten_or_is_a_duplicate_is_in_no_segment(rows: "Rows") -> None:
    kept = await rows.patient(external_id="kept")
    await rows.patient(external_id="the same person", duplicate_of=kept.id)
    await rows.patient(external_id="forgotten", erased_at=NOON)
    for where in ({"has_email": True}, {"not": {"sex": "male"}}, {"last_contact": "never"}):
        assert {"kept"} == await found(rows, where)


NARROW = {"age": {"to": 130}}
"""A condition that everybody in these tests meets, and that has the others asked one by one."""


async def test_a_rule_finds_the_same_however_the_database_is_asked(rows: "Rows") -> None:
    await fill(rows)
    everybody = {"ana", "boris", "cleo", "unknown"}
    born, men = await found(rows, NARROW), await found(rows, {"sex": "male"})
    for label, where, expected in CASES:
        assert expected & born == await found(rows, {"all": [NARROW, where]}), label
        assert born - expected == await found(rows, NARROW | {"not": where}), label
        assert expected | men == await found(rows, {"any": [where, {"sex": "male"}]}), label
        assert everybody - expected == await found(rows, {"not": where}), label
