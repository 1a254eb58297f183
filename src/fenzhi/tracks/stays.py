"""What one stay of a track is worth, and what the fund pays of it. docs/rules.md, section 8."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, ratio_half_up
from fenzhi.points.bed_day import sum_of_days
from fenzhi.policy.tracks import AnyTrack, BedDayTrack, DaySurgeryTrack, PriceTrack

#: What pricing adds to a stay: days or stays, the standard, what the fund and what patients and others pay.
PRICED = ("units", "standard_fen", "fund_fen", "patient_fen")


def _shared(frame: pl.DataFrame, basis: str, fund_share: Decimal) -> pl.DataFrame:
    """Split the standard between fund and patients; without a standard the fund pays what is booked."""
    share = Fraction(fund_share)
    others = pl.col("cost_fen") - pl.col("booked_fen")
    part = ratio_half_up(pl.col("standard_fen").cast(pl.Int128) * share.numerator, pl.lit(share.denominator))
    fund = part if basis == "ratio" else (pl.col("standard_fen") - others).clip(lower_bound=0)
    return frame.with_columns(
        pl.coalesce(fund, "booked_fen").alias("fund_fen"),
        (pl.coalesce("standard_fen", "cost_fen") - part if basis == "ratio" else others)
        .fill_null(others)
        .alias("patient_fen"),
    )


def _listed(frame: pl.DataFrame, prices: pl.DataFrame) -> pl.DataFrame:
    """Pay by the row of prices.csv; a stay without row as booked."""
    table = prices.select(pl.col("row").alias("_price_row"), pl.col("price_fen", "patient_share_e4"))
    joined = frame.join(table, on="_price_row", how="left", maintain_order="left")
    fund = ratio_half_up(
        pl.col("price_fen").cast(pl.Int128) * (SCALE - pl.col("patient_share_e4")), pl.lit(SCALE)
    )
    return joined.with_columns(
        pl.col("price_fen").alias("standard_fen"),
        pl.coalesce(fund, "booked_fen").alias("fund_fen"),
        pl.coalesce(pl.col("price_fen") - fund, pl.col("cost_fen") - pl.col("booked_fen")).alias(
            "patient_fen"
        ),
    ).drop("price_fen", "patient_share_e4")


def price_stays(stays: pl.DataFrame, track: AnyTrack, prices: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of :data:`PRICED` to the stays of one track.

    ``stays``: act_ipt_days, level (of the hospital), cost_fen, booked_fen, ``_price_row``, ``_sum_fen``. ``prices``:
    the rows of prices.csv. Tracks that settle a hospital's stays together take them as booked.
    """
    one = stays.with_columns(
        pl.lit(1, pl.Int64).alias("units"),
        pl.lit(None, pl.Int64).alias("standard_fen"),
    )
    if isinstance(track, BedDayTrack):
        rates = sum_of_days(track.steps, lambda step: int(step.yuan_per_day * 100))
        one = one.with_columns(
            pl.col("act_ipt_days").cast(pl.Int64).alias("units"), rates.alias("standard_fen")
        )
        return _shared(one, track.basis, track.fund_share)
    if isinstance(track, DaySurgeryTrack):
        return _shared(
            one.with_columns(pl.col("_sum_fen").alias("standard_fen")), track.basis, track.fund_share
        )
    if isinstance(track, PriceTrack):
        return _listed(one, prices.filter(pl.col("track") == track.id))
    return one.with_columns(
        pl.col("booked_fen").alias("fund_fen"),
        (pl.col("cost_fen") - pl.col("booked_fen")).alias("patient_fen"),
    )
