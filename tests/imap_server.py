"""A real IMAP server on loopback, with one mailbox: Debian's dovecot-imapd, run for the tests."""

import grp
import imaplib
import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Self

import trustme

USER, PASSWORD = "answers", "sandbox-password"

_CONFIGURATION = """\
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{base}/certificate.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
mail_location = maildir:{base}/mail
mail_uid = {user}
mail_gid = {group}
first_valid_uid = 0
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {base}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={base}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


@dataclass
class ImapServer:
    """The server: where it listens, and what is in its mailbox."""

    base: Path
    port: int
    tls_port: int

    def deliver(self, mail: bytes, folder: str = "INBOX") -> None:
        """Put a mail into the mailbox, unseen."""
        with self.client() as client:
            assert client.append(folder, "", "", mail)[0] == "OK"

    def flags(self, folder: str = "INBOX") -> list[bytes]:
        """Return what the mailbox says of each mail in a folder."""
        with self.client() as client:
            status, (count,) = client.select(folder, readonly=True)
            if status != "OK" or not int(count or 0):
                return []
            return [line for line in client.fetch("1:*", "(FLAGS)")[1] if isinstance(line, bytes)]

    def empty(self) -> None:
        """Delete all mails and all folders but the inbox."""
        with self.client() as client:
            for line in client.list()[1]:
                folder = line.rpartition(b'"." ')[2].decode() if isinstance(line, bytes) else ""
                if folder != "INBOX":
                    client.delete(folder)
            _, (count,) = client.select("INBOX")
            if count == b"0":
                return
            client.store("1:*", "+FLAGS", r"(\Deleted)")
            client.expunge()

    def client(self) -> imaplib.IMAP4:
        """Return a client that is logged in."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(USER, PASSWORD)
        return client


class Dovecot:
    """The server's process, as a context manager.

    Args:
        base: An empty folder with a short path, as sockets are made in it.
    """

    def __init__(self, base: Path) -> None:
        self._base = base
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(base / "ca.pem"))
        issued.cert_chain_pems[0].write_to_path(str(base / "certificate.pem"))
        issued.private_key_pem.write_to_path(str(base / "key.pem"))
        (base / "users").write_text(f"{USER}:{PASSWORD}\n")
        port, tls_port = _free_ports()
        self.server = ImapServer(base, port, tls_port)
        # as root it wants its unprivileged users, which Debian's package makes; else it is us
        is_root = os.getuid() == 0
        user = "dovecot" if is_root else pwd.getpwuid(os.getuid()).pw_name
        group = "dovecot" if is_root else grp.getgrgid(os.getgid()).gr_name
        (base / "dovecot.conf").write_text(
            _CONFIGURATION.format(
                base=base,
                port=port,
                tls_port=tls_port,
                user=user,
                group=group,
                login="dovenull" if is_root else user,
            )
        )
        if is_root:
            shutil.chown(base, user, group)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self._base / "stderr").open("wb") as said:
            self._process = subprocess.Popen(  # noqa: S603 - the arguments are ours
                [dovecot_program() or "dovecot", "-F", "-c", self._base / "dovecot.conf"],
                stdout=said,
                stderr=said,
            )
        self._wait(self._process)
        return self

    def __exit__(self, *_exc_info: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 20
        while True:
            try:
                self.server.client().logout()
            except (OSError, imaplib.IMAP4.error):
                if time.monotonic() > deadline or process.poll() is not None:
                    said = [self._base / name for name in ("stderr", "log")]
                    raise RuntimeError(
                        "\n".join(file.read_text() for file in said if file.exists())
                    ) from None
                time.sleep(0.05)
            else:
                return


def dovecot_program() -> str | None:
    """Return where the server's program is; None where it is not installed."""
    return shutil.which("dovecot", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


def _free_ports() -> tuple[int, int]:
    with create_server(("127.0.0.1", 0)) as one, create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]
