"""Settlement of hospitals, stays and months (docs/rules.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, number, split
from twins.values import payment_ratio
from twins.weights import RefusedError


def total(rows: Sequence[Row], column: str) -> int:
    """Sum of a column."""
    return sum(row[column] for row in rows)


def own_payments(rows: Sequence[Row]) -> int:
    """What patients and other payers paid: cost - booked."""
    return total(rows, "cost_fen") - total(rows, "booked_fen")


def pay_directly(stays: Sequence[Row], fund_fen: int, rules: Mapping[str, Any]) -> int:
    """Give every stay of a pool its direct_fen (None: points pay it) and return their sum."""
    ratio = payment_ratio(total(stays, "cost_fen"), total(stays, "booked_fen"))
    for stay in stays:
        share = stay.get("directly")
        stay["direct_fen"] = None if share is None else max(0, half_up(stay["cost_fen"] * ratio * share))
    paid = sum(stay["direct_fen"] or 0 for stay in stays)
    if paid > fund_fen and rules["point_value"]["rate"] != "fixed":
        raise RefusedError("directly")
    return paid


def settle_pool(
    stays: Sequence[Row], fund_fen: int, value_e4: int | None, rules: Mapping[str, Any]
) -> dict[str, Any]:
    """Amounts before assessment of one pool's hospitals and stays, and what is left of the fund."""
    difference = rules["point_value"]["settlement"] == "difference"
    codes = sorted({stay["fixmedins_code"] for stay in stays})
    all_of = {code: [stay for stay in stays if stay["fixmedins_code"] == code] for code in codes}
    direct = {code: sum(stay.get("direct_fen") or 0 for stay in all_of[code]) for code in codes}
    of = {code: [stay for stay in all_of[code] if stay.get("direct_fen") is None] for code in codes}
    points = {code: total(of[code], "points_e4") for code in codes}
    other = {code: own_payments(of[code]) if difference else 0 for code in codes}
    paid: dict[Any, int] = {stay["setl_id"]: stay.get("direct_fen") or 0 for stay in stays}
    if value_e4 is None:
        return {"gross": direct, "stays": paid, "residual": fund_fen - sum(direct.values())}
    if rules["settlement"]["residual"] == "apportion":
        amounts = split(fund_fen - sum(direct.values()) + sum(other.values()), points)
    else:
        ratio = Fraction(1)
        if not difference:
            ratio = payment_ratio(total(stays, "cost_fen"), total(stays, "booked_fen"))
        # points and value both at 1/10,000, yuan to fen
        amounts = {code: half_up(Fraction(points[code] * value_e4, E4 * E4) * 100 * ratio) for code in codes}
    for code in codes:
        parts = split(amounts[code], {stay["setl_id"]: stay["points_e4"] for stay in of[code]})
        for stay in of[code]:
            own = stay["cost_fen"] - stay["booked_fen"] if difference else 0
            paid[stay["setl_id"]] = parts[stay["setl_id"]] - own
    gross = {code: amounts[code] - other[code] + direct[code] for code in codes}
    return {"gross": gross, "stays": paid, "residual": fund_fen - sum(gross.values())}


def withheld(gross_fen: int, assessment_e4: int) -> int:
    """What assessment keeps back; nothing of a negative amount."""
    return 0 if gross_fen < 0 else gross_fen - half_up(Fraction(gross_fen * assessment_e4, E4))


def month_of(
    stays: Sequence[Row], opening_e4: int | None, deduction_fen: int, rules: Mapping[str, Any]
) -> dict[str, int]:
    """Due and advance of one hospital's month in a pool."""
    points = total(stays, "points_e4")
    earned = half_up(Fraction(points * (opening_e4 or 0), E4 * E4) * 100)
    by_points = [stay for stay in stays if stay.get("direct_fen") is None]
    due = earned - own_payments(by_points) + sum(stay.get("direct_fen") or 0 for stay in stays)
    advance = half_up(due * number(rules["settlement"]["advance_ratio"])) - deduction_fen
    return {
        "cases": len(stays),
        "points_e4": points,
        "cost_fen": total(stays, "cost_fen"),
        "booked_fen": total(stays, "booked_fen"),
        "due_fen": due,
        "deduction_fen": deduction_fen,
        "advance_fen": max(0, advance),
    }


def working_capital(booked_newest_fen: int, rules: Mapping[str, Any]) -> int:
    """Lent at the start of the year: so many twelfths of the newest history year's booked amount."""
    return half_up(Fraction(booked_newest_fen, 12) * number(rules["settlement"]["working_capital_months"]))
