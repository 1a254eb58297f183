"""Which points keep the opening value and which share what is left of the fund. docs/rules.md, section 5."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.errors import PolicyError
from fenzhi.money import SCALE, apportion_within, ratio_half_up, to_e4
from fenzhi.policy.values import Elastic, PointValue, is_plain

ACCOUNT = ["fixmedins_code", "pool"]
PERIODS = {"year": 1, "quarter": 4, "month": 12}


def _of_base(scored: pl.DataFrame, rules: Elastic, last_points: pl.DataFrame) -> pl.Series:
    """Return the fixed points of each stay: the hospital's base volume of last year, spread over its points."""
    share = Fraction(rules.base_share)
    base = ratio_half_up(
        pl.col("last_points_e4").fill_null(0).cast(pl.Int128) * share.numerator, pl.lit(share.denominator)
    )
    work = scored.select("setl_id", *ACCOUNT, "points_e4").join(
        last_points, on=ACCOUNT, how="left", maintain_order="left"
    )
    volume = pl.min_horizontal(base, pl.col("points_e4").sum().over(ACCOUNT))
    return apportion_within(
        work.with_columns(volume.alias("_base")), "_base", "points_e4", ACCOUNT, "setl_id"
    )


def fixed_points(scored: pl.DataFrame, policy: PointValue, last_points: pl.DataFrame) -> pl.DataFrame:
    """Add fixed_points_e4, the part of a stay's points that has the opening value, and ``period`` (from 0).

    ``scored``: setl_id, fixmedins_code, pool, month, group_id, rw_e4, points_e4; under ``rigid_cost`` also rigid_e4,
    the share of the fees in the cost of the stay's group (see :func:`rigid_shares`). ``last_points``: fixmedins_code,
    pool, last_points_e4 of the newest history year. A stay without weight has no severe and no rigid part.
    """
    months = 12 // PERIODS[policy.period]
    period = ((pl.col("month") - 1) // months).cast(pl.Int8).alias("period")
    rules, points = policy.elastic, pl.col("points_e4")
    fixed: pl.Expr | pl.Series
    if rules is None:
        fixed = points if policy.rate == "fixed" else pl.lit(0, pl.Int64)
    elif rules.form == "base_volume" and rules.base == "last_year":
        fixed = _of_base(scored, rules, last_points)
    elif rules.form == "base_volume":
        share = Fraction(rules.base_share)
        fixed = ratio_half_up(points.cast(pl.Int128) * share.numerator, pl.lit(share.denominator))
    else:
        fixed = pl.when(pl.col("rw_e4").is_not_null()).then(_of_group(rules)).otherwise(0)
    return scored.with_columns(fixed.alias("fixed_points_e4"), period)


def with_units(scored: pl.DataFrame, policy: PointValue) -> pl.DataFrame:
    """Return stays with fixed_points_e4 and period; without these columns they are those of a plain policy.

    Raises :class:`PolicyError` if the policy wants more than that: then :func:`fixed_points` comes first.
    """
    if {"fixed_points_e4", "period"} <= set(scored.columns):
        return scored
    if not is_plain(policy):
        raise PolicyError(
            "the stays have no fixed points and no period",
            code="POLICY_UNITS",
            field="point_value",
            remedy="call fenzhi.budget.fixed_points on the scored stays first",
        )
    fixed = pl.col("points_e4") if policy.rate == "fixed" else pl.lit(0, pl.Int64)
    return scored.with_columns(fixed.alias("fixed_points_e4"), pl.lit(0, pl.Int8).alias("period"))


def _of_group(rules: Elastic) -> pl.Expr:
    points = pl.col("points_e4")
    if rules.form == "rigid_cost":
        share = pl.col("rigid_e4").fill_null(0)
        return ratio_half_up(points.cast(pl.Int128) * share, pl.lit(SCALE))
    severe = pl.col("group_id").cast(pl.String).is_in(list(rules.severe_groups)).fill_null(False)
    if rules.severe_from is not None:
        severe = severe | (pl.col("rw_e4") >= to_e4(rules.severe_from))
    return pl.when(severe).then(points).otherwise(0)


def rigid_shares(history: pl.DataFrame, groups: int) -> pl.Series:
    """Return per group rigid_e4: the named fees / the cost of its history stays, rounded half up, between 0 and 1.

    ``history``: group_idx, cost_fen, rigid_fen. A group without cost has none.
    """
    sums = (
        history.filter(pl.col("group_idx") >= 0)
        .group_by("group_idx")
        .agg(pl.col("cost_fen", "rigid_fen").cast(pl.Int128).sum())
        .filter(pl.col("cost_fen") > 0)
        .select(
            "group_idx",
            ratio_half_up(pl.col("rigid_fen") * SCALE, pl.col("cost_fen")).clip(0, SCALE).alias("rigid_e4"),
        )
    )
    every = pl.DataFrame({"group_idx": pl.int_range(groups, dtype=pl.Int32, eager=True)})
    joined = every.join(sums, on="group_idx", how="left", maintain_order="left")
    return joined["rigid_e4"].fill_null(0)
