"""Prices that contradict severity: what should cost more is cheaper. docs/rules.md, "Building a catalogue".

Each test pairs a group (or level) that should weigh more with one that should weigh less; a pair is listed where it is
the other way round. Nothing is tested without a weight on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

import polars as pl

from fenzhi.catalogs import DipCatalog, DrgCatalog
from fenzhi.catalogs.models import COMPREHENSIVE
from fenzhi.money import SCALE, round_half_up
from fenzhi.policy.auxiliary import OTHER, Auxiliary, AuxiliaryFamily

#: The tests, in the order in which pairs are listed.
TESTS = ("complication", "related_operation", "operation", "comprehensive_kind", "auxiliary_level")
#: Kinds of comprehensive groups from light to heavy.
KINDS = ("medical", "diagnostic", "therapeutic", "interventional", "surgery")
HEAVY = ("therapeutic", "interventional", "surgery")
#: Last characters of DRG codes from light to heavy: no complication, CC, MCC.
GRADES = ("5", "3", "1")
#: Conditions that two rows must share to be comparable.
SAME = (
    "layer",
    "main_diag",
    "other_diag",
    "any_diag",
    "age_days_max",
    "birth_weight_min_g",
    "birth_weight_max_g",
)
SCHEMA: dict[str, type[pl.DataType]] = {
    "test": pl.String,
    "group_id": pl.String,
    "name": pl.String,
    "level": pl.String,
    "cases": pl.Int64,
    "value_e4": pl.Int64,
    "other_id": pl.String,
    "other_name": pl.String,
    "other_level": pl.String,
    "other_cases": pl.Int64,
    "other_value_e4": pl.Int64,
    "gap_e4": pl.Int64,
}


class Side(NamedTuple):
    """One side of a pair: group, its name, level (auxiliary types only), stays, weight or coefficient."""

    group_id: str
    name: str | None
    level: str | None
    cases: int
    value_e4: int


Pair = tuple[str, Side, Side]


def contradictions(
    catalog: DipCatalog | DrgCatalog,
    weighed: pl.DataFrame,
    auxiliary: tuple[pl.DataFrame, Auxiliary] | None = None,
) -> tuple[pl.DataFrame, dict[str, int]]:
    """Return the pairs that contradict severity, and how many pairs each test looked at.

    ``weighed``: ``Weights.groups`` (row = group_idx). ``auxiliary``: the table of auxiliary types and the section of
    the policy. Columns of :data:`SCHEMA`: the heavier side, the lighter one (``other_``) that is worth more, and
    ``gap_e4``, by how much of the heavier one. Ordered by test, then by the stays of the smaller side.
    """
    # TCM-advantage groups stand below the catalogue's own.
    own = weighed.head(catalog.groups.height)
    groups = catalog.groups.with_columns(own["history_cases"].alias("cases"), own["rw_e4"].alias("value_e4"))
    known = groups.filter(pl.col("value_e4").is_not_null()).with_columns(
        pl.lit(None, pl.String).alias("level")
    )
    pairs = list(_drg_pairs(known) if isinstance(catalog, DrgCatalog) else _dip_pairs(known, catalog))
    if auxiliary is not None:
        pairs += _level_pairs(catalog.groups, *auxiliary)
    looked = dict.fromkeys(TESTS, 0)
    rows = []
    for test, heavy, light in pairs:
        looked[test] += 1
        if heavy.value_e4 < light.value_e4:
            gap = Fraction(light.value_e4 - heavy.value_e4, heavy.value_e4) if heavy.value_e4 else Fraction(1)
            rows.append((test, *heavy, *light, round_half_up(gap * SCALE)))
    order = {test: at for at, test in enumerate(TESTS)}
    rows.sort(
        key=lambda row: (order[row[0]], -min(row[4], row[9]), row[1], row[3] or "", row[6], row[8] or "")
    )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row"), looked


def _side(row: dict[str, Any]) -> Side:
    return Side(row["group_id"], row["name"], row["level"], row["cases"], row["value_e4"])


def _by(rows: Iterable[dict[str, Any]], keys: tuple[str, ...]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    return found


def _drg_pairs(known: pl.DataFrame) -> Iterator[Pair]:
    """Pair the DRGs of an ADRG by their last characters: MCC above CC above none."""
    for rows in _by(known.to_dicts(), ("adrg",)).values():
        graded = {row["group_id"][-1]: row for row in rows if row["group_id"][-1:] in GRADES}
        for light, heavy in pairwise([graded[grade] for grade in GRADES if grade in graded]):
            yield "complication", _side(heavy), _side(light)


def _dip_pairs(known: pl.DataFrame, catalog: DipCatalog) -> Iterator[Pair]:
    core = known.filter(pl.col("layer") != COMPREHENSIVE).to_dicts()
    for rows in _by(core, (*SAME, "treatment", "main_oprn")).values():
        plain = [row for row in rows if row["related_oprn"] is None and row["main_oprn"] is not None]
        for light in plain[:1]:
            for heavy in rows:
                if heavy["related_oprn"] is not None:
                    yield "related_operation", _side(heavy), _side(light)
    heavy_codes = set(catalog.operations.filter(pl.col("type").is_in(HEAVY))["code"])
    for rows in _by(core, SAME).values():
        conservative = [row for row in rows if row["treatment"] == "conservative"]
        for light in conservative[:1]:
            for heavy in rows:
                operated = heavy["treatment"] in ("operation", "any_operation")
                if operated and heavy["related_oprn"] is None and _codes(heavy["main_oprn"]) & heavy_codes:
                    yield "operation", _side(heavy), _side(light)
    comprehensive = known.filter(pl.col("layer") == COMPREHENSIVE).to_dicts()
    for rows in _by(comprehensive, ("main_diag",)).values():
        by_kind = {row["treatment"]: row for row in rows}
        for light, heavy in pairwise([by_kind[kind] for kind in KINDS if kind in by_kind]):
            yield "comprehensive_kind", _side(heavy), _side(light)


def _codes(cell: str | None) -> set[str]:
    """Return the operation codes of a cell, whatever signs join them."""
    signs = str.maketrans(dict.fromkeys("|+,/()", " "))
    return set((cell or "").translate(signs).split())


def ordered_levels(family: AuxiliaryFamily) -> list[str]:
    """Return the levels of a family that are degrees of severity, the lightest (``other``) first; else nothing.

    Levels that ask for the way of discharge (death ends costs) or that are split are left out. Bands of the
    comorbidity score or of days of intensive care are ordered by their lower limits, levels that ask for lists or for
    cost as the policy orders them (the first one that fits wins). Bands of age are no degrees.
    """
    levels = [level for level in family.levels if not level.ways and level.split_by is None]
    for name in ("icu_days_from", "cci_from"):
        if levels and all(getattr(level, name) is not None for level in levels):
            return [OTHER, *(one.name for one in sorted(levels, key=lambda one: int(getattr(one, name))))]
    listed = [level.name for level in levels if level.lists or level.cost_from is not None]
    return [OTHER, *reversed(listed)] if listed else []


def _level_pairs(groups: pl.DataFrame, table: pl.DataFrame, rules: Auxiliary) -> Iterator[Pair]:
    """Pair the levels of the family that divides a group: a higher one above the next lower one."""
    orders = {family.name: ordered_levels(family) for family in rules.families}
    used = table.filter(pl.col("status").is_in(["chosen", "listed"]) & pl.col("coefficient_e4").is_not_null())
    ids, names = groups["group_id"].to_list(), groups["name"].to_list()
    for (group, family), rows in _by(used.to_dicts(), ("group_idx", "family")).items():
        by_level = {row["level"]: row for row in rows}
        present = [by_level[level] for level in orders[family] if level in by_level]
        sides = [
            Side(
                ids[group], names[group], f"{family}/{row['level']}", row["cases"] or 0, row["coefficient_e4"]
            )
            for row in present
        ]
        for light, heavy in pairwise(sides):
            yield "auxiliary_level", heavy, light
