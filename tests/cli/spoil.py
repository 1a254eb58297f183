"""Ways to spoil the small region, and what must be said about each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cli.small import HISTORY, STAYS, stay, text_of

RECORDS, HISTORY_FILE = "records/2027.csv", "history/2026.csv"


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Replace the first ``old`` in a file."""

    def spoil(region: Path) -> None:
        text = (region / name).read_text(encoding="utf-8")
        assert old in text
        (region / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


CHANGE = {
    "date": "2027-05-01",
    "reason": '"r"',
    "line": '"风险储备金"',
    "amount": '"1"',
    "from": '"by_disease"',
}


def with_change(keys: dict[str, str | None]) -> Callable[[Path], None]:
    """Give the employees' pool a change within the year that has these keys instead; None: without the key."""
    text = "".join(f"{key} = {value}\n" for key, value in {**CHANGE, **keys}.items() if value is not None)
    line = 'amount = "1000.00"\n'
    return replaced("budget.toml", line, f"{line}\n[[pool.change]]\n{text}")


def written(name: str, data: str | bytes) -> Callable[[Path], None]:
    def spoil(region: Path) -> None:
        raw = data if isinstance(data, bytes) else data.encode()
        (region / name).write_bytes(raw)

    return spoil


def removed(name: str) -> Callable[[Path], None]:
    def spoil(region: Path) -> None:
        path = region / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return spoil


def wrong_types(region: Path) -> None:
    (region / RECORDS).unlink()
    pl.DataFrame(
        {
            "setl_id": ["a"],
            "fixmedins_code": ["A1"],
            "diag_codes": [358],
            "medfee_sumamt": ["1"],
            "dscg_time": ["x"],
        }
    ).write_parquet(region / "records/2027.parquet")


def emptied(name: str) -> Callable[[Path], None]:
    def spoil(region: Path) -> None:
        for path in (region / name).iterdir():
            path.unlink()

    return spoil


@dataclass(frozen=True)
class Bad:
    """One way to spoil the small region, the code it must give, and what the message must name."""

    name: str
    spoil: Callable[[Path], None]
    code: str
    says: tuple[str, ...]


TOML = "region.toml"
BAD = [
    # files of records
    Bad("records folder missing", removed("records"), "RECORDS_MISSING", ("small/records",)),
    Bad("no records", emptied("records"), "RECORDS_EMPTY_FOLDER", ("small/records",)),
    Bad("empty file", written(RECORDS, ""), "RECORDS_EMPTY_FILE", (RECORDS,)),
    Bad("header only", written(RECORDS, text_of([])), "RECORDS_NO_ROWS", (RECORDS,)),
    Bad(
        "neither UTF-8 nor GB18030",
        written(RECORDS, text_of(STAYS).encode() + b"\xff\xff\xff\n"),
        "RECORDS_ENCODING",
        (RECORDS,),
    ),
    Bad(
        "cut in the middle of a line",
        written(RECORDS, text_of(STAYS)[:-30]),
        "RECORDS_RAGGED",
        (RECORDS, "row 12", "cut off"),
    ),
    Bad(
        "cut in the middle of a character",
        written(RECORDS, text_of(STAYS).encode()[: text_of(STAYS[:3]).encode().rindex("丰".encode()) + 1]),
        "RECORDS_CUT",
        (RECORDS, "row 3"),
    ),
    Bad(
        "quotation mark never closed",
        replaced(RECORDS, "K35.900", '"K35.900'),
        "RECORDS_UNCLOSED_QUOTE",
        (RECORDS,),
    ),
    Bad(
        "column missing",
        replaced(RECORDS, "diag_codes", "zhenduan"),
        "RECORDS_COLUMN_MISSING",
        (RECORDS, "diag_codes"),
    ),
    Bad("column twice", replaced(RECORDS, "psn_name", "psn_no"), "RECORDS_COLUMN_TWICE", (RECORDS, "psn_no")),
    Bad("column types", wrong_types, "RECORDS_COLUMN_TYPE", ("records/2027.parquet", "diag_codes")),
    Bad(
        "torn Parquet",
        written("records/more.parquet", "PAR1 torn"),
        "RECORDS_PARQUET",
        ("records/more.parquet",),
    ),
    Bad("torn Excel", written("records/more.xlsx", "PK torn"), "RECORDS_EXCEL", ("records/more.xlsx",)),
    # history
    Bad("history missing", removed("history"), "RECORDS_MISSING", ("small/history",)),
    Bad("history empty", emptied("history"), "RECORDS_EMPTY_FOLDER", ("small/history",)),
    Bad(
        "no history named",
        replaced(TOML, 'history = ["history"]', "history = []"),
        "HISTORY_EMPTY",
        (TOML, "region.history"),
    ),
    Bad(
        "history of other years",
        replaced(TOML, "history_years = [2026]", "history_years = [2020]"),
        "HISTORY_EMPTY",
        (),
    ),
    Bad(
        "history without a stay that counts",
        written(
            HISTORY_FILE,
            text_of([stay("H", "A1", "310", "K35.800", "", "0.00", "0.00", discharged="2026-05-09")]),
        ),
        "HISTORY_EMPTY",
        (),
    ),
    Bad(
        "a group of weight 0",
        written(
            HISTORY_FILE,
            text_of(
                [
                    *HISTORY,
                    stay("H90", "A1", "310", "E11.900", "", "99999999.00", "0.00", discharged="2026-05-09"),
                    stay("H91", "A1", "310", "E11.900", "", "9999999999.00", "0.00", discharged="2026-05-09"),
                    stay("H92", "A1", "310", "K35.900", "47.0100", "0.01", "0.00", discharged="2026-05-09"),
                ]
            ).replace("H22,P990100777,张三丰,B2,390", "H22,P990100777,张三丰,ZZ,390"),
        ),
        "WEIGHT_ZERO",
        ("K35-surgery",),
    ),
    # region.toml
    Bad("no region.toml", removed(TOML), "REGION_FILE_MISSING", ("small", "fenzhi demo")),
    Bad("not TOML", written(TOML, "[region\nname = 1"), "REGION_SYNTAX", (TOML, "line 1")),
    Bad("not UTF-8", written(TOML, "[region]\nname = '示范'".encode("gb18030")), "REGION_SYNTAX", (TOML,)),
    Bad(
        "unknown key",
        replaced(TOML, "records =", "recrods ="),
        "REGION_VALUE",
        (TOML, "region.recrods", "nearest is 'records'"),
    ),
    Bad(
        "unknown table",
        replaced(TOML, "[region]", "[quallity]\n[region]"),
        "REGION_VALUE",
        (TOML, "quallity", "nearest is 'quality'"),
    ),
    Bad(
        "unknown key of a pool",
        replaced(TOML, "title =", "titel ="),
        "REGION_VALUE",
        (TOML, "pool.1.titel", "nearest is 'title'"),
    ),
    Bad(
        "unknown rule of quality",
        replaced(TOML, "[region]", '[quality.severity]\ncost_nil = "off"\n[region]'),
        "REGION_VALUE",
        (TOML, "cost_nil"),
    ),
    Bad(
        "key missing",
        replaced(TOML, 'policy = "national-dip-3.0"', ""),
        "REGION_VALUE",
        (TOML, "region.policy", "missing"),
    ),
    Bad(
        "no number",
        replaced(TOML, "year = 2027", 'year = "next"'),
        "REGION_VALUE",
        (TOML, "region.year", "'next'"),
    ),
    Bad(
        "two pools of one id",
        replaced(TOML, 'id = "resident"', 'id = "employee"'),
        "REGION_VALUE",
        (TOML, "pool.id"),
    ),
    Bad(
        "unknown policy",
        replaced(TOML, "national-dip-3.0", "national-dip-9.0"),
        "POLICY_MISSING",
        ("national-dip-9.0", "national-dip-3.0"),
    ),
    Bad(
        "unknown catalogue",
        replaced(TOML, 'catalog = "catalog"', 'catalog = "ctlg"'),
        "CATALOG_MISSING",
        ("ctlg", "demonstration-3.0"),
    ),
    # budget.toml
    Bad("no budget", removed("budget.toml"), "REGION_FILE_MISSING", ("budget.toml",)),
    Bad(
        "budget is not TOML", written("budget.toml", "year 2027"), "REGION_SYNTAX", ("budget.toml", "line 1")
    ),
    Bad(
        "budget of another year",
        replaced("budget.toml", "2027", "2026"),
        "BUDGET_YEAR",
        ("budget.toml", "field year", "'2026'"),
    ),
    Bad(
        "pool without budget",
        replaced(
            TOML,
            'title = "居民医保"',
            'title = "x"\ninsutype = ["391"]\n[[pool]]\nid = "third"\ntitle = "居民"',
        ),
        "BUDGET_MISSING",
        ("small/budget.toml", "third"),
    ),
    Bad(
        "budget of a pool that is none",
        replaced("budget.toml", 'id = "employee"', 'id = "emploee"'),
        "BUDGET_POOL",
        ("budget.toml", "pool.1.id", "emploee", "employee"),
    ),
    Bad(
        "two budgets of a pool",
        replaced("budget.toml", 'id = "resident"', 'id = "employee"'),
        "BUDGET_POOL",
        ("budget.toml", "pool.2.id", "two budgets"),
    ),
    Bad(
        "negative amount",
        replaced("budget.toml", '"20000.00"', '"-1"'),
        "BUDGET_VALUE",
        ("budget.toml", "pool.1.lines.1.amount", "'-1'"),
    ),
    Bad(
        "negative fund",
        replaced("budget.toml", '"1000.00"', '"20000.01"'),
        "BUDGET_NEGATIVE",
        ("small/budget.toml", "pool employee"),
    ),
    Bad(
        "three decimals",
        replaced("budget.toml", '"1000.00"', '"1000.001"'),
        "BUDGET_VALUE",
        ("budget.toml", "pool employee, line 风险储备金", "1000.001"),
    ),
    Bad(
        "more money than there is",
        replaced("budget.toml", '"20000.00"', '"1e30"'),
        "BUDGET_VALUE",
        ("budget.toml", "预算收入"),
    ),
    Bad(
        "not a number",
        replaced("budget.toml", '"20000.00"', '"many"'),
        "BUDGET_VALUE",
        ("budget.toml", "'many'"),
    ),
    Bad(
        "infinite",
        replaced("budget.toml", '"20000.00"', "inf"),
        "BUDGET_VALUE",
        ("budget.toml", "pool.1.lines.1.amount"),
    ),
    Bad(
        "unknown key of a line",
        replaced("budget.toml", "kind =", "kin ="),
        "BUDGET_VALUE",
        ("budget.toml", "kin", "nearest is 'kind'"),
    ),
    Bad(
        "unknown kind",
        replaced("budget.toml", '"income"', '"incom"'),
        "BUDGET_VALUE",
        ("budget.toml", "'incom'"),
    ),
    Bad(
        "two lines of one name",
        replaced("budget.toml", 'name = "风险储备金"', 'name = "预算收入"'),
        "BUDGET_LINE",
        ("small/budget.toml", "pool employee, lines.name", "预算收入", "own name"),
    ),
    Bad(
        "amount and share",
        replaced("budget.toml", 'amount = "1000.00"', 'amount = "1000.00"\nshare = "0.1"'),
        "BUDGET_LINE",
        ("small/budget.toml", "pool employee, line 风险储备金", "not both"),
    ),
    Bad(
        "share above 1",
        replaced("budget.toml", 'amount = "1000.00"', 'share = "1.2"'),
        "BUDGET_VALUE",
        ("small/budget.toml", "pool employee, line 风险储备金, share", "'1.2'", "0.02"),
    ),
    Bad(
        "unknown method",
        replaced("budget.toml", 'id = "employee"', 'id = "employee"\nmethod = "shares"'),
        "BUDGET_VALUE",
        ("budget.toml", "pool.1.method", "'shares'"),
    ),
    Bad(
        "key of the method missing",
        replaced("budget.toml", 'id = "employee"', 'id = "employee"\nmethod = "growth"'),
        "BUDGET_METHOD",
        ("small/budget.toml", "pool employee, last_by_disease", "needs last_by_disease"),
    ),
    Bad(
        "lines leave less than the total",
        replaced(
            "budget.toml",
            'id = "employee"',
            'id = "employee"\nmethod = "growth"\nlast_by_disease = "19000"\ngrowth_rate = "0.01"',
        ),
        "BUDGET_TOTAL",
        ("small/budget.toml", "pool employee", "19,190.00"),
    ),
    Bad(
        "unknown key of a change",
        with_change({"form": '"by_disease"', "from": None}),
        "BUDGET_VALUE",
        ("budget.toml", "pool.1.change.1.form", "nearest is 'from'"),
    ),
    Bad(
        "change of an unknown line",
        with_change({"line": '"风险金"'}),
        "BUDGET_CHANGE",
        (
            "small/budget.toml",
            "pool employee, change 1, line",
            "风险金",
            "use one of: 预算收入, 风险储备金, by_disease",
        ),
    ),
    Bad(
        "change outside the year",
        with_change({"date": "2028-01-01"}),
        "BUDGET_CHANGE",
        ("small/budget.toml", "pool employee, change 1, date", "2028-01-01", "the year 2027"),
    ),
    Bad(
        "date that is none",
        with_change({"date": '"2027-02-30"'}),
        "BUDGET_VALUE",
        ("budget.toml", "pool.1.change.1.date", "2027-02-30"),
    ),
    Bad(
        "change of the total",
        with_change({"from": None}),
        "BUDGET_CHANGE",
        (
            "small/budget.toml",
            "pool employee, change 1, line",
            "only income can change the total",
            'from = "..."',
        ),
    ),
    Bad(
        "change of more than there is",
        with_change({"amount": '"-1000.01"', "to": '"by_disease"', "from": None}),
        "BUDGET_CHANGE",
        ("small/budget.toml", "pool employee, line 风险储备金", "-0.01 yuan"),
    ),
    # tables
    Bad("no hospitals", removed("hospitals.csv"), "TABLE_MISSING", ("hospitals.csv",)),
    Bad(
        "hospitals without rows",
        written("hospitals.csv", "fixmedins_code,fixmedins_name,level,type\n"),
        "REGION_CSV",
        ("hospitals.csv",),
    ),
    Bad(
        "hospitals without a column",
        replaced("hospitals.csv", "level", "lv"),
        "TABLE_COLUMN",
        ("hospitals.csv", "level"),
    ),
    Bad("hospital twice", replaced("hospitals.csv", "B2", "A1"), "REGION_KEY", ("hospitals.csv", "'A1'")),
    Bad(
        "hospital without code", replaced("hospitals.csv", "B2", ""), "REGION_KEY", ("hospitals.csv", "row 2")
    ),
    Bad(
        "code that is a path",
        replaced("hospitals.csv", "B2", "../B2"),
        "REGION_KEY",
        ("hospitals.csv", "row 2", "../B2"),
    ),
    Bad(
        "coefficient",
        written(
            "hospitals.csv",
            "fixmedins_code,fixmedins_name,level,type,coefficient\nA1,a,3,general,\nB2,b,2,general,1.00001\n",
        ),
        "REGION_NUMBER",
        ("hospitals.csv", "row 2", "coefficient", "1.00001"),
    ),
    Bad(
        "deduction of a hospital that is none",
        replaced("deductions.csv", "A1", "A9"),
        "REGION_KEY",
        ("deductions.csv", "'A9'", "hospitals.csv"),
    ),
    Bad(
        "deduction of a pool that is none",
        replaced("deductions.csv", "employee", "army"),
        "REGION_KEY",
        ("deductions.csv", "'army'", "employee, resident"),
    ),
    Bad(
        "month 13",
        replaced("deductions.csv", ",3,", ",13,"),
        "REGION_NUMBER",
        ("deductions.csv", "row 1", "month", "'13'"),
    ),
    Bad(
        "amount",
        replaced("deductions.csv", "100.00", "1oo"),
        "REGION_NUMBER",
        ("deductions.csv", "row 1", "amount", "'1oo'"),
    ),
    Bad(
        "amount without end",
        replaced("deductions.csv", "100.00", "inf"),
        "REGION_NUMBER",
        ("deductions.csv", "row 1", "'inf'"),
    ),
    Bad(
        "assessed twice",
        replaced("assessment.csv", "B2,0.98", "B2,0.98\nB2,0.97"),
        "REGION_KEY",
        ("assessment.csv", "'B2'"),
    ),
    Bad(
        "negative assessment",
        replaced("assessment.csv", "0.98", "-0.98"),
        "REGION_NUMBER",
        ("assessment.csv", "row 1", "'-0.98'"),
    ),
    Bad("no operation table", removed("operations.csv"), "TABLE_MISSING", ("operations.csv",)),
    # catalogue
    Bad(
        "two equal rows",
        replaced(
            "catalog/groups.csv", "K35-medical,", "K35.8:9,手术,basic,K35.8,operation,47.0100\nK35-medical,"
        ),
        "CATALOG_SAME_RULE",
        ("groups.csv", "row 4", "K35.8:47.0100"),
    ),
    Bad(
        "group twice",
        replaced("catalog/groups.csv", "K35.8:0", "E11.9:0"),
        "CATALOG_DUPLICATE_ID",
        ("groups.csv", "row 3", "E11.9:0"),
    ),
    Bad(
        "catalogue is not TOML",
        written("catalog/catalog.toml", "[catalog"),
        "CATALOG_SYNTAX",
        ("catalog.toml",),
    ),
    Bad(
        "cell that cannot be read",
        replaced("catalog/groups.csv", ",47.0100", ",47.01++"),
        "CATALOG_CELL",
        ("groups.csv", "row 1", "main_oprn"),
    ),
    Bad("no groups", removed("catalog/groups.csv"), "TABLE_MISSING", ("groups.csv",)),
]
