"""The region's list of auxiliary coefficients: auxiliary.csv, every cell checked."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from fenzhi.codes import read_table, require_columns
from fenzhi.errors import RegionError
from fenzhi.money import to_e4

SCHEMA: dict[str, type[pl.DataType]] = {
    "group_id": pl.String,
    "family": pl.String,
    "level": pl.String,
    "los_from_days": pl.Int32,
    "los_upto_days": pl.Int32,
    "coefficient_e4": pl.Int64,
    "source_file": pl.String,
    "source_row": pl.Int64,
}
_COEFFICIENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")
_DAYS = re.compile(r"[0-9]{1,4}")


def _wrong(path: Path, row: int, field: str, value: str | None) -> RegionError:
    return RegionError(
        "this cell is empty" if value is None else "this is not a number of the expected form",
        code="REGION_AUXILIARY",
        file=path,
        row=row,
        field=field,
        value=value,
        remedy="give group_id, family and level; a coefficient below 1000 with at most four decimals; days as "
        "whole numbers, los_from not above los_upto, or empty",
    )


def read_auxiliary(path: Path | None) -> pl.DataFrame:
    """Read auxiliary.csv into the columns of :data:`SCHEMA`; empty without a file.

    Columns group_id, family, level, coefficient and, if wanted, los_from and los_upto (days, both included).
    Raises :class:`RegionError` with row and field.
    """
    if path is None:
        return pl.DataFrame(schema=SCHEMA)
    frame = read_table(path, RegionError)
    require_columns(frame, ("group_id", "family", "level", "coefficient"), path, RegionError)
    rows = []
    for number, cells in enumerate(frame.iter_rows(named=True), start=1):
        for field in ("group_id", "family", "level"):
            if cells[field] is None:
                raise _wrong(path, number, field, None)
        value = cells["coefficient"]
        if value is None or not _COEFFICIENT.fullmatch(value):
            raise _wrong(path, number, "coefficient", value)
        days: list[int | None] = []
        for field in ("los_from", "los_upto"):
            text = cells.get(field)
            if text is not None and not _DAYS.fullmatch(text):
                raise _wrong(path, number, field, text)
            days.append(None if text is None else int(text))
        if days[0] is not None and days[1] is not None and days[0] > days[1]:
            raise _wrong(path, number, "los_upto", cells["los_upto"])
        head = (cells["group_id"], cells["family"], cells["level"])
        rows.append((*head, *days, to_e4(value), str(path), number))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
