"""Segments are counted as 3GPP TS 23.038 and 23.040 have it."""

import pytest

from sandbox.sms_segments import segments_of


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        pytest.param("", 1, id="empty"),
        pytest.param("a" * 160, 1, id="the longest single GSM-7"),
        pytest.param("a" * 161, 2, id="one more"),
        pytest.param("a" * 306, 2, id="two full joined ones"),
        pytest.param("a" * 307, 3, id="one more than two"),
        pytest.param("ñéüà" * 40, 1, id="Spanish letters that GSM-7 has"),
        pytest.param("á" + "a" * 69, 1, id="the longest single UCS-2"),
        pytest.param("á" + "a" * 70, 2, id="one letter outside GSM-7 changes all"),
        pytest.param("я" * 134, 2, id="two full Cyrillic ones"),
        pytest.param("я" * 135, 3, id="one more than two, Cyrillic"),
        pytest.param("€" * 80, 1, id="an extension character takes two septets"),
        pytest.param("€" * 81, 2, id="one more of them"),
        pytest.param("😀" * 35, 1, id="an emoji takes two units"),
        pytest.param("😀" * 36, 2, id="one more of them, emoji"),
    ],
)
def test_a_text_takes_so_many_segments(text: str, segments: int) -> None:
    assert segments_of(text) == segments
