"""A region small enough to read: two hospitals with stays, one without, two pools, every kind of outcome.

Written as text files, so that a test can spoil any of them.
"""

from __future__ import annotations

from pathlib import Path

REGION = """\
[region]
id = "small-2027"
name = "小区域"
area = "990100"
year = 2027
synthetic = true
policy = "national-dip-3.0"
catalog = "catalog"
records = "records"
history = ["history"]
history_years = [2026]
operations = "operations.csv"

[[pool]]
id = "employee"
title = "职工医保"
insutype = ["310"]

[[pool]]
id = "resident"
title = "居民医保"
insutype = ["390"]
"""
BUDGET = """\
year = 2027

[[pool]]
id = "employee"

[[pool.lines]]
name = "预算收入"
kind = "income"
amount = "20000.00"

[[pool.lines]]
name = "风险储备金"
kind = "reserve"
amount = "1000.00"

[[pool]]
id = "resident"

[[pool.lines]]
name = "预算收入"
kind = "income"
amount = "10000.00"

[[pool.lines]]
name = "异地就医预留"
kind = "carve_out"
amount = "500.00"
"""
HOSPITALS = """\
fixmedins_code,fixmedins_name,level,type
A1,第一医院,3,general
B2,第二医院,2,general
C3,没有病例的医院,2,general
"""
CATALOG = """\
[catalog]
id = "small"
title = "小目录"
version = "1"
kind = "demonstration"
layers = ["basic", "comprehensive"]
synthetic = true
"""
GROUPS = """\
group_id,name,layer,main_diag,treatment,main_oprn
K35.8:47.0100,阑尾炎手术,basic,K35.8,operation,47.0100
K35.8:0,阑尾炎保守,basic,K35.8,conservative,
E11.9:0,糖尿病,basic,E11.9,conservative,
K35-medical,阑尾炎内科诊疗组,comprehensive,K35,medical,
K35-surgery,阑尾炎相关手术组,comprehensive,K35,surgery,
"""
OPERATIONS = "code,name,type\n47.0100,腹腔镜阑尾切除术,surgery\n"
HEADER = (
    "setl_id,psn_no,psn_name,fixmedins_code,insutype,insu_admdvs,gend,age,adm_time,dscg_time,med_type,"
    "diag_codes,oprn_codes,medfee_sumamt,hifp_pay,fund_pay_sumamt,psn_pay_sumamt"
)
PERSON_NO, PERSON_NAME = "P990100777", "张三丰"


def stay(
    setl_id: str,
    hospital: str,
    insutype: str,
    diagnoses: str,
    operations: str,
    cost: str,
    booked: str,
    *,
    discharged: str = "2027-03-09",
    med_type: str = "21",
) -> str:
    """One line of a CSV file of stays; patients pay what the fund does not."""
    patient = f"{float(cost) - float(booked):.2f}"
    return (
        f"{setl_id},{PERSON_NO},{PERSON_NAME},{hospital},{insutype},990100,1,50,2026-12-30,{discharged},{med_type},"
        f"{diagnoses},{operations},{cost},{booked},{booked},{patient}"
    ).replace("2026-12-30", discharged[:8] + "01")


HISTORY = [
    *(
        stay(f"H0{i}", "A1", "310", "K35.800", "47.0100", cost, "6000.00", discharged="2026-05-09")
        for i, cost in enumerate(["9000.00", "10000.00", "11000.00", "12000.00"])
    ),
    *(
        stay(f"H1{i}", "B2", "390", "K35.800", "", cost, "2000.00", discharged="2026-06-09")
        for i, cost in enumerate(["3000.00", "4000.00", "5000.00", "4000.00"])
    ),
    stay("H20", "A1", "390", "K35.900", "", "6000.00", "3000.00", discharged="2026-07-09"),
    stay("H21", "B2", "390", "K35.900", "", "4000.00", "2000.00", discharged="2026-07-09"),
    stay("H22", "B2", "390", "K35.900", "47.0100", "9000.00", "2000.00", discharged="2026-07-09"),
    stay("H30", "A1", "310", "E11.900", "", "5000.00", "3500.00", discharged="2026-08-09"),
]
STAYS = [
    stay("S01", "A1", "310", "K35.800|E11.900", "47.0100", "10500.00", "7000.00"),
    stay("S02", "B2", "390", "K35.800", "", "4200.00", "2100.00", discharged="2027-04-09"),
    stay("S03", "A1", "390", "K35.900", "", "5500.00", "2700.00"),
    stay("S04", "B2", "390", "E11.600", "", "3000.00", "1500.00"),
    stay("S05", "A1", "", "K35.800", "", "4000.00", "0.00"),
    stay("S06", "A1", "390", "F20.000", "", "9000.00", "6000.00", med_type="2105"),
    stay("S07", "B2", "390", "K35.800", "", "4000.00", "2000.00", discharged="2026-12-31"),
    stay("S08", "A1", "310", "K35.800", "", "0.00", "0.00"),
    stay("S01", "A1", "310", "K35.800|E11.900", "47.0100", "10500.00", "7000.00"),
    stay("S10", "A1", "310", "E11.900", "", "2000.00", "1000.00"),
    stay("S10", "A1", "310", "E11.900", "", "-2000.00", "-1000.00"),
    stay("S12", "B2", "510", "K35.800", "", "4000.00", "2000.00"),
]
OUTCOMES = [
    ("S01", "grouped", "K35.8:47.0100", None),
    ("S02", "grouped", "K35.8:0", None),
    ("S03", "comprehensive", "K35-medical", None),
    ("S04", "ungrouped", None, "no_group"),
    ("S05", "excluded", "K35.8:0", "self_paying"),
    ("S06", "other_track", None, "bed_day"),
    ("S07", "excluded", "K35.8:0", "other_year"),
    ("S08", "rejected", None, "cost_zero"),
    ("S01", "rejected", None, "duplicate_key"),
    ("S10", "excluded", None, "refunded"),
    ("S10", "excluded", None, "refunded"),
    ("S12", "excluded", "K35.8:0", "no_pool"),
]


def text_of(lines: list[str]) -> str:
    """A whole CSV file of stays."""
    return "\n".join([HEADER, *lines]) + "\n"


def write_small(folder: Path) -> Path:
    """Write the region into ``folder`` and return it."""
    files = {
        "region.toml": REGION,
        "budget.toml": BUDGET,
        "hospitals.csv": HOSPITALS,
        "operations.csv": OPERATIONS,
        "assessment.csv": "fixmedins_code,coefficient\nB2,0.98\n",
        "deductions.csv": "fixmedins_code,pool,month,amount,reason\nA1,employee,3,100.00,重复收费\n",
        "catalog/catalog.toml": CATALOG,
        "catalog/groups.csv": GROUPS,
        "history/2026.csv": text_of(HISTORY),
        "records/2027.csv": text_of(STAYS),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
