"""How long a text may be."""

from datetime import date

from clinic.contact_policy.policy import ContactPolicy
from clinic.contact_policy.rules import Content


def too_long(
    policy: ContactPolicy, channel: str, content: Content, text: str, *, on: date | None = None
) -> str | None:
    """Return the words of the rule that a text is too long for; None where it fits.

    Args:
        policy: The rules.
        channel: On which channel.
        content: What kind of content.
        text: As the patient would read it, link included.
        on: The local day of the contact; a rule that comes into force later does not count.
            None: every rule counts.
    """
    for rule in policy.length:
        if (
            (rule.channel, rule.content) == (channel, content)
            and (on is None or rule.in_force(on))
            and len(text) > rule.characters
        ):
            said = f"over {rule.characters} characters"
            return f"length: {said} for {content} by {channel} ({rule.source})"
    return None
