"""Any weights, coefficients, bands and references: the engine scores every stay as the twin does."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from fenzhi.grouping.dip import OUTCOMES
from fenzhi.points import score
from property.test_weights_twin import GROUPS, HISTORY, POLICIES, weigh_both
from twins.draw import made
from twins.draw_year import amount, hospitals
from twins.engine import policy_of
from twins.exact import E4, half_up
from twins.points import most_expensive, readmitted, reference_fen
from twins.points import score as twin_score
from twins.profile import examples
from twins.year import bed_day

COLUMNS = ["rw_e4", "coefficient_e4", "points_base_e4", "deviation", "reference_fen", "points_e4"]
BY_DAYS = -2  # stands for a bed-day stay where a group is drawn
SCHEMA = {
    "setl_id": pl.String,
    "act_ipt_days": pl.Int32,
    "dscg_way": pl.Int8,
    "readmitted_days": pl.Int32,
    "outcome": OUTCOMES,
    "reason": pl.String,
    "group_idx": pl.Int32,
    "fixmedins_code": pl.String,
    "pool": pl.String,
    "cost_fen": pl.Int64,
}


def stay(rng):
    """A grouped stay that is paid by points."""
    cost = rng.choice([0, amount(rng), amount(rng), amount(rng) * 1_000])
    group = rng.choice([-1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 3, BY_DAYS])
    return {
        "group_idx": group,
        "place": rng.randrange(60),
        "pool": rng.choice("ab"),
        "cost_fen": cost,
        "act_ipt_days": rng.choice([1, 2, 4, 5, 6, 31, 400]),
        "dscg_way": rng.choice([1, 1, 2, 4, 5, None]),
        "readmitted_days": rng.choice([None, None, 0, 3]),
    }


def near_limits(stays, weights, rules, rng):
    """Move some costs to the limits of the bands, where inclusion and rounding decide."""
    for one in stays:
        if one["group_idx"] >= 0 and rng.random() < 0.6:
            mean = weights["groups"][GROUPS[one["group_idx"]]]["mean_cost_fen"]
            every = [
                *rules["deviation"]["bands"],
                *(b for t in rules["deviation"]["tiers"] for b in t["bands"]),
            ]
            limit = rng.choice([float(band["above"]) for band in every])
            if mean is not None and mean * limit >= 1:
                one["cost_fen"] = int(mean * limit) + rng.choice([-1, 0, 0, 1])
    return stays


def frame_of(stays, places):
    rows = []
    for number, one in enumerate(stays):
        outcome = {BY_DAYS: "bed_day", -1: "ungrouped", 2: "comprehensive"}.get(one["group_idx"], "grouped")
        more = {"setl_id": f"S{number}", "outcome": outcome, "fixmedins_code": code_of(one, places)}
        rows.append({**one, **more, "group_idx": max(one["group_idx"], -1), "reason": None})
    return pl.DataFrame([{name: row[name] for name in SCHEMA} for row in rows], schema=SCHEMA)


def fits(one, places, openings, weights):
    """Whether the points of a stay fit into 64 bits by any formula and reference."""
    gid = GROUPS[max(one["group_idx"], 0)]
    rw = weights["groups"][gid]["rw_e4"]
    if rw is None:
        return True
    level = places[one["place"] % len(places)]["level"]
    kinds = ("same_level_mean", "all_level_mean", "payment_standard")
    own = weights["coefficients"][code_of(one, places)]
    least = [half_up(Fraction(rw * h, E4)) for h in (1, E4, E4 if own is None else own)]
    found = [
        reference_fen(kind, gid, level, base, openings[one["pool"]], weights)
        for base in least
        for kind in kinds
    ]
    smallest = min((reference for reference in found if reference), default=1)
    return 8 * rw * abs(one["cost_fen"]) // smallest < 2**63


def code_of(one, places):
    return places[one["place"] % len(places)]["fixmedins_code"]


def twin_answers(stays, places, flags, openings, weights, rules):
    """Every stay by the twin; the most expensive are known once all are scored."""
    given = (places, flags, openings, weights, rules)
    named = ("deviation", "reference_fen")
    rows = []
    for number, one in enumerate(stays):
        found = dict(zip(COLUMNS, twin_answer(one, *given), strict=True))
        row = {"setl_id": f"S{number}", "group_id": one["group_idx"], "cost_fen": one["cost_fen"]}
        rows.append(row | {name: found[name] for name in named})
    tops = most_expensive(rows, rules)
    return [twin_answer(one, *given, f"S{at}" in tops) for at, one in enumerate(stays)]


def twin_answer(one, places, flags, openings, weights, rules, top=False):
    if one["group_idx"] == BY_DAYS:
        hospital = places[one["place"] % len(places)]
        rows = {hospital["fixmedins_code"]: hospital}
        case = {"fixmedins_code": hospital["fixmedins_code"], "act_ipt_days": one["act_ipt_days"]}
        found = bed_day(case, rows, weights, rules)
        return tuple(found[name] for name in COLUMNS)
    gid = GROUPS[one["group_idx"]] if one["group_idx"] >= 0 else None
    if gid is not None and weights["groups"][gid]["rw_e4"] is None:
        gid = None
    hospital = places[one["place"] % len(places)]
    flat = gid is not None and flags[one["group_idx"]]
    found = twin_score(gid, one["cost_fen"], hospital, flat, openings[one["pool"]], weights, rules, one, top)
    if gid is not None and rules["readmission"] is not None and one["readmitted_days"] is not None:
        found["points_e4"] = readmitted(found["points_e4"], rules)
    return tuple(found[name] for name in COLUMNS)


STAYS = st.lists(made(stay), min_size=1, max_size=40)
SEEDS = st.integers(0, 2**32 - 1)


def score_both(history, rules, places, stays, seed):
    """Answers of engine and twin for all stays, and the engine's frames to score again."""
    rng = Random(seed)
    answer = weigh_both(history, rules, places)
    assume(answer is not None)
    weights, twin_weights = answer
    assume(half_up(twin_weights["mean_all"]) > 0)
    if rules["bed_day"] is None:
        stays = [{**one, "group_idx": max(one["group_idx"], -1)} for one in stays]
    flags = [rng.random() < 0.4 for _ in GROUPS]
    openings = {pool: rng.choice([None, rng.randint(1, 10**6), rng.randint(1, 100)]) for pool in "ab"}
    near_limits(stays, twin_weights, rules, rng)
    table = pl.DataFrame(
        {"pool": list(openings), "opening_value_e4": list(openings.values())},
        schema={"pool": pl.String, "opening_value_e4": pl.Int64},
    )
    rest = (weights, policy_of(rules), pl.Series("grassroots", flags), table)
    frame = frame_of(stays, places)
    assume(all(fits(one, places, openings, twin_weights) for one in stays))
    expected = twin_answers(stays, places, flags, openings, twin_weights, rules)
    return frame, rest, expected, stays


@examples(200)
@given(history=HISTORY, rules=POLICIES, places=made(hospitals), stays=STAYS, seed=SEEDS)
def test_points_are_the_twins(history, rules, places, stays, seed):
    frame, rest, expected, stays = score_both(history, rules, places, stays, seed)
    scored = score(frame, *rest)
    for one, ours, theirs in zip(stays, scored.select(COLUMNS).iter_rows(), expected, strict=True):
        assert dict(zip(COLUMNS, ours, strict=True)) == dict(zip(COLUMNS, theirs, strict=True)), one
    for one, outcome, reason in zip(stays, scored["outcome"], scored["reason"], strict=True):
        known = rest[0].groups["rw_e4"][max(one["group_idx"], 0)] is not None
        lost = one["group_idx"] >= 0 and not known
        assert (reason == "no_weight") == lost
        assert (outcome == "ungrouped") == (lost or one["group_idx"] == -1)


@examples(60)
@given(history=HISTORY, rules=POLICIES, places=made(hospitals), stays=STAYS, seed=SEEDS)
def test_the_order_of_stays_changes_no_points(history, rules, places, stays, seed):
    frame, rest, _, _ = score_both(history, rules, places, stays, seed)
    order = Random(seed).sample(range(frame.height), frame.height)
    assert score(frame[order], *rest).equals(score(frame, *rest)[order])


@examples(60)
@given(history=HISTORY, rules=POLICIES, places=made(hospitals), stays=STAYS, seed=SEEDS)
def test_points_never_fall_below_zero(history, rules, places, stays, seed):
    """Not even when the items paid apart exceed the total of a stay, so that its cost is negative."""
    rng = Random(seed)
    for one in stays:
        if rng.random() < 0.5:
            one["cost_fen"] = -one["cost_fen"]
    frame, rest, expected, _ = score_both(history, rules, places, stays, seed)
    scored = score(frame, *rest)
    assert scored["points_e4"].min() >= 0
    assert scored.select(COLUMNS).rows() == expected


@examples(60)
@given(history=HISTORY, rules=POLICIES, places=made(hospitals), stays=STAYS, seed=SEEDS)
def test_a_higher_cost_within_a_band_never_lowers_points(history, rules, places, stays, seed):
    frame, rest, _, _ = score_both(history, rules, places, stays, seed)
    more = pl.Series([Random(f"{seed} {at}").randint(0, 3_000) for at in range(frame.height)])
    dearer = frame.with_columns((pl.col("cost_fen") + more).alias("cost_fen"))
    before, after = score(frame, *rest), score(dearer, *rest)
    same = before["deviation"].eq_missing(after["deviation"])
    assert (after.filter(same)["points_e4"] >= before.filter(same)["points_e4"]).all()


@examples(100)
@given(history=HISTORY, rules=POLICIES, places=made(hospitals), stays=STAYS, seed=SEEDS)
def test_never_more_than_the_share_are_at_the_top(history, rules, places, stays, seed):
    """Nor fewer: whoever is tested counts; and nobody outside is more expensive than anybody inside."""
    top = {"name": "top", "share": "0.3", "of": "group", "points": "normal", "limit": None}
    rules = {**rules, "deviation": {**rules["deviation"], "top_share": top}}
    frame, rest, _, _ = score_both(history, rules, places, stays, seed)
    scored = score(frame, *rest)
    tested = scored.filter(
        pl.col("deviation").is_not_null() & ~pl.col("deviation").is_in(["unstable", "incomplete"])
    )
    for part in tested.partition_by("group_idx"):
        ratios = [Fraction(cost, of) for cost, of in part.select("cost_fen", "reference_fen").iter_rows()]
        inside = (part["deviation"] == "top").to_list()
        assert sum(inside) == 3 * part.height // 10
        best = max((r for r, top in zip(ratios, inside, strict=True) if not top), default=None)
        assert all(best is None or r >= best for r, top in zip(ratios, inside, strict=True) if top)
