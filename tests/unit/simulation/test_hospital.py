"""A hospital alone: its own stays, published weights and point values; on the small region of tests/golden."""

from __future__ import annotations

import json
from fractions import Fraction

import polars as pl
import pytest

from fenzhi.errors import RegionError
from fenzhi.money import round_half_up
from fenzhi.pipeline import run
from fenzhi.region import load_region
from fenzhi.region.published import moved_value
from fenzhi.simulation import load_simulation, scenario_of
from golden.small_region import write_region

# Rounded once from the value and the ratio instead of shared out of the fund.
NEAR = 100


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    return load_simulation(write_region(tmp_path_factory.mktemp("small")))


@pytest.fixture
def alone(region, tmp_path):
    region.write_hospital("H1", tmp_path / "alone")
    return tmp_path / "alone"


def replaced(file, old, new):
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_points_are_those_of_the_region(region, alone):
    """What needs no other hospital is the same: groups, points, deviation; amounts but for rounding."""
    done = run(alone)
    tables = done.tables
    all_ = region.before.tables["hospitals"].filter(pl.col("fixmedins_code") == "H1")
    mine = tables["hospitals"]
    same = [
        "fixmedins_code",
        "pool",
        "cases",
        "cost_fen",
        "booked_fen",
        "points_e4",
        "cmi_e4",
        "coefficient_e4",
    ]
    assert mine.select(same).equals(all_.select(same))
    theirs = region.before.stays(["H1"]).sort("setl_id")
    paid = tables["cases"].filter(pl.col("payable_fen").is_not_null()).sort("setl_id")
    assert paid["points_e4"].to_list() == theirs["points_e4"].to_list()
    for pool, value, ratio, points, gross in zip(
        mine["pool"],
        tables["pools"]["settlement_value_e4"],
        [Fraction(pool.payment_ratio) for pool in load_region(alone).published.pool],
        mine["points_e4"],
        mine["gross_fen"],
        strict=True,
    ):
        # points x value x ratio, once rounded: 3,710 points of pool E at its value.
        assert gross == round_half_up(Fraction(points * value, 10**6) * ratio), pool
    assert ((mine["gross_fen"] - all_["gross_fen"]).abs() <= NEAR).all()
    assert tables["pools"]["value_limit"].to_list() == ["given", "given"]
    said = " ".join(done.manifest["notices"])
    assert "only one hospital's stays are here" in said
    assert "budget, reserve and ledger are assumed" in said
    assert (done.folder / "statements" / "H1.html").is_file()


def test_a_range_is_taken_in_the_middle(region, alone):
    text = (alone / "region.toml").read_text("utf-8")
    value = load_region(alone).published.pool[0].value
    changed = text.replace(f'"value" = {value}', f'"low" = {value - 1}\n"high" = {value + 1}', 1)
    (alone / "region.toml").write_text(changed, encoding="utf-8")
    done = run(alone, reports=False)
    assert done.tables["pools"]["settlement_value_e4"][0] == int(value * 10_000)
    assert any("the ends are" in text for text in done.manifest["notices"])


def test_the_value_follows_by_the_elasticity(alone):
    """Twice as many stays, elasticity -0.25: the value falls by a quarter of 100 per cent."""
    year = load_simulation(alone)
    before = year.before.tables["pools"]["settlement_value_e4"].to_list()
    twice = {"volume": [{"growth": "1"}], "point_value": {"elasticity": "-0.25"}}
    outcome = year.run(scenario_of(twice))
    after = outcome.after.tables["pools"]
    assert after["settlement_value_e4"].to_list() == [
        round_half_up(Fraction(3 * value, 4)) for value in before
    ]
    # Twice the points at three quarters of the value: half as much again.
    own = outcome.own.filter(pl.col("pool") == "E").row(0, named=True)
    assert own["by_volume_fen"] > 0 > own["by_price_fen"]
    stated = {"point_value": {"values": {"E": "9"}}}
    assert year.run(scenario_of(stated)).after.tables["pools"]["settlement_value_e4"][0] == 90_000


def test_the_changed_folder_is_the_answer(alone, tmp_path):
    year = load_simulation(alone)
    said = {"volume": [{"group": "G1", "growth": "1"}], "point_value": {"elasticity": "-0.1"}}
    outcome = year.run(scenario_of(said))
    year.write_region(scenario_of(said), tmp_path / "changed")
    tables = run(tmp_path / "changed", reports=False).tables
    for name in ("hospitals", "months", "pools", "budget", "ledger"):
        assert outcome.after.tables[name].equals(tables[name], null_equal=True), name


def test_moved_values_by_hand():
    # 8.0000 x (1 - 0.05 x 0.1) = 7.96; points that were none move nothing; never below 0.
    assert moved_value(80_000, Fraction(-5, 100), 1_000, 1_100) == 79_600
    assert moved_value(80_000, Fraction(-5, 100), 0, 1_100) == 80_000
    assert moved_value(80_000, Fraction(-10), 1_000, 2_000) == 0


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("hospitals.csv", "1.2000", "", "cannot measure its coefficient"),
        ("region.toml", '"mean_cost" = 4000.00\n', "", "mean cost of all stays"),
        ("region.toml", '"id" = "R"\n"value"', '"id" = "Q"\n"value"', "each pool of the region once"),
        ("region.toml", '"value" = ', '"low" = ', "give value, or low and high"),
        ("weights.csv", "G1,2000.0000", "G1,x", "not a number"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_missing_is_said_in_words(alone, file, old, new, words):
    replaced(alone / file, old, new)
    with pytest.raises(Exception, match=words) as raised:
        run(alone, reports=False)
    assert raised.value.remedy


def test_a_region_takes_no_stated_value(region, alone):
    with pytest.raises(RegionError, match="all hospitals are here"):
        region.run(scenario_of({"hospital": "H1", "point_value": {"elasticity": "-0.1"}}))
    with pytest.raises(RegionError, match="there are no other hospitals here"):
        load_simulation(alone).run(scenario_of({"others": {"growth": "0.1"}}))
    with pytest.raises(RegionError, match="no such hospital"):
        region.write_hospital("H9", alone.with_name("x"))


def test_the_manifest_names_the_table(alone):
    manifest = json.loads((run(alone, reports=False).folder / "manifest.json").read_text("utf-8"))
    assert {"weights.csv", "hospitals.csv", "records/stays.parquet"} <= set(manifest["inputs"])
    assert "budget.toml" not in manifest["inputs"]
