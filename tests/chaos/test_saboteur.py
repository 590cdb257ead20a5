"""The moments of a run follow from the seed, and the quota comes first."""

from collections import Counter
from itertools import islice

import pytest

from chaos.figures import Kills
from chaos.saboteur import Strike, quota_for, schedule


def test_a_thousand_attempts_meet_what_was_promised() -> None:
    quota = quota_for(1000)
    assert quota.worker >= 20
    assert quota.server >= 5
    assert quota.between_acceptance_and_record >= 5


def test_the_shortest_run_meets_each_kind() -> None:
    assert quota_for(10) == Kills(
        worker=2,
        between_acceptance_and_record=1,
        between_claim_and_sending=1,
        server=1,
        console=1,
    )


@pytest.mark.parametrize("attempts", [10, 200, 1000])
def test_the_quota_comes_first(attempts: int) -> None:
    quota = quota_for(attempts)
    strikes = quota.worker + quota.server + quota.console
    first = Counter(one.strike for one in islice(schedule(quota, 1), strikes))
    at_points = first[Strike.AT_SENT] + first[Strike.AT_CLAIMED]
    assert Kills(
        worker=first[Strike.WORKER] + at_points,
        between_acceptance_and_record=first[Strike.AT_SENT],
        between_claim_and_sending=first[Strike.AT_CLAIMED],
        server=first[Strike.SERVER],
        console=first[Strike.CONSOLE],
    ).reach(quota)


def test_the_same_seed_gives_the_same_moments_and_another_gives_others() -> None:
    quota = quota_for(1000)
    first, same, other = (list(islice(schedule(quota, seed), 60)) for seed in (1, 1, 2))
    assert first == same
    assert first != other


def test_strikes_come_in_bursts_with_a_calm_between_them() -> None:
    pauses = [moment.after for moment in islice(schedule(quota_for(1000), 1), 200)]
    calms = [pause for pause in pauses if pause >= 15]
    assert 30 <= len(calms) <= 70
    assert max(pauses) <= 30
    assert all(pause <= 3 or pause >= 15 for pause in pauses)


def test_a_short_run_has_one_burst() -> None:
    moments = list(islice(schedule(quota_for(40), 1, calm=False), 200))
    assert max(moment.after for moment in moments) <= 0.5
    assert [moment.strike for moment in moments[:2]] == [Strike.AT_SENT, Strike.AT_CLAIMED]


def test_one_kill_too_few_is_a_quota_not_met() -> None:
    quota = quota_for(1000)
    assert quota.reach(quota)
    assert not quota.model_copy(update={"server": quota.server - 1}).reach(quota)
    more = quota.model_copy(update={"console": 90, "server": quota.server - 1})
    assert not more.reach(quota)
