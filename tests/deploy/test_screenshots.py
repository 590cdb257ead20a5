"""The documentation's pictures: each is of a page that is there, and the documents show them."""

import re
import subprocess
import sys
from pathlib import Path

from deploy.screenshots.browser import INSTALL, PROGRAM
from deploy.screenshots.pictures import PICTURES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "screenshots"
MOST_BYTES = 200_000


def test_there_is_a_small_picture_of_every_page_that_is_named_and_no_other() -> None:
    sizes = {file.stem: file.stat().st_size for file in FOLDER.iterdir()}
    assert sizes.keys() == {picture.name for picture in PICTURES}
    assert max(sizes.values()) < MOST_BYTES


def test_a_document_shows_only_pictures_that_are_there() -> None:
    shown = {
        (document.parent / path).resolve()
        for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for path in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", document.read_text("utf-8"))
    }
    assert shown
    assert shown <= set(FOLDER.iterdir())


def test_the_command_takes_a_picture_of_the_page_or_says_what_it_needs(tmp_path: Path) -> None:
    taken = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "deploy.screenshots", "login", "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if PROGRAM is None:
        assert (taken.returncode, INSTALL in taken.stderr) == (2, True)
    else:
        assert taken.returncode == 0, taken.stderr
        assert (tmp_path / "login.png").read_bytes().startswith(b"\x89PNG")
