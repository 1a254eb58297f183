"""Cost coefficients: what a hospital's stays of a group cost against the region's. docs/rules.md, section 3."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fenzhi.money import SCALE, ratio_half_up, step_of, to_e4
from fenzhi.policy.coefficients import Coefficients

SCHEMA: dict[str, pl.DataType] = {
    "fixmedins_code": pl.String(),
    "group_idx": pl.Int32(),
    "cases": pl.Int64(),
    "cost_fen": pl.Int64(),
    "region_cases": pl.Int64(),
    "region_cost_fen": pl.Int64(),
    "coefficient_e4": pl.Int64(),
}


def no_cost_coefficients() -> pl.DataFrame:
    """Return the table without rows."""
    return pl.DataFrame(schema=SCHEMA)


def cost_coefficients(
    kept: pl.DataFrame, years: Sequence[int], hospitals: pl.DataFrame, rules: Coefficients
) -> pl.DataFrame:
    """Return one row per hospital of the list and group it had stays in, sorted: the columns of :data:`SCHEMA`.

    ``kept``: group_idx, year, fixmedins_code, cost_fen of the stays that trimming left, ``years`` those of the
    history. The coefficient is 1 where the hospital has too few stays or costs add up to nothing.
    """
    newest = sorted(years)[-rules.cost_years :]
    counted = kept.filter(pl.col("year").is_in(newest))
    sums = [pl.len().cast(pl.Int64).alias("cases"), pl.col("cost_fen").cast(pl.Int128).sum()]
    own = counted.group_by("fixmedins_code", "group_idx").agg(sums)
    region = (
        counted.group_by("group_idx")
        .agg(sums)
        .rename({"cases": "region_cases", "cost_fen": "region_cost_fen"})
    )
    known = (pl.col("cases") >= rules.min_cases) & (pl.col("cost_fen") > 0) & (pl.col("region_cost_fen") > 0)
    ratio = ratio_half_up(
        pl.col("cost_fen") * pl.col("region_cases") * SCALE,
        # The divisor of rows that are not known is of no account, but must not be zero.
        pl.when(known).then(pl.col("region_cost_fen") * pl.col("cases")).otherwise(1),
        step_of(rules.decimals),
    )
    if rules.floor is not None:
        ratio = pl.max_horizontal(ratio, pl.lit(to_e4(rules.floor)))
    if rules.cap is not None:
        ratio = pl.min_horizontal(ratio, pl.lit(to_e4(rules.cap)))
    return (
        own.join(hospitals.select("fixmedins_code"), on="fixmedins_code", how="semi")
        .join(region, on="group_idx")
        .with_columns(pl.when(known).then(ratio).otherwise(SCALE).alias("coefficient_e4"))
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        .sort("fixmedins_code", "group_idx")
    )
