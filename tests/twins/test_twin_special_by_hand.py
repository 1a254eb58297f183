"""The twins' rules for special stays and weights, against numbers worked by hand."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction

import pytest

from twins.points import bed_day_points, coefficient_of, pick_tier, readmissions, score, share_of_cost
from twins.pricing import value_of
from twins.rules import band, base_rules, tier
from twins.weights import RefusedError, cost_coefficient, is_stable, negotiated, weigh


def test_stable_by_spread_or_number():
    rules = base_rules(stability={"cv_max": "1.96"})["stability"]
    uneven = [100_000] * 9 + [2_000_000]  # CV 1.9655
    assert is_stable(10, uneven, rules)
    assert not is_stable(10, uneven, {**rules, "both": True})
    assert is_stable(10, uneven, {**rules, "both": True, "cv_max": "1.97"})
    assert not is_stable(2, [1, 3], {**rules, "cv_max": "0.4"})
    assert is_stable(2, [1, 3], {**rules, "cv_max": "0.5"})
    assert not is_stable(2, [0, 0], rules)


def test_a_cost_coefficient():
    rules = base_rules(coefficients={"form": "cost", "min_cases": 2, "cap": "1.2"})["coefficients"]
    assert cost_coefficient([900, 1_100], [900, 1_100, 2_800], rules) == 6_250  # 1,000 / 1,600
    assert cost_coefficient([900, 1_100], [900, 1_100, 100], rules) == 12_000  # 1.43, capped
    assert cost_coefficient([900], [900, 100], rules) == 10_000
    assert cost_coefficient([0, 0], [0, 0, 5], rules) == 10_000


def test_negotiated_weights_keep_the_total():
    groups = {
        name: {"rw_e4": rw, "history_cases": n}
        for name, rw, n in (("a", 11_667, 2), ("b", 23_333, 1), ("c", 5_833, 4), ("d", None, 0))
    }
    # 6.9999 in all, 3 for b: 3.9999 / 4.6666 = 0.857133: 1.000021 and 0.499968 are cut to 1.0000 and 0.4999; of the 3
    # steps that are missing the 4 stays of c cannot have one each, the 2 of a can.
    negotiated(groups, {"b": 30_000}, 4)
    assert [group["rw_e4"] for group in groups.values()] == [10_001, 30_000, 4_999, None]
    with pytest.raises(RefusedError):
        negotiated(groups, {"b": 80_000}, 4)
    with pytest.raises(RefusedError):
        negotiated(groups, {"a": 1, "b": 1, "c": 1}, 4)


def test_given_weights():
    history = [{"year": 2026, "group_id": "a", "fixmedins_code": "H", "cost_fen": 500}]
    hospitals = [{"fixmedins_code": "H", "level": "3", "type": "general", "coefficient_e4": None}]
    found = weigh(
        history, ["a", "b", "c"], hospitals, base_rules(), None, {"a": "1.00005", "b": "2", "c": None}
    )
    assert [found["groups"][name]["rw_e4"] for name in "abc"] == [10_000_500, 20_000_000, None]


def test_days_add_up():
    steps = [
        {"upto_days": 10, "points_per_day": "6"},
        {"points_per_day": "4"},
        {"level": "2", "points_per_day": "1.5"},
    ]
    rules = base_rules(bed_day={"med_types": ["2105"], "steps": steps})
    assert bed_day_points(12, "3", 10_000, rules) == 680_000
    assert bed_day_points(12, None, 10_500, rules) == 714_000
    assert bed_day_points(3, "2", 10_000, rules) == 45_000


def stay(setl_id, came, left, **cells):
    times = {"adm_time": datetime(2027, 3, came), "dscg_time": datetime(2027, 3, left)}
    return {"setl_id": setl_id, "psn_no": "P", "group_id": "G", "fixmedins_code": "H", **times, **cells}


def test_who_came_back():
    rules = base_rules(readmission={"days": 5, "factor": "0.5"})
    first, second = stay("a", 1, 5), stay("b", 10, 12)
    assert readmissions([second, first], rules) == {"b": 5}
    assert readmissions([first, stay("b", 11, 12)], rules) == {}
    assert readmissions([first, stay("b", 4, 12)], rules) == {}
    elsewhere = {**second, "fixmedins_code": "K"}
    assert readmissions([first, elsewhere], rules) == {}
    anywhere = base_rules(readmission={"days": 5, "factor": "0.5", "same_hospital": False})
    assert readmissions([first, elsewhere], anywhere) == {"b": 5}


def test_the_tier_of_a_weight():
    low, high = [band("a", "0", None, "normal")], [band("b", "0", None, "normal")]
    tiers = [tier("0", "100", low, "upto"), tier("100", None, high)]
    deviation = base_rules(deviation={"bands": [], "tiers": tiers})["deviation"]
    assert pick_tier(1_000_000, deviation) == low
    assert pick_tier(1_000_001, deviation) == high


def test_an_unstable_group_and_its_coefficients():
    history = {
        "mean_all": Fraction(1_000_000),
        "groups": {"G": {"rw_e4": 1_200_000, "stable": False, "mean_cost_fen": 1}},
        "coefficients": {"H": None, "K": 12_345},
        "costs": {("H", "G"): 9_000},
    }
    rules = base_rules(
        weights={"scale": 100},
        coefficients={"form": "cost"},
        stability={"rule": "share_of_cost", "factor": "0.9"},
    )
    assert share_of_cost(500_000, "0.9", history, rules) == 450_000
    result = score("G", 500_000, {"fixmedins_code": "H", "level": "3"}, False, None, history, rules)
    assert (result["deviation"], result["points_e4"], result["coefficient_e4"]) == ("unstable", 450_000, None)
    assert [coefficient_of(code, "G", history, rules) for code in "HK"] == [9_000, 12_345]
    assert coefficient_of("H", None, history, rules) == 10_000


def test_a_fixed_rate():
    rules = base_rules(point_value={"rate": "fixed"}, settlement={"residual": "reserve"})
    assert value_of(1, 10, 10, 56_789, Fraction(1), 0, rules) == (56_789, None)
    assert value_of(1, 0, 0, None, Fraction(1), 0, rules) == (None, None)
    with pytest.raises(RefusedError):
        value_of(1, 10, 10, None, Fraction(1), 0, rules)
