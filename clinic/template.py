"""What patients read, and staff say: one content in every language and for every channel."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2 import Template as JinjaTemplate
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from clinic.multilingual import NOTHING, Multilingual, Title
from clinic.plan import CALL

PLACEHOLDERS = frozenset({"first_name", "clinic", "clinic_phone", "booking_url", "link"})
"""What a text may name. Health privacy asks for the minimum: no treatment, reason or diagnosis."""

TOGETHER_PLACEHOLDERS = PLACEHOLDERS | {"names"}
"""What a text for a household may name: `names` are the first names of all whom it concerns."""

_EMAIL, _WHATSAPP = "email", "whatsapp"
_JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False, cache_size=400)


def _checked(source: str, placeholders: frozenset[str] = PLACEHOLDERS) -> str:
    try:
        named = _named_in(source)
    except TemplateError as error:
        raise ValueError(f"not a template: {error.message}") from None
    if unknown := sorted(named - placeholders):
        known = ", ".join(sorted(placeholders))
        raise ValueError(f"unknown placeholder {{{{ {unknown[0]} }}}} (known: {known})")
    return source


def _checked_together(source: str) -> str:
    return _checked(source, TOGETHER_PLACEHOLDERS)


def _named_in(source: str) -> set[str]:
    return meta.find_undeclared_variables(_JINJA.parse(source))


def _numbered(values: dict[str, Any]) -> dict[str, Any]:
    wanted = [str(number) for number in range(1, len(values) + 1)]
    if set(values) != set(wanted):
        raise ValueError(f"values are numbered from 1 on: {', '.join(wanted)}")
    return values


Source = Annotated[str, AfterValidator(_checked)]
SharedSource = Annotated[str, AfterValidator(_checked_together)]
ApprovedText = Annotated[str, Field(pattern=r"^(HX[0-9a-fA-F]{32})?$")]
"""Twilio's id of a text that WhatsApp has approved."""
Values = Annotated[dict[str, Source], AfterValidator(_numbered)]
SharedValues = Annotated[dict[str, SharedSource], AfterValidator(_numbered)]


class TogetherWords(BaseModel):
    """A text for several people of one household, or for whoever is responsible for a child.

    Attributes:
        subject: Where it is empty, that of the text for one person.
        text: What they read.
        script: What staff are told before the script for one person, which follows it.
        approved_text: The provider's id of the text, approved beforehand; where it is empty, that
            of the text for one person, with its values.
        values: What stands in its places, by their number.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: SharedSource = ""
    text: SharedSource = ""
    script: SharedSource = ""
    approved_text: ApprovedText = ""
    values: SharedValues = {}


class Words(BaseModel):
    """A text for one channel in one language; which parts it needs is the channel's matter.

    Attributes:
        approved_text: The provider's id of the text, where it has to be approved beforehand; then
            `text` repeats what the approved one says.
        values: What stands in the approved text's places, by their number.
        together: The text for a household; without it, the text for one person is used, and
            `first_name` stands for all their names.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: Source = ""
    text: Source = ""
    script: Source = ""
    approved_text: ApprovedText = ""
    values: Values = {}
    together: TogetherWords | None = None


class Template(BaseModel):
    """One content: language, then channel, to words.

    Attributes:
        title: What staff call it; no patient reads it.
        description: Likewise, what it is for.
        kind: An offer of any sort makes a reminder advertising, which needs other consent.
        asks: Where it is `yes_or_no`, a clear yes or no is an answer (`clinic.reply_reading`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: Title = NOTHING
    description: Multilingual = NOTHING
    kind: Literal["reminder", "advertising"]
    asks: Literal["yes_or_no"] | None = None
    es: dict[str, Words] = {}
    ru: dict[str, Words] = {}
    en: dict[str, Words] = {}

    def speaks(self, language: str, channel: str) -> bool:
        """Whether there are words for a channel in a language."""
        return channel in self._language(language)

    def gap(self, language: str, channel: str) -> str | None:
        """Return what is lacking for a channel in a language; None where nothing is.

        Every message needs the patient's link: it is how a patient says stop, and how a message
        is found again at the provider.
        """
        words = self._language(language).get(channel)
        if words is None:
            return f"no text for {channel} in `{language}`"
        where = f"for {channel} in `{language}`"
        if channel == CALL:
            return None if words.script else f"no script {where}"
        if not words.text:
            return f"an empty text {where}"
        if channel == _EMAIL and not words.subject:
            return f"no subject {where}"
        if "link" not in _named_in(words.text):
            return f"no {{{{ link }}}} {where}"
        if channel == _WHATSAPP and (lacking := _lacking_approval(words)):
            return f"no {lacking} {where}"
        lacking = _lacking_together(words.together)
        return f"no {lacking} {where}, together" if lacking else None

    def render(self, language: str, channel: str, values: dict[str, str]) -> Words:
        """Fill the placeholders of the words for one channel in one language."""
        words = self._language(language)[channel]
        return Words.model_construct(
            subject=_fill(words.subject, values),
            text=_fill(words.text, values),
            script=_fill(words.script, values),
            approved_text=words.approved_text,
            values=_fill_all(words.values, values),
        )

    def render_together(
        self, language: str, channel: str, values: dict[str, str], names: str
    ) -> Words:
        """Fill the words for several people of a household, or for one's guardian.

        Args:
            language: One that this template speaks on the channel.
            channel: The channel's name.
            values: What the placeholders stand for; `first_name` is that of the patient whose
                message it is.
            names: The first names of all whom it concerns, as the language writes lists.
        """
        words = self._language(language)[channel]
        shared = words.together
        if shared is None:
            return self.render(language, channel, values | {"first_name": names})
        named = values | {"first_name": names, "names": names}
        before = _fill(shared.script, named)
        script = _fill(words.script, values)
        approved = shared if shared.approved_text else words
        return Words.model_construct(
            subject=_fill(shared.subject or words.subject, named),
            text=_fill(shared.text or words.text, named),
            script=f"{before}\n\n{script}" if before else script,
            approved_text=approved.approved_text,
            values=_fill_all(approved.values, named),
        )

    def _language(self, language: str) -> dict[str, Words]:
        by_language: dict[str, dict[str, Words]] = {"es": self.es, "ru": self.ru, "en": self.en}
        return by_language[language]


def _lacking_approval(words: Words | TogetherWords) -> str | None:
    """Return what WhatsApp needs and a text lacks: it takes approved texts only, nearly always."""
    if not words.approved_text:
        return "approved_text"
    named: set[str] = set().union(*map(_named_in, words.values.values()))
    return None if "link" in named else "{{ link }} among the values"


def _lacking_together(shared: TogetherWords | None) -> str | None:
    """Return what a household's text lacks: all read it, so it names them all."""
    if shared is None:
        return None
    named = _named_in(shared.text)
    if shared.text and "link" not in named:
        return "{{ link }}"
    if shared.text and not named & {"names", "first_name"}:
        return "{{ names }}"
    return _lacking_approval(shared) if shared.approved_text else None


def _fill(source: str, values: dict[str, str]) -> str:
    return _compiled(source).render(values).strip()


def _fill_all(sources: Mapping[str, str], values: dict[str, str]) -> dict[str, str]:
    return {number: _fill(source, values) for number, source in sources.items()}


@lru_cache(maxsize=500)
def _compiled(source: str) -> JinjaTemplate:
    return _JINJA.from_string(source)
