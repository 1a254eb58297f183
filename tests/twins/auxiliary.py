"""Auxiliary types (docs/rules.md, sections 3 and 4).

``lists``: rows of a comorbidity file as (list, category, code, points). ``listed``: rows of auxiliary.csv as
dicts: group_id, family, level, los_from, los_upto, coefficient_e4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isqrt
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, number, step_for
from twins.weights import by_year, kept, weighted_mean

Lists = Sequence[tuple[str, str | None, str, int | None]]
NONE: Row = {"auxiliary_family": None, "auxiliary_level": None, "auxiliary_e4": E4}


def stands_in(code: str, name: str, lists: Lists) -> bool:
    """Whether a diagnosis stands in a list."""
    return any(row[0] == name and code.startswith(row[2]) for row in lists)


def score(codes: Sequence[str], lists: Lists) -> int:
    """Comorbidity score of diagnoses: of each category the highest points once."""
    best: dict[str | None, int] = {}
    for code in codes:
        for name, category, listed, points in lists:
            if name == "cci" and code.startswith(listed):
                best[category] = max(best.get(category, 0), points or 0)
    return sum(best.values())


def figure(stay: Row, what: str, lists: Lists) -> int | None:
    """A figure that limits are compared with."""
    if what == "los":
        return stay["act_ipt_days"]
    if what == "cci":
        return score(stay["diag_codes"][1:], lists)
    if what == "age":
        return 0 if stay["age"] is None and stay["nwb_age"] is not None else stay["age"]
    if what == "age_days":
        return stay["age"] * 365 if stay["age"] else stay["nwb_age"]
    text = stay["scs_cutd_sum_dura"]
    return None if text is None else int(text.split("/")[0])


def holds(stay: Row, level: Mapping[str, Any], lists: Lists, mean_fen: int | None) -> bool:
    """Whether all conditions of a level hold for a stay."""
    if level.get("ways") and stay["dscg_way"] not in level["ways"]:
        return False
    others = stay["diag_codes"][1:]
    if level.get("lists") and not any(
        stands_in(code, name, lists) for code in others for name in level["lists"]
    ):
        return False
    for what in ("los", "cci", "age", "age_days", "icu_days"):
        low, high = level.get(f"{what}_from"), level.get(f"{what}_upto")
        if low is None and high is None:
            continue
        value = figure(stay, what, lists)
        if value is None or (low is not None and value < low) or (high is not None and value > high):
            return False
    if level.get("fees"):
        total = stay["medfee_sumamt_fen"]
        fees = sum(stay.get(f"{fee}_fen") or 0 for fee in level["fees"])
        if total <= 0 or Fraction(fees, total) < number(level["fee_share_from"]):
            return False
    if level.get("cost_from") is not None:
        return mean_fen is not None and stay["cost_fen"] >= number(level["cost_from"]) * mean_fen
    return True


def level_of(
    stay: Row, family: Mapping[str, Any], rules: Mapping[str, Any], lists: Lists, mean_fen: int | None
) -> str:
    """The level of a stay in a family."""
    main = stay["diag_codes"][0]
    inside = family.get("main_in")
    if inside and not any(stands_in(main, name, lists) for name in inside):
        return "other"
    if any(stands_in(main, name, lists) for name in family.get("main_not_in") or []):
        return "other"
    for level in family["levels"]:
        if not holds(stay, level, lists, mean_fen):
            continue
        if level.get("split_by"):
            other = next(one for one in rules["families"] if one["name"] == level["split_by"])
            return f"{level['name']}/{level_of(stay, other, rules, lists, mean_fen)}"
        return str(level["name"])
    return "other"


def spread(costs: Sequence[int]) -> int | None:
    """Coefficient of variation in 1/10^9, cut off."""
    if sum(costs) <= 0:
        return None
    mean = Fraction(sum(costs), len(costs))
    variance = sum((cost - mean) ** 2 for cost in costs) / len(costs)
    square = variance / mean**2 * 10**18
    return isqrt(square.numerator // square.denominator)


def divided(
    stays: Sequence[Row], levels: Sequence[str], years: Sequence[int], rules: Mapping[str, Any]
) -> tuple[str, dict[str, int]]:
    """What becomes of a family in a group, and the coefficients of its levels if it may be taken."""
    settings = rules["auxiliary"]
    least = settings["min_level_cases"]
    named = [one if list(levels).count(one) >= least else "other" for one in levels]
    of = {one: [s for s, own in zip(stays, named, strict=True) if own == one] for one in set(named)}
    costs = [stay["cost_fen"] for stay in stays]
    means = {one: weighted_mean(by_year(rows), years, rules["weights"]) for one, rows in of.items()}
    spreads = {one: spread([stay["cost_fen"] for stay in rows]) for one, rows in of.items()}
    whole = spread(costs)
    if whole is None or None in spreads.values() or any(mean is None or mean < 0 for mean in means.values()):
        return "no_cost", {}
    if len(of) == 1:
        return "one_level", {}
    inside = sum(len(of[one]) * (spreads[one] or 0) for one in of)
    if not whole or inside > (1 - number(settings["cv_drop"])) * len(stays) * whole:
        return "cv_not_lower", {}
    mean = weighted_mean(by_year(stays), years, rules["weights"])
    if mean is None or mean <= 0:
        return "no_cost", {}
    step = step_for(settings["decimals"])
    found = {one: half_up((own or Fraction(0)) / mean * E4, step) for one, own in means.items()}
    if "other" in of and len(of["other"]) < least:
        found["other"] = E4
    return "able", found


def measure(
    history: Sequence[Row], layers: Mapping[str, str], weights: Row, lists: Lists, rules: Mapping[str, Any]
) -> dict[str, Row]:
    """Family and coefficients of every group that has one. ``history``: stays that count for weights."""
    settings = rules["auxiliary"]
    by_cost = (rules["stability"] or {}).get("rule") == "share_of_cost"
    found: dict[str, Row] = {}
    for gid, group in weights["groups"].items():
        own = [stay for stay in history if stay["group_id"] == gid]
        if layers[gid] in settings["excluded_layers"] or (by_cost and not group["stable"]) or not own:
            continue
        left = kept(by_year(own), rules["weights"]["trim"])
        own = [stay for stay in own if stay["cost_fen"] in left.get(stay["year"], [])]
        if len(own) < settings["min_cases"]:
            continue
        best: tuple[int, str, dict[str, int]] | None = None
        for family in settings["families"]:
            levels = [level_of(stay, family, settings, lists, group["mean_cost_fen"]) for stay in own]
            _, values = divided(own, levels, weights["years"], rules)
            if values and (best is None or max(values.values()) > best[0]):
                best = (max(values.values()), family["name"], values)
        if best is not None:
            found[gid] = {"family": best[1], "values": best[2]}
    return found


def auxiliary_of(stay: Row, group_id: str, weights: Row, rules: Mapping[str, Any]) -> Row:
    """Family, level and coefficient of a stay that its group's weight pays."""
    settings = rules["auxiliary"]
    if settings is None:
        return {**NONE}
    found, lists = weights["auxiliary"], weights["lists"]
    mean = weights["groups"][group_id]["mean_cost_fen"]
    by_name = {family["name"]: family for family in settings["families"]}
    if settings["source"] == "measured":
        if group_id not in found:
            return {**NONE}
        name, values = found[group_id]["family"], found[group_id]["values"]
        level = level_of(stay, by_name[name], settings, lists, mean)
        level = level if level in values else "other"
        return {"auxiliary_family": name, "auxiliary_level": level, "auxiliary_e4": values.get(level, E4)}
    best = None
    for place, (name, family) in enumerate(by_name.items()):
        level = level_of(stay, family, settings, lists, mean)
        for row in found:
            if (row["group_id"], row["family"], row["level"]) != (group_id, name, level):
                continue
            days = stay["act_ipt_days"]
            if row["los_from"] is not None and days < row["los_from"]:
                continue
            if row["los_upto"] is not None and days > row["los_upto"]:
                continue
            if best is None or (row["coefficient_e4"], -place) > best[0]:
                best = ((row["coefficient_e4"], -place), name, level)
    if best is None:
        return {**NONE}
    return {"auxiliary_family": best[1], "auxiliary_level": best[2], "auxiliary_e4": best[0][0]}
