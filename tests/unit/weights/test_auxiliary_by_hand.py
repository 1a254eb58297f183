"""Auxiliary types worked by hand: levels of stays, families that divide a group, coefficients."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worked import policy

from fenzhi.codes import read_comorbidity
from fenzhi.policy import load_policy
from fenzhi.policy.auxiliary import Auxiliary
from fenzhi.shipped import shipped_dir
from fenzhi.weights.auxiliary import AuxiliaryTypes, measure_auxiliary
from fenzhi.weights.levels import level_name, mark_levels, with_levels
from twins.profile import examples

NATIONAL = load_policy("national-dip-3.0-auxiliary").auxiliary
assert NATIONAL is not None
LISTS = read_comorbidity(shipped_dir() / "comorbidity" / "demonstration.csv")
SCHEMA = {
    "diag_codes": pl.List(pl.String),
    "dscg_way": pl.Int8,
    "act_ipt_days": pl.Int32,
    "age": pl.Int16,
    "nwb_age": pl.Int32,
    "icu_hours": pl.Float64,
    "medfee_sumamt_fen": pl.Int64,
    "cost_fen": pl.Int64,
    "treat_fee_fen": pl.Int64,
    "drug_fee_fen": pl.Int64,
    "group_idx": pl.Int32,
}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {"diag_codes": ["K35.800"], "dscg_way": 1, "act_ipt_days": 6, "age": 40, "group_idx": 0}
    made = []
    for row in rows:
        cost = row.get("cost_fen", 1_000_000)
        made.append({**dict.fromkeys(SCHEMA), **usual, "cost_fen": cost, "medfee_sumamt_fen": cost, **row})
    return pl.DataFrame(made, schema=SCHEMA)


def levels(family: str, *rows: dict[str, Any], mean_fen: int | None = 1_000_000) -> list[str]:
    """The level of each stay in one family of the national rules."""
    stays = frame(*rows)
    stays = stays.with_columns(mark_levels(stays, NATIONAL, LISTS))
    found = with_levels(stays, NATIONAL, pl.Series([mean_fen], dtype=pl.Int64))
    place = [one.name for one in NATIONAL.families].index(family)
    names = NATIONAL.level_names(NATIONAL.families[place])
    return [names[at] for at in found[level_name(place)]]


def others(*codes: str, **cells: Any) -> dict[str, Any]:
    return {"diag_codes": ["K35.800", *codes], **cells}


def tumour(*codes: str, **cells: Any) -> dict[str, Any]:
    return {"diag_codes": ["C34.900", *codes], **cells}


def test_severity_death_first_then_the_lists_from_three_days_on():
    died = {"dscg_way": 5}
    assert levels("severity", {**died, "act_ipt_days": 2}, {**died, "act_ipt_days": 5}) == [
        "death_short",
        "death",
    ]
    long, short = others("R57.000", act_ipt_days=6), others("R57.000", act_ipt_days=2)
    assert levels("severity", long, short, others("I63.900"), others("J45.900")) == [
        "severe",
        "other",
        "moderate",
        "other",
    ]
    # Both lists: severe comes first. The principal diagnosis itself does not count.
    assert levels("severity", others("I63.900", "R57.000"), {"diag_codes": ["R57.000"]}) == [
        "severe",
        "other",
    ]


def test_severity_is_not_for_tumours_and_the_other_way_round():
    assert levels("severity", tumour("R57.000"), tumour(dscg_way=5)) == ["other", "other"]
    assert levels("tumour", others("C78.000"), others(dscg_way=5)) == ["other", "other"]


# One category is one score: J44 and J45 together 1. 2: + I50. 3: + N18 (2). E11.9 and E11.7 are diabetes, 2.
def test_comorbidity_score():
    rows = [
        others(),
        others("J44.900", "J45.900"),
        others("J44.900", "I50.900"),
        others("J44.900", "N18.900"),
        others("N18.900", "E11.900", "E11.700"),
        others("N18.900", "E11.700", "I50.900"),
        others("C78.000", "E11.700", "I50.900"),
    ]
    names = ["other", "general", "general", "severe", "severe", "very_severe", "very_severe"]
    assert levels("cci", *rows) == names


def test_ages():
    ages = [
        {"age": 0, "nwb_age": 10},
        {"age": 0, "nwb_age": 100},
        *({"age": n} for n in (3, 10, 67, 75, 85, 40)),
    ]
    found = levels("age", *ages, {"age": None})
    bands = [
        "d0-28",
        "d29-1y",
        "y1-6",
        "y7-17",
        "y65-69/other",
        "y70-79/other",
        "y80/other",
        "other",
        "other",
    ]
    assert found == bands
    assert levels("age", others("R57.000", age=67), others(dscg_way=5, age=90)) == [
        "y65-69/severe",
        "y80/death",
    ]


def test_days_of_intensive_care():
    days = [1, 5, 10, 20, 40]
    found = levels("icu", *({"icu_hours": float(day * 24)} for day in days), {"icu_hours": None})
    assert found == ["other", "d2-7", "d8-14", "d15-30", "d31", "other"]
    assert levels("icu", {"icu_hours": 47 + 59 / 60}, {"icu_hours": 48.0}) == ["other", "d2-7"]


def test_tumours_the_first_that_holds():
    high = {"cost_fen": 12_000_000, "treat_fee_fen": 7_000_000}
    mean = 3_750_000  # three of 10,000 and one of 120,000: three times is 112,500
    assert levels("tumour", tumour(**high), mean_fen=mean) == ["high_cost_1"]
    assert levels("tumour", tumour(**high, dscg_way=5), mean_fen=mean) == ["death"]
    at = {"cost_fen": 11_250_000, "treat_fee_fen": 5_625_000}
    below = {"cost_fen": 11_249_999, "treat_fee_fen": 5_625_000}
    less = {"cost_fen": 11_250_000, "treat_fee_fen": 5_624_999}
    assert levels("tumour", tumour(**at), tumour(**below), tumour(**less), mean_fen=mean) == [
        "high_cost_1",
        "other",
        "other",
    ]
    cost = {"cost_fen": 4_000_000}
    first, second = {"treat_fee_fen": 2_500_000}, {"treat_fee_fen": 0, "drug_fee_fen": 2_500_000}
    assert levels("tumour", tumour(**cost, **first), tumour(**cost, **second)) == [
        "high_cost_1",
        "high_cost_2",
    ]
    assert levels("tumour", tumour(**cost, **first), mean_fen=None) == ["other"]
    rows = [tumour("C78.000"), tumour("C78.000", act_ipt_days=2), tumour("R57.000"), tumour("J18.900")]
    assert levels("tumour", *rows) == ["metastasis", "other", "failure", "damage"]


def family(name: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "levels": [{"name": f"{name}{n}", **one} for n, one in enumerate(conditions, 1)]}


SEVERE = family("severity", {"lists": ["severe"], "los_from": 3})
OLD = family("age", {"age_from": 65})


def measure(rows: list[dict[str, Any]], *families: dict[str, Any], **settings: Any) -> AuxiliaryTypes:
    """One group, one year, nothing trimmed."""
    section = {"comorbidity": "demonstration", "families": list(families or (SEVERE,)), **settings}
    rules = policy(weights={"trim": {"method": "none"}}, auxiliary=section)
    stays = frame(*rows)
    assert rules.auxiliary is not None
    history = stays.select("group_idx", "cost_fen", pl.lit(2026).alias("year")).with_columns(
        mark_levels(stays, rules.auxiliary, LISTS)
    )
    costs = stays["cost_fen"]
    weighed = pl.DataFrame(
        {
            "mean_cost_fen": [(2 * costs.sum() + costs.len()) // (2 * costs.len())],
            "cv": [costs.std(ddof=0) / costs.mean()],
            "low_fen": [costs.min()],
            "high_fen": [costs.max()],
            "stable": [None],
        }
    )
    groups = pl.DataFrame({"group_id": ["G"], "layer": ["basic"]})
    return measure_auxiliary(history, groups, weighed, rules, (2026,))


def mild(yuan: int = 8_000, **cells: Any) -> dict[str, Any]:
    return {"cost_fen": yuan * 100, "act_ipt_days": 10, **cells}


def severe(yuan: int = 40_000, **cells: Any) -> dict[str, Any]:
    return others("R57.000", **{**mild(yuan), **cells})


def found(types: AuxiliaryTypes) -> list[tuple[Any, ...]]:
    return types.table.select("family", "level", "cases", "mean_cost_fen", "coefficient_e4", "status").rows()


# m = (20 x 8,000 + 10 x 40,000) / 30 = 18,666.67; 40,000 / m = 2.1429, 8,000 / m = 0.4286. CV 0.8081 -> 0.
def test_severe_and_mild_stays_divide_a_group():
    types = measure([mild()] * 20 + [severe()] * 10)
    assert found(types) == [
        ("severity", "severity1", 10, 4_000_000, 21_429, "chosen"),
        ("severity", "other", 20, 800_000, 4_286, "chosen"),
    ]
    assert types.table["cases"].sum() == 30
    assert types.table["cv"][0] == pytest.approx(0.8081, abs=5e-5)
    assert types.table["cv_after"].to_list() == [0, 0]


def test_costs_around_8000_and_40000_divide_it_too():
    rows = [mild(8_000 + 100 * (n % 5 - 2)) for n in range(20)]
    rows += [severe(40_000 + 500 * (n % 5 - 2)) for n in range(10)]
    assert set(measure(rows).table["status"]) == {"chosen"}


def test_stays_that_are_all_alike_are_not_divided():
    assert found(measure([mild(5_000)] * 20)) == [("severity", "other", 20, 500_000, None, "one_level")]


def test_twelve_stays_are_too_few():
    assert found(measure([mild()] * 7 + [severe()] * 5)) == [(None, None, 12, None, None, "too_few_cases")]


def test_levels_with_few_stays_join_the_rest():
    rows = [mild()] * 20 + [severe()] * 4
    assert measure(rows).table["status"].to_list() == ["one_level"]
    assert measure(rows, min_level_cases=4).table["status"].to_list() == ["chosen", "chosen"]


# 3 mild ones are too few to be a level: the rest counts 1. m = (12 x 40,000 + 3 x 8,000) / 15 = 33,600.
def test_a_small_rest_counts_one():
    types = measure([severe()] * 12 + [mild()] * 3)
    assert types.table["coefficient_e4"].to_list() == [11_905, 10_000]


# Both levels cost 1,000 or 3,000: nothing is gained. cv_drop 0 asks for no more.
def test_the_limit_of_the_drop_is_included():
    rows = [one(yuan) for one in (mild, severe) for yuan in (1_000, 3_000) for _ in range(5)]
    assert set(measure(rows, cv_drop="0").table["status"]) == {"chosen"}
    assert set(measure(rows, cv_drop="0.0001").table["status"]) == {"cv_not_lower"}


# Old ones: 10 of 40,000 and 5 of 8,000. Severe: 10 of 40,000. The higher coefficient is that of severity.
def test_of_two_families_the_higher_coefficient_is_taken():
    rows = [severe(age=70)] * 10 + [mild(age=70)] * 5 + [mild()] * 15
    types = measure(rows, OLD, SEVERE)
    status = dict(types.table.select("family", "status").iter_rows())
    assert status == {"severity": "chosen", "age": "other_family"}
    assert types.applied.select("place", "found", "level", "coefficient_e4").rows() == [
        (1, 0, "severity1", 21_429),
        (1, 1, "other", 4_286),
    ]
    # Equal coefficients: the first family of the policy.
    same = measure([severe(age=70)] * 10 + [mild()] * 20, OLD, SEVERE)
    assert dict(same.table.select("family", "status").iter_rows()) == {
        "age": "chosen",
        "severity": "other_family",
    }


def test_a_level_never_seen_goes_by_the_rest():
    types = measure([mild()] * 20 + [severe()] * 10, family("s", {"lists": ["severe"]}, {"ways": [5]}))
    assert types.applied.select("found", "level", "coefficient_e4").rows() == [
        (0, "s1", 21_429),
        (1, "other", 4_286),
        (2, "other", 4_286),
    ]


def test_costs_of_nothing_divide_nothing():
    assert set(measure([mild()] * 20 + [severe(0)] * 10).table["status"]) == {"no_cost"}


COST = st.integers(1, 10**6)


@examples(100)
@given(low=st.lists(COST, min_size=5, max_size=20), high=st.lists(COST, min_size=5, max_size=20))
def test_coefficients_average_to_one(low: list[int], high: list[int]):
    types = measure([mild(yuan) for yuan in low] + [severe(yuan) for yuan in high], cv_drop="0", min_cases=1)
    if types.table["status"][0] != "chosen":
        return
    n = len(low) + len(high)
    total = (types.table["cases"] * types.table["coefficient_e4"]).sum()
    assert abs(total - 10_000 * n) * 2 <= n


def test_layers_without_auxiliary_types_are_not_looked_at():
    assert NATIONAL.excluded_layers == ("comprehensive", "tcm")
    assert found(measure([mild()] * 20 + [severe()] * 10, excluded_layers=["basic"])) == []


def level(**cells: Any) -> dict[str, Any]:
    return {"name": "f", "levels": [{"name": "l", "los_from": 1, **cells}]}


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ([level(name="other")], "no level may be named 'other'"),
        ([level(fees=["drug_fee"])], "level 'l' needs fees and fee_share_from together"),
        ([level(los_upto=0)], "level 'l': los_from is larger than los_upto"),
        ([{"name": "f", "levels": [{"name": "l"}]}], "level 'l' states no condition"),
        (
            [{"name": "f", "levels": [{"name": "l", "ways": [5]}] * 2}],
            "family 'f' has two levels of the same name",
        ),
        ([level(), level()], "two families have the same name"),
        ([level(split_by="g")], "level 'l' of 'f' is split by 'g'"),
        ([level(lists=["severe"])], "families that look at diagnoses need comorbidity"),
        ([level(cci_from=1)], "families that look at diagnoses need comorbidity"),
    ],
)
def test_a_section_that_cannot_be_is_refused(families: list[dict[str, Any]], message: str):
    with pytest.raises(ValueError, match=message):
        Auxiliary.model_validate({"families": families})


def test_levels_in_words():
    by_name = {one.name: one for one in NATIONAL.families}
    assert NATIONAL.title_of(by_name["icu"], "d2-7") == "重症监护天数: 2-7 天"
    assert NATIONAL.title_of(by_name["cci"], "other") == "CCI 指数: other"
    assert NATIONAL.title_of(by_name["age"], "y80/severe") == "年龄特征: 80 周岁及以上, 疾病严重程度: 重度"
