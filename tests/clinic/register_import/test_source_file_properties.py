"""Any file at all: it is read as it stands, or refused."""

import csv
import io
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.refusal import Refusal
from clinic.register_import.register_row import Source
from clinic.register_import.source_file import open_source

HEADER = ["# Paciente", "Nombre", "Correo", "Una cosa", "Otra"]
CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
quick = settings(
    max_examples=150,
    deadline=None,
    # the file is written anew for each example
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def opened(path: Path) -> Source:
    zone = ZoneInfo("America/New_York")
    return open_source(path, country="US", language="es", zone=zone, today=date(2027, 3, 2))


@quick
@given(
    cells=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\r\n", "\n"]),
)
def test_every_cell_is_read_as_it_was_written(
    tmp_path: Path, cells: list[tuple[str, str]], delimiter: str, encoding: str, end: str
) -> None:
    rows = [[str(at), "Ana", "a@example.com", *pair] for at, pair in enumerate(cells)]
    text = io.StringIO(newline="")
    # a lone line break of the other kind would otherwise stand unquoted
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([HEADER, *rows])
    path = tmp_path / "list.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    assert rows == [row.cells for row in opened(path).rows()]


@quick
@given(
    content=st.one_of(
        st.binary(max_size=300),
        st.text(st.sampled_from("Nombre,;\t\"'\r\n@|=-# 0áñЖ\ufeff{}[]<"), max_size=200).map(
            str.encode
        ),
        st.binary(max_size=60).map(lambda tail: b"PK\x03\x04" + tail),
        st.binary(max_size=100).map(lambda rows: b"# Paciente,Nombre,Correo\n1,Ana," + rows),
    )
)
def test_any_bytes_are_a_list_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    try:
        read = list(opened(path).rows())
    except Refusal as refusal:
        refused = refusal.problem
    else:
        refused = str(path)
        assert read
    assert refused.startswith(str(path))
