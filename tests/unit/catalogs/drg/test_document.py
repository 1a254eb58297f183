"""docs/reference/drg-catalog.md says what the model has, and its example groups as it says."""

import io
import re
from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs.drg import TABLES, DrgMeta, check_drg_catalog, make_drg_catalog
from fenzhi.catalogs.drg.rules import CONDITION_KINDS, FACTS
from fenzhi.grouping.compile_drg import compile_drg
from fenzhi.grouping.drg import group_drg

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "drg-catalog.md").read_text(encoding="utf-8")


def test_every_table_column_kind_and_figure_is_there() -> None:
    tables = PAGE.split("## The tables")[1].split("## Example")[0]
    for table, columns in TABLES.items():
        assert re.search(rf"\b{table}\b", tables), table
        for column in columns:
            assert re.search(rf"\b{column}\b", tables), (table, column)
    assert set(CONDITION_KINDS) <= set(re.findall(r"`([A-Z_]+)`", tables))
    assert set(FACTS.values()) <= set(re.findall(r"`([a-z_]+?)(?:_in:|[<>=!])", tables)) | {"age_day"}
    assert set(DrgMeta.model_fields) <= set(re.findall(r"^(\w+) = ", PAGE, flags=re.MULTILINE))


def test_every_code_of_a_finding_is_there() -> None:
    source = Path(__file__).parents[4] / "src" / "fenzhi" / "catalogs" / "drg"
    files = ("check.py", "doubts.py", "code_doubts.py", "load.py", "tables.py", "rules.py")
    codes = {
        code for name in files for code in re.findall(r'"(CATALOG_[A-Z_]+)"', (source / name).read_text())
    }
    assert len(codes) > 25
    assert codes - {"CATALOG_MISSING"} <= set(re.findall(r"`(CATALOG_[A-Z_]+)`", PAGE))


@pytest.mark.parametrize(
    ("age", "diagnoses", "operations", "drg"),
    [
        (40, ["K35.800"], ["47.0100"], "GD19"),
        (40, ["K35.800", "I21.000"], ["47.0100"], "GD11"),
        (40, ["K35.800"], ["51.2300"], "GQY"),
        (8, ["K35.800"], [], "GU17"),
        (40, ["K35.800"], [], "GU19"),
    ],
)
def test_the_example(age: int, diagnoses: list[str], operations: list[str], drg: str) -> None:
    block = PAGE.split("## Example")[1].split("```")[1]
    parts = [part.strip().split("\n", 1) for part in block.strip().split("\n\n")]
    frames = {
        name.removesuffix(".csv"): pl.read_csv(io.StringIO(text), infer_schema=False) for name, text in parts
    }
    catalog = make_drg_catalog(DrgMeta(id="x", title="例", version="1", kind="imported"), frames)
    assert check_drg_catalog(catalog) == []
    stays = pl.DataFrame(
        {"setl_id": ["1"], "gend": [1], "age": [age], "diag_codes": [diagnoses], "oprn_codes": [operations]},
        schema_overrides={"gend": pl.Int8, "age": pl.Int16, "oprn_codes": pl.List(pl.String)},
    ).with_columns(
        pl.lit(0, pl.UInt32).alias("row_idx"),
        pl.lit(None, pl.Int32).alias("nwb_age"),
        pl.lit(None, pl.Int32).alias("nwb_bir_wt"),
    )
    assert group_drg(stays, compile_drg(catalog)).frame["drg"].to_list() == [drg]
