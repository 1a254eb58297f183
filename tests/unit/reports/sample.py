"""A small made-up run whose tables agree to the fen: 3 hospitals, 2 pools, 12 months, about 200 stays.

Everything is built from the case table by plain integer arithmetic; no code is shared with the reports.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.money import apportion
from fenzhi.results import TABLES, shape

HOSTILE = "<script>alert('医院')</script>&医院"
HOSPITALS = {
    "H36040000001": ("示范市第一人民医院", "3", "general", 10_800, 9_850),
    "H36040000002": ("示范县中医医院", "2", "tcm", 9_700, 10_000),
    "H36040000003": (HOSTILE, "1", "general", 8_300, 10_000),
}
POOLS = {"employee": ("职工医保", "310", 9_700), "resident": ("居民医保", "390", 10_200)}
GROUPS = [
    ("JC-I10", "原发性高血压", "basic", True, 4_200_000),
    ("JC-I63", "脑梗死,内科", "basic", False, 9_800_000),
    ("JC-K35", "急性阑尾炎,腹腔镜切除", "basic", False, 11_500_000),
    ("FZ-Z51", "恶性肿瘤化学治疗", "assisted", False, 8_100_000),
    ("BX-I25", "冠心病,支架置入", "merged", False, 36_500_000),
    ("J44-1", "慢性阻塞性肺疾病,内科诊疗组", "comprehensive", False, 7_300_000),
    ("M51-4", "椎间盘疾患,相关手术组", "comprehensive", False, 24_000_000),
]
# DIP group -> DRG group: code, name, type, chapter, ADRG.
DRG = {
    "JC-I10": ("FV29", "高血压", "medical", "MDCF", "FV2"),
    "JC-I63": ("BR21", "脑缺血,伴严重合并症", "medical", "MDCB", "BR2"),
    "JC-K35": ("GD29", "阑尾切除", "surgical", "MDCG", "GD2"),
    "FZ-Z51": ("RE19", "肿瘤化学治疗", "medical", "MDCR", "RE1"),
    "BX-I25": ("FM19", "经皮冠状动脉支架置入", "procedure", "MDCF", "FM1"),
    "J44-1": ("ES29", "慢性气道阻塞病", "medical", "MDCE", "ES2"),
    "M51-4": ("IB29", "脊柱手术", "surgical", "MDCI", "IB2"),
}
CHAPTERS = {
    "B": "神经系统",
    "E": "呼吸系统",
    "F": "循环系统",
    "G": "消化系统",
    "I": "肌肉骨骼",
    "R": "骨髓增生与肿瘤",
}
DEPARTMENTS = ("A03", "A04", "A03", None)
BED_DAY_E4 = 90_000
DEDUCTIONS = {("H36040000001", "employee", 3): 123_45, ("H36040000002", "resident", 7): 80_000}
OPENING = 6_1000
WORKING_CAPITAL = {"employee": 900_000, "resident": 700_000}


def _case(rng: random.Random, at: int) -> dict[str, Any]:
    code = rng.choices(list(HOSPITALS), weights=[6, 3, 2])[0]
    pool = rng.choices([*POOLS, None], weights=[4, 6, 0.4])[0]
    row: dict[str, Any] = {
        "setl_id": f"S{at:06d}",
        "source_file": "records/stays.parquet",
        "source_row": at + 1,
        "fixmedins_code": code,
        "insutype": POOLS[pool][1] if pool else None,
        "pool": pool,
        "month": at % 12 + 1,
        "act_ipt_days": rng.randint(1, 21),
        "dscg_caty": DEPARTMENTS[at % len(DEPARTMENTS)],
    }
    group_id, _, layer, grass, rw = rng.choice(GROUPS)
    coefficient = 10_000 if grass else HOSPITALS[code][3]
    ratio = rng.choice([0.3, 0.8, 0.9, 1.0, 1.05, 1.2, 1.4, 2.6])
    cost = int(rw * coefficient / 10_000 * 6 * ratio / 100) + rng.randint(0, 99)
    booked = 0 if pool is None else cost * POOLS[pool][2] // 13_000
    row |= {"medfee_sumamt_fen": cost + 1_000, "cost_fen": cost, "booked_fen": booked}
    kind = rng.random()
    if kind < 0.03:
        return row | {"outcome": "excluded", "reason": "los_too_long"}
    if kind < 0.06:
        return row | {"outcome": "other_track", "reason": "bed_day"}
    if kind < 0.11:
        row |= {
            "outcome": "ungrouped",
            "reason": rng.choice(["no_group", "excluded_diagnosis"]),
            "scheme": "dip",
        }
        return row if pool is None else row | {"points_base_e4": cost * 7, "points_e4": cost * 7}
    outcome = "comprehensive" if layer == "comprehensive" else "grouped"
    row |= {
        "outcome": outcome,
        "scheme": "dip",
        "layer": layer,
        "group_id": group_id,
        "status": "in",
        "rw_e4": rw,
    }
    if pool is None:
        return row
    base = rw * coefficient // 10_000
    deviation = "low" if ratio < 0.5 else "high" if ratio > 2 else "normal"
    points = base * 3 // 10 if deviation == "low" else base
    return row | {
        "coefficient_e4": coefficient,
        "auxiliary_e4": 10_000,
        "points_base_e4": base,
        "deviation": deviation,
        "reference_fen": int(cost / ratio),
        "points_e4": points,
    }


def _as_drg(case: dict[str, Any]) -> dict[str, Any]:
    """The same stay in a DRG region: bed-day stays are paid inside, some stays are unstable, incomplete, readmitted."""
    group = DRG.get(case.get("group_id", ""))
    case |= {"scheme": "drg", "mdc": "0000", "adrg": "00"}
    if case["outcome"] == "other_track" and case["pool"]:
        points = BED_DAY_E4 * case["act_ipt_days"]
        return case | {"outcome": "bed_day", "reason": None, "points_base_e4": points, "points_e4": points}
    if case["outcome"] == "ungrouped":
        case["reason"] = {"no_group": "no_mdc", "excluded_diagnosis": "sex_against_chapter"}[case["reason"]]
    if group is None:
        return case
    code, _, layer, mdc, adrg = group
    case |= {"outcome": "grouped", "group_id": code, "layer": layer, "mdc": mdc, "adrg": adrg}
    if case["pool"] and case["source_row"] % 9 == 0:
        case |= {"deviation": "incomplete" if case["source_row"] % 2 else "unstable"}
    if case["pool"] and case["source_row"] % 11 == 0:
        case["readmitted_days"] = 4
    return case


def _paid(cases: list[dict[str, Any]], **keys: object) -> list[dict[str, Any]]:
    return [c for c in cases if c.get("points_e4") is not None and all(c[k] == v for k, v in keys.items())]


def _sum(cases: list[dict[str, Any]], column: str) -> int:
    return sum(c[column] for c in cases)


def _price(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the paid cases their payable amount and return the rows of ``pools`` without the assessment."""
    pools = []
    for pool, (title, _, _) in POOLS.items():
        mine = _paid(cases, pool=pool)
        cost, booked, points = (_sum(mine, c) for c in ("cost_fen", "booked_fen", "points_e4"))
        fund = booked * 97 // 100
        ratio = (booked * 20_000 + cost) // (2 * cost)
        value = (fund * 10**10 * 2 + points * ratio) // (2 * points * ratio)
        for case, payable in zip(mine, apportion(fund, [c["points_e4"] for c in mine]), strict=True):
            standard = (case["points_e4"] * value + 500_000) // 1_000_000
            case |= {"point_value_e4": value, "payable_fen": payable, "standard_fen": standard}
        pools.append(
            {
                "pool": pool,
                "title": title,
                "cases": len(mine),
                "cost_fen": cost,
                "booked_fen": booked,
                "points_e4": points,
                "income_fen": fund + fund // 20 + fund // 50,
                "carved_out_fen": fund // 20,
                "reserve_fen": fund // 50,
                "outside_care_fen": 0,
                "fund_fen": fund,
                "payment_ratio_e4": ratio,
                "opening_value_e4": OPENING,
                "settlement_value_e4": value,
                "others_fen": cost - booked,
                "gross_fen": fund,
                "residual_fen": 0,
            }
        )
    return pools


def _months(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for code in HOSPITALS:
        for pool in POOLS:
            for month in range(1, 13):
                mine = _paid(cases, fixmedins_code=code, pool=pool, month=month)
                due = _sum(mine, "points_e4") * OPENING * 7_000 // 10**10
                deduction = DEDUCTIONS.get((code, pool, month), 0)
                rows.append(
                    {
                        "fixmedins_code": code,
                        "pool": pool,
                        "month": month,
                        "cases": len(mine),
                        "points_e4": _sum(mine, "points_e4"),
                        "cost_fen": _sum(mine, "cost_fen"),
                        "booked_fen": _sum(mine, "booked_fen"),
                        "point_value_e4": OPENING,
                        "due_fen": due,
                        "deduction_fen": deduction,
                        "advance_fen": due * 9 // 10 - deduction,
                    }
                )
    return rows


def _hospitals(
    cases: list[dict[str, Any]], months: list[dict[str, Any]], values: dict[str, int]
) -> list[dict[str, Any]]:
    grass = {code for group_id, _, _, flag, _ in GROUPS if flag for code in (group_id, DRG[group_id][0])}
    rows = []
    for code, (name, level, kind, coefficient, assessment) in HOSPITALS.items():
        for pool in POOLS:
            mine = _paid(cases, fixmedins_code=code, pool=pool)
            of_kind = {
                "comprehensive": [c for c in mine if c["outcome"] == "comprehensive"],
                "grassroots": [c for c in mine if c.get("group_id") in grass],
                "ungrouped": [c for c in mine if c["outcome"] == "ungrouped"],
                "bed_day": [c for c in mine if c["outcome"] == "bed_day"],
                "core": [c for c in mine if c["outcome"] == "grouped" and c["group_id"] not in grass],
            }
            gross, booked = _sum(mine, "payable_fen"), _sum(mine, "booked_fen")
            assessed = gross - gross * assessment // 10_000
            deduction = sum(v for (c, p, _), v in DEDUCTIONS.items() if (c, p) == (code, pool))
            advance = sum(
                m["advance_fen"] for m in months if (m["fixmedins_code"], m["pool"]) == (code, pool)
            )
            payable = gross - assessed - deduction
            rows.append(
                {
                    "fixmedins_code": code,
                    "fixmedins_name": name,
                    "level": level,
                    "type": kind,
                    "pool": pool,
                    "coefficient_e4": coefficient,
                    "cases": len(mine),
                    "grouped_cases": len(of_kind["core"]) + len(of_kind["grassroots"]),
                    "comprehensive_cases": len(of_kind["comprehensive"]),
                    "ungrouped_cases": len(of_kind["ungrouped"]),
                    "bed_day_cases": len(of_kind["bed_day"]),
                    "cost_fen": _sum(mine, "cost_fen"),
                    "booked_fen": booked,
                    "others_fen": _sum(mine, "cost_fen") - booked,
                    **{f"points_{kind}_e4": _sum(rows_, "points_e4") for kind, rows_ in of_kind.items()},
                    "points_e4": _sum(mine, "points_e4"),
                    "cmi_e4": _sum(mine, "points_e4") // 1_000 // max(len(mine), 1),
                    "point_value_e4": values[pool],
                    "gross_fen": gross,
                    "assessment_e4": assessment,
                    "assessed_fen": assessed,
                    "deduction_fen": deduction,
                    "payable_fen": payable,
                    "balance_fen": payable - booked,
                    "final_fen": payable,
                    "working_capital_fen": WORKING_CAPITAL[pool],
                    "advance_fen": advance,
                    "clearing_fen": payable - WORKING_CAPITAL[pool] - advance,
                }
            )
    return rows


def _groups(cases: list[dict[str, Any]], drg: bool) -> list[dict[str, Any]]:
    rows = []
    for group_id, name, layer, grass, rw in GROUPS:
        if drg:
            group_id, name, layer, mdc, adrg = DRG[group_id]
        mine = [c for c in _paid(cases) if c.get("group_id") == group_id]
        rows.append(
            {"group_id": group_id, "name": name, "layer": layer, "grassroots": grass, "history_cases": 600}
            | ({"mdc": mdc, "adrg": adrg} if drg else {})
            | {
                "mean_cost_fen": rw * 6 // 100,
                "cv": 0.53,
                "trimmed_cases": 30,
                "rw_e4": rw,
                "cases": len(mine),
            }
            | {c: _sum(mine, c) for c in ("cost_fen", "points_e4", "payable_fen", "booked_fen")}
        )
    return rows


def _rejected() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return rejected cases and the rows of the table ``rejected`` (a row breaks two rules, one warns)."""
    cases, rejected = [], []
    broken = [
        ("H36040000001", ["age_range", "sex_unknown"]),
        ("H36040000001", ["no_principal"]),
        ("H99", ["no_hospital"]),
    ]
    for at, (code, rules) in enumerate(broken):
        where = {
            "setl_id": f"R{at}",
            "source_file": "records/bad.csv",
            "source_row": at + 1,
            "fixmedins_code": code,
        }
        cases.append(where | {"outcome": "rejected", "reason": rules[0]})
        for rule in rules:
            rejected.append(
                where
                | {
                    "rule": rule,
                    "severity": "error",
                    "field": "age",
                    "value": "=1+1",
                    "message": f"{rule} 不合规",
                }
            )
    rejected.append(
        rejected[0] | {"source_row": 99, "rule": "payers_sum", "severity": "warning", "setl_id": "S000001"}
    )
    return cases, rejected


def budget_lines(pool: dict[str, Any], changed: int) -> list[dict[str, Any]]:
    """The budget of a pool; ``changed`` fen went from the reserve to care elsewhere within the year."""
    left, rows = 0, []
    for at, (name, kind, column, more) in enumerate(
        [
            ("年度基金收入", "income", "income_fen", 0),
            ("异地就医", "out_of_region", "carved_out_fen", changed),
            ("风险储备金", "reserve", "reserve_fen", -changed),
            ("by_disease", "by_disease", "fund_fen", 0),
        ],
        start=1,
    ):
        fen = pool[column]
        left += fen if kind == "income" else -fen
        fens = {"planned_fen": fen - more, "changed_fen": more, "amount_fen": fen, "left_fen": left}
        said = {"line": name, "kind": kind, "title": name, "cite": "示范预算"}
        rows.append({"pool": pool["pool"], "order": at, **said, **fens, "share": fen / pool["income_fen"]})
    return rows


CHANGE = {"date": "2027-07-01", "line": "异地就医", "other": "风险储备金", "amount_fen": 100}
CHANGE |= {"reason": "异地就医<b>增加</b>", "cite": "示范文件"}


def manifest(pools: list[dict[str, Any]], cases: int) -> dict[str, Any]:
    budget = [
        {"pool": pool["pool"], "method": method, "last_by_disease_fen": 900_000, "last_total_fen": None}
        | {"growth_rate": "-0.0250", "changes": changes}
        for pool, method, changes in zip(pools, ("items", "growth"), ([CHANGE], []), strict=True)
    ]
    return {
        "run_id": "sample-0001",
        "created": "2028-01-20T09:00:00",
        "region": {"id": "sample", "name": "示范统筹区", "year": 2027, "synthetic": True},
        "policy": {
            "id": "national-dip-3.0",
            "title": "国家 DIP 3.0 规则",
            "title_en": "National DIP rules 3.0",
            "bands": [{"name": "high", "title": "费用过高(特例单议)"}, {"name": "normal", "title": ""}],
            "settlement_method": "ratio",
            "sections": {
                "deviation": {"cite": "DIP 3.0 技术规范(征求意见稿)", "confidence": "published article"},
                "settlement": {"cite": "经办管理规程(2025版)", "confidence": "official"},
            },
        },
        "catalog": {"id": "demonstration-3.0", "title": "示范目录", "version": "3.0"},
        "versions": {"fenzhi": "0.1.0"},
        "counts": {"cases": cases},
        "budget": budget,
    }


def build(
    seed: int = 7,
    size: int = 200,
    *,
    drg: bool = False,
    keep: Callable[[dict[str, Any]], bool] = lambda case: True,
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Return the result tables and the manifest of the made-up run; weights of 1,000 mean the average stay.

    ``keep``: which of the drawn stays there are.
    """
    rng = random.Random(seed)
    cases = [case for case in (_case(rng, at) for at in range(size)) if keep(case)]
    if drg:
        cases = [_as_drg(case) for case in cases]
    pools = _price(cases)
    months = _months(cases)
    hospitals = _hospitals(cases, months, {p["pool"]: p["settlement_value_e4"] for p in pools})
    for pool in pools:
        mine = [h for h in hospitals if h["pool"] == pool["pool"]]
        pool["payable_fen"] = _sum(mine, "payable_fen")
        pool["returned_fen"] = pool["gross_fen"] - pool["payable_fen"]
        pool["final_fen"], pool["clearing_fen"] = pool["payable_fen"], _sum(mine, "clearing_fen")
        pool["reserve_left_fen"] = pool["reserve_fen"] + pool["returned_fen"]
    bad, rejected = _rejected()
    ledger = [
        {
            "period": "2027",
            "pool": p["pool"],
            "debit": f"by_disease:{p['pool']}",
            "credit": f"fund:{p['pool']}",
        }
        | {"amount_fen": p["fund_fen"], "kind": "by_disease_fund", "cite": "=budget"}
        for p in pools
    ] + [
        {
            "period": "2027-13",
            "pool": h["pool"],
            "fixmedins_code": h["fixmedins_code"],
            "kind": "gross_payable",
        }
        | {"debit": f"hospital:{h['fixmedins_code']}:{h['pool']}", "credit": f"by_disease:{h['pool']}"}
        | {"amount_fen": h["gross_fen"], "cite": "示范"}
        for h in hospitals
    ]
    ledger = [entry | {"entry": n} for n, entry in enumerate(ledger, 1)]
    monitoring = [
        {
            "fixmedins_code": code,
            "cases": 60,
            "grouping_rate": 0.95,
            "core_share": 0.7,
            "low_share": 0.1,
            "high_share": 0.05,
        }
        | {"cmi": 1.1, "time_index": 0.98, "cost_index": 1.02}
        for code in HOSPITALS
    ]
    rows = {
        "cases": cases + bad,
        "groups": _groups(cases, drg),
        "hospitals": hospitals,
        "months": months,
        "pools": pools,
        "budget": [row for pool, fen in zip(pools, (100, 0), strict=True) for row in budget_lines(pool, fen)],
        "ledger": ledger,
        "rejected": rejected,
        "monitoring": monitoring,
    }
    frames = {}
    for table, lines in rows.items():
        known = {c.name: c.dtype for c in TABLES[table] if any(c.name in line for line in lines)}
        full = [{name: line.get(name) for name in known} for line in lines]
        frames[table] = shape(pl.DataFrame(full, schema=known, orient="row"), table)
    about = manifest(pools, len(cases) + len(bad))
    if drg:
        about["policy"]["scale"] = 1_000
        about["catalog"]["chapters"] = CHAPTERS
    return frames, about


def write(run_dir: Path, frames: dict[str, pl.DataFrame], about: dict[str, Any]) -> Path:
    """Write a run to disk as the pipeline does."""
    run_dir.mkdir(parents=True, exist_ok=True)
    for table, frame in frames.items():
        frame.write_parquet(run_dir / f"{table}.parquet")
    (run_dir / "manifest.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")
    return run_dir
