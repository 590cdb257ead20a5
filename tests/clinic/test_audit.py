"""The audit log: what is noted stays as it was, and tells of a patient by the opaque id alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from clinic import accounts
from clinic.accounts import Role
from clinic.audit import Action, entries, note
from clinic.register import erasure
from clinic.tables import AuditEntry, Patient

if TYPE_CHECKING:
    from tests.clinic.conftest import Rows


class Log:
    """The log, as the console writes and reads it."""

    def __init__(self, rows: "Rows") -> None:
        self.rows = rows
        self.database = rows.clinic.database

    async def note(self, action: Action = Action.VIEWED, **given: Any) -> None:
        fields: dict[str, Any] = {"who": None, "now": self.rows.now}
        async with self.database.writing() as session:
            await note(session, action=action, **(fields | given))

    async def read(self, **given: Any) -> Sequence[AuditEntry]:
        async with self.database.reading() as session:
            return await entries(session, **given)

    async def run(self, statement: str) -> None:
        async with self.database.writing() as session:
            await session.execute(text(statement))


@pytest.fixture
def log(rows: "Rows") -> Log:
    return Log(rows)


def told(entry: AuditEntry) -> dict[str, Any]:
    return {column.name: getattr(entry, column.name) for column in AuditEntry.__table__.columns}


async def test_a_line_says_who_did_what_to_whom_and_when(log: Log) -> None:
    now = log.rows.now
    async with log.database.writing() as session:
        vera = await accounts.create(session, "Vera", Role.STAFF, "a river, two bridges", now=now)
    await log.note(
        Action.COMPLETED,
        who=vera,
        patient_id="pt-1",
        subject="ct-1",
        details={"outcome": "declined", "fields": ["phone", "email"], "tries": 2, "last": True},
    )
    [entry] = await log.read()
    assert told(entry) == {
        "number": entry.number,
        "at": now,
        "account_id": vera.id,
        "who": "Vera",
        "action": "completed",
        "patient_id": "pt-1",
        "subject": "ct-1",
        "details": {
            "outcome": "declined",
            "fields": ["phone", "email"],
            "tries": 2,
            "last": True,
        },
    }


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        pytest.param("root", "root", id="somebody at the command line"),
        pytest.param(None, "", id="nobody knows"),
    ],
)
async def test_who_has_no_account_is_told_by_name_or_not_at_all(
    log: Log, who: str | None, shown: str
) -> None:
    await log.note(Action.SIGN_IN_REFUSED, who=who)
    [entry] = await log.read()
    assert (entry.account_id, entry.who) == (None, shown)


async def test_the_log_is_read_from_its_end_by_pages_and_by_patient(log: Log) -> None:
    for patient_id in ("pt-1", "pt-2", "pt-1", None):
        await log.note(patient_id=patient_id)
    newest_first = await log.read()
    assert [entry.patient_id for entry in newest_first] == [None, "pt-1", "pt-2", "pt-1"]
    page = await log.read(at_most=2)
    rest = await log.read(before=page[-1].number)
    assert [told(entry) for entry in (*page, *rest)] == [told(entry) for entry in newest_first]
    assert len(await log.read(patient_id="pt-1")) == 2
    assert await log.read(patient_id="pt-9") == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET who = 'nobody'",
        "DELETE FROM audit_entries WHERE patient_id = 'pt-1'",
    ],
)
async def test_no_line_can_be_changed_or_deleted(log: Log, statement: str) -> None:
    await log.note(patient_id="pt-1", who="Vera")
    before = [told(entry) for entry in await log.read()]
    with pytest.raises(DBAPIError, match="the audit log is append-only"):
        await log.run(statement)
    assert [told(entry) for entry in await log.read()] == before


async def test_no_line_can_be_overwritten_by_another(log: Log) -> None:
    await log.note(who="Vera")
    [entry] = await log.read()
    columns = "number, at, who, action, details"
    values = f"{entry.number}, '2027-03-02 17:00:00', 'nobody', 'viewed', '{{}}'"
    on_sqlite = log.database.embedded
    insert = "INSERT OR REPLACE" if on_sqlite else "INSERT"
    # PostgreSQL has an update in its place
    upsert = "" if on_sqlite else " ON CONFLICT (number) DO UPDATE SET who = 'nobody'"
    with pytest.raises(DBAPIError, match="the audit log is append-only"):
        await log.run(f"{insert} INTO audit_entries ({columns}) VALUES ({values}){upsert}")
    assert [each.who for each in await log.read()] == ["Vera"]


async def test_the_log_cannot_be_emptied_at_one_go(log: Log) -> None:
    await log.note()
    at_one_go = "DELETE FROM audit_entries" if log.database.embedded else "TRUNCATE audit_entries"
    with pytest.raises(DBAPIError, match="the audit log is append-only"):
        await log.run(at_one_go)
    assert len(await log.read()) == 1


@pytest.mark.parametrize(
    "details",
    [
        pytest.param({"phone": "+13055550142"}, id="a number"),
        pytest.param({"email": "sofia@example.com"}, id="an address"),
        pytest.param({"name": "Sofía"}, id="a name"),
        pytest.param({"note": "wants to come back"}, id="a sentence"),
        pytest.param({"fields": ["phone", "Sofía Rojas"]}, id="within a list"),
        pytest.param({"Sofía": "phone"}, id="as a key"),
        pytest.param({"word": "x" * 61}, id="too long for a word"),
    ],
)
async def test_free_text_has_no_place_in_the_log(log: Log, details: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no word of a closed list") as refused:
        await log.note(details=details)
    assert "Sof" not in str(refused.value)
    assert await log.read() == []


async def test_forgetting_a_patient_leaves_the_log_and_nothing_in_it_names_them(
    log: Log,
) -> None:
    rows = log.rows
    patient = await rows.patient(national_id="12345678Z", district="Centro")
    facts = [
        value
        for column in Patient.__table__.columns
        if column.name not in ("id", "status", "language")
        and (value := getattr(patient, column.name))
    ]
    await log.note(who="Vera", patient_id=patient.id)
    await log.note(Action.CHANGED, who="Vera", patient_id=patient.id, details={"fields": ["phone"]})
    before = [told(entry) for entry in await log.read(patient_id=patient.id)]
    async with log.database.writing() as session:
        await erasure.forget(session, patient.id, now=rows.now, key=rows.clinic.key)
    after = [told(entry) for entry in await log.read(patient_id=patient.id)]
    assert len(after) == 2
    assert after == before
    for fact in facts:
        assert str(fact) not in str(after)
