"""Points with auxiliary coefficients, worked by hand: before deviation, in bands, incomplete, from a list."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from worked import banded, policy, weights

from fenzhi.errors import RegionError
from fenzhi.points import base_points, score
from fenzhi.points.auxiliary import COLUMNS
from fenzhi.weights.auxiliary import APPLIED, TABLE, AuxiliaryTypes, listed_auxiliary
from fenzhi.weights.levels import mark_levels

OPENING = pl.DataFrame({"pool": ["E"], "opening_value_e4": [100_000]})
SCHEMA = {
    "setl_id": pl.String,
    "outcome": pl.String,
    "reason": pl.String,
    "group_idx": pl.Int32,
    "fixmedins_code": pl.String,
    "pool": pl.String,
    "cost_fen": pl.Int64,
    "medfee_sumamt_fen": pl.Int64,
    "act_ipt_days": pl.Int32,
    "dscg_way": pl.Int8,
    "age": pl.Int16,
    "nwb_age": pl.Int32,
    "diag_codes": pl.List(pl.String),
}
AGE = {"name": "age", "levels": [{"name": "old", "age_from": 65}, {"name": "child", "age_upto": 17}]}
DEATH = {"name": "death", "levels": [{"name": "died", "ways": [5]}]}
# One group of 100 points, mean 10,000 yuan; old people 2.1429, the rest 0.4286.
CHOSEN = [(0, 0, 0, "old", 21_429), (0, 0, 1, "other", 4_286), (0, 0, 2, "other", 4_286)]


def stay(cost_yuan: int = 10_000, **cells: Any) -> dict[str, Any]:
    usual = {"outcome": "grouped", "reason": None, "group_idx": 0, "fixmedins_code": "H1", "pool": "E"}
    usual |= {
        "setl_id": "s",
        "act_ipt_days": 8,
        "dscg_way": 1,
        "age": 70,
        "nwb_age": None,
        "diag_codes": ["A"],
    }
    return {**usual, "cost_fen": cost_yuan * 100, "medfee_sumamt_fen": cost_yuan * 100, **cells}


def section(*families: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"families": list(families or (AGE,)), **settings}


def types(rows: list[tuple[int, int, int, str, int]], **los: Any) -> AuxiliaryTypes:
    names = ("group_idx", "place", "found", "level", "coefficient_e4")
    table = [{**dict.fromkeys(APPLIED), **dict(zip(names, row, strict=True)), **los} for row in rows]
    return AuxiliaryTypes(pl.DataFrame(schema=TABLE), pl.DataFrame(table, schema=APPLIED))


def scored(stays: list[dict[str, Any]], found: AuxiliaryTypes | None = None, **sections: Any) -> pl.DataFrame:
    rules = policy(**{"auxiliary": section(), **sections})
    measured = weights([{"rw_e4": 1_000_000, "last_mean_fen": 1_000_000}], coefficients=[("H1", "3", 11_000)])
    groups = measured.groups.with_columns(pl.lit(1_000_000).alias("mean_cost_fen"))
    measured = replace(measured, groups=groups, auxiliary=found or types(CHOSEN))
    frame = pl.DataFrame([{name: row[name] for name in SCHEMA} for row in stays], schema=SCHEMA)
    assert rules.auxiliary is not None
    frame = frame.with_columns(mark_levels(frame, rules.auxiliary, None))
    based = base_points(frame, measured, rules, pl.Series([False]))
    result = score(frame, measured, rules, pl.Series([False]), OPENING)
    assert based["points_base_e4"].equals(result["points_base_e4"])
    assert not [name for name in result.columns if name.startswith(("_aux", "_level"))]
    return result


def points(*stays: dict[str, Any], **sections: Any) -> list[int]:
    return scored(list(stays), **sections)["points_e4"].to_list()


# 100 x 1.1 x 2.1429 = 235.719; 100 x 1.1 x 0.4286 = 47.146
def test_points_before_deviation():
    got = scored([stay(), stay(age=40), stay(age=3), stay(outcome="ungrouped", group_idx=-1)])
    assert got["points_base_e4"].to_list()[:3] == [2_357_190, 471_460, 471_460]
    assert got.select(COLUMNS).rows() == [
        ("age", "old", 21_429),
        ("age", "other", 4_286),
        ("age", "other", 4_286),
        (None, None, None),
    ]
    assert points(stay(), points={"decimals": 0}) == [2_360_000]


# Without types 100 x 1.1 = 110: 235.719 - 110; 47.146 - 110. Whole points are rounded first: 236 - 110.
def test_what_types_add_before_deviation():
    got = scored([stay(), stay(4_000, age=40), stay(outcome="ungrouped", group_idx=-1)])
    assert got["auxiliary_points_e4"].to_list() == [1_257_190, -628_540, None]
    whole = scored([stay()], points={"decimals": 0})
    assert whole["auxiliary_points_e4"].to_list() == [1_260_000]
    assert scored([stay()], types([]))["auxiliary_points_e4"].to_list() == [0]


@pytest.mark.parametrize(
    ("rule", "cost", "expected"),
    [
        ("ratio", 4_000, 942_876),  # 235.719 x 0.4
        ("ratio_without_coefficient", 4_000, 857_160),  # 214.29 x 0.4
        ("excess", 25_000, 3_535_785),  # 235.719 x (2.5 - 2 + 1)
        ("excess_plus_coefficient", 25_000, 3_428_640),  # 214.29 x (2.5 - 2 + 1.1)
        ("actual_cost", 25_000, 25_000_000),  # 235.719 x 25,000 / 2,357.19
    ],
)
def test_the_formulas_of_bands_take_weight_times_coefficient(rule: str, cost: int, expected: int):
    low = rule.startswith("ratio")
    own = {"upto": "0.5", "points": rule} if low else {"above": 2, "points": rule}
    rest = {"above": "0.5", "points": "normal"} if low else {"upto": 2, "points": "normal"}
    deviation = banded(*([own, rest] if low else [rest, own]))
    assert points(stay(cost), deviation=deviation) == [expected]


# 214.29 x 4,000 / 10,000 = 85.716; never above the whole
def test_incomplete_stays_follow_it_too():
    rules = {"ways": [2]}
    assert points(stay(4_000, dscg_way=2), stay(20_000, dscg_way=2), incomplete=rules) == [857_160, 2_142_900]


def test_without_a_family_the_coefficient_is_one():
    got = scored([stay()], types([]))
    assert got.select(*COLUMNS, "points_e4").rows() == [(None, None, 10_000, 1_100_000)]


def test_of_listed_coefficients_the_largest_that_fits_counts():
    rows = [(0, 0, 0, "old", 12_000), (0, 1, 0, "died", 15_000), (0, 1, 1, "other", 9_000)]
    families = section(AGE, DEATH, source="listed")
    got = scored(
        [stay(), stay(dscg_way=5), stay(age=3), stay(age=3, dscg_way=5)], types(rows), auxiliary=families
    )
    assert got.select(COLUMNS).rows() == [
        ("age", "old", 12_000),
        ("death", "died", 15_000),
        ("death", "other", 9_000),
        ("death", "died", 15_000),
    ]


def test_limits_of_days_are_included_and_equal_ones_go_to_the_first_family():
    rows = [(0, 0, 0, "old", 12_000), (0, 1, 0, "died", 12_000)]
    families = section(AGE, DEATH, source="listed")
    died = [stay(dscg_way=5, act_ipt_days=days) for days in (2, 3, 5, 6, None)]
    got = scored(died, types(rows, los_from_days=3, los_upto_days=5), auxiliary=families)
    assert got["auxiliary_family"].to_list() == [None, "age", "age", None, None]


def listed(**cells: Any) -> pl.DataFrame:
    row = {"group_id": "G", "family": "age", "level": "old", "los_from_days": None, "los_upto_days": None}
    row |= {"coefficient_e4": 12_000, "source_file": "auxiliary.csv", "source_row": 7, **cells}
    return pl.DataFrame([row])


GROUPS = pl.DataFrame({"group_id": ["G", "Z"], "layer": ["basic", "comprehensive"]})


def test_a_list_becomes_coefficients():
    found = listed_auxiliary(listed(), GROUPS, policy(auxiliary=section(source="listed")))
    assert found.applied.rows() == [(0, 0, 0, "old", None, None, 12_000)]
    assert found.table.select("group_idx", "family", "level", "coefficient_e4", "status").rows() == [
        (0, "age", "old", 12_000, "listed")
    ]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"group_id": "X"}, "the catalogue has no such group"),
        ({"group_id": "Z"}, "groups of this layer have no auxiliary types"),
        ({"family": "cci"}, "the policy has no such family"),
        ({"level": "young"}, "the family has no such level"),
    ],
)
def test_a_row_that_fits_nothing_is_refused(cells: dict[str, str], message: str):
    with pytest.raises(RegionError, match=message) as caught:
        listed_auxiliary(listed(**cells), GROUPS, policy(auxiliary=section(source="listed")))
    error = caught.value
    [(field, value)] = cells.items()
    assert (error.code, error.row, error.field, error.value) == ("REGION_AUXILIARY", 7, field, value)
