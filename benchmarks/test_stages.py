"""Stages on their own, to compare commits: ``pytest benchmarks --benchmark-autosave --benchmark-compare``.

The figures we publish come from ``scripts/bench``.
"""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks import drg, synthetic
from fenzhi.catalogs import load_catalog, save_catalog
from fenzhi.grouping import compile_catalog, group_dip, group_drg
from fenzhi.grouping.compile_drg import compile_drg
from fenzhi.grouping.dip import group_door
from fenzhi.grouping.door_dip import open_door
from fenzhi.grouping.door_drg import open_drg_door
from fenzhi.grouping.drg import group_drg_door
from fenzhi.money import apportion_within, standard_fen
from fenzhi.pipeline import group_file
from fenzhi.policy import load_policy
from fenzhi.records import read_stays

STAYS = 100_000
POLICY = "national-dip-3.0"


@pytest.fixture(scope="module")
def catalog():
    return synthetic.catalog()


@pytest.fixture(scope="module")
def compiled(catalog):
    return compile_catalog(catalog, load_policy(POLICY).grouping)


@pytest.fixture(scope="module")
def stays():
    return synthetic.stays(STAYS)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("source") / "stays.parquet"
    synthetic.file_of_stays(STAYS).write_parquet(path)
    return path


def test_group_frame(benchmark, stays, compiled):
    grouped = benchmark(group_dip, stays, compiled).frame
    assert grouped.height == STAYS
    assert grouped["outcome"].is_in(["grouped", "comprehensive"]).mean() > 0.9


def test_open_door(benchmark, stays, compiled):
    assert benchmark(open_door, stays, compiled).stays.principal.shape == (STAYS,)


def test_kernel(benchmark, stays, compiled):
    group, _ = benchmark(group_door, open_door(stays, compiled), compiled, STAYS)
    assert (group >= 0).mean() > 0.9


@pytest.fixture(scope="module")
def drawn():
    return drg.draw(STAYS)


def test_group_drg(benchmark, drawn):
    grouped = benchmark(group_drg, drawn.frame, drawn.compiled).frame
    assert grouped.height == STAYS
    assert (grouped["outcome"] == "grouped").mean() > 0.8


def test_open_drg_door(benchmark, drawn):
    door = benchmark(open_drg_door, drawn.frame, drawn.compiled)
    assert door.stays.facts.shape == (len(drawn.compiled.facts), STAYS)


def test_drg_kernel(benchmark, drawn):
    door = open_drg_door(drawn.frame, drawn.compiled)
    group, _, _ = benchmark(group_drg_door, door, drawn.compiled, STAYS)
    assert (group >= 0).mean() > 0.8


def test_compile_drg(benchmark, drawn):
    assert benchmark.pedantic(compile_drg, (drawn.compiled.catalog,), rounds=3).groups.height


def test_compile(benchmark, catalog):
    rules = load_policy(POLICY).grouping
    assert benchmark.pedantic(compile_catalog, (catalog, rules), rounds=3).rules


def test_load_catalog(benchmark, catalog, tmp_path):
    save_catalog(catalog, tmp_path / "catalog")
    loaded = benchmark.pedantic(load_catalog, (tmp_path / "catalog",), rounds=3)
    assert loaded.groups.height == catalog.groups.height


def test_read_stays(benchmark, source):
    read = benchmark.pedantic(lambda: read_stays(source, needs="grouping"), rounds=5, warmup_rounds=1)
    assert read.stays.height == STAYS


def test_group_file(benchmark, source, catalog, tmp_path):
    save_catalog(catalog, tmp_path / "catalog")
    target = tmp_path / "groups.parquet"

    def work():
        target.unlink(missing_ok=True)
        return group_file(source, target, tmp_path / "catalog", policy=POLICY)

    assert benchmark.pedantic(work, rounds=5, warmup_rounds=1)["rows"].sum() == STAYS


def test_limit_read_and_rewrite(benchmark, source, tmp_path):
    copy = tmp_path / "copy.parquet"
    benchmark.pedantic(lambda: pl.read_parquet(source).write_parquet(copy), rounds=5, warmup_rounds=1)
    assert copy.stat().st_size > 0


def test_apportion_within(benchmark):
    rows = pl.DataFrame({"tie": range(STAYS)}).with_columns(
        (pl.col("tie") % 319).alias("key"),
        (pl.col("tie") * 7919 % 10_007).alias("share"),
        total=1_000_000_007,
    )
    parts = benchmark(apportion_within, rows, "total", "share", ["key"], "tie")
    assert parts.sum() == 319 * 1_000_000_007


def test_standard_fen(benchmark):
    rows = pl.DataFrame({"points": range(STAYS)}).with_columns(value=98_765)
    out = benchmark(lambda: rows.select(standard_fen(pl.col("points"), pl.col("value"))).to_series())
    assert out[10_000] == 988
