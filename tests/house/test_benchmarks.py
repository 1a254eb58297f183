"""The measuring itself: what is drawn, how a process is measured, when a figure is too bad."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))


def test_the_same_seed_draws_the_same_stays():
    from benchmarks import synthetic

    one, same, other = (synthetic.stays(500, seed) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)


def test_stays_have_the_lengths_and_the_skew_they_should():
    from benchmarks import synthetic

    stays = synthetic.stays(20_000)
    assert stays["setl_id"].n_unique() == stays.height
    assert stays["diag_codes"].list.len().mean() == pytest.approx(6, abs=0.1)
    assert stays["diag_codes"].list.len().min() == 1
    assert stays["oprn_codes"].list.len().mean() == pytest.approx(1.2, abs=0.1)
    assert stays["oprn_codes"].null_count() == 0
    principals = stays["diag_codes"].list.first().value_counts(sort=True)
    assert principals.height > 3_000
    assert principals["count"][0] > 50 * principals["count"].median()


def test_the_catalogue_is_of_the_size_we_state_and_most_stays_find_a_core_group():
    from benchmarks import synthetic
    from fenzhi.grouping import compile_catalog, group_dip
    from fenzhi.policy import load_policy

    catalog = synthetic.catalog()
    layers = dict(catalog.groups["layer"].value_counts().iter_rows())
    assert layers["basic"] == 8_000
    assert layers["comprehensive"] >= 2_000
    compiled = compile_catalog(catalog, load_policy("national-dip-3.0").grouping)
    outcomes = group_dip(synthetic.stays(5_000), compiled).frame["outcome"]
    assert 0.5 < (outcomes == "grouped").mean() < 0.9


def test_a_file_of_stays_is_read_without_a_rejected_row(tmp_path):
    from benchmarks import synthetic
    from fenzhi.records import read_stays

    synthetic.file_of_stays(300).write_parquet(tmp_path / "stays.parquet")
    read = read_stays(tmp_path / "stays.parquet", needs="grouping")
    assert read.stays.height == read.rows_in == 300
    assert read.stays["diag_codes"].equals(pl.read_parquet(tmp_path / "stays.parquet")["diag_codes"])


def test_a_child_is_measured_by_its_own_peak():
    from benchmarks.measure import child

    _held = bytearray(b"x") * (150 * 1024**2)  # our own memory is not counted
    took, small = child("import time; time.sleep(0.2)")
    _, large = child("import sys; held = b'x' * int(sys.argv[1])", str(300 * 1024**2))
    assert took >= 0.2
    if small is not None:
        assert 0.29 < large < 0.4
        assert small < 0.1
        assert child("")[1] < 0.1  # not the largest child so far


def test_a_child_that_fails_stops_the_measurement():
    from benchmarks.measure import child

    with pytest.raises(SystemExit, match="exit code 3"):
        child("raise SystemExit(3)")


def test_both_sides_are_measured_in_turns():
    from benchmarks.measure import alternate

    calls = []
    ours, limit = alternate(lambda: calls.append("ours"), lambda: calls.append("limit"), 3)
    assert calls[2:] == ["limit", "ours"] * 3
    assert len(ours) == len(limit) == 3


def test_what_is_worse_than_its_floor_is_named():
    from benchmarks.figures import below_floor
    from benchmarks.measure import figure

    found = {"speed": figure([1, 3, 100], "stays/s"), "ratio": figure([2.0], "x")}
    assert found["speed"].value == 3
    assert below_floor(found, {"speed": {"at_least": 3}, "ratio": {"at_most": 2.0}}) == []
    worse = below_floor(found, {"speed": {"at_least": 4}, "ratio": {"at_most": 1.9}, "year": {"at_most": 1}})
    assert worse == ["speed: 3.00 is below 4", "ratio: 2.00 is above 1.9", "year: not measured"]


def test_every_floor_is_a_figure_that_is_measured():
    from benchmarks import figures

    text = Path(figures.__file__).read_text(encoding="utf-8")
    floors = json.loads(figures.FLOOR.read_text(encoding="utf-8"))
    assert set(floors) == {"quick", "full"}
    for name in floors["quick"] | floors["full"]:
        assert f'ours["{name}"]' in text


def test_the_json_has_the_published_names():
    from benchmarks import figures
    from benchmarks.measure import figure

    names = ("dip_group_stays_per_s", "file_ratio", "year_seconds", "year_peak_gib")
    found = {name: figure([1.5, 2.5], "x") for name in names}
    written = json.loads(
        json.dumps(figures.as_json(figures.QUICK, found, {"file_seconds": figure([1.0], "s")}))
    )
    for name in names:
        assert (written[name]["value"], written[name]["n"]) == (2.0, 2)
    assert written["stays"]["value"] == figures.QUICK.stays
    assert written["machine"]["cores"] >= 1
    assert written["limits"]["file_seconds"]["value"] == 1.0
