"""A message's words as an HTML page: one button, no picture, nothing fetched from anywhere."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from channels.protocol import OutgoingMessage

_HERE = Path(__file__).parent
_OTHERWISE = "en"
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


class _Paragraph(NamedTuple):
    """Lines, each in pieces of which the link is one; or the link alone, which is the button."""

    lines: list[list[str]]
    is_button: bool


def page_of(message: OutgoingMessage) -> str:
    """Return the page that says what the message's text says.

    It is made of the same words, so that nobody reads another message than the one who reads
    plain text. Whatever the words hold is escaped.
    """
    paragraphs = [
        _paragraph(words, message.link)
        for words in _BLANK_LINES.split(message.text.strip())
        if words
    ]
    words = _words()
    return _page().render(
        language=message.language,
        subject=message.subject,
        sender=message.sender,
        paragraphs=paragraphs,
        link=message.link,
        stop_url=message.stop_url,
        words=words.get(message.language, words[_OTHERWISE]),
    )


def _paragraph(words: str, link: str) -> _Paragraph:
    if words.strip() == link:
        return _Paragraph(lines=[], is_button=True)
    around = re.compile(f"({re.escape(link)})")
    lines = [
        [piece for piece in (around.split(line) if link else [line]) if piece]
        for line in words.splitlines()
    ]
    return _Paragraph(lines=lines, is_button=False)


@cache
def _page() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("mail_page.html")


@cache
def _words() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = yaml.safe_load(
        (_HERE / "mail_words.yaml").read_text(encoding="utf-8")
    )
    return read
