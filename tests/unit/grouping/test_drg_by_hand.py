"""DRG grouping by hand, on the tiny version made up for tests (tests/unit/catalogs/drg/small.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from catalogs.drg import small

from fenzhi.catalogs.drg import import_tables
from fenzhi.errors import CatalogError
from fenzhi.grouping import CompiledDrg, compile_catalog, group_drg
from fenzhi.grouping.explain_drg import trace_drg
from fenzhi.policy.models import Grouping

FAILED, GROUPED, UNGROUPED, AMBIGUOUS = "信息校验不通过", "分组成功", "无法入组", "歧义病案"
OPTIONAL = {
    "gend": pl.Int8,
    "age": pl.Int16,
    "nwb_age": pl.Int32,
    "nwb_bir_wt": pl.Int32,
    "act_ipt_days": pl.Int32,
    "dscg_way": pl.Int8,
    "dscg_caty": pl.String,
    "icu_hours": pl.Float64,
}


def compiled(folder: Path, *, meta: dict[str, Any] | None = None, **tables: str) -> CompiledDrg:
    catalog = import_tables(small.write(folder / "tables", **tables), **(meta or {}))
    return compile_catalog(catalog, Grouping())


def stays(*rows: dict[str, Any]) -> pl.DataFrame:
    """Rows give ``dx`` and ``op`` joined by ``|`` and any figure; the rest is a woman of 40 years, 5 days."""
    full = [{"gend": 2, "age": 40, "act_ipt_days": 5, **row} for row in rows]
    return pl.DataFrame(
        {
            "setl_id": [str(at) for at in range(len(full))],
            "diag_codes": [row["dx"].split("|") if row["dx"] else [] for row in full],
            "oprn_codes": [row["op"].split("|") if row.get("op") else [] for row in full],
            **{name: [row.get(name) for row in full] for name in OPTIONAL},
        },
        schema_overrides={"diag_codes": pl.List(pl.String), "oprn_codes": pl.List(pl.String), **OPTIONAL},
    )


def one(rules: CompiledDrg, **row: Any) -> tuple[str, ...]:
    return group_drg(stays(row), rules).frame.select("status", "reason", "mdc", "adrg", "drg").row(0)


def grouped(mdc: str, adrg: str, drg: str) -> tuple[str | None, ...]:
    return GROUPED, None, mdc, adrg, drg


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> CompiledDrg:
    return compiled(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize(
    ("row", "result"),
    [
        ({"dx": "K35.800"}, grouped("MDCG", "GR1", "GR15")),
        ({"dx": "K35.800|E10.100"}, grouped("MDCG", "GR1", "GR11")),
        # I10.x00 is a CC, but table 2 holds K35.800 as principal, not K35.900.
        ({"dx": "K35.800|I10.x00"}, grouped("MDCG", "GR1", "GR15")),
        ({"dx": "K35.900|I10.x00"}, grouped("MDCG", "GR1", "GR13")),
        ({"dx": "K35.800", "age": 16}, grouped("MDCG", "GR1", "GR17")),
        ({"dx": "K35.800", "age": 17}, grouped("MDCG", "GR1", "GR15")),
        ({"dx": "K35.800", "age": 16, "act_ipt_days": 1}, grouped("MDCG", "GR1", "GR15")),
        ({"dx": "K35.800", "age": 16, "act_ipt_days": None}, grouped("MDCG", "GR1", "GR15")),
        ({"dx": "K35.800", "op": "47.0100"}, grouped("MDCG", "GB1", "GB15")),
        ({"dx": "K35.800|E10.100", "op": "47.0100"}, grouped("MDCG", "GB1", "GB11")),
        # The second alternative: both tags, anywhere among the operations.
        ({"dx": "K35.800", "op": "45.1300|54.2100|54.1100"}, grouped("MDCG", "GB1", "GB15")),
        ({"dx": "K35.800", "op": "54.2100|45.1300"}, grouped("MDCG", "GK1", "GK19")),
        # K66.000 is in both chapters: of women in N, of men in G.
        ({"dx": "K66.000"}, grouped("MDCN", "NZ1", "NZ19")),
        ({"dx": "K66.000", "gend": 1}, grouped("MDCG", "GR1", "GR15")),
        # A valid operation that no ADRG before the slot takes makes the stay ambiguous in MDCG.
        ({"dx": "K35.800", "op": "68.4100"}, (AMBIGUOUS, "ambiguous", "MDCG", "QY", "GQY")),
    ],
)
def test_a_stay_finds_its_group(rules: CompiledDrg, row: dict[str, Any], result: tuple[str, ...]) -> None:
    assert one(rules, **row) == result


NONE = ("0000", "00", "0000")


@pytest.mark.parametrize(
    ("row", "status", "reason"),
    [
        ({"dx": ""}, FAILED, "no_principal_diagnosis"),
        ({"dx": "K35.800", "gend": None}, FAILED, "sex_unknown"),
        ({"dx": "K35.800", "gend": 9}, FAILED, "sex_unknown"),
        ({"dx": "K35.800", "age": None}, FAILED, "age_unknown"),
        ({"dx": "K35.800", "age": 0}, FAILED, "newborn_age_days_missing"),
        ({"dx": "K35.800", "age": 0, "nwb_age": 28}, FAILED, "newborn_weight_missing"),
        ({"dx": "K35.80"}, UNGROUPED, "unknown_diagnosis"),
        ({"dx": "k35.800"}, UNGROUPED, "unknown_diagnosis"),
        ({"dx": "E10.100"}, UNGROUPED, "no_mdc"),
        ({"dx": "N80.000", "gend": 1}, UNGROUPED, "sex_against_chapter"),
    ],
)
def test_why_there_is_no_group(rules: CompiledDrg, row: dict[str, Any], status: str, reason: str) -> None:
    assert one(rules, **row) == (status, reason, *NONE)


def test_a_newborn_of_29_days_needs_no_weight(rules: CompiledDrg) -> None:
    assert one(rules, dx="K35.800", age=0, nwb_age=29)[0] == GROUPED


def test_without_its_medical_adrg_the_operation_is_to_blame(tmp_path: Path) -> None:
    gone = compiled(
        tmp_path,
        adrg=small.changed("adrg", "GR1,1,阑尾炎,MDCG,4,medical,after_qy,GR1\n", ""),
        adrg_condition=small.changed("adrg_condition", "GR1,1,MDCG,4,1,MAIN_DX_IN,GR1.dx,,\n", ""),
        drg="\n".join(line for line in small.TABLES["drg"].splitlines() if not line.startswith("GR")) + "\n",
        version=small.changed("version", "qy,on", "qy,off"),
        valid_procedure=small.changed("valid_procedure", "68.4100,子宫切除\n", ""),
    )
    assert one(gone, dx="K35.800") == (UNGROUPED, "no_adrg", *NONE)
    assert one(gone, dx="K35.800", op="68.4100") == (UNGROUPED, "operation_not_valid", *NONE)
    assert one(gone, dx="K35.800", op="99.9999") == (UNGROUPED, "unknown_operation", *NONE)


def test_a_further_operation_is_tried_alone_where_the_version_says_so(tmp_path: Path) -> None:
    # 45.1300 is neither valid nor the main operation of GB1; alone, 47.0100 is.
    tables = {
        "mdc": small.changed("mdc", "main_dx,any_proc_valid,3", "main_dx,off,3"),
        "drg": "\n".join(
            line for line in small.TABLES["drg"].splitlines() if not line.startswith(("GR", "GK"))
        )
        + "\n",
        "adrg": "\n".join(
            line for line in small.TABLES["adrg"].splitlines() if not line.startswith(("GR", "GK"))
        )
        + "\n",
        "adrg_condition": "\n".join(
            line for line in small.TABLES["adrg_condition"].splitlines() if not line.startswith(("GR", "GK"))
        )
        + "\n",
    }
    again = compiled(tmp_path, **tables)
    assert one(again, dx="K35.800", op="45.1300|68.4100|47.0100") == grouped("MDCG", "GB1", "GB15")
    trace = trace_drg(stays({"dx": "K35.800", "op": "45.1300|68.4100|47.0100"}), again)
    assert [(look.code, look.alone) for look in trace.looked if look.level == "drg"] == [
        ("GB11", 3),
        ("GB15", 3),
    ]
    off = small.changed("version", "when_0000,1", "when_0000,0")
    once = compiled(tmp_path / "once", **tables, version=off)
    assert one(once, dx="K35.800", op="45.1300|68.4100|47.0100")[0] == UNGROUPED


def test_an_adrg_whose_drgs_all_fail_is_returned_or_passed_over(tmp_path: Path) -> None:
    only_mcc = "\n".join(
        line for line in small.TABLES["drg"].splitlines() if line[:4] not in ("GR13", "GR15")
    )
    returned = compiled(tmp_path / "a", drg=only_mcc + "\n")
    assert one(returned, dx="K35.800") == grouped("MDCG", "GR1", "GR1")
    passed = compiled(
        tmp_path / "b",
        drg=only_mcc + "\n",
        adrg=small.changed(
            "adrg", "GR1,1,阑尾炎,MDCG,4,medical,after_qy,GR1", "GR1,1,阑尾炎,MDCG,4,medical,after_qy,"
        ),
    )
    assert one(passed, dx="K35.800") == (UNGROUPED, "no_adrg", *NONE)


def test_the_slot_of_ambiguous_stays_where_not_all_sides_are_given(tmp_path: Path) -> None:
    # Medical ADRGs without a side: the chapter's number says that the slot lies before GR1.
    adrg = small.changed("adrg", "GR1,1,阑尾炎,MDCG,4,medical,after_qy", "GR1,1,阑尾炎,MDCG,4,medical,")
    assert one(compiled(tmp_path / "a", adrg=adrg), dx="K35.800", op="68.4100")[0] == AMBIGUOUS
    # Without the number: after the last ADRG that stands before it.
    mdc = small.changed("mdc", "main_dx,any_proc_valid,3", "main_dx,any_proc_valid,")
    assert one(compiled(tmp_path / "b", adrg=adrg, mdc=mdc), dx="K35.800", op="68.4100")[0] == AMBIGUOUS


def test_several_departments(tmp_path: Path) -> None:
    rules = compiled(tmp_path, drg=small.changed("drg", "age<17;los>=2", "dept==ICU|CCU"))
    assert one(rules, dx="K35.800", dscg_caty="CCU")[4] == "GR17"
    assert one(rules, dx="K35.800", dscg_caty="A03")[4] == "GR15"


def test_codes_are_translated_where_the_catalogue_says_so(tmp_path: Path) -> None:
    translated = compiled(tmp_path, meta={"translate_codes": True})
    # K35.900 becomes K35.800, whose exclusion table cancels I10.x00.
    assert one(translated, dx="K35.900|I10.x00") == grouped("MDCG", "GR1", "GR15")
    assert one(translated, dx="K35.901") == ("诊断不能转换", "diagnosis_not_translatable", *NONE)
    assert one(translated, dx="K35.900", op="47.0199") == (
        "手术操作不能转换",
        "operation_not_translatable",
        *NONE,
    )


def test_a_category_stands_for_what_it_begins(tmp_path: Path) -> None:
    wide = compiled(
        tmp_path,
        meta={"code_match": "category"},
        mdc_dx="mdc,code,trauma_site\nMDCG,K30-K39,\nMDCN,N80,\n",
        code_list=small.TABLES["code_list"]
        .replace("GR1.dx,0,K35.800", "GR1.dx,0,K35")
        .replace("GB1.ops,0,47.0100", "GB1.ops,0,47.01"),
        cc="code,level,excl_table\nE10,CC,1\nE10.1,MCC,\n",
    )
    assert one(wide, dx="K35.902") == grouped("MDCG", "GR1", "GR15")
    assert one(wide, dx="K40.902")[1] == "unknown_diagnosis"
    assert one(wide, dx="K35.902", op="47.0100x005") == grouped("MDCG", "GB1", "GB15")
    # The most specific entry decides: E10.1 is a MCC, the rest of E10 a CC.
    assert one(wide, dx="K35.902|E10.100")[4] == "GR11"
    assert one(wide, dx="K35.902|E10.900")[4] == "GR13"


@pytest.mark.parametrize(
    ("rule", "row", "holds"),
    [
        ("dept==ICU", {"dscg_caty": "ICU"}, True),
        ("dept==ICU", {"dscg_caty": "A03"}, False),
        ("dept!=ICU", {"dscg_caty": "A03"}, True),
        ("dept!=ICU", {}, False),
        ("leaving_type_in:2|4", {"dscg_way": 4}, True),
        ("leaving_type_in:2|4", {"dscg_way": 1}, False),
        ("leaving_type_in:2|4", {}, False),
        ("icu_hours>=2", {"icu_hours": 2.0}, True),
        ("icu_hours>=2", {"icu_hours": 1.99}, False),
        ("los<5", {"act_ipt_days": 4}, True),
        ("los<5", {"act_ipt_days": 5}, False),
        ("any_proc==45.1300", {"op": "99.9999|45.1300"}, True),
        ("sec_proc_in:45.1300|45.1400", {"op": "99.9999|45.1400"}, True),
        ("sec_proc_in:45.1300|45.1400", {"op": "45.1400|99.9999"}, False),
        ("sec_dx_in:NZ1.dx", {"dx": "K35.800|N80.000"}, True),
        ("main_dx_not_in:GR1.dx", {}, False),
    ],
)
def test_terms_of_drg_rules(tmp_path: Path, rule: str, row: dict[str, Any], holds: bool) -> None:
    tables = {
        "drg": small.changed("drg", "age<17;los>=2", rule),
        "mdc": small.changed("mdc", "main_dx,any_proc_valid,3", "main_dx,off,3"),
        "adrg_condition": small.changed("adrg_condition", "ANY_PROC_IN,GK1.ops", "MAIN_PROC_IN,NA1.ops"),
    }
    rules = compiled(tmp_path, **tables)
    assert one(rules, **{"dx": "K35.800", **row})[4] == ("GR17" if holds else "GR15")


def test_a_limit_finer_than_the_figure_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"finer|whole number"):
        compiled(tmp_path, drg=small.changed("drg", "age<17", "age<16.5"))


def test_the_result_does_not_depend_on_threads_order_or_cuts(rules: CompiledDrg) -> None:
    rows = [
        {"dx": dx, "op": op}
        for dx in ("K35.800", "K66.000|E10.100", "x")
        for op in ("", "47.0100", "68.4100")
    ]
    frame = pl.concat([stays(*rows)] * 5_000).with_columns(
        pl.int_range(pl.len()).cast(pl.String).alias("setl_id")
    )
    whole = group_drg(frame, rules, threads=1).frame
    assert whole.equals(group_drg(frame, rules, threads=3).frame)
    assert whole.equals(pl.concat([group_drg(part, rules).frame for part in frame.iter_slices(7_777)]))
    turned = group_drg(frame.reverse(), rules).frame.reverse()
    assert whole.equals(turned)


def test_a_frame_without_stays_or_without_optional_columns(rules: CompiledDrg) -> None:
    assert group_drg(stays({"dx": "K35.800"}).clear(), rules).frame.height == 0
    bare = stays({"dx": "K35.800"}).select("setl_id", "diag_codes", "oprn_codes", "gend", "age")
    assert group_drg(bare, rules).frame["drg"].to_list() == ["GR15"]


def test_an_empty_text_split_is_no_operation(rules: CompiledDrg) -> None:
    frame = stays({"dx": "K35.800"}).with_columns(pl.Series("oprn_codes", [[""]]))
    assert group_drg(frame, rules).frame["drg"].to_list() == ["GR15"]
    # In a longer list an empty place stays a place: 47.0100 is not the main operation.
    frame = stays({"dx": "K35.800"}).with_columns(pl.Series("oprn_codes", [["", "47.0100"]]))
    assert group_drg(frame, rules).frame["drg"].to_list() == ["GQY"]


def test_unknown_operations_are_counted_by_stays(rules: CompiledDrg) -> None:
    frame = stays({"dx": "K35.800", "op": "99.1|99.1|99.2"}, {"dx": "K35.800", "op": "99.1|47.0100"})
    assert group_drg(frame, rules).unknown_operations.rows() == [("99.1", 2), ("99.2", 1)]


def test_an_explanation_tells_the_way(rules: CompiledDrg) -> None:
    trace = trace_drg(stays({"dx": "K35.800|I10.x00|E10.100", "op": "99.9999"}), rules)
    assert [
        (look.level, look.code, look.alt, look.failed.source if look.failed else None)
        for look in trace.looked
    ] == [
        ("mdc", "MDCG", 1, None),
        ("adrg", "GB1", 1, "MAIN_PROC_IN GB1.ops"),
        ("adrg", "GB1", 2, "PROC_TAGS GB1.tagged 1&2"),
        ("adrg", "GK1", 1, "ANY_PROC_IN GK1.ops"),
        ("qy", "MDCG", 1, "any_proc_valid"),
        ("adrg", "GR1", 1, None),
        ("drg", "GR11", 1, None),
    ]
    assert trace.closed == ("MDCN",)
    assert [(one.code, one.level, one.excluded_by) for one in trace.complications] == [
        ("I10.x00", "CC", "2"),
        ("E10.100", "MCC", None),
    ]
    assert trace.final() == "分组成功: MDCG > GR1 > GR11"
    refused = trace_drg(stays({"dx": "K35.800", "age": None}), rules)
    assert refused.looked == ()
    assert refused.final() == "信息校验不通过 (age_unknown): 0000 > 00 > 0000"
