"""The table of what mail servers' refusals mean."""

import pytest

from channels.smtp_codes import Bounced, ToUs, basic_code_in, refusal_of, status_in


@pytest.mark.parametrize(
    ("basic", "status", "rcpt", "data", "bounced"),
    [
        ("550", "5.1.1", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.BAD_ADDRESS),
        ("550", "5.1.10", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.BAD_ADDRESS),
        ("553", "5.1.8", ToUs.MISCONFIGURED, ToUs.MISCONFIGURED, Bounced.OURS),
        ("550", "5.2.1", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.BAD_ADDRESS),
        ("552", "5.2.2", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.LOST),
        ("554", "5.3.0", ToUs.PERMANENT, ToUs.MISCONFIGURED, Bounced.LOST),
        ("552", "5.3.4", ToUs.MISCONFIGURED, ToUs.MISCONFIGURED, Bounced.OURS),
        ("554", "5.4.4", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.BAD_ADDRESS),
        ("530", "5.5.1", ToUs.MISCONFIGURED, ToUs.MISCONFIGURED, Bounced.LOST),
        ("554", "5.6.0", ToUs.MISCONFIGURED, ToUs.MISCONFIGURED, Bounced.LOST),
        ("550", "5.7.1", ToUs.MISCONFIGURED, ToUs.MISCONFIGURED, Bounced.LOST),
        ("550", "5.7.26", ToUs.MISCONFIGURED, ToUs.MISCONFIGURED, Bounced.OURS),
        ("550", None, ToUs.PERMANENT, ToUs.PERMANENT, Bounced.BAD_ADDRESS),
        ("550", "5.0.0", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.BAD_ADDRESS),
        ("530", None, ToUs.MISCONFIGURED, ToUs.MISCONFIGURED, Bounced.LOST),
        ("556", None, ToUs.PERMANENT, ToUs.PERMANENT, Bounced.BAD_ADDRESS),
        (None, "5.0.0", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.LOST),
        (None, None, ToUs.PERMANENT, ToUs.PERMANENT, Bounced.LOST),
        ("599", "5.9.9", ToUs.PERMANENT, ToUs.PERMANENT, Bounced.LOST),
    ],
)
def test_a_refusal_means(
    basic: str | None, status: str | None, rcpt: ToUs, data: ToUs, bounced: Bounced
) -> None:
    found = refusal_of(basic=basic, status=status)
    assert (found.to_us_at("rcpt"), found.to_us_at("data"), found.bounced) == (rcpt, data, bounced)


@pytest.mark.parametrize(
    ("said", "status", "basic"),
    [
        ("smtp; 550 5.1.1 <x@example.com>: unknown", "5.1.1", "550"),
        ("550-5.7.26 This mail", "5.7.26", "550"),
        ("smtp; 550 192.0.5.7 refused", None, "550"),
        ("host 192.0.2.55 said: no", None, None),
        ("", None, None),
    ],
)
def test_what_a_server_said_is_read(said: str, status: str | None, basic: str | None) -> None:
    assert (status_in(said), basic_code_in(said)) == (status, basic)
