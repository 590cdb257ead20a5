"""What the product needs of a channel before any message: its members, settings, addresses."""

import inspect
import re

import pytest
from pydantic_settings import BaseSettings

from channels import registry
from channels.conformance.given import Given
from channels.conformance.stand_in import StandIn
from channels.loopback import is_loopback
from channels.protocol import Channel
from clinic.refusal import Refusal
from clinic.register.contact import Contact

_CONTACT = Contact(email="sofia@example.com", phone="+13055550123")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_MEMBERS = sorted(
    {*inspect.get_annotations(Channel), *(name for name in vars(Channel) if name[0] != "_")}
)
_SECRETS = ("TOKEN", "PASSWORD", "SECRET", "KEY")


class AsAPlugIn(Given):
    """The channel as the product finds and builds it."""

    def test_it_has_every_member_of_the_protocol(self, channel: Channel) -> None:
        missing = [name for name in _MEMBERS if not hasattr(channel, name)]
        assert not missing, f"{type(channel).__name__} lacks {', '.join(missing)}"
        for name in ("send", "reconcile", "fetch", "acknowledge", "close"):
            assert inspect.iscoroutinefunction(getattr(channel, name)), f"{name} is not async"
        for name in ("verify", "parse", "address_of", "redact"):
            assert not inspect.iscoroutinefunction(getattr(channel, name)), f"{name} is async"
        assert type(channel.settles) is bool
        assert type(channel.fetches) is bool

    def test_it_bears_a_name_that_plans_and_urls_can_hold(self, channel: Channel) -> None:
        assert channel.name == self.name
        assert _NAME.fullmatch(channel.name)

    def test_its_entry_point_bears_its_name(self, channel: Channel) -> None:
        assert registry.installed()[self.name] is type(channel)

    def test_its_settings_have_a_prefix_of_the_product(self, channel: Channel) -> None:
        assert issubclass(channel.settings_model, BaseSettings)
        assert str(channel.settings_model.model_config.get("env_prefix")).startswith("REGRESA_")

    @pytest.mark.usefixtures("channel")
    def test_a_wrong_setting_is_refused_by_the_name_of_its_variable(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(*self.wrong_setting)
        with pytest.raises(Refusal, match=self.wrong_setting[0]):
            registry.in_use([self.name])

    def test_no_secret_is_shown_with_the_settings(
        self, channel: Channel, stand_in: StandIn
    ) -> None:
        shown = f"{channel.settings_model()!r} {channel!r}"
        secrets = [
            value
            for variable, value in stand_in.environment.items()
            if value and any(word in variable.rsplit("_", 2) for word in _SECRETS)
        ]
        assert [secret for secret in secrets if secret in shown] == []

    def test_it_names_the_host_that_it_sends_to(self, channel: Channel) -> None:
        assert is_loopback(channel.host)

    def test_its_rate_is_none_or_one_that_lets_something_through(self, channel: Channel) -> None:
        assert channel.per_second is None or channel.per_second > 0

    def test_it_knows_the_patients_address(self, channel: Channel) -> None:
        assert channel.address_of(_CONTACT) == (getattr(_CONTACT, self.reaches_by), False)

    def test_it_knows_that_there_is_no_address(self, channel: Channel) -> None:
        assert channel.address_of(Contact(email=None, phone=None)) == (None, False)

    def test_it_knows_that_its_address_is_bad_and_not_another_channels(
        self, channel: Channel
    ) -> None:
        by_email = self.reaches_by == "email"
        email_bad = _CONTACT.model_copy(update={"email_bad": True})
        phone_bad = _CONTACT.model_copy(update={"phone_bad": True})
        assert channel.address_of(email_bad)[1] is by_email
        assert channel.address_of(phone_bad)[1] is not by_email

    def test_redacting_leaves_no_address(self, channel: Channel, stand_in: StandIn) -> None:
        to = stand_in.address(None)
        redacted = channel.redact(f"550 <{to}>: refused ({to}), {to.removeprefix('+')}")
        assert to.removeprefix("+") not in redacted

    @pytest.mark.asyncio
    async def test_closing_it_unused_or_twice_does_no_harm(self, channel: Channel) -> None:
        await channel.close()
        await channel.close()
