"""What a household reads: all whom it concerns are named, as their language writes lists."""

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from channels.gsm7 import fold_accents
from clinic.folder import ClinicFolder
from clinic.multilingual import LANGUAGES
from clinic.plan import Step
from clinic.refusal import Refusal
from clinic.template import PLACEHOLDERS, TOGETHER_PLACEHOLDERS, Template, Words
from clinic.wording import listed, words_for
from sandbox.sms_segments import segments_of

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile

FOLDER = ClinicFolder(Path(__file__).parents[2] / "examples" / "clinic")
TEMPLATES = FOLDER.names("templates")
LINK = "https://come-back.clinica-aurora.example/p/" + "x" * 32
ONE_PART, TWO_PARTS = 160, 134
FAMILY = {"es": "toda la familia", "ru": "дорогая семья", "en": "the whole family"}
FEW = {"es": ["Ana", "Luis"], "ru": ["Алиса", "Яна"], "en": ["Ana", "Luis"]}
FOUR = {
    "es": ["Ana", "Luis", "Eva", "Inés"],
    "ru": ["Екатерина", "Александра", "Алиса", "Владимир"],
    "en": ["Ana", "Luis", "Eva", "Inés"],
}
SHARED = Template.model_validate(
    {
        "name": "hello",
        "kind": "reminder",
        "en": {
            "email": {
                "subject": "From {{ clinic }}",
                "text": "Hi {{ first_name }}: {{ link }}",
                "together": {"text": "Dear all, {{ names }}: {{ link }}"},
            },
            "sms": {"text": "Hi {{ first_name }}: {{ link }}"},
            "call": {
                "script": "Ask for {{ first_name }}.",
                "together": {"script": "All of them: {{ names }}."},
            },
        },
    }
)


def words(template: Template, channel: str, names: list[str], language: str = "en") -> Words:
    step = Step.model_validate({"channel": channel, "template": "hello", "wait": "1 day"})
    return words_for(
        template,
        step,
        first_name="Ana",
        language=language,
        link=LINK,
        profile=FOLDER.profile,
        together=names,
    )


@pytest.mark.parametrize(
    ("names", "language", "expected"),
    [
        pytest.param(["Ana"], "es", "Ana", id="one"),
        pytest.param(["Ana", "Luis"], "es", "Ana y Luis", id="two"),
        pytest.param(["Ana", "Luis", "Eva"], "es", "Ana, Luis y Eva", id="three"),
        pytest.param(["Ana", "Inés"], "es", "Ana e Inés", id="e before i"),
        pytest.param(["Ana", "Luis", "Hilda"], "es", "Ana, Luis e Hilda", id="e before hi"),
        pytest.param(["Ana", "Iago"], "es", "Ana y Iago", id="y before a diphthong"),
        pytest.param(["Inés", "Ana"], "es", "Inés y Ana", id="only the last one counts"),
        pytest.param(["Алиса", "Яна", "Иван"], "ru", "Алиса, Яна и Иван", id="Russian"),
        pytest.param(["Ana", "Ivan"], "en", "Ana and Ivan", id="English"),
    ],
)
def test_names_are_listed_as_the_language_does(
    names: list[str], language: str, expected: str
) -> None:
    assert expected == listed(names, language)


def test_a_household_reads_the_text_for_several() -> None:
    read = words(SHARED, "email", ["Ana", "Eva"])
    assert (read.subject, read.text) == (
        f"From {FOLDER.profile.name}",
        f"Dear all, Ana and Eva: {LINK}",
    )


def test_without_such_a_text_the_first_name_stands_for_all_their_names() -> None:
    assert words(SHARED, "sms", ["Ana", "Eva"]).text == f"Hi Ana and Eva: {LINK}"


def test_whoever_calls_is_told_about_the_household_before_the_script() -> None:
    five = ["Ana", "Eva", "Luis", "Inés", "Iván"]
    script = words(SHARED, "call", five).script
    assert script == "All of them: Ana, Eva, Luis, Inés, and Iván.\n\nAsk for Ana."


def test_more_than_four_are_a_family() -> None:
    read = words(SHARED, "email", ["Ana", "Eva", "Luis", "Inés", "Iván"])
    assert read.text == f"Dear all, the whole family: {LINK}"


@pytest.mark.parametrize(
    ("name", "named"),
    [
        pytest.param("A" * 74, True, id="just fits into a part"),
        pytest.param("A" * 75, False, id="too long for one part"),
        pytest.param("Ж" * 48, True, id="just fits into two parts"),
        pytest.param("Ж" * 49, False, id="too long for two parts beyond the alphabet"),
    ],
)
def test_names_too_long_for_an_sms_are_a_family(
    name: str,
    named: bool,  # noqa: FBT001 - a column of the table
) -> None:
    text = words(SHARED, "sms", [name, name[:1]]).text
    size = len(f"Hi {name} and {name[:1]}: {LINK}")
    assert named == (size <= (ONE_PART if name[0] == "A" else TWO_PARTS))
    assert named == (name in text)
    assert named != ("the whole family" in text)


@pytest.mark.parametrize("name", ["{{ link }}", "{% for x in y %}"])
def test_a_name_in_a_household_is_never_taken_for_a_template(name: str) -> None:
    assert words(SHARED, "email", ["Ana", name]).text == f"Dear all, Ana and {name}: {LINK}"


@pytest.mark.parametrize(
    ("template", "channel", "language", "names"),
    [*product(TEMPLATES, ("email", "sms"), LANGUAGES, (FEW, FOUR))],
)
def test_the_examples_texts_for_a_household_name_them_and_hold_the_link_once(
    template: str, channel: str, language: str, names: dict[str, list[str]]
) -> None:
    read = words(FOLDER.template(template), channel, names[language], language)
    assert read.text.count(LINK) == 1
    assert listed(names[language], language) in read.text or FAMILY[language] in read.text
    assert (FOLDER.profile.sms_name if channel == "sms" else FOLDER.profile.name) in read.text
    assert FOLDER.profile.phone in read.text
    assert "{{" not in read.subject + read.text


@pytest.mark.parametrize(
    ("template", "language", "names"),
    [*product(TEMPLATES, LANGUAGES, (FEW, FOUR, {"es": ["Eva"], "ru": ["Ян"], "en": ["Eva"]}))],
)
def test_the_examples_sms_for_a_household_stay_within_their_limits(
    template: str, language: str, names: dict[str, list[str]]
) -> None:
    text = words(FOLDER.template(template), "sms", names[language], language).text
    if language == "ru":
        assert len(text) <= TWO_PARTS
        assert segments_of(text) == 2
    else:
        assert len(text) <= ONE_PART
        assert segments_of(fold_accents(text)) == 1


@pytest.mark.parametrize(("template", "language"), [*product(TEMPLATES, LANGUAGES)])
def test_two_short_names_are_named_in_the_examples_sms(template: str, language: str) -> None:
    read = words(FOLDER.template(template), "sms", FEW[language], language)
    assert listed(FEW[language], language) in read.text


@pytest.mark.parametrize(("template", "language"), [*product(TEMPLATES, LANGUAGES)])
def test_the_examples_scripts_name_the_household_first(template: str, language: str) -> None:
    alone = words(FOLDER.template(template), "call", [], language).script
    script = words(FOLDER.template(template), "call", FOUR[language], language).script
    first, _, rest = script.partition("\n\n")
    assert listed(FOUR[language], language) in first
    assert rest == alone


@pytest.mark.parametrize(
    ("together", "expected"),
    [
        pytest.param("{{ names }}", "no {{ link }} for sms in `en`, together", id="no link"),
        pytest.param("{{ link }}", "no {{ names }} for sms in `en`, together", id="nobody named"),
        pytest.param("{{ first_name }} {{ link }}", None, id="named by another word"),
        pytest.param("", None, id="no text for several"),
    ],
)
def test_a_text_for_several_that_lacks_something_says_so(
    together: str, expected: str | None
) -> None:
    sms = {"text": "{{ link }}", "together": {"text": together}}
    template = Template.model_validate({"name": "x", "kind": "reminder", "en": {"sms": sms}})
    assert expected == template.gap("en", "sms")


def test_a_text_for_several_is_checked_with_its_place(yaml_file: "YamlFile") -> None:
    sms = "{text: hi, together: {text: '{{ treatment }}'}}"
    document = yaml_file.holding(f"kind: reminder\nen:\n  sms: {sms}\n")
    with pytest.raises(Refusal) as refused:
        document.as_model(Template, name="hello")
    assert "en.sms.together.text: unknown placeholder {{ treatment }}" in str(refused.value)


WHATSAPP = {
    "text": "Hi {{ first_name }}: {{ link }}",
    "approved_text": "HX" + "1" * 32,
    "values": {"1": "{{ first_name }}", "2": "{{ link }}"},
}
FOR_SEVERAL = {
    "text": "Dear all, {{ names }}: {{ link }}",
    "approved_text": "HX" + "2" * 32,
    "values": {"1": "{{ link }}", "2": "{{ names }}"},
}


def on_whatsapp(**together: object) -> Template:
    spoken = {**WHATSAPP, "together": together} if together else WHATSAPP
    return Template.model_validate(
        {"name": "x", "kind": "reminder", "en": {"whatsapp": spoken}, "es": {}, "ru": {}}
    )


@pytest.mark.parametrize(
    ("together", "approved", "values"),
    [
        pytest.param({}, "HX" + "1" * 32, {"1": "Ana and Eva", "2": LINK}, id="one text for all"),
        pytest.param(
            FOR_SEVERAL, "HX" + "2" * 32, {"1": LINK, "2": "Ana and Eva"}, id="one for several"
        ),
        pytest.param(
            {"text": FOR_SEVERAL["text"]},
            "HX" + "1" * 32,
            {"1": "Ana and Eva", "2": LINK},
            id="only the free text is for several",
        ),
    ],
)
def test_a_households_approved_text_names_them_all(
    together: dict[str, object], approved: str, values: dict[str, str]
) -> None:
    template = on_whatsapp(**together)
    assert template.gap("en", "whatsapp") is None
    read = words(template, "whatsapp", ["Ana", "Eva"])
    assert (read.approved_text, read.values) == (approved, values)


def test_a_households_approved_text_needs_the_link_among_its_values() -> None:
    template = on_whatsapp(approved_text="HX" + "2" * 32, values={"1": "{{ names }}"})
    expected = "no {{ link }} among the values for whatsapp in `en`, together"
    assert template.gap("en", "whatsapp") == expected


def test_names_on_whatsapp_need_not_fit_into_an_sms() -> None:
    names = ["María de los Ángeles " + "A" * 40, "B" * 60, "C" * 60]
    assert all(name in words(on_whatsapp(), "whatsapp", names).text for name in names)


def test_a_text_for_one_has_no_names(yaml_file: "YamlFile") -> None:
    document = yaml_file.holding("kind: reminder\nen: {sms: {text: '{{ names }}'}}\n")
    with pytest.raises(Refusal) as refused:
        document.as_model(Template, name="hello")
    assert "unknown placeholder {{ names }}" in str(refused.value)


def test_a_household_hears_nothing_about_health_either() -> None:
    assert PLACEHOLDERS | {"names"} == TOGETHER_PLACEHOLDERS
