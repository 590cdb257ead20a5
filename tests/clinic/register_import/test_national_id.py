"""National ids: checked where a country's are known, kept as they are elsewhere."""

import pytest

from clinic.register_import.national_id import known_countries, read_national_id

# of python-stdnum's own documentation: valid in form, nobody's in particular
VALID = {
    "AR": "20-05536168-2",
    "BR": "390.533.447-05",
    "CL": "12.531.909-2",
    "CR": "3-0455-0175",
    "CU": "91021027775",
    "DO": "00113918205",
    "EC": "171430710-3",
    "ES": "54362315-K",
    "FR": "2 95 10 99 126 111 93",
    "GB": "943-476-5870",
    "IT": "RCCMNL83S18D969H",
    "MX": "BOXW310820HNERXN09",
    "PE": "10117410-2",
    "PT": "00000000 0 ZZ4",
    "RU": "123456789047",
    "UA": "1759013776",
    "US": "536-90-4399",
    "VE": "V-11470283-4",
}
WRONG = {
    "AR": "20-05536168-3",
    "BR": "390.533.447-06",
    "CL": "12531909-3",
    "CR": "30-1234-1234",
    "DO": "00113918204",
    "EC": "1714307104",
    "ES": "54362315Z",
    "FR": "295109912611199",
    "GB": "9434765871",
    "IT": "RCCMNL83S18D969G",
    "MX": "BOXW310820HNERXN08",
    "PE": "10117410-3",
    "PT": "00000000 0 ZZ3",
    "RU": "123456789037",
    "UA": "1759013770",
    "US": "666-00-0000",
    "VE": "V-11470283-3",
}


def test_every_country_of_the_table_is_tried_here() -> None:
    assert known_countries().keys() == VALID.keys()


@pytest.mark.parametrize("country", VALID)
def test_a_valid_id_is_kept_in_its_compact_form(country: str) -> None:
    compact = read_national_id(VALID[country], country)
    assert compact.isalnum()
    assert compact == read_national_id(compact, country)


@pytest.mark.parametrize("country", WRONG)
def test_a_wrong_check_digit_or_part_is_refused_by_name(country: str) -> None:
    with pytest.raises(ValueError, match=f"`{WRONG[country]}` is no national id of {country}: "):
        read_national_id(WRONG[country], country)


@pytest.mark.parametrize(
    ("written", "country", "compact"),
    [
        pytest.param("X-5253868-R", "ES", "X5253868R", id="a second kind of id"),
        pytest.param("20.123.456", "AR", "20123456", id="an id without a check digit"),
        pytest.param("AB 123456", "CL", "AB123456", id="a foreigner's passport"),
        pytest.param("4509 123456", "RU", "4509123456", id="a passport as long as a firm's number"),
        pytest.param("V-11470283", "VE", "V11470283", id="a cedula as part of a tax number"),
        pytest.param("1.020.304.050", "CO", "1020304050", id="a country without a check"),
        pytest.param("112-233-445 95", "RU", "11223344595", id="another document"),
        pytest.param("ab-12345", "XX", "AB12345", id="no country"),
    ],
)
def test_what_has_not_the_form_of_the_countrys_ids_is_kept_as_it_is(
    written: str, country: str, compact: str
) -> None:
    assert compact == read_national_id(written, country)


@pytest.mark.parametrize("written", ["1234", "x", "pendiente", "999999999", "00000000-0"])
@pytest.mark.parametrize("country", ["CL", "CO"])
def test_what_only_fills_the_field_is_refused(written: str, country: str) -> None:
    with pytest.raises(ValueError, match=f"`{written}` is no national id"):
        read_national_id(written, country)
