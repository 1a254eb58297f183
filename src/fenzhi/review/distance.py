"""How far a stay is from the criteria of special review. docs/rules.md, "One case"."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, standard_fen, to_e4
from fenzhi.policy.review import ReviewCriterion, SpecialReview

DISTANCES = {
    "setl_id": pl.String(),
    "criterion": pl.String(),
    "title": pl.String(),
    "condition": pl.String(),
    "unit": pl.String(),
    "limit": pl.String(),
    "have": pl.Int64(),
    "needed": pl.Int64(),
    "missing": pl.Int64(),
    "holds": pl.Boolean(),
}
_UPTO = "age_upto"


def _past(product: pl.Expr, divisor: pl.Expr | int) -> pl.Expr:
    """Return the smallest whole number above product / divisor; null where the divisor is not positive."""
    by = pl.lit(divisor, pl.Int128) if isinstance(divisor, int) else divisor.cast(pl.Int128)
    return pl.when(by > 0).then(product.cast(pl.Int128) // by + 1).cast(pl.Int64)


def _conditions(criterion: ReviewCriterion) -> Iterator[tuple[str, str, str, pl.Expr, pl.Expr]]:
    """Give the conditions in numbers that a criterion states: name, unit, limit, what there is, what is needed."""
    days, age = pl.col("act_ipt_days").cast(pl.Int64), pl.col("age").cast(pl.Int64)
    if criterion.los_above_days is not None:
        limit = criterion.los_above_days
        yield "los_above_days", "days", str(limit), days, pl.lit(limit + 1, pl.Int64)
    if criterion.los_multiple is not None:
        days_e4 = pl.col("group_days").cast(pl.Int128) * to_e4(criterion.los_multiple)
        known = pl.when(pl.col("group_days") > 0).then(pl.col("group_cases").cast(pl.Int128) * SCALE)
        yield "los_multiple", "days", str(criterion.los_multiple), days, _past(days_e4, known)
    if criterion.cost_multiple is not None:
        product = pl.col("compared_fen").cast(pl.Int128) * to_e4(criterion.cost_multiple)
        positive = pl.when(pl.col("compared_fen") > 0).then(product)
        needed = _past(positive, SCALE)
        yield "cost_multiple", "fen", str(criterion.cost_multiple), pl.col("cost_fen"), needed
    if criterion.icu_above_hours is not None:
        needed = pl.lit(to_e4(criterion.icu_above_hours) + 1, pl.Int64)
        yield "icu_above_hours", "hours_e4", str(criterion.icu_above_hours), pl.col("icu_hours_e4"), needed
    if criterion.age_from is not None:
        limit = criterion.age_from
        yield "age_from", "years", str(limit), age, pl.lit(limit, pl.Int64)
    if criterion.age_upto is not None:
        limit = criterion.age_upto
        yield _UPTO, "years", str(limit), age, pl.lit(limit, pl.Int64)


def _named(criterion: ReviewCriterion) -> Iterator[tuple[str, str, pl.Expr]]:
    """Give the conditions on names: which one, the names, whether one of them is there."""
    for name, listed in (("items", criterion.items), ("departments", criterion.departments)):
        if listed:
            named = pl.col(name).list.eval(pl.element().is_in(list(listed))).list.any()
            yield name, "|".join(listed), named.fill_null(False)


def review_distances(stays: pl.DataFrame, rules: SpecialReview) -> pl.DataFrame:
    """Return one row per stay, criterion and condition (:data:`DISTANCES`).

    ``stays``: setl_id, cost_fen, points_base_e4, opening_value_e4, reference_fen, act_ipt_days, age, icu_hours_e4,
    group_days, group_cases, items and departments (lists of text), as :func:`fenzhi.review.assess` looks at them.
    ``needed``: the smallest figure that fulfils the condition (for ``age_upto`` the largest); ``missing``: needed -
    have, 0 where it holds, null where a figure is not known. A condition on names has no figures.
    """
    standard = standard_fen(pl.col("points_base_e4"), pl.col("opening_value_e4"))
    compared = standard if rules.reference == "payment_standard" else pl.col("reference_fen")
    both = stays.with_columns(compared.alias("compared_fen"))
    out = [pl.DataFrame(schema=DISTANCES)]
    for criterion in rules.criteria:
        for condition, unit, limit, have, needed in _conditions(criterion):
            holds = have <= needed if condition == _UPTO else have >= needed
            row = _row(criterion, condition, unit, limit)
            figures = both.select(
                *row, have.alias("have"), needed.alias("needed"), holds.fill_null(False).alias("holds")
            )
            missing = pl.when("holds").then(0).otherwise(pl.col("needed") - pl.col("have"))
            out.append(figures.with_columns(missing.cast(pl.Int64).alias("missing")).select(list(DISTANCES)))
        for condition, names, holds in _named(criterion):
            none = [pl.lit(None, pl.Int64).alias(name) for name in ("have", "needed", "missing")]
            row = _row(criterion, condition, "", names)
            out.append(both.select(*row, *none, holds.alias("holds")))
    return pl.concat(
        [frame.select(pl.col(name).cast(dtype) for name, dtype in DISTANCES.items()) for frame in out]
    )


def _row(criterion: ReviewCriterion, condition: str, unit: str, limit: str) -> list[pl.Expr]:
    texts = {"criterion": criterion.name, "title": criterion.title or criterion.name, "condition": condition}
    texts |= {"unit": unit, "limit": limit}
    return [
        pl.col("setl_id").cast(pl.String),
        *(pl.lit(text, pl.String).alias(name) for name, text in texts.items()),
    ]


def icu_hours_e4(hours: float | None) -> int | None:
    """Return hours of intensive care, known to the minute, at 1/10,000, as applications state them."""
    return None if hours is None else to_e4(Fraction(round(hours * 60), 60))
