"""What is refused at a worker's start because a provider is, or is not, on this machine."""

from collections.abc import Callable, Mapping

import pytest

from activities.start_checks import refuse_unreachable_console
from channels.loopback import is_loopback
from channels.protocol import Channel
from channels.sms import SmsChannel, SmsSettings
from clinic.clinic import Clinic
from clinic.refusal import Refusal

ONE_KIND = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what the database has no part in."""

LIVE = "https://api.twilio.example"


@pytest.mark.parametrize(
    ("host", "expected"),
    [("LOCALHOST", True), ("127.1.2.3", True), ("::1", True), ("", False), ("10.0.0.1", False)],
)
def test_this_machine(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


@ONE_KIND
@pytest.mark.parametrize(
    "public_url", ["http://127.0.0.1:8080", "http://localhost/regresa", "http://[::1]:8080"]
)
async def test_links_to_this_machine_are_not_sent_to_another(
    clinic: Clinic, sms_settings: Callable[..., SmsSettings], public_url: str
) -> None:
    clinic.settings.public_url = public_url
    channels = {"sms": SmsChannel(sms_settings(base_url=LIVE))}
    with pytest.raises(Refusal) as refused:
        refuse_unreachable_console(clinic, channels)
    assert "REGRESA_PUBLIC_URL" in refused.value.problem
    assert "`sms` reaches api.twilio.example" in refused.value.problem


@ONE_KIND
async def test_a_public_address_may_be_sent_to_anybody(
    clinic: Clinic, sms_settings: Callable[..., SmsSettings]
) -> None:
    clinic.settings.public_url = "https://come-back.aurora.example"
    refuse_unreachable_console(clinic, {"sms": SmsChannel(sms_settings(base_url=LIVE))})


@ONE_KIND
async def test_a_stack_on_one_machine_may_use_that_machines_address(
    clinic: Clinic, channels: Mapping[str, Channel]
) -> None:
    refuse_unreachable_console(clinic, channels)
