"""What every channel must do, as tests that the author of one inherits and runs.

Needs pytest and pytest-asyncio, which a live system does not have: `pip install
'regresa[conformance]'`. Nothing of the product imports this package. docs/channels.md tells how
to use it.
"""

import pytest

pytest.register_assert_rewrite(
    "channels.conformance.as_a_plug_in",
    "channels.conformance.fetched",
    "channels.conformance.sent",
    "channels.conformance.webhooks",
)

from channels.conformance.stand_in import CLOSED_SET, StandIn, Taken  # noqa: E402
from channels.conformance.suite import GROUP, ChannelConformance  # noqa: E402

__all__ = ["CLOSED_SET", "GROUP", "ChannelConformance", "StandIn", "Taken"]
