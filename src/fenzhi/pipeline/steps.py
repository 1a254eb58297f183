"""The steps from a group to yuan, recomputed from the figures of a run: docs/rules.md, sections 3 to 6."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.budget import payment_ratio
from fenzhi.money import SCALE, format_e4, format_fen, round_half_up, step_of, to_e4
from fenzhi.pipeline.auxiliary import auxiliary_formula
from fenzhi.pipeline.coefficients import coefficient_formula
from fenzhi.pipeline.deviation import deviation_step, top_step
from fenzhi.pipeline.replay import Paid, Step, cite
from fenzhi.pipeline.replay import require as _require
from fenzhi.pipeline.store import read_rows, read_table
from fenzhi.pipeline.values import value_steps
from fenzhi.points.add_ons import add_on_worth
from fenzhi.points.incomplete import INCOMPLETE
from fenzhi.points.score import UNSTABLE
from fenzhi.policy.cases import BedDay
from fenzhi.region import Region
from fenzhi.region.reviews import latest


def _share(paid: Paid, factor: Decimal) -> tuple[str, int]:
    """Return formula and points of a stay that is paid by its share of cost."""
    mean, scale = paid.manifest["mean_cost_fen"], paid.policy.weights.scale
    text = f"{format_fen(paid.case['cost_fen'])} / M {format_fen(mean)} x {scale} x {factor}"
    return text, paid.rounded(Fraction(paid.case["cost_fen"], mean) * scale * Fraction(factor) * SCALE)


def _ungrouped_step(paid: Paid) -> Step:
    rules = paid.policy.ungrouped
    text, points = _share(paid, rules.factor) if rules.rule == "share_of_cost" else ("0", 0)
    _require("points", paid.case["points_e4"], points)
    return Step(
        "未入组分值", "points without a group", text, format_e4(points), cite(paid.policy, "ungrouped")
    )


def _bed_day_step(paid: Paid, rules: BedDay) -> Step:
    """Add the days up, step by step."""
    mine = pl.col("fixmedins_code") == paid.case["fixmedins_code"]
    level = paid.region.hospitals.filter(mine)["level"][0]
    steps = rules.steps_of(level) or rules.steps_of(None)
    days, before, total, parts = paid.case["act_ipt_days"], 0, 0, []
    for step in steps:
        inside = max(0, min(days, step.upto_days or days) - before)
        total += inside * to_e4(step.points_per_day)
        before = step.upto_days or before
        if inside:
            parts.append(f"{inside} x {step.points_per_day}")
    text = " + ".join(parts) or "0"
    factor = SCALE
    if rules.coefficient:
        factor = paid.case["coefficient_e4"]
        text = f"({text}) x {format_e4(factor)}"
    points = paid.rounded(Fraction(total * factor, SCALE))
    _require("points", paid.case["points_e4"], points)
    return Step("床日分值", "bed-day points", text, format_e4(points), cite(paid.policy, "bed_day"))


def _weight_formula(paid: Paid, group: dict[str, Any]) -> str:
    """Return where the weight comes from: means of the history, the catalogue, or a negotiation."""
    rules, negotiated = paid.policy.weights, paid.manifest.get("negotiated")
    if group["layer"] == "tcm" and (text := _stated_formula(paid, group["group_id"])):
        return text
    mine = paid.region.weight_overrides.filter(pl.col("group_id") == group["group_id"])
    if mine.height:
        row = mine.row(0, named=True)
        _require("rw_e4 weight", paid.case["rw_e4"], row["weight_e4"])
        return f"weight_overrides.csv: {row['who']}, {row['why']}"
    if not paid.manifest["history_years"]:
        return "published"
    if rules.method == "given":
        text = f"{paid.manifest['catalog']['id']}, weights x {rules.scale}"
    else:
        base = {
            "mean_cost": f"M {format_fen(paid.manifest['mean_cost_fen'])}",
            "benchmark": f"m({rules.benchmark_group})",
            "standard_amount": f"{rules.standard_yuan}",
        }[rules.method]
        text = f"m {format_fen(group['mean_cost_fen'])} / {base} x {rules.scale}"
    if negotiated is not None:
        text = f"{text} x {negotiated['factor']} (weight_overrides.csv)"
    return f"{text}; {group['history_cases']} - {group['trimmed_cases']} trimmed"


def _stated_formula(paid: Paid, group_id: str) -> str | None:
    """Return how the catalogue states the weight of a TCM-advantage group; None if its history measures it."""
    row = paid.manifest["tcm_weights"][group_id]
    if row["weight"] is not None:
        return f"tcm_groups.csv: {row['weight']} x {paid.policy.weights.scale}"
    if row["reference_group"] is None:
        return None
    groups = read_rows(paid.run, "groups", paid.case)
    base = groups.filter(pl.col("group_id") == row["reference_group"])["rw_e4"][0]
    share = row["share"] or "1"
    again = round_half_up(Fraction(base) * Fraction(share), step_of(paid.policy.weights.decimals))
    _require("rw_e4 weight", paid.case["rw_e4"], again)
    return f"tcm_groups.csv: RW {format_e4(base)} ({row['reference_group']}) x {share}"


def _group_steps(paid: Paid, group: dict[str, Any]) -> list[Step]:
    policy, rw, h = paid.policy, paid.case["rw_e4"], paid.case["coefficient_e4"]
    base = round_half_up(paid.weight * h / SCALE, step_of(policy.points.decimals))
    _require("points_base_e4 points before deviation", paid.case["points_base_e4"], base)
    types, times = [], ""
    if policy.auxiliary is not None:
        value = format_e4(paid.case["auxiliary_e4"])
        table, years = read_rows(paid.run, "auxiliary", paid.case), paid.manifest["history_years"]
        text = auxiliary_formula(table, paid.case, policy, years)
        times = f" x {value}"
        types = [Step("辅助分型系数 a", "auxiliary coefficient a", text, value, cite(policy, "auxiliary"))]
    formula, section = coefficient_formula(paid, group)
    source = cite(policy, section)
    weight = _weight_formula(paid, group)
    return [
        Step("病种分值 RW", "weight RW", weight, format_e4(rw), cite(policy, "weights")),
        Step("机构调节系数 h", "institution coefficient h", formula, format_e4(h), source),
        *types,
        Step(
            "偏差前分值",
            "points before deviation",
            f"{format_e4(rw)} x {format_e4(h)}{times}",
            format_e4(base),
            cite(policy, "points"),
        ),
    ]


def _unstable_step(paid: Paid, group: dict[str, Any]) -> tuple[Step, int]:
    rules = paid.policy.stability
    assert rules is not None
    text, points = _share(paid, rules.factor)
    spread = "-" if group["cv"] is None else f"{group['cv']:.4f}"
    why = f"CV {spread} ({rules.cv_max}), {group['history_cases']} stays ({rules.min_cases})"
    title = ("不稳定病组分值", "points in an unstable group")
    return Step(*title, f"{why}: {text}", format_e4(points), cite(paid.policy, "stability")), points


def _incomplete_step(paid: Paid) -> tuple[Step, int]:
    rules, case = paid.policy.incomplete, paid.case
    assert rules is not None
    whole = paid.weight
    name = "RW" if paid.policy.auxiliary is None else "RW x a"
    if rules.coefficient:
        whole, name = whole * case["coefficient_e4"] / SCALE, name.replace("RW", "RW x h")
    exact, text = whole, name
    if case["reference_fen"] is not None and case["reference_fen"] > 0:
        ratio = f"{format_fen(case['cost_fen'])} / {format_fen(case['reference_fen'])}"
        exact = min(whole, whole * case["cost_fen"] / case["reference_fen"])
        text = f"min({name}, {name} x {ratio}) ({rules.reference})"
    points = paid.rounded(exact)
    title = ("非完整治疗病例分值", "points of an incomplete stay")
    return Step(*title, text, format_e4(points), cite(paid.policy, "incomplete")), points


def _readmission_step(paid: Paid, points: int | None) -> tuple[Step, int | None]:
    rules = paid.policy.readmission
    assert rules is not None
    days = f"{paid.case['readmitted_days']} <= {rules.days} days"
    after = None if points is None else paid.rounded(points * Fraction(rules.factor))
    text = f"{days}: {'-' if points is None else format_e4(points)} x {rules.factor}"
    result = format_e4(paid.case["points_e4"] if after is None else after)
    return Step("同组再入院", "readmission", text, result, cite(paid.policy, "readmission")), after


def _in_group(paid: Paid) -> list[Step]:
    """Return the steps of a stay that is paid in its group, and check that they end in its points."""
    case = paid.case
    groups = read_rows(paid.run, "groups", case)
    group = groups.filter(pl.col("group_id") == case["group_id"]).row(0, named=True)
    points: int | None
    if case["deviation"] == UNSTABLE:
        last, points = _unstable_step(paid, group)
        steps = [last]
    else:
        after: Callable[[Paid], tuple[Step, int | None]] = (
            _incomplete_step if case["deviation"] == INCOMPLETE else deviation_step
        )
        last, points = after(paid)
        steps = [*_group_steps(paid, group), *top_step(paid), last]
    if case["readmitted_days"] is not None:
        last, points = _readmission_step(paid, points)
        steps.append(last)
    if case["add_on_e4"] is not None:
        last, points = _add_on_step(paid, points)
        steps.append(last)
    if points is not None:
        _require("points", case["points_e4"], points)
    return steps


def _add_on_step(paid: Paid, points: int | None) -> tuple[Step, int | None]:
    """Add what the earned add-ons are worth."""
    rules, case = paid.policy.add_ons, paid.case
    assert rules is not None
    step = step_of(paid.policy.points.decimals)
    earned = [item for item in rules.items if item.name in case["add_ons"].split("|")]
    worth = [add_on_worth(item, case["rw_e4"], step) for item in earned]
    total = (
        sum(worth) if rules.cap is None else min(sum(worth), round_half_up(Fraction(rules.cap) * SCALE, step))
    )
    _require("add_on_e4 add-ons", case["add_on_e4"], total)
    parts = " + ".join(
        f"{item.title or item.name} {format_e4(fen)}" for item, fen in zip(earned, worth, strict=True)
    )
    bound = "" if rules.cap is None else f" (<= {rules.cap})"
    text = f"{'-' if points is None else format_e4(points)} + {parts}{bound}"
    title = ("加成分值", "add-ons")
    return Step(*title, text, format_e4(case["points_e4"]), cite(paid.policy, "add_ons")), (
        None if points is None else points + total
    )


def _review_step(paid: Paid) -> Step:
    """Return what special review decided in the place of the points before, recomputed."""
    case, region = paid.case, paid.region
    mine = pl.col("setl_id") == case["setl_id"]
    row = latest(region.reviews.decisions).filter(mine).row(0, named=True)
    outcome, opening = row["review"], paid.pool["opening_value_e4"]
    points, text = 0, ""
    if outcome == "adjusted_standard":
        points = paid.rounded(Fraction(row["standard_fen"] * SCALE * 100, opening))
        text = f": {format_fen(row['standard_fen'])} / {format_e4(opening)}"
    elif outcome == "coefficient":
        factors = ("rw_e4", "coefficient_e4", "auxiliary_e4")
        rw, h, a = (case[name] for name in factors)
        points = paid.rounded(Fraction(rw * h * a * row["review_e4"], SCALE**3))
        text = ": " + " x ".join(format_e4(value) for value in (rw, h, a, row["review_e4"]))
    elif outcome == "expert_points":
        points, text = paid.rounded(Fraction(row["review_e4"])), f": {row['value']}"
    added = case.get("add_on_e4") or 0
    if added:
        points, text = points + added, f"{text} + {case['add_ons']} {format_e4(added)}"
    _require("points after special review", case["points_e4"], points)
    who = f"review_decisions.csv: {outcome}{text}; {row['decided_by']}, {row['decided_at']}"
    return Step("特例单议", "special review", who, format_e4(points), cite(paid.policy, "special_review"))


def _direct_step(paid: Paid) -> Step:
    """Return the amount that the fund pays directly, recomputed."""
    case, pool = paid.case, paid.pool
    section, factor = "deviation", Decimal(1)
    if case.get("review") == "fee_for_service":
        section = "special_review"
    elif case["outcome"] == "ungrouped":
        section, factor = "ungrouped", paid.policy.ungrouped.factor
    ratio = payment_ratio(pool["cost_fen"], pool["booked_fen"])
    amount = max(0, round_half_up(case["cost_fen"] * ratio * Fraction(factor)))
    _require("direct_fen direct payment", case["direct_fen"], amount)
    text = f"{format_fen(case['cost_fen'])} x {format_e4(pool['payment_ratio_e4'])}"
    text = text if factor == 1 else f"{text} x {factor}"
    source = cite(paid.policy, section)
    return Step("基金直接支付", "paid directly by the fund", text, format_fen(amount), source)


def points_steps(run: Path, case: dict[str, Any], manifest: dict[str, Any], region: Region) -> list[Step]:
    """Return the steps of a stay that points pay, from its weight to its yuan.

    Raises :class:`ConservationError` where they do not end in the figures of the run.
    """
    pool = read_table(run, "pools").filter(pl.col("pool") == case["pool"]).row(0, named=True)
    approved = case.get("before_review_e4") is not None
    # What special review replaced is shown and checked as well.
    before = {**case, "points_e4": case["before_review_e4"], "add_on_e4": None} if approved else case
    paid = Paid(before, run, manifest, region, pool)
    policy = region.policy
    if case["outcome"] == "ungrouped":
        steps = [_ungrouped_step(paid)]
    elif case["outcome"] == "bed_day":
        assert policy.bed_day is not None
        steps = [_bed_day_step(paid, policy.bed_day)]
    else:
        steps = _in_group(paid)
    if approved:
        paid = Paid(case, run, manifest, region, pool)
        steps.append(_review_step(paid))
    if case["direct_fen"] is not None:
        return [*steps, _direct_step(paid)]
    return [*steps, *value_steps(paid)]
