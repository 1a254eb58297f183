"""Smallest records and changes under the DRG engine: CC / MCC, chapters, and the reference cases."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from catalogs.drg.small import frames

from fenzhi.catalogs.drg import DrgMeta, import_tables, make_drg_catalog, save_drg_catalog
from fenzhi.comparison import find_changes, reduce_records
from fenzhi.grouping import group_drg
from fenzhi.grouping.compile_drg import compile_drg
from fenzhi.pipeline.reconcile import ReconcileInputs, reconcile

META = DrgMeta(id="small", title="small", version="1", kind="imported")


@pytest.fixture(scope="module")
def engine():
    compiled = compile_drg(make_drg_catalog(META, frames()))
    return lambda stays: group_drg(stays, compiled).frame


def stays(*rows: tuple[list[str], list[str], int, int]) -> pl.DataFrame:
    columns = {
        "diag_codes": pl.List(pl.String),
        "oprn_codes": pl.List(pl.String),
        "gend": pl.Int8,
        "age": pl.Int16,
    }
    return (
        pl.DataFrame(rows, columns, orient="row")
        .with_row_index("setl_id")
        .with_columns(pl.col("setl_id").cast(pl.String), pl.lit(5, pl.Int32).alias("act_ipt_days"))
        .with_columns(pl.lit(None, pl.Int32).alias("nwb_age"), pl.lit(None, pl.Int32).alias("nwb_bir_wt"))
    )


def test_the_mcc_is_what_remains_and_what_has_to_go(engine):
    # E10.100 is an MCC, I10.x00 a CC that K35.800 excludes; an appendectomy needs its operation first.
    records = stays(
        (["K35.800", "I10.x00", "E10.100"], ["47.0100", "45.1300"], 1, 40),
        (["K35.900", "I10.x00"], [], 1, 40),
        (["K35.800"], ["45.1300", "68.4100", "47.0100"], 1, 40),
    )
    assert engine(records)["group_id"].to_list() == ["GB11", "GR13", "GK19"]
    smallest = reduce_records(records, engine)
    assert smallest.select("diag_codes", "oprn_codes").rows() == [
        (["K35.800", "E10.100"], ["47.0100"]),
        (["K35.900", "I10.x00"], []),
        (["K35.800"], ["45.1300"]),
    ]
    # Without sex or age a DRG stay is not grouped, so these stay; the length of stay goes.
    assert smallest.select("gend", "age", "act_ipt_days").rows() == [(1, 40, None)] * 3
    wanted = pl.Series(["GB15", "GR15", "GB15"])
    assert find_changes(records, wanted, engine).rows() == [
        ("without_diagnosis", 3, "E10.100"),
        ("without_diagnosis", 2, "I10.x00"),
        ("operation_as_main", 3, "47.0100"),
    ]


def test_not_grouped_is_not_explained_by_a_record_that_is_refused(engine):
    # Officially not grouped: without sex or age we would refuse the record, which explains nothing.
    records = stays((["K35.900"], [], 1, 40))
    assert find_changes(records, pl.Series([None], dtype=pl.String), engine).rows() == [(None, None, None)]


@pytest.fixture(scope="module")
def version(reference_data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drg") / "catalog"
    save_drg_catalog(import_tables(reference_data / "chs_drg_11"), folder)
    return folder


def test_reference_cases_agree_and_a_wrong_level_is_found(reference_data, version, tmp_path):
    """Every case that a file of stays can hold; where the official side has another level, that is the kind."""
    cases = (
        pl.read_parquet(reference_data / "chs_drg_11_cases_dev.parquet")
        .filter(pl.col("kind") != "edge")
        .head(20_000)
        .with_columns(pl.col("id").cast(pl.String))
    )
    cases.select(
        pl.col("id").alias("setl_id"),
        pl.col("gender").alias("gend"),
        "age",
        pl.col("age_day").alias("nwb_age"),
        pl.col("weight").alias("nwb_bir_wt"),
        pl.col("dx").alias("diag_codes"),
        pl.col("proc").alias("oprn_codes"),
    ).write_parquet(tmp_path / "stays.parquet")
    # Officially no severe complications: suffix 1 becomes 5 where the ADRG has both.
    known = pl.read_csv(version / "drg.csv", infer_schema=False)["drg"].implode()
    milder = pl.col("exp_drg").str.slice(0, 3) + "5"
    moved = pl.col("exp_drg").str.ends_with("1") & milder.is_in(known)
    cases.select(
        pl.col("id").alias("setl_id"),
        pl.when(moved).then(milder).otherwise("exp_drg").alias("drg_codg"),
        pl.col("exp_mdc").alias("mdc_codg"),
        pl.lit("CHS-DRG 1.1").alias("grp_ver"),
    ).write_csv(tmp_path / "3605.csv")
    inputs = ReconcileInputs(tmp_path / "stays.parquet", tmp_path / "3605.csv", version)
    done = reconcile(inputs, tmp_path / "compared")
    changed = cases.filter(moved).height
    assert changed > 100
    counts = done.summary["counts"]
    assert (counts["agree"], counts["other_level"]) == (cases.height - changed, changed)
    assert sum(counts.values()) == cases.height
    patterns = done.tables["patterns"].filter(pl.col("change").is_not_null())
    # An MCC explains them: of a single one the change says which.
    assert (patterns["change"] == "without_diagnosis").mean() > 0.9
    assert (done.tables["patterns"]["minimal_diagnoses"].str.count_matches("|", literal=True) == 1).all()
