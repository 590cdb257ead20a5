"""Retries and time-outs, in one place, by kind of activity."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy


class ActivityOptions(TypedDict, total=False):
    """What `workflow.execute_activity_method` takes besides the work itself."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy


DELIVERY = ActivityOptions(
    # longer than a try may take (5 s to begin, twice 10 s for the channel, 2 s to part); after a
    # worker's sudden death
    # a message is asked about, and then tried again, after so long
    start_to_close_timeout=timedelta(seconds=30),
    # without end: what the provider does not take for two days is given up by the activity itself,
    # which says its own pauses, too. These are for tries that end without a word, by a worker's
    # death: however often that happens, a message waits no longer than a minute for its next try
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1)
    ),
)
"""Writes to a patient."""

RECORD = ActivityOptions(
    start_to_close_timeout=timedelta(seconds=30),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(minutes=1)
    ),
)
"""Reads and writes the clinic's database."""

PAGE = ActivityOptions(
    start_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=timedelta(seconds=20),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=5)
    ),
)
"""Starts a page of attempts."""
