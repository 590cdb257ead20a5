"""Which consent a message needs before it may go out."""

from collections.abc import Mapping
from datetime import date

from clinic.contact_policy.policy import ContactPolicy
from clinic.contact_policy.rules import ConsentRule, Content

__all__ = ["Content", "consent_lacking"]

_REFUSED_BY: dict[Content, tuple[Content, ...]] = {
    "reminder": ("reminder",),
    # whoever wants no reminders wants no advertising either
    "advertising": ("advertising", "reminder"),
}

_IN_LISTS = frozenset({"email", "sms", "whatsapp", "call"})
"""The channels for which a patient list has a column; its word on all of them is one on each."""


def consent_lacking(
    policy: ContactPolicy,
    channel: str,
    content: Content,
    consents: Mapping[tuple[str, str], bool],
    *,
    on: date | None = None,
) -> str | None:
    """Return the words of the rule that forbids a content on a channel; None where none does.

    What a patient refused is refused under every policy, whatever its rules say. Of a plug-in's
    channel no list can say anything: until the patient did, a no to text messages is one to it.

    Args:
        policy: The rules.
        channel: On which channel.
        content: What kind of content.
        consents: The patient's newest word by channel and content: True given, False refused or
            withdrawn.
        on: The local day of the contact; a rule that comes into force later does not count.
            None: every rule counts.
    """
    rules = [rule for rule in policy.consent if _concerns(rule, channel, content, on)]
    if any(_refused(consents, channel, each) for each in _REFUSED_BY[content]):
        source = rules[0].source if rules else "the patient's wish"
        return f"consent: {content} by {channel} was refused ({source})"
    for rule in rules:
        if rule.needs == "given" and not consents.get((channel, content)):
            return f"consent: {content} by {channel} needs the patient's yes ({rule.source})"
    return None


def _refused(consents: Mapping[tuple[str, str], bool], channel: str, content: Content) -> bool:
    if channel not in _IN_LISTS and (channel, content) not in consents:
        channel = "sms"
    return consents.get((channel, content)) is False


def _concerns(rule: ConsentRule, channel: str, content: Content, on: date | None) -> bool:
    return (
        rule.content == content
        and (rule.channels is None or channel in rule.channels)
        and (on is None or rule.in_force(on))
    )
