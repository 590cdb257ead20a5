"""The channels that are installed, found by entry points, and those in use, with settings."""

from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any

from channels.protocol import Channel
from clinic.refusal import Refusal
from clinic.settings import load_settings

GROUP = "regresa.channels"


def installed() -> dict[str, type[Channel]]:
    """Return every installed channel's class by name, plug-ins included."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}


def in_use(names: Iterable[str]) -> dict[str, Channel]:
    """Build the named channels from their settings.

    Raises:
        Refusal: No such channel is installed, or a setting is missing or wrong.
    """
    classes = installed()
    return {name: _build(name, classes) for name in names}


def _build(name: str, classes: dict[str, Any]) -> Channel:
    if name not in classes:
        known = ", ".join(sorted(classes))
        raise Refusal(
            f"REGRESA_CHANNELS names `{name}`, but no such channel is installed",
            f"Installed: {known}. A plug-in is found by the entry point group {GROUP}.",
        )
    settings_model = classes[name].settings_model
    prefix = settings_model.model_config.get("env_prefix", "")
    channel: Channel = classes[name](load_settings(settings_model, prefix))
    return channel
