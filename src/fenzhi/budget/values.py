"""Point values: opening value from history, settlement value from the fund. docs/rules.md, section 5."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import polars as pl

from fenzhi.budget.direct import direct_sums, payment_ratio, with_direct
from fenzhi.budget.lines import Budget
from fenzhi.errors import RegionError
from fenzhi.money import SCALE, format_fen, round_half_up, step_of
from fenzhi.policy.models import PointValue

# points/10^4 x value/10^4 yuan = fen/100, so value_e4 = fen x 10^6 / points_e4.
FEN_PER_POINT_VALUE = 1_000_000
_SUMS = ("cases", "cost_fen", "booked_fen", "points_e4", "direct_cases", "direct_fen", "others_fen")


def point_value(fen: Fraction | int, points_e4: int | Fraction, policy: PointValue) -> int:
    """Return yuan per point at SCALE, rounded half up as the policy says."""
    return round_half_up(Fraction(fen) * FEN_PER_POINT_VALUE / points_e4, step_of(policy.decimals))


def opening_values(
    history: pl.DataFrame, weight_of: dict[int, int], given: dict[str, int | None], policy: PointValue
) -> pl.DataFrame:
    """Return pool, opening_value_e4: weighted yearly cost / weighted yearly points.

    ``history``: pool (null = in no pool), year, cost_fen, points_base_e4. ``given``: every pool of the
    region -> its value if region.toml
    states one. A pool without history takes the value over all pools; without any points there is none (null).
    """
    sums = (
        history.filter(pl.col("pool").is_not_null())
        .group_by("pool", "year")
        .agg(pl.col("cost_fen", "points_base_e4").cast(pl.Int128).sum())
    )
    totals: dict[str | None, list[int]] = {}
    for pool, year, cost, points in sums.iter_rows():
        for key in (pool, None):
            total = totals.setdefault(key, [0, 0])
            total[0] += weight_of[year] * cost
            total[1] += weight_of[year] * points
    values = []
    for pool, stated in given.items():
        cost, points = totals.get(pool) or totals.get(None) or [0, 0]
        if points == 0:
            cost, points = totals.get(None) or [0, 0]
        values.append(stated if stated is not None else point_value(cost, points, policy) if points else None)
    return pl.DataFrame(
        {"pool": list(given), "opening_value_e4": values},
        schema={"pool": pl.String, "opening_value_e4": pl.Int64},
    )


def _fixed(pool: str, opening_value: int | None) -> int:
    """Return the opening value of a pool whose rate is fixed."""
    if opening_value is None:
        raise RegionError(
            f"the rate is fixed, but the history gives pool {pool} no opening value",
            code="BUDGET_OPENING",
            file="region.toml",
            field="pool.opening_value",
            remedy="state opening_value of this pool",
        )
    return opening_value


def _not_covered(pool: str, direct_fen: int, fund_fen: int) -> RegionError:
    return RegionError(
        f"pool {pool} pays {format_fen(direct_fen)} yuan directly, its by-disease fund is {format_fen(fund_fen)}",
        code="BUDGET_DIRECT",
        file="budget.toml",
        field=f"pool {pool}",
        remedy="raise the fund, or pay fewer stays directly (policy: ungrouped, deviation, special_review)",
    )


def price(
    scored: pl.DataFrame,
    budget: Budget,
    opening: pl.DataFrame,
    policy: PointValue,
    handed: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Return one row per pool: sums of its stays, fund, payment ratio and settlement value.

    ``scored``: pool, cost_fen, booked_fen, points_e4, direct_fen of the stays that the fund pays; what it pays
    directly (direct_fen) is taken off before points are priced. The order of pools is
    that of ``opening``. ``handed``: pool -> fen that other tracks hand to its fund.
    Raises :class:`RegionError` for a pool without the opening value that a fixed rate needs,
    or whose fund does not cover what it pays directly.
    """
    sums = {
        row["pool"]: row
        for row in with_direct(scored)
        .group_by("pool")
        .agg(
            pl.len().alias("cases"),
            pl.col("cost_fen", "booked_fen", "points_e4").cast(pl.Int128).sum(),
            *direct_sums(),
        )
        .iter_rows(named=True)
    }
    rows = []
    for pool, opening_value in opening.iter_rows():
        entry = budget.of(pool)
        one = sums.get(pool, dict.fromkeys(_SUMS, 0))
        cost, booked, points = one["cost_fen"], one["booked_fen"], one["points_e4"]
        ratio = payment_ratio(cost, booked)
        outside = (handed or {}).get(pool, 0)
        fund = entry.fund_fen + outside
        fixed = policy.rate == "fixed"
        left = fund - one["direct_fen"]
        if left < 0 and not fixed:
            raise _not_covered(pool, one["direct_fen"], fund)
        prices = left / ratio if policy.settlement == "ratio" else Fraction(left + one["others_fen"])
        value = None
        if points:
            value = _fixed(pool, opening_value) if fixed else point_value(prices, points, policy)
        rows.append(
            {
                "pool": pool,
                "cases": one["cases"],
                "cost_fen": cost,
                "booked_fen": booked,
                "points_e4": points,
                "income_fen": entry.total_fen("income"),
                "carved_out_fen": entry.carved_out_fen,
                "reserve_fen": entry.reserve_fen,
                "outside_care_fen": outside,
                "fund_fen": fund,
                "payment_ratio_e4": round_half_up(ratio * SCALE),
                "opening_value_e4": opening_value,
                "settlement_value_e4": value,
                "direct_cases": one["direct_cases"],
                "direct_fen": one["direct_fen"],
                "others_fen": one["others_fen"],
            }
        )
    names = [name for name in rows[0] if name != "pool"] if rows else []
    return pl.DataFrame(rows, schema={"pool": pl.String, **dict.fromkeys(names, pl.Int64)})
