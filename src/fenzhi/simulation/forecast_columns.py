"""The columns of the tables that a forecast makes. Figures are whole numbers: stays, fen, 1/10,000."""

from __future__ import annotations

import polars as pl

from fenzhi.results import Column


def _text(name: str, zh: str, en: str) -> Column:
    return Column(name, pl.String(), "", zh, en)


def _number(name: str, zh: str, en: str, unit: str = "") -> Column:
    return Column(name, pl.Int64(), unit, zh, en)


def _share(name: str, zh: str, en: str) -> Column:
    return Column(name, pl.Float64(), "share", zh, en)


_WHO = (
    _text("fixmedins_code", "医疗机构编码", "hospital code"),
    _text("fixmedins_name", "医疗机构名称", "hospital"),
    _text("pool", "基金池(空:全部)", "pool (empty: all)"),
)
_MEASURE = _text("measure", "指标", "measure")
_INTERVAL = (
    _number("expected", "预计", "expected"),
    _number("low", "区间下限", "lower end of the interval"),
    _number("middle", "中位数", "median"),
    _number("high", "区间上限", "upper end of the interval"),
)


def _three(name: str, unit: str, zh: str, en: str) -> tuple[Column, ...]:
    stem = name.removesuffix(f"_{unit}") if unit else name
    end = f"_{unit}" if unit else ""
    return (
        _number(name, zh, en, unit),
        _number(f"{stem}_low{end}", f"{zh}(下限)", f"{en}, lower end", unit),
        _number(f"{stem}_high{end}", f"{zh}(上限)", f"{en}, upper end", unit),
    )


#: Table -> its columns. ``backtest`` only where a finished year was forecast.
FORECAST: dict[str, tuple[Column, ...]] = {
    "accounts": (*_WHO, _MEASURE, _number("done", "已发生", "done so far"), *_INTERVAL),
    "values": (_text("pool", "基金池", "pool"), _text("title", "名称", "title"), _MEASURE, *_INTERVAL),
    "months": (
        *_WHO[:2],
        _number("month", "月份(0 年初,13 清算)", "month (0 start, 13 annual clearing)"),
        _share("done", "已完成部分", "part that is over"),
        *_three("cases", "", "病例数", "stays"),
        *_three("points_e4", "e4", "分值", "points"),
        _number("due_fen", "月度应付", "due at the opening value", "fen"),
        _number("advance_fen", "当月预付", "advance", "fen"),
        _number("deposit_fen", "当月预留保证金", "quality deposit withheld", "fen"),
        _number("quarter_fen", "季度清算", "quarterly clearing", "fen"),
        _number("clearing_fen", "年度清算", "annual clearing", "fen"),
        *_three("cash_fen", "fen", "到账金额", "cash"),
    ),
    "drivers": (
        *_WHO,
        _text("driver", "因素", "driver"),
        _share("share", "占波动的比例", "share of the spread"),
    ),
    "backtest": (
        *_WHO[:2],
        _text("pool", "基金池(空:全部)", "pool (empty: all)"),
        _MEASURE,
        _number("truth", "实际", "truth"),
        *_INTERVAL,
        Column("inside", pl.Boolean(), "", "在区间内", "inside the interval"),
    ),
    "coverage": (
        _MEASURE,
        _number("hospitals", "机构数", "hospitals"),
        _number("inside", "在区间内的机构数", "hospitals whose truth the interval covers"),
        _share("share", "覆盖率", "share covered"),
    ),
}


def shaped(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return exactly the columns of a table of :data:`FORECAST`, in its types."""
    return frame.select(pl.col(column.name).cast(column.dtype) for column in FORECAST[table])
