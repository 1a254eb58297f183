"""Random results of two runs: stays as they might be paid, and hospitals whose amounts follow from them."""

from __future__ import annotations

from random import Random
from typing import Any

import polars as pl

from fenzhi.attribution import Side
from fenzhi.results import shape

Row = dict[str, Any]
HOSPITALS, POOLS, GROUPS = ("H1", "H2", "H3", "H4"), ("employee", "resident"), ("A", "B", "C")


def _figure(rng: Random) -> int:
    return rng.choice([0, rng.randint(0, 5), rng.randint(0, 50_000), rng.randint(0, 10**6)])


def _case(rng: Random, setl_id: str) -> Row:
    outcome = rng.choice(["grouped", "grouped", "comprehensive", "ungrouped", "bed_day", "excluded"])
    inside = outcome in ("grouped", "comprehensive")
    cost = _figure(rng)
    case: Row = {
        "setl_id": setl_id,
        "fixmedins_code": rng.choice(HOSPITALS),
        "pool": rng.choice(POOLS),
        "outcome": outcome,
        "group_id": rng.choice(GROUPS) if inside else None,
        "cost_fen": cost,
        "booked_fen": rng.randint(0, cost),
        "rw_e4": _figure(rng) if inside else None,
        "coefficient_e4": rng.choice([None, 10_000, 9_300]) if inside else None,
        "points_base_e4": _figure(rng),
        "points_e4": _figure(rng),
        "direct_fen": _figure(rng) if rng.random() < 0.15 else None,
        "payable_fen": _figure(rng) - rng.choice([0, 0, 40]),
    }
    if outcome == "excluded":
        return case | dict.fromkeys(("pool", "points_base_e4", "points_e4", "payable_fen", "direct_fen"))
    if case["direct_fen"] is not None:
        case |= {"points_e4": 0, "payable_fen": case["direct_fen"]}
    return case


def _hospitals(rng: Random, cases: list[Row], final: bool) -> list[Row]:
    rows = []
    for code in rng.sample(HOSPITALS, len(HOSPITALS)):
        for pool in POOLS:
            own = [c for c in cases if (c["fixmedins_code"], c["pool"]) == (code, pool)]
            if not own and rng.random() < 0.3:
                continue
            gross = sum(c["payable_fen"] for c in own)
            assessed, deduction = rng.choice([0, 17]), rng.choice([0, 1_000])
            row = {
                "fixmedins_code": code,
                "pool": pool,
                "level": {"H1": "3", "H2": "2", "H3": "2", "H4": None}[code],
                "gross_fen": gross,
                "assessed_fen": assessed,
                "deduction_fen": deduction,
                "payable_fen": gross - assessed - deduction,
                "clearing_fen": rng.randint(-50, 50),
            }
            if final:
                row["final_fen"] = row["payable_fen"] + rng.randint(-30, 30)
            rows.append(row)
    return rows


def draw_run(rng: Random, ids: list[str], scale: int) -> Row:
    """One run over some of these stays, as rows of its result tables."""
    cases = [_case(rng, one) for one in ids if rng.random() < 0.8]
    pools = [
        {"pool": pool, "points_e4": sum(c["points_e4"] or 0 for c in cases if c["pool"] == pool)}
        for pool in POOLS
    ]
    return {
        "cases": cases,
        "hospitals": _hospitals(rng, cases, rng.random() < 0.5),
        "pools": pools,
        "scale": scale,
        "subtracts": rng.random() < 0.5,
    }


def draw_runs(rng: Random) -> tuple[Row, Row]:
    """Two runs that share some of their stays."""
    ids = [f"S{n:02d}" for n in range(rng.randint(1, 25))]
    scale = rng.choice([1, 1, 1000])
    return draw_run(rng, ids, scale), draw_run(rng, ids, rng.choice([scale, scale, 1000]))


def side_of(run: Row) -> Side:
    """The run as the engine reads it."""
    hospitals = pl.DataFrame(run["hospitals"], infer_schema_length=None)
    extra = hospitals.select(name for name in ("final_fen",) if name in hospitals.columns)
    table = shape(hospitals.drop(extra.columns), "hospitals")
    return Side(
        cases=shape(pl.DataFrame(run["cases"], infer_schema_length=None), "cases").lazy(),
        hospitals=table if not extra.width else table.with_columns(extra.get_columns()),
        pools=shape(pl.DataFrame(run["pools"]), "pools"),
        groups=shape(pl.DataFrame({"group_id": GROUPS, "name": ["a", "b", "c"]}), "groups"),
        scale=run["scale"],
        subtracts=run["subtracts"],
    )
