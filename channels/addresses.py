"""How the channels in use read a patient's address, without any of their settings."""

from channels import registry
from clinic.clinic import Clinic
from clinic.contact_policy import ContactPolicy, refuse_unknown_channels
from clinic.delivery_check import AddressOf
from clinic.refusal import Refusal


def addresses_by_channel(
    clinic: Clinic, policy: ContactPolicy | None = None
) -> dict[str, AddressOf]:
    """Return how each channel in use reads a patient's address.

    Args:
        clinic: The clinic.
        policy: The contact policy to be followed; None: the one in force.

    Raises:
        Refusal: A channel in use, or one that the policy names, is not installed.
    """
    classes = registry.installed()
    for name in clinic.settings.channels:
        if name not in classes:
            known = ", ".join(sorted(classes))
            raise Refusal(f"no channel `{name}` is installed", f"Installed: {known}")
    refuse_unknown_channels(policy or clinic.policy, classes)
    return {name: classes[name].address_of for name in clinic.settings.channels}
