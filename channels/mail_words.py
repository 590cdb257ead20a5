"""The words that a person wrote in a mail: without the original, and without the program's."""

import re
from email.message import Message
from typing import NamedTuple

from channels.mail_charsets import decode, header_of
from channels.mail_html import text_of_html
from channels.mail_phrases import phrases
from clinic.storable_text import storable

_LONGEST = 50_000
"""Characters that are kept of one mail."""

_LONGEST_READ = 100_000
"""Characters that are looked at: what a person wrote, and more than most originals."""

_LONGEST_ATTRIBUTION = 250
_WRAPPED_INTO = 3
_SHORTEST_WRAPPED = 30
"""Characters of a line that a program wraps; what is shorter ends there."""

_WITHIN = 6
_BLANK_LINES = re.compile(r"\n{3,}")
_PREFIX = re.compile(r"\s*([^\s\[\]():]{1,8})\s*(?:\[\d+\]|\(\d+\))?\s*:\s*")


class _Content(NamedTuple):
    """The text of a mail or a part, and the kinds of what was attached."""

    text: str
    attached: tuple[str, ...] = ()


def words_of(mail: Message) -> str:
    """Return what a person wrote in a mail, in its newest words.

    Where nothing is left of it, and the subject says nothing either, all of it stays. A subject
    that is more than the answered one's, such as `BAJA`, comes first. Attachments are named by
    their kind.
    """
    content = _content(mail)
    text = storable(content.text[:_LONGEST_READ])
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " ")
    newest = newest_words(text)
    subject = own_subject(mail)
    if subject.casefold() == newest.casefold():
        newest = ""
    said = [part for part in (subject, newest) if part]
    said += [f"[{kind}]" for kind in content.attached]
    if not newest and not subject:
        said.insert(0, text.strip() or header_of(mail, "Subject"))
    words = "\n\n".join(part for part in said if part)
    return words if len(words) <= _LONGEST else words[:_LONGEST] + "\n[...]"


def own_subject(mail: Message) -> str:
    """Return a mail's subject, or nothing where a program made it of the one it answers."""
    subject = header_of(mail, "Subject")
    prefix = _PREFIX.match(subject)
    answers = prefix is not None and phrases("answering_subjects").fullmatch(prefix[1])
    return "" if answers else subject


def newest_words(text: str) -> str:
    """Return a text without the original that it answers, nor what a program added.

    Nothing may be left.
    """
    lines = _without_original(text.split("\n"))
    kept = [line.rstrip() for line in lines if not line.lstrip().startswith(">")]
    _drop_device_lines(kept)
    return _BLANK_LINES.sub("\n\n", "\n".join(kept)).strip()


def text_of(part: Message) -> str:
    """Return the text of one part, whatever it says of its encoding."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return decode(payload, str(part.get_param("charset", "") or ""))


def _content(part: Message) -> _Content:
    kind = part.get_content_type()
    if part.is_multipart() and part.get_content_maintype() == "multipart":
        children = [child for child in part.get_payload() if isinstance(child, Message)]
        contents = [_content(child) for child in children]
        if kind == "multipart/alternative":
            return _chosen(children, contents)
        return _Content(
            "\n".join(content.text for content in contents if content.text.strip()),
            tuple(kind for content in contents for kind in content.attached),
        )
    # a part that says it has parts, and has none, is text
    is_text = part.get_content_maintype() in ("text", "multipart") and not part.is_multipart()
    if not is_text or part.get_content_disposition() == "attachment":
        return _Content("", (kind,))
    if kind == "text/html":
        return _Content(text_of_html(text_of(part)))
    return _Content(text_of(part))


def _chosen(children: list[Message], contents: list[_Content]) -> _Content:
    """Choose among alternatives: plain text where it says anything, else the best of the rest."""
    saying = [
        (child.get_content_type() == "text/plain", content)
        for child, content in zip(children, contents, strict=True)
        if content.text.strip()
    ]
    plain = [content for is_plain, content in saying if is_plain]
    text = (plain or [content for _, content in saying] or [_Content("")])[-1].text
    return _Content(text, tuple(kind for content in contents for kind in content.attached))


def _without_original(lines: list[str]) -> list[str]:
    kept: list[str] = []
    at = 0
    while at < len(lines):
        if phrases("separators").fullmatch(lines[at].strip()) or _original_begins(lines, at):
            while kept and set(kept[-1].strip()) <= {"_", "-"}:
                kept.pop()
            break
        wrapped = _attribution(lines, at)
        if wrapped:
            at += wrapped
            if not _goes_on_quoted(lines, at):
                break
            continue
        kept.append(lines[at])
        at += 1
    return kept


def _attribution(lines: list[str], at: int) -> int:
    """Return over how many lines an attribution goes that begins here; 0: none does."""
    for count in range(1, _WRAPPED_INTO + 1):
        if _is_attribution(lines[at : at + count]):
            # what stands above an attribution that is whole without it is a person's
            inner = range(1, count)
            return 0 if any(_is_attribution(lines[at + n : at + count]) for n in inner) else count
    return 0


def _is_attribution(lines: list[str]) -> bool:
    words = [line.strip() for line in lines]
    joined = " ".join(words)
    return (
        joined.endswith(":")
        and len(joined) <= _LONGEST_ATTRIBUTION
        and all(len(line) >= _SHORTEST_WRAPPED for line in words[:-1])
        and phrases("attributions").fullmatch(joined) is not None
    )


def _goes_on_quoted(lines: list[str], at: int) -> bool:
    following = next((line for line in lines[at:] if line.strip()), "")
    return following.lstrip().startswith(">")


def _original_begins(lines: list[str], at: int) -> bool:
    def fits(name: str, line: str) -> bool:
        return len(line) <= _LONGEST_ATTRIBUTION and bool(phrases(name).fullmatch(line.strip()))

    return fits("original_senders", lines[at]) and any(
        fits("original_subjects", line) for line in lines[at + 1 : at + _WITHIN]
    )


def _drop_device_lines(lines: list[str]) -> None:
    while lines:
        last = lines[-1].strip()
        is_device = len(last) <= _LONGEST_ATTRIBUTION and phrases("device_lines").fullmatch(last)
        if last and last not in ("--", "-") and not is_device:
            return
        lines.pop()
