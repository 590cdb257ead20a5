"""DKIM: mail that its receiver can tell from a forgery (RFC 6376, RFC 8463)."""

import base64
import binascii
import re
from pathlib import Path
from typing import NamedTuple

import dkim
from dkim.crypto import UnparsableKeyError, parse_pem_private_key

_PEM = re.compile(rb"-----BEGIN ([A-Z ]+)-----\n(.+?)\n-----END \1-----", re.DOTALL)
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the 32 bytes of an Ed25519 key in PKCS#8 (RFC 8410, section 7)."""
_ED25519_BYTES = 32
_LEAST_RSA_BITS = 1024
"""RFC 8301, section 3.2; 2048 are advised there."""

_SIGNED = (
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"auto-submitted",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    # once more: a second one of these, added on the way, breaks the signature
    b"from",
    b"to",
    b"subject",
    b"date",
    b"reply-to",
)
"""RFC 6376, section 5.4.1, and RFC 8058, section 4, for the last two of the first part."""


class SigningKey(NamedTuple):
    """A private key as the library takes it."""

    algorithm: bytes
    key: bytes


def read_key(file: Path) -> SigningKey:
    """Read a private key, RSA (PKCS#1 or PKCS#8) or Ed25519 (PKCS#8), unencrypted, in PEM.

    Raises:
        ValueError: It can't be read, or is no such key; nothing of it is told.
    """
    try:
        written = file.read_bytes().replace(b"\r\n", b"\n")
    except OSError as error:
        raise ValueError(f"the key can't be read ({type(error).__name__}): {file}") from None
    found = _PEM.search(written)
    try:
        der = base64.b64decode(found[2]) if found else b""
        if der.startswith(_ED25519) and len(der) == len(_ED25519) + _ED25519_BYTES:
            return SigningKey(b"ed25519-sha256", base64.b64encode(der[len(_ED25519) :]))
        pem = found[0] if found else b""
        long_enough = parse_pem_private_key(pem)["modulus"].bit_length() >= _LEAST_RSA_BITS
    except (binascii.Error, UnparsableKeyError, KeyError, IndexError, TypeError, ValueError):
        raise ValueError(f"this is no unencrypted RSA or Ed25519 key in PEM: {file}") from None
    if not long_enough:
        raise ValueError(f"the key is shorter than {_LEAST_RSA_BITS} bits: {file}")
    return SigningKey(b"rsa-sha256", pem)


class MailSignature:
    """Signs mail.

    Args:
        file: The private key.
        selector: Under which name the public key stands in the DNS.
        domain: Whose DNS.

    Raises:
        ValueError: The key can't be read.
    """

    def __init__(self, file: Path, selector: str, domain: str) -> None:
        self._key = read_key(file)
        self._selector = selector.encode("ascii")
        self._domain = domain.encode("ascii")

    def sign(self, mail: bytes) -> bytes:
        """Return the mail with its signature in front.

        Args:
            mail: As it will stand on the wire, with CR LF: nothing may fold it again.
        """
        signature: bytes = dkim.sign(
            mail,
            self._selector,
            self._domain,
            self._key.key,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=self._key.algorithm,
            include_headers=list(_SIGNED),
        )
        return signature + mail
