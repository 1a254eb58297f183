"""Reading a run: every way in which it can be broken is said in words."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from fenzhi.errors import InputError
from fenzhi.reports import RunTables
from fenzhi.results import TABLES


@pytest.fixture
def copy(run_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run_dir, tmp_path / "copy"))


def _error(run: Path) -> InputError:
    with pytest.raises(InputError) as error:
        RunTables.read(run)
    return error.value


def test_tables_have_the_columns_of_results(tables: RunTables) -> None:
    for name, columns in TABLES.items():
        frame = getattr(tables, name)
        assert frame.collect_schema() == pl.Schema({c.name: c.dtype for c in columns})
    assert isinstance(tables.cases, pl.LazyFrame)
    assert tables.synthetic
    assert tables.pool_ids() == ["employee", "resident"]
    assert tables.pool_titles() == {"employee": "职工医保", "resident": "居民医保"}


def test_names_from_policy_and_rules(tables: RunTables) -> None:
    assert tables.band_titles == {"high": "费用过高(特例单议)"}
    assert tables.rule_messages["no_principal"] == "no_principal 不合规"
    two = tables.rejected.with_columns(message=pl.int_range(pl.len()).cast(pl.String), rule=pl.lit("same"))
    assert dataclasses.replace(tables, rejected=two).rule_messages == {}, (
        "messages that differ may hold a value"
    )


def test_text_columns_may_be_categorical(copy: Path) -> None:
    path = copy / "cases.parquet"
    pl.read_parquet(path).with_columns(pl.col("source_file").cast(pl.Categorical)).write_parquet(path)
    assert RunTables.read(copy).cases.collect_schema()["source_file"] == pl.String


def test_no_run(tmp_path: Path) -> None:
    assert str(_error(tmp_path / "none")) == (
        "[RUN_MISSING] there is no such run\n"
        f"  where: {tmp_path / 'none'}\n"
        "  to do: give the folder of a finished run (runs/<id>)"
    )


@pytest.mark.parametrize("name", sorted(TABLES))
def test_missing_table(copy: Path, name: str) -> None:
    (copy / f"{name}.parquet").unlink()
    error = _error(copy)
    assert (error.code, error.file) == ("RUN_TABLE_MISSING", str(copy / f"{name}.parquet"))


@pytest.mark.parametrize("name", ["cases", "pools"])
def test_missing_column(copy: Path, name: str) -> None:
    path = copy / f"{name}.parquet"
    pl.read_parquet(path).drop("payable_fen").write_parquet(path)
    error = _error(copy)
    assert (error.code, error.field, error.file) == ("RUN_TABLE_COLUMNS", "payable_fen", str(path))


@pytest.mark.parametrize("name", ["cases", "pools"])
def test_damaged_table(copy: Path, name: str) -> None:
    (copy / f"{name}.parquet").write_bytes(b"PAR1 not really")
    assert _error(copy).code == "RUN_TABLE_UNREADABLE"


def test_wrong_type(copy: Path) -> None:
    path = copy / "pools.parquet"
    pl.read_parquet(path).with_columns(payable_fen=pl.lit("many")).write_parquet(path)
    assert _error(copy).code == "RUN_TABLE_UNREADABLE"


def test_missing_manifest(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    assert _error(copy).code == "RUN_MANIFEST_MISSING"


@pytest.mark.parametrize("content", ["{", "[]", "\udcff"])
def test_broken_manifest(copy: Path, content: str) -> None:
    (copy / "manifest.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert _error(copy).code == "RUN_MANIFEST"


def test_incomplete_manifest_names_every_key(copy: Path) -> None:
    path = copy / "manifest.json"
    about = json.loads(path.read_text())
    del about["run_id"], about["region"]["synthetic"], about["catalog"], about["budget"][1]["method"]
    path.write_text(json.dumps(about))
    error = _error(copy)
    assert error.code == "RUN_MANIFEST"
    assert error.message == (
        "the manifest lacks run_id, region.synthetic, catalog.id, catalog.title, catalog.version, "
        "budget[1].method"
    )
