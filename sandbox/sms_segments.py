"""Into how many segments a text message is cut, which is what it costs.

The rule is 3GPP TS 23.038 (the GSM 7-bit alphabet and its extension table) with 3GPP TS 23.040
(the header that joins segments takes six bytes of 140). One character outside the alphabet turns
the whole message into UCS-2.
"""

import math
from typing import Final

_GSM_7: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# An escape and a character: two septets.
_GSM_7_EXTENSION: Final = frozenset("\f^{}\\[~]|€")

_GSM_7_ALONE, _GSM_7_JOINED = 160, 153
_UCS_2_ALONE, _UCS_2_JOINED = 70, 67


def segments_of(text: str) -> int:
    """Return the number of SMS segments of a text; an empty text takes one."""
    characters = frozenset(text)
    if characters <= _GSM_7 | _GSM_7_EXTENSION:
        units = sum(2 if character in _GSM_7_EXTENSION else 1 for character in text)
        alone, joined = _GSM_7_ALONE, _GSM_7_JOINED
    else:
        # In UTF-16 code units: an emoji takes two.
        units = len(text.encode("utf-16-be")) // 2
        alone, joined = _UCS_2_ALONE, _UCS_2_JOINED
    return 1 if units <= alone else math.ceil(units / joined)
