"""An HTML mail as text, its quoted original marked as in plain mail.

No parser of the library's: it takes minutes over a page that was made to break it.
"""

import re
from html import unescape
from typing import NamedTuple

_LARGEST = 256 * 1024
"""Characters; a person's words stand at the beginning."""

_DEEPEST = 200
_LONGEST_ATTRIBUTES = 2_000
_TAG = re.compile(r"<(/?)([a-z][a-z0-9:-]*+)([^<>]*+)>|<[!?][^<>]*+>", re.IGNORECASE)
"""A tag, or a declaration. Nothing in it is tried twice, so it takes no longer than it is long."""

_NAMED = re.compile(r"""\b(?:id|class)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""", re.IGNORECASE)
_UNREAD = re.compile("head|script|style|title|template")
_VOID = re.compile("area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr")
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|br|center|d[dlt]|div|fieldset|footer|form|h[1-6]|header"
    "|hr|html|li|main|ol|p|pre|section|table|tbody|t[dhr]|tfoot|thead|ul"
)
_QUOTING = re.compile(r"gmail_quote|gmail_attr|yahoo_quoted|moz-cite-prefix|protonmail_quote")
_ORIGINAL_FOLLOWS = re.compile(r"(x_)*(appendonsend|divRplyFwdMsg|mail-editor-reference)")
_SEPARATOR = "-----Original Message-----"


class _Element(NamedTuple):
    """An element that is open."""

    tag: str
    quotes: bool
    unread: bool


def text_of_html(html: str) -> str:
    """Return the words of an HTML page; what it quotes begins with `>`. It never fails."""
    page = _without_comments(html[:_LARGEST])
    reader = _Reader()
    at = 0
    for found in _TAG.finditer(page):
        reader.take_words(page[at : found.start()])
        at = found.end()
        closing, tag, attributes = found.groups(default="")
        if closing:
            reader.close(tag.lower())
        elif tag:
            reader.open(tag.lower(), attributes[:_LONGEST_ATTRIBUTES])
    reader.take_words(page[at:])
    return reader.text()


class _Reader:
    def __init__(self) -> None:
        self._around: list[_Element] = []
        self._lines: list[str] = []
        self._line: list[str] = []

    def open(self, tag: str, attributes: str) -> None:
        if _BLOCK.fullmatch(tag):
            self._end_line(blank=tag == "p")
        names = " ".join(name.strip("\"'") for name in _NAMED.findall(attributes))
        if _ORIGINAL_FOLLOWS.match(names):
            self._lines.append(_SEPARATOR)
        if _VOID.fullmatch(tag) is None and len(self._around) < _DEEPEST:
            around = self._around[-1] if self._around else _Element("", quotes=False, unread=False)
            quotes = around.quotes or tag == "blockquote" or bool(_QUOTING.search(names))
            unread = around.unread or bool(_UNREAD.fullmatch(tag))
            self._around.append(_Element(tag, quotes, unread))

    def close(self, tag: str) -> None:
        if _BLOCK.fullmatch(tag):
            self._end_line(blank=tag == "p")
        if any(element.tag == tag for element in self._around):
            while self._around.pop().tag != tag:
                pass

    def take_words(self, words: str) -> None:
        if not (self._around and self._around[-1].unread):
            self._line.append(words)

    def text(self) -> str:
        self._end_line()
        return "\n".join(self._lines)

    def _end_line(self, *, blank: bool = False) -> None:
        words = " ".join(unescape("".join(self._line)).split())
        self._line.clear()
        mark = "> " if self._around and self._around[-1].quotes else ""
        if words:
            self._lines.append(mark + words)
        if blank:
            self._lines.append(mark.rstrip())


def _without_comments(page: str) -> str:
    """Leave comments out; one that never ends is read."""
    kept = []
    at = 0
    while (begin := page.find("<!--", at)) >= 0 and (end := page.find("-->", begin)) >= 0:
        kept.append(page[at:begin])
        at = end + 3
    kept.append(page[at:])
    return "".join(kept).replace("<!--", " ")
