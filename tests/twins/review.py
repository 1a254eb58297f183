"""Special review (docs/rules.md, section 4): who is eligible, ranks, decisions, points of approved stays.

``region``: applications (setl_id, applied_at, icu_hours_e4, items, departments, and what a test wants decided: wish,
value). :func:`choose` turns wishes into decisions that can hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

from twins.codes import Row
from twins.exact import E4, half_up, number
from twins.points import standard_fen, step_of

TAKEN = ("grouped", "comprehensive", "ungrouped")


def over(part: int | None, times: Any, whole: int | Fraction | None) -> bool:
    """Whether part / whole is above a limit; nothing is above it without a positive whole."""
    return part is not None and whole is not None and whole > 0 and Fraction(part) / whole > number(times)


def holds(
    criterion: Mapping[str, Any], application: Row, stay: Row, mean_days: Fraction | None, compared: Any
) -> bool:
    """Whether everything that a criterion states holds."""
    named = {*application["departments"], stay.get("dscg_caty")}
    # A stay without age but with days of age is an infant.
    age = 0 if stay["age"] is None and stay["nwb_age"] is not None else stay["age"]
    hours = application["icu_hours_e4"]
    tests = {
        "los_above_days": lambda limit: stay["act_ipt_days"] > limit,
        "los_multiple": lambda limit: over(stay["act_ipt_days"], limit, mean_days),
        "cost_multiple": lambda limit: over(stay["cost_fen"], limit, compared),
        "icu_above_hours": lambda limit: hours is not None and Fraction(hours, E4) > number(limit),
        "items": lambda listed: bool(set(listed) & set(application["items"])),
        "departments": lambda listed: bool(set(listed) & named),
        "age_from": lambda limit: age is not None and age >= limit,
        "age_upto": lambda limit: age is not None and age <= limit,
    }
    return all(test(criterion[name]) for name, test in tests.items() if criterion.get(name) not in (None, []))


def mean_days_of(past: Sequence[Row]) -> dict[str, Fraction]:
    """Mean length of stay of each group in the history."""
    days: dict[str, list[int]] = {}
    for row in past:
        if row["group_id"] is not None:
            days.setdefault(row["group_id"], []).append(row["act_ipt_days"])
    return {name: Fraction(sum(found), len(found)) for name, found in days.items()}


def list_applications(
    cases: Sequence[Row],
    past: Sequence[Row],
    region: Row,
    opening: Mapping[str, Any],
    rules: Mapping[str, Any],
) -> tuple[list[Row], dict[str, int]]:
    """The applications with what the criteria say of them, and the quota of each unit."""
    settings = rules["special_review"]
    levels = {hospital["fixmedins_code"]: hospital["level"] for hospital in region["hospitals"]}
    taken = {row["setl_id"]: row for row in cases if row["outcome"] in TAKEN}
    means = mean_days_of(past)

    def unit_of(stay: Row) -> str:
        return str(levels[stay["fixmedins_code"]]) if settings["level_quotas"] else "region"

    units: dict[str, int] = {}
    for stay in taken.values():
        units[unit_of(stay)] = units.get(unit_of(stay), 0) + 1
    quota = {
        unit: floor(n * number(settings["level_quotas"].get(unit, settings["quota"])))
        for unit, n in units.items()
    }
    listed = []
    for application in region["applications"]:
        row = {
            **application,
            "stay": None,
            "unit": None,
            "met": None,
            "eligible": False,
            "compared_fen": None,
        }
        row.update(cost_multiple_e4=None, over_fen=None, quota=None)
        stay = taken.get(application["setl_id"])
        if stay is not None:
            compared = stay["reference_fen"]
            if settings["reference"] == "payment_standard":
                compared = standard_fen(stay["points_base_e4"], opening[stay["pool"]])
            met = [
                one["name"]
                for one in settings["criteria"]
                if holds(one, application, stay, means.get(stay["group_id"]), compared)
            ]
            enough = len(met) == len(settings["criteria"]) if settings["match"] == "all" else bool(met)
            row.update(
                stay=stay, unit=unit_of(stay), met=";".join(met), eligible=enough, compared_fen=compared
            )
            row["quota"] = quota[row["unit"]]
            if compared is not None:
                row["over_fen"] = stay["cost_fen"] - compared
            if compared is not None and compared > 0:
                row["cost_multiple_e4"] = half_up(Fraction(stay["cost_fen"] * E4, compared))
        listed.append(row)
    return listed, quota


def choose(listed: Sequence[Row], opening: Mapping[str, Any], rules: Mapping[str, Any]) -> list[Row]:
    """The wished decisions that can hold, in the order of the applications."""
    used: dict[Any, int] = {}
    chosen = []
    for row in listed:
        wish, stay = row["wish"], row["stay"]
        if wish is None:
            continue
        if wish != "refused":
            possible = row["eligible"] and wish in rules["special_review"]["outcomes"]
            if wish == "coefficient":
                possible = possible and stay["coefficient_e4"] is not None
            if wish == "adjusted_standard":
                possible = possible and bool(opening[stay["pool"]])
            if not possible or used.get(row["unit"], 0) >= row["quota"]:
                continue
            used[row["unit"]] = used.get(row["unit"], 0) + 1
        elif "refused" not in rules["special_review"]["outcomes"]:
            continue
        value = None if wish in ("fee_for_service", "refused") else row["value"]
        chosen.append({"setl_id": row["setl_id"], "outcome": wish, "value": value})
    return chosen


def rank(listed: Sequence[Row], decisions: Sequence[Row], rules: Mapping[str, Any]) -> None:
    """Give every application its outcome, rank and state."""
    said = {row["setl_id"]: row["outcome"] for row in decisions}
    for row in listed:
        row.update(review=said.get(row["setl_id"]), rank=None)
        row["approved"] = row["review"] not in (None, "refused")

    def key(row: Row) -> tuple[Any, ...]:
        stay = row["stay"]
        figures = {
            "cost_multiple": row["cost_multiple_e4"],
            "amount_over": row["over_fen"],
            "cost": stay["cost_fen"],
            "los": stay["act_ipt_days"],
        }
        parts: list[Any] = [not row["approved"]]
        for name in rules["special_review"]["rank_by"]:
            if name == "applied_at":
                parts.append(row["applied_at"])
            else:
                parts.append((figures[name] is None, -(figures[name] or 0)))
        return (*parts, row["setl_id"])

    places: dict[str, int] = {}
    waiting = [row for row in listed if row["eligible"] and row["review"] != "refused"]
    for row in sorted(waiting, key=key):
        places[row["unit"]] = row["rank"] = places.get(row["unit"], 0) + 1
    for row in listed:
        row["state"] = (
            "approved"
            if row["approved"]
            else "refused"
            if row["review"] == "refused"
            else "not_eligible"
            if not row["eligible"]
            else "over_quota"
            if row["rank"] > row["quota"]
            else "eligible"
        )


def decide(
    cases: Sequence[Row], decisions: Sequence[Row], opening: Mapping[str, Any], rules: Mapping[str, Any]
) -> None:
    """Put what was decided in the place of the points so far."""
    of = {row["setl_id"]: row for row in decisions}
    for stay in cases:
        decision = of.get(stay["setl_id"])
        stay.update(review=None if decision is None else decision["outcome"], before_review_e4=None)
        if decision is None or decision["outcome"] == "refused":
            continue
        added = stay.get("add_on_e4") or 0
        stay.update(before_review_e4=stay["points_e4"] - added, directly=None)
        exact = Fraction(0)
        if decision["outcome"] == "fee_for_service":
            stay.update(directly=Fraction(1), add_ons=None, add_on_e4=None)
            added = 0
        elif decision["outcome"] == "adjusted_standard":
            # fen / 100 yuan at yuan per point, both at 1/10,000
            exact = Fraction(decision["value"], 100) / Fraction(opening[stay["pool"]], E4) * E4
        elif decision["outcome"] == "coefficient":
            h, times = Fraction(stay["coefficient_e4"], E4), Fraction(decision["value"], E4)
            exact = stay["rw_e4"] * h * Fraction(stay["auxiliary_e4"], E4) * times
        else:
            exact = Fraction(decision["value"])
        stay["points_e4"] = half_up(exact, step_of(rules)) + added
