"""Point values per pool (docs/rules.md, section 5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, step_for
from twins.weights import RefusedError, weight_of_year


def value_from(cost_fen: Fraction, points_e4: Fraction, decimals: int) -> int | None:
    """Yuan per point at 1/10,000; None without points."""
    if points_e4 == 0:
        return None
    yuan_per_point = Fraction(cost_fen, 100) / Fraction(points_e4, E4)
    return half_up(yuan_per_point * E4, step_for(decimals))


def opening_values(
    history: Sequence[Row], pools: Sequence[Row], years: Sequence[int], rules: Mapping[str, Any]
) -> dict[str, int | None]:
    """Opening value of every pool; history stays carry pool, year, cost_fen, points_base_e4."""
    cost: dict[str, Fraction] = defaultdict(Fraction)
    points: dict[str, Fraction] = defaultdict(Fraction)
    for stay in history:
        w = weight_of_year(stay["year"], years, rules["weights"]["year_weights"])
        cost[stay["pool"]] += w * stay["cost_fen"]
        points[stay["pool"]] += w * stay["points_base_e4"]
    decimals = rules["point_value"]["decimals"]
    over_all = value_from(sum(cost.values(), Fraction(0)), sum(points.values(), Fraction(0)), decimals)
    found: dict[str, int | None] = {}
    for pool in pools:
        own = value_from(cost[pool["id"]], points[pool["id"]], decimals)
        found[pool["id"]] = own if own is not None else over_all
        if pool["opening_value_e4"] is not None:
            found[pool["id"]] = pool["opening_value_e4"]
    return found


def settlement_value(
    fund_fen: int,
    ratio: Fraction,
    others_fen: int,
    points_e4: int,
    rules: Mapping[str, Any],
    opening_e4: int | None = None,
) -> int | None:
    """Settlement value of a pool, or its opening value.

    ``fund_fen``: without what is paid directly; ``ratio``: payment ratio; ``others_fen``: what others paid for
    the stays that points price.
    """
    settings = rules["point_value"]
    if settings["rate"] == "fixed":
        if points_e4 and opening_e4 is None:
            raise RefusedError("no opening value")
        return opening_e4 if points_e4 else None
    by_difference = settings["settlement"] == "difference"
    money = Fraction(fund_fen + others_fen) if by_difference else fund_fen / ratio
    return value_from(money, Fraction(points_e4), settings["decimals"])


def payment_ratio(cost_fen: int, booked_fen: int) -> Fraction:
    """Booked / cost; 1 if nothing was booked."""
    return Fraction(booked_fen, cost_fen) if booked_fen and cost_fen else Fraction(1)
