"""The deviation of one explained stay: its place among the most expensive, its band and formula, recomputed."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.money import SCALE, format_e4, format_fen, round_half_up, to_e4
from fenzhi.pipeline.replay import Paid, Step, cite, require
from fenzhi.pipeline.store import read_rows
from fenzhi.points.incomplete import INCOMPLETE
from fenzhi.points.score import UNSTABLE
from fenzhi.points.top_share import top_places
from fenzhi.policy.cases import Band, Tier


def _tier(paid: Paid) -> tuple[int, Tier]:
    """Return number and tier of the stay's weight."""
    weight = paid.case["rw_e4"]
    tiers = paid.policy.deviation.all_tiers()
    for number, tier in enumerate(tiers, start=1):
        high = None if tier.rw_upto is None else to_e4(tier.rw_upto)
        if high is None or weight < high or (weight == high and tier.rw_upto_included):
            return number, tier
    raise ConservationError("no tier of the deviation holds this weight", field="rw_e4", value=weight)


def _banded(paid: Paid, band: Band) -> tuple[str, int] | None:
    """Return the formula with its figures and the points; None where the run keeps too little to repeat it."""
    case, policy = paid.case, paid.policy
    base, cost, reference = case["points_base_e4"], case["cost_fen"], case["reference_fen"]
    if band.points in ("normal", "review"):
        return format_e4(base), base
    if band.points == "fee_for_service":
        return "0", 0
    s, h = paid.weight, Fraction(case["coefficient_e4"], SCALE)
    if band.points == "actual_cost":
        standard = round_half_up(Fraction(base * (paid.pool["opening_value_e4"] or 0), 1_000_000))
        if standard <= 0:
            return format_e4(base), base
        exact = s * h * cost / standard
        text = f"RW x h x {format_fen(cost)} / {format_fen(standard)}"
    elif policy.deviation.factor_reference != policy.deviation.test_reference:
        return None
    else:
        q, limit = Fraction(cost, reference), Fraction(to_e4(band.above), SCALE)
        exact, text = {
            "ratio": (s * h * q, "RW x h x r"),
            "ratio_without_coefficient": (s * q, "RW x r"),
            "excess": (s * h * (q - limit + 1), f"RW x h x (r - {limit} + 1)"),
            "excess_plus_coefficient": (s * (q - limit + h), f"RW x (r - {limit} + h)"),
        }[band.points]
    if policy.auxiliary is not None:
        text = text.replace("RW", "RW x a")
    return text, paid.rounded(exact)


def deviation_step(paid: Paid) -> tuple[Step, int | None]:
    """Return the step of the deviation and the points after it; None where they cannot be repeated."""
    case, policy = paid.case, paid.policy
    number, tier = _tier(paid)
    top = policy.deviation.top_share
    bands = tier.bands if top is None else (*tier.bands, top.band())
    band = next((band for band in bands if band.name == case["deviation"]), None)

    def step(formula: str, result: str) -> Step:
        return Step("费用偏差", "cost deviation", formula, result, cite(policy, "deviation"))

    if band is None:
        return step("-", format_e4(case["points_base_e4"])), case["points_base_e4"]
    amounts = f"{format_fen(case['cost_fen'])} / {format_fen(case['reference_fen'])}"
    where = f", tier {number}" if policy.deviation.tiers else ""
    text = f"r = {amounts} ({policy.deviation.test_reference}{where}); {band.title or band.name}"
    again = _banded(paid, band)
    if again is not None:
        return step(f"{text}: {again[0]}", format_e4(again[1])), again[1]
    known = case["readmitted_days"] is None
    return step(text, format_e4(case["points_e4"]) if known else "-"), None


def top_step(paid: Paid) -> list[Step]:
    """Return the step that ranks the stay among the most expensive; none if the policy does not ask for it."""
    top, case = paid.policy.deviation.top_share, paid.case
    if top is None or case["deviation"] is None or case["deviation"] in (UNSTABLE, INCOMPLETE):
        return []
    tested = ~pl.col("deviation").is_in([UNSTABLE, INCOMPLETE])
    columns = ("setl_id", "group_id", "cost_fen", "reference_fen", "deviation")
    cases = read_rows(paid.run, "cases", case).drop_nulls("deviation").select(columns)
    places = top_places(cases, tested, top, "group_id")
    row = places.filter(cases["setl_id"].gather(places["at"]) == case["setl_id"]).row(0, named=True)
    inside = row["place"] <= row["taken"]
    require("deviation band", case["deviation"] == top.name, inside)
    text = f"{row['place']} / {row['cases']} ({top.of}); {top.share} x {row['cases']}"
    result = f"{row['place']} {'<=' if inside else '>'} {row['taken']}"
    return [Step("费用排序", "place by cost", text, result, cite(paid.policy, "deviation"))]
