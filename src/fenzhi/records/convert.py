"""Texts and foreign types into the types of a stay; what cannot be read is kept with field and value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from fenzhi.errors import InputError
from fenzhi.records.columns import AGE_UNIT, AGE_VALUE
from fenzhi.records.lists import clean_codes, codes_as_written, money_lists
from fenzhi.records.mapping import ColumnMap
from fenzhi.records.schema import BY_NAME, INT_TYPES, StayColumn

PROBLEMS = {"row": pl.UInt32, "field": pl.String, "value": pl.String}
_DECIMALS = 6
_DATE_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y%m%d",
    "%Y%m%d%H%M%S",
)


@dataclass(frozen=True)
class Typed:
    """A table in the types of a stay. ``problems``: row (position), field, value that could not be read."""

    frame: pl.DataFrame
    problems: pl.DataFrame
    notices: tuple[str, ...] = ()


def clean_text(column: pl.Expr) -> pl.Expr:
    """Return text without surrounding blanks, empty text as null."""
    return column.cast(pl.String).str.strip_chars().replace("", None)


def parse_dates(texts: pl.Series, form: str | None = None) -> pl.Series:
    """Return local times (microseconds) of texts, null where none of the formats fits.

    A format without a day (``%Y%m``) gives the first of the month. The usual Chinese forms need no format.
    """
    if form is not None:
        if "%d" not in form:
            texts, form = texts + " 01", form + " %d"
        return texts.str.to_datetime(form, time_unit="us", strict=False)
    out = pl.Series(texts.name, [None], dtype=pl.Datetime("us")).extend_constant(None, len(texts) - 1)
    for each in _DATE_FORMATS:
        open_ = out.is_null() & texts.is_not_null()
        if not open_.any():
            break
        if open_.all():
            out = texts.str.to_datetime(each, time_unit="us", strict=False)
        else:
            at = open_.arg_true()
            out = out.scatter(at, texts.gather(at).str.to_datetime(each, time_unit="us", strict=False))
    return out


def to_fen(column: pl.Expr, dtype: pl.DataType, decimals: int = 2) -> pl.Expr:
    """Return an amount as Int64 fen, null where it is no number or has more than ``decimals`` places.

    ``decimals``: 2 for yuan, 0 for fen. Texts and decimals are exact; a float must lie within 1e-6 of its
    rounded value.
    """
    factor: int = 10**decimals
    if dtype.is_integer():
        return column.cast(pl.Int64, strict=False) * factor
    if dtype.is_float():
        rounded = (column * factor).round()
        near = (column - rounded / factor).abs() <= 1e-6
        return pl.when(near).then(rounded.cast(pl.Int64, strict=False))
    scale: int = dtype.scale if isinstance(dtype, pl.Decimal) else _DECIMALS
    scaled = column if isinstance(dtype, pl.Decimal) else column.cast(pl.Decimal(38, scale), strict=False)
    whole: pl.Expr = scaled.to_physical()
    if scale <= decimals:
        more: int = 10 ** (decimals - scale)
        return (whole * more).cast(pl.Int64, strict=False)
    unit: int = 10 ** (scale - decimals)
    return pl.when(whole % unit == 0).then((whole // unit).cast(pl.Int64, strict=False))


def local_time(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return dates and times as clock times without zone; nothing is shifted."""
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        column = column.dt.replace_time_zone(None)
    return column.cast(pl.Datetime("us"))


def to_hours(column: pl.Expr) -> pl.Expr:
    """Return ``days/hours/minutes``, or plain hours, as hours (Float64); null where it is neither."""
    text = column.cast(pl.String)
    part = text.str.extract_groups(r"^(\d+)/(\d+)/(\d+)$").struct
    days, hours, minutes = (part.field(str(i)).cast(pl.Float64) for i in (1, 2, 3))
    plain = pl.when(text.str.contains(r"^\d+(\.\d+)?$")).then(text).cast(pl.Float64)
    return pl.coalesce(days * 24 + hours + minutes / 60, plain)


def _whole(column: pl.Expr, dtype: pl.DataType, target: pl.DataType, floor: bool) -> pl.Expr:
    """Return whole numbers of the target type; ``floor`` cuts decimals, otherwise they cannot be read."""
    if dtype == pl.String:
        # Numbers such as 34.0 are rare: the second way costs only where the first one failed.
        plain = column.cast(target, strict=False)
        return plain.fill_null(_whole(column.cast(pl.Float64, strict=False), pl.Float64(), target, floor))
    if dtype.is_float() or isinstance(dtype, pl.Decimal):
        cut = column.cast(pl.Float64).floor()
        fits = cut.cast(target, strict=False)
        return fits if floor else pl.when(column.cast(pl.Float64) == cut).then(fits)
    return column.cast(target, strict=False)


def _allowed(kind: str, dtype: object) -> bool:
    text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum) or dtype == pl.Null
    whole = dtype in INT_TYPES
    number = whole or dtype == pl.Float64 or isinstance(dtype, pl.Decimal)
    if kind == "text":
        return text or whole
    if kind in ("int", "floor", "money", "duration"):
        return text or number
    if kind == "date":
        return text or isinstance(dtype, pl.Datetime) or dtype == pl.Date
    if kind in ("list", "money_list"):
        return text or (
            isinstance(dtype, pl.List | pl.Array)
            and _allowed(kind[:-5] if kind != "list" else "code", dtype.inner)
        )
    return text


def check_type(name: str, field: str, kind: str, dtype: pl.DataType, file: str) -> None:
    """Raise RECORDS_COLUMN_TYPE if a column's type cannot hold what the field needs."""
    if _allowed(kind, dtype):
        return
    expected = {
        "list": "a list of text, or text joined by |",
        "money_list": "a list of amounts, or text joined by |",
        "text": "text",
        "code": "text",
        "date": "a date, a time or text",
        "duration": "hours, or text days/hours/minutes",
    }.get(kind, "a number (amounts: decimal or 64-bit) or text")
    raise InputError(
        f"the column {name} has the type {dtype}; {field} needs {expected}",
        code="RECORDS_COLUMN_TYPE",
        file=file,
        field=name,
        remedy="write the column in that type; codes are always text",
    )


def _column_of(name: str) -> StayColumn | None:
    if name.startswith("__sum|"):
        name = name.split("|")[1]
    return BY_NAME.get(name.removesuffix("_fen"))


def clean_scalar(name: str, dtype: pl.DataType, kind: str, cmap: ColumnMap) -> pl.Expr:
    """Return a scalar column after blanks, null tokens and value maps; numbers stay numbers if they can."""
    column = pl.col(name)
    mapped = name in cmap.values or name in cmap.nulls
    if dtype == pl.Null:
        return column.cast(pl.String)
    if not (mapped or kind == "text" or dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)):
        return column
    column = clean_text(column)
    if name in cmap.values:
        pairs = cmap.values[name]
        column = column.replace(list(pairs), [new or None for new in pairs.values()])
    if name in cmap.nulls:
        column = pl.when(~column.is_in(list(cmap.nulls[name]))).then(column)
    return column.alias(name)


def _convert(name: str, dtype: pl.DataType, column: StayColumn, cmap: ColumnMap) -> pl.Expr | None:
    """Return the typed expression of a cleaned scalar column, None for text dates (done apart)."""
    source = pl.col(name)
    if column.kind == "money":
        if name.endswith("_fen"):
            return to_fen(source, dtype, 0)
        return to_fen(source, dtype, 0 if cmap.money.unit == "fen" else 2)
    if column.kind in ("int", "floor"):
        return _whole(source, dtype, column.dtype, column.kind == "floor")
    if column.kind == "duration":
        return to_hours(source)
    if column.kind == "date":
        if dtype == pl.String:
            return None
        return local_time(source, dtype)
    return source


def convert(raw: pl.DataFrame, cmap: ColumnMap, file: str, names: Callable[[str], str]) -> Typed:
    """Return a flat table with standard names in the types of a stay.

    ``names`` gives the source's own name of a column, for errors. Columns that begin with ``_`` pass through;
    ``_first|diag_codes`` and ``_first|oprn_codes`` say whether the principal diagnosis and main operation are
    there (Boolean).
    Raises :class:`InputError` RECORDS_COLUMN_TYPE.
    """
    scalars: dict[str, StayColumn] = {}
    lists: dict[str, StayColumn] = {}
    for name in raw.columns:
        column = _column_of(name)
        if column is None or (name.startswith("_") and not name.startswith("__sum|")):
            continue
        check_type(names(name), column.name, column.kind, raw.schema[name], file)
        (lists if column.kind in ("list", "money_list") else scalars)[name] = column
    clean = raw.lazy().with_columns(
        clean_scalar(name, raw.schema[name], column.kind, cmap) for name, column in scalars.items()
    )
    if AGE_VALUE in raw.columns:
        clean = clean.with_columns(clean_text(pl.col(AGE_VALUE)), clean_text(pl.col(AGE_UNIT)))
    cleaned = clean.collect()
    exprs = []
    for name, column in scalars.items():
        expr = _convert(name, cleaned.schema[name], column, cmap)
        if expr is None:
            typed_dates = parse_dates(cleaned[name], cmap.formats.get(name))
            exprs.append(pl.lit(typed_dates).alias(f"={name}"))
        else:
            exprs.append(expr.alias(f"={name}"))
    typed = cleaned.select(exprs) if exprs else pl.DataFrame()
    problems = [
        _unread(cleaned[name], typed[f"={name}"], column.name)
        for name, column in scalars.items()
        if typed[f"={name}"].null_count() > cleaned[name].null_count()
    ]
    frame = cleaned.select(c for c in cleaned.columns if c not in scalars and c not in lists)
    frame = frame.with_columns(_outputs(typed, scalars))
    frame, age_problems = _age_with_unit(frame, cmap)
    frame, list_problems = _lists(frame, raw, lists, cmap)
    notices = tuple(
        f"{file}: {names(name)} holds numbers; read as text, leading zeros cannot be restored"
        for name, column in scalars.items()
        if column.kind == "text" and raw.schema[name] in INT_TYPES
    ) + tuple(
        f"{file}: {names(name)} has the time zone {zone}; its clock times are taken as local"
        for name, column in scalars.items()
        if (zone := getattr(raw.schema[name], "time_zone", None)) is not None
    )
    return Typed(frame, pl.concat([_no_problems(), *problems, age_problems, list_problems]), notices)


def _no_problems() -> pl.DataFrame:
    return pl.DataFrame(schema=PROBLEMS)


def _unread(before: pl.Series, after: pl.Series, field: str) -> pl.DataFrame:
    at = (after.is_null() & before.is_not_null()).arg_true()
    return pl.DataFrame({"row": at, "value": before.gather(at).cast(pl.String)}).select(
        pl.col("row").cast(pl.UInt32), pl.lit(field).alias("field"), "value"
    )


def _outputs(typed: pl.DataFrame, scalars: dict[str, StayColumn]) -> list[pl.Series]:
    """Return the typed columns under their accepted names, sums added up (null only if every part is)."""
    out: dict[str, pl.Series] = {}
    sums: dict[str, list[pl.Series]] = {}
    for name, column in scalars.items():
        series = typed[f"={name}"]
        if name.startswith("__sum|"):
            sums.setdefault(column.out, []).append(series)
        else:
            out[column.out] = series.rename(column.out)
    for target, parts in sums.items():
        frame = pl.DataFrame([part.rename(str(i)) for i, part in enumerate(parts)])
        known = pl.any_horizontal(pl.all().is_not_null())
        out[target] = frame.select(pl.when(known).then(pl.sum_horizontal(pl.all())).alias(target)).to_series()
    return list(out.values())


def _age_with_unit(frame: pl.DataFrame, cmap: ColumnMap) -> tuple[pl.DataFrame, pl.DataFrame]:
    if cmap.age is None or AGE_VALUE not in frame.columns:
        return frame, _no_problems()
    units = cmap.age.units
    number = pl.col(AGE_VALUE).cast(pl.Float64, strict=False).floor().cast(pl.Int32, strict=False)
    unit = pl.col(AGE_UNIT).replace_strict(
        list(units), list(units.values()), default=None, return_dtype=pl.String
    )
    work = frame.select(number.alias("n"), unit.alias("u"), pl.col(AGE_VALUE), pl.col(AGE_UNIT))
    n, u = pl.col("n"), pl.col("u")
    days = pl.when(u == "days").then(n).when(u == "months").then(n * 365 // 12)
    years = (
        pl.when(u == "years")
        .then(n)
        .when(u == "years+100")
        .then(n + 100)
        .when(u == "days")
        .then(n // 365)
        .when(u == "months")
        .then(n // 12)
    )
    ages = work.select(
        years.cast(pl.Int16, strict=False).alias("age"),
        pl.when(days < 365).then(days).cast(pl.Int32, strict=False).alias("nwb_age"),
    )
    given = pl.col(AGE_VALUE).is_not_null() & (n.is_null() | u.is_null())
    bad = work.with_row_index("row").filter(given)
    text = pl.format("{} ({})", pl.col(AGE_VALUE), pl.col(AGE_UNIT).fill_null(""))
    problems = bad.select(pl.col("row").cast(pl.UInt32), pl.lit("age").alias("field"), text.alias("value"))
    return frame.drop(AGE_VALUE, AGE_UNIT).with_columns(ages.get_columns()), problems


def _lists(
    frame: pl.DataFrame, raw: pl.DataFrame, lists: dict[str, StayColumn], cmap: ColumnMap
) -> tuple[pl.DataFrame, pl.DataFrame]:
    dots = {
        "diag_codes": 3 if cmap.codes.undotted_diagnoses else 0,
        "oprn_codes": 2 if cmap.codes.undotted_operations else 0,
    }
    problems = _no_problems()
    codes = {name: raw[name] for name, column in lists.items() if column.kind == "list"}
    if codes:
        # A mapping that rewrites codes has said that they are not to be taken as written.
        rewritten = any(dots.values()) or any(name in cmap.nulls for name in codes)
        exact = cmap.codes.as_written and not rewritten
        tidied = codes_as_written(codes) if exact else clean_codes(codes, cmap.nulls, dots)
        frame = frame.with_columns(tidied.get_columns())
    if "oprn_fees" in lists:
        amounts, unread = money_lists(raw["oprn_fees"], 0 if cmap.money.unit == "fen" else 2, to_fen)
        rows = raw.select(pl.col("oprn_fees").alias("value")).with_row_index("row").filter(unread)
        text = (
            pl.col("value").cast(pl.String) if rows["value"].dtype == pl.String else _joined(pl.col("value"))
        )
        problems = rows.select(pl.col("row").cast(pl.UInt32), pl.lit("oprn_fees").alias("field"), text)
        frame = frame.with_columns(amounts.alias("oprn_fees_fen"))
    return frame, problems


def _joined(lists: pl.Expr) -> pl.Expr:
    return lists.cast(pl.List(pl.String)).list.join("|", ignore_nulls=True)
