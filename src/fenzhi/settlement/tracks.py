"""Other tracks in the ledger: from their budget line to the hospital, the rest to or from the reserve."""

from __future__ import annotations

import polars as pl

from fenzhi.settlement.ledger import SCHEMA, account, movement


def track_entries(dues: pl.DataFrame, handed: pl.DataFrame, left: pl.DataFrame, year: int) -> pl.DataFrame:
    """Return the entries of the tracks in the columns of the ledger, without numbers.

    ``dues``: pool, line, fixmedins_code, month (13 = close), amount_fen, kind, cite: owed and paid at once.
    ``handed``: pool, line, amount_fen: care outside a community, to the by-disease fund. ``left``: pool, line,
    left_fen: what a line has over (negative: lacks) and the account ``to`` which that goes, ``reserve`` or
    ``carve_out``.
    """
    month = pl.format(f"{year}-{{}}", pl.col("month").cast(pl.String).str.zfill(2))
    close = pl.lit(f"{year}-13")
    outside = pl.col("line") == "outside"
    line = (
        pl.when(outside)
        .then(pl.format("outside:{}", "pool"))
        .otherwise(pl.format("track:{}:{}", "line", "pool"))
    )
    owed, paid = account("hospital"), account("paid")
    nobody = pl.lit(None, pl.String).alias("fixmedins_code")
    parts = [
        movement(dues, month, owed, line, "amount_fen", pl.col("kind"), pl.col("cite")),
        movement(dues, month, paid, owed, "amount_fen", "track_payment", pl.col("cite")),
        movement(
            handed.with_columns(nobody),
            close,
            pl.format("by_disease:{}", "pool"),
            line,
            "amount_fen",
            "outside_care",
            pl.col("line"),
        ),
        movement(
            left.with_columns(nobody),
            close,
            pl.format("{}:{}", "to", "pool"),
            line,
            "left_fen",
            pl.when(pl.col("to") == "reserve").then(pl.lit("track_left")).otherwise(pl.lit("track_counted")),
            pl.col("line"),
        ),
    ]
    return (
        pl.concat(parts)
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
        .sort("period", maintain_order=True)
    )
