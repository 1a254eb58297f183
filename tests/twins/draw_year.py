"""Random regions: hospitals, pools, budgets, policies with every option, histories and a year's stays."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any

from hypothesis import strategies as st

from twins.codes import Row
from twins.draw import chance, clinical_part, grouping_rules, made, some
from twins.rules import base_rules

YEAR = 2027
AREA = "990100"
FORMULAS = [
    "normal",
    "review",
    "ratio",
    "ratio_without_coefficient",
    "excess",
    "excess_plus_coefficient",
    "actual_cost",
]
REFERENCES = ["same_level_mean", "all_level_mean", "payment_standard"]


def amount(rng: Random) -> int:
    """A positive amount in fen: small ones tie and round, large ones test the width of integers."""
    return rng.choice(
        [rng.randint(100, 130), rng.randint(100, 10_000), rng.randint(100, 10**6), rng.randint(100, 10**9)]
    )


def decimal(rng: Random, low: int, high: int, places: int = 4) -> str:
    """A number between low and high as text, with at most so many places."""
    scale = 10 ** rng.randint(0, places)
    return str(rng.randint(low * scale, high * scale) / scale if scale > 1 else rng.randint(low, high))


def bands(rng: Random) -> list[Row]:
    """Deviation bands that cover everything from 0 without gap or overlap."""
    limits = sorted(some(rng, ["0.4", "0.5", "0.9", "1", "1.0001", "2", "3.5", "5"], 4, 0), key=float)
    found: list[Row] = []
    below_included = False
    for place, limit in enumerate([*limits, None]):
        included = chance(rng, 0.5)
        found.append(
            {
                "name": f"band{place}",
                "title": "",
                "above": limits[place - 1] if place else "0",
                "above_included": bool(place) and not below_included,
                "upto": limit,
                "upto_included": included,
                "points": rng.choice(FORMULAS),
            }
        )
        below_included = included
    return found


def weight_rules(rng: Random) -> Row:
    """The section of the policy on weights; a benchmark is chosen by the test, which knows the groups."""
    trims: list[Row] = [
        {
            "method": "percentile",
            "low": rng.choice(["0", "0.025", "0.3"]),
            "high": rng.choice(["0.8", "0.975", "1"]),
        },
        {"method": "factor", "low": rng.choice(["0", "0.3", "0.95"]), "high": rng.choice(["1.05", "2", "3"])},
        {"method": "mean_sd", "k": rng.choice(["0.1", "1", "1.25", "2"])},
        {"method": "none"},
    ]
    trim = {
        "low": "0.025",
        "high": "0.975",
        "k": "2",
        **rng.choice(trims),
        "min_cases": rng.choice([1, 2, 4, 25]),
    }
    return {
        "method": rng.choice(["mean_cost", "mean_cost", "benchmark", "standard_amount"]),
        "scale": rng.choice([1000, 100, 7]),
        "decimals": rng.choice([4, 4, 2, 3]),
        "standard_yuan": rng.choice(["1", "33.33"]),
        "year_weights": rng.choice([[1, 2, 7], [1, 1, 1], [3, 1, 2, 5]]),
        "pooling": rng.choice(["yearly_means", "cases"]),
        "trim": trim,
    }


def policy_rules(rng: Random, grouping: bool = True) -> dict[str, Any]:
    """A whole policy, every option drawn."""
    low, high = sorted(rng.sample(range(5_000, 20_000), 2))
    return base_rules(
        scope={
            "cost": rng.choice(["total", "total_minus_paid_apart"]),
            "min_los_days": rng.choice([None, None, 2]),
            "max_los_days": rng.choice([None, None, 60]),
            "other_tracks": rng.choice([{}, {"2105": "bed_day"}]),
        },
        grouping=grouping_rules(rng) if grouping else {},
        ungrouped={
            "rule": rng.choice(["share_of_cost", "share_of_cost", "none"]),
            "factor": decimal(rng, 0, 1),
        },
        weights=weight_rules(rng),
        coefficients={
            "by": rng.choice([["level", "type"], ["level"], ["type"], []]),
            "decimals": rng.choice([4, 4, 3, 1]),
            "grassroots_exempt": chance(rng, 0.7),
            "floor": rng.choice([None, f"0.{low:05d}"[:6]]),
            "cap": rng.choice([None, f"1.{high}"[:6]]),
        },
        points={"decimals": rng.choice([4, 4, 2, 0])},
        deviation={
            "test_reference": rng.choice(REFERENCES),
            "factor_reference": rng.choice(REFERENCES),
            "bands": bands(rng),
        },
        point_value={
            "settlement": rng.choice(["ratio", "difference"]),
            "decimals": rng.choice([4, 4, 2, 0]),
        },
        settlement={
            "advance_ratio": decimal(rng, 0, 1),
            "working_capital_months": decimal(rng, 0, 12, 2),
            "residual": rng.choice(["apportion", "reserve"]),
        },
    )


def hospital(rng: Random) -> Row:
    """A hospital without its code."""
    return {
        "level": rng.choice(["3", "2", "1"]),
        "type": rng.choice(["general", "general", "tcm", "children"]),
        "coefficient_e4": rng.choice([None, None, None, 10_000, rng.randint(1, 20_000)]),
    }


def hospitals(rng: Random) -> list[Row]:
    """One to six hospitals, codes in random order."""
    codes = rng.sample(["H1", "H2", "H10", "h3", "0007", "A-1"], rng.randint(1, 6))
    return [{"fixmedins_code": code, **hospital(rng)} for code in codes]


def pools(rng: Random) -> list[Row]:
    """One to three pools that may compete for the same stays."""
    names = rng.sample(["employee", "resident", "other"], rng.randint(1, 3))
    return [
        {
            "id": name,
            "insutype": some(rng, ["310", "390", "510"], 3, rng.choice([1, 2])),
            "areas": rng.choice(["local", "local", "any", "any", "any", "other"]),
            "opening_value_e4": rng.choice([None, None, None, rng.randint(1, 10**6)]),
        }
        for name in names
    ]


def budget_lines(rng: Random) -> list[Row]:
    """Lines of one pool that leave a fund of zero or more."""
    income = rng.choice([0, rng.randint(1, 50), amount(rng) * 10, rng.randint(1, 10**11)])
    lines = [{"name": "income", "kind": "income", "amount_fen": income}]
    left = income
    for kind in some(rng, ["carve_out", "reserve", "carve_out"], 3, 0):
        taken = rng.randint(0, left)
        left -= taken
        lines.append({"name": kind, "kind": kind, "amount_fen": taken})
    return lines


def entries(rng: Random, places: list[Row], funds: list[Row], first: int) -> list[Row]:
    """Amounts per hospital, pool and month; several may fall together."""
    return [
        {
            "fixmedins_code": rng.choice(places)["fixmedins_code"],
            "pool": rng.choice(funds)["id"],
            "month": rng.randint(first, rng.choice([1, 12])),
            "amount_fen": amount(rng),
        }
        for _ in range(rng.randint(1, 5))
    ]


def region(rng: Random) -> Row:
    """A region without its stays and policy."""
    places, funds = hospitals(rng), pools(rng)
    lines = {pool["id"]: budget_lines(rng) for pool in funds}
    sign = {"income": 1, "carve_out": -1, "reserve": -1}
    return {
        "area": AREA,
        "year": YEAR,
        "history_years": [YEAR - 3, YEAR - 2, YEAR - 1],
        "hospitals": places,
        "pools": funds,
        "lines": lines,
        "funds": {
            name: sum(sign[line["kind"]] * line["amount_fen"] for line in rows)
            for name, rows in lines.items()
        },
        "deductions": entries(rng, places, funds, 1) if chance(rng, 0.5) else [],
        "advances": entries(rng, places, funds, 0) if chance(rng, 0.15) else None,
        "assessment": {
            place["fixmedins_code"]: rng.choice([10_000, 9_850, 0, 10_500, rng.randint(9_000, 10_000)])
            for place in places
            if chance(rng, 0.5)
        },
    }


def full_stay(rng: Random, years: list[int]) -> Row:
    """A stay without key and hospital; ``place`` chooses among the hospitals."""
    cost = rng.choice([amount(rng), rng.randint(3_000, 60_000), rng.randint(8_000, 12_000), 10_000])
    apart = rng.choice([None, 0, 0, rng.randint(0, cost // 2), cost if chance(rng, 0.1) else 1])
    booked = rng.choice([rng.randint(0, cost), cost // 2, cost // 2, 0, None])
    year = rng.choice(years)
    return {
        **clinical_part(rng),
        "place": rng.randrange(60),
        "insutype": rng.choice(["310"] * 6 + ["390"] * 4 + ["510", None]),
        "insu_admdvs": rng.choice([AREA, AREA, AREA, AREA, None, "990200"]),
        "act_ipt_days": rng.choice([1, 2, 2, 3, 5, 5, 5, 8, 60, 61]),
        "med_type": rng.choice(["21"] * 8 + ["2105", None]),
        "dscg_time": datetime(year, rng.randint(1, 12), rng.randint(1, 28), rng.randrange(24)),
        "medfee_sumamt_fen": cost,
        "hifp_pay_fen": booked,
        "excl_pay_sumamt_fen": apart,
    }


def history_stay(rng: Random) -> Row:
    return full_stay(rng, [YEAR - 1, YEAR - 2, YEAR - 3] * 5 + [YEAR - 4, YEAR])


def record(rng: Random) -> Row:
    return full_stay(rng, [YEAR] * 30 + [YEAR - 1, YEAR + 1])


def placed(stays: list[Row], head: str, places: list[Row]) -> list[Row]:
    """The stays with keys and hospitals; keys are in another order than the rows."""
    found = []
    for number, stay in enumerate(stays):
        code = places[stay["place"] % len(places)]["fixmedins_code"]
        found.append({**stay, "setl_id": f"{head}{(number * 7) % 101}-{number}", "fixmedins_code": code})
    return found


HISTORY = st.lists(made(history_stay), min_size=1, max_size=40)
RECORDS = st.lists(made(record), min_size=1, max_size=30)
REGIONS = made(region)
POLICIES = made(policy_rules)
