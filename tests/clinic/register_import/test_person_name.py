"""Full names in one cell: Spanish, English, Russian; with commas, patronymics, either order."""

import pytest

from clinic.register_import.person_name import read_full_name


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        pytest.param("Ana Gil Soto", "Ana", "Gil Soto", id="Spanish"),
        pytest.param("John Smith", "John", "Smith", id="English"),
        pytest.param("Ana", "Ana", "", id="one word"),
        pytest.param("Gil Soto, Ana", "Ana", "Gil Soto", id="comma"),
        pytest.param("Gil,", "Gil", "", id="nothing after the comma"),
        pytest.param(", Ana", "Ana", "", id="nothing before the comma"),
        pytest.param(",", ",", "", id="a comma"),
        pytest.param("Лебедева Татьяна Ивановна", "Татьяна Ивановна", "Лебедева", id="patronymic"),
        pytest.param("Татьяна Ивановна Лебедева", "Татьяна Ивановна", "Лебедева", id="turned"),
        pytest.param("Ким Илья Олегович", "Илья Олегович", "Ким", id="a surname like no other"),
        pytest.param("Лебедева Татьяна", "Татьяна", "Лебедева", id="by the ending"),
        pytest.param("Татьяна Лебедева", "Татьяна", "Лебедева", id="by the ending, turned"),
        pytest.param("Марина Петрова", "Марина", "Петрова", id="a first name like a surname"),
        pytest.param("Константин Шевченко", "Константин", "Шевченко", id="Ukrainian surname"),
        pytest.param("Ким Анна", "Анна", "Ким", id="nothing tells: surname first"),
        pytest.param("Ева Зуева", "Ева", "Зуева", id="too short for a surname"),
        pytest.param("Иванов И.И.", "И.И.", "Иванов", id="initials"),
        pytest.param("Мамедов Расул Али оглы", "Расул Али оглы", "Мамедов", id="Azerbaijani"),
        pytest.param("Анна Станкевич", "Анна", "Станкевич", id="a surname like a patronymic"),
        pytest.param("Станкевич Анна", "Анна", "Станкевич", id="the same, turned"),
        pytest.param("Анна Ивановна Станкевич", "Анна Ивановна", "Станкевич", id="with both"),
        pytest.param("Станкевич Анна Ивановна", "Анна Ивановна", "Станкевич", id="both, turned"),
        pytest.param("Лебедева, Татьяна", "Татьяна", "Лебедева", id="Russian with a comma"),
    ],
)
def test_a_full_name_is_split(written: str, first: str, last: str) -> None:
    assert (first, last) == read_full_name(written)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        pytest.param("Gil Soto Ana", "Ana", "Gil Soto", id="two surnames"),
        pytest.param("Gil Soto Ana María", "Ana María", "Gil Soto", id="two and two"),
        pytest.param("Smith John", "John", "Smith", id="one and one"),
        pytest.param("Ана Гиль", "Гиль", "Ана", id="Russian"),
        pytest.param("Татьяна Лебедева", "Лебедева", "Татьяна", id="the header goes before"),
        pytest.param("Ana", "Ana", "", id="one word"),
    ],
)
def test_a_column_may_say_that_the_surname_goes_first(written: str, first: str, last: str) -> None:
    assert (first, last) == read_full_name(written, surname_first=True)
