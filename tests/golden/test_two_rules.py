"""A year whose pack and catalogue change on 1 July, by hand.

History: 8 stays, 40,000: M = 5,000. Under the old catalogue OP has 10,000, K35.8:0 4,000, E11.9:0 4,000, and the
two stays of K35.9 have no group: RW 2,000, 800, 800. Under the new one K35:0 takes K35.8 and K35.9 without operation:
(3,000 + 5,000 + 1,000 + 3,000) / 4 = 3,000: RW 600; the others as before.

Coefficients: old 1 for all. New: A1 (9,000 + 11,000 + 4,000) / 3 = 8,000 / 5,000 = 1.6, at most 1.2; B2 16,000 / 5 =
3,200: 0.64, at least 0.8.

Opening value, by the old pack, which holds on 1 January: 36,000 (without the ungrouped, who earn no points) /
(2 x 2,000 + 2 x 800 + 2 x 800) = 5. The new pack alone would give 40,000 / 8,320.

| stay | day | | points |
|---|---|---|---|
| s1 | 30 June | 2,000 x 1, r = 1.2 | 2,000 |
| s2 | March | 800 x 1, r = 1,600 / 4,000 = 0.4: low | 320 |
| s3 | 20 June | 800 x 1 | 800 |
| s4 | February | no group | directly 2,000 x 0.5 x 0.5 = 500 |
| s5 | 1 July | 2,000 x 1.2, no band but normal | 2,400 |
| s6 | October | K35:0: 600 x 0.8 | 480 |
| s7 | 3 July | 800 x 1.2 = 960, 11 days after s3: x 0.5 | 480 |
| s8 | 31 December | K35:0: 600 x 0.8 | 480 |
| s9 | August | no group | directly 5,000 x 0.5 x 0.8 = 2,000 |

Cost 64,000, half of it booked: ratio 0.5. D = 2,500. Value = (23,380 - 2,500) / 0.5 / 6,960 = 6; a point pays 3.
"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cli.calls import done, runs_of
from fenzhi.pipeline import Run, compute, explain_stay, run
from fenzhi.pipeline.reconcile import our_side_of_run
from fenzhi.region import load_region
from golden.two_rules import STAYS, write_two_rules


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_two_rules(tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def year(folder: Path) -> Run:
    return run(folder)


CASES = [
    ("s1", "old", "old-groups", "K35.8:47.0100", 20_000_000, 10_000, "normal", None, 20_000_000, 600_000),
    ("s2", "old", "old-groups", "K35.8:0", 8_000_000, 10_000, "low", None, 3_200_000, 96_000),
    ("s3", "old", "old-groups", "E11.9:0", 8_000_000, 10_000, "normal", None, 8_000_000, 240_000),
    ("s4", "old", "old-groups", None, None, None, None, None, 0, 50_000),
    ("s5", "new", "new-groups", "K35.8:47.0100", 20_000_000, 12_000, "normal", None, 24_000_000, 720_000),
    ("s6", "new", "new-groups", "K35:0", 6_000_000, 8_000, "normal", None, 4_800_000, 144_000),
    ("s7", "new", "new-groups", "E11.9:0", 8_000_000, 12_000, "normal", 11, 4_800_000, 144_000),
    ("s8", "new", "new-groups", "K35:0", 6_000_000, 8_000, "normal", None, 4_800_000, 144_000),
    ("s9", "new", "new-groups", None, None, None, None, None, 0, 200_000),
]


def test_every_stay_follows_the_rules_of_its_day(year: Run) -> None:
    columns = ("setl_id", "policy", "catalog", "group_id", "rw_e4", "coefficient_e4")
    more = ("deviation", "readmitted_days", "points_e4", "payable_fen")
    assert year.tables["cases"].sort("setl_id").select(*columns, *more).rows() == CASES
    assert year.tables["cases"]["setl_id"].to_list() == [line.split(",")[0] for line in STAYS]


def test_one_fund_prices_both_halves(year: Run) -> None:
    columns = ("cases", "points_e4", "opening_value_e4", "settlement_value_e4", "direct_fen", "gross_fen")
    assert year.tables["pools"].select(columns).rows() == [
        (9, 69_600_000, 50_000, 60_000, 250_000, 2_338_000)
    ]


def test_groups_have_a_row_under_each_rules(year: Run) -> None:
    columns = ("policy", "catalog", "group_id", "history_cases", "rw_e4", "cases", "points_e4")
    assert year.tables["groups"].select(columns).rows() == [
        ("old", "old-groups", "K35.8:47.0100", 2, 20_000_000, 1, 20_000_000),
        ("old", "old-groups", "K35.8:0", 2, 8_000_000, 1, 3_200_000),
        ("old", "old-groups", "E11.9:0", 2, 8_000_000, 1, 8_000_000),
        ("new", "new-groups", "E11.9:0", 2, 8_000_000, 1, 4_800_000),
        ("new", "new-groups", "K35.8:47.0100", 2, 20_000_000, 1, 24_000_000),
        ("new", "new-groups", "K35:0", 4, 6_000_000, 2, 9_600_000),
    ]


def test_a_hospital_whose_coefficient_changes_has_none_for_the_year(year: Run) -> None:
    assert year.tables["hospitals"]["coefficient_e4"].to_list() == [None, None]


def test_shares_of_bands_are_those_of_the_packs(year: Run) -> None:
    # B2: s2 is low, of s2, s4, s6, s8, s9.
    found = year.tables["monitoring"].select("fixmedins_code", "low_share", "high_share").rows()
    assert found == [("A1", 0.0, 0.0), ("B2", 0.2, 0.0)]


def test_the_manifest_names_all_rules(year: Run) -> None:
    rules = json.loads((year.folder / "manifest.json").read_text(encoding="utf-8"))["rules"]
    assert [
        (one["policy"]["id"], one["catalog"]["id"], one["first"], one["last"], one["stays"]) for one in rules
    ] == [
        ("old", "old-groups", "2027-01-01", "2027-06-30", 4),
        ("new", "new-groups", "2027-07-01", "2027-12-31", 5),
    ]
    assert all(one["mean_cost_fen"] == 500_000 for one in rules)
    hashes = {one["policy"]["hash"] for one in rules} | {one["catalog"]["digest"] for one in rules}
    assert len(hashes) == 4
    assert (year.manifest["policy"]["id"], year.manifest["catalog"]["id"]) == ("old", "old-groups")


def test_pages_and_statements_say_which_rules_held(year: Run) -> None:
    for page in ("region.html", "statements/A1.html"):
        text = (year.folder / page).read_text(encoding="utf-8")
        assert "2027-01-01 至 2027-06-30 出院" in text
        assert "下半年规则 (new)；小目录 1；5 例" in text
    region = (year.folder / "region.html").read_text(encoding="utf-8")
    # The deviation of each pack has its own source.
    assert "旧办法" in region
    assert "新办法" in region


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_every_stay_is_explained_by_its_own_rules(year: Run, case: tuple[object, ...]) -> None:
    found = explain_stay(year.folder, str(case[0]))
    first = found.steps[0]
    assert (first.en, first.formula) == ("outcome", f"{case[1]}, {case[2]}")
    names = {step.en: step for step in found.steps}
    if case[3] is not None:
        assert names["weight RW"].result == f"{case[4] / 10_000:,.4f}"  # type: ignore[operator]
        assert names["cost deviation"].cite == ("旧办法" if case[1] == "old" else "新办法") + " [sample]"
    assert ("readmission" in names) == (case[0] == "s7")


def test_order_of_rows_and_chunks_change_nothing(folder: Path, year: Run, tmp_path: Path) -> None:
    other = write_two_rules(tmp_path / "other")
    records = other / "records" / "2027.csv"
    head, *lines = records.read_text(encoding="utf-8").splitlines()
    records.write_text("\n".join([head, *reversed(lines)]) + "\n", encoding="utf-8")
    tables, _ = compute(load_region(other), chunk_rows=2)
    for name in ("groups", "hospitals", "months", "pools", "ledger"):
        assert tables[name].equals(year.tables[name]), name
    place = ("source_file", "source_row")
    cases = [found["cases"].drop(place).sort("setl_id") for found in (tables, year.tables)]
    assert cases[0].equals(cases[1])


def test_a_comparison_with_official_results_groups_by_day(year: Run) -> None:
    side = our_side_of_run(year.folder)
    found = side.ours.select("setl_id", "group_id", "ours_score_e4").sort("setl_id").rows()
    assert found == [(case[0], case[3], case[4]) for case in CASES]
    # s6 and s2 have the same record; each is grouped by the catalogue of its day, also while it is reduced.
    records = side.records.filter(pl.col("setl_id").is_in(["s2", "s6"])).sort("setl_id", descending=True)
    assert side.engine(records)["group_id"].to_list() == ["K35:0", "K35.8:0"]


def test_check_says_how_many_stays_each_has(folder: Path) -> None:
    out = done("check", folder)
    note = next(line for line in out.splitlines() if "[POLICY_STAYS]" in line)
    assert note.endswith(
        "stays by policy and catalogue: old / old-groups (2027-01-01 – 2027-06-30): 4, "
        "new / new-groups (2027-07-01 – 2027-12-31): 5"
    )


def test_the_summary_of_a_run_says_it_too(tmp_path: Path) -> None:
    other = write_two_rules(tmp_path / "other")
    out = done("run", other, "--no-reports")
    assert "  2027-07-01 – 2027-12-31: 下半年规则 · 小目录, 5 病例\n" in out
    assert len(runs_of(other)) == 1
