"""Opening point values, from the history. docs/rules.md, section 5."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.budget.geometric import geometric_median
from fenzhi.money import ratio_half_up, round_half_up, step_of
from fenzhi.policy.values import PointValue

# points/10^4 x value/10^4 yuan = fen/100, so value_e4 = fen x 10^6 / points_e4.
FEN_PER_POINT_VALUE = 1_000_000


def point_value(fen: Fraction | int, points_e4: int | Fraction, policy: PointValue) -> int:
    """Return yuan per point at SCALE, rounded half up as the policy says."""
    return round_half_up(Fraction(fen) * FEN_PER_POINT_VALUE / points_e4, step_of(policy.decimals))


@dataclass
class _Sums:
    """Weighted sums of one hospital, or of a whole pool: cost (fen), points (1/10,000), stays."""

    cost: int = 0
    points: int = 0
    stays: int = 0

    def add(self, weight: int, cost: int, points: int, stays: int) -> None:
        self.cost += weight * cost
        self.points += weight * points
        self.stays += weight * stays


def _trimmed(history: pl.DataFrame, policy: PointValue) -> pl.DataFrame:
    """Leave out the stays of each pool whose cost per point lies outside the quantiles of the policy."""
    cost, points = pl.col("cost_fen"), pl.col("points_base_e4")
    value = pl.when(points > 0).then(ratio_half_up(cost.cast(pl.Int128) * FEN_PER_POINT_VALUE, points))
    work = history.with_columns(value.alias("_value"))
    kept = []
    for _, part in work.group_by("pool", maintain_order=True):
        values = part["_value"].drop_nulls().sort()
        if values.is_empty():
            continue
        low, high = (
            _quantile(values, Fraction(share)) for share in (policy.opening_low, policy.opening_high)
        )
        kept.append(part.filter(pl.col("_value").is_between(low.__ceil__(), high.__floor__())))
    return pl.concat(kept).drop("_value") if kept else history.clear()


def _quantile(values: pl.Series, share: Fraction) -> Fraction:
    """Return the linear quantile of sorted integers."""
    position = share * (values.len() - 1)
    k = position.__floor__()
    low = Fraction(int(values[k]))
    return low if position == k else low + (position - k) * (int(values[k + 1]) - low)


def _favourable(all_: _Sums, hospitals: Iterable[_Sums], policy: PointValue) -> tuple[Fraction, Fraction]:
    """Return cost and points whose quotient is the favourable value; the region's mean if no hospital is below it."""
    mean = Fraction(all_.cost, all_.points)
    paid = [one for one in hospitals if one.points > 0]
    cheap = [one for one in paid if Fraction(one.cost, one.points) < mean]
    if policy.opening == "favourable":
        cost, points = sum(one.cost for one in cheap), sum(one.points for one in cheap)
        return (Fraction(cost), Fraction(points)) if cheap else (Fraction(all_.cost), Fraction(all_.points))
    per_stay = Fraction(all_.cost, all_.stays)
    inside = [one for one in cheap if Fraction(one.cost, one.stays) < per_stay]
    if not inside:
        return Fraction(all_.cost), Fraction(all_.points)
    # Both axes in units of the region's mean, so that none outweighs the other.
    places = [
        (Fraction(one.cost, one.points) / mean, Fraction(one.cost, one.stays) / per_stay) for one in inside
    ]
    return geometric_median(places)[0] * mean, Fraction(1)


def opening_values(
    history: pl.DataFrame, weight_of: dict[int, int], given: dict[str, int | None], policy: PointValue
) -> pl.DataFrame:
    """Return pool, opening_value_e4 by the method of the policy.

    ``history``: pool (null = in no pool), year, cost_fen, points_base_e4, fixmedins_code where hospitals are compared.
    ``given``: every pool of the region -> its value if region.toml states one. A pool without history takes the
    value over all pools; without any points there is none (null).
    """
    insured = history.filter(pl.col("pool").is_not_null())
    if policy.opening == "trimmed":
        insured = _trimmed(insured, policy)
    by_hospital = policy.opening.startswith("favourable")
    sums = insured.group_by("pool", "year", *(["fixmedins_code"] if by_hospital else [])).agg(
        pl.col("cost_fen", "points_base_e4").cast(pl.Int128).sum(), pl.len()
    )
    totals: dict[str | None, _Sums] = {}
    hospitals: dict[str | None, dict[str, _Sums]] = {}
    for row in sums.iter_rows(named=True):
        for key in (row["pool"], None):
            numbers = (weight_of[row["year"]], row["cost_fen"], row["points_base_e4"], row["len"])
            totals.setdefault(key, _Sums()).add(*numbers)
            if by_hospital:
                mine = hospitals.setdefault(key, {})
                mine.setdefault(row["fixmedins_code"], _Sums()).add(*numbers)

    def measured(pool: str) -> int | None:
        key = pool if pool in totals and totals[pool].points else None
        total = totals.get(key, _Sums())
        if total.points == 0:
            return None
        cost, points = Fraction(total.cost), Fraction(total.points)
        if by_hospital:
            cost, points = _favourable(total, hospitals[key].values(), policy)
        return round_half_up(cost * FEN_PER_POINT_VALUE / points, step_of(policy.decimals))

    values = [stated if stated is not None else measured(pool) for pool, stated in given.items()]
    return pl.DataFrame(
        {"pool": list(given), "opening_value_e4": values},
        schema={"pool": pl.String, "opening_value_e4": pl.Int64},
    )
