"""A year with TCM-advantage groups through files: paid, reported, explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from fenzhi.pipeline import Run, run
from fenzhi.pipeline.explain import explain_stay
from golden import small_drg
from golden.small_region import POLICY, STAYS, write_region

TCM = '\n[tcm]\ncite = "示例"\n'
GROUPS = """group_id,name,main_diag,los_min_days,classes,reference_group,share
T1,中医阑尾炎,K35.8,4,needle,G1,0.8
"""
OPERATIONS = "code,class\n99.9201,needle\n"
FEES = ("tcm_treat_fee", "tcmpat_fee", "tcmherb_fee", "treat_fee", "drug_fee", "oprn_fee", "matl_fee")
# id, operations, fees of Chinese and of western medicine: the first enters, the second has 59.95 %.
CASES = [
    ("t1", "47.0100|99.9201", "1800", "1200"),
    ("t2", "47.0100|99.9201", "1798.5", "1201.5"),
    ("t3", "47.0100", "1800", "1200"),
]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The small region with three more stays and fees in its records."""
    like = next(one for one in STAYS if one[0] == "s06")
    more = [(name, *like[1:8], oprn, *like[9:]) for name, oprn, _, _ in CASES]
    folder = write_region(tmp_path_factory.mktemp("tcm"), [*STAYS, *more])
    fees = {name: (tcm, "0", "0", "0", western, "0", "0") for name, _, tcm, western in CASES}
    lines = (folder / "records/stays.csv").read_text("utf-8").splitlines()
    cells = [",".join(fees.get(line.split(",")[0], [""] * 7)) for line in lines[1:]]
    table = [f"{lines[0]},{','.join(FEES)}", *(f"{a},{b}" for a, b in zip(lines[1:], cells, strict=True))]
    (folder / "records/stays.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    (folder / "policy.toml").write_text(POLICY + TCM, encoding="utf-8")
    (folder / "catalog/tcm_groups.csv").write_text(GROUPS, encoding="utf-8")
    (folder / "catalog/tcm_operations.csv").write_text(OPERATIONS, encoding="utf-8")
    return run(folder)


def test_points_and_report(year: Run) -> None:
    names = ("setl_id", "layer", "group_id", "rw_e4", "coefficient_e4", "points_base_e4")
    found = {row[0]: row[1:] for row in year.tables["cases"].select(names).iter_rows()}
    # RW of G1 is 2,000: 0.8 x 2,000 x 0.875; the others are paid as in the normal group.
    assert found["t1"] == ("tcm", "T1", 16_000_000, 8_750, 14_000_000)
    assert found["t2"] == found["t3"] == ("basic", "G1", 20_000_000, 8_750, 17_500_000)
    report = {row["setl_id"]: row for row in year.tables["tcm"].iter_rows(named=True)}
    assert [report[name]["failed"] for name in ("t1", "t2", "t3", "s03")] == [
        "",
        "ratio",
        "operations",
        "operations|fees_missing",
    ]
    assert report["t2"]["ratio_e4"] == 5_995
    group = year.tables["groups"].filter(year.tables["groups"]["group_id"] == "T1").row(0, named=True)
    assert (group["name"], group["layer"], group["rw_e4"], group["cases"]) == (
        "中医阑尾炎",
        "tcm",
        16_000_000,
        1,
    )


def test_sums_of_the_hospital(year: Run) -> None:
    own = year.tables["hospitals"].filter(fixmedins_code="H2", pool="R").row(0, named=True)
    assert own["points_tcm_e4"] > 0
    parts = [own[f"points_{kind}_e4"] for kind in ("core", "comprehensive", "grassroots", "tcm", "ungrouped")]
    assert sum(parts) == own["points_e4"]
    statement = next((year.folder / "statements").glob("*H2*.html")).read_text("utf-8")
    assert "中医优势病种分值" in statement


def test_explanations_show_the_test(year: Run) -> None:
    steps = {name: explain_stay(year.folder, name).steps for name in ("t1", "t2")}
    one, two = (next(s for s in steps[name] if s.en == "TCM-advantage group") for name in ("t1", "t2"))
    assert one.result == "T1"
    assert "1,800.00 / 3,000.00 = 0.6000 (>= 0.6)" in one.formula
    assert (two.result, two.cite) == ("G1: ratio", "示例 [sample]")
    weight = next(s for s in steps["t1"] if s.en == "weight RW")
    assert "RW 2000 (G1) x 0.8" in weight.formula.replace(",", "").replace("2000.0000", "2000")


def test_records_without_fees_and_a_catalogue_without_groups_are_told(tmp_path: Path) -> None:
    folder = write_region(tmp_path)
    (folder / "policy.toml").write_text(POLICY + TCM, encoding="utf-8")
    said = run(folder, reports=False).manifest["notices"]
    assert "the policy has rules for TCM-advantage groups, but the catalogue lists none" in said
    (folder / "catalog/tcm_groups.csv").write_text(GROUPS, encoding="utf-8")
    (folder / "catalog/tcm_operations.csv").write_text(OPERATIONS, encoding="utf-8")
    said = run(folder, reports=False).manifest["notices"]
    assert "the records have no tcm_treat_fee: no stay enters a TCM-advantage group" in said


def test_a_drg_region_pays_a_stated_weight(tmp_path: Path) -> None:
    rules = '\n[tcm]\ntcm_fees = ["tcm_treat_fee"]\nwestern_fees = ["drug_fee"]\n'
    folder = small_drg.write_region(tmp_path, small_drg.RATE + rules)
    (folder / "catalog/tcm_groups.csv").write_text(
        "group_id,main_diag,weight\nTX1,K35.8,0.6\n", encoding="utf-8"
    )
    fees = {"s05": "800,200", "s06": "500,500"}
    header, *lines = (folder / "records/stays.csv").read_text("utf-8").splitlines()
    rows = [f"{one},{fees.get(one.split(',')[0], ',')}" for one in lines]
    table = "\n".join([f"{header},tcm_treat_fee,drug_fee", *rows]) + "\n"
    (folder / "records/stays.csv").write_text(table, encoding="utf-8")
    done = run(folder)
    names = ("setl_id", "outcome", "layer", "group_id", "mdc", "adrg", "rw_e4")
    found = {row[0]: row[1:] for row in done.tables["cases"].select(names).iter_rows()}
    # Chapter and ADRG stay those of normal grouping.
    assert found["s05"] == ("grouped", "tcm", "TX1", "MDCG", "GU2", 6_000)
    assert found["s06"][1:3] == ("medical", "GU25")
    assert explain_stay(done.folder, "s05").case["group_id"] == "TX1"
