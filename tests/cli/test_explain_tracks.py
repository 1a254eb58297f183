"""``fenzhi explain`` for stays that other tracks pay: by hand, over the demo region, and where it must refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi, runs_of
from cli.small import write_small
from fenzhi.money import format_fen

POLICY = """\
[meta]
id = "own"
title = "own"
scheme = "dip"
version = "1"
extends = "national-dip-3.0"

[scope.other_tracks]
"2105" = "bed_day"

[[tracks]]
id = "bed_day"
title = "床日"
cite = "by hand"
kind = "bed_day"
basis = "difference"
[[tracks.steps]]
upto_days = 5
yuan_per_day = 1000
[[tracks.steps]]
yuan_per_day = 500
[[tracks.steps]]
level = "3"
upto_days = 3
yuan_per_day = 1500
[[tracks.steps]]
level = "3"
yuan_per_day = 800

[[tracks]]
id = "day"
title = "日间手术"
kind = "day_surgery"
yuan = 9000
fund_share = 0.75
prices = [{ operation = "13.4100", yuan = 1 }]
who = { operations = ["47.0100"] }

[[tracks]]
id = "diabetes"
title = "平均定额"
KIND
who = { diagnoses = ["E11"] }

[[tracks]]
id = "cc"
title = "医共体"
kind = "community"
surplus_to = "lead"
"""
QUOTA, CAP = 'kind = "average_quota"', 'kind = "total_cap"'
HOSPITALS = """\
fixmedins_code,fixmedins_name,level,type,community
A1,第一医院,3,general,
B2,第二医院,2,general,甲医共体
C3,没有病例的医院,2,general,
"""


def settled(folder: Path, kind: str = QUOTA) -> Path:
    """The run of the small region with tracks of its own."""
    write_small(folder)
    (folder / "own.toml").write_text(POLICY.replace("KIND", kind), encoding="utf-8")
    region = folder / "region.toml"
    text = region.read_text(encoding="utf-8").replace('"national-dip-3.0"', '"own.toml"')
    region.write_text(text, encoding="utf-8")
    (folder / "hospitals.csv").write_text(HOSPITALS, encoding="utf-8")
    (folder / "quotas.csv").write_text(
        "track,pool,fixmedins_code,level,amount\ndiabetes,resident,B2,,1000\n", encoding="utf-8"
    )
    (folder / "communities.csv").write_text(
        "track,community,pool,areas,amount,income,share,lead\ncc,甲医共体,resident,990100,5000,,,B2\n",
        encoding="utf-8",
    )
    done("run", folder, "--no-reports")
    return runs_of(folder)[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return settled(tmp_path_factory.mktemp("tracks") / "small")


def steps_of(run: Path, setl_id: str) -> list[tuple[str, str, str]]:
    found = json.loads(done("explain", run, setl_id, "--json"))["steps"]
    return [(step["en"], step["formula"], step["result"]) for step in found]


def test_bed_days_by_the_difference(run):
    """8 days at level 3: 3 x 1,500 + 5 x 800 = 8,500; others paid 9,000 - 6,000 = 3,000: 5,500."""
    assert steps_of(run, "S06") == [
        ("outcome", "", "other_track (bed_day)"),
        ("what put it on the track", "scope.other_tracks 2105", "床日 (bed_day, bed_day)"),
        ("standard", "3 x 1,500.00 + 5 x 800.00", "8,500.00"),
        ("fund amount of the track", "max(0, 8,500.00 - (9,000.00 - 6,000.00))", "5,500.00"),
    ]
    assert json.loads(done("explain", run, "S06", "--json"))["steps"][2]["cite"].startswith("by hand [")


def test_day_surgery_by_the_general_sum(run):
    """9,000 x 0.75 = 6,750; the listed operation is another one."""
    assert steps_of(run, "S01")[1:] == [
        ("what put it on the track", "operations 47.0100", "日间手术 (day, day_surgery)"),
        ("standard", "47.0100: 9000 (yuan)", "9,000.00"),
        ("fund amount of the track", "9,000.00 x 0.75", "6,750.00"),
    ]


def test_an_average_quota_is_settled_at_the_close(run):
    """Booked 1,500 against 1,000: of 500 over, 0.2 x 1,000 = 200 are shared by half: 1,000 + 100 - 1,500."""
    assert steps_of(run, "S04")[1:] == [
        ("what put it on the track", "diagnoses E11", "平均定额 (diabetes, average_quota)"),
        ("fund amount of the track", "as booked", "1,500.00"),
        (
            "adjustment of the hospital at the close",
            "Q 1,000.00 + 0.5 x min(500.00, 0.2 x Q) - B 1,500.00",
            "-400.00",
        ),
    ]


def test_a_cap_is_settled_at_the_close(tmp_path):
    """Booked 1,500 against a cap of 1,000: 500 are not paid."""
    found = steps_of(settled(tmp_path / "small", CAP), "S04")
    assert found[-1][1:] == ("min(B 1,500.00, Q 1,000.00) - B", "-500.00")


def test_a_package_of_a_community(run):
    """P 5,000; S02 booked 2,100 inside; S03 booked 2,700 at A1, which points pay: 200 are left for the lead."""
    assert steps_of(run, "S02")[1:] == [
        ("what put it on the track", "community 甲医共体", "医共体 (cc, community)"),
        ("fund amount of the track", "as booked", "2,100.00"),
        (
            "adjustment of the hospital at the close",
            "甲医共体: P 5,000.00 - I 2,100.00 - X 2,700.00 = 200.00; to lead",
            "200.00",
        ),
    ]


def test_every_track_of_the_demo_ends_in_the_runs_amount(demo_run):
    cases = pl.read_parquet(demo_run / "cases.parquet").filter(pl.col("track_fen").is_not_null())
    assert set(cases["track"]) == {"bed_day", "day_surgery", "county_prices"}
    some = cases.group_by("track", maintain_order=True).head(2)
    for setl_id, why, fen in some.select("setl_id", "track_why", "track_fen").iter_rows():
        steps = steps_of(demo_run, setl_id)
        assert [step[0] for step in steps] == [
            "outcome",
            "what put it on the track",
            "standard",
            "fund amount of the track",
        ]
        assert steps[1][1] == why
        assert steps[-1][2] == format_fen(fen)


@pytest.mark.parametrize(
    ("setl_id", "column", "value", "says"),
    [
        ("S06", "track_fen", 550_001, "fund amount of the track"),
        ("S06", "track_why", "los_from 3", "on another track"),
        ("S01", "track_fen", 1, "fund amount of the track"),
    ],
)
def test_another_figure_in_the_run_is_found(run, tmp_path, setl_id, column, value, says):
    region = shutil.copytree(run.parents[1], tmp_path / "region")
    spoiled = runs_of(region)[0]
    cases = pl.read_parquet(spoiled / "cases.parquet")
    cell = pl.when(pl.col("setl_id") == setl_id).then(pl.lit(value)).otherwise(pl.col(column))
    (spoiled / "cases.parquet").chmod(0o600)
    cases.with_columns(cell.alias(column)).write_parquet(spoiled / "cases.parquet")
    said = fenzhi("explain", spoiled, setl_id)
    assert said.code != 0
    assert says in said.err


def test_another_adjustment_in_the_run_is_found(run, tmp_path):
    region = shutil.copytree(run.parents[1], tmp_path / "region")
    spoiled = runs_of(region)[0]
    accounts = pl.read_parquet(spoiled / "tracks.parquet")
    (spoiled / "tracks.parquet").chmod(0o600)
    accounts.with_columns(pl.col("adjustment_fen") + 1).write_parquet(spoiled / "tracks.parquet")
    for setl_id in ("S02", "S04"):
        assert "adjustment of the hospital" in fenzhi("explain", spoiled, setl_id).err
