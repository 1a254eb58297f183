"""The examples of docs/examples do what they say."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

import fenzhi
from cli.calls import done, runs_of
from fenzhi.pipeline import BuildInputs, build_from_history
from fenzhi.records import QualityRules

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def script(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def demo_copy(demo, tmp_path) -> Path:
    """The demo region without its runs."""
    return shutil.copytree(demo, tmp_path / "region", ignore=shutil.ignore_patterns("runs"))


def test_the_year_step_by_step_is_the_run(demo_copy, capsys):
    assert script(EXAMPLES / "api.py").main(demo_copy) == 0
    out = capsys.readouterr().out
    assert "3008 rows: " in out
    assert out.endswith("the same as the run\n")


def test_the_step_by_step_comparison_can_fail(demo_copy, capsys, monkeypatch):
    example = script(EXAMPLES / "api.py")
    real = example.cost_of
    monkeypatch.setattr(example, "cost_of", lambda stays, scope: real(stays, scope) + 1)
    assert example.main(demo_copy) == 1
    assert capsys.readouterr().out.endswith("NOT the same as the run\n")


def test_the_public_names_are_there_and_are_functions():
    assert dir(fenzhi) == fenzhi.__all__ == sorted(fenzhi.__all__)
    for name in fenzhi.__all__:
        assert callable(getattr(fenzhi, name)), name
    with pytest.raises(AttributeError, match="fenzhi has no 'nonsense'"):
        _ = fenzhi.nonsense
    used = set(re.findall(r"fenzhi\.([a-z_]+)\(", (EXAMPLES / "api.py").read_text(encoding="utf-8")))
    assert {"read_stays", "group", "weigh", "score", "price", "settle", "run"} <= used <= set(fenzhi.__all__)


def test_errors_of_the_api_are_of_one_family(tmp_path):
    for call in (
        lambda: fenzhi.run(tmp_path / "nowhere"),
        lambda: fenzhi.read_stays(tmp_path / "nowhere"),
        lambda: fenzhi.load_catalog("nowhere"),
        lambda: fenzhi.load_policy("nowhere"),
        lambda: fenzhi.load_region(tmp_path),
        lambda: fenzhi.explain(tmp_path, "x"),
    ):
        with pytest.raises(fenzhi.FenzhiError) as caught:
            call()
        assert caught.value.remedy
        assert str(caught.value).startswith(f"[{caught.value.code}] ")


@pytest.fixture(scope="module")
def brazil(reference_data, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("brazil") / "region"
    source = reference_data / "sih_sus_rs_2019_10k.csv"
    assert script(EXAMPLES / "brazil" / "make.py").make(source, folder) == 263
    columns = ("--columns", folder / "columns.toml")
    done("catalog", "build", folder / "history", *columns, "-o", folder / "catalog")
    done("run", folder, "--no-reports")
    return folder


def figures() -> dict[str, str]:
    """The table of brazil.md."""
    text = (EXAMPLES / "brazil.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", text, flags=re.MULTILINE))


def test_brazil_every_admission_is_accounted_for(brazil):
    [run] = runs_of(brazil)
    cases = pl.read_parquet(run / "cases.parquet")
    counts = cases.group_by("outcome", "reason").len().sort("outcome", "reason").rows()
    assert counts == [
        ("comprehensive", None, 5770),
        ("excluded", "other_year", 135),
        ("grouped", None, 4007),
        ("rejected", "cost_zero", 88),
    ]
    # Counted in the table itself, without the engine.
    raw = pl.read_csv(brazil / "records" / "sih.csv", infer_schema=False)
    zero = pl.col("VAL_TOT").cast(pl.Decimal(12, 2)) == 0
    later = pl.col("YM_DISCH").str.starts_with("2020")
    assert raw.select(zero.sum(), (later & ~zero).sum(), pl.len()).row(0) == (88, 135, 10_000)
    assert cases["setl_id"].to_list() == raw["ROW_ID"].to_list()
    rejected = set(cases.filter(outcome="rejected")["setl_id"])
    assert rejected == set(raw.filter(zero)["ROW_ID"])


def test_brazil_the_fund_is_paid_out_to_the_centavo(brazil):
    [run] = runs_of(brazil)
    pool = pl.read_parquet(run / "pools.parquet").row(0, named=True)
    assert pool["fund_fen"] == 1_200_000_000 - 24_000_001
    assert pl.read_parquet(run / "hospitals.parquet")["gross_fen"].sum() == pool["fund_fen"]
    assert pl.read_parquet(run / "cases.parquet")["payable_fen"].sum() == pool["fund_fen"]
    assert json.loads((run / "manifest.json").read_text(encoding="utf-8"))["counts"]["rows"] == 10_000


def test_brazil_combinations(brazil):
    built = json.loads((brazil / "catalog" / "build.json").read_text(encoding="utf-8"))["figures"]
    assert (built["stays"], built["combinations"], built["combinations_at_threshold"]) == (9912, 3018, 102)
    everything = build_from_history(
        BuildInputs(
            history=[brazil / "history"],
            columns=brazil / "columns.toml",
            quality=QualityRules(severity={"cost_zero": "off"}),
        )
    ).counts
    assert (everything["stays"], everything["combinations"], everything["combinations_at_threshold"]) == (
        10_000,
        3_029,
        103,
    )
    # Counted in the table itself.
    raw = pl.read_csv(brazil / "records" / "sih.csv", infer_schema=False)
    pairs = raw.group_by("DIAG_PRINC", "PROC_REA").len()
    assert (pairs.height, (pairs["len"] >= 15).sum()) == (3_029, 103)


def test_brazil_the_page_says_what_came_out(brazil):
    built = json.loads((brazil / "catalog" / "build.json").read_text(encoding="utf-8"))["figures"]
    [run] = runs_of(brazil)
    outcomes = dict(pl.read_parquet(run / "cases.parquet")["outcome"].value_counts().iter_rows())
    fund = pl.read_parquet(run / "pools.parquet")["fund_fen"][0]
    assert figures() == {
        "figure": "value",
        "hospitals (distinct `CNES`)": "263",
        "rows": "10,000",
        "rejected: the total cost is zero (`cost_zero`)": f"{outcomes['rejected']}",
        "excluded: discharged in 2020 (`other_year`)": f"{outcomes['excluded']}",
        "in core groups": f"{outcomes['grouped']:,}",
        "in comprehensive groups": f"{outcomes['comprehensive']:,}",
        "ungrouped": "0",
        "combinations of 4-character diagnosis and procedure, zero costs left out": f"{built['combinations']:,}",
        "of these with at least 15 stays (core groups)": f"{built['combinations_at_threshold']}",
        "the same with the rule `cost_zero` switched off": "3,029 and 103",
        "core groups cover": f"{built['coverage']:.2%}".replace("%", " % of stays"),
        "by-disease fund, paid out to the last centavo": f"{fund / 100:,.2f}",
    }
