"""Exclusion lists, the kinds of comprehensive rows, and what a stay's outcome row says."""

from __future__ import annotations

from typing import Any

import pytest
from worked import catalog, row, stays

from fenzhi.catalogs import DipCatalog
from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.policy.models import Grouping

from .test_cells_by_hand import found

A, B, C = "47.0100", "54.5100", "51.2300"

# --- exclusions ---

# A grouping row for the operation, one for conservative stays, one for B anywhere.
ROWS = (
    row("OP", "K35", "operation", main_oprn=f"{A}|{C}"),
    row("CONS", "K35", "conservative"),
    row("ANY", "K36", "any_operation", main_oprn=B),
    row("REL", "K37", "operation", main_oprn=A, related_oprn=B),
    row("MAIN", "K37", "operation", main_oprn=A),
    row("CONS37", "K37", "conservative"),
)


def excluding(kind: str, code: str, within: str | None = None, **more: Any) -> DipCatalog:
    return catalog(*ROWS, exclusions=[(kind, code, within)], **more)


def test_an_excluded_principal_diagnosis_makes_no_group() -> None:
    rules = excluding("diagnosis", "K35.800")
    assert found(rules, "K35.800", A) == "excluded_diagnosis"
    assert found(rules, "K35.800x001", A) == "OP"
    assert found(rules, "K35.801|K35.800", A) == "OP"
    prefix = Grouping(excluded_diagnosis_match="prefix")
    assert found(rules, "K35.800x001", A, policy=prefix) == "excluded_diagnosis"
    assert found(rules, "K35.801", A, policy=prefix) == "OP"


def test_an_operation_that_cannot_be_main_hands_on_and_stays_as_related() -> None:
    rules = excluding("cannot_be_main", B)
    assert found(rules, "K35.800", f"{B}|{A}") == "OP"
    assert found(rules, "K37.x00", f"{B}|{A}") == "REL"
    assert found(rules, "K35.800", B) == "CONS"
    # Without an operation that can be main it still serves rules of any operation.
    assert found(rules, "K36.x00", B) == "ANY"


def test_as_conservative_takes_all_operations_away() -> None:
    rules = excluding("as_conservative", B)
    assert found(rules, "K35.800", f"{B}|{A}") == "CONS"
    assert found(rules, "K36.x00", f"{B}|{A}") == "no_group"
    # Beside another main operation it is dropped only itself.
    assert found(rules, "K35.800", f"{A}|{B}") == "OP"
    assert found(rules, "K37.x00", f"{A}|{B}") == "MAIN"


def test_main_within_looks_at_the_principal_diagnosis() -> None:
    rules = excluding("main_within", A, "K37|K40-K45")
    assert found(rules, "K37.x00", A) == "MAIN"
    assert found(rules, "K35.800", A) == "CONS"
    assert found(rules, "K35.800", f"{A}|{C}") == "CONS"
    assert found(rules, "K35.800|K37.x00", A) == "CONS"
    assert found(rules, "K35.800", f"{C}|{A}") == "OP"


def test_after_one_that_cannot_be_main_the_next_decides() -> None:
    rules = catalog(*ROWS, exclusions=[("cannot_be_main", B, None), ("as_conservative", C, None)])
    assert found(rules, "K35.800", f"{B}|{C}|{A}") == "CONS"
    assert found(rules, "K36.x00", f"{B}|{C}|{A}") == "no_group"
    assert found(rules, "K35.800", f"{B}|{A}|{C}") == "OP"


def test_exclusions_are_exact_codes() -> None:
    rules = excluding("as_conservative", A)
    assert found(rules, "K35.800", f"{A}x001") == "OP"


# --- comprehensive groups ---

KINDS = ("surgery", "interventional", "therapeutic", "diagnostic", "medical")
COMPREHENSIVE = tuple(row(kind, "K35", kind, layer="comprehensive") for kind in KINDS)
TYPES = {"1": "surgery", "2": "interventional", "3": "therapeutic", "4": "diagnostic"}


def kind_of(oprn: str, exclusions: Any = None, **policy: str) -> Any:
    rules = catalog(*COMPREHENSIVE, operations=TYPES, exclusions=exclusions)
    return found(rules, "K35.800", oprn, policy=Grouping.model_validate(policy))


@pytest.mark.parametrize(
    ("oprn", "kind"),
    [
        ("1", "surgery"),
        ("2", "surgery"),
        ("3", "therapeutic"),
        ("4", "diagnostic"),
        ("", "medical"),
        ("9", "medical"),
    ],
)
def test_the_kind_of_the_main_operation(oprn: str, kind: str) -> None:
    assert kind_of(oprn) == kind


def test_the_main_operation_decides_unless_the_highest_kind_does() -> None:
    assert kind_of("4|3|1") == "diagnostic"
    assert kind_of("4|3|1", comprehensive_type="highest") == "surgery"
    assert kind_of("4|9", comprehensive_type="highest") == "diagnostic"


def test_interventional_operations_are_what_the_policy_says() -> None:
    for kind in ("surgery", "interventional", "therapeutic"):
        assert kind_of("2", interventional_as=kind) == kind
    assert (
        kind_of("3|2", interventional_as="interventional", comprehensive_type="highest") == "interventional"
    )


def test_operations_without_a_type_are_what_the_policy_says() -> None:
    for kind in ("diagnostic", "therapeutic", "surgery"):
        assert kind_of("9", unknown_operation_type=kind) == kind
    assert (
        kind_of("9", unknown_operation_type="interventional", interventional_as="therapeutic")
        == "therapeutic"
    )


def test_no_main_operation_counts_as_medical() -> None:
    assert kind_of("1", [("cannot_be_main", "1", None)]) == "medical"
    assert kind_of("1", [("cannot_be_main", "1", None)], comprehensive_type="highest") == "medical"
    assert kind_of("1|3", [("cannot_be_main", "1", None)]) == "therapeutic"
    assert kind_of("1|3", [("as_conservative", "1", None)]) == "medical"
    assert kind_of("3|1", [("as_conservative", "1", None)], comprehensive_type="highest") == "therapeutic"


def test_outcome_status_and_layer() -> None:
    rules = catalog(
        row("CORE", "K35", "operation", main_oprn="1"),
        *COMPREHENSIVE,
        operations=TYPES,
        exclusions=[("diagnosis", "K35.9", None)],
    )
    frame = stays(
        {"diag": "K35.800", "oprn": "1"},
        {"diag": "K35.800", "oprn": "4"},
        {"diag": "K36.x00"},
        {"diag": ""},
        {"diag": "K35.9"},
    )
    got = group_dip(frame, compile_catalog(rules, Grouping())).frame
    assert got.select("outcome", "layer", "group_id", "status", "reason", "group_idx").rows() == [
        ("grouped", "basic", "CORE", "分组成功", None, 0),
        ("comprehensive", "comprehensive", "diagnostic", "分组成功", None, 4),
        ("ungrouped", None, None, "无法入组", "no_group", -1),
        ("rejected", None, None, "信息校验不通过", "no_principal_diagnosis", -1),
        ("ungrouped", None, None, "无法入组", "excluded_diagnosis", -1),
    ]
    assert got["scheme"].unique().to_list() == ["dip"]
