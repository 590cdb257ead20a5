"""The encoding of a text file: what it can be, the likeliest first."""

import codecs
import re
from pathlib import Path

from clinic.register_import.file_refusal import FileProblem, FileRefusal

_BLOCK = 1 << 20
_SAMPLE = 1 << 16
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CYRILLIC_COUNTRIES = frozenset({"RU", "BY", "KZ", "KG", "UA", "BG", "RS", "MK"})
_CYRILLIC_LANGUAGES = frozenset({"ru", "be", "uk", "bg", "kk", "ky", "sr", "mk"})
_AMONG_LATIN = re.compile(rb"[a-z][\xc0-\xff]+|[\xc0-\xff]+[a-z]", re.IGNORECASE)
_AMONG_ITS_OWN = re.compile(rb"(?<![a-zA-Z\xc0-\xff])[\xc0-\xff]{2,}(?![a-zA-Z\xc0-\xff])")
_HIGH = re.compile(rb"[\x80-\xff]+")
_UTF8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Windows-1252",
    "cp1251": "Windows-1251",
    "iso8859-1": "ISO 8859-1",
    "iso8859-15": "ISO 8859-15",
    "koi8-r": "KOI8-R",
    "cp866": "DOS 866",
    "mac-roman": "Mac Roman",
}


def encodings_of(path: Path, *, country: str, language: str) -> list[str]:
    """Look through a whole file and return the encodings it can be in, the likeliest first.

    A mark at the beginning decides, then whether all of it is UTF-8. Else it is one of the two
    Windows code pages, and a guess from the frequency of letters goes wrong on short lists
    (Spanish was taken for Central European): letters beyond ASCII that stand beside an ASCII
    letter are Latin, words of nothing else are Cyrillic, and where neither is more the clinic's
    country and language decide.

    Args:
        path: The file.
        country: ISO 3166 code of the clinic.
        language: The clinic's language, ISO 639.

    Raises:
        Refusal: It is empty, no text, or UTF-8 that was damaged.
    """
    with path.open("rb") as file:
        start = file.read(len(codecs.BOM_UTF8))
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return [encoding]
    stray = _first_byte_that_is_not_utf8(path)
    if stray is None:
        return ["utf-8"]
    with path.open("rb") as file:
        file.seek(max(0, stray - _SAMPLE // 2))
        sample = file.read(_SAMPLE)
    runs = _HIGH.findall(sample)
    if len(_UTF8_CHARACTER.findall(sample)) * 2 > len(runs):
        line = line_of(path, stray)
        raise FileRefusal(
            FileProblem.NOT_IN_ENCODING,
            f"{path}:{line}: UTF-8 text that was damaged here",
            "Export the list again, or name its encoding: `--encoding cp1252`.",
            line=line,
            named=[encoding_name("utf-8")],
        )
    latin, cyrillic = len(_AMONG_LATIN.findall(sample)), len(_AMONG_ITS_OWN.findall(sample))
    if latin == cyrillic:
        is_cyrillic = country in _CYRILLIC_COUNTRIES or language in _CYRILLIC_LANGUAGES
    else:
        is_cyrillic = cyrillic > latin
    return ["cp1251", "cp1252"] if is_cyrillic else ["cp1252", "cp1251"]


def encoding_name(encoding: str) -> str:
    """Return an encoding's name for people."""
    return _NAMES.get(encoding, encoding)


def line_of(path: Path, offset: int) -> int:
    """Return the line in which a byte stands, counted from 1."""
    line = 1
    with path.open("rb") as file:
        while offset > 0 and (block := file.read(min(offset, _BLOCK))):
            line += block.count(b"\n") or block.count(b"\r")
            offset -= len(block)
    return line


def undecodable_line(path: Path, encoding: str) -> int | None:
    """Return the first line that is not text in an encoding, counted from 1; None for none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            _, state = decoder.getstate()
            try:
                text = decoder.decode(block)
            except UnicodeDecodeError as error:
                decoder.setstate((b"", state))
                return line + _line_ends(decoder.decode(error.object[: error.start]))
            line += _line_ends(text)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line
    return None


def _line_ends(text: str) -> int:
    return text.count("\n") or text.count("\r")


def _first_byte_that_is_not_utf8(path: Path) -> int | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, pending, stray, is_blank = 0, 0, None, True
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            if (nul := block.find(0)) >= 0:
                line = line_of(path, offset + nul)
                raise FileRefusal(
                    FileProblem.NO_TEXT,
                    f"{path}:{line}: not a text file: it has a NUL byte",
                    "Export the list again as CSV or XLSX.",
                    line=line,
                )
            is_blank = is_blank and not block.strip()
            if stray is None:
                try:
                    decoder.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    stray = offset - pending + error.start
                pending = len(decoder.getstate()[0])
            if not block:
                break
            offset += len(block)
    if is_blank:
        raise FileRefusal(FileProblem.EMPTY, f"{path}: the file is empty", "Export the list again.")
    return stray
