"""Faults by chance: by their share and the seed, counted, and with what they leave behind."""

from collections.abc import Callable
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest
from pydantic import ValidationError

from sandbox import Sandbox, SandboxSettings
from sandbox.random_faults import RandomFault, RandomFaults
from tests.sandbox.conftest import Product

FROM, PATIENT = "+15005550006", "+13055550142"


async def mail_to(sandbox: Sandbox) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@aurora.example", "b@example.com", "Hola"
    message["Message-ID"] = "<1@aurora.example>"
    message.set_content("Te esperamos")
    await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=True,
        username="aurora",
        password=sandbox.settings.smtp_password.get_secret_value(),
        cert_bundle=str(sandbox.ca_file),
    )


async def text_to(sandbox: Sandbox, *, within: float = 5) -> httpx.Response:
    token = sandbox.settings.twilio_auth_token.get_secret_value()
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, token), trust_env=False) as client:
        return await client.post(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json",
            data={"To": PATIENT, "From": FROM, "Body": "Te esperamos"},
            timeout=within,
        )


async def counts(sandbox: Sandbox) -> dict[str, int]:
    async with httpx.AsyncClient(trust_env=False) as client:
        found: dict[str, int] = (await client.get(f"{sandbox.http_url}/sandbox/faults")).json()
    return found


async def test_every_other_mail_that_is_cut_off_after_data_was_accepted(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(settings(faults={"smtp_cut_after_data": 1})) as sandbox:
        for kept in (1, 1, 2, 2):
            with pytest.raises(aiosmtplib.SMTPServerDisconnected):
                await mail_to(sandbox)
            assert len(sandbox.inbox.messages) == kept
        assert await counts(sandbox) == {
            "smtp_cut_after_data, taken": 2,
            "smtp_cut_after_data, not taken": 2,
        }


async def test_a_mail_that_gets_451_is_not_stored(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(settings(faults={"smtp_451": 1})) as sandbox:
        with pytest.raises(aiosmtplib.SMTPDataError, match=r"4\.3\.0"):
            await mail_to(sandbox)
        assert sandbox.inbox.messages == []
        assert await counts(sandbox) == {"smtp_451": 1}


@pytest.mark.parametrize(("fault", "status"), [("twilio_429", 429), ("twilio_503", 503)])
async def test_what_is_refused_is_not_stored(
    settings: Callable[..., SandboxSettings], fault: str, status: int
) -> None:
    async with Sandbox(settings(faults={fault: 1})) as sandbox:
        answer = await text_to(sandbox)
        assert (answer.status_code, answer.json()["code"]) == (status, 20000 + status)
        assert ("Retry-After" in answer.headers) == (status == 429)
        assert sandbox.twilio.messages == []
        assert await counts(sandbox) == {fault: 1}


async def test_every_other_message_that_gets_500_was_taken(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(settings(faults={"twilio_500": 1})) as sandbox:
        for taken in (1, 1, 2, 2):
            answer = await text_to(sandbox)
            assert (answer.status_code, answer.json()["code"]) == (500, 20500)
            assert len(sandbox.twilio.messages) == taken
        assert await counts(sandbox) == {"twilio_500, taken": 2, "twilio_500, not taken": 2}


async def test_a_message_may_be_taken_and_never_answered(
    settings: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(settings(faults={"twilio_accept_then_silence": 1})) as sandbox:
        with pytest.raises(httpx.ReadTimeout):
            await text_to(sandbox, within=0.2)
        assert len(sandbox.twilio.messages) == 1
        assert await counts(sandbox) == {"twilio_accept_then_silence": 1}


async def test_a_webhook_comes_again_with_the_same_words(
    settings: Callable[..., SandboxSettings],
    product: Product,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sandbox.random_faults._LONGEST_PAUSE_S", 0.05)
    async with Sandbox(settings(faults={"webhook_repeat": 1})) as sandbox:
        await sandbox.twilio.receive_sms(PATIENT, FROM, "Hola")
        await sandbox.settled()
        first, again = product.posts("/webhooks/sms")
        assert first.form == again.form
        assert first.headers["X-Twilio-Signature"] == again.headers["X-Twilio-Signature"]
        assert await counts(sandbox) == {"webhook_repeat": 1}


async def test_a_webhook_may_come_late(
    settings: Callable[..., SandboxSettings], product: Product
) -> None:
    async with Sandbox(settings(faults={"webhook_reorder": 1})) as sandbox:
        await sandbox.twilio.receive_sms(PATIENT, FROM, "Hola")
        assert len(product.posts("/webhooks/sms")) == 1
        assert await counts(sandbox) == {"webhook_reorder": 1}


def test_the_seed_decides_and_shares_are_kept() -> None:
    def drawn(seed: int) -> list[RandomFault | None]:
        faults = RandomFaults({RandomFault.TWILIO_429: 0.2, RandomFault.TWILIO_503: 0.1}, seed=seed)
        return [faults.of_twilio() for _ in range(1000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 150 < drawn(1).count(RandomFault.TWILIO_429) < 250
    assert 60 < drawn(1).count(RandomFault.TWILIO_503) < 140


@pytest.mark.parametrize(
    "faults",
    [{"smtp_451": 1.1}, {"twilio_429": -0.1}, {"twilio_429": 0.6, "twilio_503": 0.6}, {"rain": 1}],
)
def test_shares_that_are_none_are_refused(
    settings: Callable[..., SandboxSettings], faults: dict[str, float]
) -> None:
    with pytest.raises(ValidationError, match="faults"):
        settings(faults=faults)
