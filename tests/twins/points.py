"""Points of one case (docs/rules.md, section 4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from twins.auxiliary import NONE, auxiliary_of
from twins.codes import Row, extension
from twins.exact import E4, half_up, number, step_for


def pick_band(r: Fraction, bands: list[dict[str, Any]]) -> dict[str, Any]:
    """The band that holds r; the first includes 0 and what lies below."""
    for place, band in enumerate(bands):
        above, upto = number(band["above"]), band["upto"]
        over = place == 0 or r > above or (r == above and band["above_included"])
        under = upto is None or (r <= number(upto) if band["upto_included"] else r < number(upto))
        if over and under:
            return band
    raise AssertionError(f"no band for {r}")


def pick_tier(rw_e4: int, deviation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The bands for a weight; plain bands hold for every weight."""
    if not deviation["tiers"]:
        return list(deviation["bands"])
    spans = [
        {
            "above": tier["rw_above"],
            "above_included": tier["rw_above_included"],
            "upto": tier["rw_upto"],
            "upto_included": tier["rw_upto_included"],
            "bands": tier["bands"],
        }
        for tier in deviation["tiers"]
    ]
    return list(pick_band(Fraction(rw_e4, E4), spans)["bands"])


def coefficient_of(code: str, group_id: str | None, weights: Row, rules: Mapping[str, Any]) -> int:
    """Coefficient of a hospital in a group (None: in no group)."""
    own, inside = weights["coefficients"][code], weights.get("costs", {}).get((code, group_id))
    form = rules["coefficients"]["form"]
    if (form == "cost" and own is None) or (form == "group" and inside is not None):
        own = inside
    return E4 if own is None else int(own)


def flat_coefficient(grassroots: bool, layer: str | None, rules: Mapping[str, Any]) -> int | None:
    """Coefficient that every hospital has in a group because of what the group is."""
    section = rules["grassroots"]
    if grassroots and section is not None and section["coefficient"] is not None:
        return half_up(number(section["coefficient"]) * E4)
    if grassroots and rules["coefficients"]["grassroots_exempt"]:
        return E4
    return E4 if layer in rules["coefficients"]["exempt_layers"] else None


def share_of_cost(cost_fen: int, factor: Any, weights: Row, rules: Mapping[str, Any]) -> int:
    """Points that follow the cost alone."""
    scale = rules["weights"]["scale"] * number(factor)
    return max(0, half_up(Fraction(cost_fen, half_up(weights["mean_all"])) * scale * E4, step_of(rules)))


def paid_by_cost(group_id: str, weights: Row, rules: Mapping[str, Any]) -> bool:
    """Whether stays of a group get a share of their cost because the group is not stable."""
    stability = rules["stability"]
    if stability is None or stability["rule"] != "share_of_cost":
        return False
    return not weights["groups"][group_id]["stable"]


def bed_day_points(days: int, level: Any, coefficient_e4: int, rules: Mapping[str, Any]) -> int:
    """Points of a bed-day stay, day by day."""
    settings = rules["bed_day"]
    own = [step for step in settings["steps"] if step.get("level") == level and level is not None]
    steps = own or [step for step in settings["steps"] if step.get("level") is None]
    total = Fraction(0)
    for day in range(1, days + 1):
        step = next(s for s in steps if s.get("upto_days") is None or day <= s["upto_days"])
        total += number(step["points_per_day"]) * E4
    return half_up(total * coefficient_e4 / E4, step_of(rules))


def is_incomplete(stay: Mapping[str, Any], rules: Mapping[str, Any]) -> bool:
    """Whether a stay ended before its treatment."""
    settings = rules["incomplete"]
    if settings is None:
        return False
    short = settings["los_below_days"] is not None and stay["act_ipt_days"] < settings["los_below_days"]
    return stay["dscg_way"] in settings["ways"] or short


def incomplete_points(
    s_e4: Fraction | int, h_e4: int, cost_fen: int, reference: int | None, rules: Mapping[str, Any]
) -> int:
    """Points of an incomplete stay: by its cost, at most the whole."""
    whole = Fraction(s_e4)
    if rules["incomplete"]["coefficient"]:
        whole = whole * h_e4 / E4
    if reference:
        whole = min(whole, whole * cost_fen / reference)
    return max(0, half_up(whole, step_of(rules)))


def readmissions(stays: Sequence[Row], rules: Mapping[str, Any]) -> dict[str, int]:
    """Days since the person's stay before in the same group, for those who came back soon."""
    settings = rules["readmission"]
    found: dict[str, int] = {}
    if settings is None:
        return found
    chains: dict[tuple[Any, ...], list[Row]] = {}
    for stay in stays:
        if stay["psn_no"] is None or stay["group_id"] is None:
            continue
        place = stay["fixmedins_code"] if settings["same_hospital"] else None
        chains.setdefault((stay["psn_no"], stay["group_id"], place), []).append(stay)
    for chain in chains.values():
        chain.sort(key=lambda stay: (stay["dscg_time"], stay["setl_id"]))
        for before, stay in pairwise(chain):
            days = (stay["adm_time"].date() - before["dscg_time"].date()).days
            if 0 <= days <= settings["days"]:
                found[stay["setl_id"]] = days
    return found


def readmitted(points_e4: int, rules: Mapping[str, Any]) -> int:
    """Points of a stay that followed too soon."""
    return half_up(points_e4 * number(rules["readmission"]["factor"]), step_of(rules))


def step_of(rules: Mapping[str, Any]) -> int:
    """Rounding step of points."""
    return step_for(rules["points"]["decimals"])


def base_points(
    group_id: str | None,
    cost_fen: int,
    coefficient_e4: int,
    grassroots: bool,
    weights: Row,
    rules: Mapping[str, Any],
    stay: Row | None = None,
) -> dict[str, Any]:
    """Weight, coefficients and points before deviation of a stay; without group a share of its cost.

    ``stay``: what auxiliary types look at, where the rules have them.
    """
    no_type = {**NONE, "auxiliary_e4": None, "auxiliary_points_e4": None}
    if group_id is None:
        points = 0
        if rules["ungrouped"]["rule"] == "share_of_cost":
            points = share_of_cost(cost_fen, rules["ungrouped"]["factor"], weights, rules)
        return {"rw_e4": None, "coefficient_e4": None, "points_base_e4": points, **no_type}
    rw = weights["groups"][group_id]["rw_e4"]
    if paid_by_cost(group_id, weights, rules):
        points = share_of_cost(cost_fen, rules["stability"]["factor"], weights, rules)
        return {"rw_e4": rw, "coefficient_e4": None, "points_base_e4": points, **no_type}
    flat = flat_coefficient(grassroots, weights.get("layers", {}).get(group_id), rules)
    h = coefficient_e4 if flat is None else flat
    found = NONE if stay is None else auxiliary_of(stay, group_id, weights, rules)
    points = half_up(Fraction(rw * h * found["auxiliary_e4"], E4 * E4), step_of(rules))
    plain = half_up(Fraction(rw * h, E4), step_of(rules))
    more = None if rules["auxiliary"] is None else points - plain
    return {"rw_e4": rw, "coefficient_e4": h, "points_base_e4": points, "auxiliary_points_e4": more, **found}


def standard_fen(points_e4: int, value_e4: int | None) -> int | None:
    """Points x point value, in fen."""
    return None if value_e4 is None else half_up(Fraction(points_e4, E4) * Fraction(value_e4, E4) * 100)


def reference_fen(
    kind: str, group_id: str, level: Any, points_base_e4: int, opening_e4: int | None, weights: Row
) -> int | None:
    """What a cost is compared with: last year's mean or the payment standard."""
    if kind == "payment_standard":
        return standard_fen(points_base_e4, opening_e4)
    if kind == "same_level_mean" and (group_id, level) in weights["level_means"]:
        return int(weights["level_means"][group_id, level])
    if group_id in weights["newest_means"]:
        return int(weights["newest_means"][group_id])
    mean = weights["groups"][group_id]["mean_cost_fen"]
    return None if mean is None else int(mean)


def deviate(
    s_e4: Fraction | int, h_e4: int, cost_fen: int, band: Mapping[str, Any], reference: int | None
) -> Fraction:
    """Points of a case in its band, unrounded; ``reference`` is what the formula divides by, if it does."""
    s, h = Fraction(s_e4), Fraction(h_e4, E4)
    limit = number(band["above"])
    kind = band["points"]
    if kind == "fee_for_service":
        return Fraction(0)
    if kind in ("normal", "review") or not reference:
        return s * h
    q = Fraction(cost_fen, reference)
    formulas = {
        "actual_cost": s * h * q,
        "ratio": s * h * q,
        "ratio_without_coefficient": s * q,
        "excess": s * h * (q - limit + 1),
        "excess_plus_coefficient": s * (q - limit + h),
    }
    return max(Fraction(0), formulas[kind])


def add_ons(stay: Row, rw_e4: int, rules: Mapping[str, Any]) -> tuple[str | None, int | None]:
    """Names and points of the add-ons that the operations of a stay earn."""
    settings = rules["add_ons"]
    if settings is None:
        return None, None
    names, total, step = [], 0, step_of(rules)
    for item in settings["items"]:
        have = [any(code in (c, extension(c)[0]) for c in stay["oprn_codes"]) for code in item["operations"]]
        if not (any(have) if item["match"] == "any" else all(have)):
            continue
        names.append(item["name"])
        fixed = item["points"] is not None
        worth = half_up(number(item["points"]) * E4 if fixed else rw_e4 * number(item["share"]), step)
        total += worth if item["cap"] is None else min(worth, half_up(number(item["cap"]) * E4, step))
    if not names:
        return None, None
    if settings["cap"] is not None:
        total = min(total, half_up(number(settings["cap"]) * E4, step))
    return "|".join(names), total


def score(
    group_id: str | None,
    cost_fen: int,
    hospital: Row,
    grassroots: bool,
    opening_e4: int | None,
    weights: Row,
    rules: Mapping[str, Any],
    stay: Row | None = None,
    top: bool = False,
) -> dict[str, Any]:
    """Points of one paid stay: weight, coefficient, before deviation, band, reference, points.

    ``stay``: dscg_way and act_ipt_days, where the rules ask for them; all that auxiliary types look at. ``top``: is
    it one of the most expensive (:func:`most_expensive`)?
    """
    own = coefficient_of(hospital["fixmedins_code"], group_id, weights, rules)
    result: dict[str, Any] = dict(base_points(group_id, cost_fen, own, grassroots, weights, rules, stay))
    base = result["points_base_e4"]
    result.update(deviation=None, reference_fen=None, points_e4=base, directly=None)
    if group_id is None:
        if rules["ungrouped"]["rule"] == "fee_for_service":
            result.update(directly=number(rules["ungrouped"]["factor"]))
        return result
    if paid_by_cost(group_id, weights, rules):
        result.update(deviation="unstable")
        return result
    s = Fraction(result["rw_e4"] * result["auxiliary_e4"], E4)
    if is_incomplete(stay or {}, rules):
        kind = rules["incomplete"]["reference"]
        reference = reference_fen(kind, group_id, hospital["level"], base, opening_e4, weights)
        points = incomplete_points(s, result["coefficient_e4"], cost_fen, reference, rules)
        result.update(deviation="incomplete", reference_fen=reference, points_e4=points)
        return result
    settings = rules["deviation"]
    test, factor, standard = (
        reference_fen(kind, group_id, hospital["level"], base, opening_e4, weights)
        for kind in (settings["test_reference"], settings["factor_reference"], "payment_standard")
    )
    result["reference_fen"] = test
    if not test:
        return result
    band = pick_band(Fraction(cost_fen, test), pick_tier(result["rw_e4"], settings))
    if top:
        band = {**settings["top_share"], "above": settings["top_share"]["limit"] or 0}
    divisor = standard if band["points"] == "actual_cost" else factor
    exact = deviate(s, result["coefficient_e4"], cost_fen, band, divisor)
    result.update(deviation=band["name"], points_e4=half_up(exact, step_of(rules)))
    if band["points"] == "fee_for_service":
        result.update(directly=Fraction(1))
    return result


def most_expensive(stays: Sequence[Row], rules: Mapping[str, Any]) -> set[str]:
    """The stays of the top share. ``stays``: setl_id, group_id, cost_fen, and what :func:`score` says of each."""
    settings = rules["deviation"]["top_share"]
    if settings is None:
        return set()
    units: dict[Any, list[Row]] = {}
    for stay in stays:
        if stay["reference_fen"] and stay["deviation"] not in (None, "unstable", "incomplete"):
            units.setdefault(stay["group_id"] if settings["of"] == "group" else None, []).append(stay)
    found = set()
    for unit in units.values():
        # Cheapest first, of equals the smaller id: the last ones are the top.
        unit.sort(key=lambda stay: (Fraction(stay["cost_fen"], stay["reference_fen"]), stay["setl_id"]))
        taken = int(number(settings["share"]) * len(unit))
        found |= {stay["setl_id"] for stay in unit[len(unit) - taken :]}
    return found
