"""What is exported is imported without a difference: the folder's files to the byte."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs import CatalogMeta, Dialect, load_catalog, make_catalog, save_catalog
from fenzhi.catalogs.models import GROUPS_SCHEMA
from fenzhi.catalogs.tcm import read_tcm, with_tcm
from fenzhi.pipeline.catalogs import export
from fenzhi.pipeline.import_dip import DipImport, import_dip

from .book import OPERATIONS, official, write


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def again(folder: Path, tmp_path: Path) -> dict[str, bytes]:
    """Export a folder and import the workbook."""
    book = tmp_path / "again.xlsx"
    export(folder, book)
    done = import_dip(DipImport((book,), {}), tmp_path / "again")
    assert not [one for one in done.entries if one.severity == "error"]
    return files(tmp_path / "again")


def test_the_official_layout(tmp_path: Path) -> None:
    book = write(tmp_path / "scheme.xlsx", official())
    names = write(tmp_path / "names.xlsx", {"诊断编码库": [["编码", "名称"], ["A01.000", "伤寒"]]})
    pairs = tmp_path / "map.csv"
    pairs.write_text(
        "国临版编码,国临版名称,医保版2.0编码,医保版2.0名称\nA01.0x1,甲,A01.000,伤寒\n", encoding="utf-8"
    )
    tables = {
        "operations": write(tmp_path / "types.xlsx", OPERATIONS),
        "diagnosis_names": names,
        "diagnosis_map": pairs,
    }
    import_dip(DipImport((book,), tables), tmp_path / "one")
    first = files(tmp_path / "one")
    assert set(first) == {
        *("catalog.toml", "groups.csv", "code_sets.csv", "exclusions.csv", "operations.csv", "labels.csv"),
        *("diagnosis_names.csv", "diagnosis_map.csv"),
    }
    assert first["diagnosis_map.csv"] == b"code,target\nA01.0x1,A01.000\n"
    assert again(tmp_path / "one", tmp_path) == first


def test_the_shipped_catalogue(tmp_path: Path) -> None:
    save_catalog(load_catalog("demonstration-3.0"), tmp_path / "one")
    assert again(tmp_path / "one", tmp_path) == files(tmp_path / "one")


def odd(dialect: Dialect) -> tuple[CatalogMeta, pl.DataFrame]:
    meta = CatalogMeta(
        id="odd",
        title="=标题",
        version="1",
        kind="built",
        layers=("own", "basic", "comprehensive"),
        dialect=dialect,
        synthetic=True,
        note="一,二",
    )
    rows: list[dict[str, object]] = [
        {
            **{
                "group_id": "9",
                "name": "数字编码",
                "layer": "comprehensive",
                "main_diag": "A09",
                "treatment": "any",
            },
            **{
                "any_diag": "@OTHER",
                "age_days_max": 5,
                "birth_weight_max_g": 999,
                "grassroots": True,
                "note": "=1+1",
            },
        },
        {
            **{
                "group_id": "B",
                "name": "-名称",
                "layer": "basic",
                "main_diag": "K35.8/K36",
                "treatment": "operation",
            },
            **{"main_oprn": "47.0100/47.0901+54.2100", "related_oprn": "45.1300"},
        },
        {
            **{"group_id": "A B", "name": "空格编码", "layer": "own", "treatment": "any_operation"},
            **{"main_oprn": "47.0100", "other_diag": "C00-C75", "birth_weight_min_g": 1},
        },
        {
            **{
                "group_id": "T",
                "name": "结核",
                "layer": "basic",
                "main_diag": "A15",
                "treatment": "conservative",
            },
            **{"any_diag": "@TB_RESISTANT"},
        },
    ]
    return meta, pl.DataFrame(
        [{name: row.get(name) for name in GROUPS_SCHEMA} for row in rows], schema=GROUPS_SCHEMA
    )


@pytest.mark.parametrize("tcm", [False, True])
def test_a_catalogue_of_any_form(tmp_path: Path, *, tcm: bool) -> None:
    """Own layers, another dialect, rows out of order, several sets, a decimal code, TCM-advantage groups."""
    meta, groups = odd(Dialect("and_of_ors", "/", "+"))
    catalog = make_catalog(
        meta,
        groups,
        code_sets={"OTHER": ("A01.0", "C00-C10"), "TB_RESISTANT": ("U84.3",), "UNUSED": ("A02",)},
        exclusions=pl.DataFrame(
            {
                "kind": ["cannot_be_main", "diagnosis", "main_within", "as_conservative"],
                "code": ["00.3101", "A16.000", "45.1300", "11.6000"],
                "within": [None, None, "A00-A09/@OTHER", None],
                "note": [None, "注(一)", "x", None],
            }
        ),
        operations=pl.DataFrame({"code": ["47.0100"], "name": [None], "type": ["surgery"]}),
    )
    if tcm:
        (tmp_path / "tcm").mkdir()
        (tmp_path / "tcm" / "tcm_groups.csv").write_text(
            "group_id,name,main_diag,los_min_days,classes,reference_group,share\nT1,桡骨,S52.5,10,bone,B,0.80\n"
        )
        (tmp_path / "tcm" / "tcm_operations.csv").write_text("code,class,name\n93.5300,bone,整骨\n")
        catalog = with_tcm(catalog, read_tcm(tmp_path / "tcm"))
    save_catalog(catalog, tmp_path / "one")
    assert again(tmp_path / "one", tmp_path) == files(tmp_path / "one")
