"""What segments, plans and texts are called: as their files say it, in the reader's language."""

from collections import Counter
from collections.abc import Mapping
from typing import Protocol

from clinic.folder import ClinicFolder
from clinic.multilingual import Multilingual, Saying


class _Named(Protocol):
    """A file that has been read."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> Multilingual: ...

    @property
    def description(self) -> Multilingual: ...


class Titles:
    """Speaks one language where a file does, else the clinic's, else any; else its name.

    Args:
        folder: The clinic's.
        language: The reader's.
    """

    def __init__(self, folder: ClinicFolder, language: str) -> None:
        self._folder = folder
        self._languages = (language, folder.profile.language)

    def title(self, named: _Named) -> Saying:
        """Return what a file that has been read is called."""
        return self._or_name(named.title, named.name)

    def description(self, named: _Named) -> Saying:
        """Return what it says of itself; it may be nothing."""
        return named.description.said(*self._languages)

    def segment(self, name: str) -> Saying:
        """Return what a segment is called; its file may be gone since a campaign used it."""
        return self._of("segments", name)

    def plan(self, name: str) -> Saying:
        """Return what a plan is called, likewise."""
        return self._of("plans", name)

    def template(self, name: str) -> Saying:
        """Return what a content is called, likewise."""
        return self._of("templates", name)

    def _of(self, kind: str, name: str) -> Saying:
        return self._or_name(self._folder.heading(kind, name).title, name)

    def _or_name(self, title: Multilingual, name: str) -> Saying:
        said = title.said(*self._languages)
        return said if said.text else Saying(name, "")


def told_apart(titles: Mapping[str, Saying]) -> Mapping[str, Saying]:
    """Return titles in their order; of those that are alike, each with its file's name.

    Args:
        titles: By the files' names.
    """
    alike = Counter(said.text for said in titles.values())
    apart = {
        name: said._replace(text=f"{said.text} ({name})") if alike[said.text] > 1 else said
        for name, said in titles.items()
    }
    return dict(sorted(apart.items(), key=lambda item: item[1].text.casefold()))
