"""The suites of all plug-ins that are installed: `pytest --pyargs channels.conformance`."""

from importlib.metadata import entry_points

from channels.conformance.suite import GROUP

_POINTS = entry_points(group=GROUP)

for _point in _POINTS:
    _suite = _point.load()
    # pytest finds a class by its name in the module; `-k NAME` chooses one
    globals()[f"Test_{_point.name}"] = type(f"Test_{_point.name}", (_suite,), {})


def test_a_suite_is_installed() -> None:
    assert list(_POINTS), f"no installed package has an entry point in the group `{GROUP}`"
