"""Stays and costs of the levels of a family, group by group and year by year, exact at any size."""

from __future__ import annotations

from functools import reduce
from math import isqrt, prod
from operator import mul
from typing import NamedTuple

import numpy as np
import polars as pl

from fenzhi.arrays import Int16s, Int32s, Int64s, freeze
from fenzhi.kernels.sums import LOW, LOW_BITS, add_costs
from fenzhi.money import round_ratio

# Coefficients of variation are compared at this many parts of one, cut off: no root has to be exact.
CV_PARTS = 10**9


class Kept(NamedTuple):
    """The stays that count: number of the group (from 0), place of the year, cost in fen."""

    groups: Int32s
    years: Int16s
    costs: Int64s


class Sums(NamedTuple):
    """Arrays (groups, levels, years): stays, costs, and squares of costs as high * 2^31 + low.

    Of Python integers where costs are too large for the kernel.
    """

    n: Int64s
    total: Int64s
    high: Int64s
    low: Int64s

    def each(self, at: tuple[Int64s, ...]) -> Sums:
        """Return the sums of some groups and levels (parts, years)."""
        return Sums(*(array[at] for array in self))


class Figures(NamedTuple):
    """What follows from sums (parts, years), an entry each: stays, CV (None without costs), and what means are of.

    ``weights``: of the years; ``pooling``: see :mod:`.years`. ``below_zero``: some costs are.
    """

    cases: list[int]
    cvs: list[int | None]
    counts: list[list[int]]
    costs: list[list[int]]
    weights: list[int]
    pooling: str
    below_zero: bool

    def mean(self, at: int) -> tuple[int, int]:
        """Return the mean of a part over years as numerator and denominator."""
        mean = _by_cases if self.pooling == "cases" else _by_year
        return mean(self.weights, self.counts[at], self.costs[at])


def level_sums(kept: Kept, levels: Int16s, shape: tuple[int, int, int]) -> Sums:
    """Return the sums of the stays by group, level and year; ``levels``: of the stays, ``shape``: how many of each."""
    costs = kept.costs
    small = len(costs) == 0 or (int(costs.min()) > -(2**LOW_BITS) and int(costs.max()) < 2**LOW_BITS)
    sums = Sums(*(np.zeros(shape, dtype=np.int64 if small else object) for _ in range(4)))
    if small:
        of_stays = freeze(kept.groups, levels, kept.years, costs)
        add_costs(of_stays[0], of_stays[1], of_stays[2], of_stays[3], *sums)
        return sums
    cells, exact = (kept.groups, levels, kept.years), costs.astype(object)
    square = exact * exact
    for array, values in zip(sums, (1, exact, square >> LOW_BITS, square & int(LOW)), strict=True):
        np.add.at(array, cells, values)
    return sums


def joined(sums: Sums, least: int) -> Sums:
    """Return the sums with levels of fewer stays than ``least`` put to the last level."""
    few = sums.n.sum(axis=2) < least
    few[:, -1] = False
    found = []
    for array in sums:
        moved = np.where(few[:, :, None], array, 0)
        array = array - moved
        array[:, -1] += moved.sum(axis=1)
        found.append(array)
    return Sums(*found)


def figures(sums: Sums, weights: list[int], pooling: str) -> Figures:
    """Return the figures of sums (parts, years). ``weights``: of the years; ``pooling``: see :mod:`.years`."""
    cases = sums.n.sum(axis=1).tolist()
    totals = sums.total.sum(axis=1).tolist()
    high, low = sums.high.sum(axis=1).tolist(), sums.low.sum(axis=1).tolist()
    squares = [(one << LOW_BITS) + two for one, two in zip(high, low, strict=True)]
    cvs = [cv_parts(*each) for each in zip(cases, totals, squares, strict=True)]
    below_zero = bool(sums.total.size) and int(sums.total.min()) < 0
    return Figures(cases, cvs, sums.n.tolist(), sums.total.tolist(), weights, pooling, below_zero)


def mean_costs(sums: Sums, weights: list[int], pooling: str) -> list[int]:
    """Return the mean costs of sums (parts, years) in fen, rounded half up; every part has a stay."""
    years = range(len(weights))
    if not sums.n.size:
        return []
    most, stays = int(np.abs(sums.total).max()), int(sums.n.max())
    # Beyond this the products do not fit into 128 bits.
    if 4 * (most + 1) * stays ** len(weights) * sum(weights) >= 2**126:
        one = figures(sums, weights, pooling)
        return [round_ratio(*one.mean(at)) for at in range(len(sums.n))]
    frame = pl.DataFrame(
        {f"n{at}": pl.Series(sums.n[:, at].tolist(), dtype=pl.Int128) for at in years}
        | {f"cost{at}": pl.Series(sums.total[:, at].tolist(), dtype=pl.Int128) for at in years}
    )
    if pooling == "cases":
        top = pl.sum_horizontal(w * pl.col(f"cost{at}") for at, w in enumerate(weights))
        below = pl.sum_horizontal(w * pl.col(f"n{at}") for at, w in enumerate(weights))
    else:
        counts = [pl.max_horizontal(pl.col(f"n{at}"), pl.lit(1, pl.Int128)) for at in years]
        every = reduce(mul, counts)
        top = pl.sum_horizontal(
            w * pl.col(f"cost{at}") * (every // counts[at]) for at, w in enumerate(weights)
        )
        below = every * pl.sum_horizontal(
            pl.when(pl.col(f"n{at}") > 0).then(pl.lit(w, pl.Int128)).otherwise(pl.lit(0, pl.Int128))
            for at, w in enumerate(weights)
        )
    return frame.select((top * 2 + below) // (below * 2)).to_series().to_list()


def cv_parts(n: int, total: int, squares: int) -> int | None:
    """Return the coefficient of variation times :data:`CV_PARTS`, cut off; None without costs."""
    if total <= 0:
        return None
    square = total * total
    return isqrt((n * squares - square) * CV_PARTS**2 // square)


def _by_cases(weights: list[int], counts: list[int], costs: list[int]) -> tuple[int, int]:
    """Return the mean over years as numerator and denominator (:func:`fenzhi.weights.years.weighted_mean`).

    Whole numbers only: there are many levels, and fractions would be reduced again and again.
    """
    top = sum(w * cost for w, cost in zip(weights, costs, strict=True))
    return top, sum(w * n for w, n in zip(weights, counts, strict=True))


def _by_year(weights: list[int], counts: list[int], costs: list[int]) -> tuple[int, int]:
    """Return the same where every year has its mean: all with one denominator."""
    have = [each for each in zip(weights, costs, counts, strict=True) if each[2]]
    every = prod([n for _, _, n in have])
    top = sum([w * cost * (every // n) for w, cost, n in have])
    return top, every * sum([w for w, _, _ in have])


def year_costs_texts(sums: Sums, years: tuple[int, ...]) -> pl.Series:
    """Return cost (fen) and stays of the years of each part (parts, years): ``2023:1200000/3|2024:800000/2``."""
    columns = {}
    for at in range(len(years)):
        columns[f"n{at}"] = pl.Series(sums.n[:, at].astype(np.int64))
        cost = sums.total[:, at]
        columns[f"cost{at}"] = (
            pl.Series(cost.tolist(), dtype=pl.Int128) if cost.dtype == object else pl.Series(cost)
        )
    texts = [
        pl.when(pl.col(f"n{at}") > 0).then(pl.format("{}:{}/{}", pl.lit(year), f"cost{at}", f"n{at}"))
        for at, year in enumerate(years)
    ]
    frame = pl.DataFrame(columns)
    return frame.select(
        pl.concat_str(texts, separator="|", ignore_nulls=True).alias("year_costs")
    ).to_series()
