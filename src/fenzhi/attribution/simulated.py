"""The columns of the tables that a simulation writes, made of those of a comparison."""

from __future__ import annotations

import polars as pl

from fenzhi.attribution.columns import COMPARED
from fenzhi.results import Column

_COMPARED = {column.name: column for column in COMPARED["accounts"]}


def _text(name: str, zh: str, en: str) -> Column:
    return Column(name, pl.String(), "", zh, en)


_SCENARIO = _text("scenario", "方案", "scenario")
_SUMS = tuple(
    column
    for column in COMPARED["accounts"]
    if column.name in ("stays_before", "stays_after", "before_fen", "after_fen", "difference_fen")
    or column.name.startswith("by_")
)


def _sides(name: str, zh: str, en: str, unit: str = "") -> tuple[Column, ...]:
    return tuple(
        Column(f"{name}_{when}{'_' if unit else ''}{unit}", pl.Int64(), unit, f"{zh}({z})", f"{en}, {when}")
        for when, z in (("before", "前"), ("after", "后"))
    )


#: Table -> its columns; one row per scenario, and scenario and pool, account, group, part of the scenario.
SIMULATED: dict[str, tuple[Column, ...]] = {
    "scenarios": (
        _SCENARIO,
        *_SUMS,
        Column("region_difference_fen", pl.Int64(), "fen", "全区差额", "difference of all hospitals"),
    ),
    "parts": (
        _SCENARIO,
        _text("part", "变动", "part of the scenario"),
        Column("after_fen", pl.Int64(), "fen", "金额(后)", "amount after this part and those before it"),
        Column("difference_fen", pl.Int64(), "fen", "差额", "what this part adds"),
    ),
    "pools": (_SCENARIO, *COMPARED["pools"]),
    "accounts": (
        _SCENARIO,
        *(
            column
            for column in COMPARED["accounts"]
            if column.name not in ("stays_added", "stays_removed", "stays_changed")
        ),
    ),
    "groups": (
        _SCENARIO,
        _text("outcome", "去向", "outcome"),
        _text("group_id", "病种编码", "group"),
        _text("name", "病种名称", "name"),
        *_sides("cases", "病例数", "stays"),
        *_sides("cost", "付费口径费用", "cost", "fen"),
        *_sides("booked", "基金记账金额", "booked", "fen"),
        *_sides("points", "结算分值", "points", "e4"),
        *_sides("payable", "考核前金额", "amount before assessment", "fen"),
        _COMPARED["difference_fen"],
    ),
}
