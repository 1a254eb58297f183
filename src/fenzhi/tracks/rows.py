"""Tracks that are paid by rows of the region instead of stays: outpatient care, items outside, savings."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, apportion_within, ratio_half_up
from fenzhi.policy.tracks import AnyTrack, OutpatientTrack, OutsideTrack, SavingsTrack

#: A row that is paid: whose, when (13 = at the close), how many units, the standard, what the fund pays.
ROW = ("fixmedins_code", "pool", "month", "units", "standard_fen", "fund_fen")
CLOSE = 13


def _outpatient(table: pl.DataFrame, track: OutpatientTrack, money: pl.DataFrame) -> pl.DataFrame:
    if track.form == "price":
        fen = (pl.col("units").cast(pl.Int128) * pl.col("price_fen")).cast(pl.Int64)
        return table.with_columns(fen.alias("standard_fen"), fen.alias("fund_fen"))
    shared = (
        table.join(money, on="pool", how="left", maintain_order="left")
        .with_columns(
            pl.col("line_fen").fill_null(0),
            (pl.col("units") * pl.col("points_e4")).alias("_points_e4"),
            # Equal remainders go to the smaller hospital, month, item.
            pl.struct("fixmedins_code", "month", pl.col("item").fill_null("")).rank("ordinal").alias("_tie"),
        )
        .sort("_tie")
    )
    parts = apportion_within(shared, "line_fen", "_points_e4", ["pool"], "_tie").alias("fund_fen")
    return shared.with_columns(parts, parts.alias("standard_fen"), pl.lit(CLOSE, pl.Int8).alias("month"))


def price_rows(table: pl.DataFrame, track: AnyTrack, money: pl.DataFrame) -> pl.DataFrame | None:
    """Return the columns of :data:`ROW` for the rows of one track; None for a track of stays.

    ``table``: the table of region/tracks.py that the track reads. ``money``: pool, line_fen of the track's line.
    """
    if not isinstance(track, OutpatientTrack | OutsideTrack | SavingsTrack):
        return None
    own = table.filter(pl.col("track") == track.id)
    if isinstance(track, OutpatientTrack):
        paid = _outpatient(own, track, money)
    elif isinstance(track, OutsideTrack):
        amount = pl.col("amount_fen")
        paid = own.with_columns(
            pl.lit(1, pl.Int64).alias("units"), amount.alias("standard_fen"), amount.alias("fund_fen")
        )
    else:
        kept = ratio_half_up(pl.col("saved_fen").cast(pl.Int128) * pl.col("share_e4"), pl.lit(SCALE))
        paid = own.with_columns(
            pl.lit(CLOSE, pl.Int8).alias("month"),
            pl.lit(1, pl.Int64).alias("units"),
            pl.col("saved_fen").alias("standard_fen"),
            kept.alias("fund_fen"),
        )
    return paid.select(ROW)
