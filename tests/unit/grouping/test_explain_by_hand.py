"""Why a stay is in its group: candidates in order, the condition that failed, and the same winner as grouping."""

from __future__ import annotations

import polars as pl
import pytest
from worked import catalog, row, stays

from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.grouping.explain_dip import GroupingTrace, trace
from fenzhi.policy.models import Grouping

A, B, C = "47.0100", "54.5100", "51.2300"
RULES = catalog(
    row("PRE", None, "any_operation", layer="pregroup", main_oprn=f"{A}+{C}"),
    row("REL", "K35", "operation", main_oprn=A, related_oprn=B),
    row("OP", "K35", "operation", main_oprn=A),
    row("CONS", "K35", "conservative"),
    row("OTHER", "K35", "any", other_diag="I10"),
    row("ANY", "K35", "any", any_diag="U84"),
    row("AGE", "K35", "any", age_days_max=28),
    row("WEIGHT", "K35", "any", birth_weight_min_g=1000, birth_weight_max_g=1499),
    row("LOW", "K35", "any", birth_weight_max_g=999),
    row("COMP", "K35", "surgery", layer="comprehensive"),
    row("K36", "K36", "any"),
    operations={A: "surgery", B: "surgery", C: "therapeutic"},
    exclusions=[
        ("diagnosis", "K35.9", None),
        ("cannot_be_main", C, None),
        ("as_conservative", "11.6000", None),
        ("main_within", B, "K40"),
    ],
)
COMPILED = compile_catalog(RULES, Grouping())


def explained(diag: str, oprn: str = "", **stay: int | None) -> GroupingTrace:
    """Trace one stay and check that grouping says the same."""
    frame = stays({"diag": diag, "oprn": oprn, **stay})
    found = trace(frame, COMPILED)
    got = group_dip(frame, COMPILED).frame.select("group_id", "reason").row(0)
    assert (found.group_id, found.reason) == got
    assert [c.group_id for c in found.candidates if c.wins] == ([got[0]] if got[0] else [])
    return found


def answers(found: GroupingTrace) -> dict[str, str]:
    return {c.group_id: c.answer for c in found.candidates}


def test_each_reason_of_failure_is_named() -> None:
    assert answers(explained("K35.800", A)) == {
        "PRE": "operations",
        "OTHER": "other_diagnosis",
        "ANY": "any_diagnosis",
        "AGE": "age_days",
        "WEIGHT": "birth_weight",
        "LOW": "birth_weight",
        "REL": "operations",
        "OP": "accepted",
        "CONS": "operations",
        "COMP": "accepted",
    }


def test_candidates_stand_in_order_of_precedence() -> None:
    found = explained("K35.800|I10.x00|U84.300", A, age=0, nwb_age=3, nwb_bir_wt=1200)
    # The layer first; then the terms, of which CONS has none; then related ones; then the code.
    order = [c.group_id for c in found.candidates]
    assert order == ["PRE", "REL", "AGE", "ANY", "LOW", "OP", "OTHER", "WEIGHT", "CONS", "COMP"]
    assert found.group_id == "AGE"


def test_a_row_of_any_diagnosis_is_shown_only_if_the_operations_reach_it() -> None:
    found = explained("K36.x00", f"{A}|{C}")
    assert [(c.group_id, c.answer, c.wins) for c in found.candidates] == [
        ("PRE", "accepted", True),
        ("K36", "accepted", False),
    ]
    assert answers(explained("K36.x00", A)) == {"PRE": "operations", "K36": "accepted"}
    assert answers(explained("K36.x00", B)) == {"K36": "accepted"}


def test_a_candidate_shows_its_filled_cells() -> None:
    rules = {c.group_id: c.rule for c in explained("K35.800", A).candidates}
    assert rules["REL"] == {"main_diag": "K35", "treatment": "operation", "main_oprn": A, "related_oprn": B}
    assert rules["OTHER"] == {"main_diag": "K35", "treatment": "any", "other_diag": "I10"}
    assert rules["AGE"] == {"main_diag": "K35", "treatment": "any", "age_days_max": "28"}
    assert rules["WEIGHT"] == {"main_diag": "K35", "treatment": "any", "birth_weight_g": "1000-1499"}
    assert rules["LOW"]["birth_weight_g"] == "-999"
    layers = {c.group_id: (c.name, c.layer) for c in explained("K35.800", A).candidates}
    assert layers["COMP"] == ("COMP", "comprehensive")


def test_a_row_of_several_sets_stands_once_with_its_best_answer() -> None:
    rules = catalog(row("G", "K35|K35.8", "operation", main_oprn=f"{A}|{A}+{B}|{C}"))
    found = trace(stays({"diag": "K35.800", "oprn": f"{A}|99.9999"}), compile_catalog(rules, Grouping()))
    assert [(c.group_id, c.answer, c.wins) for c in found.candidates] == [("G", "accepted", True)]


def test_operations_that_count_and_those_that_do_not() -> None:
    found = explained("K35.800", f"{C}|{A}|11.6000|{B}")
    assert found.principal == "K35.800"
    assert found.operations == (C, A, "11.6000", B)
    # C cannot be main but stays; 11.6000 is dropped, and so is B, whose diagnosis is outside its range.
    assert found.effective == (C, A)
    assert found.main_operation == A
    assert found.cannot_be_main == (C,)
    assert found.dropped == ("11.6000", B)


def test_a_stay_made_conservative() -> None:
    found = explained("K35.800", f"11.6000|{A}")
    assert (found.effective, found.main_operation, found.dropped) == ((), None, ("11.6000", A))
    assert found.group_id == "CONS"


def test_codes_are_shown_in_one_spelling() -> None:
    found = explained(" k35.800Ｘ001 ", "４７.０１００")
    assert (found.principal, found.operations) == ("K35.800x001", (A,))


@pytest.mark.parametrize(
    ("diag", "reason", "principal"),
    [
        ("K35.9", "excluded_diagnosis", "K35.9"),
        ("", "no_principal_diagnosis", None),
        ("Z99.000", "no_group", "Z99.000"),
    ],
)
def test_stays_without_a_group(diag: str, reason: str, principal: str | None) -> None:
    found = explained(diag, A)
    assert (found.group_id, found.reason, found.principal) == (None, reason, principal)
    assert found.operations == (A,)
    if reason != "no_group":
        assert found.candidates == ()


def test_a_blank_among_the_operations_is_no_operation() -> None:
    frame = stays({"diag": "K35.800"}).with_columns(
        oprn_codes=pl.Series([["", None, A]], dtype=pl.List(pl.String))
    )
    found = trace(frame, COMPILED)
    assert (found.group_id, found.main_operation, found.effective) == ("OP", A, (A,))
    assert None not in found.operations


def test_surgery_that_a_row_leaves_is_shown_and_orders_the_candidates() -> None:
    rules = catalog(
        row("A", "K35", "operation", main_oprn=A),
        row("C", "K35", "surgery", layer="comprehensive"),
        operations={A: "surgery", B: "surgery"},
    )
    stay = stays({"diag": "K35.800", "oprn": f"{A}|{B}"})
    asked = trace(stay, compile_catalog(rules, Grouping(precedence=("no_unmatched_surgery", "layer"))))
    assert [(c.group_id, c.wins, c.unmatched) for c in asked.candidates] == [
        ("C", True, ()),
        ("A", False, (B,)),
    ]
    usual = trace(stay, compile_catalog(rules, Grouping()))
    assert [(c.group_id, c.wins, c.unmatched) for c in usual.candidates] == [
        ("A", True, ()),
        ("C", False, ()),
    ]
