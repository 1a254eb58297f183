"""The tables of other tracks: what comes out, and one wrong table per message."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cli.small import write_small
from fenzhi.errors import RegionError
from fenzhi.pipeline import compute
from fenzhi.pipeline.store import file_hashes
from fenzhi.region import load_region

POLICY = """\
[meta]
id = "own"
title = "own"
scheme = "dip"
version = "1"
extends = "national-dip-3.0"

[[tracks]]
id = "price"
title = "按病种定额"
kind = "price_per_disease"

[[tracks]]
id = "quota"
title = "平均定额"
kind = "average_quota"
who = { diagnoses = ["Z99"] }

[[tracks]]
id = "cap"
title = "总额控制"
kind = "total_cap"
who = { diagnoses = ["Z98"] }

[[tracks]]
id = "cc"
title = "医共体"
kind = "community"
surplus_to = "lead"

[[tracks]]
id = "apg"
title = "门诊点数"
kind = "outpatient"
form = "points"

[[tracks]]
id = "chronic"
title = "门诊慢特病"
kind = "outpatient"

[[tracks]]
id = "drugs"
title = "谈判药"
kind = "outside_budget"

[[tracks]]
id = "savings"
title = "结余留用"
kind = "procurement_savings"
"""
HEADS = {
    "prices": "track,diagnosis,operation,price,patient_share",
    "quotas": "track,pool,fixmedins_code,level,amount",
    "communities": "track,community,pool,areas,amount,income,share,lead",
    "outpatient": "track,fixmedins_code,pool,month,item,units,price,points",
    "outside": "track,fixmedins_code,pool,month,item,amount",
    "savings": "track,fixmedins_code,pool,saved,share",
}
ROWS = {
    "prices": ["price,Z97,47.0100,3000.50,0.2"],
    "quotas": ["quota,,,,5000", "quota,employee,A1,,6000", "cap,employee,A1,,100"],
    "communities": ["cc,甲医共体,employee,990300|990400,,1000,0.85,A1"],
    "outpatient": ["apg,A1,employee,3,,5,,2.5", "chronic,B2,resident,4,高血压,100,40.50,"],
    "outside": ["drugs,A1,employee,5,X,123.45"],
    "savings": ["savings,B2,employee,100,0.5"],
}


def write(folder: Path, name: str | None = None, *rows: str) -> Path:
    """Write the policy and all tables; of table ``name`` these rows."""
    (folder / "own.toml").write_text(POLICY, encoding="utf-8")
    region = folder / "region.toml"
    text = region.read_text(encoding="utf-8").replace('"national-dip-3.0"', '"own.toml"')
    region.write_text(text, encoding="utf-8")
    hospitals = (folder / "hospitals.csv").read_text(encoding="utf-8").splitlines()
    hospitals = [
        f"{line},{what}" for line, what in zip(hospitals, ("community", "甲医共体", "", ""), strict=True)
    ]
    (folder / "hospitals.csv").write_text("\n".join(hospitals) + "\n", encoding="utf-8")
    for table, lines in ROWS.items():
        lines = list(rows) if table == name else lines
        (folder / f"{table}.csv").write_text("\n".join([HEADS[table], *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_small(tmp_path / "small")


def test_the_tables_are_read_exactly(folder):
    tables = load_region(write(folder)).tracks
    assert tables["prices"].row(0) == ("price", "Z97", "47.0100", 300_050, 2_000, 1)
    assert tables["quotas"]["amount_fen"].to_list() == [500_000, 600_000, 10_000]
    community = ("cc", "甲医共体", "employee", "990300|990400", None, 100_000, 8_500, "A1", 1)
    assert tables["communities"].rows() == [community]
    assert tables["outpatient"].drop("row").rows() == [
        ("apg", "A1", "employee", 3, None, 5, None, 25_000),
        ("chronic", "B2", "resident", 4, "高血压", 100, 4_050, None),
    ]
    assert tables["outside"]["amount_fen"].to_list() == [12_345]
    assert tables["savings"].row(0)[3:5] == (10_000, 5_000)


def test_a_run_pays_them_and_remembers_the_files(folder):
    region = load_region(write(folder))
    assert {f"{name}.csv" for name in HEADS} <= file_hashes(region).keys()
    tables, facts = compute(region)
    paid = {row["track"]: row["payable_fen"] for row in tables["tracks"].iter_rows(named=True)}
    # 1,000 x 0.85 = 850 kept by the lead; the APG line has no money; 100 x 40.50; 100 x 0.5.
    assert paid == {"cc": 85_000, "apg": 0, "chronic": 405_000, "drugs": 12_345, "savings": 5_000}
    # What no line pays comes from the reserve; items outside have a source of their own.
    assert sum(tables["track_lines"]["left_fen"]) == -(85_000 + 405_000 + 5_000)
    notice = "pool resident has no budget line for track chronic: the reserve pays it"
    assert notice in facts["notices"]
    balances = {row["account"]: row["balance_fen"] for row in facts["balances"]}
    assert balances["outside:employee"] == -12_345
    assert all(amount == 0 for account, amount in balances.items() if account.startswith("track:"))


def test_a_line_of_the_budget_pays_its_track(folder):
    budget = folder / "budget.toml"
    text = budget.read_text(encoding="utf-8").replace(
        'amount = "500.00"', 'amount = "500.00"\ntrack = "chronic"'
    )
    budget.write_text(text, encoding="utf-8")
    tables, _ = compute(load_region(write(folder, "outpatient", "chronic,B2,resident,4,,10,40.50,")))
    line = tables["track_lines"].filter(pool="resident", line="chronic")
    assert line.select("line_fen", "paid_fen", "left_fen").rows() == [(50_000, 40_500, 9_500)]
    moves = tables["ledger"].filter(
        pl.col("debit").str.contains("track:") | pl.col("credit").str.contains("track:")
    )
    moves = moves.filter(pool="resident").select("period", "debit", "credit", "amount_fen", "kind")
    assert moves.rows() == [
        ("2027", "track:chronic:resident", "fund:resident", 50_000, "budget_carve_out"),
        ("2027-04", "hospital:B2:resident", "track:chronic:resident", 40_500, "track_payable"),
        ("2027-13", "reserve:resident", "track:chronic:resident", 9_500, "track_left"),
    ]


def test_a_line_of_a_track_that_is_only_counted_stays_carved_out(folder):
    budget, policy = folder / "budget.toml", folder / "own.toml"
    text = budget.read_text(encoding="utf-8").replace(
        'amount = "500.00"', 'amount = "500.00"\ntrack = "bed_day"'
    )
    budget.write_text(text, encoding="utf-8")
    head = POLICY.split("[[tracks]]")[0]
    region = (folder / "region.toml").read_text(encoding="utf-8").replace('"national-dip-3.0"', '"own.toml"')
    (folder / "region.toml").write_text(region, encoding="utf-8")
    policy.write_text(f'{head}[scope.other_tracks]\n"2105" = "bed_day"\n', encoding="utf-8")
    tables, facts = compute(load_region(folder))
    assert "tracks" not in tables
    balances = {row["account"]: row["balance_fen"] for row in facts["balances"]}
    assert (balances["carve_out:resident"], balances["track:bed_day:resident"]) == (50_000, 0)


EMPTY, FORM = "this cell is empty", "this cell is not of the expected form"
WRONG = {
    "empty": ("prices", ["price,,,1,0"], EMPTY, 1, "diagnosis"),
    "amount": ("prices", ["price,K35,,1.005,0"], FORM, 1, "price"),
    "share": ("prices", ["price,K35,,1,1.2"], FORM, 1, "patient_share"),
    "month": ("outside", ["drugs,A1,employee,13,X,1"], FORM, 1, "month"),
    "units": ("outpatient", ["chronic,A1,employee,1,,1.5,1,"], FORM, 1, "units"),
    "areas": ("communities", ["cc,甲医共体,employee,1||2,1,,,A1"], FORM, 1, "areas"),
    "track": (
        "prices",
        ["price,K35,,1,0", "quota,K35,,1,0"],
        "this is not a track of the policy of kind price_per_disease",
        2,
        "track",
    ),
    "hospital": (
        "savings",
        ["savings,X9,employee,1,1"],
        "this is not a hospital of hospitals.csv",
        1,
        "fixmedins_code",
    ),
    "pool": ("savings", ["savings,A1,other,1,1"], "this is not a pool of the region", 1, "pool"),
    "level": ("quotas", ["quota,,,9,1"], "this is not a level of hospitals.csv", 1, "level"),
    "community": (
        "communities",
        ["cc,乙医共体,employee,1,1,,,A1"],
        "this is not a community of hospitals.csv",
        1,
        "community",
    ),
    "twice": (
        "prices",
        ["price,K35,,1,0", "price,K35,47.0100,1,0", "price,K35,,2,0"],
        "this row says the same track, diagnosis, operation as another",
        3,
        "operation",
    ),
    "both": ("quotas", ["quota,,A1,3,1"], "a quota is for a hospital or for a level, not both", 1, "level"),
    "cap": ("quotas", ["cap,,A1,,1"], "a total cap is for a hospital in a pool", 1, "fixmedins_code"),
    "package": (
        "communities",
        ["cc,甲医共体,employee,1,1,1,,A1"],
        "the package is an amount, or income x share",
        1,
        "amount",
    ),
    "area": (
        "communities",
        ["cc,甲医共体,employee,1|2|1,1,,,A1"],
        "this area belongs to two communities of the pool, or stands twice",
        1,
        "areas",
    ),
    "points": ("outpatient", ["apg,A1,employee,1,,1,1,1"], "this track is paid by points", 1, "points"),
    "price": ("outpatient", ["chronic,A1,employee,1,,1,,1"], "this track is paid by price", 1, "price"),
    "lead": (
        "communities",
        ["cc,甲医共体,employee,1,1,,,"],
        "the policy gives the balance to the lead hospital",
        1,
        "lead",
    ),
    "member": (
        "communities",
        ["cc,甲医共体,employee,1,1,,,B2"],
        "the lead hospital is no member of the community",
        1,
        "lead",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_cell_is_named_with_row_and_field(folder, case):
    name, rows, message, row, field = WRONG[case]
    with pytest.raises(RegionError) as error:
        load_region(write(folder, name, *rows))
    got = error.value
    assert (got.code, got.message, got.row, got.field) == ("REGION_TRACK", message, row, field)
    assert got.file == str(folder / f"{name}.csv")
    assert got.remedy


def test_a_table_that_a_track_needs_must_be_there(folder):
    write(folder)
    (folder / "prices.csv").unlink()
    with pytest.raises(RegionError, match="a track of kind price_per_disease needs it") as error:
        load_region(folder)
    assert (error.value.code, error.value.file) == ("REGION_FILE_MISSING", str(folder / "prices.csv"))


def spoiled(folder: Path, name: str, old: str, new: str) -> RegionError:
    file = write(folder) / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RegionError) as error:
        load_region(folder)
    return error.value


def test_a_pool_that_a_track_names_must_be_there(folder):
    error = spoiled(folder, "own.toml", 'who = { diagnoses = ["Z99"] }', 'who = { pools = ["E"] }')
    assert (error.code, error.value) == ("REGION_TRACK", "E")
    assert error.message == "track quota takes stays of a pool that the region does not have"


def test_a_budget_line_names_a_track_that_there_is(folder):
    error = spoiled(folder, "budget.toml", 'amount = "500.00"', 'amount = "500.00"\ntrack = "drug"')
    assert (error.code, error.value) == ("BUDGET_TRACK", "drug")
    assert error.message == "the policy has no track of this name"


def test_a_stay_has_one_track_and_its_case_says_which(folder):
    """B2 has K35 without operation in the records; the price list takes it out of the points."""
    region = load_region(write(folder, "prices", "price,K35,,1000,0.3"))
    tables, _ = compute(region)
    taken = tables["cases"].filter(pl.col("track") == "price")
    assert taken.height > 0
    assert taken["outcome"].unique().to_list() == ["other_track"]
    assert taken["reason"].unique().to_list() == taken["track"].unique().to_list() == ["price"]
    assert taken["track_why"].unique().to_list() == ["prices.csv row 1"]
    # 1,000 x 0.7 each; no points.
    assert taken["track_fen"].unique().to_list() == [70_000]
    assert taken["points_e4"].is_null().all()
    account = tables["tracks"].filter(track="price")
    assert account["cases"].sum() == taken.height
    assert account["payable_fen"].sum() == 70_000 * taken.height
