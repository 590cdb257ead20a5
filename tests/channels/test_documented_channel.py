"""The channel that docs/channels.md shows is one, and passes the suite as the page shows it."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
CHANNEL, SUITE = re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install the page's first example as a package, as far as its metadata goes."""
    points = re.search(r"```toml\n.+?\n(.+?)```", PAGE, re.DOTALL)
    assert points
    folder = tmp_path_factory.mktemp("site")
    (folder / "my_package").mkdir()
    (folder / "my_package" / "__init__.py").write_text("")
    (folder / "my_package" / "channel.py").write_text(CHANNEL)
    metadata = folder / "my_package-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: my-package\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[regresa.channels]\n" + points[1].replace('"', ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


def _suite() -> Any:
    shown: dict[str, Any] = {"__name__": __name__}
    exec(SUITE, shown)  # noqa: S102 - our own page's
    return shown["TestFolder"]


TestFolder = pytest.mark.usefixtures("_installed")(_suite())
