"""What each hospital and each stay is paid from the by-disease fund. docs/rules.md, section 6."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import polars as pl
import polars.selectors as cs

from fenzhi.budget.direct import direct_sums, payment_ratio
from fenzhi.budget.opening import FEN_PER_POINT_VALUE
from fenzhi.errors import ConservationError
from fenzhi.money import apportion, apportion_within, ratio_half_up, round_half_up, standard_fen
from fenzhi.policy.models import Policy
from fenzhi.policy.values import Settlement

ACCOUNT = ["fixmedins_code", "pool"]
UNIT = [*ACCOUNT, "period"]


def account_sums(scored: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of every hospital and pool that has stays; those of parts of the stays add up.

    ``scored``: fixmedins_code, pool, outcome, grassroots, cost_fen, booked_fen, rw_e4, points_e4, direct_fen of
    the stays that the fund pays; layer, where there may be TCM-advantage groups; add_on_e4, where there are add-ons;
    auxiliary_points_e4, with auxiliary types; review, with special review.
    """
    grouped, points = pl.col("outcome") == "grouped", pl.col("points_e4")
    flat = pl.col("grassroots").fill_null(False)
    tcm = pl.col("layer").cast(pl.String).eq_missing("tcm") if "layer" in scored.columns else pl.lit(False)
    return scored.group_by(ACCOUNT).agg(
        pl.len().cast(pl.Int64).alias("cases"),
        grouped.sum().cast(pl.Int64).alias("grouped_cases"),
        (pl.col("outcome") == "comprehensive").sum().cast(pl.Int64).alias("comprehensive_cases"),
        (pl.col("outcome") == "ungrouped").sum().cast(pl.Int64).alias("ungrouped_cases"),
        (pl.col("outcome") == "bed_day").sum().cast(pl.Int64).alias("bed_day_cases"),
        pl.col("cost_fen", "booked_fen", "fixed_points_e4").sum(),
        points.filter(grouped & ~flat & ~tcm).sum().alias("points_core_e4"),
        points.filter(pl.col("outcome") == "comprehensive").sum().alias("points_comprehensive_e4"),
        points.filter(grouped & flat).sum().alias("points_grassroots_e4"),
        points.filter(grouped & tcm).sum().alias("points_tcm_e4"),
        points.filter(pl.col("outcome") == "ungrouped").sum().alias("points_ungrouped_e4"),
        points.filter(pl.col("outcome") == "bed_day").sum().alias("points_bed_day_e4"),
        points.sum(),
        *_of_which(scored.columns),
        *direct_sums(),
        pl.col("rw_e4").sum().alias("rw_sum_e4"),
        pl.col("rw_e4").count().cast(pl.Int64).alias("rw_cases"),
    )


def of_accounts(sums: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of every account (hospital x pool, in the order of ``accounts``), zeros where it has no stays."""
    joined = accounts.join(sums, on=ACCOUNT, how="left", maintain_order="left")
    return joined.with_columns(cs.by_dtype(pl.Int64).fill_null(0))


def _of_which(columns: list[str]) -> list[pl.Expr]:
    """Return sums of parts of the points: by add-ons, by auxiliary types, of stays that special review approved."""
    none = pl.lit(False)
    approved = (pl.col("review") != "refused").fill_null(False) if "review" in columns else none
    # Whoever has other points, or none, has none by auxiliary types.
    kept = pl.col("direct_fen").is_null() & ~approved

    def total(name: str, where: pl.Expr) -> pl.Expr:
        return pl.col(name).filter(where).sum() if name in columns else pl.lit(0, pl.Int64).alias(name)

    return [
        total("add_on_e4", pl.lit(True)),
        total("auxiliary_points_e4", kept),
        total("points_e4", approved).alias("points_review_e4"),
    ]


def unit_sums(scored: pl.DataFrame) -> pl.DataFrame:
    """Return cases, points_e4, fixed_points_e4, others_fen, direct_fen per hospital, pool, period, sorted by these."""
    return (
        scored.group_by(UNIT)
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("points_e4", "fixed_points_e4").sum(),
            *direct_sums(),
        )
        .drop("direct_cases")
        .sort(UNIT)
    )


def gross_amounts(
    units: pl.DataFrame,
    prices: pl.DataFrame,
    policy: Policy,
    given: Mapping[str, Fraction] | None = None,
) -> pl.DataFrame:
    """Add to the units what their points are priced at, ``fixed_fen`` and ``floating_fen``, and ``gross_fen``.

    ``units``: of :func:`unit_sums`; ``prices``: of :func:`fenzhi.budget.price`. The gross amount (before assessment)
    differs from what the points price by what the fund pays directly and, under the difference method, by what
    patients and other payers paid. The sum of gross amounts and the residual of a pool is its fund, exactly.
    ``given``: payment ratios that are known from elsewhere; then points are worth their value, nothing is shared out.
    """
    difference = policy.point_value.settlement == "difference"
    totals = prices.group_by("pool").agg(pl.col("cost_fen", "booked_fen").sum())
    ratios = {
        pool: Fraction(1) if difference else payment_ratio(cost, booked)
        for pool, cost, booked in totals.iter_rows()
    }
    if given is not None and not difference:
        ratios |= given
    parts = []
    for unit in prices.iter_rows(named=True):
        mine = units.filter((pl.col("pool") == unit["pool"]) & (pl.col("period") == unit["period"]))
        points, fixed = mine["points_e4"].to_list(), mine["fixed_points_e4"].to_list()
        floating = [whole - part for whole, part in zip(points, fixed, strict=True)]
        if unit["points_e4"] == 0:
            priced: list[list[int]] = [[0] * mine.height] * 2
        elif policy.settlement.residual == "apportion" and given is None:
            priced = [
                apportion(unit["fixed_fen"], fixed) if any(fixed) else [0] * mine.height,
                apportion(unit["floating_fen"], floating) if any(floating) else [0] * mine.height,
            ]
        else:
            opening, value = unit["opening_value_e4"] or 0, unit["settlement_value_e4"]
            worth = ratios[unit["pool"]] / FEN_PER_POINT_VALUE
            whole = [
                round_half_up((one * opening + other * value) * worth)
                for one, other in zip(fixed, floating, strict=True)
            ]
            first = [
                round_half_up(one * opening * worth) if other else all_
                for one, other, all_ in zip(fixed, floating, whole, strict=True)
            ]
            priced = [first, [all_ - one for all_, one in zip(whole, first, strict=True)]]
        amounts = [
            pl.Series(name, part, dtype=pl.Int64)
            for name, part in zip(("fixed_fen", "floating_fen"), priced, strict=True)
        ]
        gross = amounts[0] + amounts[1] + mine["direct_fen"]
        if difference and unit["points_e4"]:
            gross = gross - mine["others_fen"]
        parts.append(mine.with_columns(*amounts, gross.alias("gross_fen")))
    return pl.concat(parts)


def stay_amounts(
    scored: pl.DataFrame, units: pl.DataFrame, prices: pl.DataFrame, policy: Policy
) -> pl.DataFrame:
    """Add point_value_e4, standard_fen and payable_fen to the stays paid by points.

    The fixed and the floating amount of each unit are split over its stays by their fixed and their floating points;
    under the difference method a stay's own patients' part is then subtracted. A stay that is paid directly gets its
    direct_fen and nothing else. Raises :class:`ConservationError` if the stays of a unit do not add up to it.
    """
    work = scored.join(
        units.select(*UNIT, "fixed_fen", "floating_fen", "gross_fen"),
        on=UNIT,
        how="left",
        maintain_order="left",
    ).join(
        prices.select(
            "pool",
            "period",
            pl.col("settlement_value_e4").alias("point_value_e4"),
            pl.col("opening_value_e4").fill_null(0).alias("_opening"),
            pl.col("points_e4").alias("_unit_points"),
        ),
        on=["pool", "period"],
        how="left",
        maintain_order="left",
    )
    fixed, points = pl.col("fixed_points_e4"), pl.col("points_e4")
    if policy.point_value.rate == "floating":
        standard = standard_fen(points, pl.col("point_value_e4"))
        part = apportion_within(work, "floating_fen", "points_e4", UNIT, "setl_id")
    elif policy.point_value.rate == "fixed":
        standard = standard_fen(points, pl.col("point_value_e4"))
        part = apportion_within(work, "fixed_fen", "points_e4", UNIT, "setl_id")
    else:
        worth = fixed.cast(pl.Int128) * pl.col("_opening").fill_null(0) + (points - fixed).cast(
            pl.Int128
        ) * pl.col("point_value_e4")
        standard = ratio_half_up(worth, pl.lit(FEN_PER_POINT_VALUE))
        work = work.with_columns((points - fixed).alias("_floating"))
        part = apportion_within(work, "fixed_fen", "fixed_points_e4", UNIT, "setl_id") + apportion_within(
            work, "floating_fen", "_floating", UNIT, "setl_id"
        )
        work = work.drop("_floating")
    work = work.with_columns(part.alias("payable_fen"), standard.alias("standard_fen"))
    if policy.point_value.settlement == "difference":
        others = (
            pl.when((pl.col("_unit_points") > 0) & pl.col("direct_fen").is_null())
            .then(pl.col("cost_fen") - pl.col("booked_fen"))
            .otherwise(0)
        )
        work = work.with_columns(pl.col("payable_fen") - others)
    work = work.with_columns(pl.col("payable_fen") + pl.col("direct_fen").fill_null(0))
    check = work.group_by(UNIT).agg(pl.col("payable_fen").sum(), pl.col("gross_fen").first())
    wrong = check.filter(pl.col("payable_fen") != pl.col("gross_fen"))
    if wrong.height:
        raise ConservationError(
            "the stays of a hospital do not add up to its amount",
            field="payable_fen",
            value=wrong.sort(UNIT).row(0),
        )
    return work.drop("fixed_fen", "floating_fen", "gross_fen", "_unit_points", "_opening")


def assess(
    accounts: pl.DataFrame, assessment: pl.DataFrame, deductions: pl.DataFrame, policy: Settlement
) -> pl.DataFrame:
    """Add assessment_e4, assessed_fen (withheld), deduction_fen, payable_fen and balance_fen to the accounts.

    ``assessment``: fixmedins_code, assessment_e4 (1 where absent). ``deductions``: fixmedins_code, pool,
    month, deduction_fen, kind; of all of them violation_fen and fine_fen are violations and fines, next_year_fen is
    the share of the violations that next year's deductions shall name again.
    """
    kind, amount = pl.col("kind"), pl.col("deduction_fen")
    year = deductions.group_by(ACCOUNT).agg(
        amount.sum(),
        amount.filter(kind == "violation").sum().alias("violation_fen"),
        amount.filter(kind == "fine").sum().alias("fine_fen"),
    )
    kept = ratio_half_up(pl.col("gross_fen").cast(pl.Int128) * pl.col("assessment_e4"), pl.lit(10_000))
    again = Fraction(policy.next_year_violation_share)
    next_year = ratio_half_up(
        pl.col("violation_fen").cast(pl.Int128) * again.numerator, pl.lit(again.denominator)
    )
    return (
        accounts.join(assessment, on="fixmedins_code", how="left", maintain_order="left")
        .join(year, on=ACCOUNT, how="left", maintain_order="left")
        .with_columns(
            pl.col("assessment_e4").fill_null(10_000),
            pl.col("deduction_fen", "violation_fen", "fine_fen").fill_null(0),
        )
        .with_columns(
            pl.when(pl.col("gross_fen") > 0)
            .then(pl.col("gross_fen") - kept)
            .otherwise(0)
            .alias("assessed_fen"),
            next_year.alias("next_year_fen"),
        )
        .with_columns(
            (pl.col("gross_fen") - pl.col("assessed_fen") - pl.col("deduction_fen")).alias("payable_fen")
        )
        .with_columns((pl.col("payable_fen") - pl.col("booked_fen")).alias("balance_fen"))
    )
