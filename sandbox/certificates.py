"""The sandbox's own certificate authority, which its clients are told to trust."""

import os
import ssl
from pathlib import Path

import trustme


def authority(ca_file: Path) -> trustme.CA:
    """Return the authority whose certificate is in `ca_file`, made on first use.

    The private key is kept beside the certificate (``.key``, readable by its owner only), so that
    a client which read `ca_file` before the sandbox was restarted still trusts it.

    Raises:
        OSError: `ca_file` or its folder cannot be written.
    """
    key_file = ca_file.with_suffix(".key")
    if ca_file.exists() and key_file.exists():
        return trustme.CA.from_pem(ca_file.read_bytes(), key_file.read_bytes())
    made = trustme.CA(organization_name="Regresa sandbox")
    ca_file.parent.mkdir(parents=True, exist_ok=True)
    # Created with its rights, not narrowed afterwards: there is no moment when others may read it.
    key_file.unlink(missing_ok=True)
    with os.fdopen(os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(made.private_key_pem.bytes())
    made.cert_pem.write_to_path(str(ca_file))
    return made


def server_context(ca: trustme.CA, host: str) -> ssl.SSLContext:
    """Return a TLS context for a server that clients reach as `host` or as ``localhost``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(host, "localhost").configure_cert(context)
    return context
