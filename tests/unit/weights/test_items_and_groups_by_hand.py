"""Coefficients with a bonus, as a product and per group, worked by hand; layers that are exempt."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.errors import PolicyError
from fenzhi.weights import Weights, weigh

CATALOG = catalog(row("G0", "K35"), row("G1", "K36", "conservative"), row("G2", "K37"))
PLACES = hospitals(("A", "3", "general", None), ("B", "2", "general", None), ("C", "2", "tcm", "0.7777"))


def measured(
    stays: list[tuple[int, int, str, int]],
    values: dict[tuple[str, str], int] | None = None,
    places: pl.DataFrame = PLACES,
    **rules: Any,
) -> Weights:
    """Weigh stays given as (group, year, hospital, cost in yuan) under a section on coefficients."""
    history = pl.DataFrame(
        [(group, year, code, cost * 100) for group, year, code, cost in stays],
        schema={"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64},
        orient="row",
    )
    bonuses = pl.DataFrame(
        [(code, item, value) for (code, item), value in (values or {}).items()],
        schema={"fixmedins_code": pl.String, "item": pl.String, "value_e4": pl.Int64},
        orient="row",
    )
    sections = policy(coefficients=rules, weights={"trim": {"method": "none"}})
    return weigh(history, CATALOG, sections, places, None, bonuses)


def coefficients(found: Weights) -> dict[str, tuple[int, str]]:
    columns = found.coefficients.select("fixmedins_code", "coefficient_e4", "coefficient_source")
    return {code: (value, source) for code, value, source in columns.iter_rows()}


# --- basic and bonus ---

# M = (3,000 + 1,000) / 2 = 2,000: class 3|general 1.5, class 2|general 0.5; 2|tcm has no stay: 1.
PAST = [(0, 2026, "A", 3_000), (0, 2026, "B", 1_000)]
VALUES = {("A", "capability"): 9_000, ("A", "CMI"): 12_000, ("B", "capability"): 0, ("B", "CMI"): -20_000}
BONUS = [
    {"name": "capability", "weight": "0.05", "cap": "0.04"},
    {"name": "CMI", "weight": "0.1", "cap": "0.5"},
]


# A: 1.5 + min(0.9 x 0.05 = 0.045, 0.04) + 1.2 x 0.1 = 1.66; B: 0.5 + 0 - 2 x 0.1 = 0.3; C is given.
def test_basic_and_bonus() -> None:
    found = coefficients(measured(PAST, VALUES, form="basic_bonus", items=BONUS))
    assert found == {"A": (16_600, "basic_bonus"), "B": (3_000, "basic_bonus"), "C": (7_777, "given")}


def test_floor_and_cap_bound_the_total_and_not_the_basic_coefficient() -> None:
    found = measured(PAST, VALUES, form="basic_bonus", items=BONUS, floor="0.6", cap="1.55")
    assert [value for value, _ in coefficients(found).values()] == [15_500, 6_000, 7_777]
    assert dict(found.classes.select("class", "coefficient_e4").iter_rows())["3|general"] == 15_000


def test_a_bonus_cannot_take_more_than_there_is() -> None:
    items = [{"name": "CMI", "weight": "1"}]
    found = measured(PAST, VALUES, form="basic_bonus", items=items, decimals=1)
    # A 1.5 + 1.2 = 2.7; B 0.5 - 2 < 0.
    assert [value for value, _ in coefficients(found).values()] == [27_000, 0, 7_777]


# A class without history has 1: 1 + 0.9 x 0.05 = 1.045.
def test_a_class_without_history_begins_at_one() -> None:
    places = hospitals(("A", "3", "general", None), ("D", "1", "general", None))
    values = {("A", "capability"): 0, ("D", "capability"): 9_000}
    found = measured(
        PAST, values, places, form="basic_bonus", items=[{"name": "capability", "weight": "0.05"}]
    )
    assert coefficients(found)["D"] == (10_450, "basic_bonus")


# --- products ---

FACTORS = {("A", "CMI"): 11_111, ("A", "assessment"): 9_800, ("B", "CMI"): 9_000, ("B", "assessment"): 10_500}
ITEMS = [{"name": "CMI"}, {"name": "assessment", "cap": "1.02"}]


# A: 1.2 x 1.1111 x 0.98 = 1.30665...; B: 1 x 0.9 x min(1.05, 1.02) = 0.918.
def test_a_product_of_a_level_and_factors() -> None:
    found = measured(PAST, FACTORS, form="product", items=ITEMS, levels={"3": "1.2", "2": "1"})
    assert coefficients(found) == {"A": (13_067, "product"), "B": (9_180, "product"), "C": (7_777, "given")}
    assert found.classes.height == 0


def test_a_product_without_levels_or_without_items() -> None:
    found = coefficients(measured(PAST, FACTORS, form="product", items=ITEMS[:1]))
    assert (found["A"][0], found["B"][0]) == (11_111, 9_000)
    found = coefficients(measured(PAST, form="product", levels={"3": "1.2", "2": "0.95"}, cap="1.1"))
    assert (found["A"][0], found["B"][0]) == (11_000, 9_500)


# --- per group ---

TWO = hospitals(("A", "3", "general", None), ("B", "2", "general", None), ("D", "2", "general", "1.5"))
# G0: level 3 1,200 and 1,400, level 2 800 and 1,000: region 1,100, level 3 1,300, level 2 900.
# G1 is conservative. G2: level 3 500 and 500, level 2 600 and 600: the higher level is the cheaper one.
LEVELS = [
    *((0, 2026, "A", cost) for cost in (1_200, 1_400)),
    *((0, 2026, "B", cost) for cost in (800, 1_000)),
    *((1, 2026, "A", cost) for cost in (1_200, 1_400)),
    *((1, 2026, "B", cost) for cost in (800, 1_000)),
    *((2, 2026, "A", cost) for cost in (500, 500)),
    *((2, 2026, "D", cost) for cost in (600, 600)),
]
GROUP = {"form": "group", "by": ["level"], "level_order": ["1", "2", "3"], "min_cases": 2}


def in_groups(found: Weights) -> dict[tuple[str, int], tuple[str | None, int | None]]:
    table = found.by_class.select("class", "group_idx", "reason", "coefficient_e4")
    return {(name, group): (reason, value) for name, group, reason, value in table.iter_rows()}


# 1,300 / 1,100 = 1.18182, 900 / 1,100 = 0.81818.
def test_a_class_has_a_coefficient_of_its_own_in_a_group() -> None:
    assert in_groups(measured(LEVELS, places=TWO, **GROUP)) == {
        ("3", 0): (None, 11_818),
        ("2", 0): (None, 8_182),
        ("3", 1): ("conservative", None),
        ("2", 1): ("conservative", None),
        ("3", 2): ("inversion", None),
        ("2", 2): ("inversion", None),
    }


def test_the_figures_stand_in_the_table() -> None:
    rows = measured(LEVELS, places=TWO, **GROUP).by_class.filter(group_idx=0).sort("class").rows()
    assert rows == [
        ("2", 0, 2, 90_000, 110_000, None, 8_182),
        ("3", 0, 2, 130_000, 110_000, None, 11_818),
    ]


def test_elsewhere_the_classes_coefficient_holds() -> None:
    found = measured(LEVELS, places=TWO, **GROUP)
    # Level 3: 1,200 + 1,400 + 1,200 + 1,400 + 500 + 500 = 6,200; level 2: 3,600 + 1,200 = 4,800; M = 11,000 / 12.
    # (6,200 / 6) / (11,000 / 12) = 1.12727, (4,800 / 6) / (11,000 / 12) = 0.87273.
    assert coefficients(found) == {"A": (11_273, "class"), "B": (8_727, "class"), "D": (15_000, "given")}
    assert found.coefficients["class"].to_list() == ["3", "2", None]


def test_every_class_needs_its_stays_and_equal_is_no_inversion() -> None:
    assert in_groups(measured(LEVELS, places=TWO, **{**GROUP, "min_cases": 3}))["3", 0] == ("few_stays", None)
    three = hospitals(("A", "3", "general", None), ("B", "2", "general", None), ("E", "1", "general", None))
    assert in_groups(measured(LEVELS, places=three, **GROUP))["3", 0] == ("few_stays", None)
    equal = [(0, 2026, "A", 700), (0, 2026, "B", 600), (0, 2026, "B", 800)]
    found = in_groups(measured(equal, places=TWO, **{**GROUP, "min_cases": 1}))
    assert found == {("3", 0): (None, 10_000), ("2", 0): (None, 10_000)}


def test_levels_are_compared_within_a_type_only() -> None:
    places = hospitals(("A", "3", "general", None), ("B", "2", "tcm", None))
    rules = {**GROUP, "by": ["level", "type"], "min_cases": 1}
    found = in_groups(measured([(2, 2026, "A", 500), (2, 2026, "B", 700)], places=places, **rules))
    # 500 / 600, 700 / 600: cheaper at the higher level, but of another type.
    assert found == {("3|general", 2): (None, 8_333), ("2|tcm", 2): (None, 11_667)}
    without = {**rules, "by": ["type"], "level_order": []}
    assert in_groups(measured([(2, 2026, "A", 500), (2, 2026, "B", 700)], places=places, **without)) == {
        ("general", 2): (None, 8_333),
        ("tcm", 2): (None, 11_667),
    }


def test_floor_and_cap_hold_in_a_group_too() -> None:
    found = in_groups(measured(LEVELS, places=TWO, **GROUP, floor="0.9", cap="1.1"))
    assert (found["3", 0][1], found["2", 0][1]) == (11_000, 9_000)


def test_a_class_without_cost_leaves_the_group_to_the_classes_coefficients() -> None:
    free = [(0, 2026, "A", 0), (0, 2026, "B", 2)]
    found = in_groups(measured(free, places=TWO, **{**GROUP, "min_cases": 1}))
    assert found["3", 0] == ("no_cost", None)


# --- exempt layers ---


def test_layers_may_be_exempt_and_must_exist() -> None:
    assert measured(PAST).exempt is None
    found = measured(PAST, exempt_layers=["basic"]).exempt
    assert found is not None
    assert found.to_list() == [True] * 3
    with pytest.raises(PolicyError, match="no group of the catalogue lies in this layer") as caught:
        measured(PAST, exempt_layers=["basic", "merged"])
    assert (caught.value.code, caught.value.value) == ("POLICY_LAYER", "merged")
