"""Headers: which column of the register each stands for, and whether they make a list."""

import pytest

from clinic.register_import.columns import (
    find_header,
    header_key,
    known_columns,
    known_headers,
    lacking,
    read_header,
)
from clinic.register_import.row import READABLE_COLUMNS


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        pytest.param(
            ["patient_id", "first_name", "last_name", "phone", "last_visit"],
            ["patient_id", "first_name", "last_name", "phone", "last_visit"],
            id="the register's own",
        ),
        pytest.param(
            ["# Paciente", "Nombre", "Apellidos", "Celular", "Teléfono", "Fecha de nac."],
            ["patient_id", "first_name", "last_name", "phone", "other_phone", "birth_date"],
            id="Spanish, with accents and signs",
        ),
        pytest.param(
            ["Nº Ficha", "Apellido Paterno", "Apellido Materno", "Nombres", "RUT", "Comuna"],
            [
                "patient_id",
                "last_name",
                "second_last_name",
                "first_name",
                "national_id",
                "district",
            ],
            id="Chilean",
        ),
        pytest.param(
            ["№ карты", "ФИО", "Телефон", "Дата рождения", "Последний визит", "Услуга", "Врач"],
            ["patient_id", "name", "phone", "birth_date", "last_visit", "treatment", "provider"],
            id="Russian",
        ),
        pytest.param(
            ["PatNum", "LName", "FName", "PatStatus", "Birthdate", "HmPhone", "WirelessPhone"],
            [
                "patient_id",
                "last_name",
                "first_name",
                "status",
                "birth_date",
                "other_phone",
                "phone",
            ],
            id="Open Dental",
        ),
        pytest.param(
            ["  CHART  #: ", "E-Mail", "BirthDate"],
            ["patient_id", "email", "birth_date"],
            id="case and signs",
        ),
    ],
)
def test_a_header_is_known_by_its_aliases(header: list[str], columns: list[str]) -> None:
    assert dict(enumerate(columns)) == read_header(header)


def test_a_header_that_is_not_known_is_left_out() -> None:
    assert read_header(["patient_id", "shoe size", "email"]) == {0: "patient_id", 2: "email"}


def test_the_number_of_a_thing_is_not_the_thing() -> None:
    assert read_header(["# Tratamiento", "Tratamiento"]) == {1: "treatment"}
    assert read_header(["Paciente", "# Paciente"]) == {0: "name", 1: "patient_id"}
    assert header_key("№ карты") == header_key("Карты №:") != header_key("карты")


def test_a_first_name_without_a_last_name_beside_it_is_the_whole_name() -> None:
    assert read_header(["Nombre", "Celular"])[0] == "name"
    assert read_header(["Nombre", "Apellidos"])[0] == "first_name"
    assert read_header(["first_name", "phone"])[0] == "first_name", "the register's own word"


def test_a_phone_of_any_kind_is_the_phone_where_there_is_no_better() -> None:
    assert read_header(["Teléfono"]) == {0: "phone"}
    assert read_header(["HmPhone", "WkPhone"]) == {0: "phone", 1: "phone"}
    assert read_header(["Teléfono", "Celular"]) == {0: "other_phone", 1: "phone"}


def test_numbers_of_two_kinds_are_not_mixed() -> None:
    assert read_header(["ID", "# Paciente", "Email"]) == {1: "patient_id", 2: "email"}
    assert read_header(["ChartNumber", "PatNum"]) == {1: "patient_id"}
    assert read_header(["ID", "Ficha"], {"id": "patient_id"}) == {0: "patient_id"}
    assert read_header(["Código", "código"]) == {0: "patient_id"}


def test_a_mapping_goes_before_the_aliases() -> None:
    given = {"Ficha": "national_id", "Email": "ignore"}
    assert read_header(["Ficha", "Email", "Nombre"], given) == {0: "national_id", 2: "name"}
    assert read_header(["", "- ", "Nombre"], {"-": "email"}) == {2: "name"}, "no name is no header"


def test_no_header_means_two_columns() -> None:
    keys = [header_key(name) for names in known_headers().values() for name in names]
    assert sorted(set(keys)) == sorted(keys)
    for column in known_columns():
        assert read_header([column]) == {0: column}


def test_every_column_that_can_be_read_has_headers() -> None:
    assert set(known_columns()) == READABLE_COLUMNS


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        pytest.param("patient_id name phone", [], id="number, name, phone"),
        pytest.param("name email", [], id="a name and an email tell people apart"),
        pytest.param("first_name guardian_phone patient_id", [], id="a child, by the guardian"),
        pytest.param("patient_id last_visit", [], id="visits of patients who are known"),
        pytest.param("national_id next_appointment", [], id="appointments by national id"),
        pytest.param("patient_id phone", ["the patient's name"], id="no name"),
        pytest.param("patient_id name", ["an email or a phone"], id="no address"),
        pytest.param("name last_visit", ["the patient's number", "an email or a phone"], id="name"),
        pytest.param(
            "treatment",
            ["the patient's number", "the patient's name", "an email or a phone"],
            id="nothing of use",
        ),
    ],
)
def test_a_list_needs_to_name_tell_apart_and_reach(columns: str, missing: list[str]) -> None:
    assert missing == lacking(columns.split())


def test_the_header_is_the_first_row_with_all_that_is_needed() -> None:
    title = [["Clínica Aurora"], ["Nombre", "de la clínica"]]
    header = ["# Paciente", "Nombre", "Email"]
    assert find_header([*title, header, ["1", "Nombre", "Email"]]) == 2
    assert find_header(title) is None
    assert find_header([["x"]] * 19 + [header]) == 19
    assert find_header([["x"]] * 20 + [header]) is None, "that far down it is a row"
