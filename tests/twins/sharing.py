"""Surplus kept and overrun shared, deposit, quarterly clearing (docs/rules.md, section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from twins.codes import Row
from twins.exact import half_up, number, split


def inside(tier: Row, x: Fraction, first: bool) -> bool:
    """Whether x lies in a tier; the first one includes its lower end."""
    low, high = number(tier["above"]), None if tier["upto"] is None else number(tier["upto"])
    over = x > low or (x == low and (first or tier["above_included"]))
    return over and (high is None or x < high or (x == high and tier["upto_included"]))


def shared(tiers: Sequence[Row], payable: int, booked: int) -> int:
    """The part of the difference that the tiers share."""
    x = Fraction(booked, payable)
    place = next(n for n, tier in enumerate(tiers) if inside(tier, x, n == 0))
    if tiers[place]["base"] == "whole":
        return half_up(abs(payable - booked) * number(tiers[place]["share"]))
    found = Fraction(0)
    for tier in tiers:
        low = max(number(tier["above"]), min(x, Fraction(1)))
        high = max(x, Fraction(1))
        if tier["upto"] is not None:
            high = min(high, number(tier["upto"]))
        if high > low:
            found += (high - low) * number(tier["share"])
    return half_up(found * payable)


def share_pool(lines: Mapping[str, Row], reserve_fen: int, rules: Mapping[str, Any]) -> None:
    """Add shared_fen, short_fen and final_fen to the lines of a pool's hospitals.

    ``reserve_fen``: of the budget, plus what point values left.
    """
    settings = rules["sharing"] or {"surplus": [], "overrun": []}
    holds, asked = reserve_fen, {}
    for code, line in lines.items():
        line["shared_fen"] = 0
        payable, booked = line["payable_fen"], line["booked_fen"]
        holds += line["assessed_fen"] + line["deduction_fen"] - line["fine_fen"]
        if payable > 0 and 0 <= booked < payable and settings["surplus"]:
            line["shared_fen"] = shared(settings["surplus"], payable, booked) - (payable - booked)
            holds -= line["shared_fen"]
        if 0 < payable < booked and settings["overrun"]:
            asked[code] = shared(settings["overrun"], payable, booked)
    given = dict(asked) if sum(asked.values()) <= max(0, holds) else split(max(0, holds), asked)
    for code, line in lines.items():
        if code in asked:
            line["shared_fen"] = given[code]
        line["short_fen"] = asked.get(code, 0) - given.get(code, 0)
        line["final_fen"] = line["payable_fen"] + line["shared_fen"]


def quarters(months: Mapping[int, Row], rules: Mapping[str, Any]) -> None:
    """Add quarter_fen to the twelve months of one hospital and pool."""
    for number_, month in months.items():
        month["quarter_fen"] = 0
        if rules["settlement"]["clearing"] == "quarter" and number_ % 3 == 0:
            three = [months[n] for n in (number_ - 2, number_ - 1, number_)]
            open_ = sum(
                one["due_fen"] - one["advance_fen"] - one["deposit_fen"] - one["deduction_fen"]
                for one in three
            )
            month["quarter_fen"] = max(0, open_)


def released(deposit_fen: int, assessment_e4: int, rules: Mapping[str, Any]) -> int:
    """What of the deposit a hospital gets back."""
    if rules["settlement"]["deposit_release"] == "full":
        return deposit_fen
    return half_up(Fraction(deposit_fen * min(assessment_e4, 10_000), 10_000))
