"""The operation table: which kind of treatment an ICD-9-CM-3 code is. It is the user's, never guessed."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fenzhi.codes.normalise import normalise_operation
from fenzhi.codes.tables import read_table, require_columns
from fenzhi.errors import FenzhiError, InputError

# Chinese names as the published tables use them, and the words of policies and results.
OPERATION_TYPES = {
    "手术": "surgery",
    "介入治疗": "interventional",
    "治疗性操作": "therapeutic",
    "诊断性操作": "diagnostic",
    "surgery": "surgery",
    "interventional": "interventional",
    "therapeutic": "therapeutic",
    "diagnostic": "diagnostic",
}
OPERATIONS_SCHEMA = {"code": pl.String(), "name": pl.String(), "type": pl.String()}


def empty_operations() -> pl.DataFrame:
    """Return an operation table without rows."""
    return pl.DataFrame(schema=OPERATIONS_SCHEMA)


def read_operations(path: Path, error: type[FenzhiError] = InputError) -> pl.DataFrame:
    """Read an operation table: CSV with ``code``, ``type`` and perhaps ``name``; other columns are ignored.

    ``type`` is 手术, 介入治疗, 治疗性操作, 诊断性操作 or surgery, interventional, therapeutic, diagnostic.
    Returns ``code, name, type`` (String), one row per code, in the order of the file. Raises ``error`` if a
    code is missing (``OPERATION_CODE``), a type is unknown (``OPERATION_TYPE``), or a code has two types
    (``OPERATION_CONFLICT``); each names the row.
    """
    table = read_table(path, error)
    require_columns(table, ("code", "type"), path, error)
    if "name" not in table.columns:
        table = table.with_columns(pl.lit(None, pl.String).alias("name"))
    frame = table.select(
        pl.Series("code", normalise_operation(table["code"])),
        "name",
        pl.col("type").str.to_lowercase().alias("given"),
    ).with_row_index("row", offset=1)
    frame = frame.with_columns(
        pl.col("given").replace_strict(OPERATION_TYPES, default=None, return_dtype=pl.String).alias("type")
    )
    without = frame.filter(pl.col("code").is_null())
    if without.height:
        raise error(
            "the row has no operation code",
            code="OPERATION_CODE",
            file=path,
            row=without["row"][0],
            field="code",
            remedy="give the code or remove the row",
        )
    unknown = frame.filter(pl.col("type").is_null())
    if unknown.height:
        row = unknown.row(0, named=True)
        raise error(
            f"operation {row['code']} has {'an unknown type' if row['given'] else 'no type'}",
            code="OPERATION_TYPE",
            file=path,
            row=row["row"],
            field="type",
            value=row["given"],
            remedy=f"use one of: {', '.join(OPERATION_TYPES)}",
        )
    frame = frame.unique(["code", "type"], keep="first", maintain_order=True)
    twice = frame.filter(~frame["code"].is_first_distinct())
    if twice.height:
        row = twice.row(0, named=True)
        first = frame.filter(pl.col("code") == row["code"]).row(0, named=True)
        raise error(
            f"operation {row['code']} has two types: {first['type']} (row {first['row']}) and {row['type']}",
            code="OPERATION_CONFLICT",
            file=path,
            row=row["row"],
            field="type",
            value=row["given"],
            remedy="keep the row that holds",
        )
    return frame.select("code", "name", "type")
