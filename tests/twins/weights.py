"""Weights, means and institution coefficients of a history (docs/rules.md, section 3).

A history stay is a dict with ``year``, ``cost_fen``, ``group_id`` (None without) and ``fixmedins_code``.
Negotiated weights are a dict of group -> weight at 1/10,000, weights of the catalogue one of group -> text or None.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import sqrt
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, number, step_for
from twins.tcm import state

Costs = dict[int, list[int]]


class RefusedError(Exception):
    """What the rules do not allow: the engine says so in words."""


def by_year(stays: Iterable[Row]) -> Costs:
    """Costs of stays per year of discharge."""
    found: Costs = defaultdict(list)
    for stay in stays:
        found[stay["year"]].append(stay["cost_fen"])
    return dict(found)


def weight_of_year(year: int, years: Sequence[int], year_weights: Sequence[int]) -> int:
    """Weight of a year: the last for the newest year of the history, the last but one for the one before."""
    later = sum(one > year for one in years)
    return year_weights[-1 - later]


def weighted_mean(costs: Costs, years: Sequence[int], weights: Mapping[str, Any]) -> Fraction | None:
    """Mean over years: of the yearly means, or of weighted costs; None without stays."""
    top, below = Fraction(0), Fraction(0)
    for year, values in costs.items():
        w = weight_of_year(year, years, weights["year_weights"])
        if not values:
            continue
        if weights["pooling"] == "yearly_means":
            top += w * Fraction(sum(values), len(values))
            below += w
        else:
            top += w * sum(values)
            below += w * len(values)
    return top / below if below else None


def quantile(sorted_costs: Sequence[int], q: Fraction) -> Fraction:
    """Value at position q (n - 1), linear between neighbours."""
    at = q * (len(sorted_costs) - 1)
    low = at.numerator // at.denominator
    high = min(low + 1, len(sorted_costs) - 1)
    return sorted_costs[low] + (at - low) * (sorted_costs[high] - sorted_costs[low])


def kept(costs: Costs, trim: Mapping[str, Any]) -> Costs:
    """What trimming leaves of a group's costs, over all its years together."""
    every = sorted(cost for values in costs.values() for cost in values)
    n = len(every)
    if trim["method"] == "none" or n < trim["min_cases"]:
        return costs
    mean = Fraction(sum(every), n)
    if trim["method"] == "percentile":
        low, high = (quantile(every, number(trim[end])) for end in ("low", "high"))
    elif trim["method"] == "factor":
        low, high = (number(trim[end]) * mean for end in ("low", "high"))
    else:
        variance = sum((cost - mean) ** 2 for cost in every) / n
        limit = number(trim["k"]) ** 2 * variance
        return {year: [c for c in values if (c - mean) ** 2 <= limit] for year, values in costs.items()}
    return {year: [c for c in values if low <= c <= high] for year, values in costs.items()}


def coefficient_of_variation(values: Sequence[int]) -> float | None:
    """Population standard deviation / mean."""
    if not values or not sum(values):
        return None
    mean = Fraction(sum(values), len(values))
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return sqrt(variance) / float(mean)


def is_stable(history_cases: int, values: Sequence[int], stability: Mapping[str, Any]) -> bool:
    """Little spread or enough stays, or both."""
    little = False
    if sum(values):
        mean = Fraction(sum(values), len(values))
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        little = variance <= (number(stability["cv_max"]) * mean) ** 2
    enough = history_cases >= stability["min_cases"]
    return (little and enough) if stability["both"] else (little or enough)


def bounded(value: int, coefficients: Mapping[str, Any]) -> int:
    """A coefficient between floor and cap."""
    if coefficients["floor"] is not None:
        value = max(value, half_up(number(coefficients["floor"]) * E4))
    if coefficients["cap"] is not None:
        value = min(value, half_up(number(coefficients["cap"]) * E4))
    return value


def cost_coefficient(own: Sequence[int], every: Sequence[int], coefficients: Mapping[str, Any]) -> int:
    """Coefficient of a hospital in a group from the kept costs of both."""
    if len(own) < coefficients["min_cases"] or sum(own) <= 0 or sum(every) <= 0:
        return E4
    ratio = Fraction(sum(own), len(own)) / Fraction(sum(every), len(every))
    return bounded(half_up(ratio * E4, step_for(coefficients["decimals"])), coefficients)


def negotiated(groups: dict[str, dict[str, Any]], overrides: Mapping[str, int], decimals: int) -> None:
    """Put negotiated weights in and rescale the others, so that the sum of weight x stays does not change."""
    total = sum((group["rw_e4"] or 0) * group["history_cases"] for group in groups.values())
    fixed = sum(weight * groups[gid]["history_cases"] for gid, weight in overrides.items())
    rest = sum(
        (group["rw_e4"] or 0) * group["history_cases"]
        for gid, group in groups.items()
        if gid not in overrides
    )
    if rest == 0 or total - fixed <= 0:
        raise RefusedError("negotiated")
    step = step_for(decimals)
    exact = {}
    for gid, group in groups.items():
        if gid in overrides:
            group["rw_e4"] = overrides[gid]
        elif group["rw_e4"] is not None:
            exact[gid] = group["rw_e4"] * Fraction(total - fixed, rest)
            whole = step * (exact[gid] // step)
            if whole == 0 or group["history_cases"] == 0:
                whole = half_up(exact.pop(gid), step)
            group["rw_e4"] = whole

    def missing() -> int:
        return total - sum((g["rw_e4"] or 0) * g["history_cases"] for g in groups.values())

    lost = sorted(exact, key=lambda gid: (groups[gid]["rw_e4"] - exact[gid], gid))
    up = set()
    for gid in lost:
        if groups[gid]["history_cases"] * step <= missing():
            groups[gid]["rw_e4"] += step
            up.add(gid)
    last = missing()
    if last < step:
        return
    for gid in lost:
        if gid in up:
            continue
        for other in reversed(lost):
            differ = groups[gid]["history_cases"] - groups[other]["history_cases"]
            if other in up and differ == last // step:
                groups[gid]["rw_e4"] += step
                groups[other]["rw_e4"] -= step
                return
    rest_of = [(groups[gid]["history_cases"], place, gid) for place, gid in enumerate(lost) if gid not in up]
    for stays, _, gid in sorted(rest_of)[:1]:
        if abs(last - stays * step) < last:
            groups[gid]["rw_e4"] += step


def class_of(hospital: Row, coefficients: Mapping[str, Any]) -> tuple[Any, ...]:
    """Class of a hospital: the named columns."""
    return tuple(hospital[column] for column in coefficients["by"])


def coefficients_of(
    history: Sequence[Row],
    hospitals: Sequence[Row],
    rules: Mapping[str, Any],
    years: Sequence[int],
    mean_all: Fraction,
    bonuses: Sequence[Row],
) -> dict[str, int]:
    """Institution coefficient of every hospital, at 1/10,000."""
    settings = rules["coefficients"]
    found = {}
    for hospital in hospitals:
        own = class_of(hospital, settings)
        same = {h["fixmedins_code"] for h in hospitals if class_of(h, settings) == own}
        costs = by_year(stay for stay in history if stay["fixmedins_code"] in same)
        mean = weighted_mean(costs, years, rules["weights"])
        value = E4
        if mean is not None and mean_all:
            value = half_up(mean / mean_all * E4, step_for(settings["decimals"]))
            value = value if settings["form"] == "basic_bonus" else bounded(value, settings)
        given = hospital["coefficient_e4"]
        if given is None and settings["form"] in ("basic_bonus", "product"):
            value = by_items(hospital, value, settings, bonuses)
        found[hospital["fixmedins_code"]] = value if given is None else given
    return found


def by_items(hospital: Row, basic_e4: int, settings: Mapping[str, Any], bonuses: Sequence[Row]) -> int:
    """Basic coefficient plus the items of a hospital, or its items and the factor of its level multiplied."""
    total = Fraction(basic_e4, E4)
    if settings["form"] == "product":
        total = number(settings["levels"][hospital["level"]]) if settings["levels"] else Fraction(1)
    for item in settings["items"]:
        own = [
            row["value_e4"]
            for row in bonuses
            if (row["fixmedins_code"], row["item"]) == (hospital["fixmedins_code"], item["name"])
        ]
        value = Fraction(own[0], E4) if own else number(item["default"])
        if settings["form"] == "basic_bonus":
            value *= number(item["weight"])
        if item["cap"] is not None and value > number(item["cap"]):
            value = number(item["cap"])
        total = total * value if settings["form"] == "product" else total + value
    return bounded(max(0, half_up(total * E4, step_for(settings["decimals"]))), settings)


def in_group(
    kept_stays: Sequence[Row], hospitals: Sequence[Row], rules: Mapping[str, Any], years: Sequence[int]
) -> dict[tuple[Any, ...], int]:
    """Coefficients of the classes in one group from its kept stays; none if a condition fails."""
    settings = rules["coefficients"]
    whole = weighted_mean(by_year(kept_stays), years, rules["weights"])
    means = {}
    for one in {class_of(hospital, settings) for hospital in hospitals}:
        codes = {h["fixmedins_code"] for h in hospitals if class_of(h, settings) == one}
        own = [stay for stay in kept_stays if stay["fixmedins_code"] in codes]
        if len(own) < settings["min_cases"]:
            return {}
        means[one] = weighted_mean(by_year(own), years, rules["weights"])
        if means[one] <= 0:  # type: ignore[operator]
            return {}
    if "level" in settings["by"]:
        at = settings["by"].index("level")
        for one, mean in means.items():
            for other, more in means.items():
                alike = (one[:at], one[at + 1 :]) == (other[:at], other[at + 1 :])
                below = settings["level_order"].index(one[at]) < settings["level_order"].index(other[at])
                if alike and below and more < mean:  # type: ignore[operator]
                    return {}
    step = step_for(settings["decimals"])
    return {
        one: bounded(half_up(mean / whole * E4, step), settings)  # type: ignore[operator]
        for one, mean in means.items()
    }


def base_mean(
    weights: Mapping[str, Any], means: Mapping[str, Fraction | None], mean_all: Fraction
) -> Fraction:
    """What a group's mean is divided by, in fen, before the scale."""
    if weights["method"] == "benchmark":
        mean = means[weights["benchmark_group"]]
        assert mean is not None
        return mean
    if weights["method"] == "standard_amount":
        return number(weights["standard_yuan"]) * 100
    return mean_all


def weigh(
    history: Sequence[Row],
    group_ids: Iterable[str],
    hospitals: Sequence[Row],
    rules: Mapping[str, Any],
    overrides: Mapping[str, int] | None = None,
    given: Mapping[str, str | None] | None = None,
    bonuses: Sequence[Row] = (),
    conservative: Iterable[str] = (),
    stated: Mapping[str, Row] | None = None,
) -> dict[str, Any]:
    """Weights of the groups, references of deviation and coefficients of the hospitals.

    ``bonuses``: fixmedins_code, item, value_e4. ``conservative``: groups of stays without operation.
    ``stated``: what the catalogue states of its TCM-advantage groups.
    """
    settings = rules["weights"]
    years = sorted({stay["year"] for stay in history})
    newest = years[-1]
    level = {hospital["fixmedins_code"]: hospital["level"] for hospital in hospitals}
    mean_all = weighted_mean(by_year(history), years, settings)
    assert mean_all is not None
    groups: dict[str, dict[str, Any]] = {}
    means: dict[str, Fraction | None] = {}
    level_means: dict[tuple[str, Any], int] = {}
    newest_means: dict[str, int] = {}
    by_cost = rules["coefficients"]["form"] == "cost"
    costs_of: dict[tuple[str, str], int] = {}
    classes = {
        hospital["fixmedins_code"]: class_of(hospital, rules["coefficients"])
        for hospital in hospitals
        if hospital["coefficient_e4"] is None
    }
    for gid in group_ids:
        own = [stay for stay in history if stay["group_id"] == gid]
        costs = by_year(own)
        left = kept(costs, settings["trim"])
        values = [cost for year in left.values() for cost in year]
        means[gid] = weighted_mean(left, years, settings)
        groups[gid] = {
            "history_cases": len(own),
            "trimmed_cases": len(own) - len(values),
            "cv": coefficient_of_variation(values),
            "stable": None,
        }
        if rules["stability"] is not None:
            groups[gid]["stable"] = is_stable(len(own), values, rules["stability"])
        # A cost is kept or trimmed by its amount alone, so levels can be looked at afterwards.
        last = [stay for stay in own if stay["year"] == newest and stay["cost_fen"] in left[newest]]
        if last:
            newest_means[gid] = half_up(Fraction(sum(s["cost_fen"] for s in last), len(last)))
        for one in {level[stay["fixmedins_code"]] for stay in last}:
            same = [stay["cost_fen"] for stay in last if level[stay["fixmedins_code"]] == one]
            level_means[gid, one] = half_up(Fraction(sum(same), len(same)))
        if by_cost:
            counted = years[-rules["coefficients"]["cost_years"] :]
            inside = [s for s in own if s["year"] in counted and s["cost_fen"] in left[s["year"]]]
            every = [stay["cost_fen"] for stay in inside]
            for code in level:
                mine = [stay["cost_fen"] for stay in inside if stay["fixmedins_code"] == code]
                costs_of[code, gid] = cost_coefficient(mine, every, rules["coefficients"])
        if rules["coefficients"]["form"] == "group" and gid not in set(conservative):
            inside = [s for s in own if s["cost_fen"] in left[s["year"]]]
            found = in_group(inside, hospitals, rules, years) if inside else {}
            costs_of |= {(code, gid): found[one] for code, one in classes.items() if one in found}
    base = Fraction(1) if given is not None else base_mean(settings, means, mean_all)
    for gid, group in groups.items():
        mean = means[gid]
        group["mean_cost_fen"] = None if mean is None else half_up(mean)
        group["rw_e4"] = None
        # Costs that add up to 0 give no weights; such a history is no region.
        weight = None if mean is None or not base else mean / base
        if given is not None:
            text = given.get(gid)
            weight = None if text is None else number(text)
        if weight is not None and gid not in (stated or {}):
            group["rw_e4"] = half_up(weight * settings["scale"] * E4, step_for(settings["decimals"]))
    if overrides:
        negotiated(groups, overrides, settings["decimals"])
    state(groups, stated or {}, settings)
    coefficients: dict[str, int | None] = dict(
        coefficients_of(history, hospitals, rules, years, mean_all, bonuses)
    )
    if by_cost:
        coefficients = {hospital["fixmedins_code"]: hospital["coefficient_e4"] for hospital in hospitals}
    return {
        "years": years,
        "newest": newest,
        "mean_all": mean_all,
        "groups": groups,
        "level_means": level_means,
        "newest_means": newest_means,
        "coefficients": coefficients,
        "costs": costs_of,
    }
