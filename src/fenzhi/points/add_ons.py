"""Add-ons: what the earned ones are worth, added to a stay's points. docs/rules.md, section 4."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.money import ratio_half_up, round_half_up, to_e4
from fenzhi.policy.add_ons import AddOn, AddOns


def add_on_worth(item: AddOn, rw_e4: int, step: int) -> int:
    """Return what one add-on is worth to a stay of that weight, at 1/10,000."""
    exact = Fraction(to_e4(item.points)) if item.points is not None else rw_e4 * Fraction(item.share or 0)
    worth = round_half_up(exact, step)
    return worth if item.cap is None else min(worth, round_half_up(Fraction(to_e4(item.cap)), step))


def _worth(item: AddOn, step: int) -> pl.Expr:
    if item.points is not None:
        return pl.lit(add_on_worth(item, 0, step), pl.Int64)
    share = Fraction(item.share or 0)
    worth = ratio_half_up(pl.col("rw_e4").cast(pl.Int128) * share.numerator, pl.lit(share.denominator), step)
    return (
        worth if item.cap is None else worth.clip(upper_bound=round_half_up(Fraction(to_e4(item.cap)), step))
    )


def with_add_ons(scored: pl.DataFrame, rules: AddOns, step: int) -> pl.DataFrame:
    """Add add_ons (names joined by ``|``) and add_on_e4, null without any, and raise points_e4 by them.

    ``scored``: outcome, rw_e4, points_e4, paid_directly, ``_add_ons`` (numbers of items, of
    :func:`fenzhi.grouping.add_ons.mark_add_ons`). Only stays that points pay in a group earn add-ons.
    """
    inside = pl.col("outcome").is_in(["grouped", "comprehensive"]) & pl.col("paid_directly").is_null()
    # Few stays have any: they alone are looked at.
    some = scored.select("outcome", "paid_directly", "rw_e4", "_add_ons").with_row_index("_at")
    some = some.filter(pl.col("_add_ons").is_not_null() & inside)
    pairs = [
        (pl.col("_add_ons").list.contains(number).fill_null(False), item)
        for number, item in enumerate(rules.items)
    ]
    names = [pl.when(has).then(pl.lit(item.name)) for has, item in pairs]
    total = pl.sum_horizontal(pl.when(has).then(_worth(item, step)).otherwise(0) for has, item in pairs)
    if rules.cap is not None:
        total = total.clip(upper_bound=round_half_up(Fraction(to_e4(rules.cap)), step))
    earned = some.filter(pl.any_horizontal([has for has, _ in pairs])).select(
        "_at",
        pl.concat_list(names).list.drop_nulls().list.join("|").alias("add_ons"),
        total.cast(pl.Int64).alias("add_on_e4"),
    )
    columns = []
    for name in ("add_ons", "add_on_e4"):
        none = pl.select(pl.repeat(None, scored.height, dtype=earned.schema[name]).alias(name)).to_series()
        columns.append(none.scatter(earned["_at"], earned[name]))
    return (
        scored.drop("_add_ons")
        .with_columns(columns)
        .with_columns(pl.col("points_e4") + pl.col("add_on_e4").fill_null(0))
    )
