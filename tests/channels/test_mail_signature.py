"""DKIM: what arrives verifies against the public key that stands in the DNS."""

import base64
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from channels import registry
from channels.email import EmailChannel, EmailSettings
from channels.protocol import OutgoingMessage
from clinic.refusal import Refusal

if TYPE_CHECKING:
    from tests.channels.conftest import MailServer

Make = Callable[..., OutgoingMessage]
SIGNED = {
    *("from", "to", "reply-to", "subject", "date", "message-id", "mime-version", "content-type"),
    *("auto-submitted", "list-unsubscribe", "list-unsubscribe-post"),
}


def written(file: Path, key: PrivateKeyTypes, form: PrivateFormat = PrivateFormat.PKCS8) -> Path:
    file.write_bytes(key.private_bytes(Encoding.PEM, form, NoEncryption()))
    return file


def record_of(file: Path) -> str:
    """Return the DNS record of a key, as the operator's page says to make it."""
    key = load_pem_private_key(file.read_bytes(), password=None)
    if isinstance(key, Ed25519PrivateKey):  # the key alone, without its ASN.1 (RFC 8463, 4)
        return f"v=DKIM1; k=ed25519; p={_base64(key.public_key().public_bytes_raw())}"
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; p={_base64(public)}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    long = rsa.generate_private_key(65537, 2048)
    return {
        "rsa": written(folder / "rsa.pem", long),
        "rsa of old": written(folder / "old.pem", long, PrivateFormat.TraditionalOpenSSL),
        "ed25519": written(folder / "ed25519.pem", Ed25519PrivateKey.generate()),
        "p-256": written(folder / "ec.pem", ec.generate_private_key(ec.SECP256R1())),
    }


@pytest.fixture
def signing(
    mail_server: "MailServer", email_settings: Callable[..., EmailSettings]
) -> Callable[..., EmailChannel]:
    def make(key: Path, **given: object) -> EmailChannel:
        fields: dict[str, object] = {
            "port": mail_server.port,
            "security": "none",
            "username": "",
            "dkim_key_file": key,
            "dkim_selector": "spring",
        }
        return EmailChannel(email_settings(**(fields | given)))

    return make


def verifies(mail: bytes, record: str, name: str = "spring._domainkey.aurora.example.") -> bool:
    asked: list[str] = []

    def look_up(asked_for: bytes, **_: Any) -> bytes:
        asked.append(asked_for.decode())
        return record.encode()

    verified: bool = dkim.verify(mail, dnsfunc=look_up)
    assert asked in ([], [name])
    return verified


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    "words",
    [
        pytest.param({}, id="Spanish"),
        pytest.param(
            {
                "language": "ru",
                "sender": "Стоматология «Аврора» на Большой Морской",
                "subject": "Тёплый привет, дорогая Екатерина Александровна, от всех нас! " * 3,
                "text": "Здравствуйте!\n\n.\n" + "слово " * 300,
            },
            id="Russian, long, with a lone full stop",
        ),
    ],
)
async def test_the_signature_of_what_arrives_verifies(
    signing: Callable[..., EmailChannel],
    mail_server: "MailServer",
    message: Make,
    address: str,
    keys: dict[str, Path],
    kind: str,
    words: dict[str, str],
) -> None:
    await signing(keys[kind], reply_plus=True).send(message(address, **words))
    (raw,) = mail_server.taken
    assert verifies(raw, record_of(keys[kind]))
    (signature,) = re.findall(rb"(?ms)^DKIM-Signature: (.*?)\r\n(?!\s)", raw)
    fields = dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s", "", signature.decode())))
    assert fields["d"] == "aurora.example"
    assert set(fields["h"].split(":")) >= SIGNED


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\r\nList-Unsubscribe: <https", b"\r\nList-Unsubscribe: <http", id="changed"),
        pytest.param(b"\r\nSubject:", b"\r\nSubject: X\r\nSubject:", id="added to"),
        pytest.param(b"List-Unsubscribe-Post: List", b"X-Post: List", id="taken from"),
        pytest.param(b"Sof", b"Zof", id="written anew"),
    ],
)
async def test_a_mail_that_was_changed_on_the_way_does_not_verify(
    signing: Callable[..., EmailChannel],
    mail_server: "MailServer",
    message: Make,
    address: str,
    keys: dict[str, Path],
    kind: str,
    old: bytes,
    new: bytes,
) -> None:
    await signing(keys[kind]).send(message(address))
    (raw,) = mail_server.taken
    assert raw.replace(old, new) != raw
    assert not verifies(raw.replace(old, new), record_of(keys[kind]))


async def test_another_key_in_the_dns_does_not_verify(
    signing: Callable[..., EmailChannel],
    mail_server: "MailServer",
    message: Make,
    address: str,
    keys: dict[str, Path],
    tmp_path: Path,
) -> None:
    await signing(keys["ed25519"]).send(message(address))
    (raw,) = mail_server.taken
    other = written(tmp_path / "other.pem", Ed25519PrivateKey.generate())
    assert not verifies(raw, record_of(other))


async def test_it_signs_for_the_domain_that_it_is_told(
    signing: Callable[..., EmailChannel],
    mail_server: "MailServer",
    message: Make,
    address: str,
    keys: dict[str, Path],
) -> None:
    await signing(keys["rsa"], dkim_domain="mail.aurora.example").send(message(address))
    (raw,) = mail_server.taken
    assert verifies(raw, record_of(keys["rsa"]), "spring._domainkey.mail.aurora.example.")


async def test_without_a_key_nothing_is_signed(
    plain_email: EmailChannel, mail_server: "MailServer", message: Make, address: str
) -> None:
    await plain_email.send(message(address))
    assert b"DKIM" not in mail_server.taken[0]


async def test_a_key_in_the_form_of_older_programs_signs_too(
    signing: Callable[..., EmailChannel],
    mail_server: "MailServer",
    message: Make,
    address: str,
    keys: dict[str, Path],
) -> None:
    assert b"BEGIN RSA" in keys["rsa of old"].read_bytes()
    await signing(keys["rsa of old"]).send(message(address))
    assert verifies(mail_server.taken[0], record_of(keys["rsa"]))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="no file"),
        pytest.param(b"", id="empty"),
        pytest.param(b"nonsense", id="no PEM"),
        pytest.param(
            b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n", id="no base64"
        ),
        pytest.param(
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", id="no key"
        ),
        pytest.param("p-256", id="another algorithm"),
    ],
)
def test_a_key_that_cannot_be_read_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    keys: dict[str, Path],
    content: bytes | str | None,
) -> None:
    file = tmp_path / "key.pem"
    if content is not None:
        file.write_bytes(keys[content].read_bytes() if isinstance(content, str) else content)
    monkeypatch.setenv("REGRESA_EMAIL_HOST", "127.0.0.1")
    monkeypatch.setenv("REGRESA_EMAIL_FROM_ADDRESS", "hello@aurora.example")
    monkeypatch.setenv("REGRESA_EMAIL_DKIM_KEY_FILE", str(file))
    monkeypatch.setenv("REGRESA_EMAIL_DKIM_SELECTOR", "spring")
    with pytest.raises(Refusal, match="REGRESA_EMAIL_DKIM_KEY_FILE") as refused:
        registry.in_use(["email"])
    assert str(file) in refused.value.problem


def test_a_key_too_short_to_be_believed_is_refused(
    email_settings: Callable[..., EmailSettings],
    keys: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # nothing here makes a key of less than 1024 bits any more
    monkeypatch.setattr("channels.mail_signature._LEAST_RSA_BITS", 2049)
    with pytest.raises(ValidationError, match="shorter than 2049 bits"):
        email_settings(dkim_key_file=keys["rsa"], dkim_selector="spring")


def test_a_key_without_a_selector_is_refused(
    email_settings: Callable[..., EmailSettings], keys: dict[str, Path]
) -> None:
    with pytest.raises(ValidationError, match="dkim_selector"):
        email_settings(dkim_key_file=keys["rsa"])
