"""``fenzhi simulate``: scenarios in, answers, a page, tables and the changed region out."""

from __future__ import annotations

import json
import re
import stat

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from fenzhi.attribution import CAUSES, cause
from fenzhi.attribution.simulated import SIMULATED
from fenzhi.reports.simulate_texts import TEXTS

MORE = 'name = "=多收"\nhospital = "A1"\n[[volume]]\ngrowth = 1\n[[cost]]\ncost = -0.1\n'
LESS = 'name = "少收"\nhospital = "A1"\n[[volume]]\nstays = -1\n'
FILES = {*(f"{name}.csv" for name in SIMULATED), "summary.json", "simulate.html"}


@pytest.fixture
def files(tmp_path):
    found = {}
    for name, text in (("more", MORE), ("less", LESS)):
        found[name] = tmp_path / f"{name}.toml"
        found[name].write_text(text, encoding="utf-8")
    return found


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_two_scenarios_side_by_side(small, files, tmp_path, lang):
    target = tmp_path / "simulated"
    scenarios = ("--scenario", files["more"], "--scenario", files["less"])
    out = done("simulate", small, *scenarios, "-o", target, "--lang", lang)
    assert TEXTS["scenarios"][lang == "en"] in out
    assert {path.name for path in target.iterdir()} == FILES
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in target.iterdir())
    tables = {name: pl.read_csv(target / f"{name}.csv") for name in SIMULATED}
    for name, columns in SIMULATED.items():
        assert tables[name].columns == [column.name for column in columns]
    for name in ("scenarios", "accounts"):
        table = tables[name]
        whole = table.select(pl.sum_horizontal(cause(one) for one in CAUSES)).to_series()
        assert whole.to_list() == table["difference_fen"].to_list()
        assert (table["after_fen"] - table["before_fen"]).to_list() == table["difference_fen"].to_list()
    parts = tables["parts"].group_by("scenario").agg(pl.col("difference_fen").sum())
    assert dict(parts.iter_rows()) == dict(
        tables["scenarios"].select("scenario", "difference_fen").iter_rows()
    )
    # A name that a spreadsheet would take for a formula is neutral in the files.
    assert set(tables["scenarios"]["scenario"]) == {"'=多收", "少收"}
    page = (target / "simulate.html").read_text("utf-8")
    assert "少收" in page
    assert not re.search(r"(?:src|href)=[\"']?https?:", page)


def test_the_region_that_is_written_is_the_answer(small, files, tmp_path):
    changed = tmp_path / "changed"
    said = json.loads(
        done("simulate", small, "--scenario", files["more"], "--write-region", changed, "--json")
    )
    done("run", changed, "--no-reports")
    [run] = runs_of(changed)
    mine = pl.read_parquet(run / "hospitals.parquet").filter(pl.col("fixmedins_code") == "A1")
    [one] = said["scenarios"]
    assert mine["final_fen"].sum() == one["after_fen"]
    assert sum(one["causes"].values()) == one["difference_fen"]


def test_what_cannot_be_is_said_before_any_work(small, files, tmp_path):
    typo = tmp_path / "typo.toml"
    typo.write_text('hospital = "A1"\n\n[[volume]]\ngruop = "X"\ngrowth = 1\n', encoding="utf-8")
    said = fenzhi("simulate", small, "--scenario", typo)
    assert said.code == 2
    assert "[SCENARIO_VALUE] this key is unknown; nearest is 'group'" in said.err
    assert f"{typo}, line 4, field volume.1.gruop" in said.err
    assert not (small / "simulation").exists()
    assert "[SCENARIO_SYNTAX]" in fenzhi("simulate", small, "--scenario", tmp_path / "none.toml").err
    both = ("--scenario", files["more"], "--scenario", files["less"])
    assert "[OUTPUT_SEVERAL]" in fenzhi("simulate", small, *both, "--write-region", tmp_path / "x").err
    other = tmp_path / "other.toml"
    other.write_text('hospital = "B2"\n[others]\ngrowth = 1\n', encoding="utf-8")
    said = fenzhi("simulate", small, "--scenario", files["more"], "--scenario", other)
    assert "scenarios side by side are of one hospital" in said.err


def test_a_scenario_of_the_whole_region_names_no_hospital(small, tmp_path):
    scenario = tmp_path / "all.toml"
    scenario.write_text('[[volume]]\nhospital = "A1"\ngrowth = 1\n', encoding="utf-8")
    said = json.loads(done("simulate", small, "--scenario", scenario, "--json"))
    [one] = said["scenarios"]
    assert one["difference_fen"] == one["after_fen"] - one["before_fen"] == sum(one["causes"].values())
