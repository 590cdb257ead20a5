"""How a patient can be reached: a minor at the guardian's addresses."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from clinic.register.contact import Contact, Guardian, contact_of, is_minor
from clinic.tables import Patient

TODAY = date(2027, 3, 2)
SOME_TIME = datetime(2027, 1, 1, tzinfo=UTC)
CHILD = {
    "first_name": "Luis",
    "birth_date": date(2019, 5, 1),
    "email": "luis@example.com",
    "phone": "+13055550101",
    "phone_kind": "unknown",
}
MOTHER: dict[str, object] = {
    "first_name": "Ana",
    "last_name": "Gil",
    "email": "ana@example.com",
    "phone": "+13055550102",
    "phone_kind": "mobile",
}


def reached(
    guardian: dict[str, object] | None = None, /, *, silent: bool = False, **given: Any
) -> Contact:
    patient = Patient(**(CHILD | given))
    known = None if guardian is None else Guardian(Patient(**guardian), silent=silent)
    return contact_of(patient, known, TODAY)


@pytest.mark.parametrize(
    ("born", "minor"),
    [
        pytest.param(date(2009, 3, 3), True, id="the day before the 18th birthday"),
        pytest.param(date(2009, 3, 2), False, id="the 18th birthday"),
        pytest.param(date(1950, 1, 1), False, id="long of age"),
        pytest.param(None, False, id="nobody knows"),
    ],
)
def test_who_is_a_minor(born: date | None, minor: bool) -> None:  # noqa: FBT001 - a column
    assert minor == is_minor(Patient(birth_date=born), TODAY)


@pytest.mark.parametrize(
    ("today", "minor"),
    [
        pytest.param(date(2026, 2, 28), True, id="28 February"),
        pytest.param(date(2026, 3, 1), False, id="1 March"),
    ],
)
def test_who_was_born_on_a_leap_day_comes_of_age_on_1_march(
    today: date,
    minor: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert minor == is_minor(Patient(birth_date=date(2008, 2, 29)), today)


@pytest.mark.parametrize(
    ("given", "guardian", "expected"),
    [
        pytest.param(
            {},
            None,
            ("luis@example.com", "+13055550101", None),
            id="a child without a guardian on the register",
        ),
        pytest.param(
            {"guardian_email": "ana@example.org", "guardian_phone": "+13055550103"},
            MOTHER,
            ("ana@example.org", "+13055550103", "Ana Gil"),
            id="the addresses given for the guardian, before those of the guardian's own row",
        ),
        pytest.param(
            {"guardian_phone": "+13055550103", "guardian_name": "Eva Mas"},
            MOTHER,
            ("ana@example.com", "+13055550103", "Eva Mas"),
            id="each address by itself",
        ),
        pytest.param(
            {},
            MOTHER,
            ("ana@example.com", "+13055550102", "Ana Gil"),
            id="the guardian's own row",
        ),
        pytest.param(
            {},
            MOTHER | {"email": None},
            ("luis@example.com", "+13055550102", "Ana Gil"),
            id="the child's own where the guardian has none",
        ),
        pytest.param(
            {"guardian_email": "ana@example.org"},
            None,
            ("ana@example.org", "+13055550101", ""),
            id="a guardian whose name nobody knows",
        ),
        pytest.param(
            {"guardian_name": "Eva Mas"},
            None,
            ("luis@example.com", "+13055550101", "Eva Mas"),
            id="a guardian whose addresses stand in the child's row",
        ),
        pytest.param(
            {"birth_date": date(1990, 1, 1), "guardian_email": "ana@example.org"},
            MOTHER,
            ("luis@example.com", "+13055550101", None),
            id="a grown-up's guardian is left alone",
        ),
    ],
)
def test_where_a_patient_is_reached(
    given: dict[str, Any],
    guardian: dict[str, object] | None,
    expected: tuple[str, str, str | None],
) -> None:
    found = reached(guardian, **given)
    assert expected == (found.email, found.phone, found.for_guardian)


@pytest.mark.parametrize(
    ("given", "guardian", "expected"),
    [
        pytest.param({"phone_kind": "landline"}, None, (False, False, True), id="a landline"),
        pytest.param({"phone_kind": "mobile"}, None, (False, False, False), id="a mobile"),
        pytest.param(
            {},
            MOTHER | {"phone_kind": "landline"},
            (False, False, True),
            id="the guardian's landline",
        ),
        pytest.param(
            {"phone_kind": "landline", "guardian_phone": "+34612345678"},
            None,
            (False, False, False),
            id="a mobile of the guardian's, for a child with a landline",
        ),
        pytest.param(
            {"guardian_phone": "+34912345678"},
            None,
            (False, False, True),
            id="a landline of the guardian's, told by the number",
        ),
        pytest.param(
            {"email_bad_at": SOME_TIME},
            MOTHER,
            (True, False, False),
            id="refused when it was written to for the child",
        ),
        pytest.param(
            {},
            MOTHER | {"phone_bad_at": SOME_TIME},
            (False, True, False),
            id="refused when the guardian was called",
        ),
        pytest.param(
            {"guardian_email": "ana@example.org"},
            MOTHER | {"email_bad_at": SOME_TIME},
            (False, False, False),
            id="a bad address of the guardian's row that is not used",
        ),
    ],
)
def test_which_addresses_are_bad(
    given: dict[str, Any],
    guardian: dict[str, object] | None,
    expected: tuple[bool, bool, bool],
) -> None:
    found = reached(guardian, **given)
    assert expected == (found.email_bad, found.phone_bad, found.sms_bad)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, ("luis@example.com", "+13055550101", None), id="the child's own stay"),
        pytest.param(
            {"email": None, "phone": None}, (None, None, None), id="none of the guardian's own row"
        ),
        pytest.param(
            {"guardian_email": "ana@example.org", "guardian_phone": "+13055550103"},
            ("luis@example.com", "+13055550101", None),
            id="none that the child's row gives for the guardian",
        ),
        pytest.param(
            {"email": "ana@example.com", "phone": "+13055550104"},
            (None, None, None),
            id="none of the guardian's that stands as the child's",
        ),
        pytest.param(
            {"guardian_name": "Gil, Ana", "guardian_phone": "+13055550103"},
            ("luis@example.com", "+13055550101", None),
            id="the guardian by name",
        ),
        pytest.param(
            {"guardian_name": "Eva Mas", "guardian_phone": "+13055550103"},
            ("luis@example.com", "+13055550103", "Eva Mas"),
            id="another guardian's may be written to",
        ),
        pytest.param(
            {
                "guardian_name": "Eva Mas",
                "guardian_email": "eva@example.com",
                "guardian_phone": "+13055550102",
            },
            ("eva@example.com", None, "Eva Mas"),
            id="but not at a phone that they shared",
        ),
    ],
)
def test_a_guardian_to_whom_nobody_may_write_is_reached_nowhere(
    given: dict[str, Any], expected: tuple[str | None, str | None, str | None]
) -> None:
    found = reached(MOTHER | {"other_phone": "+13055550104"}, silent=True, **given)
    assert expected == (found.email, found.phone, found.for_guardian)


def test_a_grown_up_is_reached_whatever_the_guardian_of_old_said() -> None:
    found = reached(MOTHER, silent=True, birth_date=date(1990, 1, 1), phone="+13055550102")
    assert found.phone == "+13055550102"
