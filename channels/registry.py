"""The channels that are installed, found by entry points, and those in use, with settings."""

from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points

from channels.protocol import Channel
from clinic.refusal import Refusal
from clinic.settings import load_settings

GROUP = "regresa.channels"


def installed() -> Mapping[str, type[Channel]]:
    """Return every installed channel's class by name, plug-ins included.

    A class is loaded when it is asked for: a plug-in that is broken harms nobody who does not use
    it. Asking for one that can't be loaded raises a Refusal.

    Raises:
        Refusal: Two packages bring a channel of the same name.
    """
    return _Installed()


def in_use(names: Iterable[str]) -> dict[str, Channel]:
    """Build the named channels from their settings.

    Raises:
        Refusal: No such channel is installed, or it can't be loaded, or a setting is missing or
            wrong.
    """
    classes = installed()
    return {name: _build(name, classes) for name in names}


class _Installed(Mapping[str, type[Channel]]):
    """The entry points of the group, each loaded when it is asked for."""

    def __init__(self) -> None:
        self._points: dict[str, EntryPoint] = {}
        for point in entry_points(group=GROUP):
            other = self._points.setdefault(point.name, point)
            if other.value != point.value:  # chance would decide who gets the patients' messages
                raise Refusal(
                    f"two packages bring a channel `{point.name}`: {other.value}, {point.value}",
                    "Uninstall one of them.",
                )

    def __getitem__(self, name: str) -> type[Channel]:
        point = self._points[name]
        try:
            made: type[Channel] = point.load()
        except (ImportError, AttributeError) as error:
            raise Refusal(
                f"channel `{name}` can't be loaded from {point.value}: {error}",
                "Install what it needs, or mend or uninstall the package that brings it.",
            ) from error
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._points)

    def __len__(self) -> int:
        return len(self._points)

    def __contains__(self, name: object) -> bool:
        return name in self._points  # the mixin's would load it


def _build(name: str, classes: Mapping[str, type[Channel]]) -> Channel:
    if name not in classes:
        known = ", ".join(sorted(classes))
        raise Refusal(
            f"REGRESA_CHANNELS names `{name}`, but no such channel is installed",
            f"Installed: {known}. A plug-in is found by the entry point group {GROUP}.",
        )
    made = classes[name]
    prefix = str(made.settings_model.model_config.get("env_prefix", ""))
    return made(load_settings(made.settings_model, prefix))
