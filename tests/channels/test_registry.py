"""Channels are found by entry points and built from the environment, or refused by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from channels import registry
from channels.call import CallChannel
from channels.email import EmailChannel
from channels.sms import SmsChannel
from clinic.refusal import Refusal


def test_the_products_own_channels_are_installed() -> None:
    own = {"email": EmailChannel, "sms": SmsChannel, "call": CallChannel}
    assert own.items() <= registry.installed().items()


def test_an_unknown_channel_is_refused_and_those_there_are_named() -> None:
    with pytest.raises(Refusal) as refused:
        registry.in_use(["telegram"])
    assert "REGRESA_CHANNELS" in refused.value.problem
    assert "telegram" in refused.value.problem
    assert "call, email, sms" in refused.value.remedy


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        pytest.param("email", {"REGRESA_EMAIL_HOST", "REGRESA_EMAIL_FROM_ADDRESS"}, id="email"),
        pytest.param("sms", {"REGRESA_SMS_ACCOUNT_SID", "REGRESA_SMS_AUTH_TOKEN"}, id="sms"),
    ],
)
def test_every_missing_setting_is_named_at_once(name: str, missing: set[str]) -> None:
    with pytest.raises(Refusal) as refused:
        registry.in_use([name])
    assert all(variable in refused.value.problem for variable in missing)
    assert ".env.example" in refused.value.remedy


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("REGRESA_EMAIL_HOST", "", id="an empty host"),
        pytest.param("REGRESA_EMAIL_PORT", "smtp", id="not a number"),
        pytest.param("REGRESA_EMAIL_SECURITY", "ssl", id="no such kind of security"),
        pytest.param("REGRESA_EMAIL_FROM_ADDRESS", "aurora", id="no address"),
        pytest.param("REGRESA_SMS_FROM_NUMBER", "305-555-0100", id="not E.164"),
        pytest.param("REGRESA_SMS_MESSAGING_SERVICE_SID", "SM123", id="another kind of id"),
        pytest.param("REGRESA_SMS_BASE_URL", "api.twilio.com", id="no scheme"),
        pytest.param("REGRESA_SMS_AUTH_TOKEN", "", id="an empty token"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    for given in (
        ("REGRESA_EMAIL_HOST", "127.0.0.1"),
        ("REGRESA_EMAIL_FROM_ADDRESS", "hello@aurora.example"),
        ("REGRESA_SMS_ACCOUNT_SID", "AC" + "0" * 32),
        ("REGRESA_SMS_AUTH_TOKEN", "a token of the tests"),
        ("REGRESA_SMS_FROM_NUMBER", "+13055550100"),
        (variable, value),
    ):
        monkeypatch.setenv(*given)
    with pytest.raises(Refusal) as refused:
        registry.in_use(["email", "sms"])
    assert variable in refused.value.problem
    assert "a token of the tests" not in str(refused.value)


def test_an_sms_channel_without_a_sender_names_both_ways_to_give_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REGRESA_SMS_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("REGRESA_SMS_AUTH_TOKEN", "a token of the tests")
    with pytest.raises(Refusal, match="REGRESA_SMS_FROM_NUMBER or REGRESA_SMS_MESSAGING_SERVICE"):
        registry.in_use(["sms"])


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install packages that bring channels, as far as their metadata goes."""

    def install(**values: str) -> None:
        for package, point in values.items():
            folder = tmp_path / f"{package}-1.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Name: {package}\nVersion: 1\n")
            (folder / "entry_points.txt").write_text(f"[regresa.channels]\n{point}\n")

    monkeypatch.syspath_prepend(str(tmp_path))
    return install


def test_a_plug_in_that_cannot_be_loaded_is_refused_by_name(
    packages: Callable[..., None],
) -> None:
    packages(broken="telegram = no_such_module:Telegram")
    with pytest.raises(Refusal, match=r"`telegram` can't be loaded.*no_such_module"):
        registry.in_use(["telegram"])


async def test_a_plug_in_that_cannot_be_loaded_disturbs_nobody_who_does_not_use_it(
    packages: Callable[..., None],
) -> None:
    packages(broken="telegram = no_such_module:Telegram")
    (call,) = registry.in_use(["call"]).values()
    await call.close()


def test_two_packages_with_one_channel_are_refused(packages: Callable[..., None]) -> None:
    packages(other="call = channels.email:EmailChannel")
    with pytest.raises(Refusal, match="two packages bring a channel `call`"):
        registry.in_use(["call"])
