"""Columns of closed lists: in three languages, and on the safe side where a word is not known."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from clinic.outcome import LossReason
from clinic.register.standing import PatientStatus
from clinic.register_import.closed_lists import listed_values, sexes_by_initials
from clinic.register_import.register_row import RegisterRow
from clinic.register_import.row import RowReader


def read(**cells: str) -> RegisterRow:
    reader = RowReader(
        dict(enumerate(cells)), country="US", zone=ZoneInfo("UTC"), today=date(2027, 3, 2)
    )
    return reader.read(list(cells.values()))


@pytest.mark.parametrize(
    ("column", "written", "expected"),
    [
        ("sex", "Mujer", "female"),
        ("sex", "Ж", "female"),
        ("sex", "H", "male"),
        ("sex", "M", "male"),
        ("sex", "мужской", "male"),
        ("sex", "Unknown", None),
        ("status", "Fallecido", "deceased"),
        ("status", "Finada", "deceased"),
        ("status", "умерла", "deceased"),
        ("status", "переехала", "moved"),
        ("status", "Activo", "active"),
        ("status", "Patient", "active"),
        ("status", "0", "active"),
        ("status", "Prospective", "active"),
        ("status", "NonPatient", "inactive"),
        ("status", "archived", "inactive"),
        ("status", "Deleted", "inactive"),
        ("status", "4", "inactive"),
        ("status", "5", "deceased"),
        ("language", "Español", "es"),
        ("language", "es-CL", "es"),
        ("language", "РУССКИЙ", "ru"),
        ("language", "English", "en"),
        ("preferred_channel", "WhatsApp", "whatsapp"),
        ("preferred_channel", "Correo electrónico", "email"),
        ("preferred_channel", "звонок", "call"),
        ("preferred_channel", "TextMessage", "sms"),
        ("preferred_channel", "WirelessPh", "call"),
        ("preferred_channel", "Mail", None),
        ("loss_reason", "Waiting time", "waiting_time"),
        ("loss_reason", "waiting_time", "waiting_time"),
        ("loss_reason", "Precio", "price"),
        ("loss_reason", "Se fue a otra clínica", "other_clinic"),
        ("loss_reason", "нет времени", "no_time"),
        ("loss_reason", "Боль или страх", "pain_or_fear"),
    ],
)
def test_a_word_is_read_in_the_clinics_languages(
    column: str, written: str, expected: str | None
) -> None:
    assert expected == getattr(read(**{column: written}), column)


@pytest.mark.parametrize("reason", LossReason)
def test_every_loss_reason_is_known_by_its_own_word(reason: LossReason) -> None:
    assert read(loss_reason=reason.value).loss_reason == reason.value


def test_the_lists_are_those_of_the_register() -> None:
    assert listed_values("status") == [status.value for status in PatientStatus]
    assert listed_values("loss_reason") == [reason.value for reason in LossReason]


@pytest.mark.parametrize(
    ("column", "written", "said"),
    [
        ("sex", "7", "`7` is not known (expected female, male)"),
        ("language", "Catalan", "`Catalan` is not known (expected es, ru, en)"),
        ("loss_reason", "rain", "`rain` is not known (expected price, "),
        ("preferred_channel", "pigeon", "`pigeon` is not known (expected email, "),
    ],
)
def test_an_unknown_word_never_loses_the_patient(column: str, written: str, said: str) -> None:
    row = read(**{column: written})
    assert getattr(row, column) is None
    assert row.unusable[column].startswith(said)


def test_an_unknown_status_is_inactive_because_it_may_mean_a_death() -> None:
    row = read(status="q.e.p.d.")
    assert row.status == "inactive"
    assert row.unusable == {
        "status": "`q.e.p.d.` is not known (expected active, inactive, deceased, moved);"
        " nobody will write to them"
    }


@pytest.mark.parametrize(
    ("cells", "status"),
    [
        pytest.param({"deceased": "sí"}, "deceased", id="yes"),
        pytest.param({"deceased": "12/01/2026"}, "deceased", id="the day"),
        pytest.param({"deceased": "2026"}, "deceased", id="the year"),
        pytest.param({"deceased": "no"}, None, id="no"),
        pytest.param({"deceased": "-"}, None, id="nothing"),
        pytest.param({"deceased": "quizás"}, "inactive", id="nobody knows"),
        pytest.param({"deceased": "sí", "status": "activo"}, "deceased", id="before a status"),
        pytest.param({"status": "activo", "deceased": "sí"}, "deceased", id="after a status"),
        pytest.param({"status": "activo", "deceased": "no"}, "active", id="alive and active"),
    ],
)
def test_a_death_goes_before_any_status(cells: dict[str, str], status: str | None) -> None:
    assert read(**cells).status == status


@pytest.mark.parametrize(
    "yes", ["sí", "SI", "да", "yes", "x", "X", "1", "true", "+", "✓", "Acepta"]
)
def test_a_yes_is_a_consent(yes: str) -> None:
    assert read(consent_email=yes).consents == {"email": True}


@pytest.mark.parametrize("no", ["no", "нет", "NO", "0", "false", "revocado", "отказ", "No acepta"])
def test_a_no_is_a_refusal(no: str) -> None:
    assert read(consent_email=no).consents == {"email": False}


@pytest.mark.parametrize("nothing", ["", "-", "n/a", "Unknown", "??", "не указано"])
def test_no_answer_is_neither(nothing: str) -> None:
    row = read(consent_email=nothing, do_not_contact=nothing, deceased=nothing)
    assert (row.consents, row.unusable) == ({}, {})


def test_an_answer_that_is_not_known_is_taken_for_a_refusal_and_listed() -> None:
    row = read(consent_sms="quizás", do_not_contact="tal vez")
    assert row.consents == dict.fromkeys(("email", "sms", "whatsapp", "call", "advertising"), False)
    assert row.unusable == {
        "consent_sms": "`quizás` is not known (expected yes, no); it was taken for `no`",
        "do_not_contact": "`tal vez` is not known (expected yes, no); it was taken for `yes`",
    }


def test_each_channel_and_advertising_have_their_own_consent() -> None:
    row = read(
        consent_email="sí",
        consent_sms="no",
        consent_whatsapp="-",
        consent_call="x",
        consent_advertising="no",
        consent_date="11/06/2026",
        consent_source="form at the desk",
    )
    assert row.consents == {"email": True, "sms": False, "call": True, "advertising": False}
    assert (row.consent_at, row.consent_source) == (date(2026, 6, 11), "form at the desk")


def test_a_consent_for_all_channels_gives_way_to_a_channels_own() -> None:
    row = read(consent="sí", consent_sms="no")
    assert row.consents == {"email": True, "sms": False, "whatsapp": True, "call": True}


def test_who_wants_no_contact_refuses_every_channel_whatever_else_is_written() -> None:
    row = read(consent="sí", consent_email="sí", do_not_contact="sí")
    assert not any(row.consents.values())
    assert len(row.consents) == 5
    assert read(do_not_contact="no").consents == {}


def test_the_wish_not_to_be_called_is_a_refusal_of_calls() -> None:
    row = read(preferred_channel="DoNotCall")
    assert (row.preferred_channel, row.consents) == (None, {"call": False})
    row = read(preferred_channel="DoNotCall", consent_email="sí", consent="sí")
    assert (row.consents["call"], row.consents["email"]) == (False, True)


def test_m_is_a_woman_where_h_is_a_man() -> None:
    assert sexes_by_initials(["M", "", "H"]) == {"M": "female"}
    assert sexes_by_initials(["M", "", "F"]) == {}
