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


def consent_lacking(
    policy: ContactPolicy,
    channel: str,
    content: Content,
    consents: Mapping[tuple[str, str], bool],
    *,
    on: date | None = None,
) -> str | None:
    """Return the words of the rule that forbids a content on a channel; None where none does.

    What a patient refused is refused under every policy, whatever its rules say.

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
    if any(consents.get((channel, each)) is False for each in _REFUSED_BY[content]):
        source = rules[0].source if rules else "the patient's wish"
        return f"consent: {content} by {channel} was refused ({source})"
    for rule in rules:
        if rule.needs == "given" and not consents.get((channel, content)):
            return f"consent: {content} by {channel} needs the patient's yes ({rule.source})"
    return None


def _concerns(rule: ConsentRule, channel: str, content: Content, on: date | None) -> bool:
    return (
        rule.content == content
        and (rule.channels is None or channel in rule.channels)
        and (on is None or rule.in_force(on))
    )
