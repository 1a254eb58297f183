"""What a comparison takes from a run: its paid stays in a few measures, its accounts from gross to final."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fenzhi.errors import ConservationError

ACCOUNT = ["fixmedins_code", "pool"]
ABOUT = ["fixmedins_name", "level", "type"]
PAID = ("grouped", "comprehensive", "ungrouped", "bed_day")

#: Table -> the columns that a comparison reads; a run of another version may lack or have others.
NEEDED = {
    "cases": (
        *("setl_id", *ACCOUNT, "outcome", "scheme", "group_id", "cost_fen", "booked_fen", "rw_e4"),
        *("coefficient_e4", "points_base_e4", "points_e4", "direct_fen", "payable_fen"),
    ),
    "hospitals": (
        *(*ACCOUNT, *ABOUT, "gross_fen", "assessed_fen", "deduction_fen", "payable_fen"),
        *("working_capital_fen", "clearing_fen"),
    ),
    "pools": (
        *("pool", "title", "fund_fen", "cases", "points_e4", "settlement_value_e4", "payment_ratio_e4"),
        "payable_fen",
    ),
    "groups": ("group_id", "name"),
}


@dataclass(frozen=True)
class Side:
    """The result tables of one run (see :mod:`fenzhi.results`), ``scale`` of its weights, and how it settles.

    ``subtracts``: the settlement subtracts what patients and others paid (the difference method).
    """

    cases: pl.LazyFrame
    hospitals: pl.DataFrame
    pools: pl.DataFrame
    groups: pl.DataFrame
    scale: int
    subtracts: bool


def paid_stays(side: Side) -> pl.DataFrame:
    """Return one row per stay that the fund pays: its keys, group, cost_fen, booked_fen and the measures.

    ``stays`` is 1 where points pay, 0 where the fund pays directly. ``weight_e4`` is the weight of the group; where
    the points do not follow from it (no group, bed-days, cost of unstable groups) it is the points before deviation.
    """
    by_points = pl.col("direct_fen").is_null()
    base = pl.when(by_points).then("points_base_e4").otherwise(0)
    from_group = pl.col("rw_e4").is_not_null() & pl.col("coefficient_e4").is_not_null()
    weight = pl.when(by_points & from_group).then("rw_e4").otherwise(base)
    priced = side.pools.filter(pl.col("points_e4") > 0)["pool"].to_list()
    patients = (
        pl.when(by_points & pl.col("pool").is_in(priced))
        .then(pl.col("cost_fen") - pl.col("booked_fen"))
        .otherwise(0)
    )
    direct = pl.when(by_points).then(0).otherwise("payable_fen")
    taken = patients if side.subtracts else pl.lit(0, pl.Int64)
    grouped = pl.col("outcome").is_in(PAID[:2])
    paid = (
        side.cases.filter(
            pl.col("outcome").is_in(PAID) & pl.col("pool").is_not_null() & pl.col("points_e4").is_not_null()
        )
        .select(
            "setl_id",
            *ACCOUNT,
            pl.col("outcome").cast(pl.String),
            pl.when(grouped).then("group_id").alias("group_id"),
            "cost_fen",
            "booked_fen",
            by_points.cast(pl.Int64).alias("stays"),
            weight.fill_null(0).cast(pl.Int64).alias("weight_e4"),
            base.fill_null(0).cast(pl.Int64).alias("base_e4"),
            pl.when(by_points).then("points_e4").otherwise(0).cast(pl.Int64).alias("points_e4"),
            (pl.col("payable_fen") - direct + taken).alias("priced_fen"),
            taken.alias("patients_fen"),
            direct.cast(pl.Int64).alias("direct_fen"),
        )
        .collect()
    )
    _require_accounts(paid, side.hospitals)
    return paid


def _require_accounts(paid: pl.DataFrame, hospitals: pl.DataFrame) -> None:
    """Raise unless the stays of every account add up to its amount before assessment."""
    mine = paid.group_by(ACCOUNT).agg(
        (pl.col("priced_fen") - pl.col("patients_fen") + pl.col("direct_fen")).sum().alias("stays_fen")
    )
    both = hospitals.select(*ACCOUNT, "gross_fen").join(mine, on=ACCOUNT, how="full", coalesce=True)
    wrong = both.filter(pl.col("gross_fen").fill_null(0) != pl.col("stays_fen").fill_null(0))
    if wrong.height:
        raise ConservationError(
            "the stays of a run do not add up to the amount of their hospital",
            field="gross_fen",
            value=wrong.sort(ACCOUNT).row(0),
            remedy="run the year again; do not change the files of a run",
        )


def account_amounts(side: Side) -> pl.DataFrame:
    """Return per hospital and pool gross_fen, assessed_fen, deduction_fen, final_fen and clearing_fen.

    ``final_fen`` is what the year pays in the end: the column of that name, ``payable_fen`` where there is none.
    """
    final = [name for name in ("final_fen", "payable_fen") if name in side.hospitals.columns]
    return side.hospitals.select(
        *ACCOUNT,
        *ABOUT,
        "gross_fen",
        "assessed_fen",
        "deduction_fen",
        pl.coalesce(final).alias("final_fen"),
        "clearing_fen",
    )
