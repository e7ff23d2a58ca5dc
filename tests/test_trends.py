"""What grows and what does not: leaks are seen, warming up, jumps, saw teeth and noise are not."""

import math
import random

import pytest

from fixtures.trends import Point, growth, steady_rise, thinned

AGREEMENT, FEWEST = 0.7, 12
MINUTE = 60.0


def series(*values: float) -> list[Point]:
    """One value a minute."""
    return [(n * MINUTE, value) for n, value in enumerate(values)]


def leak(count: int, step: float, noise: float, seed: int) -> list[Point]:
    """Memory that rises with every value."""
    chance = random.Random(seed)
    return series(*(100 + step * n + chance.uniform(-noise, noise) for n in range(count)))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [12, 30, 288, 1440])
def test_a_leak_rises_by_what_it_kept(count: int, seed: int) -> None:
    rise = steady_rise(leak(count, 2.0, 2.0, seed), FEWEST, AGREEMENT)
    assert rise == pytest.approx(2.0 * (count - 1), rel=0.2)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(series(*[100.0] * 30), id="flat"),
        pytest.param(series(*(100 - n for n in range(30))), id="falling"),
        pytest.param(series(*(100 + 100 * (1 - math.exp(-n / 3)) for n in range(30))), id="warming up"),
        pytest.param(series(*([100.0] * 15 + [160.0] * 15)), id="one jump"),
        pytest.param(series(*([100.0] * 26 + [160.0] * 4)), id="a jump at the end"),
        pytest.param(series(*(100 + 40 * (n % 6) for n in range(60))), id="saw teeth"),
        pytest.param(series(*(100 + 30 * math.sin(n / 5) for n in range(90))), id="waves"),
        pytest.param(series(*([100.0] * 20 + [150, 190, 180, 140, 110] + [100.0] * 10)), id="a burst"),
    ],
)
def test_what_is_no_leak_does_not_rise(points: list[Point]) -> None:
    assert steady_rise(points, FEWEST, AGREEMENT) == 0


@pytest.mark.parametrize("seed", range(60))
def test_noise_does_not_rise(seed: int) -> None:
    chance = random.Random(seed)
    assert steady_rise(series(*(chance.gauss(100, 10) for _ in range(40))), FEWEST, AGREEMENT) == 0


def test_too_few_points_say_nothing() -> None:
    assert steady_rise(series(*range(11)), FEWEST, AGREEMENT) is None
    assert steady_rise([], 1, AGREEMENT) is None
    assert growth([]).rise == 0


def test_points_are_thinned_evenly_and_the_last_is_kept() -> None:
    points = series(*range(1440))
    kept = thinned(points, 200)
    assert len(kept) <= 200
    assert kept[-1] == points[-1]
    assert thinned(points[:5]) == points[:5]
