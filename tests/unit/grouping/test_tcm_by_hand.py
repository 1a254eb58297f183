"""TCM-advantage groups: each condition by itself, the ratio at its limit, falling back, what is reported."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import catalog, row, stays

from fenzhi.catalogs import DipCatalog, TcmTables, with_tcm
from fenzhi.catalogs.tcm import TCM_GROUPS, TCM_OPERATIONS
from fenzhi.grouping import compile_catalog, group_frame
from fenzhi.grouping.tcm import Overlaid, compile_tcm, overlay
from fenzhi.policy import load_policy
from fenzhi.policy.tcm import Tcm

NATIONAL = load_policy("national-dip-3.0").grouping
OPERATIONS = [
    ("93.0001", "bone_setting", None),
    ("99.9101", "tuina", None),
    ("99.9201", "needle", None),
    ("99.9202", "needle", None),
    ("99.9301", "moxibustion", None),
    ("99.9401", "plaster", None),
]
# Bone setting, or three of four other classes; both need ten days.
FRACTURE: list[dict[str, Any]] = [
    {"group_id": "T1", "main_diag": "S52.5|@BONE", "los_min_days": 10, "classes": "bone_setting"},
    {
        "group_id": "T1",
        "main_diag": "S52.5|@BONE",
        "los_min_days": 10,
        "classes": "tuina|needle|moxibustion|plaster",
        "min_classes": 3,
    },
]


def made(*conditions: dict[str, Any]) -> DipCatalog:
    """A catalogue with one normal group for fractures and these TCM-advantage groups."""
    frame = pl.DataFrame(
        [{name: one.get(name) for name in TCM_GROUPS} for one in conditions], schema=TCM_GROUPS
    )
    operations = pl.DataFrame(OPERATIONS, schema=TCM_OPERATIONS, orient="row")
    return with_tcm(catalog(row("G1", "S52")), TcmTables(frame, operations, {"BONE": ("S42.2",)}))


def laid(
    cat: DipCatalog, *cases: dict[str, Any], weighted: list[bool] | None = None, **policy: Any
) -> Overlaid:
    """Overlay stays: ``days``, ``tcm`` and ``western`` fees in fen (one fee each, the others 0), ``tdiag``."""
    frame = stays(*({"diag": "S52.500", "oprn": one.get("oprn", "93.0001")} | _plain(one) for one in cases))
    zero = [0] * len(cases)
    fees = {
        f"{name}_fen": zero for name in ("treat_fee", "oprn_fee", "matl_fee", "tcmpat_fee", "tcmherb_fee")
    }
    frame = frame.with_columns(
        pl.Series("act_ipt_days", [one.get("days", 10) for one in cases], dtype=pl.Int32),
        pl.Series("tcm_treat_fee_fen", [one.get("tcm", 60_00) for one in cases], dtype=pl.Int64),
        pl.Series("drug_fee_fen", [one.get("western", 40_00) for one in cases], dtype=pl.Int64),
        pl.Series("tcm_diag_codes", [one.get("tdiag", []) for one in cases], dtype=pl.List(pl.String)),
        *(pl.Series(name, values, dtype=pl.Int64) for name, values in fees.items()),
    )
    compiled = compile_tcm(cat, Tcm(**policy))
    assert compiled is not None
    normal = group_frame(frame, compile_catalog(cat, NATIONAL))
    return overlay(frame, normal, compiled, None if weighted is None else pl.Series(weighted))


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("diag",) if name in one}


def failed(found: Overlaid) -> list[str]:
    return found.report["failed"].to_list()


def test_a_stay_that_meets_everything_enters() -> None:
    found = laid(made(*FRACTURE), {})
    frame = found.grouped.frame
    assert frame.select("outcome", "layer", "group_id", "status", "reason", "group_idx").row(0) == (
        "grouped",
        "tcm",
        "T1",
        "分组成功",
        None,
        1,
    )
    assert found.report.row(0, named=True) == {
        "setl_id": "S1",
        "group_id": "T1",
        "normal_group_id": "G1",
        "entered": True,
        "failed": "",
        "act_ipt_days": 10,
        "classes": 1,
        "operations": 1,
        "tcm_fee_fen": 60_00,
        "all_fee_fen": 100_00,
        "ratio_e4": 6_000,
    }


# 59.95 % and 59.9999 % fail at 60 %: nothing is rounded before the comparison.
@pytest.mark.parametrize(
    ("tcm", "western", "expected", "ratio"),
    [
        (59_95, 40_05, "ratio", 5_995),
        (5_999_99, 4_000_01, "ratio", 5_999),
        (60_00, 40_00, "", 6_000),
        (60_01, 39_99, "", 6_001),
        (0, 0, "ratio", None),
        (None, 40_00, "fees_missing", None),
        (60_00, None, "fees_missing", None),
    ],
)
def test_the_ratio_is_compared_unrounded(tcm: Any, western: Any, expected: str, ratio: int | None) -> None:
    found = laid(made(*FRACTURE), {"tcm": tcm, "western": western})
    assert failed(found) == [expected]
    assert found.report["ratio_e4"].to_list() == [ratio]
    assert found.grouped.frame["group_id"].to_list() == ["T1" if expected == "" else "G1"]


def test_the_limit_itself_may_be_too_little() -> None:
    assert failed(laid(made(*FRACTURE), {}, {"tcm": 60_01}, ratio_included=False)) == ["ratio", ""]


def test_the_length_of_stay_and_a_missing_one() -> None:
    assert failed(laid(made(*FRACTURE), {"days": 9}, {"days": 10}, {"days": None})) == ["los", "", "los"]


def test_operations_by_class() -> None:
    found = laid(
        made(*FRACTURE),
        {"oprn": "99.9101|99.9201"},
        {"oprn": "99.9201|99.9202|99.9301"},
        {"oprn": "99.9101|99.9201x001|99.9301"},
        {"oprn": ""},
        {"oprn": "47.0100|93.0001"},
    )
    assert failed(found) == ["operations", "operations", "", "operations", ""]
    # Of equal alternatives the first is reported, and its figures: no bone setting in the first stay.
    assert found.report.select("classes", "operations").rows() == [(0, 0), (0, 0), (3, 3), (0, 0), (1, 1)]


def test_operations_by_number() -> None:
    rows = {**FRACTURE[0], "classes": "needle|tuina", "min_operations": 3}
    given = ({"oprn": "99.9201|99.9202"}, {"oprn": "99.9201|99.9202|99.9201"})
    assert failed(laid(made(rows), *given)) == ["operations", ""]


def test_diagnoses_of_both_kinds() -> None:
    cat = made({"group_id": "T1", "main_diag": "S52.5|@BONE", "tcm_diag": "BGU010"})
    cases = (
        {"tdiag": ["BGU010"]},
        {"tdiag": ["ZZZ", "bgu010.01"]},
        {"tdiag": ["BGU02"]},
        {},
        {"diag": "S42.200x001", "tdiag": ["BGU010"]},
        {"diag": "S52.600", "tdiag": ["BGU010"]},
        {"diag": "", "tdiag": ["BGU010"]},
    )
    found = laid(cat, *cases)
    # The principal diagnosis of the last two belongs to no group: nothing is reported.
    assert found.report["setl_id"].to_list() == ["S1", "S2", "S3", "S4", "S5"]
    assert failed(found) == ["", "", "tcm_diagnosis", "tcm_diagnosis", ""]
    assert found.grouped.frame["outcome"].to_list()[-1] == "rejected"
    exact = laid(cat, *cases[:2], diagnosis_match="exact")
    assert exact.report.is_empty()


def test_several_conditions_and_the_nearest_group() -> None:
    cat = made({"group_id": "T2", "main_diag": "S52", "los_min_days": 30, "tcm_diag": "B"}, *FRACTURE)
    found = laid(cat, {"days": 9, "tcm": 1_00}, {"days": 10}, {"days": 30, "tdiag": ["B1"]})
    # Two conditions of T1 fail, three of T2; both take the last stay, the first of the table wins.
    assert found.report.select("group_id", "failed").rows() == [("T1", "los|ratio"), ("T1", ""), ("T2", "")]


def test_a_group_without_weight_takes_nobody() -> None:
    cat = made({"group_id": "T2", "main_diag": "S52"}, *FRACTURE)
    assert laid(cat, {}, weighted=[False, True]).report["group_id"].to_list() == ["T1"]
    none = laid(cat, {}, weighted=[False, False])
    assert failed(none) == ["no_weight"]
    assert none.grouped.frame["group_id"].to_list() == ["G1"]


def test_the_order_of_stays_does_not_matter() -> None:
    cases = [{"days": days, "tcm": tcm} for days in (9, 10, None) for tcm in (1_00, 60_00, None)]
    first, second = (laid(made(*FRACTURE), *part) for part in (cases, cases[::-1]))
    assert failed(first) == failed(second)[::-1]


def test_without_groups_or_policy_nothing_is_compiled() -> None:
    assert compile_tcm(catalog(row("G1", "S52")), Tcm()) is None
    assert compile_tcm(made(*FRACTURE), None) is None


def test_a_fee_is_of_one_medicine() -> None:
    with pytest.raises(ValueError, match="tcm names a fee twice"):
        Tcm(western_fees=("tcm_treat_fee",))
