"""The whole suite, for whoever inherits it."""

from channels.conformance.as_a_plug_in import AsAPlugIn
from channels.conformance.fetched import Fetching
from channels.conformance.sent import Sending
from channels.conformance.webhooks import Webhooks

GROUP = "regresa.conformance"
"""Entry points of the suites that `pytest --pyargs channels.conformance` runs."""


class ChannelConformance(AsAPlugIn, Sending, Webhooks, Fetching):
    """What every channel must do, whichever way it reaches a patient.

    Inherit it, say what `Given` asks for, and override the fixture `stand_in`.
    """

    def __init_subclass__(cls) -> None:
        """Leave out what makes no sense of this channel, rather than skip it on every run."""
        super().__init_subclass__()
        for name in [name for name in dir(cls) if name.startswith("test_")]:
            said = getattr(getattr(cls, name), "only_where", ())
            if not all(getattr(cls, each) for each in said):
                setattr(cls, name, None)  # pytest collects functions
