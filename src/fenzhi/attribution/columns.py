"""The columns of the tables that a comparison of two runs writes, made of those of :mod:`fenzhi.results`."""

from __future__ import annotations

import polars as pl

from fenzhi.attribution.causes import at
from fenzhi.results import ACCOUNT_SPLIT, DIFFERENCE, MEASURED, RESTATEMENT, STAY_CAUSES, Column

_SIDES = (("before", "前"), ("after", "后"))


def _text(name: str, zh: str, en: str) -> Column:
    return Column(name, pl.String(), "", zh, en)


def _number(name: str, zh: str, en: str, unit: str = "") -> Column:
    return Column(name, pl.Int64(), unit, zh, en)


def _sides(name: str, zh: str, en: str, unit: str) -> tuple[Column, ...]:
    return tuple(_number(at(name, when), f"{zh}({z})", f"{en} {when}", unit) for when, z in _SIDES)


def _group(when: str, zh: str) -> tuple[Column, ...]:
    return (
        _text(f"outcome_{when}", f"去向({zh})", f"outcome {when}"),
        _text(f"group_id_{when}", f"病种编码({zh})", f"group {when}"),
        _text(f"name_{when}", f"病种名称({zh})", f"name {when}"),
    )


_ONE = {column.name: column for column in RESTATEMENT}
_HOSPITAL = tuple(_ONE[name] for name in ("fixmedins_code", "fixmedins_name", "level", "type"))
_STATE = tuple(_ONE[name] for name in ("stays_added", "stays_removed", "stays_changed"))
_CLEARING = tuple(column for column in RESTATEMENT if column.name.startswith("clearing_"))
_SUMS = (*_STATE, *ACCOUNT_SPLIT, *_CLEARING)
_GROUPS = tuple(column for when, zh in _SIDES for column in _group(when, zh))
_STAY = (_text("setl_id", "结算ID", "settlement id"), _ONE["fixmedins_code"], _ONE["pool"])

#: Table -> its columns. ``stays``, ``flows`` and ``ungrouped`` only for runs over the same stays; then the three
#: counts of stays are filled.
COMPARED: dict[str, tuple[Column, ...]] = {
    "accounts": RESTATEMENT,
    "hospitals": (*_HOSPITAL, *_SUMS),
    "levels": (
        _ONE["level"],
        _number("hospitals", "医疗机构数", "hospitals"),
        _number("gaining", "增加的机构", "hospitals that gain"),
        _number("losing", "减少的机构", "hospitals that lose"),
        *_SUMS,
    ),
    "groups": (
        _text("outcome", "去向", "outcome"),
        _text("group_id", "病种编码", "group"),
        _text("name", "病种名称", "name"),
        _number("moved", "改入其他病种", "stays that moved to another group"),
        *MEASURED,
        *DIFFERENCE,
        *STAY_CAUSES,
    ),
    "flows": (
        *_GROUPS,
        _number("stays", "病例数", "stays"),
        *_sides("points_e4", "结算分值", "points", "e4"),
        *DIFFERENCE,
        *STAY_CAUSES,
    ),
    "ungrouped": (
        *_STAY,
        _text("group_id_before", "病种编码(前)", "group before"),
        _text("name", "病种名称", "name"),
        *DIFFERENCE,
    ),
    "pools": (
        _ONE["pool"],
        _text("title", "名称", "title"),
        *_sides("fund_fen", "按病种付费基金", "by-disease fund", "fen"),
        *_sides("cases", "结算病例数", "stays", ""),
        *_sides("points_e4", "总分值", "points", "e4"),
        *_sides("settlement_value_e4", "结算点值", "settlement point value", "e4"),
        *_sides("payment_ratio_e4", "支付比例", "payment ratio", "e4"),
        *_sides("payable_fen", "基金应付", "payable", "fen"),
    ),
    "stays": (
        *_STAY,
        _text("state", "状态", "state"),
        Column("changed", pl.Boolean(), "", "有变更", "changed besides the price"),
        *(column for column in _GROUPS if not column.name.startswith("name_")),
        *_sides("cost_fen", "付费口径费用", "cost", "fen"),
        *_sides("booked_fen", "基金记账金额", "booked", "fen"),
        *MEASURED,
        *DIFFERENCE,
        *STAY_CAUSES,
    ),
}


def shaped(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return exactly the columns of a table of a comparison; those that the frame lacks are null."""
    return frame.select(
        (pl.col(c.name).cast(c.dtype) if c.name in frame.columns else pl.lit(None, c.dtype).alias(c.name))
        for c in COMPARED[table]
    )
