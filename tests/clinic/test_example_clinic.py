"""The example clinic's files hold together, and its messages fit where they have to."""

import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from channels.gsm7 import fold_accents
from clinic.clinic import Clinic
from clinic.folder import ClinicFolder
from clinic.multilingual import LANGUAGES, Multilingual
from clinic.plan import Step
from clinic.register_import.import_run import import_register
from clinic.register_import.source_file import open_source
from clinic.segments import size as segment_size
from clinic.segments.unknown_words import unknown_words
from clinic.template import Words
from clinic.wording import words_for
from sandbox.sms_segments import segments_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "clinic"
FOLDER = ClinicFolder(EXAMPLE)
CHANNELS = ("email", "sms", "whatsapp", "call")
MESSAGES = ("email", "sms", "whatsapp")
LINK = "https://come-back.clinica-aurora.example/p/" + "x" * 32
README = Path(__file__).parents[2] / "README.md"
README_ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (\d+) \|", re.MULTILINE)
IMPORTED = datetime(2026, 11, 21, 17, 0, tzinfo=UTC)
"""A day at which the example's register has its figures."""

GSM7_SINGLE = 160
UCS2_TWO_PARTS = 134
WHATSAPP_LONGEST, LONG_NAME = 1024, 100
TEMPLATES = FOLDER.names("templates")


def words(template: str, channel: str, language: str, first_name: str = "María José") -> Words:
    step = Step.model_validate({"channel": channel, "template": template, "wait": "1 day"})
    return words_for(
        FOLDER.template(template),
        step,
        first_name=first_name,
        language=language,
        link=LINK,
        profile=FOLDER.profile,
    )


def every_language(*texts: Multilingual) -> bool:
    return all(text.said(each).language == each for text in texts for each in LANGUAGES)


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_named_in_every_language(name: str) -> None:
    heading = FOLDER.heading("templates", name)
    assert every_language(heading.title, heading.description)


def test_the_example_has_every_kind_of_file() -> None:
    assert FOLDER.names("plans") == ["call-first", "demo", "gentle", "standard", "whatsapp-first"]
    assert FOLDER.names("policies") == ["daytime", "round-the-clock"]
    assert TEMPLATES == ["come-back", "come-back-again"]
    assert len(FOLDER.names("segments")) >= 6


@pytest.mark.parametrize("name", FOLDER.names("plans"))
def test_a_plan_loads_and_ends_with_a_person(name: str) -> None:
    plan = FOLDER.plan(name, CHANNELS)
    assert every_language(plan.title, plan.description)
    assert plan.steps[-1].by_person


@pytest.mark.parametrize("name", FOLDER.names("segments"))
def test_a_segment_loads(name: str) -> None:
    segment = FOLDER.segment(name)
    assert every_language(segment.title, segment.description)


@pytest.mark.parametrize("name", FOLDER.names("policies"))
def test_a_policy_loads_and_only_the_demonstration_protects_nobody(name: str) -> None:
    policy = ClinicFolder(EXAMPLE, name).policy()
    assert policy.description
    assert (name == "round-the-clock") == policy.demonstration
    if not policy.demonstration:
        assert policy.contacts is not None
        assert policy.contacts.per_day == 1
        assert policy.contact_hours.sunday == ()


@pytest.mark.parametrize(
    ("template", "channel", "language"), [*product(TEMPLATES, CHANNELS, LANGUAGES)]
)
def test_every_template_speaks_every_language_on_every_channel(
    template: str, channel: str, language: str
) -> None:
    spoken = words(template, channel, language)
    needed = {"email": [spoken.subject, spoken.text], "call": [spoken.script]}
    for text in needed.get(channel, [spoken.text]):
        assert text.strip()
        assert "{{" not in text


@pytest.mark.parametrize(
    ("template", "channel", "language"), [*product(TEMPLATES, MESSAGES, LANGUAGES)]
)
def test_a_message_has_its_link_exactly_once_and_says_who_writes(
    template: str, channel: str, language: str
) -> None:
    message = words(template, channel, language)
    assert message.text.count(LINK) == 1
    assert "María José" in message.text
    name = FOLDER.profile.sms_name if channel == "sms" else FOLDER.profile.name
    assert name in message.text
    assert FOLDER.profile.phone in message.text


@pytest.mark.parametrize(("template", "language"), [*product(TEMPLATES, LANGUAGES)])
def test_a_whatsapp_text_is_what_its_approved_text_says_with_its_values(
    template: str, language: str
) -> None:
    source = getattr(FOLDER.template(template), language)["whatsapp"]
    for one in (source, source.together):
        for value in one.values.values():
            before, _, after = one.text.partition(value)
            assert before.strip()  # WhatsApp lets no text begin or end with a place
            assert after.strip()
        assert len(one.text) < WHATSAPP_LONGEST - len(LINK) - LONG_NAME


def test_no_two_texts_share_an_approval() -> None:
    approved = [
        one.approved_text
        for template, language in product(TEMPLATES, LANGUAGES)
        for words in [getattr(FOLDER.template(template), language)["whatsapp"]]
        for one in (words, words.together)
    ]
    assert len(set(approved)) == len(approved) == 12


@pytest.mark.parametrize(("template", "language"), [*product(TEMPLATES, LANGUAGES)])
def test_a_call_script_needs_no_link(template: str, language: str) -> None:
    assert LINK not in words(template, "call", language).script


@pytest.mark.parametrize(
    ("template", "language", "name"), [*product(TEMPLATES, ("es", "en"), ("María José", "Ana"))]
)
def test_a_spanish_or_english_sms_is_one_part(template: str, language: str, name: str) -> None:
    text = fold_accents(words(template, "sms", language, name).text)
    assert len(LINK) == 75
    assert segments_of(text) == 1
    assert len(text) <= GSM7_SINGLE


@pytest.mark.parametrize(("template", "name"), [*product(TEMPLATES, ("Екатерина", "Яна"))])
def test_a_russian_sms_is_at_most_two_parts(template: str, name: str) -> None:
    text = words(template, "sms", "ru", name).text
    assert segments_of(text) == 2
    assert len(text.encode("utf-16-le")) // 2 <= UCS2_TWO_PARTS


@pytest.mark.parametrize(
    ("template", "channel", "language"), [*product(TEMPLATES, MESSAGES, LANGUAGES)]
)
def test_no_message_gives_away_why_the_patient_was_treated(
    template: str, channel: str, language: str
) -> None:
    message = words(template, channel, language)
    text = f"{message.subject} {message.text}".casefold().replace("dental", "")
    for word in ("ortodon", "orthodon", "ортодон", "prótesis", "prosthe", "протез", "implant"):
        assert word not in text


async def test_the_register_is_imported_whole_and_segments_count_what_the_readme_says(
    clinic: Clinic,
) -> None:
    profile = clinic.profile
    source = open_source(
        EXAMPLE / "register.csv",
        country=profile.country,
        language=profile.language,
        zone=profile.zone,
        today=IMPORTED.date(),
    )
    result = await import_register(
        clinic.database, source, now=IMPORTED, key=clinic.key, zone=profile.zone
    )
    assert (result.rows, result.new, result.rejected) == (200, 200, 0)
    async with clinic.database.reading() as session:
        sizes = {
            segment.name: await segment_size.count(
                session, segment, now=IMPORTED, calendar=clinic.calendar
            )
            for segment in clinic.folder.segments()
        }
        warnings = [
            warning
            for segment in clinic.folder.segments()
            for warning in await unknown_words(session, segment.where)
        ]
    said = {name: int(count) for name, count in README_ROW.findall(README.read_text("utf-8"))}
    assert said == sizes
    assert all(0 < size < 200 for size in sizes.values())
    assert warnings == []


def test_the_readme_describes_segments_as_their_files_do() -> None:
    text = README.read_text("utf-8")
    for segment in FOLDER.segments():
        assert f"| `{segment.name}` |" in text
        assert f"| {segment.description.said('en').text} |" in text
