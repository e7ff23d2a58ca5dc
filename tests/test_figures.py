"""Shares are shown with the confidence that they allow."""

import pytest

from proof.figures import Share


@pytest.mark.parametrize(
    ("count", "of", "shown"),
    [
        (0, 50, "0 of 50 (below 6 %)"),
        (0, 10, "0 of 10 (below 26 %)"),
        (0, 500, "0 of 500 (below 0.6 %)"),
        (1, 50, "1 of 50 (below 10 %)"),
        (50, 50, "50 of 50 (below 100 %)"),
        (0, 0, "0 of 0 (below 100 %)"),
    ],
)
def test_what_should_not_happen_is_bounded_from_above(count: int, of: int, shown: str) -> None:
    assert Share(count, of).below == shown


@pytest.mark.parametrize(
    ("count", "of", "shown"),
    [
        (36, 36, "36 of 36 (above 92 %)"),
        (20, 20, "20 of 20 (above 86 %)"),
        (589, 590, "589 of 590 (above 99.1 %)"),
        (0, 5, "0 of 5 (above 0 %)"),
        (0, 0, "0 of 0 (above 0 %)"),
    ],
)
def test_what_should_happen_is_bounded_from_below(count: int, of: int, shown: str) -> None:
    assert Share(count, of).above == shown


@pytest.mark.parametrize(("count", "of"), [(0, 1), (0, 50), (3, 7), (49, 50), (50, 50)])
def test_the_bounds_are_the_exact_ones(count: int, of: int) -> None:
    # With a share at its bound, what was seen or anything further away happens once in twenty times.
    from scipy.stats import binom

    share = Share(count, of)
    if count < of:
        assert binom.cdf(count, of, share.upper) == pytest.approx(0.05)
    if count:
        assert binom.sf(count - 1, of, share.lower) == pytest.approx(0.05)


def test_a_count_of_everything_needs_no_bound() -> None:
    assert Share(485, 711).of_all == "485 of 711 (68.2 %)"
    assert Share(0, 0).of_all == "0 of 0"
