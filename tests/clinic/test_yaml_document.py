"""The clinic's YAML files: what is not YAML, or not quite, is refused with its place."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from clinic.refusal import Refusal
from clinic.yaml_document import read_yaml

if TYPE_CHECKING:
    from tests.clinic.conftest import YamlFile


class Shelf(BaseModel):
    """What the files of these tests describe."""

    model_config = ConfigDict(extra="forbid")

    name: str
    books: list[str] = []


def test_a_file_is_read_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "shelf.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + "name: Полка\n".encode())
    assert Shelf(name="Полка") == read_yaml(path, Shelf)


def test_what_is_given_wins_over_the_file(yaml_file: "YamlFile") -> None:
    document = yaml_file.holding("name: in the file")
    assert Shelf(name="of the file") == document.as_model(Shelf, name="of the file")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"
    with pytest.raises(Refusal) as refused:
        read_yaml(path, Shelf)
    assert f"{path}: No such file or directory" == str(refused.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="Is a directory"):
        read_yaml(tmp_path, Shelf)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ":1: expected fields such as `name: value`", id="empty"),
        pytest.param("# nothing\n", ":1: expected fields", id="a comment"),
        pytest.param("- one\n- two\n", ":1: expected fields", id="a list"),
        pytest.param("name", ":1: expected fields", id="a word"),
        pytest.param("name: a\nbooks: [b\n", ":3: not YAML: ", id="an open bracket"),
        pytest.param("name: a\n\tbooks: b\n", ":2: not YAML: ", id="a tab"),
        pytest.param("name: a: b\n", ":1: not YAML: ", id="a second colon"),
        pytest.param("name: a\nbooks: *b\n", ":2: not YAML: ", id="an unknown alias"),
        pytest.param("name: a\x07\n", ":1: not YAML: it has a character", id="a bell"),
        pytest.param("name: a\nbooks: []\nname: b\n", ":3: name: stands here", id="twice"),
        pytest.param("name: a\nbooks: [c, {d: 1, d: 2}]\n", ":2: d: stands here", id="twice, deep"),
        pytest.param("name: a\nborn: 2026-02-30\n", ":2: born: ", id="an impossible date"),
        pytest.param("name: !!int a\n", ":1: name: ", id="no whole number"),
        pytest.param("name: !python/name:os.system x\n", ":1: name: ", id="a foreign tag"),
        pytest.param("a: &a {b: c}\n<<: *a\n", ":2: ", id="a merge"),
        pytest.param("name: &a [*a]\n", ":1: ", id="a list in itself"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(
    yaml_file: "YamlFile", text: str, expected: str
) -> None:
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(text)
    assert f"{yaml_file.path}{expected}" in str(refused.value)


def test_bytes_that_are_no_utf_8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "shelf.yaml"
    path.write_bytes("name: Atención".encode("cp1252"))
    with pytest.raises(Refusal, match="not UTF-8 text at byte 12"):
        read_yaml(path, Shelf)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("books: []", ":1: name: is missing", id="missing"),
        pytest.param("name: a\nbooks:\n- a\n- 2\n", ":4: books.1: ", id="of another type"),
        pytest.param("name: a\nbook: b", ":2: book: is no field", id="unknown"),
        pytest.param("name: 5", ":1: name: ", id="a number for a word"),
        pytest.param("name: yes", ":1: name: ", id="a yes for a word"),
    ],
)
def test_what_does_not_fit_is_refused_with_line_and_field(
    yaml_file: "YamlFile", text: str, expected: str
) -> None:
    with pytest.raises(Refusal) as refused:
        yaml_file.holding(text).as_model(Shelf)
    assert f"{yaml_file.path}{expected}" in str(refused.value)
