"""A year in which a catalogue like 2.0 holds until June and one like 3.0 from July on, by hand; and the switch of it.

2.0: basic groups only, one with a related operation. 3.0: appendicitis merged by category, tumour therapy divided
by the tumour, comprehensive groups for the rest. One policy, one fund.

History (one year, ten stays, 40,000: M = 4,000): appendectomy 6,000 and 4,000, with drainage 10,000; K35.8 without
operation 2,000, K35.9 4,000; Z51.1 with C50 5,000, with C81 3,000; I10 1,000, 2,000, 3,000.

| stay | day | group | RW |
|---|---|---|---|
| s1 | 30 June | 2.0: K35.8 x 47.0100 with 54.9100 | 10,000 / 4,000 x 1,000 = 2,500 |
| s2 | 1 July | 3.0: the same record: K35 merged, 20,000 / 3 | 1,666.6667 |
| s3 | May | 2.0: K35.9 has no group | - |
| s4 | August | 3.0: K35 without operation, 6,000 / 2 = 3,000 | 750 |
| s5 | February | 2.0: Z51.1, (5,000 + 3,000) / 2 = 4,000 | 1,000 |
| s6 | November | 3.0: Z51.1 with C50 | 1,250 |
| s7 | December | 3.0: Z51.1 with C81 | 750 |
| s8 | January | 2.0: I10 has no group | - |
| s9 | September | 3.0: I10, comprehensive, medical | 500 |
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from cli.small import CATALOG, stay, text_of
from fenzhi.pipeline import compute
from fenzhi.pipeline.switch import switch_catalog
from fenzhi.region import load_region

REGION = """\
[region]
id = "two-versions"
name = "两个版本"
year = 2027
policy = "policy.toml"
history = ["history"]
history_years = [2026]
operations = "operations.csv"

[[region.catalog]]
catalog = "groups-2.0"
valid_to = 2027-06-30

[[region.catalog]]
catalog = "groups-3.0"
valid_from = 2027-07-01

[[pool]]
id = "all"
title = "医保"
insutype = ["310"]
"""
BUDGET = """\
year = 2027
[[pool]]
id = "all"
[[pool.lines]]
name = "预算收入"
kind = "income"
amount = "30000.00"
"""
POLICY = """\
[meta]
id = "plain"
title = "简单规则"
scheme = "dip"
version = "1"
extends = "national-dip-3.0"
[coefficients]
cite = "x"
confidence = "sample"
by = []
"""
COLUMNS = "group_id,name,layer,main_diag,treatment,main_oprn,related_oprn,other_diag\n"
OLD = COLUMNS + (
    "K35.8:47.0100,阑尾切除,basic,K35.8,operation,47.0100,,\n"
    "K35.8:47.0100/54.9100,阑尾切除伴引流,basic,K35.8,operation,47.0100,54.9100,\n"
    "K35.8:0,阑尾炎保守,basic,K35.8,conservative,,,\n"
    "Z51.1:0,化疗,basic,Z51.1,conservative,,,\n"
)
NEW = COLUMNS + (
    "K35:47.0100,阑尾切除,merged,K35,operation,47.0100,,\n"
    "K35:0,阑尾疾病保守,merged,K35,conservative,,,\n"
    "Z51.1:C50,乳腺癌化疗,assisted,Z51.1,conservative,,,C50\n"
    "Z51.1:C81,淋巴瘤化疗,assisted,Z51.1,conservative,,,C81-C85\n"
    "I10-medical,高血压内科诊疗组,comprehensive,I10,medical,,,\n"
)
OPERATIONS = "code,name,type\n47.0100,阑尾切除,surgery\n54.9100,引流,therapeutic\n"


def one(key: str, diagnoses: str, operations: str, day: str, cost: int) -> str:
    return stay(key, "A1", "310", diagnoses, operations, f"{cost}.00", f"{cost // 2}.00", discharged=day)


HISTORY = [
    one("h0", "K35.800", "47.0100", "2026-01-09", 6_000),
    one("h1", "K35.800", "47.0100", "2026-02-09", 4_000),
    one("h2", "K35.800", "47.0100|54.9100", "2026-03-09", 10_000),
    one("h3", "K35.800", "", "2026-04-09", 2_000),
    one("h4", "K35.900", "", "2026-05-09", 4_000),
    one("h5", "Z51.100|C50.900", "", "2026-06-09", 5_000),
    one("h6", "Z51.100|C81.900", "", "2026-07-09", 3_000),
    *(one(f"h{n + 6}", "I10.x00", "", "2026-08-09", n * 1_000) for n in (1, 2, 3)),
]
STAYS = [
    one("s1", "K35.800", "47.0100|54.9100", "2027-06-30", 8_000),
    one("s2", "K35.800", "47.0100|54.9100", "2027-07-01", 8_000),
    one("s3", "K35.900", "", "2027-05-09", 4_000),
    one("s4", "K35.900", "", "2027-08-09", 4_000),
    one("s5", "Z51.100|C50.900", "", "2027-02-09", 4_000),
    one("s6", "Z51.100|C50.900", "", "2027-11-09", 4_000),
    one("s7", "Z51.100|C81.900", "", "2027-12-09", 4_000),
    one("s8", "I10.x00", "", "2027-01-09", 2_000),
    one("s9", "I10.x00", "", "2027-09-09", 2_000),
]
CASES = [
    ("s1", "groups-2.0", "basic", "K35.8:47.0100/54.9100", 25_000_000),
    ("s2", "groups-3.0", "merged", "K35:47.0100", 16_666_667),
    ("s3", "groups-2.0", None, None, None),
    ("s4", "groups-3.0", "merged", "K35:0", 7_500_000),
    ("s5", "groups-2.0", "basic", "Z51.1:0", 10_000_000),
    ("s6", "groups-3.0", "assisted", "Z51.1:C50", 12_500_000),
    ("s7", "groups-3.0", "assisted", "Z51.1:C81", 7_500_000),
    ("s8", "groups-2.0", None, None, None),
    ("s9", "groups-3.0", "comprehensive", "I10-medical", 5_000_000),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("versions")
    layers = {"2.0": '["basic"]', "3.0": '["merged", "assisted", "comprehensive"]'}
    files = {
        "region.toml": REGION,
        "budget.toml": BUDGET,
        "policy.toml": POLICY,
        "hospitals.csv": "fixmedins_code,fixmedins_name,level,type\nA1,第一医院,3,general\n",
        "operations.csv": OPERATIONS,
        "history/2026.csv": text_of(HISTORY),
        "records/2027.csv": text_of(STAYS),
    }
    for version, groups in (("2.0", OLD), ("3.0", NEW)):
        meta = CATALOG.replace('"small"', f'"groups-{version}"')
        files[f"groups-{version}/catalog.toml"] = meta.replace('["basic", "comprehensive"]', layers[version])
        files[f"groups-{version}/groups.csv"] = groups
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return place


def test_every_stay_follows_the_version_of_its_day_and_one_fund_prices_all(folder: Path) -> None:
    tables, facts = compute(load_region(folder))
    found = tables["cases"].sort("setl_id").select("setl_id", "catalog", "layer", "group_id", "rw_e4")
    assert found.rows() == CASES
    assert [(rule["catalog"]["id"], rule["stays"]) for rule in facts["rules"]] == [
        ("groups-2.0", 4),
        ("groups-3.0", 5),
    ]
    [pool] = tables["pools"].iter_rows(named=True)
    assert pool["gross_fen"] + pool["residual_fen"] == pool["fund_fen"] == 3_000_000


def test_what_it_would_be_with_the_new_version_on_all_days(folder: Path) -> None:
    done = switch_catalog(folder, "groups-3.0")
    stays = done.tables["stays"].select("setl_id", "class_before", "class_after", "group_id_after")
    changed = stays.filter(pl.col("class_before") != pl.col("class_after"))
    assert changed.rows() == [
        ("s1", "basic", "merged", "K35:47.0100"),
        ("s3", "ungrouped", "merged", "K35:0"),
        ("s5", "basic", "assisted", "Z51.1:C50"),
        ("s8", "ungrouped", "comprehensive", "I10-medical"),
    ]
    assert done.summary["measures"]["grouping_rate"] == [7 / 9, 1.0]
    assert done.summary["balance"]["gross"] == done.summary["balance"]["final"] == 0
    assert done.summary["counts"]["stays_moved"] == 4
