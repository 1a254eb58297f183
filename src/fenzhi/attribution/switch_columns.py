"""The columns of the tables that a switch of catalogues writes: those of a comparison, with regrouping set apart."""

from __future__ import annotations

import polars as pl

from fenzhi.attribution.columns import COMPARED
from fenzhi.attribution.switch import OTHERS
from fenzhi.results import Column

_GROUPING = (
    Column("by_grouping_fen", pl.Int64(), "fen", "换组变化", "by moving to another group"),
    Column("by_ungrouped_fen", pl.Int64(), "fen", "入组与未入组变化", "by losing or finding a group"),
    Column("by_weight_fen", pl.Int64(), "fen", "同一病种分值变化", "by new weights of the same group"),
)


def _apart(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns with those of regrouping in the place of the case mix."""
    return tuple(
        part for column in columns for part in (_GROUPING if column.name == "by_case_mix_fen" else (column,))
    )


def _text(name: str, zh: str, en: str) -> Column:
    return Column(name, pl.String(), "", zh, en)


def _number(name: str, zh: str, en: str, unit: str = "") -> Column:
    return Column(name, pl.Int64(), unit, zh, en)


_FLOW = {column.name: column for column in COMPARED["flows"]}
_CLASSES = (
    _text("class_before", "类别(前)", "class before"),
    _text("class_after", "类别(后)", "class after"),
)
_FIGURES = tuple(
    column for name, column in _FLOW.items() if not name.startswith(("outcome_", "group_id_", "name_"))
)
_REASON = (
    _text("outcome_now", "现去向", "outcome now"),
    _text("reason", "原因", "reason"),
)

#: Table -> its columns, besides ``matrix`` and ``group_matrix``, whose columns are what the stays moved to.
SWITCHED: dict[str, tuple[Column, ...]] = {
    "measures": (
        _text("measure", "指标", "measure"),
        *(
            Column(name, pl.Float64(), "", zh, en)
            for name, zh, en in (
                ("before", "前", "before"),
                ("after", "后", "after"),
                ("difference", "差", "difference"),
            )
        ),
    ),
    "balance": (
        _text("pool", "基金池", "pool"),
        _text("item", "项目", "item"),
        *(
            column
            for column in COMPARED["groups"]
            if column.name in ("before_fen", "after_fen", "difference_fen")
        ),
    ),
    **{name: _apart(COMPARED[name]) for name in ("accounts", "hospitals", "levels")},
    "groups": (
        *_apart(COMPARED["groups"]),
        _text("to_outcome", "主要改入的去向", "where most of them went"),
        _text("to_group", "主要改入的病种", "group where most of them went"),
        _text("to_name", "主要改入病种的名称", "its name"),
        _number("to_stays", "改入该病种的病例数", "stays that went there"),
    ),
    "flows": _apart(COMPARED["flows"]),
    "classes": (*_CLASSES, *_apart(_FIGURES)),
    "ungrouped": (
        *(column for column in COMPARED["ungrouped"] if column.name != "difference_fen"),
        *_REASON,
        COMPARED["ungrouped"][-1],
    ),
    "pools": COMPARED["pools"],
    "stays": (*_apart(COMPARED["stays"]), *_CLASSES, *_REASON),
}


def switch_shaped(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return exactly the columns of a table of a switch; those that the frame lacks are null."""
    return frame.select(
        (pl.col(c.name).cast(c.dtype) if c.name in frame.columns else pl.lit(None, c.dtype).alias(c.name))
        for c in SWITCHED[table]
    )


def matrix_columns(frame: pl.DataFrame) -> tuple[Column, ...]:
    """Return the columns of a cross-table of stays, whose heads are what the stays moved to."""
    found = []
    for name in frame.columns:
        if name == "from":
            found.append(_text(name, "由", "from"))
        elif name == "total":
            found.append(_number(name, "合计", "total"))
        else:
            head = name.removeprefix("to ")
            zh, en = ("其他", "others") if head == OTHERS else (head, head)
            found.append(_number(name, zh, en))
    return tuple(found)
