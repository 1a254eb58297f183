"""Incomplete stays: points follow the cost and never exceed the whole. docs/rules.md, section 4."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, ratio_half_up
from fenzhi.points.deviation import auxiliary_weight
from fenzhi.policy.cases import Incomplete
from fenzhi.policy.models import Policy

INCOMPLETE = "incomplete"


def is_incomplete(rules: Incomplete) -> pl.Expr:
    """Tell whether a stay is incomplete; what is not known makes none. Needs dscg_way, act_ipt_days if they count."""
    found = pl.lit(False)
    if rules.ways:
        found = found | pl.col("dscg_way").is_in(list(rules.ways)).fill_null(False)
    if rules.los_below_days is not None:
        found = found | (pl.col("act_ipt_days") < rules.los_below_days).fill_null(False)
    return found


def incomplete_points(policy: Policy, step: int) -> pl.Expr:
    """Return the points of an incomplete stay, rounded half up to ``step``, at least 0.

    Needs rw_e4, coefficient_e4, auxiliary_e4, cost_fen, reference_fen; without reference the stay gets the whole.
    """
    assert policy.incomplete is not None
    weight, unit = auxiliary_weight(policy)
    whole = weight * (pl.col("coefficient_e4") if policy.incomplete.coefficient else SCALE)
    cost, reference = pl.col("cost_fen").cast(pl.Int128), pl.col("reference_fen").cast(pl.Int128)
    known = (reference > 0).fill_null(False) & (cost < reference)
    numerator = pl.when(known).then(whole * cost).otherwise(whole)
    denominator = pl.when(known).then(reference * (SCALE * unit)).otherwise(SCALE * unit)
    return ratio_half_up(numerator, denominator, step).clip(lower_bound=0)
