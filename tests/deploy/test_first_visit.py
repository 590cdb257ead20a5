"""What a newcomer finds at the first start of the stack, and nobody's own register is touched."""

import sqlite3
from pathlib import Path

import pytest

from deploy.local.first_visit import import_patients, needs_patients
from deploy.local.settings import LocalSettings, environment

ROOT = Path(__file__).parents[2]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    return tmp_path


def test_a_new_stack_has_the_examples_patients_and_is_left_as_it_is_then(state: Path) -> None:
    assert needs_patients(state)
    import_patients(environment(LocalSettings(), state, demonstration=True), state)
    with sqlite3.connect(state / "regresa.db") as database:
        assert database.execute("SELECT count(*) FROM patients").fetchone() == (200,)
    assert not needs_patients(state)


def test_an_import_that_was_interrupted_is_taken_up_again(state: Path) -> None:
    (state / "regresa.db").touch()
    (state / "importing").touch()
    assert needs_patients(state)


def test_a_register_that_somebody_has_is_left_as_it_is(state: Path) -> None:
    (state / "regresa.db").touch()
    assert not needs_patients(state)
