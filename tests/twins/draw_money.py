"""Random rules on point values, sharing and settlement."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

from twins.codes import Row
from twins.draw import chance, some


def share(rng: Random) -> str:
    """A share between 0 and 1 as text."""
    return rng.choice(["0", "0.5", "0.7", "0.8", "1", f"0.{rng.randint(0, 9999):04d}"])


def value_rules(rng: Random, rate: str) -> Row:
    """How points are priced."""
    elastic: Row | None = None
    if rate == "elastic":
        form = rng.choice(["base_volume", "base_volume", "severe", "rigid_cost"])
        elastic = {
            "form": form,
            "base": rng.choice(["this_year", "last_year"]),
            "base_share": share(rng),
            "severe_from": rng.choice(["0", "1", "100", "1000", "1500.5"]) if form == "severe" else None,
            "severe_groups": some(rng, ["G0", "G1", "T1"], 2, 0),
            "fees": some(rng, ["drug_fee", "matl_fee", "treat_fee"], 3, 1),
        }
        if form == "severe" and elastic["severe_groups"] and chance(rng, 0.3):
            elastic["severe_from"] = None
    bounded = rate != "fixed" and chance(rng, 0.4)
    return {
        "opening": rng.choice(["mean", "mean", "trimmed", "favourable", "favourable_2d"]),
        "opening_low": rng.choice(["0", "0.025", "0.3"]),
        "opening_high": rng.choice(["0.6", "0.975", "1"]),
        "settlement": rng.choice(["ratio", "difference"]),
        "rate": rate,
        "elastic": elastic,
        "floor": rng.choice([None, "0.9", "0.5", "1"]) if bounded else None,
        "ceiling": rng.choice([None, "1", "1.1", "1.5"]) if bounded else None,
        "period": rng.choice(["year", "year", "year", "quarter", "month"]),
        "period_split": rng.choice(["equal", "booked"]),
        "decimals": rng.choice([4, 4, 2, 0]),
    }


def settlement_rules(rng: Random, rate: str) -> Row:
    """How the year is paid."""
    return {
        "advance_ratio": rng.choice(["0", "0.5", "0.9", "0.8765"]),
        "working_capital_months": rng.choice(["0", "1", "2.5", "12"]),
        "residual": "reserve" if rate == "fixed" else rng.choice(["apportion", "reserve"]),
        "deposit_ratio": rng.choice(["0", "0", "0.05", "0.1"]),
        "deposit_release": rng.choice(["assessment", "full"]),
        "clearing": rng.choice(["year", "year", "quarter"]),
        "next_year_violation_share": rng.choice(["0", "0.5", "1"]),
    }


def tiers(rng: Random, first: str, last: str | None, limits: list[str]) -> list[Row]:
    """Tiers from ``first`` to ``last`` without gap or overlap."""
    ends = [first, *sorted(some(rng, limits, 2, 0), key=float), last]
    found: list[Row] = []
    below = True
    for low, high in itertools.pairwise(ends):
        included = chance(rng, 0.5)
        found.append(
            {
                "above": low,
                "above_included": not below,
                "upto": high,
                "upto_included": included,
                "share": share(rng),
                "base": rng.choice(["part", "part", "whole"]),
            }
        )
        below = included
    # The first tier includes its lower end by itself, the last one its upper end.
    found[-1]["upto_included"] = True
    return found


def sharing_rules(rng: Random) -> dict[str, Any]:
    """Tiers of surplus, of overrun, or both."""
    return {
        "surplus": tiers(rng, "0", "1", ["0.5", "0.8", "0.85", "0.9"]) if chance(rng, 0.7) else [],
        "overrun": tiers(rng, "1", None, ["1.1", "1.15", "1.5", "2"]) if chance(rng, 0.7) else [],
    }
