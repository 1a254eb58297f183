"""From the points of a stay to its yuan, recomputed from the figures of a run: docs/rules.md, sections 5 and 6."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.budget.elastic import PERIODS
from fenzhi.budget.opening import FEN_PER_POINT_VALUE
from fenzhi.money import format_e4, format_fen, round_half_up, step_of
from fenzhi.pipeline.replay import Paid, Step, cite, require
from fenzhi.pipeline.store import read_table
from fenzhi.policy.values import is_plain

_NAME = "point_value_e4 point value"


def _unit(paid: Paid) -> dict[str, Any]:
    """Return the row of the stay's pool and period in the table of values."""
    months = 12 // PERIODS[paid.policy.point_value.period]
    mine = (pl.col("pool") == paid.case["pool"]) & (pl.col("period") == (paid.case["month"] - 1) // months)
    return read_table(paid.run, "values").filter(mine).row(0, named=True)


def _fund(unit: dict[str, Any]) -> str:
    """Return what the fund has for points, as text."""
    fund = f"F {format_fen(unit['fund_fen'])}"
    return f"({fund} - D {format_fen(unit['direct_fen'])})" if unit["direct_fen"] else fund


def _money(paid: Paid, unit: dict[str, Any]) -> str:
    """Return what points may price, on the side of the total cost, as text."""
    if paid.policy.point_value.settlement == "ratio":
        return f"({_fund(unit)} / {format_e4(paid.pool['payment_ratio_e4'])})"
    return f"({_fund(unit)} + {format_fen(unit['others_fen'])})"


def _limited(paid: Paid, unit: dict[str, Any]) -> str:
    """Return which bound the value has, recomputed."""
    rules, opening, limit = paid.policy.point_value, unit["opening_value_e4"], unit["value_limit"]
    if limit in ("floor", "ceiling"):
        bound = rules.floor if limit == "floor" else rules.ceiling
        assert bound is not None
        value = round_half_up(opening * Fraction(bound), step_of(rules.decimals))
        require(_NAME, paid.case["point_value_e4"], value)
        return f"{limit}: {format_e4(opening)} x {bound}"
    if limit == "reserve":
        return f"floor {format_e4(opening)} x {rules.floor}, as far as the reserve reaches"
    if limit == "zero":
        require(_NAME, paid.case["point_value_e4"], 0)
        return "the fixed points take all that there is: 0"
    require(_NAME, paid.case["point_value_e4"], opening)
    return f"all points are fixed: opening value {format_e4(opening)}"


def _value_formula(paid: Paid) -> str:
    """Return how the settlement value follows from the fund, what bounds it, or that it is fixed."""
    pool, rules = paid.pool, paid.policy.point_value
    if pool["value_limit"] == "given":
        return "published"
    if rules.rate == "fixed":
        require(_NAME, paid.case["point_value_e4"], pool["opening_value_e4"])
        return f"fixed: opening value {format_e4(pool['opening_value_e4'])}"
    if is_plain(rules):
        return f"{_money(paid, pool)} / {format_e4(pool['points_e4'])}"
    unit = _unit(paid)
    if unit["value_limit"] is not None:
        return _limited(paid, unit)
    points, fixed = unit["points_e4"], unit["fixed_points_e4"]
    if not fixed:
        return f"{_money(paid, unit)} / {format_e4(points)}"
    firm = f"{format_e4(fixed)} x {format_e4(unit['opening_value_e4'])}"
    return f"({_money(paid, unit)} - {firm}) / {format_e4(points - fixed)}"


def _standard(paid: Paid) -> str:
    """Return the formula of the payment standard, and check that it gives that of the run."""
    case, opening = paid.case, paid.pool["opening_value_e4"] or 0
    if case["point_value_e4"] is None:
        return f"{format_e4(case['points_e4'])} x -"
    fixed = case["fixed_points_e4"] if paid.policy.point_value.rate == "elastic" else 0
    floating, value = case["points_e4"] - fixed, case["point_value_e4"]
    exact = Fraction(fixed * opening + floating * value, FEN_PER_POINT_VALUE)
    require("standard_fen payment standard", case["standard_fen"], round_half_up(exact))
    text = f"{format_e4(floating)} x {format_e4(value)}"
    return f"{format_e4(fixed)} x {format_e4(opening)} + {text}" if fixed else text


def _share_formula(paid: Paid) -> str:
    """Return how the hospital's amount falls on the stay: by points; `difference` subtracts the patients' part."""
    case, rules = paid.case, paid.policy.point_value
    minus = ""
    if rules.settlement == "difference":
        minus = f" - {format_fen(case['cost_fen'] - case['booked_fen'])}"
    if not is_plain(rules):
        ratio = f" x {format_e4(paid.pool['payment_ratio_e4'])}" if rules.settlement == "ratio" else ""
        return f"({_standard(paid)}){ratio}{minus}; fen by largest remainder"
    mine = (pl.col("fixmedins_code") == case["fixmedins_code"]) & (pl.col("pool") == case["pool"])
    hospital = read_table(paid.run, "hospitals").filter(mine).row(0, named=True)
    amount = hospital["gross_fen"] - hospital["direct_fen"]
    if rules.settlement == "difference":
        amount += hospital["others_fen"]
    return (
        f"{format_fen(amount)} x {format_e4(case['points_e4'])} / {format_e4(hospital['points_e4'])}{minus}"
    )


def value_steps(paid: Paid) -> list[Step]:
    """Return the steps of a stay that points pay from its points to the fund amount before assessment."""
    case, pool = paid.case, paid.pool
    known = "-" if case["point_value_e4"] is None else format_e4(case["point_value_e4"])
    standard = "-" if case["standard_fen"] is None else format_fen(case["standard_fen"])
    value, settlement = cite(paid.policy, "point_value"), cite(paid.policy, "settlement")
    formula = _value_formula(paid) if pool["points_e4"] and case["point_value_e4"] is not None else "-"
    amount = format_fen(case["payable_fen"])
    return [
        Step("结算点值", "settlement point value", formula, known, value),
        Step("支付标准", "payment standard", _standard(paid), standard, value),
        Step("基金应付(考核前)", "fund amount before assessment", _share_formula(paid), amount, settlement),
    ]
