"""Which of several rows that accept a stay wins: each criterion alone, and their order."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from worked import catalog, row, stays

from fenzhi.catalogs import DipCatalog
from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.policy.models import Grouping

A, B, C = "47.0100", "54.5100", "51.2300"
OP = {"treatment": "operation"}


def winner(
    rules: DipCatalog,
    precedence: list[str],
    diag: str = "K35.800",
    oprn: str = "",
    *,
    weights: list[tuple[int | None, int | None]] | None = None,
    cost_yuan: int = 1_000,
    **policy: Any,
) -> str | None:
    """Return the group of one stay. ``weights``: rw_e4 and mean cost in yuan per group."""
    frame = None
    if weights is not None:
        rows = [(rw, None if mean is None else mean * 100) for rw, mean in weights]
        frame = pl.DataFrame(rows, schema={"rw_e4": pl.Int64, "mean_cost_fen": pl.Int64}, orient="row")
    compiled = compile_catalog(rules, Grouping.model_validate({"precedence": precedence, **policy}), frame)
    stay = stays(
        {
            "diag": diag,
            "oprn": oprn,
            "medfee_sumamt_fen": cost_yuan * 100,
            "age": 0,
            "nwb_age": 3,
            "nwb_bir_wt": 900,
        }
    )
    return group_dip(stay, compiled).frame["group_id"][0]


# Names are chosen so that the group code alone would give the other answer.


def test_layer() -> None:
    rules = catalog(row("A", "K35"), row("Z", "K35", layer="pregroup"), row("Y", "K35", layer="merged"))
    assert winner(rules, ["layer"]) == "Z"
    assert winner(rules, ["group_id"]) == "A"


def test_most_terms_counts_main_operations() -> None:
    rules = catalog(row("A", "K35", main_oprn=A, **OP), row("Z", "K35", main_oprn=f"{A}+{B}", **OP))
    assert winner(rules, ["most_terms"], oprn=f"{A}|{B}") == "Z"
    assert winner(rules, ["most_terms"], oprn=f"{A}|{C}") == "A"


@pytest.mark.parametrize(
    "cells",
    [
        {"other_diag": "I10"},
        {"any_diag": "K35"},
        {"age_days_max": 28},
        {"birth_weight_min_g": 500},
        {"birth_weight_max_g": 999},
    ],
)
def test_most_terms_counts_each_condition_once(cells: dict[str, Any]) -> None:
    rules = catalog(row("A", "K35"), row("Z", "K35", **cells))
    assert winner(rules, ["most_terms"], diag="K35.800|I10.x00") == "Z"
    two = catalog(row("A", "K35", **cells), row("Z", "K35", main_oprn=f"{A}+{B}", **OP))
    assert winner(two, ["most_terms"], diag="K35.800|I10.x00", oprn=f"{A}|{B}") == "Z"


def test_a_weight_band_is_one_term() -> None:
    band = {"birth_weight_min_g": 500, "birth_weight_max_g": 999}
    rules = catalog(row("A", "K35", age_days_max=28), row("B", "K35", **band))
    assert winner(rules, ["most_terms"]) == "A"


def test_the_set_that_matches_counts_and_not_the_longest_of_the_cell() -> None:
    rules = catalog(
        row("A", "K35", main_oprn=f"{A}+{B}", **OP), row("Z", "K35", main_oprn=f"{C}|{A}+{B}+88.0100", **OP)
    )
    assert winner(rules, ["most_terms"], oprn=f"{A}|{B}") == "A"
    assert winner(rules, ["most_terms"], oprn=f"{A}|{B}|88.0100") == "Z"


def test_most_related() -> None:
    rules = catalog(
        row("A", "K35", main_oprn=A, **OP),
        row("B", "K35", main_oprn=A, related_oprn=B, **OP),
        row("Z", "K35", main_oprn=A, related_oprn=f"{B}+{C}", **OP),
    )
    order = ["most_terms", "most_related"]
    assert winner(rules, order, oprn=f"{A}|{C}|{B}") == "Z"
    assert winner(rules, order, oprn=f"{A}|{B}") == "B"
    # Never a row that demands a related operation the stay does not have.
    assert winner(rules, order, oprn=f"{A}|{C}") == "A"


def test_most_operations_counts_both_kinds() -> None:
    rules = catalog(
        row("A", "K35", main_oprn=f"{A}+{B}", **OP),
        row("Z", "K35", main_oprn=A, related_oprn=f"{B}+{C}", **OP),
    )
    assert winner(rules, ["most_operations"], oprn=f"{A}|{B}|{C}") == "Z"
    assert winner(rules, ["most_terms", "most_operations"], oprn=f"{A}|{B}|{C}") == "A"


def test_diagnosis_specificity() -> None:
    tokens = {"E": None, "D": "K30-K40", "C": "K35", "B": "K35.8", "A": "K35.800"}
    rules = list(tokens.items())
    for best in range(len(rules)):
        # From the least specific on; the best is always the last one added, whatever its code.
        made = [row(f"{9 - i}{name}", token) for i, (name, token) in enumerate(reversed(rules[: best + 1]))]
        assert winner(catalog(*made), ["diagnosis_specificity"]) == f"9{rules[best][0]}"


def test_a_set_is_as_specific_as_the_entry_that_matches() -> None:
    sets = {"S": ("K35.800", "K36")}
    rules = catalog(row("A", "K35.8|K36.0"), row("Z", "@S"), code_sets=sets)
    assert winner(rules, ["diagnosis_specificity"], diag="K35.800") == "Z"
    assert winner(rules, ["diagnosis_specificity"], diag="K36.000") == "A"


def test_higher_weight() -> None:
    rules = catalog(row("A", "K35"), row("Z", "K35"), row("Y", "K35"))
    order = ["layer", "higher_weight"]
    assert winner(rules, order, weights=[(100, 1), (300, 1), (200, 1)]) == "Z"
    # A group without weight comes last; equal weights leave it to the code.
    assert winner(rules, order, weights=[(None, None), (1, 1), (1, 1)]) == "Y"
    # Before weights exist the criterion is left out.
    assert winner(rules, order) == "A"


@pytest.mark.parametrize(
    ("cost", "group"),
    [(1_000, "A"), (1_499, "A"), (1_500, "A"), (1_501, "Z"), (1_900, "Z"), (9_999, "Z"), (1, "A")],
)
def test_closest_cost(cost: int, group: str) -> None:
    # Means 1,000 and 2,000: at 1,500 both are as close, so the code decides.
    rules = catalog(row("A", "K35"), row("Z", "K35"))
    order = ["layer", "closest_cost"]
    assert winner(rules, order, weights=[(1, 1_000), (1, 2_000)], cost_yuan=cost) == group


def test_closest_cost_decides_between_equals_only() -> None:
    rules = catalog(row("A", "K35", main_oprn=A, **OP), row("Z", "K35", main_oprn=f"{A}+{B}", **OP))
    order = ["most_terms", "closest_cost"]
    weights = [(1, 1_000), (1, 90_000)]
    assert winner(rules, order, oprn=f"{A}|{B}", weights=weights, cost_yuan=1_000) == "Z"


def test_what_follows_closest_cost_decides_between_equal_distances() -> None:
    rules = catalog(row("A", "K35"), row("Z", "K35.8"), row("Y", "K35.800"))
    weights = [(1, 1_000), (1, 2_000), (1, 7_000)]
    order = ["layer", "closest_cost", "diagnosis_specificity"]
    assert winner(rules, order, weights=weights, cost_yuan=1_500) == "Z"
    assert winner(rules, order, weights=weights, cost_yuan=1_499) == "A"
    assert winner(rules, ["layer", "closest_cost"], weights=weights, cost_yuan=1_500) == "A"


def test_a_group_without_history_is_never_the_closest() -> None:
    rules = catalog(row("A", "K35"), row("Z", "K35"))
    order = ["layer", "closest_cost"]
    assert winner(rules, order, weights=[(None, None), (1, 90_000)], cost_yuan=1) == "Z"
    # Where none has a history the code decides.
    assert winner(rules, order, weights=[(None, None), (None, None)], cost_yuan=1) == "A"


def test_the_cost_that_is_priced_decides_and_not_the_total() -> None:
    rules = catalog(row("A", "K35"), row("Z", "K35"))
    means = pl.DataFrame({"rw_e4": [1, 1], "mean_cost_fen": [100_000, 200_000]})
    compiled = compile_catalog(rules, Grouping(precedence=("layer", "closest_cost")), means)
    stay = stays({"diag": "K35.800", "medfee_sumamt_fen": 100_000})
    assert group_dip(stay, compiled).frame["group_id"][0] == "A"
    priced = stay.with_columns(cost_fen=pl.lit(200_000, pl.Int64))
    assert group_dip(priced, compiled).frame["group_id"][0] == "Z"


def test_closest_cost_is_left_out_before_weights_exist() -> None:
    rules = catalog(row("A", "K35"), row("Z", "K35.8"))
    assert winner(rules, ["layer", "closest_cost", "diagnosis_specificity"]) == "Z"


def test_closest_cost_cannot_come_first() -> None:
    with pytest.raises(ValidationError, match="only decides between equals"):
        Grouping(precedence=("closest_cost", "layer"))


CLASSES = [
    "core-surgery",
    "grassroots-surgery",
    "core-therapeutic",
    "comprehensive-surgery",
    "core-conservative",
    "comprehensive-conservative",
]


def test_class_order() -> None:
    types = {A: "surgery", B: "therapeutic"}
    rules = catalog(
        row("A", "K35", "surgery", layer="comprehensive"),
        row("B", "K35", "medical", layer="comprehensive"),
        row("C", "K35", "conservative"),
        row("D", "K35", "any_operation", main_oprn=B),
        row("E", "K35", main_oprn=A, **OP, grassroots=True),
        row("F", "K35", main_oprn=A, related_oprn=C, **OP),
        operations=types,
    )
    order = ["class_order"]
    assert winner(rules, order, oprn=f"{A}|{B}|{C}", class_order=CLASSES) == "F"
    assert winner(rules, order, oprn=f"{A}|{B}", class_order=CLASSES) == "E"
    assert winner(rules, order, oprn=f"{C}|{B}", class_order=CLASSES) == "D"
    assert winner(rules, order, oprn="", class_order=CLASSES) == "C"
    # Another order gives another answer; what is not listed comes last.
    first = ["comprehensive-surgery", "core-surgery"]
    assert winner(rules, order, oprn=f"{A}|{B}|{C}", class_order=first) == "A"
    assert winner(rules, order, oprn=f"{A}|{B}", class_order=["core-therapeutic"]) == "D"


def test_the_class_of_a_set_is_its_highest_kind_and_unknown_ones_follow_the_policy() -> None:
    types = {A: "surgery", B: "diagnostic"}
    rules = catalog(
        row("A", "K35", "any_operation", main_oprn=B),
        row("Z", "K35", "any_operation", main_oprn=f"{B}+{A}"),
        operations=types,
    )
    order = {"class_order": ["core-surgery", "core-diagnostic"]}
    assert winner(rules, ["class_order"], oprn=f"{B}|{A}", **order) == "Z"
    two = catalog(
        row("A", "K35", main_oprn=A, **OP),
        row("Z", "K35", "any_operation", main_oprn="99.9999"),
        operations=types,
    )
    order = {"class_order": ["core-therapeutic", "core-surgery"]}
    assert winner(two, ["class_order"], oprn=f"{A}|99.9999", **order) == "A"
    assert (
        winner(two, ["class_order"], oprn=f"{A}|99.9999", unknown_operation_type="therapeutic", **order)
        == "Z"
    )


def test_the_group_code_decides_last_its_numbers_as_numbers() -> None:
    # As text G10 would stand before G2, and row 10 of a scheme before row 2.
    rules = catalog(row("G10", "K35"), row("G2", "K35"))
    assert winner(rules, ["layer"]) == "G2"
    rules = catalog(row("GB", "K35"), row("G10", "K35"), row("GA", "K35"), row("G010", "K35"))
    assert winner(rules, ["layer"]) == "G010"
    assert winner(rules, ["layer", "group_id"]) == "G010"


def test_criteria_are_tried_in_their_order() -> None:
    rules = catalog(row("A", "K35.8"), row("Z", None, main_oprn=A, **OP))
    assert winner(rules, ["most_terms", "diagnosis_specificity"], oprn=A) == "Z"
    assert winner(rules, ["diagnosis_specificity", "most_terms"], oprn=A) == "A"


def test_rows_of_the_catalogue_may_stand_in_any_order() -> None:
    rows = [
        row("A", "K35"),
        row("B", "K35.8"),
        row("C", None, layer="pregroup"),
        row("D", "K35", main_oprn=A, **OP),
    ]
    order = ["layer", "most_terms", "diagnosis_specificity"]
    assert {winner(catalog(*part), order, oprn=A) for part in (rows, rows[::-1], rows[2:] + rows[:2])} == {
        "C"
    }


TYPES = {A: "surgery", B: "surgery", C: "therapeutic", "36.0700": "interventional"}
LEFT = ["no_unmatched_surgery", "layer"]
SURGICAL = catalog(
    row("A", "K35", main_oprn=A, **OP),
    row("B", "K35", main_oprn=A, related_oprn=B, **OP),
    row("C", "K35", treatment="surgery", layer="comprehensive"),
    row("D", "K36", main_oprn=A, **OP),
    operations=TYPES,
)


@pytest.mark.parametrize(
    ("oprn", "expected", "without"),
    [
        # One surgery, and the row matches it; what is no surgery may be left.
        (A, "A", "A"),
        (f"{A}|{C}", "A", "A"),
        # A leaves 54.51, B serves it with its related term.
        (f"{A}|{B}", "B", "A"),
        # Interventional counts as surgery; no core row serves 36.07, the comprehensive row does.
        (f"{A}|36.0700", "C", "A"),
        (f"{A}|{B}|36.0700", "C", "A"),
    ],
)
def test_no_unmatched_surgery(oprn: str, expected: str, without: str) -> None:
    assert winner(SURGICAL, LEFT, oprn=oprn) == expected
    assert winner(SURGICAL, ["layer"], oprn=oprn) == without


def test_surgery_that_is_left_everywhere_decides_nothing() -> None:
    assert winner(SURGICAL, LEFT, diag="K36.100", oprn=f"{A}|{B}") == "D"


def test_interventional_operations_are_surgery_only_if_the_policy_says_so() -> None:
    assert winner(SURGICAL, LEFT, oprn=f"{A}|36.0700", interventional_as="interventional") == "A"
    assert winner(SURGICAL, LEFT, oprn=f"{A}|99.9999", unknown_operation_type="surgery") == "C"


def test_an_operation_that_a_term_accepts_is_matched_even_if_another_serves_the_term() -> None:
    # One term 99.28, two operations of it: none is left without a term that it could serve.
    twice = catalog(
        row("Z", "K35", main_oprn="99.2800", **OP),
        row("A", "K35", treatment="surgery", layer="comprehensive"),
        operations={"99.2800x005": "surgery", "99.2800x006": "surgery"},
    )
    assert winner(twice, LEFT, oprn="99.2800x005|99.2800x006") == "Z"


def test_no_unmatched_surgery_stands_where_the_policy_puts_it() -> None:
    # Layer first: the comprehensive row comes last whatever is left. Then cost among rows that leave nothing.
    assert winner(SURGICAL, ["layer", "no_unmatched_surgery"], oprn=f"{A}|36.0700") == "A"
    order = ["no_unmatched_surgery", "closest_cost"]
    weights = [(1, 1_000), (1, 9_000), (1, 5_000), (1, 1)]
    # A costs what the stay costs but leaves 54.51; of B (9,000) and C (5,000) the nearer to 1,000 is C.
    assert winner(SURGICAL, order, oprn=f"{A}|{B}", weights=weights) == "C"
    assert winner(SURGICAL, order, oprn=A, weights=weights) == "A"
    with pytest.raises(ValidationError, match="must stand before closest_cost"):
        Grouping.model_validate({"precedence": ["layer", "closest_cost", "no_unmatched_surgery"]})
