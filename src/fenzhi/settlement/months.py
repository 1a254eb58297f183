"""Working capital and monthly advances at the opening point value. docs/rules.md, section 6."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl
import polars.selectors as cs

from fenzhi.budget.direct import direct_sums
from fenzhi.money import ratio_half_up, standard_fen
from fenzhi.policy.values import Settlement

ACCOUNT = ["fixmedins_code", "pool"]


MONTH = [*ACCOUNT, "month"]


def month_sums(scored: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of every hospital, pool and month that has stays; those of parts of the stays add up.

    ``scored``: fixmedins_code, pool, month, cost_fen, booked_fen, points_e4, direct_fen.
    """
    return scored.group_by(MONTH).agg(
        pl.len().cast(pl.Int64).alias("cases"),
        pl.col("points_e4", "cost_fen", "booked_fen").sum(),
        *direct_sums(),
    )


def monthly(
    sums: pl.DataFrame,
    accounts: pl.DataFrame,
    pools: pl.DataFrame,
    deductions: pl.DataFrame,
    policy: Settlement,
) -> pl.DataFrame:
    """Return one row per account and month (1 to 12) in the columns of ``results.MONTHS``.

    ``sums``: of :func:`month_sums`. due = points x opening
    value - (cost - booked) of the stays that points price + what is paid directly;
    advance = due x advance ratio - deductions of the month, at least 0. deposit_fen: what is withheld of due.
    """
    months = pl.DataFrame({"month": pl.int_range(1, 13, eager=True, dtype=pl.Int8)})
    keys = MONTH
    cut = deductions.group_by(keys).agg(pl.col("deduction_fen").sum())

    def of_due(ratio: Decimal) -> pl.Expr:
        share = Fraction(ratio)
        return ratio_half_up(pl.col("due_fen").cast(pl.Int128) * share.numerator, pl.lit(share.denominator))

    return (
        accounts.select(ACCOUNT)
        .join(months, how="cross", maintain_order="left_right")
        .join(sums, on=keys, how="left", maintain_order="left")
        .join(cut, on=keys, how="left", maintain_order="left")
        .with_columns(cs.by_dtype(pl.Int64).fill_null(0))
        .join(
            pools.select("pool", pl.col("opening_value_e4").alias("point_value_e4")),
            on="pool",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            (
                standard_fen(pl.col("points_e4"), pl.col("point_value_e4").fill_null(0))
                - pl.col("others_fen")
                + pl.col("direct_fen")
            ).alias("due_fen")
        )
        .with_columns(
            (of_due(policy.advance_ratio) - pl.col("deduction_fen")).clip(lower_bound=0).alias("advance_fen"),
            of_due(policy.deposit_ratio).clip(lower_bound=0).alias("deposit_fen"),
        )
        .drop("direct_cases", "others_fen")
    )


def quarterly(months: pl.DataFrame, policy: Settlement) -> pl.DataFrame:
    """Add quarter_fen: in the last month of a quarter what its due amounts are above advances, deposit and deductions.

    At least 0; nothing unless the policy clears by quarter.
    """
    if policy.clearing == "year":
        return months.with_columns(pl.lit(0, pl.Int64).alias("quarter_fen"))
    open_ = pl.col("due_fen") - pl.col("advance_fen") - pl.col("deposit_fen") - pl.col("deduction_fen")
    quarter = [*ACCOUNT, (pl.col("month") - 1) // 3]
    last = pl.col("month") % 3 == 0
    rest = open_.sum().over(quarter).clip(lower_bound=0)
    return months.with_columns(pl.when(last).then(rest).otherwise(0).alias("quarter_fen"))


def working_capital(accounts: pl.DataFrame, last_booked: pl.DataFrame, policy: Settlement) -> pl.DataFrame:
    """Add working_capital_fen: the newest history year's booked amount / 12 x months; zero without history.

    ``last_booked``: fixmedins_code, pool, booked_fen.
    """
    months = Fraction(policy.working_capital_months) / 12
    amount = ratio_half_up(pl.col("_booked").cast(pl.Int128) * months.numerator, pl.lit(months.denominator))
    return (
        accounts.join(
            last_booked.rename({"booked_fen": "_booked"}), on=ACCOUNT, how="left", maintain_order="left"
        )
        .with_columns(amount.fill_null(0).clip(lower_bound=0).alias("working_capital_fen"))
        .drop("_booked")
    )
