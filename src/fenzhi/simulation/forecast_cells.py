"""What a forecast looks at: stays, points, cost and booked amount of every account by month, years before and this one.

An account is a hospital in a pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from fenzhi.arrays import Floats, Int64s
from fenzhi.attribution import ACCOUNT

#: Per stay; the first quantity of an array is the number of stays.
MEANS = ("points_e4", "cost_fen", "booked_fen")
QUANTITIES = ("cases", *MEANS)
MONTHS = 12


@dataclass(frozen=True)
class Cells:
    """Sums by account and month.

    ``accounts``: fixmedins_code, pool, ``at`` (the place of the pool in ``pools``). ``past``: years x accounts x months
    x :data:`QUANTITIES`, oldest year first; ``now``: accounts x months x quantities of the days done. ``done``: which
    part of each month is done. ``squares``: accounts x 3 x 3, the sums of products of :data:`MEANS` over the stays of
    ``counted``, ``totals`` (accounts x 3) their sums.
    """

    accounts: pl.DataFrame
    pools: tuple[str, ...]
    past: Floats
    now: Floats
    done: Floats
    counted: Floats
    totals: Floats
    squares: Floats

    @property
    def at(self) -> Int64s:
        """Return the place of each account's pool."""
        return self.accounts["at"].to_numpy().astype(np.int64)

    @property
    def rest(self) -> Int64s:
        """Return the places of the months that are not over."""
        return np.flatnonzero(self.done < 1)


def done_months(as_of: date) -> Floats:
    """Return which part of each month of the year of ``as_of`` is over at the end of that day."""
    first = np.arange(f"{as_of.year}-01", f"{as_of.year + 1}-02", dtype="datetime64[M]").astype(
        "datetime64[D]"
    )
    length = np.diff(first).astype(np.int64)
    over = (np.datetime64(as_of) - first[:-1]).astype(np.int64) + 1
    return np.clip(over / length, 0.0, 1.0)


def _sums(stays: pl.DataFrame, accounts: pl.DataFrame) -> Floats:
    """Return accounts x months x quantities of stays with fixmedins_code, pool, month and :data:`MEANS`."""
    sums = stays.group_by(*ACCOUNT, "month").agg(pl.len().alias("cases"), pl.col(MEANS).sum())
    placed = sums.join(accounts.with_row_index("_row"), on=ACCOUNT, how="inner")
    found = np.zeros((accounts.height, MONTHS, len(QUANTITIES)))
    month = placed["month"].to_numpy().astype(np.int64) - 1
    found[placed["_row"].to_numpy(), month] = placed.select(QUANTITIES).cast(pl.Float64).to_numpy()
    return found


def _products(stays: pl.DataFrame, accounts: pl.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Return number of stays, sums of :data:`MEANS` and of their products, per account."""
    # Whole numbers, so that neither order nor threads matter.
    exact = stays.select(*ACCOUNT, pl.col(MEANS).cast(pl.Int128))
    pairs = [(i, j) for i in range(len(MEANS)) for j in range(i, len(MEANS))]
    sums = exact.group_by(ACCOUNT).agg(
        pl.len().alias("n"),
        pl.col(MEANS).sum(),
        *((pl.col(MEANS[i]) * pl.col(MEANS[j])).sum().alias(f"{i}{j}") for i, j in pairs),
    )
    joined = accounts.select(ACCOUNT).join(sums, on=ACCOUNT, how="left", maintain_order="left")
    placed = joined.with_columns(pl.exclude(ACCOUNT).cast(pl.Float64).fill_null(0.0))
    squares = np.zeros((accounts.height, len(MEANS), len(MEANS)))
    for i, j in pairs:
        squares[:, i, j] = squares[:, j, i] = placed[f"{i}{j}"].to_numpy()
    return placed["n"].to_numpy(), placed.select(MEANS).to_numpy(), squares


def cells_of(
    past: pl.DataFrame, years: Sequence[int], now: pl.DataFrame, accounts: pl.DataFrame, as_of: date
) -> Cells:
    """Return the cells of a year.

    ``past``: stays of the history with year and month, points before deviation as points_e4; ``now``: those of the year
    up to ``as_of``. ``accounts``: fixmedins_code, pool; they are sorted, so that their order does not matter.
    """
    accounts = accounts.sort(ACCOUNT)
    pools = tuple(accounts["pool"].unique(maintain_order=True))
    placed = accounts.select(ACCOUNT).with_columns(
        pl.col("pool").replace_strict(pools, range(len(pools)), return_dtype=pl.Int64).alias("at")
    )
    columns = [*ACCOUNT, "month", *MEANS]
    parts = [_sums(past.filter(pl.col("year") == year).select(columns), placed) for year in years]
    every = pl.concat([past.select(columns), now.select(columns)], how="vertical_relaxed")
    n, totals, squares = _products(every, placed)
    empty = np.zeros((0, placed.height, MONTHS, len(QUANTITIES)))
    return Cells(
        placed,
        pools,
        np.stack(parts) if parts else empty,
        _sums(now.select(columns), placed),
        done_months(as_of),
        n,
        totals,
        squares,
    )
