"""Which price of a list a stay has: by principal diagnosis and main operation. docs/rules.md, section 8."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fenzhi.codes import normalise_diagnosis, normalise_operation, split_extension
from fenzhi.policy.tracks import DaySurgeryTrack, PriceTrack

#: Columns of :func:`main_codes`: principal diagnosis, main operation, and that without its extension.
MAIN = ("_diagnosis", "_operation", "_base")


def tidy_operations(codes: pl.Series) -> pl.DataFrame:
    """Return distinct operation codes as written (``code``), normalised (``tidy``) and without extension (``base``)."""
    written = codes.drop_nulls().unique()
    tidy = normalise_operation(written)
    return pl.DataFrame({"code": written, "tidy": tidy, "base": split_extension(tidy)[0]})


def main_codes(stays: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of :data:`MAIN` for stays with diag_codes and oprn_codes, in their order."""
    first = stays.select(
        pl.col("diag_codes").list.first().cast(pl.String).alias("diagnosis"),
        pl.col("oprn_codes").list.first().cast(pl.String).alias("code"),
    )
    written = first["diagnosis"].drop_nulls().unique()
    diagnoses = pl.DataFrame({"diagnosis": written, "_diagnosis": normalise_diagnosis(written)})
    operations = tidy_operations(first["code"]).rename({"tidy": "_operation", "base": "_base"})
    return (
        first.join(diagnoses, on="diagnosis", how="left", maintain_order="left")
        .join(operations, on="code", how="left", maintain_order="left")
        .select(MAIN)
    )


def listed_rows(codes: pl.DataFrame, prices: pl.DataFrame, track: PriceTrack) -> pl.Series:
    """Return the row of the price list that a stay has (its number in the file), null without one.

    ``codes``: :func:`main_codes`. ``prices``: diagnosis, operation (null = any or none), row, of this track. A row
    that names an operation comes before one that does not, then the longer diagnosis, then the longer operation.
    """
    pairs = codes.unique()
    lengths: Sequence[int] = (
        prices["diagnosis"].str.len_chars().unique().sort().to_list()
        if track.diagnosis_match == "prefix"
        else [0]
    )
    found = []
    for length in lengths:
        code = pl.col("_diagnosis").str.slice(0, length) if length else pl.col("_diagnosis")
        found.append(pairs.with_columns(code.alias("diagnosis")).join(prices, on="diagnosis", how="inner"))
    operation = pl.col("operation")
    fits = operation.is_null() | (operation == pl.col("_operation")) | (operation == pl.col("_base"))
    best = (
        pl.concat(found)
        .filter(fits.fill_null(False))
        .with_columns(
            operation.str.len_chars().fill_null(0).alias("_length"), pl.col("diagnosis").str.len_chars()
        )
        .sort(pl.col("_length") > 0, "diagnosis", "_length", "row", descending=[True, True, True, False])
        .unique(MAIN, keep="first", maintain_order=True)
        .select(*MAIN, "row")
    )
    return codes.join(best, on=MAIN, how="left", nulls_equal=True, maintain_order="left")["row"]


def surgery_sums(codes: pl.DataFrame, track: DaySurgeryTrack) -> pl.Series:
    """Return the fixed sum of each stay in fen, null without one; the exact code comes before its base."""
    listed = normalise_operation(pl.Series([price.operation for price in track.prices], dtype=pl.String))
    sums = [int(price.yuan * 100) for price in track.prices]
    general = None if track.yuan is None else int(track.yuan * 100)
    table = pl.DataFrame({"code": listed, "fen": sums}, schema={"code": pl.String, "fen": pl.Int64}).unique(
        "code", keep="first", maintain_order=True
    )
    both = codes.select("_operation", "_base")
    for name in ("_operation", "_base"):
        both = both.join(
            table.rename({"code": name, "fen": f"{name}_fen"}), on=name, how="left", maintain_order="left"
        )
    return both.select(
        pl.coalesce("_operation_fen", "_base_fen", pl.lit(general, pl.Int64)).alias("fen")
    ).to_series()
