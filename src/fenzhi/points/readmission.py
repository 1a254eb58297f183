"""Readmission: a person comes back soon in the same group. docs/rules.md, section 4."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.money import ratio_half_up
from fenzhi.policy.cases import Readmission


def readmitted_days(stays: pl.DataFrame, rules: Readmission) -> pl.Series:
    """Return per stay the days since the person's stay before in the same group, null if that is no readmission.

    ``stays``: psn_no, group_idx (-1 = none), fixmedins_code, adm_time, dscg_time, setl_id of all accepted stays.
    The result (Int32, in the order of ``stays``) does not depend on the order of rows.
    """
    name = "readmitted_days"
    if "psn_no" not in stays.columns:
        return pl.select(pl.repeat(None, stays.height, dtype=pl.Int32).alias(name)).to_series()
    keys = ["psn_no", "group_idx", *(["fixmedins_code"] if rules.same_hospital else [])]
    known = (
        stays.select(*keys, "adm_time", "dscg_time", "setl_id")
        .with_row_index("_at")
        .filter(pl.col("psn_no").is_not_null() & (pl.col("group_idx") >= 0))
    )
    # Few come twice, and even fewer in the same group: only they are put in order.
    known = known.filter(pl.col("psn_no").is_duplicated())
    known = known.filter(pl.struct(keys).is_duplicated())
    gap = (pl.col("adm_time").dt.date() - pl.col("dscg_time").shift(1).over(keys).dt.date()).dt.total_days()
    found = (
        known.sort("dscg_time", "setl_id")
        .select("_at", gap.cast(pl.Int32).alias(name))
        .filter(pl.col(name).is_between(0, rules.days))
    )
    none = pl.select(pl.repeat(None, stays.height, dtype=pl.Int32).alias(name)).to_series()
    return none.scatter(found["_at"], found[name])


def readmitted_points(rules: Readmission, step: int) -> pl.Expr:
    """Return points_e4 times the factor, rounded half up to ``step``."""
    factor = Fraction(rules.factor)
    return ratio_half_up(
        pl.col("points_e4").cast(pl.Int128) * factor.numerator, pl.lit(factor.denominator), step
    )
