"""Approved texts of WhatsApp: an account's content, and what a client puts into its places.

https://www.twilio.com/docs/content/using-variables-with-content-api
"""

import json
import re
from collections.abc import Mapping
from typing import Final

from sandbox.twilio_errors import Refusal, TwilioRefusalError

_SID: Final = re.compile(r"HX[0-9a-fA-F]{32}")
_PLACE: Final = re.compile(r"\{\{(\w+)\}\}")
# What WhatsApp does not let stand in a place: https://www.twilio.com/docs/api/errors/63013
_UNFIT: Final = re.compile(r"\n|\s{5,}")
_LONGEST: Final = 1024
AGAINST_POLICY: Final = 63013
INVALID_CONTENT: Final = 63021


def render(sid: str, variables: str, contents: Mapping[str, str]) -> tuple[str, int | None]:
    """Return what the recipient would read, and the ErrorCode with which it stays undelivered.

    Args:
        sid: The content's id.
        variables: What stands in its places, as a JSON object.
        contents: The account's texts by their ids, with places such as ``{{1}}``. Empty: every id
            is known, and its text is its variables in their order.

    Raises:
        TwilioRefusalError: No such content, or the variables are no JSON object of texts.
    """
    values = _values_in(variables)
    if not _SID.fullmatch(sid) or (contents and sid not in contents):
        raise TwilioRefusalError(Refusal.CONTENT_INVALID)
    text = contents.get(sid, " ".join(f"{{{{{name}}}}}" for name in values))
    body = _PLACE.sub(lambda place: values.get(place[1], place[0]), text)
    if any(not value.strip() or _UNFIT.search(value) for value in values.values()):
        return body, AGAINST_POLICY
    return body, INVALID_CONTENT if len(body) > _LONGEST else None


def _values_in(variables: str) -> dict[str, str]:
    try:
        values = json.loads(variables)
    except json.JSONDecodeError as error:
        raise TwilioRefusalError(Refusal.CONTENT_VARIABLES_INVALID) from error
    if not isinstance(values, dict) or not all(isinstance(one, str) for one in values.values()):
        raise TwilioRefusalError(Refusal.CONTENT_VARIABLES_INVALID)
    return values
