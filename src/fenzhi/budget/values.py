"""Settlement point values from the fund, per pool and period. docs/rules.md, section 5."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.budget.direct import direct_sums, payment_ratio, with_direct
from fenzhi.budget.elastic import PERIODS, with_units
from fenzhi.budget.lines import Budget
from fenzhi.budget.opening import FEN_PER_POINT_VALUE
from fenzhi.errors import ConservationError, RegionError
from fenzhi.money import SCALE, apportion, format_fen, round_half_up, step_of
from fenzhi.policy.values import PointValue

_SUMS = (
    "cases",
    "cost_fen",
    "booked_fen",
    "points_e4",
    "fixed_points_e4",
    *("direct_cases", "direct_fen", "others_fen"),
)


def _no_opening(pool: str) -> RegionError:
    return RegionError(
        f"points have the opening value, but the history gives pool {pool} no opening value",
        code="BUDGET_OPENING",
        file="region.toml",
        field="pool.opening_value",
        remedy="state opening_value of this pool",
    )


def _not_covered(pool: str, direct_fen: int, fund_fen: int) -> RegionError:
    return RegionError(
        f"pool {pool} pays {format_fen(direct_fen)} yuan directly, its by-disease fund is {format_fen(fund_fen)}",
        code="BUDGET_DIRECT",
        file="budget.toml",
        field=f"pool {pool}",
        remedy="raise the fund, or pay fewer stays directly (policy: ungrouped, deviation, special_review)",
    )


@dataclass(frozen=True)
class Given:
    """Pool -> settlement point value (1/10,000), and pool -> payment ratio, for who does not see the whole pool."""

    values: Mapping[str, int]
    ratios: Mapping[str, Fraction]


@dataclass
class _Unit:
    """One pool in one period: what its points are worth.

    ``left_fen``: its part of the fund without direct payments; ``others_fen``: what others paid, under the difference
    method; ``ratio``: fund amount / priced amount (1 under the difference method).
    """

    points: int
    fixed: int
    opening: int | None
    left_fen: int
    others_fen: int
    ratio: Fraction
    value: int | None = None
    limit: str | None = None
    fixed_fen: int = 0
    floating_fen: int = 0

    @property
    def money(self) -> int:
        """Return what points may price, on the side of the fund."""
        return self.left_fen + self.others_fen

    def worth(self, points: int, value: int) -> int:
        """Return what points at a value take, on the side of the fund, in fen."""
        return round_half_up(Fraction(points * value, FEN_PER_POINT_VALUE) * self.ratio)

    def floating(self) -> int:
        return self.points - self.fixed

    def rest(self, more_fen: int = 0) -> Fraction:
        """Return what is left for floating points, on the side of the total cost."""
        priced = Fraction(self.money + more_fen) / self.ratio
        return priced - Fraction(self.fixed * (self.opening or 0), FEN_PER_POINT_VALUE)


def _bounds(unit: _Unit, policy: PointValue, reserve_fen: int) -> tuple[int, str | None]:
    """Return the floating value of a unit and what limits it.

    The exact value is compared, so that what is paid does not jump where a limit begins to hold.
    """
    step = step_of(policy.decimals)
    free = unit.rest() * FEN_PER_POINT_VALUE / unit.floating()
    if unit.opening is not None and policy.ceiling is not None:
        ceiling = round_half_up(unit.opening * Fraction(policy.ceiling), step)
        if free > ceiling:
            return ceiling, "ceiling"
    if unit.opening is not None and policy.floor is not None:
        floor = round_half_up(unit.opening * Fraction(policy.floor), step)
        if free < floor:
            needs = unit.worth(unit.fixed, unit.opening) + unit.worth(unit.floating(), floor) - unit.money
            if needs <= reserve_fen:
                return floor, "floor"
            exact = unit.rest(max(0, reserve_fen)) * FEN_PER_POINT_VALUE / unit.floating()
            return max(0, (exact / step).__floor__() * step), "reserve"
    # The fixed points took more than there is: nothing is left for the others.
    return (0, "zero") if unit.fixed and free < 0 else (round_half_up(free, step), None)


def _value(unit: _Unit, pool: str, policy: PointValue, reserve_fen: int) -> int:
    """Set the value of a unit and what its points take; return what it takes out of the reserve."""
    if unit.points == 0:
        return 0
    if unit.fixed and unit.opening is None:
        raise _no_opening(pool)
    unit.fixed_fen = unit.worth(unit.fixed, unit.opening or 0)
    if unit.floating() == 0:
        unit.value, unit.limit = unit.opening, "fixed" if policy.rate == "elastic" else None
    else:
        unit.value, unit.limit = _bounds(unit, policy, reserve_fen)
        if unit.limit is None:
            unit.floating_fen = unit.money - unit.fixed_fen
        else:
            unit.floating_fen = unit.worth(unit.floating(), unit.value)
    if unit.limit == "reserve":
        unit.floating_fen = min(unit.floating_fen, max(0, unit.money + max(0, reserve_fen) - unit.fixed_fen))
    return max(0, unit.fixed_fen + unit.floating_fen - unit.money)


def _take_value(unit: _Unit, pool: str, value: int) -> None:
    """Give a unit the value that is known from elsewhere."""
    if unit.fixed and unit.opening is None:
        raise _no_opening(pool)
    unit.value, unit.limit = value, "given"
    unit.fixed_fen = unit.worth(unit.fixed, unit.opening or 0)
    unit.floating_fen = unit.worth(unit.floating(), value)


def _require_fitting(unit: _Unit, pool: str) -> None:
    """Raise :class:`ConservationError` if a figure is too large for the result tables."""
    figures = (unit.value or 0, unit.fixed_fen, unit.floating_fen)
    if any(abs(figure) >= 2**63 for figure in figures):
        raise ConservationError(
            f"the point value of pool {pool} is larger than 63 bits can hold, so it cannot be computed exactly",
            code="RUN_FIGURE_TOO_LARGE",
            field="settlement_value_e4",
            remedy="look at the booked amounts, costs and points of the pool: one of them is almost nothing",
        )


def _split(left_fen: int, parts: list[dict[str, Any]], policy: PointValue) -> list[int]:
    """Return each period's part of what the fund has for points; periods without points get none."""
    if len(parts) == 1:
        return [left_fen]
    by_booked = policy.period_split == "booked" and any(part["booked_fen"] > 0 for part in parts)
    shares = [
        0 if part["points_e4"] == 0 else max(0, part["booked_fen"]) if by_booked else 1 for part in parts
    ]
    if not any(shares):
        shares = [int(part["points_e4"] > 0) for part in parts]
    return apportion(left_fen, shares) if any(shares) else [left_fen] + [0] * (len(parts) - 1)


def pool_sums(scored: pl.DataFrame, policy: PointValue) -> pl.DataFrame:
    """Return one row per pool and period that has stays, with the sums that :func:`price_sums` prices.

    ``scored``: as for :func:`price`. Sums of some stays and of others add up to those of all.
    """
    return (
        with_units(with_direct(scored), policy)
        .group_by("pool", "period")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("cost_fen", "booked_fen", "points_e4", "fixed_points_e4").cast(pl.Int128).sum(),
            *direct_sums(),
        )
    )


def price(
    scored: pl.DataFrame,
    budget: Budget,
    opening: pl.DataFrame,
    policy: PointValue,
    handed: Mapping[str, int] | None = None,
) -> pl.DataFrame:
    """Return one row per pool and period: sums of its stays, its part of the fund, its values and what limits them.

    ``scored``: pool, period, cost_fen, booked_fen, points_e4, fixed_points_e4, direct_fen of the stays that the fund
    pays; what it pays directly (direct_fen) is taken off before points are priced. The order of pools is that of
    ``opening``. ``handed``: pool -> fen that other tracks hand to its fund. fixed_fen, floating_fen: what the fixed and
    the floating points take. Raises :class:`RegionError` for a pool without the opening value that fixed points need,
    or whose fund does not cover what it pays directly.
    """
    return price_sums(pool_sums(scored, policy), budget, opening, policy, handed)


def price_sums(
    sums_of_pools: pl.DataFrame,
    budget: Budget,
    opening: pl.DataFrame,
    policy: PointValue,
    handed: Mapping[str, int] | None = None,
    given: Given | None = None,
) -> pl.DataFrame:
    """Return what :func:`price` does, from the sums of :func:`pool_sums`.

    ``given``: point values and payment ratios that are known from elsewhere, in the place of what fund and sums say.
    """
    sums = {(row["pool"], row["period"]): row for row in sums_of_pools.iter_rows(named=True)}
    rows = []
    for pool, opening_value in opening.iter_rows():
        entry = budget.of(pool)
        parts = [sums.get((pool, n), dict.fromkeys(_SUMS, 0)) for n in range(PERIODS[policy.period])]
        total = {name: sum(part[name] for part in parts) for name in _SUMS}
        ratio = payment_ratio(total["cost_fen"], total["booked_fen"])
        if given is not None:
            ratio = given.ratios.get(pool, ratio)
        outside = (handed or {}).get(pool, 0)
        fund = entry.fund_fen + outside
        left = fund - total["direct_fen"]
        if left < 0 and policy.rate != "fixed" and given is None:
            raise _not_covered(pool, total["direct_fen"], fund)
        reserve = entry.reserve_fen
        by_ratio = policy.settlement == "ratio"
        for period, (part, share) in enumerate(zip(parts, _split(left, parts, policy), strict=True)):
            unit = _Unit(
                points=part["points_e4"],
                fixed=part["fixed_points_e4"],
                opening=opening_value,
                left_fen=share,
                others_fen=0 if by_ratio else part["others_fen"],
                ratio=ratio if by_ratio else Fraction(1),
            )
            if given is None:
                reserve -= _value(unit, pool, policy, reserve)
            else:
                _take_value(unit, pool, given.values[pool])
            _require_fitting(unit, pool)
            rows.append(
                {
                    "pool": pool,
                    "period": period,
                    **{name: part[name] for name in _SUMS},
                    "fund_fen": share + part["direct_fen"],
                    "outside_care_fen": outside,
                    "payment_ratio_e4": round_half_up(ratio * SCALE),
                    "opening_value_e4": opening_value,
                    "settlement_value_e4": unit.value,
                    "fixed_fen": unit.fixed_fen,
                    "floating_fen": unit.floating_fen,
                    "value_limit": unit.limit,
                }
            )
    numbers = [name for name in rows[0] if name not in ("pool", "period", "value_limit")] if rows else []
    schema = {
        "pool": pl.String,
        "period": pl.Int8,
        **dict.fromkeys(numbers, pl.Int64),
        "value_limit": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)


def pool_totals(prices: pl.DataFrame, budget: Budget) -> pl.DataFrame:
    """Return one row per pool from :func:`price`: sums, lines of the budget, values.

    settlement_value_e4 of a pool with several periods: what its floating points take / these points, on the average.
    """
    rows = []
    for (pool,), part in prices.group_by("pool", maintain_order=True):
        entry = budget.of(str(pool))
        first = part.row(0, named=True)
        values = part["settlement_value_e4"].unique()
        value = first["settlement_value_e4"]
        if part.height > 1 and values.len() > 1:
            floating = part["points_e4"] - part["fixed_points_e4"]
            pairs = [
                (n, v) for n, v in zip(floating, part["settlement_value_e4"], strict=True) if v is not None
            ]
            points = sum(n for n, _ in pairs)
            value = round_half_up(Fraction(sum(n * v for n, v in pairs), points)) if points else None
        limits = part["value_limit"].drop_nulls().unique().sort()
        rows.append(
            {
                "pool": pool,
                **{name: part[name].sum() for name in _SUMS},
                "income_fen": entry.total_fen("income"),
                "carved_out_fen": entry.carved_out_fen,
                "reserve_fen": entry.reserve_fen,
                "outside_care_fen": first["outside_care_fen"],
                "fund_fen": entry.fund_fen + first["outside_care_fen"],
                "payment_ratio_e4": first["payment_ratio_e4"],
                "opening_value_e4": first["opening_value_e4"],
                "settlement_value_e4": value,
                "value_limit": "|".join(limits) if limits.len() else None,
            }
        )
    numbers = [name for name in rows[0] if name not in ("pool", "value_limit")] if rows else []
    schema = {"pool": pl.String, **dict.fromkeys(numbers, pl.Int64), "value_limit": pl.String}
    return pl.DataFrame(rows, schema=schema)
