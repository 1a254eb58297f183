"""Cost deviation: which band a stay is in, and what its points become. docs/rules.md, section 4."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, ratio_half_up, to_e4
from fenzhi.policy.cases import Band, Deviation, Tier
from fenzhi.policy.models import Policy


def auxiliary_weight(policy: Policy) -> tuple[pl.Expr, int]:
    """Return S = weight x auxiliary coefficient as a whole number (Int128), and what it is to be divided by."""
    weight = pl.col("rw_e4").cast(pl.Int128)
    if policy.auxiliary is None:
        return weight, 1
    return weight * pl.col("auxiliary_e4"), SCALE


def _inside(band: Band, first: bool) -> pl.Expr:
    """Tell whether cost / reference lies in the band, by comparing integers: cost x 10^4 against limit x reference."""
    ratio = pl.col("cost_fen") * SCALE
    reference = pl.col("reference_fen")
    inside = pl.lit(True)
    if not first:
        low = reference * to_e4(band.above)
        inside = ratio >= low if band.above_included else ratio > low
    if band.upto is not None:
        high = reference * to_e4(band.upto)
        inside = inside & ((ratio <= high) if band.upto_included else (ratio < high))
    return inside


def _points(band: Band, policy: Policy, step: int) -> pl.Expr:
    """Return the points of a stay in the band. S = rw x auxiliary, h = coefficient, q = cost / factor reference."""
    base = pl.col("points_base_e4")
    if band.points in ("normal", "review"):
        return base
    if band.points == "fee_for_service":
        return pl.lit(0, pl.Int64)
    s, unit = auxiliary_weight(policy)
    h = pl.col("coefficient_e4").cast(pl.Int128)
    cost = pl.col("cost_fen").cast(pl.Int128)
    reference = pl.col("_factor_fen").cast(pl.Int128)
    limit = to_e4(band.above)
    if band.points == "ratio_without_coefficient":
        exact = ratio_half_up(s * cost, reference * unit, step)
    elif band.points == "ratio":
        exact = ratio_half_up(s * h * cost, reference * (SCALE * unit), step)
    elif band.points == "actual_cost":
        standard = pl.col("payment_standard").cast(pl.Int128)
        exact = ratio_half_up(s * h * cost, standard * (SCALE * unit), step)
    elif band.points == "excess":
        excess = cost * SCALE - reference * (limit - SCALE)
        exact = ratio_half_up(s * h * excess, reference * (SCALE * SCALE * unit), step)
    else:
        excess = cost * SCALE - reference * limit + reference * h
        exact = ratio_half_up(s * excess, reference * (SCALE * unit), step)
    return exact


def _denominator(band: Band) -> pl.Expr:
    return pl.col("payment_standard") if band.points == "actual_cost" else pl.col("_factor_fen")


def _in_tier(tier: Tier, first: bool) -> pl.Expr:
    """Tell whether the weight of a stay's group lies in the tier."""
    weight = pl.col("rw_e4")
    inside = pl.lit(True)
    if not first:
        low = to_e4(tier.rw_above)
        inside = weight >= low if tier.rw_above_included else weight > low
    if tier.rw_upto is not None:
        high = to_e4(tier.rw_upto)
        inside = inside & (weight <= high if tier.rw_upto_included else weight < high)
    return inside


def banded_points(policy: Policy, step: int) -> tuple[pl.Expr, pl.Expr]:
    """Return two expressions: the band's name (null without reference) and the points after deviation.

    Needs cost_fen, reference_fen, _factor_fen, payment_standard, rw_e4, coefficient_e4, auxiliary_e4,
    points_base_e4, ``_top`` if the policy has a top share, and for the points the name as ``deviation``.
    A reference of zero or none leaves the points as they are.
    """
    known = (pl.col("reference_fen") > 0).fill_null(False)
    name = pl.lit(None, pl.String)
    points = pl.col("points_base_e4")
    for place, tier in enumerate(policy.deviation.all_tiers()):
        for i, band in reversed(list(enumerate(tier.bands))):
            inside = known & _in_tier(tier, place == 0)
            name = pl.when(inside & _inside(band, i == 0)).then(pl.lit(band.name)).otherwise(name)
            if band.points not in ("normal", "review"):
                divisible = (_denominator(band) > 0).fill_null(False) | (band.points == "fee_for_service")
                here = (pl.col("deviation") == band.name) & divisible & _in_tier(tier, place == 0)
                # With different references for test and factor a formula may fall below zero; points never do.
                points = pl.when(here).then(_points(band, policy, step).clip(lower_bound=0)).otherwise(points)
    if (top := policy.deviation.top_share) is not None:
        band = top.band()
        name = pl.when("_top").then(pl.lit(band.name)).otherwise(name)
        if band.points not in ("normal", "review"):
            divisible = (_denominator(band) > 0).fill_null(False) | (band.points == "fee_for_service")
            here = (pl.col("deviation") == band.name) & divisible
            points = pl.when(here).then(_points(band, policy, step).clip(lower_bound=0)).otherwise(points)
    return name, points


def is_paid_directly(deviation: Deviation) -> pl.Expr:
    """Tell whether the band of a stay (column ``deviation``) pays it directly. Needs rw_e4 too."""
    found = pl.lit(False)
    for place, tier in enumerate(deviation.all_tiers()):
        names = [band.name for band in tier.bands if band.points == "fee_for_service"]
        if names:
            found = found | (pl.col("deviation").is_in(names) & _in_tier(tier, place == 0))
    if deviation.top_share is not None and deviation.top_share.points == "fee_for_service":
        found = found | (pl.col("deviation") == deviation.top_share.name)
    return found.fill_null(False)
