"""Settlement of hospitals, stays and months (docs/rules.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, number
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
        "deposit_fen": max(0, half_up(due * number(rules["settlement"]["deposit_ratio"]))),
    }


def working_capital(booked_newest_fen: int, rules: Mapping[str, Any]) -> int:
    """Lent at the start of the year: so many twelfths of the newest history year's booked amount."""
    return half_up(Fraction(booked_newest_fen, 12) * number(rules["settlement"]["working_capital_months"]))
