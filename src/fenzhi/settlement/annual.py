"""What each hospital and each stay is paid from the by-disease fund. docs/rules.md, section 6."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import polars.selectors as cs

from fenzhi.budget.direct import direct_sums, payment_ratio
from fenzhi.errors import ConservationError
from fenzhi.money import apportion, apportion_within, ratio_half_up, round_half_up, standard_fen
from fenzhi.policy.models import Policy

ACCOUNT = ["fixmedins_code", "pool"]


def hospital_sums(scored: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the sums of every account (hospital x pool, in the order of ``accounts``), zeros where it has no stays.

    ``scored``: fixmedins_code, pool, outcome, grassroots, cost_fen, booked_fen, rw_e4, points_e4, direct_fen of
    the stays that the fund pays; layer, where there may be TCM-advantage groups; add_on_e4, where there are add-ons;
    auxiliary_points_e4, with auxiliary types; review, with special review.
    """
    grouped, points = pl.col("outcome") == "grouped", pl.col("points_e4")
    flat = pl.col("grassroots").fill_null(False)
    tcm = pl.col("layer").cast(pl.String).eq_missing("tcm") if "layer" in scored.columns else pl.lit(False)
    sums = scored.group_by(ACCOUNT).agg(
        pl.len().cast(pl.Int64).alias("cases"),
        grouped.sum().cast(pl.Int64).alias("grouped_cases"),
        (pl.col("outcome") == "comprehensive").sum().cast(pl.Int64).alias("comprehensive_cases"),
        (pl.col("outcome") == "ungrouped").sum().cast(pl.Int64).alias("ungrouped_cases"),
        (pl.col("outcome") == "bed_day").sum().cast(pl.Int64).alias("bed_day_cases"),
        pl.col("cost_fen", "booked_fen").sum(),
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


def gross_amounts(sums: pl.DataFrame, pools: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Add ``priced_fen`` (share of what the points price) and ``gross_fen`` (before assessment) to the accounts.

    They differ by what the fund pays directly and, under the difference method, by what patients and other
    payers paid. The sum of gross amounts and the residual of
    a pool is its fund, exactly.
    """
    parts = []
    for pool in pools.iter_rows(named=True):
        mine = sums.filter(pl.col("pool") == pool["pool"]).sort("fixmedins_code")
        others, direct = mine["others_fen"], mine["direct_fen"]
        if pool["points_e4"] == 0:
            priced, subtract = [0] * mine.height, False
        elif policy.settlement.residual == "apportion":
            subtract = policy.point_value.settlement == "difference"
            total = pool["fund_fen"] - direct.sum() + (others.sum() if subtract else 0)
            priced = apportion(total, mine["points_e4"].to_list())
        else:
            subtract = policy.point_value.settlement == "difference"
            ratio = Fraction(1) if subtract else payment_ratio(pool["cost_fen"], pool["booked_fen"])
            value = pool["settlement_value_e4"] * ratio / 1_000_000
            priced = [round_half_up(points * value) for points in mine["points_e4"]]
        amount = pl.Series("priced_fen", priced, dtype=pl.Int64)
        gross = (amount - others if subtract else amount) + direct
        parts.append(mine.with_columns(amount, gross.alias("gross_fen")))
    together = pl.concat(parts)
    return sums.join(
        together.select(*ACCOUNT, "priced_fen", "gross_fen"), on=ACCOUNT, how="left", maintain_order="left"
    )


def stay_amounts(
    scored: pl.DataFrame, accounts: pl.DataFrame, pools: pl.DataFrame, policy: Policy
) -> pl.DataFrame:
    """Add point_value_e4, standard_fen and payable_fen to the stays paid by points.

    Each account's priced amount is split over its stays by points; under the difference method a stay's own
    patients' part is then
    subtracted. A stay that is paid directly gets its direct_fen and nothing else. Raises
    :class:`ConservationError` if the stays of an account do not add up to it.
    """
    work = scored.join(
        accounts.select(*ACCOUNT, "priced_fen", "gross_fen"), on=ACCOUNT, how="left", maintain_order="left"
    ).join(
        pools.select(
            "pool",
            pl.col("settlement_value_e4").alias("point_value_e4"),
            pl.col("points_e4").alias("_pool_points"),
        ),
        on="pool",
        how="left",
        maintain_order="left",
    )
    part = apportion_within(work, "priced_fen", "points_e4", ACCOUNT, "setl_id")
    work = work.with_columns(
        part.alias("payable_fen"),
        standard_fen(pl.col("points_e4"), pl.col("point_value_e4")).alias("standard_fen"),
    )
    if policy.point_value.settlement == "difference":
        others = (
            pl.when((pl.col("_pool_points") > 0) & pl.col("direct_fen").is_null())
            .then(pl.col("cost_fen") - pl.col("booked_fen"))
            .otherwise(0)
        )
        work = work.with_columns(pl.col("payable_fen") - others)
    work = work.with_columns(pl.col("payable_fen") + pl.col("direct_fen").fill_null(0))
    check = work.group_by(ACCOUNT).agg(pl.col("payable_fen").sum(), pl.col("gross_fen").first())
    wrong = check.filter(pl.col("payable_fen") != pl.col("gross_fen"))
    if wrong.height:
        raise ConservationError(
            "the stays of a hospital do not add up to its amount",
            field="payable_fen",
            value=wrong.sort(ACCOUNT).row(0),
        )
    return work.drop("priced_fen", "gross_fen", "_pool_points")


def assess(accounts: pl.DataFrame, assessment: pl.DataFrame, deductions: pl.DataFrame) -> pl.DataFrame:
    """Add assessment_e4, assessed_fen (withheld), deduction_fen and payable_fen to the accounts.

    ``assessment``: fixmedins_code, assessment_e4 (1 where absent). ``deductions``: fixmedins_code, pool,
    month, deduction_fen.
    """
    year = deductions.group_by(ACCOUNT).agg(pl.col("deduction_fen").sum())
    kept = ratio_half_up(pl.col("gross_fen").cast(pl.Int128) * pl.col("assessment_e4"), pl.lit(10_000))
    return (
        accounts.join(assessment, on="fixmedins_code", how="left", maintain_order="left")
        .join(year, on=ACCOUNT, how="left", maintain_order="left")
        .with_columns(pl.col("assessment_e4").fill_null(10_000), pl.col("deduction_fen").fill_null(0))
        .with_columns(
            pl.when(pl.col("gross_fen") > 0)
            .then(pl.col("gross_fen") - kept)
            .otherwise(0)
            .alias("assessed_fen")
        )
        .with_columns(
            (pl.col("gross_fen") - pl.col("assessed_fen") - pl.col("deduction_fen")).alias("payable_fen")
        )
        .with_columns((pl.col("payable_fen") - pl.col("booked_fen")).alias("balance_fen"))
    )
