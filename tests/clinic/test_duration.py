"""Durations as people write and read them."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from clinic.duration import Duration, spoken

READER: TypeAdapter[timedelta] = TypeAdapter(Duration)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("3 days", timedelta(days=3), id="plural"),
        pytest.param("1 day", timedelta(days=1), id="singular"),
        pytest.param("8 seconds", timedelta(seconds=8), id="seconds"),
        pytest.param("8s", timedelta(seconds=8), id="short, without a space"),
        pytest.param("90 min", timedelta(minutes=90), id="minutes, short"),
        pytest.param("2 h", timedelta(hours=2), id="hours, short"),
        pytest.param(" 2 Weeks ", timedelta(weeks=2), id="capitals and spaces"),
        pytest.param("1.5 hours", timedelta(minutes=90), id="a fraction"),
        pytest.param("-2 days", timedelta(days=-2), id="a minus is read; who uses it refuses it"),
        pytest.param("P3DT12H", timedelta(days=3, hours=12), id="ISO 8601"),
        pytest.param(timedelta(days=2), timedelta(days=2), id="a duration"),
    ],
)
def test_a_duration_is_read(written: object, expected: timedelta) -> None:
    assert expected == READER.validate_python(written)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param(3, "3 has no unit: write for example `3 days`", id="a bare number"),
        pytest.param("3", "3 has no unit: write for example `3 days`", id="a bare number, quoted"),
        pytest.param("1.5", "1.5 has no unit", id="a fraction, quoted"),
        pytest.param(1.5, "1.5 has no unit", id="a bare fraction"),
        pytest.param("3 months", "unknown unit `months`", id="months have no length"),
        pytest.param("3 дня", "valid timedelta", id="another language"),
        pytest.param("soon", "valid timedelta", id="a word"),
        pytest.param("", "valid timedelta", id="nothing"),
        pytest.param("99999999999 weeks", "`99999999999 weeks` is too long a time", id="for ever"),
    ],
)
def test_what_is_no_duration_is_refused(written: object, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        READER.validate_python(written)
    assert said in str(refused.value)


def test_a_duration_travels_as_json_and_back() -> None:
    plain = READER.dump_json(timedelta(days=3, minutes=5))
    assert timedelta(days=3, minutes=5) == READER.validate_json(plain)


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        (timedelta(days=14), "2 weeks"),
        (timedelta(days=3), "3 days"),
        (timedelta(days=1), "1 day"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(seconds=61), "61 seconds"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_a_duration_is_said_in_its_largest_whole_unit(duration: timedelta, expected: str) -> None:
    assert expected == spoken(duration)
