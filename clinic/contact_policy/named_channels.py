"""Whether the channels that a policy names exist: a rule for a misspelt one protects nobody."""

from collections.abc import Collection

from clinic.contact_policy.policy import ContactPolicy
from clinic.refusal import Refusal


def refuse_unknown_channels(policy: ContactPolicy, installed: Collection[str]) -> None:
    """Look whether every channel of the policy's rules is installed, in use or not.

    Args:
        policy: The policy.
        installed: The names of all channels that are installed.

    Raises:
        Refusal: A rule names another; it says which rule.
    """
    named = [
        *(
            (f"consent: rule {number}", channel)
            for number, rule in enumerate(policy.consent, start=1)
            for channel in sorted(rule.channels or ())
        ),
        *(
            (f"length: rule {number}", rule.channel)
            for number, rule in enumerate(policy.length, start=1)
        ),
    ]
    problems = [
        f"contact policy, {where}: no channel `{channel}` is installed"
        for where, channel in named
        if channel not in installed
    ]
    if problems:
        raise Refusal("\n".join(problems), f"Installed: {', '.join(sorted(installed))}")
