"""What patients read, and staff say: one content in every language and for every channel."""

from functools import lru_cache
from typing import Annotated, Literal

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2 import Template as JinjaTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import AfterValidator, BaseModel, ConfigDict

from clinic.plan import CALL

PLACEHOLDERS = frozenset({"first_name", "clinic", "clinic_phone", "booking_url", "link"})
"""What a text may name. Health privacy asks for the minimum: no treatment, reason or diagnosis."""

_EMAIL = "email"
_JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, cache_size=400)


def _checked(source: str) -> str:
    try:
        named = meta.find_undeclared_variables(_JINJA.parse(source))
    except TemplateError as error:
        raise ValueError(f"not a template: {error.message}") from None
    if unknown := sorted(named - PLACEHOLDERS):
        known = ", ".join(sorted(PLACEHOLDERS))
        raise ValueError(f"unknown placeholder {{{{ {unknown[0]} }}}} (known: {known})")
    return source


Source = Annotated[str, AfterValidator(_checked)]


class Words(BaseModel):
    """A text for one channel in one language; which parts it needs is the channel's matter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Source = ""
    text: Source = ""
    script: Source = ""


class Template(BaseModel):
    """One content: language, then channel, to words.

    Attributes:
        kind: An offer of any sort makes a reminder advertising, which needs other consent.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["reminder", "advertising"]
    es: dict[str, Words] = {}
    ru: dict[str, Words] = {}
    en: dict[str, Words] = {}

    def speaks(self, language: str, channel: str) -> bool:
        """Whether there are words for a channel in a language."""
        return channel in self._language(language)

    def gap(self, language: str, channel: str) -> str | None:
        """Return what is lacking for a channel in a language; None where nothing is.

        Every message needs the patient's link: it is how a patient says stop, and how an SMS is
        found again at the provider.
        """
        words = self._language(language).get(channel)
        if words is None:
            return f"no text for {channel} in `{language}`"
        if channel == CALL:
            return None if words.script else f"no script for {channel} in `{language}`"
        if not words.text:
            return f"an empty text for {channel} in `{language}`"
        if channel == _EMAIL and not words.subject:
            return f"no subject for {channel} in `{language}`"
        named = meta.find_undeclared_variables(_JINJA.parse(words.text))
        return None if "link" in named else f"no {{{{ link }}}} for {channel} in `{language}`"

    def render(self, language: str, channel: str, values: dict[str, str]) -> Words:
        """Fill the placeholders of the words for one channel in one language."""
        words = self._language(language)[channel]
        return Words.model_construct(
            subject=_fill(words.subject, values),
            text=_fill(words.text, values),
            script=_fill(words.script, values),
        )

    def _language(self, language: str) -> dict[str, Words]:
        by_language: dict[str, dict[str, Words]] = {"es": self.es, "ru": self.ru, "en": self.en}
        return by_language[language]


def _fill(source: str, values: dict[str, str]) -> str:
    return _compiled(source).render(values).strip()


@lru_cache(maxsize=500)
def _compiled(source: str) -> JinjaTemplate:
    return _JINJA.from_string(source)
