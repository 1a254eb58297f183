"""The coverage curve: groups and stays that each threshold would leave core. docs/rules.md, "Building a catalogue"."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, round_half_up


def coverage_curve(counts: pl.Series) -> pl.DataFrame:
    """Return threshold, groups, stays, share_e4, smallest threshold first; ``counts``: stays of each combination.

    A row for every number of stays that a combination has: from that threshold on, ``groups`` combinations reach it,
    with ``stays`` in them, ``share_e4`` of all.
    """
    whole = int(counts.sum())
    table = (
        pl.DataFrame({"threshold": counts.cast(pl.Int64)})
        .group_by("threshold")
        .agg(pl.len().cast(pl.Int64).alias("groups"))
        .sort("threshold", descending=True)
        .with_columns(
            pl.col("groups").cum_sum(), (pl.col("groups") * pl.col("threshold")).cum_sum().alias("stays")
        )
        .sort("threshold")
    )
    shares = [round_half_up(Fraction(stays * SCALE, whole)) for stays in table["stays"]]
    return table.with_columns(pl.Series("share_e4", shares, dtype=pl.Int64))
