"""Which stays a scenario takes: in proportion to pools and groups, by a number made of each stay's id."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl

from fenzhi.arrays import Words
from fenzhi.money import apportion, round_half_up

_WIDTH = 8  # hexadecimal digits that go into one step
_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
STRATUM = ("fixmedins_code", "pool", "group_id")
WHOLE = ("fixmedins_code", "pool")


def _mixed(state: Words) -> Words:
    """Return the numbers stirred (splitmix64)."""
    state = (state ^ (state >> np.uint64(30))) * _MIX[0]
    state = (state ^ (state >> np.uint64(27))) * _MIX[1]
    found: Words = state ^ (state >> np.uint64(31))
    return found


def order_numbers(ids: pl.Series, seed: int) -> pl.Series:
    """Return a number for every id that depends on it and the seed only, the same on every machine."""
    if ids.is_empty():
        return pl.Series("order", [], dtype=pl.UInt64)
    hexed = ids.str.encode("hex")
    lengths = hexed.str.len_bytes().to_numpy()
    width = -(-int(lengths.max()) // _WIDTH) * _WIDTH
    digits = hexed.str.pad_end(width, "0").str.join("").item().encode("ascii")
    words: Words = np.frombuffer(digits, dtype=np.dtype("<u8")).astype(np.uint64)
    words = words.reshape(len(ids), width // _WIDTH)
    with np.errstate(over="ignore"):
        start: Words = np.full(len(ids), seed, dtype=np.uint64)
        state: Words = _mixed(np.add(start, _ODD, dtype=np.uint64))
        for column in range(words.shape[1]):
            # What is beyond the end of an id must not count, however long the others are.
            inside = lengths > column * _WIDTH
            state = np.where(inside, _mixed(state + words[:, column] * _ODD), state)
    return pl.Series("order", state, dtype=pl.UInt64)


def count_of(share: Fraction, stays: int) -> int:
    """Return how many stays a share is, rounded half up."""
    return round_half_up(share * stays)


def chosen(stays: pl.DataFrame, count: int, seed: int, strata: tuple[str, ...] = STRATUM) -> pl.DataFrame:
    """Return ``count`` of the stays: each hospital, pool and group as many as its part, by largest remainder.

    ``stays``: setl_id and the columns of ``strata``. Inside, those with the smallest numbers of :func:`order_numbers`;
    ties to the smaller setl_id.
    """
    if count >= stays.height:
        return stays
    sizes = stays.group_by(strata).len().sort(strata, nulls_last=True)
    quota = pl.Series("_quota", apportion(count, sizes["len"].to_list()), dtype=pl.Int64)
    taken = sizes.select(strata).with_columns(quota).filter(pl.col("_quota") > 0)
    places = stays.select("setl_id", *strata).with_row_index("_row")
    near = places.join(taken, on=strata, how="inner", nulls_equal=True)
    near = near.with_columns(order_numbers(near["setl_id"], seed).alias("_order"))
    rows = (
        near.sort("_order", "setl_id")
        .filter(pl.int_range(pl.len()).over(strata) < pl.col("_quota"))["_row"]
        .sort()
    )
    return stays[rows]
