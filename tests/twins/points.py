"""Points of one case (docs/rules.md, section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from twins.codes import Row
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
) -> dict[str, int | None]:
    """Weight, coefficient and points before deviation of a stay; without group a share of its cost."""
    if group_id is None:
        points = 0
        if rules["ungrouped"]["rule"] == "share_of_cost":
            mean = half_up(weights["mean_all"])
            scale = rules["weights"]["scale"] * number(rules["ungrouped"]["factor"])
            points = max(0, half_up(Fraction(cost_fen, mean) * scale * E4, step_of(rules)))
        return {"rw_e4": None, "coefficient_e4": None, "points_base_e4": points}
    rw = weights["groups"][group_id]["rw_e4"]
    h = E4 if grassroots and rules["coefficients"]["grassroots_exempt"] else coefficient_e4
    return {"rw_e4": rw, "coefficient_e4": h, "points_base_e4": half_up(Fraction(rw * h, E4), step_of(rules))}


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


def deviate(rw_e4: int, h_e4: int, cost_fen: int, band: Mapping[str, Any], reference: int | None) -> Fraction:
    """Points of a case in its band, unrounded; ``reference`` is what the formula divides by, if it does."""
    s, h = Fraction(rw_e4), Fraction(h_e4, E4)
    limit = number(band["above"])
    kind = band["points"]
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


def score(
    group_id: str | None,
    cost_fen: int,
    hospital: Row,
    grassroots: bool,
    opening_e4: int | None,
    weights: Row,
    rules: Mapping[str, Any],
) -> dict[str, Any]:
    """Points of one paid stay: weight, coefficient, before deviation, band, reference, points."""
    own = weights["coefficients"][hospital["fixmedins_code"]]
    result: dict[str, Any] = dict(base_points(group_id, cost_fen, own, grassroots, weights, rules))
    base = result["points_base_e4"]
    result.update(deviation=None, reference_fen=None, points_e4=base)
    if group_id is None:
        return result
    settings = rules["deviation"]
    test, factor, standard = (
        reference_fen(kind, group_id, hospital["level"], base, opening_e4, weights)
        for kind in (settings["test_reference"], settings["factor_reference"], "payment_standard")
    )
    result["reference_fen"] = test
    if not test:
        return result
    band = pick_band(Fraction(cost_fen, test), settings["bands"])
    divisor = standard if band["points"] == "actual_cost" else factor
    exact = deviate(result["rw_e4"], result["coefficient_e4"], cost_fen, band, divisor)
    result.update(deviation=band["name"], points_e4=half_up(exact, step_of(rules)))
    return result
