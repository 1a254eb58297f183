"""The tables beside setlinfo: diagnoses, operations, payments, items and intensive care per stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fenzhi.errors import InputError
from fenzhi.records.columns import plan_columns
from fenzhi.records.convert import check_type, clean_scalar, local_time, parse_dates, to_fen, to_hours
from fenzhi.records.mapping import CHILD_COLUMNS, ColumnMap
from fenzhi.records.schema import Needs, nearest
from fenzhi.records.sources import Table

_PROBLEMS = {"setl_id": pl.String, "field": pl.String, "value": pl.String}
_CHINESE_MEDICINE = ("3", "4")  # diag_type: main disease and syndrome of Chinese medicine
_MAIN = "1"
_DATES = (
    "oprn_oprt_date",
    "oprn_oprt_begntime",
    "oprn_oprt_endtime",
    "scs_cutd_inpool_time",
    "scs_cutd_exit_time",
)
_NO_CODE = pl.Series([[None]], dtype=pl.List(pl.String))


@dataclass(frozen=True)
class Children:
    """One row per ``setl_id``: the lists and sums of the child tables.

    Besides ``diag_codes``, ``tcm_diag_codes``, ``oprn_codes``, amounts in fen and ``icu_hours`` there are
    columns for quality control: ``_principals`` and ``_mains`` (how many are flagged), ``_oprn_from``,
    ``_oprn_to``, ``_oprn_unread`` (an operation date that is no date) and ``_items_fen``. A stay without a
    principal diagnosis has a null in its first place. ``problems``: setl_id, field, value.
    """

    frame: pl.DataFrame
    problems: pl.DataFrame
    keys: pl.Series
    notices: tuple[str, ...]


def read_children(tables: Mapping[str, Table], cmap: ColumnMap, needs: Needs, have: set[str]) -> Children:
    """Read the child tables that a reading needs; ``have`` are the columns setlinfo itself gives."""
    found: list[pl.DataFrame] = [_diagnoses(_load(tables["diseinfo"], cmap, "diseinfo"), tables["diseinfo"])]
    problems: list[pl.DataFrame] = [pl.DataFrame(schema=_PROBLEMS)]
    used = {"diseinfo"}
    if "oprninfo" in tables:
        used.add("oprninfo")
        found.append(_operations(_load(tables["oprninfo"], cmap, "oprninfo"), cmap))
    if "icuinfo" in tables and "scs_cutd_sum_dura" not in have:
        used.add("icuinfo")
        hours, unread = _intensive_care(_load(tables["icuinfo"], cmap, "icuinfo"), cmap)
        found.append(hours)
        problems.append(unread)
    items = "_items_fen" if "medfee_sumamt" in have else "medfee_sumamt_fen"
    for stem, column, target, wants in (
        (
            "payinfo",
            "fund_payamt",
            "fund_pay_sumamt_fen",
            needs != "grouping" and "fund_pay_sumamt" not in have,
        ),
        ("iteminfo", "amt", items, needs == "all" or "medfee_sumamt" not in have),
    ):
        if stem in tables and wants:
            used.add(stem)
            frame = _load(tables[stem], cmap, stem)
            sums, unread = _amounts(frame, tables[stem], column, target, 0 if cmap.money.unit == "fen" else 2)
            found.append(sums)
            problems.append(unread)
    frame = found[0]
    for other in found[1:]:
        frame = frame.join(other, on="setl_id", how="full", coalesce=True)
    notices = tuple(note for stem in sorted(used) for note in tables[stem].notices)
    return Children(frame, pl.concat(problems), frame["setl_id"], notices)


def _load(table: Table, cmap: ColumnMap, stem: str) -> pl.DataFrame:
    plan = plan_columns(table.names, cmap, CHILD_COLUMNS[stem], table.file)
    for name in (n for n in ("setl_id", CHILD_COLUMNS[stem][1]) if n not in plan.names and stem != "icuinfo"):
        raise _missing(name, table, plan.ignored)
    if table.check_codes is not None:
        codes = [s for name in ("diag_code", "oprn_oprt_code") for s in plan.sources.get(name, ())]
        table.check_codes(codes, plan.sources.get("setl_id", ()))
    raw = table.load(plan.needed).select(plan.exprs)
    for name in raw.columns:
        if name in ("diag_code", "oprn_oprt_code"):
            # A code that was ever a number has lost its zeros.
            check_type(" + ".join(plan.sources[name]) or name, name, "code", raw.schema[name], table.file)
    keep = ("fund_payamt", "amt")
    texts = [n for n, t in raw.schema.items() if n not in keep and not t.is_temporal()]
    return raw.with_columns(clean_scalar(n, raw.schema[n], "text", cmap) for n in texts).filter(
        pl.col("setl_id").is_not_null()
    )


def _missing(name: str, table: Table, unused: tuple[str, ...]) -> InputError:
    near = nearest(name, unused)
    return InputError(
        f"the column {name} is missing" + (f"; nearest is {near!r}" if near else ""),
        code="RECORDS_COLUMN_MISSING",
        file=table.file,
        field=name,
        remedy=f'rename it, or give a mapping file with: [columns] {name} = "{near or "YOUR_COLUMN"}"',
    )


def _diagnoses(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    if "maindiag_flag" in frame.columns:
        main = pl.col("maindiag_flag") == _MAIN
    elif "diag_type" in frame.columns:
        main = pl.col("diag_type") == _MAIN
    else:
        raise _missing("maindiag_flag", table, ())
    chinese = pl.col("diag_type").is_in(_CHINESE_MEDICINE) if "diag_type" in frame.columns else pl.lit(False)
    kind = pl.col("diag_type") if "diag_type" in frame.columns else pl.lit(None, pl.String).alias("diag_type")
    rows = (
        frame.filter(pl.col("diag_code").is_not_null())
        .select(
            "setl_id",
            "diag_code",
            kind,
            main.fill_null(False).alias("main"),
            chinese.fill_null(False).alias("chinese"),
        )
        # A corrected settlement carries its diagnoses again: the same one twice is one.
        .unique(maintain_order=True)
    )
    code, is_main, is_chinese = pl.col("diag_code"), pl.col("main"), pl.col("chinese")
    lists = rows.group_by("setl_id", maintain_order=True).agg(
        code.filter(is_main & ~is_chinese).alias("first"),
        code.filter(~is_main & ~is_chinese).alias("others"),
        code.filter(is_chinese)
        .sort_by(pl.col("diag_type").filter(is_chinese), maintain_order=True)
        .alias("tcm"),
    )
    principals = pl.col("first").list.len()
    first = pl.when(principals == 0).then(pl.lit(_NO_CODE)).otherwise(pl.col("first"))
    return lists.select(
        "setl_id",
        pl.concat_list(first, "others").alias("diag_codes"),
        pl.col("tcm").alias("tcm_diag_codes"),
        principals.cast(pl.Int32).alias("_principals"),
    )


def _dates(frame: pl.DataFrame, cmap: ColumnMap) -> pl.DataFrame:
    """Turn the text dates of a child table into times; what is no date goes to ``_unread``."""
    unread = pl.lit(None, pl.String).alias("_unread")
    frame = frame.with_columns(unread)
    for name in (n for n in _DATES if n in frame.columns):
        series = frame[name]
        if series.dtype == pl.String:
            parsed = parse_dates(series, cmap.formats.get(name)).alias(name)
            bad = pl.lit(parsed).is_null() & pl.col(name).is_not_null()
            frame = frame.with_columns(
                pl.coalesce("_unread", pl.when(bad).then(pl.col(name))).alias("_unread")
            )
            frame = frame.with_columns(parsed)
        else:
            frame = frame.with_columns(local_time(pl.col(name), series.dtype))
    return frame


def _operations(frame: pl.DataFrame, cmap: ColumnMap) -> pl.DataFrame:
    rows = _dates(frame.filter(pl.col("oprn_oprt_code").is_not_null()), cmap)
    flag = next((n for n in ("main_oprn_flag", "oprn_oprt_type") if n in rows.columns), None)
    main = (pl.col(flag) == _MAIN).fill_null(False) if flag else pl.lit(False)
    started = [pl.col(n) for n in ("oprn_oprt_begntime", "oprn_oprt_date") if n in rows.columns]
    begin = pl.coalesce(started) if started else pl.lit(None, pl.Datetime("us"))
    last = pl.coalesce([pl.col("oprn_oprt_endtime"), begin]) if "oprn_oprt_endtime" in rows.columns else begin
    rows = rows.with_columns(main.alias("main"), begin.alias("from"), last.alias("to"))
    lists = rows.group_by("setl_id", maintain_order=True).agg(
        pl.col("oprn_oprt_code").filter("main").alias("first"),
        pl.col("oprn_oprt_code").filter(~pl.col("main")).alias("others"),
        pl.col("from").min().alias("_oprn_from"),
        pl.col("to").max().alias("_oprn_to"),
        pl.col("_unread").drop_nulls().first().alias("_oprn_unread"),
    )
    return lists.select(
        "setl_id",
        pl.concat_list("first", "others").alias("oprn_codes"),
        pl.col("first").list.len().cast(pl.Int32).alias("_mains"),
        "_oprn_from",
        "_oprn_to",
        "_oprn_unread",
    )


def _problems(frame: pl.DataFrame, bad: pl.Expr, field: str, value: str) -> pl.DataFrame:
    return frame.filter(bad).select(
        "setl_id", pl.lit(field).alias("field"), pl.col(value).cast(pl.String).alias("value")
    )


def _amounts(
    frame: pl.DataFrame, table: Table, column: str, target: str, decimals: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    check_type(column, column, "money", frame.schema[column], table.file)
    dtype = frame.schema[column]
    if not dtype.is_numeric():
        frame = frame.with_columns(clean_scalar(column, dtype, "text", ColumnMap()))
        dtype = pl.String()
    frame = frame.with_columns(to_fen(pl.col(column), dtype, decimals).alias("fen"))
    bad = pl.col("fen").is_null() & pl.col(column).is_not_null()
    return frame.group_by("setl_id").agg(pl.col("fen").sum().alias(target)), _problems(
        frame, bad, column, column
    )


def _intensive_care(frame: pl.DataFrame, cmap: ColumnMap) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return hours per stay: the given duration, else the time between entry and exit."""
    frame = _dates(frame, cmap)
    given = "scs_cutd_sum_dura"
    hours = to_hours(pl.col(given)) if given in frame.columns else pl.lit(None, pl.Float64)
    if {"scs_cutd_inpool_time", "scs_cutd_exit_time"} <= set(frame.columns):
        between = pl.col("scs_cutd_exit_time") - pl.col("scs_cutd_inpool_time")
        hours = pl.coalesce(hours, between.dt.total_minutes() / 60)
    frame = frame.with_columns(hours.alias("hours"))
    if given in frame.columns:
        text = pl.coalesce(pl.when(to_hours(pl.col(given)).is_null()).then(pl.col(given)), "_unread")
    else:
        text = pl.col("_unread")
    frame = frame.with_columns(text.alias("bad"))
    problems = _problems(frame, pl.col("bad").is_not_null(), given, "bad")
    return frame.group_by("setl_id").agg(pl.col("hours").sum().alias("icu_hours")), problems
