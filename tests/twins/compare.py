"""Two runs beside each other, from section 7 of the rules: plain Python, fractions, one rounding a step."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise
from typing import Any

from twins.exact import half_up

Row = dict[str, Any]
NOTHING = {"n": 0, "w": 0, "b": 0, "p": 0, "a": 0, "patients": 0, "direct": 0}
STAY = ("volume", "case_mix", "coefficient", "deviation", "price", "patients", "direct")
PAID = ("grouped", "comprehensive", "ungrouped", "bed_day")


def parts_of(case: Row, subtracts: bool, priced_pools: set[str]) -> Row:
    """n, w, b, p, a of a stay, what others paid of it, what the fund pays directly."""
    if case["direct_fen"] is not None:
        return NOTHING | {"direct": case["payable_fen"]}
    base = case["points_base_e4"] or 0
    follows = case["rw_e4"] is not None and case["coefficient_e4"] is not None
    others = case["cost_fen"] - case["booked_fen"] if subtracts and case["pool"] in priced_pools else 0
    return {
        "n": 1,
        "w": case["rw_e4"] if follows else base,
        "b": base,
        "p": case["points_e4"],
        "a": case["payable_fen"] + others,
        "patients": others,
        "direct": 0,
    }


def split(before: Row, after: Row, scales: tuple[int, int]) -> Row:
    """Cause -> fen; they add up to the difference of the amounts."""
    steps = [after["a"]]
    for name in ("p", "b", "w", "n"):
        old, new = Fraction(before[name]), Fraction(after[name])
        if name != "n":
            old, new = old / scales[0], new / scales[1]
        steps.insert(0, half_up(before["a"] * new / old) if old else steps[0])
    steps.insert(0, before["a"])
    causes = dict(zip(STAY, (b - a for a, b in pairwise(steps)), strict=False))
    return causes | {
        "patients": before["patients"] - after["patients"],
        "direct": after["direct"] - before["direct"],
    }


def added(rows: Iterable[Row]) -> Row:
    """The sums of rows."""
    total: Row = {}
    for row in rows:
        for name, value in row.items():
            total[name] = total.get(name, 0) + value
    return total


def _parts(run: Row) -> dict[tuple[str, str, str], Row]:
    priced = {pool["pool"] for pool in run["pools"] if pool["points_e4"] > 0}
    return {
        (case["setl_id"], case["fixmedins_code"], case["pool"]): parts_of(case, run["subtracts"], priced)
        for case in run["cases"]
        if case["outcome"] in PAID and case["pool"] is not None
    }


def accounts(before: Row, after: Row, by_stays: bool) -> dict[tuple[str, str], Row]:
    """Hospital and pool -> cause -> fen, with before, after and difference of the final amount.

    A run: cases, hospitals, pools (rows of the result tables), scale, subtracts.
    """
    parts = _parts(before), _parts(after)
    scales = before["scale"], after["scale"]
    lines = [{(h["fixmedins_code"], h["pool"]): h for h in run["hospitals"]} for run in (before, after)]
    found = {}
    for key in lines[0].keys() | lines[1].keys():
        mine = [{k: v for k, v in side.items() if k[1:] == key} for side in parts]
        if by_stays:
            stays = mine[0].keys() | mine[1].keys()
            causes = added(
                split(mine[0].get(k, NOTHING), mine[1].get(k, NOTHING), scales) for k in stays
            ) or dict.fromkeys(STAY, 0)
        else:
            causes = split(*(NOTHING | added(side.values()) for side in mine), scales)
        none = dict.fromkeys(("gross_fen", "assessed_fen", "deduction_fen", "payable_fen"), 0)
        old, new = (side.get(key, none) for side in lines)
        final = [line.get("final_fen", line["payable_fen"]) for line in (old, new)]
        between = [
            end - line["gross_fen"] + line["assessed_fen"] + line["deduction_fen"]
            for end, line in zip(final, (old, new), strict=True)
        ]
        found[key] = causes | {
            "assessment": old["assessed_fen"] - new["assessed_fen"],
            "deduction": old["deduction_fen"] - new["deduction_fen"],
            "sharing": between[1] - between[0],
            "before": final[0],
            "after": final[1],
            "difference": final[1] - final[0],
        }
    return found
