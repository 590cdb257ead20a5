"""Simulated patients answer through the product's real doors, once each, and as who they are."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx
import pytest
from structlog.testing import capture_logs

from sandbox import CannotStartError, Sandbox, SandboxSettings
from sandbox.personas import PERSONA_WEIGHTS, Persona, persona_of
from sandbox.register import e164_of
from sandbox.replies import reply_in

PASSWORD = "a password of the tests"
TOKEN = "a token of the tests"
FROM = "+13055550100"

COLUMNS = (
    "patient_id,first_name,last_name,birth_date,sex,occupation,district,language,email,phone,"
    "treatment,last_visit,visits,next_appointment,status,loss_reason"
)


def row(patient_id: str, name: str, language: str, email: str, phone: str) -> str:
    return f"{patient_id},{name},X,1980-01-02,f,,,{language},{email},{phone},,2025-01-02,3,,,"


REGISTER = "\n".join(
    [
        COLUMNS,
        row("P1", "Ramón", "es", "ramon@example.com", "305-555-0142"),
        row("P2", "Olga", "ru", "olga@example.com", "(305) 555-0143"),
        row("P3", "Ann", "en", "ann@example.com", "+1 305 555 0144"),
        row("P4", "Lucía", "es", "ramon@example.com", "305-555-0142"),
    ]
)


@pytest.fixture
def with_persona(
    settings: Callable[..., SandboxSettings], product: Any, tmp_path: Path
) -> Callable[..., SandboxSettings]:
    """Make settings under which every patient has the persona given."""
    register = tmp_path / "register.csv"
    register.write_text(REGISTER, encoding="utf-8-sig")

    def make(persona: Persona, **changes: Any) -> SandboxSettings:
        given: dict[str, Any] = {
            "patients": True,
            "register_file": register,
            "bookings_url": f"{product.url}/bookings",
            "bookings_token": "a bookings token of the tests",
            "answer_after": (0, 0.01),
            "persona_weights": {persona: 1.0},
        }
        return settings(**{**given, **changes})

    return make


async def send_email(sandbox: Sandbox, to: str, text: str, **headers: str) -> None:
    message = EmailMessage()
    message["From"] = "recepcion@aurora.example"
    message["To"] = to
    message["Subject"] = "Hola"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    link = text.rsplit(maxsplit=1)[-1]
    message.add_alternative(f'<a href="{link}?from=html&amp;a=1">x</a>', subtype="html")
    await aiosmtplib.send(
        message,
        hostname="127.0.0.1",
        port=sandbox.smtp_port,
        start_tls=True,
        username="aurora",
        password=PASSWORD,
        cert_bundle=str(sandbox.ca_file),
    )
    await sandbox.settled()


async def send_sms(sandbox: Sandbox, to: str, text: str = "Hola") -> None:
    async with httpx.AsyncClient(auth=(sandbox.twilio.sid, TOKEN), trust_env=False) as http:
        answer = await http.post(
            f"{sandbox.http_url}/2010-04-01/Accounts/{sandbox.twilio.sid}/Messages.json",
            data={"To": to, "From": FROM, "Body": text},
        )
        answer.raise_for_status()
    await sandbox.settled()


async def counts_of(sandbox: Sandbox) -> Any:
    async with httpx.AsyncClient(base_url=sandbox.http_url, trust_env=False) as http:
        return (await http.get("/sandbox/patients")).json()


async def test_a_booking_after_an_email_is_reported_by_the_clinics_software(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.BOOKS_AFTER_EMAIL)) as sandbox:
        await send_sms(sandbox, "+13055550143")
        assert product.requests == []
        await send_email(sandbox, "olga@example.com", "http://127.0.0.1:9/p/1")
        await send_email(sandbox, "olga@example.com", "http://127.0.0.1:9/p/1")
        counts = await counts_of(sandbox)

    (booking,) = product.posts("/bookings")
    appointment = datetime.fromisoformat(booking.json["appointment_at"])
    assert set(booking.json) == {"key", "patient", "appointment_at"}
    assert booking.json["patient"] == "P2"
    assert booking.headers["Authorization"] == "Bearer a bookings token of the tests"
    assert appointment.utcoffset() == timedelta(0)
    assert timedelta(days=2) < appointment - datetime.now(UTC) < timedelta(days=16)
    assert counts["personas"]["books_after_email"] == {"patients": 4, "received": 3, "answered": 1}
    assert counts["doors"]["booking"] == {"200": 1}


async def test_a_booking_that_is_not_taken_is_reported_again_under_the_same_key(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    product.answers.append(503)
    async with Sandbox(with_persona(Persona.BOOKS_AFTER_SMS)) as sandbox:
        await send_sms(sandbox, "+13055550144")

    first, second = product.posts("/bookings")
    assert first.json == second.json
    assert first.json["patient"] == "P3"


@pytest.mark.parametrize(
    ("number", "language", "patient_id"),
    [("+13055550142", "es", "P1"), ("+13055550143", "ru", "P2"), ("+13055550144", "en", "P3")],
)
async def test_a_reply_comes_by_sms_in_the_patients_language(
    with_persona: Callable[..., SandboxSettings],
    product: Any,
    number: str,
    language: str,
    patient_id: str,
) -> None:
    async with Sandbox(with_persona(Persona.REPLIES_BY_SMS)) as sandbox:
        await send_email(sandbox, "olga@example.com", "http://127.0.0.1:9/p/1")
        assert product.requests == []
        await send_sms(sandbox, number)
        await send_sms(sandbox, number)

    (post,) = product.posts("/webhooks/sms")
    assert (post.form["From"], post.form["To"]) == (number, FROM)
    assert post.form["Body"] == reply_in(language, seed=1, patient_id=patient_id)


@pytest.mark.parametrize(
    ("number", "word"),
    [("+13055550142", "BAJA"), ("+13055550143", "СТОП"), ("+13055550144", "STOP")],
)
async def test_a_patient_stops_messages_in_the_patients_language(
    with_persona: Callable[..., SandboxSettings], product: Any, number: str, word: str
) -> None:
    async with Sandbox(with_persona(Persona.STOPS_BY_SMS)) as sandbox:
        await send_sms(sandbox, number)

    (post,) = product.posts("/webhooks/sms")
    assert post.form["Body"] == word


async def test_one_click_unsubscribes_by_a_post_without_cookies(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.STOPS_BY_EMAIL)) as sandbox:
        for address in ("olga@example.com", "ann@example.com"):
            await send_email(
                sandbox,
                address,
                f"{product.url}/p/1",
                List_Unsubscribe=f"<mailto:stop@aurora.example>, <{product.url}/u/1>",
                List_Unsubscribe_Post="List-Unsubscribe=One-Click",
            )
        counts = await counts_of(sandbox)

    assert [request.path for request in product.requests] == ["/u/1", "/u/1"]
    assert all(post.form == {"List-Unsubscribe": "One-Click"} for post in product.posts("/u/1"))
    assert all("Cookie" not in post.headers for post in product.posts("/u/1"))
    assert counts["doors"]["one_click"] == {"200": 2}


async def test_a_redirect_in_answer_to_one_click_is_not_followed(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    product.redirects["/u/1"] = "/elsewhere"
    async with Sandbox(with_persona(Persona.STOPS_BY_EMAIL)) as sandbox:
        await send_email(
            sandbox,
            "olga@example.com",
            f"{product.url}/p/1",
            List_Unsubscribe=f"<{product.url}/u/1>",
            List_Unsubscribe_Post="List-Unsubscribe=One-Click",
        )
        counts = await counts_of(sandbox)

    assert [request.path for request in product.requests] == ["/u/1"]
    assert counts["doors"]["one_click"] == {"303": 1}


async def test_an_email_without_one_click_is_counted(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.STOPS_BY_EMAIL)) as sandbox:
        await send_email(
            sandbox,
            "olga@example.com",
            f"{product.url}/p/1",
            List_Unsubscribe=f"<{product.url}/u/1>",
        )
        counts = await counts_of(sandbox)

    assert product.requests == []
    assert counts["doors"]["one_click"] == {"missing": 1}


async def test_a_call_is_asked_for_on_the_patients_page(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    product.redirects["/p/abc/call"] = "/p/abc"
    async with Sandbox(with_persona(Persona.ASKS_FOR_A_CALL)) as sandbox:
        await send_sms(sandbox, "+13055550143", f"Aurora: {product.url}/p/abc.")
        counts = await counts_of(sandbox)

    assert [(request.method, request.path) for request in product.requests] == [
        ("GET", "/p/abc"),
        ("POST", "/p/abc/call"),
        ("GET", "/p/abc"),
    ]
    assert product.posts("/p/abc/call")[0].form == {"wish": "call"}
    assert counts["doors"]["call_request"] == {"200": 1}


async def test_the_link_to_unsubscribe_is_not_taken_for_the_patients_page(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.ASKS_FOR_A_CALL)) as sandbox:
        await send_email(
            sandbox,
            "olga@example.com",
            f"No more: {product.url}/u/1\nYour page: {product.url}/p/abc",
            List_Unsubscribe=f"<{product.url}/u/1>",
        )

    assert [request.path for request in product.requests] == ["/p/abc", "/p/abc/call"]


async def test_a_message_without_a_link_is_counted(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.ASKS_FOR_A_CALL)) as sandbox:
        await send_sms(sandbox, "+13055550143", "Te esperamos")
        counts = await counts_of(sandbox)

    assert product.requests == []
    assert counts["doors"]["page"] == {"missing": 1}


@pytest.mark.parametrize(
    ("persona", "door", "setting"),
    [
        (Persona.REPLIES_BY_SMS, "sms", "webhook_url"),
        (Persona.BOOKS_AFTER_SMS, "booking", "bookings_url"),
    ],
)
async def test_a_door_out_of_reach_is_counted(
    with_persona: Callable[..., SandboxSettings], persona: Persona, door: str, setting: str
) -> None:
    settings = with_persona(persona, **{setting: "http://127.0.0.1:9/"})
    async with Sandbox(settings) as sandbox:
        await send_sms(sandbox, "+13055550143")
        counts = await counts_of(sandbox)

    assert counts["doors"][door] == {"unreachable": 1}


async def test_a_scanner_opens_every_link_and_posts_nothing(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.SCANNER)) as sandbox:
        await send_email(
            sandbox,
            "olga@example.com",
            f"Hola {product.url}/p/abc",
            List_Unsubscribe=f"<{product.url}/u/1>",
            List_Unsubscribe_Post="List-Unsubscribe=One-Click",
        )
        counts = await counts_of(sandbox)

    assert [(request.method, request.path) for request in product.requests] == [
        ("GET", "/p/abc"),
        ("GET", "/p/abc"),
        ("GET", "/u/1"),
    ]
    assert counts["doors"]["scanned_link"] == {"200": 3}


async def test_who_never_answers_does_nothing(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.NEVER_ANSWERS)) as sandbox:
        await send_email(sandbox, "olga@example.com", f"{product.url}/p/abc")
        await send_sms(sandbox, "+13055550143")
        counts = await counts_of(sandbox)

    assert product.requests == []
    assert counts["personas"]["never_answers"] == {"patients": 4, "received": 2, "answered": 0}


async def test_no_link_leads_a_patient_away_from_the_clinic(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    product.redirects["/p/abc"] = "http://outside.example/"
    async with Sandbox(with_persona(Persona.SCANNER)) as sandbox:
        await send_email(sandbox, "olga@example.com", "http://outside.example/p/1")
        await send_email(sandbox, "ann@example.com", f"{product.url}/p/abc")
        counts = await counts_of(sandbox)

    assert counts["doors"]["scanned_link"] == {"outside": 4}


async def test_a_door_that_does_not_open_is_counted_and_logged(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    product.answers += [404, 500]
    with capture_logs() as logs:
        async with Sandbox(with_persona(Persona.ASKS_FOR_A_CALL)) as sandbox:
            await send_sms(sandbox, "+13055550143", f"{product.url}/p/abc")
            await send_sms(sandbox, "+13055550144", "http://127.0.0.1:9/p/abc")
            counts = await counts_of(sandbox)

    warned = [one for one in logs if one["log_level"] == "warning" and "door" in one]
    assert counts["doors"]["page"] == {"404": 1, "unreachable": 1}
    assert counts["doors"]["call_request"] == {"500": 1, "unreachable": 1}
    assert len([one for one in warned if one["event"] == "door_answered"]) == 4


async def test_no_log_line_holds_personal_data(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    product.answers += [500] * 3
    with capture_logs() as logs:
        for persona in Persona:
            async with Sandbox(with_persona(persona)) as sandbox:
                await send_email(sandbox, "olga@example.com", f"Olga {product.url}/p/secret")
                await send_email(sandbox, "who@example.com", f"Olga {product.url}/p/secret")
                await send_sms(sandbox, "+13055550143", f"Olga {product.url}/p/secret")

    told = " ".join(str(value) for one in logs for value in one.values())
    assert "patient_answered" in told
    for personal in ("olga", "Olga", "who@", "3055550143", "/p/secret", "P2", "СТОП"):
        assert personal not in told


async def test_a_message_to_an_unknown_address_is_counted(
    with_persona: Callable[..., SandboxSettings],
) -> None:
    async with Sandbox(with_persona(Persona.REPLIES_BY_SMS)) as sandbox:
        await send_sms(sandbox, "+13055550188")

        assert (await counts_of(sandbox))["unknown"] == 1


async def test_an_undelivered_message_is_answered_by_nobody(
    with_persona: Callable[..., SandboxSettings], product: Any, tmp_path: Path
) -> None:
    register = tmp_path / "landline.csv"
    register.write_text("\n".join([COLUMNS, row("P1", "A", "es", "", "+15005552400")]))
    async with Sandbox(with_persona(Persona.REPLIES_BY_SMS, register_file=register)) as sandbox:
        await send_sms(sandbox, "+15005552400")

    assert product.requests == []


async def test_in_a_family_with_one_address_the_one_who_is_called_answers(
    with_persona: Callable[..., SandboxSettings], product: Any
) -> None:
    async with Sandbox(with_persona(Persona.BOOKS_AFTER_SMS)) as sandbox:
        await send_sms(sandbox, "+13055550142", "Lucía, te esperamos")
        await send_sms(sandbox, "+13055550142", "Ramón, te esperamos")

    assert [post.json["patient"] for post in product.posts("/bookings")] == ["P4", "P1"]


async def test_a_register_without_a_needed_column_is_refused_by_name(
    with_persona: Callable[..., SandboxSettings], tmp_path: Path
) -> None:
    register = tmp_path / "other.csv"
    register.write_text("id,name\n1,Ana\n")
    settings = with_persona(Persona.SCANNER, register_file=register)

    with pytest.raises(CannotStartError, match=r"REGISTER_FILE.*patient_id"):
        async with Sandbox(settings):
            pass


def test_the_shares_of_the_personas_are_met() -> None:
    chosen = Counter(persona_of(7, str(number)) for number in range(20_000))

    for persona, weight in PERSONA_WEIGHTS.items():
        assert chosen[persona] / 20_000 == pytest.approx(weight, abs=0.01)


def test_a_persona_follows_from_the_seed_and_the_patient_alone() -> None:
    people = [str(number) for number in range(200)]
    backwards = dict(reversed(list(PERSONA_WEIGHTS.items())))

    assert [persona_of(1, one) for one in people] == [
        persona_of(1, one, backwards) for one in people
    ]
    assert [persona_of(1, one) for one in people] != [persona_of(2, one) for one in people]


def test_every_persona_is_seen_among_some_forty_patients() -> None:
    seen = {persona_of(1, str(number)) for number in range(40)}

    # who answers by mail needs a mailbox to write to, and is asked for by name
    assert seen == set(Persona) - {Persona.REPLIES_BY_EMAIL}
    assert sum(PERSONA_WEIGHTS.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("305-555-0142", "+13055550142"),
        ("(305) 555 0142", "+13055550142"),
        ("1 305 555 0142", "+13055550142"),
        ("+7 495 123-45-67", "+74951234567"),
        ("555-0142", ""),
        ("", ""),
    ],
)
def test_a_number_is_read_as_it_is_written_in_miami(written: str, number: str) -> None:
    assert e164_of(written) == number
