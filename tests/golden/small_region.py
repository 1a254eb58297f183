"""A region of three hospitals, two pools and twelve stays, written as the CSV and TOML files a user would write.

All figures that tests expect of it are worked out by hand in ``test_small_region.py``.
"""

from __future__ import annotations

from pathlib import Path

POLICY = """
[meta]
id = "small"
title = "小地区"
scheme = "dip"
version = "1"

[scope]
cost = "total_minus_paid_apart"
[scope.other_tracks]
"2105" = "bed_day"

[ungrouped]
rule = "share_of_cost"
factor = 0.7

[weights]
year_weights = [1, 2, 7]
[weights.trim]
method = "none"

[coefficients]
by = ["level"]
floor = 0.8
cap = 1.2

[deviation]
test_reference = "same_level_mean"
factor_reference = "same_level_mean"
[[deviation.bands]]
name = "low"
upto = 0.5
upto_included = false
points = "ratio"
[[deviation.bands]]
name = "normal"
above = 0.5
above_included = true
upto = 2
points = "normal"
[[deviation.bands]]
name = "high"
above = 2
points = "excess"

[settlement]
advance_ratio = 0.90
working_capital_months = 1
"""

REGION = """
[region]
id = "small"
name = "小地区"
area = "990100"
year = 2027
policy = "policy.toml"
catalog = "catalog"
history = ["history/2025", "history/2026"]

[[pool]]
id = "E"
title = "职工"
insutype = ["310"]

[[pool]]
id = "R"
title = "居民"
insutype = ["390"]
opening_value = 4.5
"""

BUDGET = """
year = 2027

[[pool]]
id = "E"
[[pool.lines]]
name = "住院"
kind = "income"
amount = "30000"
[[pool.lines]]
name = "异地"
kind = "carve_out"
amount = "3000"
[[pool.lines]]
name = "风险储备"
kind = "reserve"
amount = "1999.99"

[[pool]]
id = "R"
[[pool.lines]]
name = "住院"
kind = "income"
amount = "3000.00"
"""

CATALOG = """
[catalog]
id = "small"
title = "小目录"
scheme = "dip"
version = "1"
kind = "demonstration"
layers = ["basic", "comprehensive"]
synthetic = true

[dialect]
form = "or_of_ands"
or = "|"
and = "+"
"""

GROUPS = """group_id,name,layer,main_diag,treatment,main_oprn,grassroots
G1,appendectomy,basic,K35.8,operation,47.0100,false
G2,appendicitis,basic,K35.8,conservative,,false
G3,pneumonia,basic,J18,any,,true
C1,appendix surgery,comprehensive,K35,surgery,,false
G9,never seen,basic,A00,any,,false
"""

OPERATIONS = """code,name,type
47.0100,appendectomy,surgery
54.5100,adhesiolysis,surgery
"""

HOSPITALS = """fixmedins_code,fixmedins_name,level,type
H1,First,3,general
H2,Second,2,general
H3,Township,1,general
"""

ASSESSMENT = """fixmedins_code,coefficient
H1,0.99
"""

DEDUCTIONS = """fixmedins_code,pool,month,amount,reason
H2,E,2,500.00,audit
H3,R,12,1000,audit
"""

HEADER = (
    "setl_id,fixmedins_code,insutype,insu_admdvs,med_type,gend,age,adm_time,dscg_time,act_ipt_days,"
    "diag_codes,oprn_codes,medfee_sumamt,hifp_pay,excl_pay_sumamt"
)
# id, hospital, insurance, area, kind, month, days, diagnosis, operation, total, booked, paid apart
PAST = {
    2025: [
        ("h1", "H1", "310", "990100", "21", 5, 6, "K35.800", "47.0100", "4500", "3000", ""),
        ("h2", "H2", "390", "990100", "21", 6, 4, "K35.800", "", "3000", "1500", ""),
        ("h3", "H3", "390", "990100", "21", 7, 4, "J18.900", "", "1000", "600", ""),
        ("h4", "H2", "310", "990100", "21", 8, 5, "K35.900", "47.0100", "4000", "2800", ""),
        # A bed-day stay counts nowhere.
        ("h0", "H2", "310", "990100", "2105", 9, 90, "K35.800", "", "99999", "99999", ""),
    ],
    2026: [
        ("h5", "H1", "310", "990100", "21", 5, 6, "K35.800", "47.0100", "9000", "6000", ""),
        ("h6", "H2", "390", "990100", "21", 6, 4, "K35.800", "", "3000", "1500", ""),
        ("h7", "H3", "390", "990100", "21", 7, 4, "J18.900", "", "1000", "600", ""),
        # Self-paying and in no group: counts for the mean of all and for the coefficient of its level.
        ("h8", "H2", "", "", "21", 8, 2, "Z99.000", "", "4000", "", ""),
    ],
}
STAYS = [
    ("s01", "H1", "310", "990100", "21", 1, 6, "K35.800", "47.0100", "9500.00", "6000", "500"),
    ("s02", "H1", "310", "990100", "21", 1, 3, "K35.801", "47.0100|54.5100", "3600", "2400", ""),
    ("s03", "H2", "310", "", "21", 2, 9, "K35.800", "47.0100x001", "10000", "7000", ""),
    ("s04", "H2", "310", "990100", "21", 2, 8, "K35.900", "54.5100", "12000", "8400", "0"),
    ("s05", "H1", "310", "990100", "21", 3, 2, "Z99.000", "", "2000", "1200", ""),
    ("s06", "H2", "390", "990100", "21", 1, 4, "K35.800", "", "3000", "1500", ""),
    ("s07", "H3", "390", "990100", "21", 2, 4, "J18.900", "", "1000", "600", ""),
    ("s08", "H1", "390", "990100", "21", 3, 6, "J18.900", "", "1400", "700", ""),
    ("s09", "H3", "390", "990100", "21", 12, 2, "K35.900", "54.5100", "600", "300", ""),
    ("s10", "H1", "", "", "21", 4, 6, "K35.800", "47.0100", "9000", "", ""),
    ("s11", "H2", "310", "990100", "2105", 5, 60, "K35.800", "", "20000", "15000", ""),
    ("s12", "H3", "310", "880100", "21", 6, 5, "K35.800", "", "3000", "2000", ""),
    # A thirteenth row is no stay: it cost nothing.
    ("s13", "H3", "310", "990100", "21", 6, 5, "K35.800", "", "0", "0", ""),
]


def csv_of(rows: list[tuple[object, ...]], year: int) -> str:
    """Return stays as CSV text; a stay of ``days`` ends on the 28th of its month."""
    lines = [HEADER]
    for setl_id, hospital, kind, area, med_type, month, days, diag, oprn, total, booked, apart in rows:
        assert isinstance(days, int)
        first = f"{year}-{month:02d}-{28 - days:02d}" if days < 28 else f"{year - 1}-12-01"
        cells = [setl_id, hospital, kind, area, med_type, 1, 45, first, f"{year}-{month:02d}-28", days]
        lines.append(",".join(str(cell) for cell in [*cells, diag, oprn, total, booked, apart]))
    return "\n".join(lines) + "\n"


def write_region(folder: Path, stays: list[tuple[object, ...]] | None = None, region: str = REGION) -> Path:
    """Write the region's folder and return it."""
    files = {
        "region.toml": region,
        "policy.toml": POLICY,
        "budget.toml": BUDGET,
        "hospitals.csv": HOSPITALS,
        "assessment.csv": ASSESSMENT,
        "deductions.csv": DEDUCTIONS,
        "catalog/catalog.toml": CATALOG,
        "catalog/groups.csv": GROUPS,
        "catalog/operations.csv": OPERATIONS,
        "history/2025/stays.csv": csv_of(PAST[2025], 2025),
        "history/2026/stays.csv": csv_of(PAST[2026], 2026),
        "records/stays.csv": csv_of(STAYS if stays is None else stays, 2027),
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
