"""How far chance may have moved a share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinic.results.share import FEW, Share, wilson

groups = st.integers(0, 100_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(groups)
def test_the_range_holds_the_share_and_stays_between_nobody_and_everybody(
    group: tuple[int, int],
) -> None:
    share = Share(*group)
    low, high = share.interval
    assert 0 <= low <= share.share <= high <= 1


@given(groups, st.integers(2, 50))
def test_more_people_with_the_same_share_make_the_range_narrower(
    group: tuple[int, int], times: int
) -> None:
    number, of = group
    low, high = wilson(number, of)
    narrower = wilson(number * times, of * times)
    assert narrower.high - narrower.low <= high - low


@given(groups)
def test_the_range_of_those_who_did_not_is_the_mirror_of_that_of_those_who_did(
    group: tuple[int, int],
) -> None:
    number, of = group
    low, high = wilson(number, of)
    mirrored = wilson(of - number, of)
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-9)


@pytest.mark.parametrize(
    ("number", "of", "low", "high"),
    [
        # Newcombe RG, Statistics in Medicine 17 (1998) 857-872, table I, method 3
        pytest.param(81, 263, 0.2553, 0.3662, id="81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15 of 148"),
        pytest.param(0, 20, 0, 0.1611, id="none of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1 of 29"),
    ],
)
def test_the_range_is_that_of_published_tables(
    number: int, of: int, low: float, high: float
) -> None:
    assert wilson(number, of) == pytest.approx((low, high), abs=5e-5)


def test_of_nobody_nothing_is_known() -> None:
    assert (Share(0, 0).share, Share(0, 0).interval) == (0, (0, 1))


@pytest.mark.parametrize(("number", "of"), [(3, 2), (-1, 2)])
def test_what_is_no_share_is_refused(number: int, of: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(number, of)


@pytest.mark.parametrize(("of", "few"), [(FEW - 1, True), (FEW, False)])
def test_a_group_of_fewer_than_thirty_is_small(of: int, *, few: bool) -> None:
    assert Share(1, of).few is few
