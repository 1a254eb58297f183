"""A region of two hospitals and one pool; every amount is worked out in the tests that use it.

Points 10 + 5 + 1 = 16 at H1, 4 at H2. Cost 2,000.00, booked 1,200.00: ratio 0.6.
Fund 1,500.00 - 200.00 - 99.99 = 1,200.01.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
from worked import policy

from fenzhi.budget import Budget, fixed_points, price, with_direct
from fenzhi.policy.models import Policy
from fenzhi.settlement import YearInputs
from fenzhi.settlement.settle import Settled, settle

STAY = {
    "setl_id": pl.String,
    "fixmedins_code": pl.String,
    "pool": pl.String,
    "month": pl.Int8,
    "outcome": pl.String,
    "grassroots": pl.Boolean,
    "cost_fen": pl.Int64,
    "booked_fen": pl.Int64,
    "rw_e4": pl.Int64,
    "points_e4": pl.Int64,
}
STAYS = [
    ("S1", "H1", "E", 1, "grouped", False, 100_000, 60_000, 80_000, 100_000),
    ("S2", "H1", "E", 1, "comprehensive", False, 50_000, 30_000, 50_000, 50_000),
    ("S3", "H1", "E", 3, "ungrouped", False, 10_000, 10_000, None, 10_000),
    ("S4", "H2", "E", 2, "grouped", True, 40_000, 20_000, 40_000, 40_000),
]
LINES = [
    {"name": "inpatient", "kind": "income", "amount": "1500"},
    {"name": "out of region", "kind": "carve_out", "amount": "200", "cite": "a letter"},
    {"name": "risk", "kind": "reserve", "amount": "99.99"},
]
DEDUCTION = {
    "fixmedins_code": pl.String,
    "pool": pl.String,
    "month": pl.Int8,
    "deduction_fen": pl.Int64,
    "kind": pl.String,
}
ADVANCE = {"fixmedins_code": pl.String, "pool": pl.String, "month": pl.Int8, "advance_fen": pl.Int64}
LAST = {"fixmedins_code": pl.String, "pool": pl.String, "last_points_e4": pl.Int64}
BOOKED = {"fixmedins_code": pl.String, "pool": pl.String, "booked_fen": pl.Int64}
ASSESSED = {"fixmedins_code": pl.String, "assessment_e4": pl.Int64}


def scored(rows: list[tuple[Any, ...]] | None = None) -> pl.DataFrame:
    frame = with_direct(pl.DataFrame(STAYS if rows is None else rows, schema=STAY, orient="row"))
    return frame.with_columns(pl.lit(None, pl.String).alias("group_id"))


def budget(lines: list[dict[str, str]] | None = None, pools: tuple[str, ...] = ("E",)) -> Budget:
    entries = [{"id": pool, "lines": lines or LINES} for pool in pools]
    return Budget.model_validate({"year": 2027, "pool": entries})


def fund(yuan: str) -> list[dict[str, str]]:
    """Return the one line that leaves this fund."""
    return [{"name": "fund", "kind": "income", "amount": yuan}]


def inputs(*codes: str, pools: tuple[str, ...] = ("E",), **changed: pl.DataFrame) -> YearInputs:
    """Return yearly inputs of these hospitals (H1, H2 unless given) without any movement, ``changed`` laid over."""
    accounts = [(code, pool) for code in codes or ("H1", "H2") for pool in pools]
    made = YearInputs(
        year=2027,
        accounts=pl.DataFrame(accounts, schema=["fixmedins_code", "pool"], orient="row"),
        last_booked=pl.DataFrame(schema=BOOKED),
        assessment=pl.DataFrame(schema=ASSESSED),
        deductions=pl.DataFrame(schema=DEDUCTION),
    )
    return replace(made, **changed)


def table(schema: dict[str, Any], *rows: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def opening(value_e4: int | None = 900_000, pools: tuple[str, ...] = ("E",)) -> pl.DataFrame:
    return pl.DataFrame(
        {"pool": list(pools), "opening_value_e4": [value_e4] * len(pools)},
        schema={"pool": pl.String, "opening_value_e4": pl.Int64},
    )


def settled(
    *,
    rows: list[tuple[Any, ...]] | None = None,
    lines: list[dict[str, str]] | None = None,
    year: YearInputs | None = None,
    rules: Policy | None = None,
    value_e4: int | None = 900_000,
    pools: tuple[str, ...] = ("E",),
) -> Settled:
    """Price and settle the tiny region, parts of it changed."""
    rules = rules or policy()
    stays, money = with_fixed(scored(rows), rules), budget(lines, pools)
    priced = price(stays, money, opening(value_e4, pools), rules.point_value)
    return settle(stays, priced, money, rules, year or inputs(pools=pools))


def with_fixed(stays: pl.DataFrame, rules: Policy, last: pl.DataFrame | None = None) -> pl.DataFrame:
    """Add the fixed points and the period of each stay."""
    last = last if last is not None else pl.DataFrame(schema=LAST)
    return fixed_points(stays, rules.point_value, last)


def by(frame: pl.DataFrame, column: str, key: str = "fixmedins_code") -> dict[str, Any]:
    """Return one column of a table by key."""
    return dict(frame.select(key, column).iter_rows())
