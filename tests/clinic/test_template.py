"""Templates and what one patient reads: known placeholders, nothing run, the minimum said."""

from typing import TYPE_CHECKING

import pytest

from clinic.folder import ClinicProfile
from clinic.plan import Step
from clinic.refusal import Refusal
from clinic.template import PLACEHOLDERS, Template
from clinic.wording import language_for, words_for

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile

TEMPLATE = Template.model_validate(
    {
        "name": "hello",
        "kind": "reminder",
        "en": {
            "email": {"subject": "From {{ clinic }}", "text": "Hi {{ first_name }}: {{ link }}\n"},
            "sms": {"text": "{{ clinic }}, {{ clinic_phone }}: {{ link }}"},
            "call": {"script": "Ask for {{ first_name }}; book at {{ booking_url }}"},
        },
        "es": {"email": {"subject": "s", "text": "Hola {{ first_name }}"}},
    }
)
PROFILE = ClinicProfile(
    name="Clínica Aurora",
    sms_name="Aurora",
    country="US",
    timezone="America/New_York",
    language="es",
    phone="+13055550100",
    booking_url="https://aurora.example/book",
    contact_policy="daytime",
)


def read(channel: str, *, first_name: str = "Ana", profile: ClinicProfile = PROFILE) -> list[str]:
    step = Step.model_validate({"channel": channel, "template": "hello", "wait": "1 day"})
    words = words_for(
        TEMPLATE, step, first_name=first_name, language="en", link="http://x/p/1", profile=profile
    )
    return [words.subject, words.text, words.script]


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        pytest.param("email", ["From Clínica Aurora", "Hi Ana: http://x/p/1", ""], id="email"),
        pytest.param(
            "sms", ["", "Aurora, +13055550100: http://x/p/1", ""], id="sms, by the short name"
        ),
        pytest.param(
            "call", ["", "", "Ask for Ana; book at https://aurora.example/book"], id="call"
        ),
    ],
)
def test_a_channels_words_are_filled(channel: str, expected: list[str]) -> None:
    assert expected == read(channel)


def test_a_clinic_without_a_short_name_uses_its_own() -> None:
    profile = PROFILE.model_copy(update={"sms_name": ""})
    assert read("sms", profile=profile)[1].startswith("Clínica Aurora, ")


@pytest.mark.parametrize("name", ["{{ link }}", "{% for x in y %}", "<b>Ana</b>", "Ana & Eva"])
def test_a_patients_name_is_never_taken_for_a_template(name: str) -> None:
    assert f"Hi {name}: http://x/p/1" == read("email", first_name=name)[1]


@pytest.mark.parametrize(
    ("language", "channel", "speaks"),
    [("en", "sms", True), ("es", "email", True), ("es", "sms", False), ("ru", "email", False)],
)
def test_a_template_knows_what_it_speaks(
    language: str,
    channel: str,
    speaks: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert speaks == TEMPLATE.speaks(language, channel)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("ru", "ru"), ("en", "en"), ("es", "es"), ("fr", "es"), (None, "es")],
    ids=str,
)
def test_a_patient_reads_their_language_or_the_clinics(written: str | None, expected: str) -> None:
    assert expected == language_for(written, PROFILE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "{{ treatment }}",
            ":4: en.sms.text: unknown placeholder {{ treatment }} (known: booking_url",
            id="a treatment has no place in a message",
        ),
        pytest.param("{{ first_name ", ":4: en.sms.text: not a template: ", id="an open brace"),
        pytest.param("{% if %}", ":4: en.sms.text: not a template: ", id="half a condition"),
        pytest.param("{{ link | nothing }}", ":4: en.sms.text: not a template: ", id="no filter"),
    ],
)
def test_a_text_that_is_no_template_is_refused_with_its_place(
    yaml_file: "YamlFile", text: str, expected: str
) -> None:
    document = yaml_file.holding(f"kind: reminder\nen:\n  sms:\n    text: '{text}'\n")
    with pytest.raises(Refusal) as refused:
        document.as_model(Template, name="hello")
    assert f"{document.path}{expected}" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("kind: offer\n", ":1: kind: ", id="an unknown kind"),
        pytest.param("en: {}\n", ":1: kind: is missing", id="no kind"),
        pytest.param("kind: reminder\nfr: {}\n", ":2: fr: is no field", id="another language"),
        pytest.param(
            "kind: reminder\nen: {sms: {body: x}}\n", ":2: en.sms.body: is no field", id="typo"
        ),
    ],
)
def test_a_wrong_template_is_refused_with_its_place(
    yaml_file: "YamlFile", text: str, expected: str
) -> None:
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(text).as_model(Template, name="hello")
    assert f"{yaml_file.path}{expected}" in str(refused.value)


CONTENT = "HX" + "0" * 32
APPROVED = {
    "text": "Hi {{ first_name }}: {{ link }}",
    "approved_text": CONTENT,
    "values": {"1": "{{ first_name }}", "2": "{{ link }}"},
}


def on_whatsapp(**words: object) -> Template:
    of_one = {**APPROVED, **words}
    return Template.model_validate(
        {"name": "hello", "kind": "reminder", "en": {"whatsapp": of_one, "sms": of_one}}
    )


def test_an_approved_text_has_its_values_filled() -> None:
    words = on_whatsapp().render("en", "whatsapp", {"first_name": "Ana", "link": "http://x/p/1"})
    assert words.text == "Hi Ana: http://x/p/1"
    assert (words.approved_text, words.values) == (CONTENT, {"1": "Ana", "2": "http://x/p/1"})


def test_a_patients_name_among_the_values_is_never_taken_for_a_template() -> None:
    words = on_whatsapp().render("en", "whatsapp", {"first_name": "{{ link }}", "link": "x"})
    assert words.values["1"] == "{{ link }}"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"approved_text": ""}, "no approved_text", id="no approved text"),
        pytest.param(
            {"values": {"1": "{{ first_name }}"}}, "no {{ link }} among the values", id="no link"
        ),
        pytest.param({"values": {}}, "no {{ link }} among the values", id="no values"),
        pytest.param({"text": "Hi"}, "no {{ link }}", id="no link in the text"),
        pytest.param({"text": ""}, "an empty text", id="no text"),
    ],
)
def test_what_a_text_for_whatsapp_lacks(words: dict[str, object], expected: str | None) -> None:
    gap = on_whatsapp(**words).gap("en", "whatsapp")
    assert gap == (None if expected is None else f"{expected} for whatsapp in `en`")


def test_only_whatsapp_needs_an_approved_text() -> None:
    assert on_whatsapp(approved_text="", values={}).gap("en", "sms") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("approved_text: HX1", "en.whatsapp.approved_text: ", id="no id of Twilio's"),
        pytest.param(
            "values: {1: '{{ names }}'}", "values.1: unknown placeholder {{ names }}", id="names"
        ),
        pytest.param(
            "values: {1: a, 3: b}", "values: values are numbered from 1 on: 1, 2", id="a gap"
        ),
        pytest.param("values: {first_name: a}", "values are numbered from 1 on: 1", id="a word"),
    ],
)
def test_a_wrong_approved_text_is_refused_with_its_place(
    yaml_file: "YamlFile", text: str, expected: str
) -> None:
    document = yaml_file.holding(f"kind: reminder\nen:\n  whatsapp:\n    {text}\n")
    with pytest.raises(Refusal) as refused:
        document.as_model(Template, name="hello")
    assert f"{document.path}:4: en.whatsapp." in str(refused.value)
    assert expected in str(refused.value)


def test_a_text_may_name_nothing_about_a_patients_health() -> None:
    assert {"first_name", "clinic", "clinic_phone", "booking_url", "link"} == PLACEHOLDERS
