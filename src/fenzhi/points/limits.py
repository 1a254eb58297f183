"""How far a stay is from the limits of the deviation, in fen. docs/rules.md, "One case"."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, to_e4
from fenzhi.policy.cases import Deviation, Tier

LIMITS = {
    "setl_id": pl.String(),
    "order": pl.Int32(),
    "band": pl.String(),
    "title": pl.String(),
    "points": pl.String(),
    "above_e4": pl.Int64(),
    "from_fen": pl.Int64(),
    "upto_fen": pl.Int64(),
    "inside": pl.Boolean(),
    "to_here_fen": pl.Int64(),
}


def _first_fen(limit: int, included: bool) -> pl.Expr:
    """Return the smallest cost whose r = cost / reference is above (or at) the limit, as in points.deviation."""
    product = pl.col("reference_fen").cast(pl.Int128) * limit
    return ((product + SCALE - 1) // SCALE if included else product // SCALE + 1).cast(pl.Int64)


def _of_tier(tested: pl.DataFrame, tier: Tier, first: bool) -> pl.DataFrame:
    weight, inside = pl.col("rw_e4"), pl.lit(True)
    if not first:
        low = to_e4(tier.rw_above)
        inside = weight >= low if tier.rw_above_included else weight > low
    if tier.rw_upto is not None:
        high = to_e4(tier.rw_upto)
        inside = inside & (weight <= high if tier.rw_upto_included else weight < high)
    mine = tested.filter(inside)
    out = []
    for order, band in enumerate(tier.bands):
        begins = pl.lit(0, pl.Int64) if order == 0 else _first_fen(to_e4(band.above), band.above_included)
        out.append(
            mine.select(
                "setl_id",
                "cost_fen",
                pl.lit(order, pl.Int32).alias("order"),
                pl.lit(band.name).alias("band"),
                pl.lit(band.title or band.name).alias("title"),
                pl.lit(band.points).alias("points"),
                pl.lit(to_e4(band.above), pl.Int64).alias("above_e4"),
                begins.alias("from_fen"),
            )
        )
    return pl.concat(out)


def deviation_limits(scored: pl.DataFrame, rules: Deviation) -> pl.DataFrame:
    """Return one row per stay and band of its tier (:data:`LIMITS`): where the band begins and ends in fen of cost.

    ``scored``: setl_id, rw_e4, cost_fen, reference_fen (null or not above 0 = not tested: no row). The first band has
    no lower limit: ``from_fen`` is 0. ``upto_fen`` is the largest cost inside, null without end. ``inside``: the stay's
    cost lies in it. ``to_here_fen``: what is missing to get there; negative from above; 0 where the stay is. A band too
    narrow for a whole fen has no row. A top share depends on all other stays and is not among the bands.
    """
    tested = scored.filter((pl.col("reference_fen") > 0).fill_null(False)).select(
        pl.col("setl_id").cast(pl.String), "rw_e4", "cost_fen", "reference_fen"
    )
    tiers = rules.all_tiers()
    both = pl.concat([_of_tier(tested, tier, place == 0) for place, tier in enumerate(tiers)])
    cost = pl.col("cost_fen")
    # Of bands that begin at the same fen only the last one has room.
    kept = both.filter(pl.col("order") == pl.col("order").max().over("setl_id", "from_fen"))
    ends = (pl.col("from_fen").shift(-1).over("setl_id", order_by="order") - 1).alias("upto_fen")
    from_, upto = pl.col("from_fen"), pl.col("upto_fen")
    below = (pl.col("order") > 0) & (cost < from_)
    return (
        kept.with_columns(ends)
        .with_columns(
            pl.when(below)
            .then(from_ - cost)
            .when(cost > upto)
            .then(upto - cost)
            .otherwise(0)
            .alias("to_here_fen")
        )
        .with_columns(
            (pl.when(cost.is_null()).then(None).otherwise(pl.col("to_here_fen") == 0)).alias("inside")
        )
        .with_columns(pl.when(cost.is_not_null()).then("to_here_fen").alias("to_here_fen"))
        .sort("setl_id", "order")
        .select(pl.col(name).cast(dtype) for name, dtype in LIMITS.items())
    )
