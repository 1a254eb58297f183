"""Point values per pool (docs/rules.md, section 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, number, step_for
from twins.weights import quantile, weight_of_year

LESS = (3 - Decimal(5).sqrt()) / 2


def value_from(cost_fen: Fraction, points_e4: Fraction, decimals: int) -> int | None:
    """Yuan per point at 1/10,000; None without points."""
    if points_e4 == 0:
        return None
    yuan_per_point = Fraction(cost_fen, 100) / Fraction(points_e4, E4)
    return half_up(yuan_per_point * E4, step_for(decimals))


def cut(stays: Sequence[Row], settings: Mapping[str, Any]) -> list[Row]:
    """The stays of a pool whose cost per point lies between the quantiles of the policy."""
    per_point = {
        id(stay): half_up(Fraction(stay["cost_fen"] * E4 * E4, stay["points_base_e4"] * 100))
        for stay in stays
        if stay["points_base_e4"] > 0
    }
    if not per_point:
        return []
    values = sorted(per_point.values())
    low, high = (quantile(values, number(settings[name])) for name in ("opening_low", "opening_high"))
    return [stay for stay in stays if id(stay) in per_point and low <= per_point[id(stay)] <= high]


def favourable(sums: Sequence[tuple[int, int, int]], both: bool) -> Fraction | None:
    """Fen per 1/10,000 point of the hospitals that are cheaper than all, given cost, points, stays of each."""
    cost, points, stays = (sum(one[n] for one in sums) for n in range(3))
    if points == 0:
        return None
    mean, per_stay = Fraction(cost, points), Fraction(cost, stays)
    cheap = [one for one in sums if one[1] and Fraction(one[0], one[1]) < mean]
    if both:
        cheap = [one for one in cheap if Fraction(one[0], one[2]) < per_stay]
        places = [(Fraction(c, p) / mean, Fraction(c, n) / per_stay) for c, p, n in cheap]
        return middle(places) * mean if places else mean
    return Fraction(sum(c for c, _, _ in cheap), sum(p for _, p, _ in cheap)) if cheap else mean


def middle(places: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """First coordinate of the geometric median: exact on a line, else by searching ever smaller intervals."""
    (ax, ay), (bx, by) = min(places), max(places)
    if all((bx - ax) * (y - ay) == (by - ay) * (x - ax) for x, y in places):
        ordered = sorted(places)
        half = len(ordered) // 2
        if len(ordered) % 2:
            return ordered[half][0]
        return (ordered[half - 1][0] + ordered[half][0]) / 2
    with localcontext() as context:
        context.prec = 50
        points = [
            (Decimal(x.numerator) / x.denominator, Decimal(y.numerator) / y.denominator) for x, y in places
        ]

        def far(x: Decimal, y: Decimal) -> Decimal:
            return sum((((px - x) ** 2 + (py - y) ** 2).sqrt() for px, py in points), Decimal(0))

        def best_y(x: Decimal) -> Decimal:
            low, high = min(y for _, y in points), max(y for _, y in points)
            for _ in range(60):
                one, two = low + (high - low) * LESS, high - (high - low) * LESS
                low, high = (low, two) if far(x, one) < far(x, two) else (one, high)
            return far(x, (low + high) / 2)

        low, high = min(x for x, _ in points), max(x for x, _ in points)
        for _ in range(60):
            one, two = low + (high - low) * LESS, high - (high - low) * LESS
            low, high = (low, two) if best_y(one) < best_y(two) else (one, high)
        return Fraction((low + high) / 2)


def opening_values(
    history: Sequence[Row], pools: Sequence[Row], years: Sequence[int], rules: Mapping[str, Any]
) -> dict[str, int | None]:
    """Opening value of every pool; history stays carry pool, year, cost_fen, points_base_e4, fixmedins_code."""
    settings = rules["point_value"]
    method, decimals = settings["opening"], settings["decimals"]
    if method == "trimmed":
        by_pool: dict[str, list[Row]] = defaultdict(list)
        for stay in history:
            by_pool[stay["pool"]].append(stay)
        history = [stay for stays in by_pool.values() for stay in cut(stays, settings)]

    def measured(stays: Sequence[Row]) -> int | None:
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for stay in stays:
            w = weight_of_year(stay["year"], years, rules["weights"]["year_weights"])
            mine = sums[stay.get("fixmedins_code", "")]
            for n, amount in enumerate((stay["cost_fen"], stay["points_base_e4"], 1)):
                mine[n] += w * amount
        each = [(cost, points, n) for cost, points, n in sums.values()]
        if method.startswith("favourable"):
            found = favourable(each, method == "favourable_2d")
            return None if found is None else value_from(found, Fraction(1), decimals)
        cost, points = Fraction(sum(c for c, _, _ in each)), Fraction(sum(p for _, p, _ in each))
        return value_from(cost, points, decimals)

    found: dict[str, int | None] = {}
    for pool in pools:
        own = measured([stay for stay in history if stay["pool"] == pool["id"]])
        found[pool["id"]] = own if own is not None else measured(history)
        if pool["opening_value_e4"] is not None:
            found[pool["id"]] = pool["opening_value_e4"]
    return found


def payment_ratio(cost_fen: int, booked_fen: int) -> Fraction:
    """Booked / cost; 1 if nothing was booked."""
    return Fraction(booked_fen, cost_fen) if booked_fen and cost_fen else Fraction(1)
