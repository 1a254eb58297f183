"""Random regions: hospitals, pools, budgets, policies with every option, histories and a year's stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from twins.budget import drawn_pool, fund_of
from twins.codes import Row, TwinCatalog
from twins.draw import OPERATIONS, chance, clinical_part, grouping_rules, made, some
from twins.draw_auxiliary import auxiliary_rules, comorbidity_lists
from twins.draw_money import settlement_rules, sharing_rules, value_rules
from twins.engine import FEES
from twins.rules import OPTIONAL, base_rules

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
    "fee_for_service",
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


def deviation_rules(rng: Random) -> Row:
    """Bands for all weights, or tiers of weights with bands of their own."""
    references = {name: rng.choice(REFERENCES) for name in ("test_reference", "factor_reference")}
    references["top_share"] = top_share(rng) if chance(rng, 0.4) else None
    if chance(rng, 0.6):
        return {**references, "bands": bands(rng), "tiers": []}
    tiers = [
        {
            "rw_above": band["above"],
            "rw_above_included": band["above_included"],
            "rw_upto": band["upto"],
            "rw_upto_included": band["upto_included"],
            "bands": bands(rng),
        }
        for band in bands(rng)
    ]
    # Weights lie around the scale, limits of bands around 1.
    factor = rng.choice([1, 7, 100, 1000])
    for tier in tiers:
        for name in ("rw_above", "rw_upto"):
            if tier[name] is not None:
                tier[name] = str(Decimal(tier[name]) * factor)
    return {**references, "bands": [], "tiers": tiers}


def top_share(rng: Random) -> Row:
    """The most expensive stays: any share, also of so few stays that it takes nobody, paid in any way."""
    points = rng.choice(["fee_for_service", *FORMULAS])
    return {
        "name": "top",
        "share": rng.choice(["0", "0.05", "0.25", "0.3333", "0.5", "1"]),
        "of": rng.choice(["group", "region"]),
        "points": points,
        "limit": rng.choice(["0", "1", "2.5"]) if points.startswith("excess") else None,
    }


def bed_day_steps(rng: Random) -> list[Row]:
    """Steps for all hospitals, and sometimes others for some levels."""
    found: list[Row] = []
    for level in [None, *some(rng, ["3", "2", "1"], 2, 0)]:
        for end in [*sorted(some(rng, [1, 2, 5, 30, 60], 3, 0)), None]:
            found.append({"level": level, "upto_days": end, "points_per_day": decimal(rng, 0, 50)})
    return found


def optional_rules(rng: Random) -> dict[str, Row | None]:
    """The sections a policy may leave out."""
    sections: dict[str, Row] = {
        "grassroots": {"coefficient": rng.choice([None, "0.8765", decimal(rng, 1, 2)])},
        "auxiliary": auxiliary_rules(rng),
        "stability": {
            "cv_max": rng.choice(["0.05", "0.5", "1", "1.5"]),
            "min_cases": rng.choice([1, 2, 5]),
            "both": chance(rng, 0.4),
            "rule": rng.choice(["normal", "share_of_cost", "share_of_cost"]),
            "factor": decimal(rng, 0, 2),
        },
        "incomplete": {
            "ways": rng.choice([[2], [2, 4, 5], [4]]),
            "los_below_days": rng.choice([None, None, 2, 5]),
            "reference": rng.choice(REFERENCES),
            "coefficient": chance(rng, 0.4),
        },
        "bed_day": {
            "med_types": rng.choice([["2105"], ["2105", "2106"]]),
            "coefficient": chance(rng, 0.5),
            "steps": bed_day_steps(rng),
        },
        "readmission": {
            "days": rng.choice([0, 10, 60, 365]),
            "same_hospital": chance(rng, 0.5),
            "factor": decimal(rng, 0, 1),
        },
        "add_ons": {"items": add_on_items(rng), "cap": rng.choice([None, None, "30"])},
        "tcm": {
            "ratio_limit": rng.choice(["0", "0.5", "0.6", "0.6", "1"]),
            "ratio_included": chance(rng, 0.7),
            "tcm_fees": rng.choice([["tcm_treat_fee", "tcmpat_fee", "tcmherb_fee"], ["tcm_treat_fee"]]),
            "western_fees": rng.choice([["treat_fee", "drug_fee", "oprn_fee", "matl_fee"], ["drug_fee"]]),
            "diagnosis_match": rng.choice(["prefix", "prefix", "exact"]),
        },
    }
    sections["special_review"] = review_rules(rng)
    sections["sharing"] = sharing_rules(rng)
    assert sections.keys() == OPTIONAL.keys()
    return {name: section if chance(rng, 0.4) else None for name, section in sections.items()}


def review_rules(rng: Random) -> Row:
    """Criteria, quotas large enough for a few approvals, and ranks."""
    conditions = {
        "los_above_days": [2, 5, 60],
        "los_multiple": ["0.5", "1", "2"],
        "cost_multiple": ["0", "0.5", "1", "2", "5"],
        "icu_above_hours": ["0", "24"],
        "items": [["X1"], ["X1", "X2"]],
        "departments": [["D1"], ["D1", "D2"]],
        "age_from": [0, 5],
        "age_upto": [6, 60],
    }
    criteria = [
        {"name": f"c{n}", **{key: rng.choice(conditions[key]) for key in some(rng, list(conditions), 2, 1)}}
        for n in range(rng.randint(1, 3))
    ]
    outcomes = ["fee_for_service", "adjusted_standard", "coefficient", "expert_points", "refused"]
    ranks = ["cost_multiple", "amount_over", "cost", "los", "applied_at"]
    return {
        "criteria": criteria,
        "match": rng.choice(["any", "any", "all"]),
        "reference": rng.choice(["payment_standard", "deviation"]),
        "quota": rng.choice(["0", "0.1", "0.25", "0.5"]),
        "level_quotas": rng.choice([{}, {}, {"3": "0.5"}, {"3": "0.3", "1": "1"}]),
        "rank_by": some(rng, ranks, 3, 0),
        "outcomes": some(rng, outcomes, 5, 4),
    }


def applications(rng: Random) -> list[Row]:
    """Applications for stays still without key (``place``), with what is to be decided."""
    wishes = [None, "refused", "fee_for_service", "adjusted_standard", "coefficient", "expert_points"]
    return [
        {
            "place": rng.randrange(40),
            "applied_at": f"2027-0{rng.randint(1, 4)}-01",
            "icu_hours_e4": rng.choice([None, 0, 240_000, 250_000]),
            "items": some(rng, ["X1", "X2", "X3"], 2, 0),
            "departments": some(rng, ["D1", "D2", "D3"], 1, 0),
            "wish": rng.choice(wishes),
            "value": rng.choice([1, 5_000, 13_000, rng.randint(1, 10**7)]),
        }
        for _ in range(rng.randint(0, 12))
    ]


def applied(drawn: list[Row], stays: list[Row]) -> list[Row]:
    """The drawn applications for the stays of a year, each stay once; a place behind the last is no stay."""
    found: dict[str, Row] = {}
    for one in drawn:
        key = stays[one["place"]]["setl_id"] if one["place"] < len(stays) else f"none{one['place']}"
        found.setdefault(key, {**one, "setl_id": key})
    return list(found.values())


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


ITEMS = ["capability", "specialty", "CMI"]


def coefficient_form(rng: Random) -> Row:
    """A form of institution coefficients with the keys it needs."""
    form = rng.choice(["class", "class", "cost", "basic_bonus", "product", "group", "group"])
    found: Row = {"form": form}
    if form == "basic_bonus" or (form == "product" and chance(rng, 0.7)):
        found["items"] = [
            {
                "name": name,
                "weight": decimal(rng, 0, 2, 6) if form == "basic_bonus" else "1",
                "cap": rng.choice([None, None, "0.05", decimal(rng, 0, 1, 6)]),
                "default": rng.choice([None, "0.5", decimal(rng, 0, 2)]),
            }
            for name in some(rng, ITEMS, 3, 1)
        ]
    if form == "product" and not ("items" in found and chance(rng, 0.4)):
        found["levels"] = {level: decimal(rng, 0, 2) for level in "123"}
    if form == "group":
        found["level_order"] = rng.choice([["1", "2", "3"], ["1", "2", "3"], ["3", "0", "1", "2"]])
    return found


def bonuses(rng: Random, places: list[Row]) -> list[Row]:
    """A value of every item for every hospital; a bonus may take away."""
    return [
        {
            "fixmedins_code": place["fixmedins_code"],
            "item": name,
            "value_e4": rng.choice([0, 10_000, rng.randint(0, 20_000), rng.randint(-20_000, 20_000)]),
        }
        for place in places
        for name in ITEMS
    ]


def fitting_bonuses(drawn: list[Row], rules: dict[str, Any], rng: Random) -> list[Row]:
    """Of the drawn values those of the policy's items; no factor is negative, some defaults are needed."""
    items = {item["name"]: item["default"] for item in rules["coefficients"]["items"]}
    product = rules["coefficients"]["form"] == "product"
    return [
        {**row, "value_e4": abs(row["value_e4"]) if product else row["value_e4"]}
        for row in drawn
        if row["item"] in items and not (items[row["item"]] is not None and chance(rng, 0.3))
    ]


def policy_rules(rng: Random, grouping: bool = True) -> dict[str, Any]:
    """A whole policy, every option drawn."""
    low, high = sorted(rng.sample(range(5_000, 20_000), 2))
    rate = rng.choice(["fixed", "floating", "floating", "elastic"])
    return base_rules(
        **optional_rules(rng),
        scope={
            "cost": rng.choice(["total", "total_minus_paid_apart"]),
            "min_los_days": rng.choice([None, None, 2]),
            "max_los_days": rng.choice([None, None, 60]),
            "other_tracks": rng.choice([{}, {"2105": "bed_day"}, {"2105": "bed_day", "2106": "day_surgery"}]),
        },
        grouping=grouping_rules(rng) if grouping else {},
        ungrouped={
            "rule": rng.choice(["share_of_cost", "share_of_cost", "none", "fee_for_service"]),
            "factor": decimal(rng, 0, 1),
        },
        weights=weight_rules(rng),
        coefficients={
            **coefficient_form(rng),
            "cost_years": rng.choice([1, 2, 3]),
            "min_cases": rng.choice([1, 1, 2, 5]),
            "by": rng.choice([["level", "type"], ["level"], ["type"], []]),
            "decimals": rng.choice([4, 4, 3, 1]),
            "grassroots_exempt": chance(rng, 0.7),
            "floor": rng.choice([None, f"0.{low:05d}"[:6]]),
            "cap": rng.choice([None, f"1.{high}"[:6]]),
        },
        points={"decimals": rng.choice([4, 4, 2, 0])},
        deviation=deviation_rules(rng),
        point_value=value_rules(rng, rate),
        settlement=settlement_rules(rng, rate),
    )


def hospital(rng: Random) -> Row:
    """A hospital without its code."""
    return {
        "level": rng.choice(["3", "2", "1"]),
        "type": rng.choice(["general", "general", "tcm", "children"]),
        "coefficient_e4": rng.choice([None, None, None, 10_000, rng.randint(1, 20_000)]),
        "community": rng.choice([None, "C1", "C1", "C2"]),
    }


def hospitals(rng: Random) -> list[Row]:
    """One to six hospitals, codes in random order."""
    codes = rng.sample(["H1", "H2", "H10", "h3", "0007", "A-1"], rng.randint(1, 6))
    return [{"fixmedins_code": code, **hospital(rng)} for code in codes]


def areas_of(rng: Random, left: list[str]) -> str | list[str]:
    """A word, or a list of some of the areas that no pool lists yet."""
    words = ["local", "local", "any", "any", "any", "other"]
    if not left or chance(rng, 0.7):
        return rng.choice(words)
    return [left.pop() for _ in range(rng.randint(1, len(left)))]


def pools(rng: Random) -> list[Row]:
    """One to three pools that may compete for the same stays; one listed area is in one list only."""
    areas = rng.sample([AREA, "990200", "990300"], 3)
    names = rng.sample(["employee", "resident", "other"], rng.randint(1, 3))
    return [
        {
            "id": name,
            "insutype": some(rng, ["310", "390", "510"], 3, rng.choice([1, 2])),
            "areas": areas_of(rng, areas),
            "opening_value_e4": rng.choice([None, None, None, rng.randint(1, 10**6)]),
        }
        for name in names
    ]


def budget_of(rng: Random) -> Row:
    """The budget of one pool."""
    income = rng.choice([0, rng.randint(1, 50), amount(rng) * 10, rng.randint(1, 10**11)])
    return drawn_pool(rng, income, YEAR)


def entries(
    rng: Random, places: list[Row], funds: list[Row], first: int, *, kinds: bool = False
) -> list[Row]:
    """Amounts per hospital, pool and month; several may fall together."""
    return [
        {
            "fixmedins_code": rng.choice(places)["fixmedins_code"],
            "pool": rng.choice(funds)["id"],
            "month": rng.randint(first, rng.choice([1, 12])),
            "amount_fen": amount(rng),
            **({"kind": rng.choice(["audit", "violation", "fine", "carried"])} if kinds else {}),
        }
        for _ in range(rng.randint(1, 5))
    ]


def region(rng: Random) -> Row:
    """A region without its stays and policy."""
    places, funds = hospitals(rng), pools(rng)
    budgets = {pool["id"]: budget_of(rng) for pool in funds}
    return {
        "area": AREA,
        "year": YEAR,
        "history_years": [YEAR - 3, YEAR - 2, YEAR - 1],
        "hospitals": places,
        "pools": funds,
        "budgets": budgets,
        "funds": {name: fund_of(one) for name, one in budgets.items()},
        "deductions": entries(rng, places, funds, 1, kinds=True) if chance(rng, 0.5) else [],
        "advances": entries(rng, places, funds, 0) if chance(rng, 0.15) else None,
        "assessment": {
            place["fixmedins_code"]: rng.choice([10_000, 9_850, 0, 10_500, rng.randint(9_000, 10_000)])
            for place in places
            if chance(rng, 0.5)
        },
        "bonuses": bonuses(rng, places),
        "weight_overrides": {},
        "lists": comorbidity_lists(rng),
        "auxiliary": None,
        "auxiliary_drawn": [
            (
                rng.randrange(40),
                rng.randrange(3),
                rng.randrange(4),
                rng.choice([(None, None), (None, None), (None, 3), (4, None), (2, 8)]),
                rng.choice([10_000, 5_000, 12_345, rng.randint(0, 30_000)]),
            )
            for _ in range(rng.randint(1, 12))
        ],
        "tcm": tcm_tables(rng),
        "tracks_drawn": rng.randrange(2**32),
        "drawn_applications": applications(rng),
        "applications": [],
        "decisions": [],
        # Drawn before the catalogue is known: place of the group, weight.
        "negotiated": [
            (rng.randrange(40), rng.choice([1, 10_000, rng.randint(1, 10**7)]))
            for _ in range(rng.choice([0, 0, 0, 1, 2]))
        ],
    }


def add_on_items(rng: Random) -> list[Row]:
    """Add-ons over the drawn operations; a code may have an extension, and joint operations may share a base."""
    found: list[Row] = []
    for name in some(rng, ["robot", "joint", "carbon"], 3):
        match = rng.choice(["any", "all"])
        fixed = chance(rng, 0.5)
        found.append(
            {
                "name": name,
                "title": "",
                "operations": some(rng, OPERATIONS, 3, 2 if match == "all" else 1),
                "match": match,
                "points": decimal(rng, 0, 40) if fixed else None,
                "share": None if fixed else decimal(rng, 0, 2),
                "cap": rng.choice([None, decimal(rng, 0, 30)]),
            }
        )
    return found


def tcm_tables(rng: Random) -> Row:
    """TCM-advantage groups; ``reference_place`` is a group of a catalogue that is not known yet."""
    rows: list[Row] = []
    for gid in some(rng, ["T1", "T2", "T3"], 3, 0):
        paid: Row = rng.choice(
            [
                {},
                {"weight": decimal(rng, 1, 3)},
                {"reference_place": rng.randrange(40), "share": rng.choice([None, "0.6", "0.8333"])},
            ]
        )
        for number in range(rng.choice([1, 1, 2])):
            classes = some(rng, ["a", "b", "c"], 3, 0)
            rows.append(
                {
                    "group_id": gid,
                    "main_diag": "|".join(some(rng, ["K35", "C34.9", "@LONG", "P07.000", "Z51.100"], 3)),
                    "tcm_diag": rng.choice([None, None, "B01", "B01.02|@TCM"]),
                    "los_min_days": rng.choice([None, 2, 5]),
                    "classes": "|".join(classes) or None,
                    "min_classes": rng.randint(1, len(classes)) if classes and chance(rng, 0.6) else None,
                    "min_operations": rng.choice([None, 1, 2]) if classes else None,
                    **(paid if number == 0 else {}),
                }
            )
    codes = [code for code in OPERATIONS if chance(rng, 0.6)]
    classed = [(code, one) for code in codes for one in some(rng, ["a", "b", "c"], 2)]
    return {
        "conditions": rows,
        "operations": [*classed, ("96.0800", "a"), ("96.0800", "b"), ("96.0800", "c")],
        "lists": {"LONG": ["K35.9", "C80"], "TCM": ["A02", "B01.05"]},
    }


def with_tcm(region: Row, catalog: TwinCatalog) -> TwinCatalog:
    """The catalogue with the region's TCM-advantage groups."""
    names = [row["group_id"] for row in catalog.groups]
    catalog.tcm, catalog.tcm_operations = [], region["tcm"]["operations"]
    catalog.tcm_lists = region["tcm"]["lists"]
    for row in region["tcm"]["conditions"]:
        place = row.get("reference_place")
        reference = names[place % len(names)] if place is not None and names else None
        share = row.get("share") if reference else None
        catalog.tcm.append({**row, "reference_group": reference, "share": share})
    return catalog


def fees(rng: Random) -> Row:
    """Fees of a few yuan, so that ratios meet their limits; seldom one is missing."""
    found: Row = {f"{name}_fen": rng.choice([0, 0, 100, 200, 300]) for name in FEES}
    found["tcm_treat_fee_fen"] = rng.choice([0, 100, 300, 600, 900])
    if chance(rng, 0.1):
        found[rng.choice(list(found))] = None
    return found


def negotiated(region: Row, groups: list[str]) -> dict[str, int]:
    """The drawn negotiated weights for the groups of a catalogue; a group is negotiated once."""
    return {groups[place % len(groups)]: weight for place, weight in region["negotiated"]}


def full_stay(rng: Random, years: list[int]) -> Row:
    """A stay without key and hospital; ``place`` chooses among the hospitals."""
    cost = rng.choice([amount(rng), rng.randint(3_000, 60_000), rng.randint(8_000, 12_000), 10_000])
    apart = rng.choice([None, 0, 0, rng.randint(0, cost // 2), cost if chance(rng, 0.1) else 1])
    booked = rng.choice([rng.randint(0, cost), cost // 2, cost // 2, 0, None])
    year = rng.choice(years)
    days = rng.choice([1, 2, 2, 3, 5, 5, 5, 8, 60, 61])
    left = datetime(year, rng.randint(1, 12), rng.randint(1, 28), rng.randrange(24))
    return {
        **clinical_part(rng),
        **fees(rng),
        "tcm_diag_codes": some(rng, ["B01.02", "B01.05", "A02.01", "C03"], 2, 0),
        "place": rng.randrange(60),
        "insutype": rng.choice(["310"] * 6 + ["390"] * 4 + ["510", None]),
        "insu_admdvs": rng.choice([AREA, AREA, AREA, AREA, None, "990200", "990300"]),
        "psn_no": rng.choice(["P1", "P1", "P2", "P3", None]),
        "act_ipt_days": days,
        "dscg_way": rng.choice([1, 1, 1, 2, 4, 5, None]),
        "dscg_caty": rng.choice(["D1", "D2", None]),
        "med_type": rng.choice(["21"] * 8 + ["2105", "2106", None]),
        "adm_time": left - timedelta(days=days),
        "dscg_time": left,
        "medfee_sumamt_fen": cost,
        "hifp_pay_fen": booked,
        "excl_pay_sumamt_fen": apart,
        "treat_fee_fen": rng.choice([None, 0, 0, 100, 200, cost // 3, cost // 2, cost]),
        "drug_fee_fen": rng.choice([None, 0, 0, 100, 200, cost // 3, cost // 2]),
        "scs_cutd_sum_dura": rng.choice([None, None, "0/23/59", "1/12/0", "2/0/0", "8/5/7"]),
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
