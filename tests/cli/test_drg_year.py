"""``fenzhi demo --scheme drg`` and ``fenzhi run``: both methods pay out the fund to the fen, in the words of DRG."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from fenzhi.money import format_fen

SMALL = ("--stays", "2000", "--hospitals", "10", "--seed", "7", "--scheme", "drg")


@pytest.fixture(scope="module", params=["rate", "points"])
def region(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, str]:
    """Method, folder and printed summary of a DRG demo region with one finished run."""
    folder = tmp_path_factory.mktemp("drg") / request.param
    done("demo", folder, *SMALL, "--method", request.param)
    return request.param, folder, done("run", folder)


def tables(folder: Path, *names: str) -> list[pl.DataFrame]:
    [run] = runs_of(folder)
    return [pl.read_parquet(run / f"{name}.parquet") for name in names]


def test_the_fund_is_paid_out_to_the_fen(region: tuple[str, Path, str]) -> None:
    pools, hospitals, cases = tables(region[1], "pools", "hospitals", "cases")
    for pool in pools.iter_rows(named=True):
        mine = hospitals.filter(pool=pool["pool"])
        assert mine["gross_fen"].sum() + pool["residual_fen"] == pool["fund_fen"] > 0
        assert mine["payable_fen"].sum() + pool["returned_fen"] == mine["gross_fen"].sum()
        assert cases.filter(pool=pool["pool"])["payable_fen"].sum() == mine["gross_fen"].sum()
        assert pool["income_fen"] == pool["carved_out_fen"] + pool["reserve_fen"] + pool["fund_fen"]


def test_every_stay_has_an_outcome_and_nearly_all_a_group(region: tuple[str, Path, str]) -> None:
    cases, hospitals = tables(region[1], "cases", "hospitals")
    assert cases["outcome"].null_count() == 0
    assert cases["scheme"].unique().to_list() == ["drg"]
    grouped = cases.filter(pl.col("outcome") == "grouped")
    assert set(grouped["layer"]) == {"surgical", "procedure", "medical"}
    assert grouped["mdc"].n_unique() > 15
    assert grouped.select(pl.col("mdc", "adrg", "group_id").null_count()).row(0) == (0, 0, 0)
    assert hospitals["grouped_cases"].sum() > 0.97 * (hospitals["cases"] - hospitals["bed_day_cases"]).sum()
    assert (
        hospitals["cases"]
        == hospitals["grouped_cases"] + hospitals["ungrouped_cases"] + hospitals["bed_day_cases"]
    ).all()


def test_what_the_method_brings(region: tuple[str, Path, str]) -> None:
    method, folder, _ = region
    cases, hospitals, pools = tables(folder, "cases", "hospitals", "pools")
    outcomes, bands = set(cases["outcome"]), set(cases["deviation"].drop_nulls())
    lines = {
        line["name"]
        for pool in tomllib.loads((folder / "budget.toml").read_text("utf-8"))["pool"]
        for line in pool["lines"]
    }
    if method == "rate":
        # 1 is the mean stay; bed-day stays are another track with its own line of the budget.
        assert "bed_day" not in outcomes
        assert "other_track" in outcomes
        assert "床日付费病例" in lines
        assert {"low", "normal", "high"} <= bands
        assert 0.5 < pools["points_e4"].sum() / 10_000 / pools["cases"].sum() < 2
        assert cases["readmitted_days"].null_count() == cases.height
    else:
        assert "other_track" not in outcomes
        bed_day = cases.filter(pl.col("outcome") == "bed_day")
        assert bed_day.height == bed_day["group_id"].null_count() == hospitals["bed_day_cases"].sum()
        assert hospitals["points_bed_day_e4"].sum() > 0
        assert "床日付费病例" not in lines
        assert {"normal", "incomplete"} <= bands
        assert 50 < pools["points_e4"].sum() / 10_000 / pools["cases"].sum() < 200
        again = cases["readmitted_days"].drop_nulls()
        assert again.len() > 5
        assert again.is_between(0, 10).all()


def test_the_summary_speaks_of_drg(region: tuple[str, Path, str]) -> None:
    method, _, said = region
    words = {
        "rate": ("总权重", "结算费率", "行数、权重、金额"),
        "points": ("总点数", "结算点值", "行数、点数、金额"),
    }
    assert all(word in said for word in words[method])
    assert "入组" in said
    assert ("床日付费" in said) is (method == "points")
    assert "病种" not in said
    assert "分值" not in said


def test_pages_have_kinds_and_chapters(region: tuple[str, Path, str]) -> None:
    [run] = runs_of(region[1])
    pages = [run / "region.html", *sorted((run / "statements").iterdir())]
    # Of each hospital the year, its months and the page to sign.
    assert len(pages) == 31
    for page in pages:
        text = page.read_text(encoding="utf-8").split("</style>")[1]
        assert "分值" not in text
        if page.name.endswith((".months.html", ".confirm.html")):
            continue
        assert 'id="chapters"' in text
        assert "非手术操作" in text
        assert re.search(r"MDC[A-Z]", text)
        assert "入组率" in text


def test_the_catalogue_is_the_shipped_one(region: tuple[str, Path, str]) -> None:
    method, folder, _ = region
    assert not (folder / "catalog").exists()
    [run] = runs_of(folder)
    about = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert about["catalog"]["id"] == "demonstration-drg"
    assert about["policy"]["scale"] == {"rate": 1, "points": 100}[method]


def test_no_person_leaves_the_records(region: tuple[str, Path, str]) -> None:
    folder = region[1]
    persons = set(pl.read_parquet(folder / "records" / "2027-01.parquet")["psn_no"])
    [run] = runs_of(folder)
    cases = pl.read_parquet(run / "cases.parquet")
    assert not [c for c in cases.columns if cases[c].dtype == pl.String and persons & set(cases[c])]


def test_the_same_seed_gives_the_same_region(region: tuple[str, Path, str], tmp_path: Path) -> None:
    method, folder, _ = region
    done("demo", tmp_path / "again", *SMALL, "--method", method)

    def content(place: Path) -> dict[str, bytes]:
        files = (path for path in place.rglob("*") if path.is_file() and "runs" not in path.parts)
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}

    assert content(folder) == content(tmp_path / "again")


def test_method_without_drg_is_wrong_usage(tmp_path: Path) -> None:
    said = fenzhi("demo", tmp_path / "x", "--method", "points")
    assert said.code == 2
    assert "--method goes with --scheme drg only" in said.err
    assert not (tmp_path / "x").exists()


def test_explain_ends_in_the_figures_of_the_run(region: tuple[str, Path, str]) -> None:
    method, folder, _ = region
    [cases] = tables(folder, "cases")
    [run] = runs_of(folder)
    case = cases.filter((pl.col("outcome") == "grouped") & (pl.col("deviation") == "normal")).row(
        0, named=True
    )
    text = done("explain", run, case["setl_id"])
    assert f"结果: 分组成功: {case['mdc']} > {case['adrg']} > {case['group_id']}" in text
    assert ("病组权重 RW" if method == "rate" else "基准点数 RW") in text
    assert format_fen(case["payable_fen"]) in text
    found = json.loads(done("explain", run, case["setl_id"], "--json"))
    assert found["grouping"]["drg"] == case["group_id"]
    assert found["steps"][-1]["result"] == format_fen(case["payable_fen"])
