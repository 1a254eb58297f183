"""Differences of TCM-advantage groups, each change by hand: one cell, one row of the result."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fenzhi.catalogs import DipCatalog, load_catalog
from fenzhi.catalogs.diff import Diff
from fenzhi.catalogs.diff_dip import diff_dip
from fenzhi.catalogs.drg.diff import diff_drg
from unit.catalogs.drg.test_diff import small
from unit.catalogs.test_tcm import folder

HEAD = "group_id,name,main_diag,tcm_diag,los_min_days,classes,min_classes,min_operations,reference_group,share,weight\n"
ROWS = (
    "T1,桡骨骨折,S52.5|@BONE,,10,bone_setting,,,G1,0.8,\n"
    "T1,,S52.5,,10,needle|moxibustion,2,3,,,\n"
    "T2,腰痛,M54.5,A03,,,,,,,120\n"
)
OPERATIONS = "code,class,name\n93.0001,bone_setting,正骨\n99.9201,needle,针刺\n99.9301,moxibustion,艾灸\n"
LISTS = "list,code\n@BONE,S42.2\n@BONE,S42.3\n"


@pytest.fixture
def catalog(tmp_path):
    """Make a catalogue with tables of TCM-advantage groups."""

    def make(rows: str = ROWS, operations: str = OPERATIONS, lists: str = LISTS) -> DipCatalog:
        return load_catalog(folder(tmp_path, HEAD + rows, tcm_operations=operations, tcm_lists=lists))

    return make


def rows(found: Diff) -> list[tuple[str | None, ...]]:
    return found.changes.drop("name").rows()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("腰痛", "腰痛病", [("tcm_group", "renamed", "T2", "腰痛", "腰痛病")]),
        ("T2,腰痛,M54.5,A03,,,,,,,120\n", "", [("tcm_group", "removed", "T2", "腰痛", None)]),
        (
            "T2,腰痛,M54.5,A03",
            "T2,腰痛,M54.4,A03",
            [
                (
                    "tcm_condition",
                    "changed",
                    "T2",
                    "main_diag M54.5; tcm_diag A03",
                    "main_diag M54.4; tcm_diag A03",
                )
            ],
        ),
        (
            "T1,,S52.5,,10,needle|moxibustion,2,3,,,\n",
            "",
            [
                (
                    "tcm_condition",
                    "changed",
                    "T1",
                    "main_diag S52.5|@BONE; los>=10; classes bone_setting / "
                    "main_diag S52.5; los>=10; classes needle|moxibustion; classes>=2; operations>=3",
                    "main_diag S52.5|@BONE; los>=10; classes bone_setting",
                )
            ],
        ),
        (",G1,0.8,", ",G1,,", [("tcm_weight", "changed", "T1", "G1 x 0.8", "G1 x 1")]),
        (",,120\n", ",,\n", [("tcm_weight", "changed", "T2", "120", None)]),
    ],
)
def test_one_change_of_a_group_is_one_difference(catalog, old, new, expected):
    assert old in ROWS
    before, after = catalog(), catalog(ROWS.replace(old, new, 1))
    assert rows(diff_dip(before, after)) == expected
    back = {"removed": "added", "renamed": "renamed", "changed": "changed"}
    opposite = [(what, back[change], item, after_, was) for what, change, item, was, after_ in expected]
    assert rows(diff_dip(after, before)) == opposite


def test_the_order_in_which_groups_are_tried(catalog):
    first, second, third = ROWS.splitlines(keepends=True)
    assert rows(diff_dip(catalog(), catalog(third + first + second))) == [
        ("tcm_order", "changed", "T1", "1", "2"),
        ("tcm_order", "changed", "T2", "2", "1"),
    ]


def test_codes_that_moved(catalog):
    # S42.3 leaves @BONE, S42.4 comes; needles count as moxibustion too, bone setting has another code.
    before = catalog()
    lists = LISTS.replace("S42.3", "S42.4")
    operations = OPERATIONS.replace("93.0001", "93.0002") + "99.9201,moxibustion,针刺\n"
    found = diff_dip(before, catalog(lists=lists, operations=operations))
    assert rows(found) == [
        ("tcm_list", "removed", "S42.3", "@BONE", None),
        ("tcm_list", "added", "S42.4", None, "@BONE"),
        ("tcm_operation", "removed", "93.0001", "bone_setting", None),
        ("tcm_operation", "added", "93.0002", None, "bone_setting"),
        ("tcm_operation", "changed", "99.9201", "needle", "moxibustion, needle"),
    ]
    assert found.changes["name"].to_list() == [None, None, "正骨", "正骨", "针刺"]


def test_the_same_tables_and_catalogues_without_them(catalog):
    one = catalog()
    assert diff_dip(one, one).changes.is_empty()
    none = load_catalog("demonstration-3.0")
    assert diff_dip(replace(none, tcm=one.tcm), none).counts.rows() == [
        ("tcm_group", "removed", 2),
        ("tcm_list", "removed", 2),
        ("tcm_operation", "removed", 3),
    ]


def test_drg_catalogues_are_compared_alike(catalog):
    drg = small()
    found = diff_drg(drg, replace(drg, tcm=catalog().tcm))
    assert [row[:3] for row in rows(found)] == [
        ("tcm_group", "added", "T1"),
        ("tcm_group", "added", "T2"),
        ("tcm_list", "added", "S42.2"),
        ("tcm_list", "added", "S42.3"),
        ("tcm_operation", "added", "93.0001"),
        ("tcm_operation", "added", "99.9201"),
        ("tcm_operation", "added", "99.9301"),
    ]
