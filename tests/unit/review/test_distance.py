"""How far a stay is from special review: by hand, and drawn against the twin that says who is eligible."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenzhi.policy.review import SpecialReview
from fenzhi.review.distance import icu_hours_e4, review_distances
from twins.review import holds


def rules(*criteria, **more) -> SpecialReview:
    named = [{"name": f"c{at}"} | one for at, one in enumerate(criteria)]
    return SpecialReview.model_validate({"quota": "0.1", "criteria": named} | more)


def stay(**more) -> pl.DataFrame:
    row = {
        "setl_id": "S",
        "cost_fen": 1_876_600,
        # 1,000 points at 10.0000 yuan: a standard of 10,000.00.
        "points_base_e4": 10_000_000,
        "opening_value_e4": 100_000,
        "reference_fen": 900_000,
        "act_ipt_days": 20,
        "age": 50,
        "icu_hours_e4": 720_000,
        "group_days": 80,
        "group_cases": 10,
        "items": [],
        "departments": ["A40"],
    } | more
    schema = {name: pl.Int64 for name in row if name not in ("setl_id", "items", "departments")}
    return pl.DataFrame(
        [row],
        schema={
            "setl_id": pl.String,
            **schema,
            **dict.fromkeys(("items", "departments"), pl.List(pl.String)),
        },
    )


def one(criterion, **more) -> tuple:
    [found] = review_distances(stay(**more), rules(criterion)).rows(named=True)
    return found["have"], found["needed"], found["missing"], found["holds"]


@pytest.mark.parametrize(
    ("criterion", "have", "needed", "missing"),
    [
        # Above 2 x 10,000.00: from 20,000.01 on.
        ({"cost_multiple": "2"}, 1_876_600, 2_000_001, 123_401),
        ({"cost_multiple": "1.8766"}, 1_876_600, 1_876_601, 1),
        ({"cost_multiple": "1.8765"}, 1_876_600, 1_876_501, 0),
        # Mean 8 days: 20 days are 2.5 times; above 2.5 times: 21.
        ({"los_multiple": "2.5"}, 20, 21, 1),
        ({"los_multiple": "2.4999"}, 20, 20, 0),
        ({"los_above_days": 60}, 20, 61, 41),
        ({"icu_above_hours": "72"}, 720_000, 720_001, 1),
        ({"age_upto": 28}, 50, 28, -22),
        ({"age_from": 65}, 50, 65, 15),
    ],
)
def test_the_distance_of_each_condition(criterion, have, needed, missing):
    assert one(criterion) == (have, needed, missing, missing == 0)


def test_the_reference_of_the_deviation_test():
    """Above 2 x 9,000.00: from 18,000.01 on, and 18,766.00 is above."""
    [found] = review_distances(stay(), rules({"cost_multiple": "2"}, reference="deviation")).rows(named=True)
    assert (found["needed"], found["missing"], found["holds"]) == (1_800_001, 0, True)


@pytest.mark.parametrize(
    ("criterion", "lacking"),
    [
        ({"cost_multiple": "2"}, {"opening_value_e4": None}),
        ({"cost_multiple": "2"}, {"points_base_e4": 0}),
        ({"los_multiple": "2"}, {"group_days": None, "group_cases": None}),
        ({"icu_above_hours": "1"}, {"icu_hours_e4": None}),
        ({"age_from": 1}, {"age": None}),
    ],
)
def test_what_is_not_known_does_not_hold_and_has_no_distance(criterion, lacking):
    _, _, missing, held = one(criterion, **lacking)
    assert (missing, held) == (None, False)


def test_names_have_no_figures():
    found = review_distances(stay(items=["X1"]), rules({"items": ["X1", "X2"], "departments": ["B1"]}))
    assert found.select("condition", "limit", "have", "missing", "holds").rows() == [
        ("items", "X1|X2", None, None, True),
        ("departments", "B1", None, None, False),
    ]


def test_hours_are_known_to_the_minute():
    """30 hours 20 minutes = 30.3333 hours."""
    assert icu_hours_e4(30 + 20 / 60) == 303_333
    assert icu_hours_e4(None) is None


NUMBER = st.one_of(st.none(), st.integers(0, 120))


@settings(max_examples=60)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "los_above_days": st.integers(1, 60),
            "los_multiple": st.sampled_from(["0.5", "1", "2.3333"]),
            "cost_multiple": st.sampled_from(["0.5", "1", "2.0001"]),
            "icu_above_hours": st.sampled_from(["0", "24.5"]),
            "age_from": st.integers(0, 40),
            "age_upto": st.integers(40, 99),
        },
    ).filter(bool),
    st.integers(0, 10**7),
    NUMBER.filter(lambda days: days is not None),
    NUMBER,
    st.one_of(st.none(), st.integers(0, 400_000)),
    st.integers(1, 30),
)
def test_a_criterion_holds_when_the_twin_says_so_and_what_is_missing_is_just_enough(
    criterion, cost, days, age, icu, cases
):
    frame = stay(cost_fen=cost, act_ipt_days=days, age=age, icu_hours_e4=icu, group_cases=cases)
    found = review_distances(frame, rules(criterion)).rows(named=True)
    row = {"act_ipt_days": days, "cost_fen": cost, "age": age, "nwb_age": None, "dscg_caty": "A40"}
    application = {"departments": [], "items": [], "icu_hours_e4": icu}
    compared, mean = 1_000_000, Fraction(80, cases)
    assert all(one["holds"] for one in found) == holds(criterion, application, row, mean, compared)
    names = {
        "cost_multiple": "cost_fen",
        "icu_above_hours": "icu_hours_e4",
        "age_from": "age",
        "age_upto": "age",
    }
    for one in found:
        if one["missing"]:
            name = names.get(one["condition"], "act_ipt_days")
            step = 1 if one["missing"] > 0 else -1
            for change, wanted in ((one["missing"], True), (one["missing"] - step, False)):
                there = frame.with_columns(pl.col(name) + change)
                again = review_distances(there, rules({one["condition"]: criterion[one["condition"]]}))
                assert again["holds"].to_list() == [wanted]
