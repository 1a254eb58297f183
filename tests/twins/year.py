"""A whole region's year on lists of dicts, start to end (docs/rules.md, all sections).

``region``: area, year, history_years, pools (id, insutype list, areas, opening_value_e4 or None), hospitals
(fixmedins_code, level, type, coefficient_e4 or None), funds (pool -> fen), deductions (fixmedins_code, pool,
month, amount_fen), assessment (fixmedins_code -> 1/10,000), advances (None, or what was really advanced,
month 0 for working capital: fixmedins_code, pool, month, amount_fen), weight_overrides (group -> 1/10,000),
bonuses (fixmedins_code, item, value_e4), lists and auxiliary (see twins.auxiliary).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twins import review, tracks
from twins.auxiliary import NONE, measure
from twins.budget import sums_of
from twins.codes import Row, TwinCatalog
from twins.exact import E4, half_up, number
from twins.grouping import group_stay
from twins.points import (
    add_ons,
    base_points,
    bed_day_points,
    coefficient_of,
    most_expensive,
    readmissions,
    readmitted,
    score,
)
from twins.pricing import price_pool, rigid_shares, set_fixed
from twins.settlement import (
    month_of,
    own_payments,
    pay_directly,
    total,
    withheld,
    working_capital,
)
from twins.sharing import quarters, released, share_pool
from twins.tcm import best_alternative, stated_weights, tcm_ids
from twins.values import opening_values
from twins.weights import weigh


@dataclass
class Assigned:
    """A catalogue whose stays are grouped already: group_id and grassroots of its groups, answers by setl_id.

    An answer is outcome, layer, group_id, reason. For the year of a scheme whose grouping has a twin of its own.
    """

    groups: list[Row]
    answers: dict[str, tuple[str, str | None, str | None, str | None]]


PAID = ("grouped", "comprehensive", "ungrouped", "bed_day")


def pool_of(stay: Row, region: Row) -> tuple[str | None, str | None]:
    """Pool of a stay, or the reason why it has none (section 1)."""
    if stay["insutype"] is None:
        return None, "self_paying"
    area = stay["insu_admdvs"] or region["area"]
    here = area == region["area"]
    listed = [pool for pool in region["pools"] if stay["insutype"] in pool["insutype"]]
    for pool in listed:
        if isinstance(pool["areas"], list) and area in pool["areas"]:
            return pool["id"], None
    for pool in listed:
        if pool["areas"] == "any" or pool["areas"] == ("local" if here else "other"):
            return pool["id"], None
    return None, "out_of_region" if listed else "no_pool"


def cost_of(stay: Row, rules: Mapping[str, Any]) -> int:
    """Cost that points price."""
    apart = stay["excl_pay_sumamt_fen"] or 0
    return int(stay["medfee_sumamt_fen"] - (0 if rules["scope"]["cost"] == "total" else apart))


def outside_los(stay: Row, rules: Mapping[str, Any]) -> str | None:
    """Reason of a stay that is too short or too long for by-disease payment."""
    scope = rules["scope"]
    if scope["min_los_days"] is not None and stay["act_ipt_days"] < scope["min_los_days"]:
        return "los_below_scope"
    if scope["max_los_days"] is not None and stay["act_ipt_days"] > scope["max_los_days"]:
        return "los_above_scope"
    return None


def is_bed_day(stay: Row, rules: Mapping[str, Any]) -> bool:
    """Whether days pay for a stay."""
    return rules["bed_day"] is not None and stay["med_type"] in rules["bed_day"]["med_types"]


def prepared(stay: Row, region: Row, rules: Mapping[str, Any]) -> Row:
    """A stay with cost, booked amount, pool, year, month; outcome and reason if section 1 decides."""
    by_days = is_bed_day(stay, rules)
    kind = None if by_days else rules["scope"]["other_tracks"].get(stay["med_type"])
    pool, why_no_pool = pool_of(stay, region)
    taken = tracks.take(stay, pool, region, rules)
    counted = kind is not None and taken is None and kind not in [one["id"] for one in rules["tracks"]]
    other_year = None if stay["dscg_time"].year == region["year"] else "other_year"
    los = None if by_days or taken else outside_los(stay, rules)
    row = {
        **stay,
        "cost_fen": cost_of(stay, rules),
        "booked_fen": stay["hifp_pay_fen"] or 0,
        "pool": pool,
        "year": stay["dscg_time"].year,
        "month": stay["dscg_time"].month,
        "outcome": None,
        "layer": None,
        "group_id": None,
        "reason": None,
        "taken": taken,
        "apart": taken is not None or counted,
        "track": None,
        "track_why": None,
        "track_fen": None,
    }
    if counted:
        row.update(outcome="other_track", reason=kind, track=kind)
        row["track_why"] = f"scope.other_tracks {stay['med_type']}"
    elif other_year or why_no_pool or los:
        row.update(outcome="excluded", reason=other_year or why_no_pool or los)
    elif taken is not None:
        name = taken["track"]["id"]
        row.update(outcome="other_track", reason=name, track=name, track_why=taken["why"])
    elif by_days:
        row.update(outcome="bed_day")
    return row


def grouped(row: Row, catalog: TwinCatalog | Assigned, rules: Mapping[str, Any], weights: Row | None) -> Row:
    """The row with its group; with weights given, a group without weight leaves the stay ungrouped."""
    known = weights["groups"] if weights else None
    if isinstance(catalog, Assigned):
        outcome, layer, group_id, reason = catalog.answers[row["setl_id"]]
    else:
        outcome, layer, group_id, reason = group_stay(row, catalog, rules["grouping"], known)
    best = best_alternative(row, catalog, rules, known)
    if outcome != "rejected" and best is not None:
        row = {**row, "tcm": {**best, "normal_group_id": group_id}}
        if not best["failed"]:
            outcome, layer, group_id, reason = "grouped", "tcm", best["group_id"], None
    if known is not None and outcome in ("grouped", "comprehensive") and known[group_id]["rw_e4"] is None:
        outcome, reason = "ungrouped", "no_weight"
    return {**row, "outcome": outcome, "layer": layer, "group_id": group_id, "reason": reason}


def is_conservative(group: Row) -> bool:
    """Whether a group of the catalogue is for stays without operation."""
    return group.get("treatment", group.get("layer")) in ("conservative", "medical")


def run_history(
    history: Sequence[Row], region: Row, catalog: TwinCatalog | Assigned, rules: Mapping[str, Any]
) -> tuple[list[Row], Row]:
    """Grouped history (all patients) and the weights it gives; nothing and no weights if no stay counts.

    Bed-day stays come along for the opening values, in years that have other stays.
    """
    rows = [prepared(stay, region, rules) for stay in history]
    rows = [row for row in rows if not row["apart"]]
    rows = [row for row in rows if row["year"] in region["history_years"]]
    by_days = [{**row, "outcome": "bed_day"} for row in rows if is_bed_day(row, rules)]
    rows = [row for row in rows if not is_bed_day(row, rules) and outside_los(row, rules) is None]
    rows = [grouped(row, catalog, rules, None) for row in rows]
    rows = [row for row in rows if row["outcome"] != "rejected"]
    ids = [*(row["group_id"] for row in catalog.groups), *tcm_ids(catalog, rules)]
    if not rows:
        return [], {}
    overrides, bonuses = region.get("weight_overrides"), region.get("bonuses", ())
    plain = [row["group_id"] for row in catalog.groups if is_conservative(row)]
    stated = stated_weights(catalog, rules)
    weights = weigh(
        rows, ids, region["hospitals"], rules, overrides, bonuses=bonuses, conservative=plain, stated=stated
    )
    weights["layers"] = {row["group_id"]: row.get("layer") for row in catalog.groups}
    weights["layers"] |= dict.fromkeys(tcm_ids(catalog, rules), "tcm")
    if rules["auxiliary"] is not None:
        weights["lists"] = region["lists"]
        weights["auxiliary"] = region["auxiliary"]
        if rules["auxiliary"]["source"] == "measured":
            layers = weights["layers"]
            weights["auxiliary"] = measure(rows, layers, weights, region["lists"], rules)
    return rows + [row for row in by_days if row["year"] in weights["years"]], weights


def run_year(
    history: Sequence[Row],
    records: Sequence[Row],
    region: Row,
    catalog: TwinCatalog | Assigned,
    rules: Mapping[str, Any],
) -> dict[str, Any]:
    """All results of the year as lists and dicts of integers."""
    past, weights = run_history(history, region, catalog, rules)
    hospitals = {hospital["fixmedins_code"]: hospital for hospital in region["hospitals"]}
    grassroots = {row["group_id"]: bool(row["grassroots"]) for row in catalog.groups}
    insured = [row for row in past if row["pool"] is not None]
    for row in insured:
        if row["outcome"] == "bed_day":
            row.update(bed_day(row, hospitals, weights, rules))
            continue
        gid = row["group_id"]
        if gid is not None and weights["groups"][gid]["rw_e4"] is None:
            gid = None
        own = coefficient_of(row["fixmedins_code"], gid, weights, rules)
        row.update(base_points(gid, row["cost_fen"], own, grassroots.get(gid, False), weights, rules, row))
    earning = insured
    if rules["ungrouped"]["rule"] == "fee_for_service":
        earning = [row for row in insured if row["outcome"] == "bed_day" or row["rw_e4"] is not None]
    opening = opening_values(earning, region["pools"], weights["years"], rules)

    soon = soon_again(records, region, catalog, rules, weights)
    cases = []
    for stay in records:
        row = {**prepared(stay, region, rules), "readmitted_days": None, "add_ons": None, "add_on_e4": None}
        if row["outcome"] == "bed_day":
            row.update(bed_day(row, hospitals, weights, rules))
        if row["outcome"] is None:
            row = grouped(row, catalog, rules, weights)
        cases.append(row)

    def scored(row: Row, top: bool) -> Row:
        hospital = hospitals[row["fixmedins_code"]]
        gid = None if row["outcome"] == "ungrouped" else row["group_id"]
        cheap, value = grassroots.get(gid, False), opening[row["pool"]]
        return score(gid, row["cost_fen"], hospital, cheap, value, weights, rules, row, top)

    by_disease = [row for row in cases if row["outcome"] in ("grouped", "comprehensive", "ungrouped")]
    tops = most_expensive([{**row, **scored(row, False)} for row in by_disease], rules)
    for row in cases:
        if row["outcome"] in ("grouped", "comprehensive", "ungrouped"):
            gid = None if row["outcome"] == "ungrouped" else row["group_id"]
            row.update(scored(row, row["setl_id"] in tops))
            if gid is not None and row["setl_id"] in soon:
                points = readmitted(row["points_e4"], rules)
                row.update(readmitted_days=soon[row["setl_id"]], points_e4=points)
            if gid is not None and row["directly"] is None:
                names, more = add_ons(row, row["rw_e4"], rules)
                row.update(add_ons=names, add_on_e4=more, points_e4=row["points_e4"] + (more or 0))

    listed, quota = [], {}
    if rules["special_review"] is not None:
        listed, quota = review.list_applications(cases, past, region, opening, rules)
        region["decisions"] = (
            region["given_decisions"]
            if "given_decisions" in region
            else review.choose(listed, opening, rules)
        )
        review.rank(listed, region["decisions"], rules)
        review.decide(cases, region["decisions"], opening, rules)

    beside = [row for row in cases if row["outcome"] == "other_track" and row["taken"] is not None]
    for row in beside:
        row["priced"] = tracks.price_stay(row, row["taken"], region)
        row["track_fen"] = row["priced"]["fund"]
    by_tracks = tracks.pay(beside, [row for row in cases if row["outcome"] in PAID], region, rules)

    last_points: dict[tuple[str, str], int] = {}
    for row in insured:
        if row["year"] == max(one["year"] for one in past):
            account = (row["fixmedins_code"], row["pool"])
            last_points[account] = last_points.get(account, 0) + row["points_base_e4"]
    paid = [row for row in cases if row["outcome"] in PAID]
    booked: dict[tuple[str, str], int] = {}
    for row in insured:
        if row["year"] == weights["newest"]:
            account = (row["fixmedins_code"], row["pool"])
            booked[account] = booked.get(account, 0) + row["booked_fen"]
    newest = Newest(last_points, booked, rigid_shares(past, rules))
    pools, lines, months = close_year(paid, region, opening, by_tracks["lines"], newest, rules)
    return {
        "cases": cases,
        "pools": pools,
        "hospitals": lines,
        "months": months,
        "weights": weights,
        "applications": listed,
        "quota": quota,
        "tracks": by_tracks,
    }


@dataclass
class Newest:
    """What the year takes from the history: points and booked amounts of the newest year, rigid shares of groups."""

    points: dict[tuple[str, str], int]
    booked: dict[tuple[str, str], int]
    rigid: dict[str, int]


def close_year(
    paid: Sequence[Row],
    region: Row,
    opening: Mapping[str, int | None],
    track_lines: Mapping[Any, Row],
    past: Newest,
    rules: Mapping[str, Any],
) -> tuple[dict[str, Row], dict[tuple[str, str], Row], dict[tuple[str, str, int], Row]]:
    """Price and settle the scored stays: pools, lines of hospitals, months. The stays get what they are paid.

    ``track_lines``: (pool, line) -> outside_care_fen, left_fen.
    """
    codes = [hospital["fixmedins_code"] for hospital in region["hospitals"]]
    set_fixed(paid, rules, past.rigid, past.points)
    pools: dict[str, Row] = {}
    lines: dict[tuple[str, str], Row] = {}
    months: dict[tuple[str, str, int], Row] = {}
    for pool in region["pools"]:
        name = pool["id"]
        care = sum(one["outside_care_fen"] for key, one in track_lines.items() if key[0] == name)
        fund, reserve = region["funds"][name] + care, reserve_of(region, name)
        stays = [row for row in paid if row["pool"] == name]
        names = ("cost_fen", "booked_fen", "points_e4", "fixed_points_e4")
        sums = {column: total(stays, column) for column in names}
        directly = pay_directly(stays, fund, rules)
        by_points = [row for row in stays if row["direct_fen"] is None]
        result = price_pool(stays, fund, reserve, opening[name], rules)
        for row in stays:
            row["payable_fen"] = result["stays"][row["setl_id"]]
        for code in codes:
            own_stays = [row for row in stays if row["fixmedins_code"] == code]
            deducted = by_month(region["deductions"], code, name)
            own_months = {}
            for month in range(1, 13):
                in_month = [row for row in own_stays if row["month"] == month]
                own_months[month] = month_of(in_month, opening[name], deducted[month], rules)
                if region["advances"] is not None:
                    own_months[month]["advance_fen"] = by_month(region["advances"], code, name)[month]
            quarters(own_months, rules)
            for month, values in own_months.items():
                months[code, name, month] = values
            kinds = {
                kind: by_month([one for one in region["deductions"] if one.get("kind") == kind], code, name)
                for kind in ("violation", "fine")
            }
            lines[code, name] = hospital_line(
                own_stays,
                result["gross"].get(code, 0),
                region["assessment"].get(code, E4),
                sum(deducted.values()),
                {kind: sum(amounts.values()) for kind, amounts in kinds.items()},
                rules,
            )
        over = sum(one["left_fen"] for key, one in track_lines.items() if key[0] == name)
        holds = reserve + result["residual"] + over
        share_pool({code: lines[code, name] for code in codes}, holds, rules)
        for code in codes:
            capital = working_capital(past.booked.get((code, name), 0), rules)
            if region["advances"] is not None:
                capital = by_month(region["advances"], code, name)[0]
            line = lines[code, name]
            for column in ("advance_fen", "deposit_fen", "quarter_fen"):
                line[column] = sum(months[code, name, month][column] for month in range(1, 13))
            line["released_fen"] = released(line["deposit_fen"], line["assessment_e4"], rules)
            line["forfeited_fen"] = line["deposit_fen"] - line["released_fen"]
            line["working_capital_fen"] = capital
            before = capital + line["advance_fen"] + line["quarter_fen"] + line["deposit_fen"]
            line["clearing_fen"] = line["final_fen"] - before
        mine = [lines[code, name] for code in codes]
        kept = ("assessed_fen", "deduction_fen", "forfeited_fen")
        returned = sum(total(mine, column) for column in kept) - total(mine, "fine_fen")
        pools[name] = {
            **sums,
            "cases": len(stays),
            "outside_care_fen": care,
            "fund_fen": fund,
            "opening_value_e4": opening[name],
            "settlement_value_e4": result["value"],
            "value_limit": result["limit"],
            "direct_cases": len(stays) - len(by_points),
            "direct_fen": directly,
            "others_fen": own_payments(by_points),
            "gross_fen": sum(result["gross"].values()),
            "residual_fen": result["residual"],
            "returned_fen": returned,
            **{
                column: total(mine, column)
                for column in ("payable_fen", "shared_fen", "short_fen", "final_fen", "clearing_fen")
            },
            "tracks_left_fen": over,
            "reserve_left_fen": holds + returned - total(mine, "shared_fen"),
        }
    return pools, lines, months


def bed_day(row: Row, hospitals: Mapping[str, Row], weights: Row, rules: Mapping[str, Any]) -> Row:
    """Points of a bed-day stay; it has no weight and no deviation."""
    code = row["fixmedins_code"]
    own = coefficient_of(code, None, weights, rules) if rules["bed_day"]["coefficient"] else None
    level = hospitals[code]["level"] if code in hospitals else None
    points = bed_day_points(row["act_ipt_days"], level, E4 if own is None else own, rules)
    nothing = dict.fromkeys(("rw_e4", "deviation", "reference_fen", "directly", "auxiliary_points_e4", *NONE))
    return {**nothing, "coefficient_e4": own, "points_base_e4": points, "points_e4": points}


def soon_again(
    records: Sequence[Row],
    region: Row,
    catalog: TwinCatalog | Assigned,
    rules: Mapping[str, Any],
    weights: Row,
) -> dict[str, int]:
    """Readmissions among all accepted stays that have a group, paid or not."""
    if rules["readmission"] is None:
        return {}
    rows = [prepared(stay, region, rules) for stay in records if not is_bed_day(stay, rules)]
    return readmissions([grouped(row, catalog, rules, weights) for row in rows], rules)


def by_month(entries: Sequence[Row], code: str, pool: str) -> dict[int, int]:
    """Sums of a hospital's entries in a pool per month, 0 to 12."""
    found = dict.fromkeys(range(13), 0)
    for entry in entries:
        if (entry["fixmedins_code"], entry["pool"]) == (code, pool):
            found[entry["month"]] += entry["amount_fen"]
    return found


def reserve_of(region: Row, pool: str) -> int:
    """What the budget puts into the reserve of a pool."""
    if "budgets" not in region:
        return region.get("reserves", {}).get(pool, 0)
    return sums_of(region["budgets"][pool])["reserve_fen"]


def hospital_line(
    stays: Sequence[Row],
    gross: int,
    assessment_e4: int,
    deduction: int,
    kinds: Mapping[str, int],
    rules: Mapping[str, Any],
) -> dict[str, int]:
    """From the amount before assessment to what is payable, for one hospital and pool."""
    assessed = withheld(gross, assessment_e4)
    payable = gross - assessed - deduction
    again = number(rules["settlement"]["next_year_violation_share"])
    return {
        "cases": len(stays),
        "points_e4": total(stays, "points_e4"),
        "fixed_points_e4": total(stays, "fixed_points_e4"),
        "cost_fen": total(stays, "cost_fen"),
        "booked_fen": total(stays, "booked_fen"),
        "direct_cases": sum(row["direct_fen"] is not None for row in stays),
        "direct_fen": sum(row["direct_fen"] or 0 for row in stays),
        "others_fen": own_payments([row for row in stays if row["direct_fen"] is None]),
        "gross_fen": gross,
        "assessment_e4": assessment_e4,
        "assessed_fen": assessed,
        "deduction_fen": deduction,
        "violation_fen": kinds["violation"],
        "fine_fen": kinds["fine"],
        "next_year_fen": half_up(kinds["violation"] * again),
        "payable_fen": payable,
        "balance_fen": payable - total(stays, "booked_fen"),
    }
