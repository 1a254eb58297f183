"""The sums of costs by group, level and year: by hand, and against a slow twin, of usual and of very large costs."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.kernels.sums import LOW_BITS, add_costs
from fenzhi.weights.level_sums import (
    CV_PARTS,
    Kept,
    figures,
    joined,
    level_sums,
    mean_costs,
    year_costs_texts,
)
from fenzhi.weights.years import weighted_mean

Stay = tuple[int, int, int, int]  # group, level, year, cost


def columns(stays: list[Stay]) -> tuple[Kept, np.ndarray]:
    groups, levels, years, costs = ([stay[at] for stay in stays] for at in range(4))
    dtypes = zip((groups, years, costs), (np.int32, np.int16, np.int64), strict=True)
    return Kept(*(np.array(values, dtype=dtype) for values, dtype in dtypes)), np.array(
        levels, dtype=np.int16
    )


# 2^31 - 1 is the largest cost: squared 2^62 - 2^32 + 1 = (2^31 - 2) * 2^31 + 1, so high 2^31 - 2 and low 1.
def test_squares_in_two_words():
    kept, levels = columns([(0, 0, 0, 2**31 - 1), (0, 0, 0, 2**31 - 1), (0, 1, 0, -3), (1, 0, 1, 50_000)])
    sums = [np.zeros((2, 2, 2), dtype=np.int64) for _ in range(4)]
    add_costs(kept.groups, levels, kept.years, kept.costs, *sums)
    n, total, high, low = sums
    assert n.tolist() == [[[2, 0], [1, 0]], [[0, 1], [0, 0]]]
    assert total.tolist() == [[[2**32 - 2, 0], [-3, 0]], [[0, 50_000], [0, 0]]]
    # 50,000 squared is 2,500,000,000 = 1 * 2,147,483,648 + 352,516,352.
    assert high.tolist() == [[[2**32 - 4, 0], [0, 0]], [[0, 1], [0, 0]]]
    assert low.tolist() == [[[2, 0], [9, 0]], [[0, 352_516_352], [0, 0]]]


# Costs 100, 300 (2023) and 200 (2024), weights 2 and 7. Mean by years: (2 * 200 + 7 * 200) / 9 = 200 as 3,600 / 18
# with the denominators 2 and 1: (2 * 400 * 1 + 7 * 200 * 2) / (2 * 9). By cases: (2 * 400 + 7 * 200) / (4 + 7).
# CV: sqrt(3 * 140,000 - 600^2) / 600 = sqrt(60,000) / 600 = 0.408248290...
@pytest.mark.parametrize(("pooling", "mean"), [("yearly_means", (3_600, 18)), ("cases", (2_200, 11))])
def test_figures_of_a_part(pooling, mean):
    kept, levels = columns([(0, 0, 0, 100), (0, 0, 0, 300), (0, 0, 1, 200)])
    part = level_sums(kept, levels, (1, 1, 2)).each((np.array([0]), np.array([0])))
    found = figures(part, [2, 7], pooling)
    assert (found.cases, found.mean(0), found.cvs) == ([3], mean, [408_248_290])
    assert year_costs_texts(part, (2023, 2024)).to_list() == ["2023:400/2|2024:200/1"]


# Levels of 2, 1 and 3 stays, at least 2 wanted: the one joins the last, which has 4 then.
def test_levels_with_too_few_stays_join_the_last():
    stays = [(0, 0, 0, 10), (0, 0, 0, 20), (0, 1, 1, 5), (0, 2, 0, 1), (0, 2, 0, 1), (0, 2, 1, 1)]
    kept, levels = columns(stays)
    sums = joined(level_sums(kept, levels, (1, 3, 2)), 2)
    assert sums.n.tolist() == [[[2, 0], [0, 0], [2, 2]]]
    assert sums.total.tolist() == [[[30, 0], [0, 0], [2, 6]]]
    assert sums.low.tolist() == [[[500, 0], [0, 0], [2, 26]]]


USUAL = st.integers(-1_000, 10**8)
LARGE = st.one_of(USUAL, st.sampled_from([2**31 - 1, 2**31, -(2**31), 10**12, 2**62]))


@given(
    st.one_of(
        *(
            st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1), cost), max_size=20)
            for cost in (USUAL, LARGE)
        )
    ),
    st.sampled_from(["cases", "yearly_means"]),
)
def test_they_equal_the_slow_twin(stays, pooling):
    kept, levels = columns(stays)
    sums = level_sums(kept, levels, (3, 3, 2))
    by_part: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for group, level, year, cost in stays:
        by_part[group, level].append((year, cost))
    at = np.nonzero(sums.n.sum(axis=2))
    parts = sums.each(at)
    assert list(zip(*(axis.tolist() for axis in at), strict=True)) == sorted(by_part)
    found, texts = figures(parts, [2, 7], pooling), year_costs_texts(parts, (2023, 2024))
    rounded = mean_costs(parts, [2, 7], pooling)
    assert found.below_zero == any(
        sum(c for y, c in each if y == year) < 0 for each in by_part.values() for year in (0, 1)
    )
    for number, key in enumerate(sorted(by_part)):
        costs = [cost for _, cost in by_part[key]]
        n, total, squares = len(costs), sum(costs), sum(cost * cost for cost in costs)
        assert found.cases[number] == n
        years = {
            year: (sum(c for y, c in by_part[key] if y == year), sum(y == year for y, _ in by_part[key]))
            for year in sorted({year for year, _ in by_part[key]})
        }
        mean = weighted_mean(years, {0: 2, 1: 7}, pooling)
        assert Fraction(*found.mean(number)) == mean
        assert rounded[number] == (mean + Fraction(1, 2)).__floor__()
        if total > 0:
            exact = Fraction(n * squares - total * total, total * total) * CV_PARTS**2
            assert found.cvs[number] == isqrt(exact.__floor__())
        else:
            assert found.cvs[number] is None
        assert texts[number] == "|".join(f"{2023 + year}:{cost}/{k}" for year, (cost, k) in years.items())


def test_a_cost_of_the_kernel_has_at_most_31_bits():
    for cost, kind in ((2**LOW_BITS - 1, np.int64), (2**LOW_BITS, object), (-(2**LOW_BITS), object)):
        kept, levels = columns([(0, 0, 0, cost)])
        assert level_sums(kept, levels, (1, 1, 1)).n.dtype == kind
