"""A region whose rules change in the middle of the year: another pack and another catalogue from July on."""

from __future__ import annotations

from pathlib import Path

from cli.small import CATALOG, OPERATIONS, PERSON_NO, stay, text_of

REGION = """\
[region]
id = "two-rules"
name = "两套规则"
year = 2027
policies = ["new.toml", "old.toml"]
history = ["history"]
history_years = [2026]
operations = "operations.csv"

[[region.catalog]]
catalog = "new-groups"
valid_from = 2027-07-01

[[region.catalog]]
catalog = "old-groups"
valid_to = 2027-06-30

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
amount = "23380.00"
"""
HOSPITALS = "fixmedins_code,fixmedins_name,level,type\nA1,第一医院,3,general\nB2,第二医院,2,general\n"
OLD = """\
[meta]
id = "old"
title = "上半年规则"
scheme = "dip"
version = "1"
valid_to = 2027-06-30
[ungrouped]
rule = "fee_for_service"
factor = 0.5
[coefficients]
by = []
[deviation]
cite = "旧办法"
confidence = "sample"
test_reference = "all_level_mean"
factor_reference = "all_level_mean"
bands = [
  {name = "low", upto = 0.5, upto_included = false, points = "ratio"},
  {name = "normal", above = 0.5, above_included = true, points = "normal"},
]
"""
NEW = """\
[meta]
id = "new"
title = "下半年规则"
scheme = "dip"
version = "2"
valid_from = 2027-07-01
[ungrouped]
rule = "fee_for_service"
factor = 0.8
[coefficients]
by = ["level"]
floor = 0.8
cap = 1.2
[deviation]
cite = "新办法"
confidence = "sample"
bands = [{name = "normal", points = "normal"}]
[readmission]
cite = "新办法"
confidence = "sample"
days = 15
factor = 0.5
"""
COLUMNS = "group_id,name,layer,main_diag,treatment,main_oprn\n"
SURGERY = "K35.8:47.0100,阑尾炎手术,basic,K35.8,operation,47.0100\n"
DIABETES = "E11.9:0,糖尿病,basic,E11.9,conservative,\n"
OLD_GROUPS = COLUMNS + SURGERY + "K35.8:0,阑尾炎保守,basic,K35.8,conservative,\n" + DIABETES
NEW_GROUPS = COLUMNS + DIABETES + SURGERY + "K35:0,阑尾疾病保守,basic,K35,conservative,\n"


def _stay(key: str, person: str, place: str, diagnosis: str, day: str, cost: int) -> str:
    """A stay from the first of the month to the day; half of the cost is booked."""
    operation = "47.0100" if diagnosis == "OP" else ""
    code = "K35.800" if diagnosis == "OP" else diagnosis
    line = stay(key, place, "310", code, operation, f"{cost}.00", f"{cost // 2}.00", discharged=day)
    return line.replace(PERSON_NO, person)


HISTORY = [
    _stay("h1", "P0", "A1", "OP", "2026-03-09", 9_000),
    _stay("h2", "P0", "A1", "OP", "2026-04-09", 11_000),
    _stay("h3", "P0", "B2", "K35.800", "2026-05-09", 3_000),
    _stay("h4", "P0", "B2", "K35.800", "2026-06-09", 5_000),
    _stay("h5", "P0", "B2", "K35.900", "2026-07-09", 1_000),
    _stay("h6", "P0", "B2", "K35.900", "2026-08-09", 3_000),
    _stay("h7", "P0", "A1", "E11.900", "2026-09-09", 4_000),
    _stay("h8", "P0", "B2", "E11.900", "2026-10-09", 4_000),
]
STAYS = [
    _stay("s5", "P5", "A1", "OP", "2027-07-01", 30_000),
    _stay("s1", "P1", "A1", "OP", "2027-06-30", 12_000),
    _stay("s2", "P2", "B2", "K35.800", "2027-03-09", 1_600),
    _stay("s6", "P2", "B2", "K35.800", "2027-10-09", 1_600),
    _stay("s3", "P3", "A1", "E11.900", "2027-06-20", 4_000),
    _stay("s7", "P3", "A1", "E11.900", "2027-07-03", 5_000),
    _stay("s4", "P4", "B2", "K35.900", "2027-02-09", 2_000),
    _stay("s8", "P4", "B2", "K35.900", "2027-12-31", 2_800),
    _stay("s9", "P9", "B2", "J18.900", "2027-08-09", 5_000),
]


def write_two_rules(folder: Path) -> Path:
    """Write the region into ``folder`` and return it."""
    plain = CATALOG.replace('["basic", "comprehensive"]', '["basic"]')
    files = {
        "region.toml": REGION,
        "budget.toml": BUDGET,
        "hospitals.csv": HOSPITALS,
        "operations.csv": OPERATIONS,
        "old.toml": OLD,
        "new.toml": NEW,
        "old-groups/catalog.toml": plain.replace('"small"', '"old-groups"'),
        "old-groups/groups.csv": OLD_GROUPS,
        "new-groups/catalog.toml": plain.replace('"small"', '"new-groups"'),
        "new-groups/groups.csv": NEW_GROUPS,
        "history/2026.csv": text_of(HISTORY),
        "records/2027.csv": text_of(STAYS),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
