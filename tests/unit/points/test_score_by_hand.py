"""Base points, references and stays without a group, each worked by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
from worked import banded, policy, weights

from fenzhi.points import base_points, score
from fenzhi.policy.models import Policy
from fenzhi.weights import Weights

# r below 0.5 of the reference is paid by ratio, so that a reference shows in the points.
BANDS = (
    {"upto": "0.5", "upto_included": False, "points": "ratio"},
    {"above": "0.5", "above_included": True, "points": "normal"},
)
OPENING = pl.DataFrame({"pool": ["E"], "opening_value_e4": [50_000]})


def stay(group_idx: int, cost_yuan: int, hospital: str = "H1", outcome: str = "grouped") -> dict[str, Any]:
    return {
        "outcome": outcome,
        "reason": None,
        "group_idx": group_idx,
        "fixmedins_code": hospital,
        "pool": "E",
        "cost_fen": cost_yuan * 100,
    }


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    schema = {"group_idx": pl.Int32, "cost_fen": pl.Int64, "reason": pl.String}
    return pl.DataFrame(list(rows), schema_overrides=schema)


def scored(
    rows: list[dict[str, Any]],
    measured: Weights,
    rules: Policy,
    flat: tuple[bool, ...],
    opening: Any = OPENING,
) -> pl.DataFrame:
    return score(frame(*rows), measured, rules, pl.Series(list(flat), dtype=pl.Boolean), opening)


def test_points_are_weight_times_coefficient_and_grassroots_groups_have_one() -> None:
    measured = weights(
        [{"rw_e4": 8_000_000}, {"rw_e4": 1_234_567}], coefficients=[("H1", "3", 12_500), ("H2", "1", 8_000)]
    )
    rows = [stay(0, 1), stay(1, 1), stay(0, 1, "H2"), stay(1, 1, "H2", "comprehensive")]
    exempt = base_points(frame(*rows), measured, policy(), pl.Series([True, False]))
    assert exempt["rw_e4"].to_list() == [8_000_000, 1_234_567, 8_000_000, 1_234_567]
    assert exempt["coefficient_e4"].to_list() == [10_000, 12_500, 10_000, 8_000]
    assert exempt["auxiliary_e4"].to_list() == [10_000] * 4
    # 123.4567 x 1.25 = 154.320875 -> 154.3209; 123.4567 x 0.8 = 98.76536 -> 98.7654.
    assert exempt["points_base_e4"].to_list() == [8_000_000, 1_543_209, 8_000_000, 987_654]
    paid = base_points(
        frame(*rows), measured, policy(coefficients={"grassroots_exempt": False}), pl.Series([True, False])
    )
    assert paid["points_base_e4"].to_list() == [10_000_000, 1_543_209, 6_400_000, 987_654]


def test_a_hospital_without_coefficient_has_one() -> None:
    got = base_points(frame(stay(0, 1, "H9")), weights([{"rw_e4": 70_000}]), policy(), pl.Series([False]))
    assert got.select("coefficient_e4", "points_base_e4").row(0) == (10_000, 70_000)


# Group 0: level 3 has a mean of 900 yuan; level 1 has none, so all levels (600) stand in; half of it is the limit.
def test_the_same_level_falls_back_to_all_levels() -> None:
    measured = weights(
        [{"rw_e4": 1_000_000, "last_mean_fen": 60_000}],
        level_means=[(0, "3", 90_000)],
        coefficients=[("H1", "3", 10_000), ("H2", "1", 10_000)],
    )
    rules = policy(
        deviation=banded(*BANDS, test_reference="same_level_mean", factor_reference="same_level_mean")
    )
    got = scored([stay(0, 400), stay(0, 400, "H2"), stay(0, 400, "H9")], measured, rules, (False,))
    assert got["reference_fen"].to_list() == [90_000, 60_000, 60_000]
    # 400 / 900 is below a half: 100 x 4/9 = 44.4444; 400 / 600 is not.
    assert got["points_e4"].to_list() == [444_444, 1_000_000, 1_000_000]


def test_all_levels_and_payment_standard_as_references() -> None:
    measured = weights(
        [{"rw_e4": 1_000_000, "last_mean_fen": 60_000}],
        level_means=[(0, "3", 90_000)],
        coefficients=[("H1", "3", 12_000)],
    )
    for name, fen in (
        ("all_level_mean", 60_000),
        # 100 x 1.2 = 120 points at 5 yuan.
        ("payment_standard", 60_000),
        ("same_level_mean", 90_000),
    ):
        rules = policy(deviation=banded(*BANDS, test_reference=name, factor_reference=name))
        got = scored([stay(0, 300)], measured, rules, (False,))
        assert got["reference_fen"].to_list() == [fen], name
        # 300 is exactly half of 600, but a third of 900: 120 x 1/3.
        assert got["points_e4"].to_list() == [400_000 if fen == 90_000 else 1_200_000], name


def test_a_reference_of_zero_or_none_leaves_the_points() -> None:
    measured = weights(
        [{"rw_e4": 1_000_000, "last_mean_fen": 0}, {"rw_e4": 1_000_000, "last_mean_fen": None}],
        coefficients=[("H1", "3", 12_000)],
    )
    rules = policy(deviation=banded({"points": "ratio"}))
    got = scored([stay(0, 1), stay(1, 1)], measured, rules, (False, False))
    assert got["deviation"].to_list() == [None, None]
    assert got["points_e4"].to_list() == [1_200_000, 1_200_000]


def test_a_factor_reference_of_none_leaves_the_points_but_names_the_band() -> None:
    measured = weights([{"rw_e4": 1_000_000, "last_mean_fen": 60_000}], coefficients=[("H1", "3", 10_000)])
    rules = policy(
        deviation=banded(
            {"points": "ratio"}, test_reference="all_level_mean", factor_reference="payment_standard"
        )
    )
    opening = pl.DataFrame({"pool": ["E"], "opening_value_e4": pl.Series([None], dtype=pl.Int64)})
    got = scored([stay(0, 10)], measured, rules, (False,), opening)
    assert got.select("deviation", "points_e4").row(0) == ("b0", 1_000_000)


# 2,500 / 10,000 x 1,000 x 0.7 = 175 points; no coefficient, no deviation.
def test_an_ungrouped_stay_gets_a_share_of_its_cost() -> None:
    measured = weights([{"rw_e4": 1_000_000}], coefficients=[("H1", "3", 20_000)])
    rules = policy(deviation=banded({"points": "ratio"}))
    got = scored([stay(-1, 2_500, outcome="ungrouped")], measured, rules, (False,)).row(0, named=True)
    assert got["points_base_e4"] == got["points_e4"] == 1_750_000
    assert [got[name] for name in ("rw_e4", "coefficient_e4", "auxiliary_e4")] == [None] * 3
    assert [got[name] for name in ("deviation", "reference_fen")] == [None] * 2


def test_ungrouped_points_are_rounded_half_up_to_the_decimals() -> None:
    # M = 7 yuan: 1.00 / 7 x 1,000 x 0.7 = 100 exactly; 1.01 gives 101, 0.33 gives 33, 0.01 gives 1.
    measured = weights([], mean_fen=700)
    rows = [stay(-1, 0, outcome="ungrouped") | {"cost_fen": fen} for fen in (100, 101, 33, 1)]
    got = scored(rows, measured, policy(), ())
    assert got["points_e4"].to_list() == [1_000_000, 1_010_000, 330_000, 10_000]
    # Factor 0.75, scale 1: 1.00 / 7 x 0.75 = 0.10714, 0.10821, 0.03536, and one fen is 0.00107 -> 0.0011.
    fine = policy(ungrouped={"factor": "0.75"}, weights={"scale": 1})
    assert scored(rows, measured, fine, ())["points_e4"].to_list() == [1071, 1082, 354, 11]
    whole = policy(ungrouped={"factor": "0.75"}, weights={"scale": 10}, points={"decimals": 0})
    # Scale 10 and whole points: 1.0714 -> 1, 1.0821 -> 1, 0.3536 -> 0, 0.0107 -> 0.
    assert scored(rows, measured, whole, ())["points_e4"].to_list() == [10_000, 10_000, 0, 0]


def test_more_paid_apart_than_the_stay_cost_gives_no_points() -> None:
    rows = [stay(-1, -2_500, outcome="ungrouped"), stay(-1, 0, outcome="ungrouped")]
    got = scored(rows, weights([]), policy(), ())
    assert got["points_base_e4"].to_list() == got["points_e4"].to_list() == [0, 0]


def test_the_rule_none_pays_no_points() -> None:
    got = scored([stay(-1, 2_500, outcome="ungrouped")], weights([]), policy(ungrouped={"rule": "none"}), ())
    assert got["points_e4"].to_list() == [0]


def test_a_group_without_weight_makes_the_stay_ungrouped() -> None:
    measured = weights([{"rw_e4": None}, {"rw_e4": 50_000}], coefficients=[("H1", "3", 20_000)])
    rows = [stay(0, 2_500), stay(0, 2_500, outcome="comprehensive"), stay(1, 2_500)]
    got = scored(rows, measured, policy(), (True, False))
    assert got["outcome"].to_list() == ["ungrouped", "ungrouped", "grouped"]
    assert got["reason"].to_list() == ["no_weight", "no_weight", None]
    assert got["points_e4"].to_list() == [1_750_000, 1_750_000, 100_000]


def test_a_reason_that_is_there_stays() -> None:
    rows = [stay(-1, 100, outcome="ungrouped") | {"reason": "excluded_diagnosis"}]
    got = scored(rows, weights([]), policy(), ())
    assert got["reason"].to_list() == ["excluded_diagnosis"]


def test_rows_keep_their_order_and_their_columns() -> None:
    measured = weights(
        [{"rw_e4": 20_000, "last_mean_fen": 100}, {"rw_e4": 10_000, "last_mean_fen": 100}],
        level_means=[(0, "1", 100), (0, "3", 100), (1, "3", 100)],
        coefficients=[("H2", "1", 10_000), ("H1", "3", 10_000)],
    )
    rows = [stay(i % 2, 1, f"H{1 + i % 3 % 2}") | {"setl_id": f"S{i}"} for i in range(30)]
    got = scored(rows, measured, policy(), (False, False))
    assert got["setl_id"].to_list() == [f"S{i}" for i in range(30)]
    assert got["points_e4"].to_list() == [20_000, 10_000] * 15
    new = [
        "rw_e4",
        "coefficient_e4",
        "auxiliary_e4",
        "points_base_e4",
        "deviation",
        "reference_fen",
        "points_e4",
        "paid_directly",
    ]
    assert sorted(set(got.columns) - set(rows[0])) == sorted(new)


def test_no_stays_give_no_points() -> None:
    empty = frame(stay(0, 1)).clear()
    got = score(empty, weights([{"rw_e4": 1}]), policy(), pl.Series([False]), OPENING)
    assert got.height == 0
    assert got.schema["points_e4"] == pl.Int64
