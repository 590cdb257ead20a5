"""Every command and setting is documented, and every link leads somewhere."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from channels import registry
from clinic.settings import ClinicSettings
from deploy.local.settings import LocalSettings
from starter import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def settings() -> list[str]:
    models: list[Any] = [ClinicSettings]
    models += [channel.settings_model for channel in registry.installed().values()]
    return sorted(
        {
            f"{model.model_config['env_prefix']}{name.upper()}"
            for model in models
            for name in model.model_fields
        }
    )


@pytest.mark.parametrize("name", settings())
def test_a_setting_stands_in_the_example(name: str) -> None:
    example = (ROOT / ".env.example").read_text()
    assert re.search(rf"^(# )?{name}=", example, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(LocalSettings.model_fields))
def test_a_setting_of_the_local_stack_is_documented(name: str) -> None:
    assert f"REGRESA_LOCAL_{name.upper()}" in (ROOT / "docs" / "developer.md").read_text()


def test_every_command_is_documented() -> None:
    group: Any = typer.main.get_command(app)
    pages = "\n".join(page.read_text() for page in PAGES)
    for name in group.commands:
        assert f"`{name}" in pages or f"regresa {name}" in pages, name


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name) for page in PAGES])
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
