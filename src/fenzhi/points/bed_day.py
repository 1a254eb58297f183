"""Bed-day stays: points per day in steps. docs/rules.md, section 4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import polars as pl

from fenzhi.money import SCALE, ratio_half_up, to_e4
from fenzhi.policy.cases import BedDay, DayStep, step_levels

Step = TypeVar("Step", bound=DayStep)


def _days_in(step: DayStep, before: int) -> pl.Expr:
    """Return how many days of a stay fall after day ``before`` and up to the end of the step."""
    days = pl.col("act_ipt_days").cast(pl.Int64)
    if step.upto_days is not None:
        days = days.clip(upper_bound=step.upto_days)
    return (days - before).clip(lower_bound=0)


def sum_of_days(steps: Sequence[Step], value: Callable[[Step], int]) -> pl.Expr:
    """Return the sum over the days of a stay of what a day is worth: ``value`` of the step that it falls into.

    Needs act_ipt_days and level (of the hospital): its steps, or those without level.
    """
    total = pl.lit(0, pl.Int64)
    for level in sorted(step_levels(steps), key=lambda one: one is not None):
        own, before = pl.lit(0, pl.Int64), 0
        for step in (step for step in steps if step.level == level):
            own = own + _days_in(step, before) * value(step)
            before = step.upto_days or before
        total = own if level is None else pl.when(pl.col("level") == level).then(own).otherwise(total)
    return total


def bed_day_points(rules: BedDay, step: int) -> pl.Expr:
    """Return the points of a bed-day stay, rounded half up to ``step``.

    Needs act_ipt_days, level (of the hospital) and coefficient_e4 (null counts as 1).
    """
    total = sum_of_days(rules.steps, lambda one: to_e4(one.points_per_day))
    factor = pl.col("coefficient_e4").fill_null(SCALE) if rules.coefficient else pl.lit(SCALE)
    return ratio_half_up(total.cast(pl.Int128) * factor, pl.lit(SCALE), step)
