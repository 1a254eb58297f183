"""Differences of two catalogues, each change by hand: one cell of the small tables, one row of the result."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from fenzhi.catalogs import load_dip_catalog, make_catalog
from fenzhi.catalogs.diff import CHANGES
from fenzhi.catalogs.diff_dip import diff_dip
from fenzhi.catalogs.drg import DrgCatalog, DrgMeta, import_tables, make_drg_catalog
from fenzhi.catalogs.drg.diff import diff_drg
from unit.catalogs.drg.small import TABLES, changed, frames

META = DrgMeta(id="small", title="小目录", version="1", kind="imported")


def small(**tables: str) -> DrgCatalog:
    return make_drg_catalog(META, frames(**tables))


def moved(**tables: str) -> list[tuple[str, ...]]:
    """Return what differs, if some tables are changed: what, change, item, before, after."""
    return diff_drg(small(), small(**tables)).changes.drop("name").rows()


def test_the_same_catalogue_has_no_differences():
    found = diff_drg(small(), small())
    assert found.changes.is_empty()
    assert found.changes.schema == CHANGES
    assert found.counts.is_empty()


@pytest.mark.parametrize(
    ("table", "old", "new", "rows"),
    [
        ("mdc", "MDCG,消化", "MDCG,消化系统", [("chapter", "renamed", "MDCG", "消化", "消化系统")]),
        (
            "mdc",
            "main_dx;female,off",
            "any_dx;female,off",
            [
                (
                    "chapter_rule",
                    "changed",
                    "MDCN",
                    "entry: main_dx;female; QY: off, after 1",
                    "entry: any_dx;female; QY: off, after 1",
                )
            ],
        ),
        (
            "mdc",
            "MDCN,女性,1",
            "MDCN,女性,3",
            [("chapter_order", "changed", "MDCG", "2", "1"), ("chapter_order", "changed", "MDCN", "1", "2")],
        ),
        (
            "mdc_dx",
            "MDCN,K66.000,",
            "MDCN,K66.000,腹",
            [("diagnosis_chapter", "changed", "K66.000", "MDCG, MDCN", "MDCG, MDCN (腹)")],
        ),
        ("mdc_dx", "MDCG,K35.900,\n", "", [("diagnosis_chapter", "removed", "K35.900", "MDCG", None)]),
        ("adrg", "GK1,1,内镜操作", "GK1,1,内镜", [("adrg", "renamed", "GK1", "内镜操作", "内镜")]),
        (
            "adrg",
            "after_qy,GR1",
            "after_qy,",
            [
                (
                    "adrg_rule",
                    "changed",
                    "GR1",
                    "MDCG, medical: MAIN_DX_IN; no DRG: GR1",
                    "MDCG, medical: MAIN_DX_IN; no DRG: -",
                )
            ],
        ),
        (
            "adrg_condition",
            "GB1.tagged,1&2",
            "GB1.tagged,1|2",
            [
                (
                    "adrg_rule",
                    "changed",
                    "GB1/2",
                    "MDCG, surgical: PROC_TAGS 1&2; no DRG: GB1",
                    "MDCG, surgical: PROC_TAGS 1|2; no DRG: GB1",
                )
            ],
        ),
        (
            "code_list",
            "NZ1.dx,1,K66.000",
            "NZ1.dx,1,K35.900",
            [
                ("diagnosis_adrg", "changed", "K35.900", "GR1", "GR1, NZ1"),
                ("diagnosis_adrg", "changed", "K66.000", "GR1, NZ1", "GR1"),
            ],
        ),
        (
            "code_list",
            "GB1.tagged,1,54.2100,2",
            "GB1.tagged,1,54.2100,1",
            [("operation_adrg", "changed", "54.2100", "GB1/2:PROC_TAGS=2", "GB1/2:PROC_TAGS=1")],
        ),
        (
            "code_list",
            "GK1.ops,0,45.1300,\n",
            "",
            [("operation_adrg", "removed", "45.1300", "GK1:ANY_PROC_IN", None)],
        ),
        (
            "drg",
            "GR17,阑尾炎儿童",
            "GR17,儿童阑尾炎",
            [("drg", "renamed", "GR17", "阑尾炎儿童", "儿童阑尾炎")],
        ),
        (
            "drg",
            "age<17;los>=2",
            "age<18;los>=2",
            [("drg_rule", "changed", "GR17", "GR1: age<17;los>=2", "GR1: age<18;los>=2")],
        ),
        ("drg", "GR13,阑尾炎伴CC,GR1,1,2,cc\n", "", [("drg", "removed", "GR13", "阑尾炎伴CC", None)]),
        ("cc", "E10.100,MCC", "E10.100,CC", [("cc_level", "changed", "E10.100", "MCC", "CC")]),
        ("cc", "I10.x00,CC,2\n", "", [("cc_level", "removed", "I10.x00", "CC", None)]),
        ("cc", "I10.x00,CC,2", "I10.x00,CC,3", [("cc_exclusion", "changed", "I10.x00", "2", "3")]),
        (
            "cc_exclusion",
            "K35.800,2",
            "K35.900,2",
            [
                ("main_exclusion", "removed", "K35.800", "2", None),
                ("main_exclusion", "added", "K35.900", None, "2"),
            ],
        ),
        (
            "valid_procedure",
            "45.1300,胃镜检查\n",
            "",
            [("valid_operation", "removed", "45.1300", "valid", None)],
        ),
        (
            "icd10",
            "K35.900,阑尾炎,K35.800",
            "K35.900,阑尾炎,=",
            [("diagnosis_map", "changed", "K35.900", "K35.800", "=")],
        ),
        ("icd9cm3", "45.1300,胃镜检查,=\n", "", [("operation_map", "removed", "45.1300", "=", None)]),
    ],
)
def test_one_change_is_one_difference(table, old, new, rows):
    assert moved(**{table: changed(table, old, new)}) == rows


def test_other_names_of_lists_are_no_difference():
    renamed = {name: TABLES[name].replace("GB1.ops", "lap") for name in ("code_list", "adrg_condition")}
    assert moved(**renamed) == []


def test_a_new_adrg_before_others_moves_nothing_else():
    adrg = changed(
        "adrg", "NA1,1,子宫手术,MDCN,1", "NB1,1,新组,MDCN,0,surgical,before_qy,\nNA1,1,子宫手术,MDCN,1"
    )
    assert moved(adrg=adrg) == [("adrg", "added", "NB1", None, "新组")]


def test_codes_of_drg_rules_are_followed():
    rule = changed("drg", "GR13,阑尾炎伴CC,GR1,1,2,cc", "GR13,阑尾炎伴CC,GR1,1,2,sec_dx_in:NZ1.dx")
    rows = [row for row in moved(drg=rule) if row[0] == "diagnosis_adrg"]
    assert rows == [
        ("diagnosis_adrg", "changed", "K66.000", "GR1, NZ1", "GR1, GR13:SEC_DX_IN, NZ1"),
        ("diagnosis_adrg", "changed", "N80.000", "NZ1", "GR13:SEC_DX_IN, NZ1"),
    ]


def test_switches_and_weights():
    one = small()
    other = replace(
        small(weights="drg,weight\nNA19,0.7\n"), meta=META.model_copy(update={"ambiguous": False})
    )
    assert diff_drg(one, other).changes.drop("name").rows() == [
        ("setting", "changed", "ambiguous", "true", "false"),
        ("weight", "added", "NA19", None, "0.7"),
    ]


def test_names_stand_beside_the_items_and_counts_add_up():
    found = diff_drg(small(), small(mdc_dx=changed("mdc_dx", "MDCG,K66.000,\n", "")))
    assert found.changes.select("item", "name").rows() == [("K66.000", "腹膜粘连")]
    assert found.counts.rows() == [("diagnosis_chapter", "changed", 1)]


def test_the_other_way_round_is_the_opposite():
    other = small(
        drg=changed("drg", "GR13,阑尾炎伴CC,GR1,1,2,cc\n", ""), cc=changed("cc", "E10.100,MCC", "E10.100,CC")
    )
    there, back = diff_drg(small(), other).changes, diff_drg(other, small()).changes
    swapped = back.rename({"before": "after", "after": "before"}).select(there.columns)
    words = {"added": "removed", "removed": "added"}
    assert swapped.with_columns(pl.col("change").replace(words)).equals(there)


def test_chs_drg_11_against_itself_and_a_code_moved(reference_data):
    catalog = import_tables(reference_data / "chs_drg_11")
    assert diff_drg(catalog, catalog).changes.is_empty()
    dx = catalog.tables["mdc_dx"].with_columns(
        pl.when(pl.col("code") == "I60.000").then(pl.lit("MDCX")).otherwise("mdc").alias("mdc")
    )
    other = make_drg_catalog(catalog.meta, {**catalog.tables, "mdc_dx": dx})
    assert diff_drg(catalog, other).changes.select("what", "item", "before", "after").rows() == [
        ("diagnosis_chapter", "I60.000", "MDCB", "MDCX")
    ]


# --- DIP


def test_dip_groups_rows_and_tables():
    one = load_dip_catalog("demonstration-3.0")
    assert diff_dip(one, one).changes.is_empty()
    ids = one.groups["group_id"]
    first, last = ids[0], ids[-1]
    groups = one.groups.head(one.groups.height - 1).with_columns(
        pl.when(pl.col("group_id") == first).then(pl.lit("新名")).otherwise("name").alias("name"),
        pl.when(pl.col("group_id") == ids[1]).then(pl.lit("Z99")).otherwise("main_diag").alias("main_diag"),
    )
    other = make_catalog(
        one.meta,
        groups,
        code_sets={**one.code_sets, "NEW": ("A00", "B00")},
        exclusions=one.exclusions,
        operations=one.operations.head(one.operations.height - 1),
    )
    gone = one.operations.tail(1).row(0, named=True)
    names = dict(one.groups.select("group_id", "name").iter_rows())
    assert diff_dip(one, other).changes.drop("name").rows() == [
        *sorted(
            [
                ("group", "renamed", first, names[first], "新名"),
                ("group", "removed", last, names[last], None),
            ],
            key=lambda row: row[2],
        ),
        ("main_diag", "changed", ids[1], one.groups["main_diag"][1], "Z99"),
        ("code_set", "added", "@NEW", None, "A00, B00"),
        ("operation_type", "removed", gone["code"], gone["type"], None),
    ]
