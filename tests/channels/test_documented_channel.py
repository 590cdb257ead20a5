"""The channel that docs/channels.md shows is one, and passes the suite."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import uuid4

import pytest

from channels.conformance import ChannelConformance, StandIn, Taken
from channels.errors import SendError
from channels.protocol import OutgoingMessage

PAGE = Path(__file__).parents[2] / "docs" / "channels.md"


class Folder(StandIn):
    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def environment(self) -> Mapping[str, str]:
        return {"REGRESA_FOLDER_PATH": str(self._path)}

    def address(self, failure: type[SendError] | None) -> str:
        assert failure is None
        return f"+1305{uuid4().int % 10**9:09}"

    async def taken(self, message: OutgoingMessage) -> Sequence[Taken]:
        texts = [file.read_text(encoding="utf-8") for file in self._path.iterdir()]
        return [Taken(text=text) for text in texts if text.startswith(message.to)]


@pytest.fixture(scope="module")
def _installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Install the page's first example as a package, as far as its metadata goes."""
    source = re.search(r"```python\n(.+?)```", PAGE.read_text(), re.DOTALL)
    points = re.search(r"```toml\n.+?\n(.+?)```", PAGE.read_text(), re.DOTALL)
    assert source
    assert points
    folder = tmp_path_factory.mktemp("site")
    (folder / "my_package").mkdir()
    (folder / "my_package" / "__init__.py").write_text("")
    (folder / "my_package" / "channel.py").write_text(source[1])
    metadata = folder / "my_package-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: my-package\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[regresa.channels]\n" + points[1].replace('"', ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield


@pytest.mark.usefixtures("_installed")
class TestFolder(ChannelConformance):
    name = "folder"
    reaches_by = "phone"
    wrong_setting = ("REGRESA_FOLDER_PATH", "/no/such/folder")
    failures = ()
    takes_webhooks = False
    limits_validity = False

    @pytest.fixture
    def stand_in(self, tmp_path: Path) -> StandIn:
        folder = tmp_path / "outbox"
        folder.mkdir()
        return Folder(folder)
