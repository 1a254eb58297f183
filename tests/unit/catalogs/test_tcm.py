"""Files of TCM-advantage groups: read, written again, and every message about them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fenzhi.catalogs import load_catalog, save_catalog
from fenzhi.errors import CatalogError

TOML = """
[catalog]
id = "small"
title = "small"
scheme = "dip"
version = "1"
kind = "demonstration"
layers = ["basic"]
synthetic = true
[dialect]
form = "or_of_ands"
"""
GROUPS = "group_id,name,layer,main_diag,treatment\nG1,fracture,basic,S52,any\n"
OPERATIONS = "code,class\n93.0001,bone_setting\n99.9201,needle\n99.9301,moxibustion\n"
HEAD = "group_id,name,main_diag,tcm_diag,los_min_days,classes,min_classes,reference_group,share,weight\n"


def folder(place: Path, rows: str, **files: str) -> Path:
    texts = {
        "catalog.toml": TOML,
        "groups.csv": GROUPS,
        "tcm_groups.csv": rows,
        "tcm_operations.csv": OPERATIONS,
    }
    for name, text in {**texts, **{f"{key}.csv": text for key, text in files.items()}}.items():
        (place / name).write_text(text, encoding="utf-8")
    return place


def test_tables_are_read_and_written_again(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    rows = (
        HEAD + "T1,桡骨骨折,s52.5｜@BONE,,10,bone_setting,,G1,0.8,\nT1,,S52.5,,10,needle|moxibustion,2,,,\n"
    )
    one = folder(tmp_path / "one", rows, tcm_lists="list,code\n@BONE,S42.2\n")
    loaded = load_catalog(one)
    assert loaded.tcm.groups.rows() == [("T1", "桡骨骨折", "G1", "0.8", None)]
    assert loaded.tcm.codes(loaded.tcm.conditions["main_diag"][0]) == ["S52.5", "S42.2"]
    save_catalog(loaded, tmp_path / "two")
    assert load_catalog(tmp_path / "two") == loaded
    (one / "tcm_groups.csv").unlink()
    assert load_catalog(one) != loaded
    assert load_catalog(one).tcm.conditions.is_empty()


@pytest.mark.parametrize(
    ("rows", "code", "message"),
    [
        ("group_id,main_diag,los\nT1,S52,3\n", "CATALOG_COLUMN", "the column los is unknown"),
        (HEAD + "T1,,S52,,ten,,,,,\n", "CATALOG_VALUE", "los_min_days is not a whole number"),
        (HEAD + "T1,,,,10,,,,,\n", "CATALOG_BLANK", "the row has no main_diag"),
        (HEAD + "T1,,@BONE,,10,,,,,\n", "CATALOG_TCM_LIST", "tcm_lists.csv has no list @BONE"),
        (HEAD + "T1,,S52,,10,cupping,,,,\n", "CATALOG_TCM_CLASS", "has no operation of this class"),
        (HEAD + "T1,,S52,,10,needle,2,,,\n", "CATALOG_TCM_CLASS", "more classes of operations than it names"),
        (HEAD + "G1,,S52,,10,,,,,\n", "CATALOG_TCM_GROUP", "a normal group has this code"),
        (HEAD + "T1,,S52,,10,,,G9,,\n", "CATALOG_TCM_REFERENCE", "reference group of T1 is no group"),
        (HEAD + "T1,,S52,,10,,,,0.8,\n", "CATALOG_TCM_REFERENCE", "T1 has a share but no reference group"),
        (HEAD + "T1,,S52,,10,,,G1,,1.2\n", "CATALOG_TCM_REFERENCE", "T1 has a weight and a reference group"),
        (HEAD + "T1,,S52,,10,,,G1,-1,\n", "CATALOG_VALUE", "share of T1 is no positive number"),
        (HEAD + "T1,,S52,,10,,,,,many\n", "CATALOG_VALUE", "weight of T1 is no positive number"),
        (
            HEAD + "T1,,S52,,10,,,,,1\nT1,,S53,,10,,,,,2\n",
            "CATALOG_TCM_GROUP",
            "the rows of T1 differ in weight",
        ),
    ],
)
def test_messages(tmp_path: Path, rows: str, code: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message) as caught:
        load_catalog(folder(tmp_path, rows))
    assert caught.value.code == code
    assert caught.value.remedy
