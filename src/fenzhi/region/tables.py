"""The small tables of a region's year: hospitals, assessment, deductions, advances. Every cell is checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.codes import read_table, require_columns
from fenzhi.errors import RegionError
from fenzhi.money import to_e4, yuan_to_fen

# An assessment coefficient above this is a slip of the decimal point.
MOST_ASSESSMENT_E4 = 20_000


def read_cells(path: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> pl.DataFrame:
    """Read a small CSV as text; optional columns that it lacks are null, further ones are left out."""
    frame = read_table(path, RegionError)
    require_columns(frame, needed, path, RegionError)
    missing = [name for name in optional if name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in missing).select(
        *needed, *optional
    )


def _numbers(frame: pl.DataFrame, column: str, file: Path, convert: Any) -> pl.Series:
    """Convert a text column exactly; an unreadable value names its row."""
    out = []
    for row, text in enumerate(frame[column], start=1):
        try:
            out.append(convert(text))
        except (TypeError, ValueError) as error:
            raise RegionError(
                "this is not a number of the expected form",
                code="REGION_NUMBER",
                file=file,
                row=row,
                field=column,
                value=text,
                remedy="amounts have at most two decimals (a deduction is not negative), coefficients at most four "
                "(an assessment is at most 2), weights at most four and are above 0, months are 1 to 12",
            ) from error
    return pl.Series(column, out, dtype=pl.Int64)


AMOUNT = re.compile(r"-?[0-9]{1,13}(\.[0-9]{1,2})?")
_COEFFICIENT = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4})?")
# A bonus may also take something away.
_BONUS = re.compile(r"-?[0-9]{1,4}(\.[0-9]{1,4})?")
_WEIGHT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")


def _exactly(pattern: re.Pattern[str], text: str | None) -> str:
    if text is None or not pattern.fullmatch(text):
        raise ValueError(text)
    return text


def _amount(text: str | None) -> int:
    return yuan_to_fen(_exactly(AMOUNT, text))


def _coefficient(text: str | None) -> int:
    return to_e4(_exactly(_COEFFICIENT, text))


def _bonus(text: str | None) -> int:
    return to_e4(_exactly(_BONUS, text))


def _assessed(text: str | None) -> int:
    value = _coefficient(text)
    # 98.5 instead of 0.985 would pay a hospital a hundred times too much.
    if value > MOST_ASSESSMENT_E4:
        raise ValueError(text)
    return value


def _weight(text: str | None) -> int:
    value = to_e4(_exactly(_WEIGHT, text))
    if value == 0:
        raise ValueError(text)
    return value


def _deduction(text: str | None) -> int:
    amount = _amount(text)
    if amount < 0:
        raise ValueError(text)
    return amount


def require_once(
    frame: pl.DataFrame, path: Path, key: str = "fixmedins_code", what: str = "hospital"
) -> None:
    """Raise :class:`RegionError` if a key stands in two rows."""
    twice = frame.filter(pl.col(key).is_duplicated())
    if twice.height:
        raise RegionError(
            f"a {what} is listed twice",
            code="REGION_KEY",
            file=path,
            field=key,
            value=twice[key][0],
            remedy=f"keep one row per {what}",
        )


def read_hospitals(path: Path) -> pl.DataFrame:
    """Read hospitals.csv as text columns, sorted by code; every hospital once, every coefficient readable."""
    needed = ("fixmedins_code", "fixmedins_name", "level", "type")
    frame = read_cells(path, needed, ("coefficient", "county", "community"))
    if frame.is_empty():
        raise RegionError(
            "the file lists no hospital", code="REGION_CSV", file=path, remedy="add the region's hospitals"
        )
    for row, code in enumerate(frame["fixmedins_code"], start=1):
        if code is None:
            raise RegionError(
                "a hospital has no code",
                code="REGION_KEY",
                file=path,
                row=row,
                field="fixmedins_code",
                remedy="add it",
            )
        # Codes become file names of statements and parts of account names.
        if not code.replace("-", "").replace("_", "").isalnum():
            raise RegionError(
                "a hospital code may hold letters, digits, - and _ only",
                code="REGION_KEY",
                file=path,
                row=row,
                field="fixmedins_code",
                value=code,
                remedy="correct the code",
            )
    require_once(frame, path)
    # Rows keep their numbers, so the empty ones are looked at as well.
    _numbers(frame, "coefficient", path, lambda text: None if text is None else _coefficient(text))
    return frame.sort("fixmedins_code")


def _known_hospitals(frame: pl.DataFrame, hospitals: pl.DataFrame, path: Path) -> None:
    unknown = frame.filter(~pl.col("fixmedins_code").is_in(hospitals["fixmedins_code"].to_list()))
    if unknown.height:
        raise RegionError(
            "this hospital is not listed in hospitals.csv",
            code="REGION_KEY",
            file=path,
            field="fixmedins_code",
            value=unknown["fixmedins_code"][0],
            remedy="add it to hospitals.csv or correct the code",
        )


def _month(text: str, first: int = 1) -> int:
    month = int(text)
    if not first <= month <= 12:
        raise ValueError(text)
    return month


def read_assessment(path: Path | None, hospitals: pl.DataFrame) -> pl.DataFrame:
    """Read assessment.csv: fixmedins_code, assessment_e4; empty without a file."""
    schema = {"fixmedins_code": pl.String, "assessment_e4": pl.Int64}
    if path is None:
        return pl.DataFrame(schema=schema)
    frame = read_cells(path, ("fixmedins_code", "coefficient"))
    _known_hospitals(frame, hospitals, path)
    require_once(frame, path)
    values = _numbers(frame, "coefficient", path, _assessed)
    return frame.select("fixmedins_code", values.alias("assessment_e4"))


#: What a deduction is for; one that does not say is ``audit``. ``carried``: violations of the year before.
DEDUCTION_KINDS = ("audit", "violation", "fine", "carried")


def _kinds(frame: pl.DataFrame, path: Path) -> pl.Series:
    kinds = frame["kind"].fill_null(DEDUCTION_KINDS[0])
    for row, kind in enumerate(kinds, start=1):
        if kind not in DEDUCTION_KINDS:
            raise RegionError(
                "there is no such kind of deduction",
                code="REGION_KEY",
                file=path,
                row=row,
                field="kind",
                value=kind,
                remedy=f"use one of: {', '.join(DEDUCTION_KINDS)}",
            )
    return kinds


def read_deductions(path: Path | None, hospitals: pl.DataFrame, pools: Sequence[str]) -> pl.DataFrame:
    """Read deductions.csv: fixmedins_code, pool, month, deduction_fen, kind; empty without a file."""
    amounts = read_amounts(path, hospitals, pools, "deduction_fen", 1)
    if path is None:
        return amounts.with_columns(pl.lit(None, pl.String).alias("kind"))
    return amounts.with_columns(_kinds(read_cells(path, (), ("kind",)), path))


def read_amounts(
    path: Path | None, hospitals: pl.DataFrame, pools: Sequence[str], name: str, first: int
) -> pl.DataFrame:
    """Read amounts per hospital, pool and month (from month ``first``) into the column ``name`` in fen."""
    schema = {"fixmedins_code": pl.String, "pool": pl.String, "month": pl.Int8, name: pl.Int64}
    if path is None:
        return pl.DataFrame(schema=schema)
    frame = read_cells(path, ("fixmedins_code", "pool", "month", "amount"), ("reason",))
    _known_hospitals(frame, hospitals, path)
    strange = frame.filter(~pl.col("pool").is_in(list(pools)).fill_null(False))
    if strange.height:
        raise RegionError(
            "this pool does not exist",
            code="REGION_KEY",
            file=path,
            field="pool",
            value=strange["pool"][0],
            remedy=f"the region's pools are {', '.join(pools)}",
        )
    return frame.select(
        "fixmedins_code",
        "pool",
        _numbers(frame, "month", path, lambda text: _month(text, first)).cast(pl.Int8),
        _numbers(frame, "amount", path, _deduction if name == "deduction_fen" else _amount).alias(name),
    )


def _require_days(frame: pl.DataFrame, column: str, path: Path) -> None:
    """Raise for the first cell of a text column that is neither empty nor a day."""
    for row, text in enumerate(frame[column], start=1):
        try:
            if text is not None and date.fromisoformat(text).isoformat() != text:
                raise ValueError(text)
        except ValueError as error:
            raise RegionError(
                "this is no day",
                code="REGION_DAY",
                file=path,
                row=row,
                field=column,
                value=text,
                remedy="write it as 2026-10-01, or leave the cell empty",
            ) from error


def read_overrides(path: Path | None) -> pl.DataFrame:
    """Read weight_overrides.csv: group_id, weight_e4, who, why, when, source_file, source_row; empty without a file.

    Every group once, every weight above 0, and every row says who agreed and why; ``when`` is a day or null.
    """
    schema = {
        "group_id": pl.String,
        "weight_e4": pl.Int64,
        "who": pl.String,
        "why": pl.String,
        "when": pl.String,
    }
    schema |= {"source_file": pl.String, "source_row": pl.Int64}
    if path is None:
        return pl.DataFrame(schema=schema)
    frame = read_cells(path, ("group_id", "weight", "who", "why"), ("when",))
    for field in ("group_id", "who", "why"):
        blank = frame[field].is_null().arg_true()
        if blank.len():
            raise RegionError(
                "this cell is empty",
                code="REGION_BLANK",
                file=path,
                row=int(blank[0]) + 1,
                field=field,
                remedy="a negotiated weight names its group, who agreed to it and why",
            )
    require_once(frame, path, "group_id", "group")
    weights = _numbers(frame, "weight", path, _weight)
    _require_days(frame, "when", path)
    return frame.select(
        "group_id",
        weights.alias("weight_e4"),
        "who",
        "why",
        "when",
        pl.lit(str(path)).alias("source_file"),
        pl.int_range(1, pl.len() + 1).cast(pl.Int64).alias("source_row"),
    )


def read_bonuses(path: Path | None, hospitals: pl.DataFrame) -> pl.DataFrame:
    """Read bonuses.csv: fixmedins_code, item, value (text), value_e4, row in the file; empty without a file.

    Every hospital is known, has an item once, and every value is a number.
    """
    schema = {"fixmedins_code": pl.String, "item": pl.String, "value": pl.String}
    if path is None:
        return pl.DataFrame(schema={**schema, "value_e4": pl.Int64, "row": pl.Int64})
    frame = read_cells(path, tuple(schema))
    _known_hospitals(frame, hospitals, path)
    twice = frame.select(pl.struct("fixmedins_code", "item").is_duplicated()).to_series().arg_true()
    if twice.len():
        row = int(twice[0])
        raise RegionError(
            f"hospital {frame['fixmedins_code'][row]} has this item twice",
            code="REGION_KEY",
            file=path,
            row=row + 1,
            field="item",
            value=frame["item"][row],
            remedy="keep one row per hospital and item",
        )
    return frame.with_columns(
        _numbers(frame, "value", path, _bonus).alias("value_e4"),
        pl.int_range(1, pl.len() + 1).cast(pl.Int64).alias("row"),
    )
