"""What every channel must do, whichever way it reaches a patient."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from channels import registry
from channels.call import CallChannel
from channels.email import EmailChannel
from channels.protocol import Channel, OutgoingMessage, Receipt, WebhookRequest
from channels.sms import SmsChannel
from clinic.refusal import Refusal
from clinic.register.contact import Contact
from clinic.tables import Attempt

CONTACT = Contact(email="sofia@example.com", phone="+13055550123")


class ChannelContract:
    """Inherited by the tests of each channel, which give the channel and a message for it."""

    name: ClassVar[str]
    environment: ClassVar[Mapping[str, str]]
    """Variables with which the channel can be built."""
    wrong: ClassVar[tuple[str, str]]
    """A variable and a value that must be refused."""
    address: ClassVar[str | None]
    """What of `CONTACT` the channel uses."""

    @pytest.fixture
    def channel(self) -> Channel:
        raise NotImplementedError

    @pytest.fixture
    def outgoing(self) -> OutgoingMessage:
        raise NotImplementedError

    def test_it_is_what_a_channel_is(self, channel: Channel) -> None:
        assert isinstance(channel, Channel)
        assert channel.name == self.name

    def test_its_entry_point_bears_its_name(self, channel: Channel) -> None:
        assert registry.installed()[self.name] is type(channel)

    async def test_the_environment_is_enough_to_build_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for variable, value in self.environment.items():
            monkeypatch.setenv(variable, value)
        built = registry.in_use([self.name])
        assert [channel.name for channel in built.values()] == [self.name]
        await built[self.name].close()

    def test_a_wrong_setting_is_refused_by_the_name_of_its_variable(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for variable, value in [*self.environment.items(), self.wrong]:
            monkeypatch.setenv(variable, value)
        with pytest.raises(Refusal, match=self.wrong[0]):
            registry.in_use([self.name])

    async def test_a_message_that_was_sent_has_a_receipt(
        self, channel: Channel, outgoing: OutgoingMessage
    ) -> None:
        receipt = await channel.send(outgoing)
        assert isinstance(receipt, Receipt)
        assert receipt.provider_id
        assert outgoing.to not in receipt.provider_id

    @pytest.mark.parametrize(
        "form",
        [
            pytest.param({}, id="empty"),
            pytest.param({"MessageSid": "SM1", "From": "+13055550123", "Body": "BAJA"}, id="reply"),
        ],
    )
    def test_an_unsigned_request_is_not_genuine(
        self, channel: Channel, form: dict[str, str]
    ) -> None:
        assert channel.verify(request_of(form)) is False

    def test_a_signature_made_up_is_not_genuine(self, channel: Channel) -> None:
        request = request_of({"MessageSid": "SM1"}, {"x-twilio-signature": "bWFkZSB1cA=="})
        assert channel.verify(request) is False

    def test_a_request_that_reports_nothing_known_is_refused(self, channel: Channel) -> None:
        with pytest.raises(ValueError, match=r".+"):
            channel.parse(request_of({"surprise": "yes"}))

    def test_redacting_leaves_no_address(self, channel: Channel, outgoing: OutgoingMessage) -> None:
        assert outgoing.to not in channel.redact(f"550 <{outgoing.to}>: refused ({outgoing.to})")

    def test_it_knows_the_patients_address(self, channel: Channel) -> None:
        assert channel.address_of(CONTACT) == (self.address, False)

    def test_it_knows_that_there_is_no_address(self, channel: Channel) -> None:
        assert channel.address_of(Contact(email=None, phone=None)) == (None, False)

    def test_it_knows_that_its_address_is_bad_and_not_another_channels(
        self, channel: Channel
    ) -> None:
        by_email = self.address == CONTACT.email
        email_bad = CONTACT.model_copy(update={"email_bad": True})
        phone_bad = CONTACT.model_copy(update={"phone_bad": True})
        assert channel.address_of(email_bad)[1] is by_email
        assert channel.address_of(phone_bad)[1] is not by_email

    def test_it_names_the_host_that_it_sends_to(self, channel: Channel) -> None:
        assert channel.host == "127.0.0.1"

    async def test_closing_it_unused_or_twice_does_no_harm(self, channel: Channel) -> None:
        await channel.close()
        await channel.close()


class TestEmail(ChannelContract):
    name = "email"
    environment: ClassVar = {
        "REGRESA_EMAIL_HOST": "127.0.0.1",
        "REGRESA_EMAIL_FROM_ADDRESS": "hello@aurora.example",
    }
    wrong = ("REGRESA_EMAIL_PORT", "0")
    address = CONTACT.email

    @pytest.fixture
    def channel(self, email: EmailChannel) -> Channel:
        return email

    @pytest.fixture
    def outgoing(self, message: Callable[..., OutgoingMessage], address: str) -> OutgoingMessage:
        return message(address)


class TestSms(ChannelContract):
    name = "sms"
    environment: ClassVar = {
        "REGRESA_SMS_ACCOUNT_SID": "AC" + "0" * 32,
        "REGRESA_SMS_AUTH_TOKEN": "a token of the tests",
        "REGRESA_SMS_FROM_NUMBER": "+13055550100",
    }
    wrong = ("REGRESA_SMS_ACCOUNT_SID", "SK" + "0" * 32)
    address = CONTACT.phone

    @pytest.fixture
    def channel(self, sms: SmsChannel) -> Channel:
        return sms

    @pytest.fixture
    def outgoing(self, message: Callable[..., OutgoingMessage], number: str) -> OutgoingMessage:
        return message(number)


class TestCall(ChannelContract):
    name = "call"
    environment: ClassVar[Mapping[str, str]] = {}
    wrong = ("REGRESA_DATABASE_URL", "nonsense://")
    address = CONTACT.phone

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        """One kind will do: `test_call.py` tries both."""
        return f"sqlite:///{tmp_path / 'clinic.db'}"

    @pytest.fixture
    def channel(self, calls: CallChannel) -> Channel:
        return calls

    @pytest.fixture
    async def outgoing(
        self, message: Callable[..., OutgoingMessage], attempt: Attempt, number: str
    ) -> OutgoingMessage:
        return message(number, key=f"{attempt.id}.0", attempt_id=attempt.id)


def request_of(form: dict[str, str], headers: dict[str, str] | None = None) -> WebhookRequest:
    return WebhookRequest(
        url="https://aurora.example/webhooks/x", headers=headers or {}, form=form, body=b""
    )
