"""What the door that takes lists lets in: how much, from whom, and what it does with the rest."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import httpx
import pytest
from fastapi import FastAPI

from clinic.accounts import Role
from clinic.clinic import Clinic
from console.doors.session_cookie import COOKIE, SessionCookies
from console.register_import import posted_list
from console.register_import.pages import PATH
from console.register_import.report import Kind
from console.register_import.upload import read_upload
from console.register_import.uploads import Uploads
from tests.console.at_work import AtWork, Signed
from tests.console.list_keeper import LIST, shown

if TYPE_CHECKING:
    from tests.console.conftest import Desk

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

BOUNDARY = "x1x"


def body(*parts: tuple[str, str | None, bytes]) -> bytes:
    """Write a form as a browser does: fields, and files with their names."""
    written = b""
    for field, file, content in parts:
        name = f'; filename="{file}"' if file is not None else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"{name}\r\n\r\n'
        written += head.encode() + content + b"\r\n"
    return written + f"--{BOUNDARY}--\r\n".encode()


async def post(who: AtWork, content: bytes, **headers: str) -> httpx.Response:
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await who.web.post(PATH, content=content, headers=kind | headers)


def kept(clinic: Clinic) -> list[Path]:
    return list(clinic.uploads.iterdir()) if clinic.uploads.exists() else []


async def send_unread(app: FastAPI, headers: dict[str, str]) -> int:
    """Post a large list whose body nobody may touch; return the answer's status."""
    statuses: list[int] = []

    async def receive() -> NoReturn:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    sent = {
        "content-type": f"multipart/form-data; boundary={BOUNDARY}",
        "content-length": str(150 * 1024 * 1024),
    } | headers
    scope = {
        "type": "http",
        "method": "POST",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
        "server": ("console", 80),
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
    }
    await app(scope, receive, send)
    return statuses[0]


async def test_of_a_stranger_or_another_sites_page_nothing_is_read(
    app: FastAPI, desk: "Desk"
) -> None:
    cookies = SessionCookies(desk.clinic.key)

    async def cookie(name: str, role: Role) -> str:
        return f"{COOKIE}={cookies.write(desk.session(await desk.account(name, role)))}"

    olga = await cookie("Olga", Role.OPS)
    assert await send_unread(app, {}) == 401
    assert await send_unread(app, {"cookie": await cookie("Lucía", Role.STAFF)}) == 403
    assert await send_unread(app, {"cookie": olga, "sec-fetch-site": "cross-site"}) == 403


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([("list", "a.csv", LIST)], id="no token"),
        pytest.param([("csrf", None, b"0" * 64), ("list", "a.csv", LIST)], id="a made-up token"),
        pytest.param([("csrf", None, b"")], id="an empty token and no list"),
    ],
)
async def test_a_form_that_is_not_of_this_session_is_refused_and_nothing_is_kept(
    desk: "Desk", signed: Signed, parts: list[tuple[str, str | None, bytes]]
) -> None:
    olga = await signed("Olga", Role.OPS)
    assert (await post(olga, body(*parts))).status_code == 403
    assert kept(desk.clinic) == []


async def test_a_token_behind_the_list_comes_too_late(desk: "Desk", signed: Signed) -> None:
    olga = await signed("Olga", Role.OPS)
    late = body(("list", "a.csv", LIST), ("csrf", None, olga.csrf.encode()))
    assert (await post(olga, late)).status_code == 403
    assert kept(desk.clinic) == []


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param([], "Choose a file first", id="nothing"),
        pytest.param([("list", "", b"")], "Choose a file first", id="no file chosen"),
        pytest.param([("list", "a.csv", b"")], "The file is empty", id="an empty file"),
    ],
)
async def test_without_a_list_it_asks_for_one(
    desk: "Desk", signed: Signed, parts: list[tuple[str, str | None, bytes]], said: str
) -> None:
    olga = await signed("Olga", Role.OPS)
    answer = await post(olga, body(("csrf", None, olga.csrf.encode()), *parts))
    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert kept(desk.clinic) == []


async def test_a_list_that_is_too_large_is_not_kept_and_its_bringer_is_told(
    desk: "Desk", signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posted_list, "LARGEST_LIST", len(LIST) - 1)
    olga = await signed("Olga", Role.OPS)
    token = ("csrf", None, olga.csrf.encode())
    answer = await post(olga, body(token, ("list", "a.csv", LIST)))
    assert answer.status_code == 413
    assert "at most 200 MB" in shown(answer.text)
    large = ("mapping", "m.yaml", b"#" * (posted_list.LARGEST_MAPPING + 1))
    assert (await post(olga, body(token, large, ("list", "a.csv", b"a,b")))).status_code == 413
    assert kept(desk.clinic) == []


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param("application/x-www-form-urlencoded", b"csrf=1&list=2", id="no multipart"),
        pytest.param("multipart/form-data", b"", id="no boundary"),
        pytest.param("multipart/form-data; boundary=" + "b" * 500, b"", id="a huge boundary"),
        pytest.param(f"multipart/form-data; boundary={BOUNDARY}", b"\0\xff" * 50, id="no parts"),
        pytest.param(
            f"multipart/form-data; boundary={BOUNDARY}",
            body(*[("csrf", None, b"1")] * 50),
            id="many fields",
        ),
        pytest.param(
            f"multipart/form-data; boundary={BOUNDARY}",
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="'.encode() + b'\xff"\r\n\r\n',
            id="bytes for a name",
        ),
    ],
)
async def test_what_no_browser_sends_is_refused_in_words(
    desk: "Desk", signed: Signed, kind: str, content: bytes
) -> None:
    olga = await signed("Olga", Role.OPS)
    answer = await olga.web.post(PATH, content=content, headers={"Content-Type": kind})
    assert answer.status_code in (400, 403)
    assert "This did not work" in shown(answer.text)
    assert kept(desk.clinic) == []


async def test_a_list_of_which_the_end_is_missing_is_not_kept(desk: "Desk", signed: Signed) -> None:
    olga = await signed("Olga", Role.OPS)
    whole = body(("csrf", None, olga.csrf.encode()), ("list", "a.csv", LIST))
    for missing in (4, 40):
        assert (await post(olga, whole[:-missing])).status_code == 400
    assert kept(desk.clinic) == []


@pytest.fixture
async def full_disk(clinic: Clinic, tmp_path: Path) -> AsyncIterator[None]:
    """Lists are to be kept where no folder can be made."""
    stands_there = tmp_path / "no folder"
    stands_there.touch()
    clinic.settings.uploads = stands_there / "uploads"
    async with AsyncExitStack():
        yield


@pytest.mark.usefixtures("full_disk")
async def test_a_disk_that_takes_no_list_is_told(clinic: Clinic, signed: Signed) -> None:
    assert clinic.uploads.parent.is_file()
    olga = await signed("Olga", Role.OPS)
    answer = await post(olga, body(("csrf", None, olga.csrf.encode()), ("list", "a.csv", LIST)))
    assert answer.status_code == 507
    assert "There is no room on the disk" in shown(answer.text)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("../../../evil.csv", "evil.csv"),
        ("C:\\Users\\Olga\\lista.xlsx", "lista.xlsx"),
        (".csv", "csv"),
        ("..", "list"),
        ("\u202efdp.csv", "fdp.csv"),
        ("я" * 300 + ".csv", "я" * 90 + ".csv"),
    ],
)
async def test_a_lists_name_leads_nowhere_else_on_the_disk(
    desk: "Desk", now: datetime, tmp_path: Path, sent: str, name: str
) -> None:
    uploads = Uploads(tmp_path / "uploads")
    account = await desk.account()
    async with uploads.coming() as new:
        with new.open(sent) as file:
            file.write(LIST)
        upload = new.keep(account, mapping=None, encoding="", now=now)
    assert upload.name == name
    assert upload.list_file.parent.parent == upload.folder
    assert uploads.find(upload.id, account) is not None
    assert uploads.find(f"../uploads/{upload.id}", account) is None
    assert upload.report(Kind.TRIAL) is None


async def test_what_did_not_come_as_a_whole_is_gone(desk: "Desk", tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")

    async def breaks_off() -> None:
        async with uploads.coming() as new:
            new.open("a.csv").close()
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        await breaks_off()
    assert list(uploads.folder.iterdir()) == []
    assert uploads.of(await desk.account()) == []


async def test_an_encoding_that_is_no_text_is_no_reason_to_break(
    app: FastAPI, desk: "Desk", signed: Signed
) -> None:
    olga = await signed("Olga", Role.OPS)
    parts = (("csrf", None, olga.csrf.encode()), ("encoding", None, b"\xff"))
    async with app.router.lifespan_context(app):
        answer = await post(olga, body(*parts, ("list", "a.csv", LIST)))
    assert answer.status_code == 303
    [folder] = kept(desk.clinic)
    upload = read_upload(folder)
    assert upload is not None
    assert upload.record.encoding == "\N{REPLACEMENT CHARACTER}"


async def test_what_the_disk_lost_of_a_list_keeps_no_console_from_starting(
    desk: "Desk", now: datetime, tmp_path: Path
) -> None:
    uploads, vera = Uploads(tmp_path / "uploads"), await desk.account("Vera", Role.OPS)
    async with uploads.coming() as new:
        with new.open("a.csv") as file:
            file.write(LIST)
        upload = new.keep(vera, mapping=None, encoding="", now=now)
    for name in ("import.begun", "import.json", "trial.json"):
        (upload.folder / name).write_bytes(b"")
    uploads.sweep(now, frozenset())
    [there] = uploads.of(vera)
    assert there.import_began is not None
    assert (there.report(Kind.IMPORT), there.report(Kind.TRIAL)) == (None, None)
