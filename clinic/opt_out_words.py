"""Does a reply mean "stop"? Only a message that is nothing but one of the known words does."""

from functools import cache
from pathlib import Path

import yaml

from clinic.plain_text import plain


def means_stop(text: str) -> bool:
    """Whether a reply says stop and nothing more: `BAJA.` yes, `can you stop by?` no."""
    return plain(text) in _words()


@cache
def _words() -> frozenset[str]:
    listed: list[str] = yaml.safe_load(
        Path(__file__).with_name("opt_out_words.yaml").read_text(encoding="utf-8")
    )
    return frozenset(plain(word) for word in listed)
