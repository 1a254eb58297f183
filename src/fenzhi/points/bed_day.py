"""Bed-day stays: points per day in steps. docs/rules.md, section 4."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, ratio_half_up, to_e4
from fenzhi.policy.cases import BedDay, BedDayStep


def _days_in(step: BedDayStep, before: int) -> pl.Expr:
    """Return how many days of a stay fall after day ``before`` and up to the end of the step."""
    days = pl.col("act_ipt_days").cast(pl.Int64)
    if step.upto_days is not None:
        days = days.clip(upper_bound=step.upto_days)
    return (days - before).clip(lower_bound=0)


def _sum_of_days(steps: tuple[BedDayStep, ...]) -> pl.Expr:
    total, before = pl.lit(0, pl.Int64), 0
    for step in steps:
        total = total + _days_in(step, before) * to_e4(step.points_per_day)
        before = step.upto_days or before
    return total


def bed_day_points(rules: BedDay, step: int) -> pl.Expr:
    """Return the points of a bed-day stay, rounded half up to ``step``.

    Needs act_ipt_days, level (of the hospital) and coefficient_e4 (null counts as 1).
    """
    total = _sum_of_days(rules.steps_of(None))
    for level in rules.levels():
        if level is not None:
            own = _sum_of_days(rules.steps_of(level))
            total = pl.when(pl.col("level") == level).then(own).otherwise(total)
    factor = pl.col("coefficient_e4").fill_null(SCALE) if rules.coefficient else pl.lit(SCALE)
    return ratio_half_up(total.cast(pl.Int128) * factor, pl.lit(SCALE), step)
