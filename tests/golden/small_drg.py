"""A region of three hospitals that pays by DRG, written as the files a user would write.

All figures that tests expect of it are worked out by hand in ``test_small_drg.py``.
"""

from __future__ import annotations

from pathlib import Path

CATALOG = {
    "catalog.toml": """[catalog]
id = "small-drg"
title = "小 DRG 目录"
scheme = "drg"
version = "1"
kind = "demonstration"
synthetic = true
""",
    "mdc.csv": """mdc,name,eval_order,entry_rule
MDCE,呼吸,1,main_dx
MDCG,消化,2,main_dx
""",
    "mdc_dx.csv": "mdc,code\nMDCE,J18.900\nMDCG,K35.800\n",
    "adrg.csv": """adrg,name,mdc,eval_order,return_if_no_drg
ES2,肺炎,MDCE,1,
GD2,阑尾手术,MDCG,1,
GU2,阑尾炎,MDCG,2,
""",
    "adrg_condition.csv": """adrg,kind,list_id,arg
ES2,MAIN_DX_IN,pneumonia,
GD2,MAIN_PROC_IN,appendectomy,
GU2,MAIN_DX_IN,appendicitis,
""",
    "code_list.csv": """list_id,code
pneumonia,J18.900
appendectomy,47.0100
appendicitis,K35.800
""",
    "drg.csv": """drg,name,adrg,test_order,rule
ES29,肺炎,ES2,1,always
GD29,阑尾手术,GD2,1,always
GU23,阑尾炎伴并发症,GU2,1,mcc_or_cc
GU25,阑尾炎,GU2,2,always
""",
    "cc.csv": "code,level,excl_table\nE11.900,CC,1\n",
    "cc_exclusion.csv": "main_dx,excl_table\nE11.900,1\n",
    "valid_procedure.csv": "code\n47.0100\n",
    "weights.csv": "drg,weight\nGD29,1.5\nGU25,0.75\nES29,0.9\n",
}

# The shipped pack as it is; and a rate that is stated and fixed, with coefficients by level.
POINTS = """[meta]
id = "points"
title = "点数法"
scheme = "drg"
version = "1"
extends = "jinhua-drg-2017"
"""
RATE = """[meta]
id = "rate"
title = "固定费率"
scheme = "drg"
version = "1"

[scope.other_tracks]
"2105" = "bed_day"

[weights]
scale = 1
year_weights = [1, 1]
pooling = "cases"
[weights.trim]
method = "none"

[coefficients]
by = ["level"]

[deviation]
[[deviation.bands]]
name = "normal"
points = "normal"

[point_value]
rate = "fixed"

[settlement]
residual = "reserve"
"""
REGION = """[region]
id = "small-drg"
name = "小地区"
year = 2027
policy = "policy.toml"
catalog = "catalog"
history = ["history"]
history_years = [2025, 2026]

[[pool]]
id = "E"
title = "职工"
insutype = ["310"]
"""
BUDGET = """year = 2027

[[pool]]
id = "E"
[[pool.lines]]
name = "住院"
kind = "income"
amount = "52700"
"""
HOSPITALS = """fixmedins_code,fixmedins_name,level,type
H1,First,3,general
H2,Second,2,general
H3,Third,1,general
"""
HEADER = (
    "setl_id,psn_no,fixmedins_code,insutype,med_type,gend,age,adm_time,dscg_time,act_ipt_days,dscg_way,"
    "diag_codes,oprn_codes,medfee_sumamt,hifp_pay"
)
SURGERY, MEDICAL, LUNGS = ("K35.800", "47.0100"), ("K35.800", ""), ("J18.900", "")


def line(
    setl_id: str,
    hospital: str,
    codes: tuple[str, str],
    cost: int,
    *,
    left: str,
    days: int = 4,
    way: int = 1,
    person: str = "",
    kind: str = "21",
    age: str = "50",
) -> str:
    """One stay that ends on the day ``left``; the fund pays 60 %."""
    year_month, day = left[:8], int(left[8:])
    came = f"{year_month}{day - days:02d}" if day > days else f"{int(left[:4]) - 1}-12-01"
    cells = [
        setl_id,
        person,
        hospital,
        "310",
        kind,
        "1",
        age,
        came,
        left,
        days,
        way,
        *codes,
        cost,
        cost * 6 // 10,
    ]
    return ",".join(str(cell) for cell in cells)


HISTORY = [
    *(
        line(f"{name}{year}", hospital, codes, cost, left=f"{year}-05-20")
        for year in (2025, 2026)
        for name, hospital, codes, cost in (
            ("a", "H1", SURGERY, 12_600),
            ("b", "H2", SURGERY, 11_400),
            ("c", "H1", MEDICAL, 9_000),
            ("d", "H2", MEDICAL, 7_000),
        )
    ),
    line("e", "H1", LUNGS, 10_000, left="2026-06-20"),
    line("f", "H2", ("F20.000", ""), 9_000, left="2026-06-20", days=30, kind="2105"),
    # Grouping has no age: such a stay counts nowhere.
    line("g", "H2", SURGERY, 99_000, left="2026-07-20", age=""),
]
STAYS = [
    line("s01", "H1", SURGERY, 12_000, left="2027-01-20"),
    line("s02", "H1", SURGERY, 4_000, left="2027-01-21", way=2),
    line("s03", "H1", SURGERY, 15_000, left="2027-01-22", way=4),
    line("s04", "H3", SURGERY, 12_000, left="2027-02-20"),
    line("s05", "H2", MEDICAL, 7_000, left="2027-05-09", person="P7"),
    line("s06", "H2", MEDICAL, 7_000, left="2027-05-19", person="P7"),
    line("s07", "H1", MEDICAL, 9_000, left="2027-05-24", person="P7"),
    line("s08", "H2", ("F20.000", ""), 9_000, left="2027-06-20", days=35, kind="2105"),
    line("s09", "H1", ("K35.800|E11.900", ""), 5_000, left="2027-03-20"),
    line("s10", "H1", ("Z99.000", ""), 2_000, left="2027-03-21"),
    line("s11", "H1", SURGERY, 12_000, left="2027-03-22", age=""),
]


def write_region(folder: Path, policy: str = POINTS, region: str = REGION) -> Path:
    """Write the region below ``folder`` and return its folder."""
    root = folder / "region"
    files = {
        "region.toml": region,
        "policy.toml": policy,
        "budget.toml": BUDGET,
        "hospitals.csv": HOSPITALS,
        "history/stays.csv": "\n".join([HEADER, *HISTORY]) + "\n",
        "records/stays.csv": "\n".join([HEADER, *STAYS]) + "\n",
        **{f"catalog/{name}": text for name, text in CATALOG.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
