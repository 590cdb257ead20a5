"""The clinic's own words for people: one text for everybody, or one for each language."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

LANGUAGES = ("es", "ru", "en")

_LONGEST_TITLE = 70
"""Characters; a campaign's name is made of a title and a day."""


class Saying(NamedTuple):
    """A text, and the language that it is in.

    Attributes:
        language: `es`, `ru`, `en`; empty: the file does not say.
    """

    text: str
    language: str


class Multilingual(BaseModel):
    """A text as a file gives it: `come back`, or `{es: vuelva, ru: ..., en: ...}`, or nothing.

    Attributes:
        every: The text that was given for every language at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    es: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    ru: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    en: Annotated[str, StringConstraints(strip_whitespace=True)] = ""
    every: Annotated[str, StringConstraints(strip_whitespace=True)] = ""

    @model_validator(mode="before")
    @classmethod
    def _one_or_each(cls, written: object) -> object:
        if isinstance(written, str):
            return {"every": written}
        if not isinstance(written, Mapping) or not written:
            raise ValueError("expected a text, or one for each language: {es: ..., ru: ...}")
        if "every" in written:
            raise ValueError("for every language at once, write the text itself")
        return written

    def said(self, *languages: str) -> Saying:
        """Return the text in the first of some languages that it is given in, else in any.

        Args:
            languages: The reader's own first.
        """
        for language in (*languages, *LANGUAGES):
            if text := getattr(self, language, ""):
                return Saying(text, language)
        return Saying(self.every, "")


def _as_title(title: Multilingual) -> Multilingual:
    for text in (title.es, title.ru, title.en, title.every):
        if len(text) > _LONGEST_TITLE or (text and not text.isprintable()):
            raise ValueError(f"a title is one line of at most {_LONGEST_TITLE} characters")
    return title


Title = Annotated[Multilingual, AfterValidator(_as_title)]
"""What a file is called where people choose it."""

NOTHING = Multilingual.model_construct()
"""No text at all."""
