"""``fenzhi catalog build``: a region's folder in, one folder to review and use out, every figure worked out by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, fenzhi
from cli.small import HEADER, stay, write_small
from fenzhi.catalogs import load_catalog
from fenzhi.pipeline import compute
from fenzhi.pipeline.demo import make_demo
from fenzhi.region import load_region

POLICY = """\
[meta]
id = "own"
title = "own"
scheme = "dip"
version = "1"
extends = "national-dip-3.0"
[weights]
cite = "第十条"
trim = { method = "percentile", low = 0.25, high = 0.75, min_cases = 5 }
threshold = { mode = "fixed", cases = 4 }
[coefficients]
cite = "第二十条"
[grassroots]
primary_levels = ["2"]
min_cases = 4
"""
# Hospital, diagnosis, operation, date, cost, drugs. The operation has no stay in 2024.
ROWS = [
    ("A1", "K35.800", "47.0100", "2025-05-09", "1000.00", "100.00"),
    ("A1", "K35.800", "47.0100", "2025-05-09", "2000.00", "500.00"),
    ("A1", "K35.800", "47.0100", "2026-05-09", "3000.00", "600.00"),
    ("A1", "K35.800", "47.0100", "2026-05-09", "4000.00", "1000.00"),
    ("A1", "K35.800", "47.0100", "2026-05-09", "100000.00", "9000.00"),
    ("B2", "E11.900", "", "2024-05-09", "600.00", "300.00"),
    ("B2", "E11.900", "", "2025-05-09", "900.00", "300.00"),
    ("B2", "E11.900", "", "2026-05-09", "1200.00", "400.00"),
    ("B2", "E11.900", "", "2026-05-09", "1800.00", "600.00"),
]


def write_history(folder: Path, rows: list[tuple[str, ...]]) -> None:
    lines = [
        stay(f"H{hospital}{cost}", hospital, "310", diagnosis, operation, cost, "100.00", discharged=day)
        + f",{drugs}"
        for hospital, diagnosis, operation, day, cost, drugs in rows
    ]
    text = "\n".join([f"{HEADER},drug_fee", *lines]) + "\n"
    (folder / "history" / "2026.csv").write_text(text, encoding="utf-8")


def write_region(place: Path) -> Path:
    folder = write_small(place / "small")
    (folder / "own.toml").write_text(POLICY, encoding="utf-8")
    file = folder / "region.toml"
    text = file.read_text(encoding="utf-8").replace('"national-dip-3.0"', '"own.toml"')
    file.write_text(text.replace("[2026]", "[2024, 2025, 2026]"), encoding="utf-8")
    write_history(folder, ROWS)
    return folder


@pytest.fixture
def region(tmp_path) -> Path:
    return write_region(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """What is built from the region, without the page."""
    folder = write_region(tmp_path_factory.mktemp("small"))
    said = done("catalog", "build", folder, "-o", folder / "built", "--no-report")
    assert "平均变异系数" in said
    return folder / "built"


def table(path: Path) -> dict[str, dict[str, str]]:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    return {next(iter(row.values())): row for row in rows}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_weights_by_hand_through_the_folder(built):
    weights = table(built / "weights.csv")
    operated, diabetes = weights["K35.8:47.0100"], weights["E11.9:0"]
    # Trimming: 1,000 2,000 3,000 4,000 100,000 have their quartiles at positions 1 and 3: 2,000 to 4,000 are kept.
    shown = ("cases", "trimmed_cases", "low", "high", "origin")
    assert [operated[name] for name in shown] == ["5", "2", "2000.0", "4000.0", "national"]
    # Four stays are fewer than five: nothing is trimmed.
    assert [diabetes[name] for name in shown] == ["4", "0", "600.0", "1800.0", "national"]
    # Missing year: 1:2:7 becomes 2:7. 2025: 2,000; 2026: 3,500. (2 x 2,000 + 7 x 3,500) / 9 = 28,500 / 9 = 3,166.67.
    assert operated["mean_cost"] == "3166.67"
    # All three years: (1 x 600 + 2 x 900 + 7 x 1,500) / 10 = 1,290.
    assert diabetes["mean_cost"] == "1290.0"
    # All stays, not trimmed: 600; (1,000 + 2,000 + 900) / 3 = 1,300; 110,000 / 5 = 22,000.
    # M = (600 + 2 x 1,300 + 7 x 22,000) / 10 = 15,720.
    # 28,500 / 9 / 15,720 x 1,000 = 28,500,000 / 141,480 = 201.44190; 1,290 / 15,720 x 1,000 = 82.06107.
    assert (operated["weight"], diabetes["weight"]) == ("201.4419", "82.0611")
    # Drugs of the kept stays: 500; (600 + 1,000) / 2 = 800; (2 x 500 + 7 x 800) / 9 = 6,600 / 9.
    # Of all: 300; (100 + 500 + 300) / 3 = 300; 11,600 / 5 = 2,320; (300 + 600 + 16,240) / 10 = 1,714.
    # 6,600,000 / (9 x 1,714) = 427.84909; diabetes (300 + 2 x 300 + 7 x 500) / 10 = 440: 440,000 / 1,714 = 256.70945.
    assert (operated["drug_weight"], diabetes["drug_weight"]) == ("427.8491", "256.7095")
    assert (operated["material_weight"], diabetes["material_weight"]) == ("", "")
    # Kept 2,000 3,000 4,000: population SD root of 2,000,000 / 3 = 816.4966, / 3,000.
    assert float(operated["cv"]) == pytest.approx(0.2721655)
    # All five: mean 22,000; squares 10,030 x 10^6 / 5 - 484 x 10^6 = 1,522 x 10^6; SD 39,012.82.
    assert float(operated["cv_before"]) == pytest.approx(1.7733100)


def test_variance_explained_by_hand(built):
    figures = json.loads((built / "build.json").read_text(encoding="utf-8"))["figures"]
    # In thousand yuan squared, all stays: squares 10,030 + 5.85 = 10,035.85; total 114.5, 114.5^2 / 9 = 1,456.694:
    # 8,579.156 around the mean of all. Inside the groups: 10,030 - 110^2 / 5 = 7,610; 5.85 - 4.5^2 / 4 = 0.7875.
    assert figures["riv"] == pytest.approx(1 - 7610.7875 / 8579.155556, abs=1e-8)
    # Kept ones: 29 + 5.85 - 13.5^2 / 7 = 8.814286 around the mean; 29 - 27 + 0.7875 = 2.7875 inside.
    assert figures["riv_trimmed"] == pytest.approx(1 - 2.7875 / 8.814286, abs=1e-7)
    # CV 0.2721655 and root of (5.85 / 4 - 1.125^2) / 1.125 = 0.4437060 / 1.125 = 0.3944053.
    assert figures["cv_mean"] == pytest.approx((0.2721655 + 0.3944053) / 2, abs=1e-6)
    assert (figures["groups"], figures["coverage"], figures["share_core"]) == (2, 1.0, 1.0)
    assert (figures["groups_small"], figures["stays_small"], figures["groups_scattered"]) == (2, 9, 0)


def test_coefficients_grassroots_and_dropped_rows_by_hand(built):
    # A1: (2 x 1,500 + 7 x 107,000 / 3) / 9 / 15,720 = 758,000 / 424,440 = 1.78588; B2: 1,290 / 15,720 = 0.08206.
    hospitals = table(built / "hospitals.csv")
    assert {code: row["coefficient"] for code, row in hospitals.items()} == {
        "A1": "1.7859",
        "B2": "0.0821",
        "C3": "0.0821",
    }
    assert hospitals["A1"]["fixmedins_name"] == "第一医院"
    # All stays of the diabetes group are in level 2, its CV 0.39 is below 0.7.
    chosen = {code: row["selected"] for code, row in table(built / "grassroots.csv").items()}
    assert chosen == {"K35.8:47.0100": "false", "E11.9:0": "true"}
    assert load_catalog(built).groups.filter("grassroots")["group_id"].to_list() == ["E11.9:0"]
    assert table(built / "dropped.csv")["K35.8:0"]["reason"] == "base_row_below_threshold"
    # Two combinations of 5 and 4 stays.
    curve = (built / "coverage.csv").read_text(encoding="utf-8-sig").splitlines()
    assert curve == ["threshold,groups,stays,share", "4,2,9,1.0", "5,1,5,0.5556"]


def test_the_same_history_gives_the_same_bytes_in_any_order(region, tmp_path):
    done("catalog", "build", region, "-o", tmp_path / "one")
    write_history(region, ROWS[::-1])
    done("catalog", "build", region, "-o", tmp_path / "two")
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert {"report.html", "build.xlsx", "build.json", "weights.csv", "groups.csv"} <= set(one)
    assert one == two
    page = one["report.html"].decode()
    assert page.count("<figure>") == 2  # no group has the 15 stays from which costs are drawn
    for text in ("weights.threshold.cases", "第十条", "第二十条", "100.00%", "K35.8:47.0100", "weights.csv"):
        assert text in page


def test_the_page_in_english(region, tmp_path):
    done("catalog", "build", region, "-o", tmp_path / "en", "--lang", "en")
    page = (tmp_path / "en" / "report.html").read_text(encoding="utf-8")
    assert "coverage of core groups" in page
    assert "Prices that contradict severity" in page


def test_a_region_whose_catalogue_was_built_needs_the_national_one(region, tmp_path):
    file = region / "catalog" / "catalog.toml"
    file.write_text(file.read_text("utf-8").replace('"demonstration"', '"built"'), encoding="utf-8")
    said = fenzhi("catalog", "build", region, "-o", tmp_path / "built")
    assert said.code == 2
    assert "[CATALOG_BASE]" in said.err
    done("catalog", "build", region, "--base", "none", "-o", tmp_path / "built", "--no-report")
    assert {row["origin"] for row in table(tmp_path / "built" / "weights.csv").values()} == {"local"}


def test_a_region_stands_alone(region, tmp_path):
    said = fenzhi("catalog", "build", region, "--policy", "national-dip-3.0", "-o", tmp_path / "built")
    assert said.code == 2
    assert "stands alone" in said.err


def test_history_alone_has_weights_but_no_coefficients(region, tmp_path):
    options = ("--policy", region / "own.toml", "--operations", region / "operations.csv")
    done("catalog", "build", region / "history", *options, "-o", tmp_path / "built", "--no-report")
    names = set(files(tmp_path / "built"))
    assert "weights.csv" in names
    assert not names & {"hospitals.csv", "classes.csv", "grassroots.csv"}
    assert table(tmp_path / "built" / "weights.csv")["E11.9:0"]["weight"] == "82.0611"
    more = ("--hospitals", region / "hospitals.csv")
    done("catalog", "build", region / "history", *options, *more, "-o", tmp_path / "more", "--no-report")
    assert table(tmp_path / "more" / "hospitals.csv")["A1"]["coefficient"] == "1.7859"


AUXILIARY = """
[auxiliary]
source = "{source}"
cv_drop = 0
min_level_cases = 2
[[auxiliary.families]]
name = "stay"
levels = [{{ name = "long", los_from = 9 }}, {{ name = "short", los_upto = 4 }}]
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "demo"
    make_demo(folder, stays=1_000, hospitals=10)
    policy = (folder / "policy.toml").read_text(encoding="utf-8")
    (folder / "policy.toml").write_text(policy + AUXILIARY.format(source="measured"), encoding="utf-8")
    return folder


def test_what_is_built_can_be_used_as_it_is(demo):
    """A year with the tables of the folder gives every stay what the same year gives that measures them itself."""
    done("catalog", "build", demo, "--base", "demonstration-3.0", "-o", demo / "built", "--no-report")
    file = demo / "region.toml"
    text = file.read_text(encoding="utf-8").replace('catalog = "catalog"', 'catalog = "built"')
    file.write_text(text, encoding="utf-8")
    measured = compute(load_region(demo))[0]["cases"]
    pack = (
        '[meta]\nid = "given"\ntitle = "g"\nscheme = "dip"\nversion = "1"\nextends = "policy.toml"\n'
        '[weights]\nmethod = "given"\n[auxiliary]\nsource = "listed"\n'
    )
    (demo / "given.toml").write_text(pack, encoding="utf-8")
    text = text.replace('"policy.toml"', '"given.toml"').replace('"hospitals.csv"', '"built/hospitals.csv"')
    text = text.replace("\n[[pool]]", '\nauxiliary = "built/auxiliary.csv"\n\n[[pool]]', 1)
    file.write_text(text, encoding="utf-8")
    given = compute(load_region(demo))[0]["cases"]
    columns = ["setl_id", "group_id", "rw_e4", "coefficient_e4", "auxiliary_e4", "points_e4", "payable_fen"]
    assert given.select(columns).equals(measured.select(columns))
    assert measured.filter(pl.col("auxiliary_e4") != 10_000).height > 20
    assert measured["rw_e4"].drop_nulls().n_unique() > 50


def test_quality_of_a_region_on_screen_and_in_files(region, tmp_path):
    out = done("catalog", "quality", region, "-o", tmp_path / "quality", "--lang", "en")
    lines = dict(line.strip().rsplit(None, 1) for line in out.splitlines() if len(line.split()) > 1)
    assert lines["groups"] == "5"
    assert lines["reduction in variance (RIV)"] == "11.29%"
    assert {path.name for path in (tmp_path / "quality").iterdir()} == {
        "quality.csv",
        "groups.csv",
        "years.csv",
        "contradictions.csv",
        "unspecific.csv",
        "unspecific_by_hospital.csv",
        "missing_codes.csv",
    }
    done("catalog", "quality", region, "--catalog", "demonstration-3.0", "-o", tmp_path / "quality.xlsx")
    assert (tmp_path / "quality.xlsx").stat().st_size > 5_000


def test_what_mapping_gains(region, tmp_path):
    """Two stays are coded by a clinical code: without the table nothing takes them."""
    rows = [*ROWS, *[("B2", "Z99.900", "", "2026-05-09", cost, "1.00") for cost in ("700.00", "800.00")]]
    write_history(region, rows)
    (region / "map.csv").write_text("code,target\nZ99.900,E11.900\nK35.800,K35.801\n", encoding="utf-8")
    file = region / "region.toml"
    file.write_text(file.read_text("utf-8") + '\n[codes]\ndiagnosis_map = "map.csv"\n', encoding="utf-8")
    done("catalog", "quality", region, "-o", tmp_path / "quality")
    found = table(tmp_path / "quality" / "quality.csv")
    # The five stays of K35.800 have another code of the same group.
    values = [found[f"mapping_{name}"]["value"] for name in ("changed", "gained", "lost", "moved")]
    assert values == ["7.0", "2.0", "0.0", "0.0"]
