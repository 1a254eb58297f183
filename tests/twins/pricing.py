"""What points are worth, pool by pool and period by period (docs/rules.md, sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, number, split, step_for
from twins.settlement import own_payments, total
from twins.values import payment_ratio
from twins.weights import RefusedError

PERIODS = {"year": 1, "quarter": 4, "month": 12}


def worth(points_e4: int, value_e4: int, ratio: Fraction) -> Fraction:
    """Points at a value, on the side of the fund, in fen."""
    return Fraction(points_e4 * value_e4, E4 * E4) * 100 * ratio


def set_fixed(
    stays: Sequence[Row],
    rules: Mapping[str, Any],
    rigid: Mapping[str, int],
    last_points: Mapping[tuple[str, str], int],
) -> None:
    """Give every stay its fixed points and its period."""
    settings = rules["point_value"]
    elastic = settings["elastic"]
    for stay in stays:
        stay["period"] = (stay["month"] - 1) * PERIODS[settings["period"]] // 12
        points = stay["points_e4"]
        fixed = points if settings["rate"] == "fixed" else 0
        if elastic is not None:
            form, weight = elastic["form"], stay["rw_e4"]
            if form == "base_volume" and elastic["base"] == "this_year":
                fixed = half_up(points * number(elastic["base_share"]))
            elif form == "severe" and weight is not None:
                limit = elastic["severe_from"]
                heavy = limit is not None and weight >= number(limit) * E4
                fixed = points if heavy or stay["group_id"] in elastic["severe_groups"] else 0
            elif form == "rigid_cost" and weight is not None:
                fixed = half_up(Fraction(points * rigid.get(stay["group_id"], 0), E4))
        stay["fixed_points_e4"] = fixed
    if elastic is not None and elastic["form"] == "base_volume" and elastic["base"] == "last_year":
        for account in {(stay["fixmedins_code"], stay["pool"]) for stay in stays}:
            mine = [stay for stay in stays if (stay["fixmedins_code"], stay["pool"]) == account]
            base = half_up(last_points.get(account, 0) * number(elastic["base_share"]))
            volume = min(base, total(mine, "points_e4"))
            parts = split(volume, {stay["setl_id"]: stay["points_e4"] for stay in mine})
            for stay in mine:
                stay["fixed_points_e4"] = parts[stay["setl_id"]]


def rigid_shares(history: Sequence[Row], rules: Mapping[str, Any]) -> dict[str, int]:
    """Share of the named fees in the cost of each group's history stays, at 1/10,000."""
    elastic = rules["point_value"]["elastic"]
    if elastic is None or elastic["form"] != "rigid_cost":
        return {}
    found = {}
    for gid in {row["group_id"] for row in history if row["group_id"] is not None}:
        mine = [row for row in history if row["group_id"] == gid]
        cost = total(mine, "cost_fen")
        fees = sum(row[f"{fee}_fen"] or 0 for row in mine for fee in elastic["fees"])
        found[gid] = min(E4, max(0, half_up(Fraction(fees * E4, cost)))) if cost > 0 else 0
    return found


def parts_of_fund(left: int, parts: Sequence[Sequence[Row]], rules: Mapping[str, Any]) -> list[int]:
    """What of the fund each period has for its points."""
    if len(parts) == 1:
        return [left]
    with_points = [n for n, part in enumerate(parts) if total(part, "points_e4") > 0]
    if not with_points:
        return [left] + [0] * (len(parts) - 1)
    booked = {n: total(part, "booked_fen") for n, part in enumerate(parts)}
    shares = dict.fromkeys(with_points, 1)
    if rules["point_value"]["period_split"] == "booked" and any(amount > 0 for amount in booked.values()):
        shares = {n: max(0, booked[n]) for n in with_points}
        if not any(shares.values()):
            shares = dict.fromkeys(with_points, 1)
    split_up = split(left, shares)
    return [split_up.get(n, 0) for n in range(len(parts))]


def value_of(
    money: int,
    points: int,
    fixed: int,
    opening: int | None,
    ratio: Fraction,
    reserve: int,
    rules: Mapping[str, Any],
) -> tuple[int | None, str | None]:
    """Value of the floating points of one period and what limits it; ``money`` on the side of the fund."""
    settings = rules["point_value"]
    if points == 0:
        return None, None
    if fixed and opening is None:
        raise RefusedError("no opening value")
    if points == fixed:
        return opening, "fixed" if settings["rate"] == "elastic" else None
    floating, decimals = points - fixed, settings["decimals"]
    taken = Fraction(fixed * (opening or 0), E4 * E4) * 100
    exact = (money / ratio - taken) / 100 * E4 * E4 / floating
    step = step_for(decimals)
    if opening is not None and settings["ceiling"] is not None:
        most = half_up(opening * number(settings["ceiling"]), step)
        if exact > most:
            return most, "ceiling"
    if opening is not None and settings["floor"] is not None:
        least = half_up(opening * number(settings["floor"]), step)
        if exact < least:
            needs = half_up(worth(fixed, opening, ratio)) + half_up(worth(floating, least, ratio))
            if needs - money <= reserve:
                return least, "floor"
            all_money = (money + max(0, reserve)) / ratio - taken
            payable = all_money / 100 * E4 * E4 / floating
            return max(0, floor(payable / step) * step), "reserve"
    if fixed and exact < 0:
        return 0, "zero"
    return half_up(exact, step), None


def price_pool(
    stays: Sequence[Row], fund_fen: int, reserve_fen: int, opening: int | None, rules: Mapping[str, Any]
) -> dict[str, Any]:
    """Values of one pool and the amounts before assessment of its hospitals and stays.

    ``stays`` carry direct_fen, fixed_points_e4 and period.
    """
    settings = rules["point_value"]
    difference = settings["settlement"] == "difference"
    ratio = payment_ratio(total(stays, "cost_fen"), total(stays, "booked_fen"))
    side = Fraction(1) if difference else ratio
    direct = sum(stay["direct_fen"] or 0 for stay in stays)
    periods = range(PERIODS[settings["period"]])
    parts = [[stay for stay in stays if stay["period"] == n] for n in periods]
    codes = sorted({stay["fixmedins_code"] for stay in stays})
    gross = dict.fromkeys(codes, 0)
    paid = {stay["setl_id"]: stay["direct_fen"] or 0 for stay in stays}
    for stay in stays:
        gross[stay["fixmedins_code"]] += stay["direct_fen"] or 0
    values = []
    for part, left in zip(parts, parts_of_fund(fund_fen - direct, parts, rules), strict=True):
        priced = [stay for stay in part if stay["direct_fen"] is None]
        points, fixed = total(part, "points_e4"), total(part, "fixed_points_e4")
        money = left + (own_payments(priced) if difference else 0)
        value, limit = value_of(money, points, fixed, opening, side, reserve_fen, rules)
        fixed_fen = half_up(worth(fixed, opening or 0, side)) if value is not None else 0
        floating_fen = 0
        if value is not None and points > fixed:
            floating_fen = money - fixed_fen
            if limit is not None:
                floating_fen = half_up(worth(points - fixed, value, side))
            if limit == "reserve":
                room = money + max(0, reserve_fen) - fixed_fen
                floating_fen = min(floating_fen, max(0, room))
        if value is not None:
            reserve_fen -= max(0, fixed_fen + floating_fen - money)
        values.append({"value": value, "limit": limit, "points": points - fixed})
        for stay in part:
            stay["point_value_e4"], stay["standard_fen"] = value, None
            if value is not None:
                one = worth(stay["fixed_points_e4"], opening or 0, Fraction(1))
                rest = worth(stay["points_e4"] - stay["fixed_points_e4"], value, Fraction(1))
                stay["standard_fen"] = half_up(one + rest)
        if value is None:
            continue
        of = {code: [stay for stay in priced if stay["fixmedins_code"] == code] for code in codes}
        firm = {code: total(of[code], "fixed_points_e4") for code in codes}
        loose = {code: total(of[code], "points_e4") - firm[code] for code in codes}
        if rules["settlement"]["residual"] == "apportion":
            amounts = [split(fixed_fen, firm), split(floating_fen, loose)]
        else:
            both = {
                code: half_up(worth(firm[code], opening or 0, side) + worth(loose[code], value, side))
                for code in codes
            }
            first = {
                code: half_up(worth(firm[code], opening or 0, side)) if loose[code] else both[code]
                for code in codes
            }
            amounts = [first, {code: both[code] - first[code] for code in codes}]
        for code in codes:
            gross[code] += amounts[0][code] + amounts[1][code]
            shares = [
                split(amounts[0][code], {stay["setl_id"]: stay["fixed_points_e4"] for stay in of[code]}),
                split(
                    amounts[1][code],
                    {stay["setl_id"]: stay["points_e4"] - stay["fixed_points_e4"] for stay in of[code]},
                ),
            ]
            for stay in of[code]:
                key = stay["setl_id"]
                own = stay["cost_fen"] - stay["booked_fen"] if difference else 0
                paid[key] = shares[0][key] + shares[1][key] - own
                gross[code] -= own
    known = [one for one in values if one["value"] is not None]
    value = values[0]["value"]
    if len({one["value"] for one in values}) > 1:
        floating = sum(one["points"] for one in known)
        summed = sum(one["points"] * one["value"] for one in known)
        value = half_up(Fraction(summed, floating)) if floating else None
    limits = sorted({one["limit"] for one in values if one["limit"] is not None})
    return {
        "gross": gross,
        "stays": paid,
        "value": value,
        "limit": "|".join(limits) or None,
        "residual": fund_fen - sum(gross.values()),
    }
