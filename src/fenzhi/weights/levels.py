"""The auxiliary level of each stay in each family. docs/rules.md, section 3.

In two steps, because history is kept as numbers: what the record alone tells becomes one mark per family, a
number with a bit for each level; what the group's mean tells is added when that is known.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from fenzhi.arrays import MISSING, Int32s, freeze, ints
from fenzhi.codes.comorbidity import SCORE, Comorbidity
from fenzhi.kernels.levels import level_rows
from fenzhi.money import SCALE, to_e4
from fenzhi.policy.auxiliary import Auxiliary, AuxiliaryFamily, AuxiliaryLevel
from fenzhi.weights.diagnosed import listed_diagnoses

MARKS = "_aux_"
_DAYS_A_YEAR = 365
_MINUTES_A_DAY = 24 * 60


def mark_name(place: int) -> str:
    """Return the column of marks of the family at ``place``."""
    return f"{MARKS}{place}"


def level_name(place: int) -> str:
    """Return the column of levels of the family at ``place``: Int16 index in ``rules.level_names``."""
    return f"_level_{place}"


def _figures(stays: pl.DataFrame) -> list[pl.Expr]:
    """Return what limits are compared with: los, age, age_days, icu_days; null where not known."""
    age, infant = pl.col("age").cast(pl.Int64), pl.col("nwb_age").cast(pl.Int64)
    days = pl.when(age.fill_null(0) >= 1).then(age * _DAYS_A_YEAR).otherwise(infant)
    icu = pl.lit(None, pl.Int64)
    if "icu_hours" in stays.columns:
        icu = (pl.col("icu_hours") * 60).round().cast(pl.Int64) // _MINUTES_A_DAY
    return [
        pl.col("act_ipt_days").cast(pl.Int64).alias("los"),
        age.alias("age"),
        days.alias("age_days"),
        icu.alias("icu_days"),
    ]


def _any(flags: list[pl.Expr]) -> pl.Expr:
    return pl.any_horizontal(flags) if flags else pl.lit(False)


def _holds(level: AuxiliaryLevel, columns: list[str]) -> pl.Expr:
    """Tell whether all conditions of a level hold but the one on cost, which needs the group's mean."""
    found = pl.lit(True)
    if level.ways:
        found = found & pl.col("dscg_way").is_in(list(level.ways))
    if level.lists:
        found = found & _any([pl.col(f"other:{name}") for name in level.lists])
    for what in ("los", SCORE, "age", "age_days", "icu_days"):
        low, high = getattr(level, f"{what}_from"), getattr(level, f"{what}_upto")
        if low is not None:
            found = found & (pl.col(what) >= low)
        if high is not None:
            found = found & (pl.col(what) <= high)
    if level.fee_share_from is not None:
        have = [f"{fee}_fen" for fee in level.fees if f"{fee}_fen" in columns]
        part = pl.sum_horizontal([pl.col(name).fill_null(0) for name in have]) if have else pl.lit(0)
        total = pl.col("medfee_sumamt_fen")
        share = to_e4(level.fee_share_from)
        found = found & (total > 0) & (part * SCALE >= total * share)
    return found.fill_null(False)


def _in_family(family: AuxiliaryFamily) -> pl.Expr:
    inside = pl.lit(True)
    if family.main_in:
        inside = inside & _any([pl.col(f"main:{name}") for name in family.main_in])
    if family.main_not_in:
        inside = inside & ~_any([pl.col(f"main:{name}") for name in family.main_not_in])
    return inside


def mark_levels(stays: pl.DataFrame, rules: Auxiliary, lists: Comorbidity | None) -> list[pl.Series]:
    """Return one UInt32 column per family, bit i set where level i holds as far as the record tells.

    ``stays``: diag_codes (mapped), dscg_way, act_ipt_days, age, nwb_age, medfee_sumamt_fen; icu_hours and fees
    as far as the source has them. ``lists``: None if no family looks at diagnoses.
    """
    frame = stays.drop("diag_codes").with_columns(_figures(stays))
    if lists is not None:
        frame = frame.with_columns(listed_diagnoses(stays["diag_codes"], rules.lists(), lists))
    marks = []
    for place, family in enumerate(rules.families):
        bits = pl.lit(0, pl.UInt32)
        inside = _in_family(family)
        for at, level in enumerate(family.levels):
            held = inside & _holds(level, stays.columns)
            bits = bits + pl.when(held).then(pl.lit(1 << at, pl.UInt32)).otherwise(pl.lit(0, pl.UInt32))
        marks.append(bits.alias(mark_name(place)))
    # Conditions on columns that the source lacks are constants; beside others they get as long as these.
    names = [mark_name(place) for place in range(len(rules.families))]
    return frame.with_columns(marks).select(names).get_columns()


def _level(rules: Auxiliary, family: AuxiliaryFamily, place: int) -> pl.Expr:
    """Return the first level that holds, as index; the last index is ``other``."""
    sizes = [
        1 if level.split_by is None else len(rules.level_names(_family(rules, level.split_by)[1]))
        for level in family.levels
    ]
    starts = [sum(sizes[:at]) for at in range(len(sizes) + 1)]
    found = pl.lit(starts[-1], pl.Int16)
    mark = pl.col(mark_name(place))
    for at, level in reversed(list(enumerate(family.levels))):
        held = (mark & (1 << at)) != 0
        if level.cost_from is not None:
            limit = pl.col("_group_mean") * to_e4(level.cost_from)
            held = held & (pl.col("cost_fen") * SCALE >= limit).fill_null(False)
        here = pl.lit(starts[at], pl.Int16)
        if level.split_by is not None:
            here = here + pl.col(level_name(_family(rules, level.split_by)[0]))
        found = pl.when(held).then(here).otherwise(found)
    return found.cast(pl.Int16).alias(level_name(place))


def _family(rules: Auxiliary, name: str) -> tuple[int, AuxiliaryFamily]:
    return next((at, family) for at, family in enumerate(rules.families) if family.name == name)


def with_levels(stays: pl.DataFrame, rules: Auxiliary, group_means: pl.Series) -> pl.DataFrame:
    """Replace the marks by levels, one Int16 column per family.

    ``stays``: marks, cost_fen, group_idx (-1 = none). ``group_means``: fen per group of the catalogue, null
    where there is none: then no limit on cost holds.
    """
    index = stays["group_idx"]
    frame = stays.with_columns(group_means.gather(index.set(index < 0, None)).alias("_group_mean"))
    split = [any(level.split_by for level in family.levels) for family in rules.families]
    for wanted in (False, True):
        frame = frame.with_columns(
            _level(rules, family, place)
            for place, family in enumerate(rules.families)
            if split[place] == wanted
        )
    return frame.drop("_group_mean", *(mark_name(place) for place in range(len(rules.families))))


def rows_of_levels(stays: pl.DataFrame, table: pl.DataFrame, groups: int) -> pl.Series:
    """Return ``_row`` (UInt32) per stay: the first row of its group, and so many further as its level; else null.

    ``stays``: group_idx (-1 = none) and the columns of :func:`with_levels`. ``table``: group_idx, place (the family
    that divides the group), ``_row`` (its first one), ``_levels`` (how many there are). ``groups``: how many.
    """
    at = table["group_idx"].to_numpy()

    def of_groups(name: str) -> Int32s:
        found = np.full(groups, MISSING, dtype=np.int32)
        found[at] = table[name].cast(pl.Int32).to_numpy()
        return found

    families = range(1 + (0 if table.is_empty() else int(table["place"].cast(pl.Int64).to_numpy().max())))
    levels = np.stack([ints(stays[level_name(place)], pl.Int16) for place in families])
    rows = np.empty(stays.height, dtype=np.int32)
    index, by_stay, places, firsts, counts = freeze(
        ints(stays["group_idx"]), levels, *(of_groups(name) for name in ("place", "_row", "_levels"))
    )
    level_rows(index, by_stay, places, firsts, counts, rows)
    found = pl.Series("_row", rows)
    return found.set(found < 0, None).cast(pl.UInt32)
