"""Elastic values, floor and ceiling, values by period: the tiny region's money, worked by hand.

16 points at H1 (10 + 5 in January, 1 in March), 4 at H2 (February). Ratio 0.6. Opening value 90.
"""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import policy

from fenzhi.budget import price
from fenzhi.errors import PolicyError, RegionError
from fenzhi.policy.models import Policy
from fenzhi.settlement.settle import Settled, settle

from . import tiny
from .tiny import by, fund, inputs, settled


def elastic(form: str = "base_volume", **more: Any) -> Policy:
    keys = {
        name: more.pop(name)
        for name in tuple(more)
        if name in ("base", "base_share", "severe_from", "severe_groups")
    }
    return policy(point_value={"rate": "elastic", "elastic": {"form": form, **keys}, **more})


def the_pool(got: Settled) -> dict[str, Any]:
    return got.pools.row(0, named=True)


# 20 points, 16 of them fixed: 16 x 90 x 0.6 = 864.00 of the fund of 1,200.01; for the others 336.01 / 0.6 / 4 =
# 140.0042.
def test_base_volume_of_this_year() -> None:
    got = settled(rules=elastic())
    pool = the_pool(got)
    assert (pool["fixed_points_e4"], pool["settlement_value_e4"], pool["residual_fen"]) == (
        160_000,
        1_400_042,
        0,
    )
    # Fixed 12.8 and 3.2 points: 691.20 and 172.80; floating 3.2 and 0.8 of 4: 268.808 and 67.202 -> 268.81, 67.20.
    assert by(got.hospitals, "gross_fen") == {"H1": 96_001, "H2": 24_000}
    # S4: 3.2 x 90 + 0.8 x 140.0042 = 400.00336.
    assert by(got.stays, "standard_fen", "setl_id")["S4"] == 40_000
    assert sum(by(got.stays, "payable_fen", "setl_id").values()) == 120_001


# Last year H1 had 10 points, H2 30: with 0.8 H1 has 8 fixed points, H2 all of its 4. 12 x 90 x 0.6 = 648.00;
# (1,200.01 - 648.00) / 0.6 / 8 = 115.0021 for H1's other 8 points.
def test_base_volume_of_last_year() -> None:
    rules = elastic(base="last_year")
    last = tiny.table(tiny.LAST, ("H1", "E", 100_000), ("H2", "E", 300_000))
    stays, money = tiny.with_fixed(tiny.scored(), rules, last=last), tiny.budget()
    # 8 over 10 : 5 : 1 of 16: 5, 2.5, 0.5.
    assert by(stays, "fixed_points_e4", "setl_id") == {"S1": 50_000, "S2": 25_000, "S3": 5_000, "S4": 40_000}
    got = settle(stays, price(stays, money, tiny.opening(), rules.point_value), money, rules, inputs())
    assert the_pool(got)["settlement_value_e4"] == 1_150_021
    # H1: 8 x 90 x 0.6 = 432.00 and all that floats, 552.01; H2: 4 x 90 x 0.6 = 216.00.
    assert by(got.hospitals, "gross_fen") == {"H1": 98_401, "H2": 21_600}


# S1 alone has a weight of 8: 10 fixed points, 540.00. (1,200.01 - 540.00) / 0.6 / 10 = 110.0017.
def test_severe_groups_are_fixed() -> None:
    got = settled(rules=elastic("severe", severe_from="8"))
    assert the_pool(got)["settlement_value_e4"] == 1_100_017
    assert by(got.stays, "fixed_points_e4", "setl_id") == {"S1": 100_000, "S2": 0, "S3": 0, "S4": 0}
    # 660.01 over 6 : 4 floating points: 396.006 and 264.004 -> 396.01 and 264.00.
    assert by(got.hospitals, "gross_fen") == {"H1": 93_601, "H2": 26_400}
    paid = by(got.stays, "payable_fen", "setl_id")
    # S1 gets the fixed 540.00; 396.01 over 5 : 1: 330.008 and 66.002.
    assert paid == {"S1": 54_000, "S2": 33_001, "S3": 6_600, "S4": 26_400}


def test_severe_groups_by_name_and_rigid_costs() -> None:
    stays = tiny.scored().with_columns(
        group_id=pl.Series(["A", "B", None, "B"]), rigid_e4=pl.Series([2_500, 3_333, None, 3_333])
    )
    named = tiny.with_fixed(stays, elastic("severe", severe_groups=["B"]))
    assert named["fixed_points_e4"].to_list() == [0, 50_000, 0, 40_000]
    rigid = tiny.with_fixed(stays, elastic("rigid_cost"))
    # 10 x 0.25, 5 x 0.3333, no weight, 4 x 0.3333.
    assert rigid["fixed_points_e4"].to_list() == [25_000, 16_665, 0, 13_332]


def test_points_that_are_all_fixed_leave_the_rest_to_the_reserve() -> None:
    got = settled(rules=elastic(base_share="1"))
    pool = the_pool(got)
    # 20 x 90 x 0.6 = 1,080.00 of 1,200.01.
    assert (pool["settlement_value_e4"], pool["value_limit"]) == (900_000, "fixed")
    assert (pool["gross_fen"], pool["residual_fen"]) == (108_000, 12_001)


def test_fixed_points_that_take_more_than_there_is() -> None:
    got = settled(rules=elastic(), lines=fund("800"))
    pool = the_pool(got)
    assert (pool["settlement_value_e4"], pool["value_limit"]) == (0, "zero")
    # 864.00 are owed; the reserve lacks 64.00.
    assert (pool["gross_fen"], pool["residual_fen"], pool["reserve_left_fen"]) == (86_400, -6_400, -6_400)


def test_an_elastic_rate_needs_an_opening_value() -> None:
    with pytest.raises(RegionError, match="pool E no opening value"):
        settled(rules=elastic(), value_e4=None)


# No stay is severe, so that no point needs the opening value: 1,200.01 / 0.6 / 20 = 100.0008; S4: 4 x 100.0008.
def test_without_fixed_points_no_opening_value_is_needed() -> None:
    got = settled(rules=elastic("severe", severe_from="100"), value_e4=None)
    assert the_pool(got)["settlement_value_e4"] == 1_000_008
    assert by(got.stays, "standard_fen", "setl_id") == {
        "S1": 100_001,
        "S2": 50_000,
        "S3": 10_000,
        "S4": 40_000,
    }
    assert by(got.hospitals, "gross_fen") == {"H1": 96_001, "H2": 24_000}


def bounded(**bounds: str) -> Policy:
    return policy(point_value=bounds)


# 1,200.01 / 0.6 / 20 = 100.0008. A ceiling of 1.1 x 90 = 99: 20 x 99 x 0.6 = 1,188.00, 12.01 join the reserve of 99.99.
def test_the_ceiling_fills_the_reserve() -> None:
    pool = the_pool(got := settled(rules=bounded(ceiling="1.1")))
    assert (pool["settlement_value_e4"], pool["value_limit"], pool["residual_fen"]) == (
        990_000,
        "ceiling",
        1_201,
    )
    assert pool["reserve_left_fen"] == 9_999 + 1_201
    assert by(got.hospitals, "gross_fen") == {"H1": 95_040, "H2": 23_760}


# A floor of 1.15 x 90 = 103.5: 1,242.00, 41.99 out of the reserve.
def test_the_floor_takes_from_the_reserve() -> None:
    pool = the_pool(settled(rules=bounded(floor="1.15")))
    assert (pool["settlement_value_e4"], pool["value_limit"], pool["residual_fen"]) == (
        1_035_000,
        "floor",
        -4_199,
    )
    assert pool["reserve_left_fen"] == 9_999 - 4_199


# A floor of 1.3 x 90 = 117 needs 1,404.00; fund and reserve have 1,300.00: 1,300.00 / 0.6 / 20 = 108.33333 -> 108.3333.
# 20 x 108.3333 x 0.6 = 1,299.9996 -> 1,300.00.
def test_the_floor_ends_where_the_reserve_does() -> None:
    pool = the_pool(settled(rules=bounded(floor="1.3")))
    assert (pool["settlement_value_e4"], pool["value_limit"]) == (1_083_333, "reserve")
    assert (pool["gross_fen"], pool["residual_fen"], pool["reserve_left_fen"]) == (130_000, -9_999, 0)


def test_a_value_inside_its_bounds_is_free() -> None:
    pool = the_pool(settled(rules=bounded(floor="1", ceiling="1.2")))
    assert (pool["settlement_value_e4"], pool["value_limit"], pool["residual_fen"]) == (1_000_008, None, 0)
    # Without an opening value there are no bounds.
    assert the_pool(settled(rules=bounded(floor="9"), value_e4=None))["value_limit"] is None


# All stays lie in the first quarter: it has the whole fund.
def test_a_period_without_points_has_no_fund() -> None:
    got = settled(rules=policy(point_value={"period": "quarter"}))
    assert the_pool(got)["settlement_value_e4"] == 1_000_008


# By month, by booked: January 900.00, February 200.00, March 100.00 of 1,200.00 booked. 1,200.01 splits into 900.0075,
# 200.0017, 100.0008: 90,001, 20,000, 10,000. January 90,001 / 0.6 / 15 points = 100.0011; February 83.3333, March
# 166.6667.
def test_a_value_for_each_month() -> None:
    got = settled(rules=policy(point_value={"period": "month"}))
    assert by(got.stays, "point_value_e4", "setl_id") == {
        "S1": 1_000_011,
        "S2": 1_000_011,
        "S3": 1_666_667,
        "S4": 833_333,
    }
    assert by(got.hospitals, "gross_fen") == {"H1": 100_001, "H2": 20_000}
    # The average: (15 x 100.0011 + 4 x 83.3333 + 1 x 166.6667) / 20 = 100.0008.
    assert the_pool(got)["settlement_value_e4"] == 1_000_008


# Equally over the three months with stays: 400.00 each, the fen left goes to the first: 400.01.
def test_months_may_share_equally() -> None:
    got = settled(rules=policy(point_value={"period": "month", "period_split": "equal"}))
    assert by(got.hospitals, "gross_fen") == {"H1": 80_001, "H2": 40_000}


def test_stays_without_fixed_points_are_refused_where_the_policy_needs_them() -> None:
    with pytest.raises(PolicyError) as caught:
        price(tiny.scored(), tiny.budget(), tiny.opening(), elastic().point_value)
    assert caught.value.code == "POLICY_UNITS"
    # A plain policy needs none: all points float.
    plain = price(tiny.scored(), tiny.budget(), tiny.opening(), policy().point_value)
    assert plain.select("period", "fixed_points_e4").row(0) == (0, 0)
