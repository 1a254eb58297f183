"""Unstable groups, incomplete stays, bed-days, readmission and tiers of weights, each worked by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import banded, policy, weights

from fenzhi.points import base_points, readmitted_days, score
from fenzhi.policy.cases import Readmission
from fenzhi.weights import Weights
from twins import points as twin
from twins.profile import examples
from twins.rules import base_rules

OPENING = pl.DataFrame({"pool": ["E"], "opening_value_e4": [100_000]})
SCHEMA = {
    "setl_id": pl.String,
    "outcome": pl.String,
    "reason": pl.String,
    "group_idx": pl.Int32,
    "fixmedins_code": pl.String,
    "pool": pl.String,
    "cost_fen": pl.Int64,
    "act_ipt_days": pl.Int32,
    "dscg_way": pl.Int8,
    "readmitted_days": pl.Int32,
}


def stay(cost_yuan: int = 10_000, **cells: Any) -> dict[str, Any]:
    usual = {"outcome": "grouped", "reason": None, "group_idx": 0, "fixmedins_code": "H1", "pool": "E"}
    usual |= {"setl_id": "s", "act_ipt_days": 8, "dscg_way": 1, "readmitted_days": None}
    return {**usual, "cost_fen": cost_yuan * 100, **cells}


def measured(
    points: int = 120, coefficient_e4: int = 10_500, mean_yuan: int = 12_000, stable: bool | None = None
) -> Weights:
    """One group of so many points with this mean; M is 10,000 yuan."""
    found = weights(
        [{"rw_e4": points * 10_000, "last_mean_fen": mean_yuan * 100}],
        coefficients=[("H1", "3", coefficient_e4), ("H2", "2", 9_000)],
    )
    flag = pl.Series("stable", [stable], dtype=pl.Boolean)
    return replace(found, groups=found.groups.with_columns(flag))


def scored(rows: list[dict[str, Any]], history: Weights | None = None, **sections: Any) -> pl.DataFrame:
    frame = pl.DataFrame([{name: row[name] for name in SCHEMA} for row in rows], schema=SCHEMA)
    rules = policy(**{"weights": {"scale": 100}, **sections})
    return score(frame, history or measured(), rules, pl.Series([False]), OPENING)


def e4(*points: float) -> list[int]:
    return [round(each * 10_000) for each in points]


# --- incomplete stays ---

INCOMPLETE = {"ways": [2, 4], "reference": "all_level_mean"}


# Jinhua: base 120, coefficient 1.05. Complete 126; incomplete 4,000 of 12,000: 40; 15,000 of 12,000: 120.
def test_the_printed_figures_of_jinhua() -> None:
    rows = [stay(12_000), stay(4_000, dscg_way=2), stay(15_000, dscg_way=4)]
    got = scored(rows, incomplete=INCOMPLETE)
    assert got["points_e4"].to_list() == e4(126, 40, 120)
    assert got["deviation"].to_list() == ["normal", "incomplete", "incomplete"]
    assert got["points_base_e4"].to_list() == e4(126, 126, 126)
    assert got["reference_fen"].to_list() == [1_200_000] * 3


def test_the_twin_gives_the_printed_figures_of_jinhua() -> None:
    rules = base_rules(incomplete=INCOMPLETE)
    for cost, expected in ((4_000, 40), (15_000, 120)):
        assert twin.incomplete_points(1_200_000, 10_500, cost * 100, 1_200_000, rules) == expected * 10_000
    group = {"rw_e4": 1_200_000, "mean_cost_fen": 1_200_000, "stable": None}
    history = {"groups": {"G": group}, "coefficients": {"H": 10_500}, "newest_means": {}, "level_means": {}}
    hospital = {"fixmedins_code": "H", "level": "3"}
    whole = twin.score(
        "G", 1_200_000, hospital, False, None, history, rules, {"dscg_way": 1, "act_ipt_days": 5}
    )
    part = twin.score("G", 400_000, hospital, False, None, history, rules, {"dscg_way": 2, "act_ipt_days": 5})
    assert (whole["points_e4"], part["points_e4"]) == (1_260_000, 400_000)


# With the coefficient both are 126: 4,000 / 12,000 x 126 = 42.
def test_an_incomplete_stay_may_keep_its_coefficient() -> None:
    rows = [stay(4_000, dscg_way=2), stay(15_000, dscg_way=2)]
    got = scored(rows, incomplete={**INCOMPLETE, "coefficient": True})
    assert got["points_e4"].to_list() == e4(42, 126)


def test_short_stays_may_be_incomplete_and_what_is_not_known_is_not() -> None:
    rows = [stay(6_000, act_ipt_days=days, dscg_way=way) for days, way in ((1, 1), (2, 1), (3, 2), (3, None))]
    got = scored(rows, incomplete={"los_below_days": 2})
    assert got["deviation"].to_list() == ["incomplete", "normal", "normal", "normal"]
    both = scored(rows, incomplete={"los_below_days": 2, "ways": [2]})
    assert both["deviation"].to_list() == ["incomplete", "normal", "incomplete", "normal"]
    assert both["points_e4"].to_list() == e4(60, 126, 60, 126)


# 126 x 10 yuan = 1,260 yuan is the payment standard: 630 of it is half of 120.
def test_the_reference_of_incomplete_stays_is_their_own() -> None:
    got = scored([stay(630, dscg_way=2)], incomplete={**INCOMPLETE, "reference": "payment_standard"})
    assert (got["reference_fen"][0], got["points_e4"][0]) == (126_000, 600_000)


def test_without_reference_an_incomplete_stay_gets_the_whole() -> None:
    history = replace(
        measured(), groups=measured().groups.with_columns(pl.lit(None, pl.Int64).alias("last_mean_fen"))
    )
    got = scored([stay(1, dscg_way=2)], history, incomplete=INCOMPLETE)
    assert got.select("deviation", "reference_fen", "points_e4").row(0) == ("incomplete", None, 1_200_000)


def test_a_negative_cost_gives_no_negative_points() -> None:
    assert scored([stay(-5, dscg_way=2)], incomplete=INCOMPLETE)["points_e4"][0] == 0


def test_incomplete_stays_are_not_tested_for_deviation() -> None:
    bands = banded({"upto": "0.5", "points": "ratio"}, {"above": "0.5", "points": "normal"})
    got = scored([stay(4_000, dscg_way=2), stay(4_000)], deviation=bands, incomplete=INCOMPLETE)
    # 126 x 1/3 for the stay that is complete.
    assert got["points_e4"].to_list() == e4(40, 42)


# --- unstable groups ---

UNSTABLE = {"rule": "share_of_cost", "factor": "0.9"}


# 5,000 / 10,000 x 100 x 0.9 = 45 points, whatever weight and coefficient are.
def test_an_unstable_group_follows_its_cost() -> None:
    got = scored([stay(5_000)], measured(stable=False), stability=UNSTABLE)
    columns = ["rw_e4", "coefficient_e4", "auxiliary_e4", "points_base_e4", "deviation", "reference_fen"]
    assert got.select(columns).row(0) == (1_200_000, None, None, 450_000, "unstable", None)
    assert (got["points_e4"][0], got["outcome"][0]) == (450_000, "grouped")


@pytest.mark.parametrize("stable", [True, None])
def test_a_stable_group_and_one_of_which_nothing_is_known_are_paid_as_usual(stable: bool | None) -> None:
    got = scored([stay(5_000)], measured(stable=stable), stability=UNSTABLE)
    assert got.select("deviation", "points_e4").row(0) == ("normal", 1_260_000)


def test_an_unstable_group_may_be_paid_as_all_others() -> None:
    got = scored([stay(5_000)], measured(stable=False), stability={"rule": "normal"})
    assert got.select("deviation", "points_e4").row(0) == ("normal", 1_260_000)


def test_unstable_goes_before_incomplete() -> None:
    rows = [stay(5_000, dscg_way=2)]
    got = scored(rows, measured(stable=False), stability=UNSTABLE, incomplete=INCOMPLETE)
    assert got.select("deviation", "points_e4").row(0) == ("unstable", 450_000)


def test_the_history_of_an_unstable_group_has_the_same_points_before_deviation() -> None:
    frame = pl.DataFrame([{name: stay(5_000)[name] for name in SCHEMA}], schema=SCHEMA)
    rules = policy(weights={"scale": 100}, stability=UNSTABLE)
    based = base_points(frame, measured(stable=False), rules, pl.Series([False]))
    assert based["points_base_e4"].to_list() == [450_000]


# --- bed-days ---

STEPS = [
    {"upto_days": 10, "points_per_day": "6"},
    {"upto_days": 30, "points_per_day": "5.5"},
    {"points_per_day": "4"},
    {"level": "2", "points_per_day": "3.3333"},
]


def bed_days(days: list[int], code: str = "H1", **rules: Any) -> list[int]:
    rows = [
        stay(outcome="bed_day", group_idx=-1, act_ipt_days=n, fixmedins_code=code, setl_id=str(n))
        for n in days
    ]
    section = {"med_types": ["2105"], "steps": STEPS, **rules}
    got = scored(rows, bed_day=section, **({"points": {"decimals": 2}} if code == "H2" else {}))
    assert got["points_base_e4"].to_list() == got["points_e4"].to_list()
    assert got["rw_e4"].null_count() == got["deviation"].null_count() == len(days)
    return got["points_e4"].to_list()


# 1 x 6; 10 x 6; 60 + 1 x 5.5; 60 + 20 x 5.5 = 170; 170 + 4; 170 + 335 x 4 = 1,510.
def test_days_add_up_step_by_step() -> None:
    assert bed_days([1, 10, 11, 30, 31, 365]) == e4(6, 60, 65.5, 170, 174, 1_510)


# H2 has level 2: 3 x 3.3333 = 9.9999, to two decimals 10.00; 7 days 23.3331: 23.33.
def test_a_level_may_have_steps_of_its_own() -> None:
    assert bed_days([3, 7], "H2") == e4(10, 23.33)


# 60 x 1.05 = 63; level 2: 30 x 3.3333 x 0.9 = 89.9991.
def test_bed_days_may_have_the_coefficient_of_the_hospital() -> None:
    assert bed_days([10], coefficient=True) == e4(63)
    rows = [stay(outcome="bed_day", group_idx=-1, act_ipt_days=30, fixmedins_code="H2")]
    section = {"med_types": ["2105"], "steps": STEPS, "coefficient": True}
    got = scored(rows, bed_day=section)
    assert got.select("coefficient_e4", "points_e4").row(0) == (9_000, 899_991)


def test_a_hospital_that_is_not_listed_has_the_steps_of_all_others_and_one() -> None:
    assert bed_days([10], "H9", coefficient=True) == e4(60)


# --- readmission ---


def came(setl_id: str, admitted: str, left: str, **cells: Any) -> dict[str, Any]:
    times = {
        name: datetime.fromisoformat(when) for name, when in (("adm_time", admitted), ("dscg_time", left))
    }
    return {"setl_id": setl_id, "psn_no": "P", "group_idx": 0, "fixmedins_code": "H1", **times, **cells}


def days(*rows: dict[str, Any], **rules: Any) -> list[int | None]:
    schema = {"group_idx": pl.Int32, "psn_no": pl.String}
    section = Readmission(**{"days": 10, "factor": "0.5", **rules})
    return readmitted_days(pl.DataFrame(list(rows), schema_overrides=schema), section).to_list()


FIRST = came("a", "2027-03-01", "2027-03-05 23:00")


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (came("b", "2027-03-05 08:00", "2027-03-09"), 0),  # the same day, by the clock even earlier
        (came("b", "2027-03-15 23:59", "2027-03-20"), 10),
        (came("b", "2027-03-16", "2027-03-20"), None),  # the eleventh day
        (came("b", "2027-03-04", "2027-03-20"), None),  # they overlap
        (came("b", "2027-03-10", "2027-03-20", psn_no="Q"), None),
        (came("b", "2027-03-10", "2027-03-20", psn_no=None), None),
        (came("b", "2027-03-10", "2027-03-20", group_idx=1), None),
        (came("b", "2027-03-10", "2027-03-20", group_idx=-1), None),
        (came("b", "2027-03-10", "2027-03-20", fixmedins_code="H2"), None),
    ],
)
def test_who_comes_back_within_ten_days(second: dict[str, Any], expected: int | None) -> None:
    assert days(FIRST, second) == [None, expected]
    assert days(second, FIRST) == [expected, None]


def test_any_hospital_may_count() -> None:
    other = came("b", "2027-03-10", "2027-03-20", fixmedins_code="H2")
    assert days(FIRST, other, same_hospital=False) == [None, 5]


def test_persons_that_are_not_known_never_come_back() -> None:
    nobody = [came(name, "2027-03-01", "2027-03-02", psn_no=None) for name in "ab"]
    assert days(*nobody) == [None, None]
    rows = [{key: value for key, value in row.items() if key != "psn_no"} for row in nobody]
    frame = pl.DataFrame(rows, schema_overrides={"group_idx": pl.Int32})
    assert readmitted_days(frame, Readmission(days=1, factor=1)).to_list() == [None, None]


def test_each_stay_looks_at_the_one_before_and_equal_times_go_by_id() -> None:
    third = came("c", "2027-03-12", "2027-03-14")
    second = came("b", "2027-03-06", "2027-03-08")
    assert days(third, FIRST, second) == [4, None, 1]
    # Both left at once: b is the later one, by its id.
    twin_stay = {**FIRST, "setl_id": "b", "adm_time": datetime(2027, 3, 5)}
    assert days(FIRST, twin_stay) == [None, 0]
    assert days(twin_stay, FIRST) == [0, None]


# 126 x 0.3333 = 41.9958, one rounding; incomplete 40 x 0.3333 = 13.332.
def test_points_are_multiplied_after_the_deviation() -> None:
    rule = {"days": 10, "factor": "0.3333"}
    rows = [stay(12_000, readmitted_days=0), stay(12_000), stay(4_000, dscg_way=2, readmitted_days=10)]
    got = scored(rows, readmission=rule, incomplete=INCOMPLETE)
    assert got["points_e4"].to_list() == e4(41.9958, 126, 13.332)
    assert got["points_base_e4"].to_list() == e4(126, 126, 126)


def test_stays_outside_groups_are_never_readmitted() -> None:
    rows = [stay(5_000, group_idx=-1, outcome="ungrouped", readmitted_days=1)]
    got = scored(rows, readmission={"days": 10, "factor": 0})
    # 5,000 / 10,000 x 100 x 0.7
    assert got.select("readmitted_days", "points_e4").row(0) == (None, 350_000)


# --- tiers ---


def high_rate(limit: str) -> list[dict[str, Any]]:
    return [
        {"name": "low", "upto": "0.4", "upto_included": False, "points": "ratio"},
        {"name": "normal", "above": "0.4", "above_included": True, "upto": limit, "points": "normal"},
        {"name": "high", "above": limit, "points": "excess"},
    ]


# Above 3 x up to 100 points, 2.5 x up to 200, 2 x above; each excess is added.
TIERS = [
    {"rw_upto": 100, "bands": high_rate("3")},
    {"rw_above": 100, "rw_upto": 200, "bands": high_rate("2.5")},
    {"rw_above": 200, "bands": high_rate("2")},
]


@pytest.mark.parametrize(
    ("points", "cost", "expected"),
    [
        (100, 30_000, 100),  # r = 3 is normal up to 100 points
        (100, 40_000, 200),  # 100 x (4 - 3 + 1)
        (101, 30_000, 151.5),  # 101 x (3 - 2.5 + 1)
        (200, 30_000, 300),  # 200 x (3 - 2.5 + 1)
        (201, 30_000, 402),  # 201 x (3 - 2 + 1)
        (201, 20_000, 201),
        (150, 3_999, 59.985),  # low: 150 x 0.3999
        (150, 4_000, 150),
    ],
)
def test_the_weight_decides_from_where_a_cost_is_high(points: int, cost: int, expected: float) -> None:
    history = measured(points, 10_000, 10_000)
    got = scored([stay(cost)], history, deviation={"tiers": TIERS})
    assert got["points_e4"].to_list() == e4(expected)


@examples(60)
@given(weight=st.integers(0, 3_000_000), included=st.booleans())
def test_a_weight_lies_in_exactly_one_tier(weight: int, included: bool) -> None:
    def tier(name: str, **limits: Any) -> dict[str, Any]:
        return {**limits, "bands": [{"name": name, "points": "normal"}]}

    tiers = [
        tier("t1", rw_upto="100", rw_upto_included=included),
        tier("t2", rw_above="100", rw_above_included=not included, rw_upto="200"),
        tier("t3", rw_above="200"),
    ]
    history = measured(1, 10_000, 10_000)
    groups = history.groups.with_columns(pl.lit(weight, pl.Int64).alias("rw_e4"))
    got = scored([stay()], replace(history, groups=groups), deviation={"tiers": tiers})
    first = weight < 1_000_000 or (weight == 1_000_000 and included)
    assert got["deviation"][0] == ("t1" if first else "t2" if weight <= 2_000_000 else "t3")
