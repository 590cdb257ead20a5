"""The clinic's own mailbox, in which replies arrive: a small IMAP server (RFC 3501).

It speaks what a client needs that fetches mails and puts them away: LOGIN, SELECT, UID SEARCH, UID
FETCH of whole mails, and UID STORE of the flag that they were seen. There is one folder, and no
TLS, as it listens on loopback only.
"""

import asyncio
import hmac
import re
import shlex
import socket
from dataclasses import dataclass, field
from typing import Final, Self

import structlog

log: Final = structlog.get_logger(__name__)

_UID_VALIDITY: Final = 1
_FETCHED: Final = re.compile(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", re.IGNORECASE)
_SEEN: Final = re.compile(r"UID STORE ([\d,]+) \+FLAGS(?:\.SILENT)? \(\\Seen\)", re.IGNORECASE)


@dataclass(slots=True)
class _Mail:
    content: bytes
    seen: asyncio.Event = field(default_factory=asyncio.Event)


class ImapMailbox:
    """The server and its mails; it serves inside an ``async with`` block."""

    def __init__(self, listener: socket.socket, *, user: str, password: str) -> None:
        """Prepare a server.

        Args:
            listener: A bound TCP socket, which it takes over.
            user: The only user who may log in.
            password: That user's password.
        """
        self._listener = listener
        self._login = (user.encode(), password.encode())
        self._mails: list[_Mail] = []
        self._conversations: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, sock=self._listener)
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        if self._server is None:
            return
        self._server.close()
        for conversation in self._conversations:
            conversation.cancel()
        await self._server.wait_closed()

    async def deliver(self, content: bytes) -> None:
        """Put a mail into the mailbox, and wait until the clinic has put it away as seen."""
        mail = _Mail(content)
        self._mails.append(mail)
        await mail.seen.wait()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        if conversation is not None:
            self._conversations.add(conversation)
            conversation.add_done_callback(self._conversations.discard)
        try:
            writer.write(b"* OK Regresa sandbox\r\n")
            is_known = False
            while line := (await reader.readline()).decode("utf-8", "replace").strip():
                tag, _, command = line.partition(" ")
                word = command.partition(" ")[0].upper()
                if word == "LOGIN":
                    is_known = self._is_login(command)
                    answer, end = b"", "OK logged in" if is_known else "NO wrong login"
                elif word == "UID" and not is_known:
                    answer, end = b"", "NO log in first"
                else:
                    answer, end = self._answer(word, command)
                writer.write(answer + f"{tag} {end}\r\n".encode())
                await writer.drain()
                if word == "LOGOUT":
                    break
        except (ConnectionError, asyncio.CancelledError) as error:
            log.info("imap_conversation_broken_off", error=type(error).__name__)
        finally:
            writer.close()

    def _is_login(self, command: str) -> bool:
        given = [part.encode() for part in shlex.split(command)[1:]]
        return len(given) == len(self._login) and all(
            hmac.compare_digest(one, right) for one, right in zip(given, self._login, strict=True)
        )

    def _answer(self, word: str, command: str) -> tuple[bytes, str]:
        """Return what a command is answered, and how the answer ends."""
        match word:
            case "CAPABILITY":
                return b"* CAPABILITY IMAP4rev1\r\n", "OK done"
            case "SELECT" | "EXAMINE":
                exists = f"* {len(self._mails)} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen)\r\n"
                validity = f"* OK [UIDVALIDITY {_UID_VALIDITY}] valid\r\n"
                return (exists + validity).encode(), "OK [READ-WRITE] selected"
            case "NOOP" | "CLOSE" | "UNSELECT":
                return b"", "OK done"
            case "LOGOUT":
                return b"* BYE\r\n", "OK done"
            case "UID" if command.upper().startswith("UID SEARCH"):
                return self._search(command), "OK done"
            case "UID" if fetched := _FETCHED.fullmatch(command):
                return self._fetch(int(fetched[1]), int(fetched[2])), "OK done"
            case "UID" if seen := _SEEN.fullmatch(command):
                for uid in seen[1].split(","):
                    self._mails[int(uid) - 1].seen.set()
                return b"", "OK done"
        return b"", "BAD not spoken here"

    def _search(self, command: str) -> bytes:
        unseen_only = "UNSEEN" in command.upper()
        uids = [
            str(uid)
            for uid, mail in enumerate(self._mails, start=1)
            if not (unseen_only and mail.seen.is_set())
        ]
        return f"* SEARCH {' '.join(uids)}".strip().encode() + b"\r\n"

    def _fetch(self, uid: int, size: int) -> bytes:
        if not 1 <= uid <= len(self._mails):
            return b""
        content = self._mails[uid - 1].content[:size]
        head = f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(content)}}}\r\n".encode()
        return head + content + b")\r\n"
