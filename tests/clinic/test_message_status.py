"""A provider's reports come late, twice and in any order; a message's status never goes back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.message_status import furthest, has_arrived

WAY = ["queued", "accepted", "scheduled", "sending", "sent", "delivered", "read"]
NEVER = ["failed", "undelivered", "canceled"]
REPORTS = st.lists(st.sampled_from([*WAY, *NEVER]), min_size=1)


def merged(reports: list[str]) -> list[str]:
    """Return the status after each report."""
    known, stood = None, []
    for report in reports:
        known = furthest(known, report)
        stood.append(known)
    return stood


@given(reports=st.permutations(WAY).flatmap(lambda way: st.lists(st.sampled_from(way), min_size=1)))
def test_on_the_way_the_furthest_counts_in_whichever_order_and_however_often(
    reports: list[str],
) -> None:
    assert merged(reports)[-1] == max(reports, key=WAY.index)


@given(reports=REPORTS)
def test_a_message_that_never_arrives_stays_so(reports: list[str]) -> None:
    stood = merged(reports)
    for before, after in pairwise(stood):
        assert before == after or before not in NEVER
        assert not (before in WAY and after in WAY) or WAY.index(after) >= WAY.index(before)


@given(reports=REPORTS)
def test_of_arrived_and_failed_the_first_counts(reports: list[str]) -> None:
    final = [report for report in reports if report in NEVER or has_arrived(report)]
    if final:
        assert (merged(reports)[-1] in NEVER) is (final[0] in NEVER)


@given(reports=REPORTS)
def test_a_repeat_of_what_was_said_last_changes_nothing(reports: list[str]) -> None:
    stood = merged(reports)[-1]
    assert furthest(stood, stood) == stood


@pytest.mark.parametrize(
    ("known", "reported", "stands"),
    [
        (None, "in_flight", "in_flight"),
        ("in_flight", "queued", "in_flight"),
        ("in_flight", "delivered", "delivered"),
        ("delivered", "in_flight", "delivered"),
    ],
)
def test_a_plug_ins_own_word_is_on_the_way(known: str | None, reported: str, stands: str) -> None:
    assert furthest(known, reported) == stands
