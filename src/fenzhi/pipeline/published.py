"""The year of a hospital alone: published weights and point values in the place of measured ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import polars as pl

from fenzhi.budget import Given, pool_ratios, price_sums
from fenzhi.budget.opening import FEN_PER_POINT_VALUE
from fenzhi.errors import RegionError
from fenzhi.money import SCALE, format_e4, format_fen, round_half_up, yuan_to_fen
from fenzhi.pipeline.parts import Part
from fenzhi.pipeline.setting import Setting
from fenzhi.policy.values import PointValue
from fenzhi.region import Region
from fenzhi.region.published import Published, assumed_budget
from fenzhi.settlement import YearInputs
from fenzhi.weights.auxiliary import listed_auxiliary
from fenzhi.weights.published import published_weights, read_published

_DAYS = {"group_idx": pl.Int32, "group_days": pl.Int64, "group_cases": pl.Int64}
# No overrun, and nothing that other tracks lack, comes near so many times what was booked.
_ENOUGH = 10
_ACCOUNT = {"fixmedins_code": pl.String, "pool": pl.String}


def _cannot(message: str, region: Region, field: str, remedy: str) -> RegionError:
    file = region.folder / "region.toml"
    return RegionError(message, code="REGION_PUBLISHED", file=file, field=field, remedy=remedy)


def _require_published(region: Region, published: Published) -> None:
    """Raise in words for a rule that asks for what is not published."""
    policy, hospitals = region.policy, region.hospitals
    by_cost = policy.ungrouped.rule == "share_of_cost" or (
        policy.stability is not None and policy.stability.rule == "share_of_cost"
    )
    if by_cost and published.mean_cost is None:
        raise _cannot(
            "stays without group are valued by the mean cost of all stays, which is not published here",
            region,
            "published.mean_cost",
            "give mean_cost, the region's mean cost of all stays in yuan",
        )
    if hospitals["coefficient"].null_count():
        raise _cannot(
            "a hospital alone cannot measure its coefficient",
            region,
            "hospitals.csv coefficient",
            "give its published coefficient in hospitals.csv",
        )
    elastic = policy.point_value.elastic
    if elastic is not None and (elastic.form == "rigid_cost" or elastic.base == "last_year"):
        raise _cannot(
            "the fixed part of the points follows from the region's history",
            region,
            "point_value.elastic",
            "lay a pack over it whose points all float",
        )
    if policy.auxiliary is not None and policy.auxiliary.source != "listed":
        raise _cannot(
            "auxiliary coefficients are measured on the region's history",
            region,
            "auxiliary.source",
            'list the published ones in auxiliary.csv and set source = "listed"',
        )


def published_year(
    settings: Sequence[Setting],
) -> tuple[list[Part], pl.DataFrame, pl.DataFrame, YearInputs]:
    """Return parts, opening values, last year's points (none) and what settlement takes from the region."""
    region = settings[0].region
    assert region.published is not None
    parts = []
    for setting in settings:
        own, published = setting.region, region.published
        _require_published(own, published)
        groups = setting.groups
        table = read_published(region.path(published.weights), groups["group_id"])
        weights = published_weights(table, groups, own.hospitals, own.policy)
        if published.mean_cost is not None:
            weights = replace(weights, mean_fen=yuan_to_fen(published.mean_cost))
        if own.policy.auxiliary is not None:
            weights = replace(weights, auxiliary=listed_auxiliary(own.auxiliary, groups, own.policy))
        days = None if own.policy.special_review is None else pl.DataFrame(schema=_DAYS)
        parts.append(Part(setting, weights, groups, days))
    pools = [pool.id for pool in region.pools]
    stated = [
        None if pool.opening_value is None else int(pool.opening_value * 10_000) for pool in region.pools
    ]
    opening = pl.DataFrame(
        {"pool": pools, "opening_value_e4": stated},
        schema={"pool": pl.String, "opening_value_e4": pl.Int64},
    )
    inputs = YearInputs(
        year=region.meta.year,
        accounts=region.hospitals.select("fixmedins_code").join(
            opening.select("pool"), how="cross", maintain_order="left_right"
        ),
        last_booked=pl.DataFrame(schema={**_ACCOUNT, "booked_fen": pl.Int64}),
        assessment=region.assessment,
        deductions=region.deductions,
        advances=region.advances,
        ratios=region.published.ratios(),
    )
    last = pl.DataFrame(schema={**_ACCOUNT, "last_points_e4": pl.Int64})
    return parts, opening, last, inputs


def ratios_of(region: Region, sums: pl.DataFrame) -> dict[str, Fraction]:
    """Return pool -> payment ratio; ``sums``: pool, cost_fen, booked_fen of stays or of sums of stays."""
    found = pool_ratios(sums)
    return found if region.published is None else found | region.published.ratios()


def price_year(
    region: Region,
    sums: pl.DataFrame,
    opening: pl.DataFrame,
    handed: Mapping[str, int],
    values: Mapping[str, int] | None = None,
) -> tuple[Region, pl.DataFrame]:
    """Return the prices of a year, and the region with the budget that they are paid from.

    ``sums``: of :func:`fenzhi.budget.pool_sums`. A hospital alone has given values (``values``: others than published);
    without a budget of its own it is taken that the fund pays just what they pay, and that the reserve suffices.
    """
    rules = region.policy.point_value
    if region.published is None:
        return region, price_sums(sums, region.budget, opening, rules, handed)
    given = Given({**region.published.given(), **(values or {})}, region.published.ratios())
    prices = price_sums(sums, region.budget, opening, rules, handed, given)
    if (region.folder / region.meta.budget).is_file():
        return region, prices
    budget = assumed_budget(_money(prices, rules), region.meta.year)
    return replace(region, budget=budget), price_sums(sums, budget, opening, rules, handed, given)


def _money(prices: pl.DataFrame, rules: PointValue) -> dict[str, tuple[int, int]]:
    """Return pool -> what given values pay of the fund, and a reserve that is large enough for any sharing."""
    paid = pl.col("fixed_fen") + pl.col("floating_fen") + pl.col("direct_fen")
    if rules.settlement == "difference":
        paid = paid - pl.col("others_fen")
    sums = prices.group_by("pool", maintain_order=True).agg(
        paid.sum().alias("fund"), (pl.col("booked_fen").sum().clip(lower_bound=0) * _ENOUGH).alias("reserve")
    )
    return {pool: (int(fund), int(reserve)) for pool, fund, reserve in sums.iter_rows()}


def published_notices(region: Region, pools: pl.DataFrame) -> list[str]:
    """Say what of the year of a hospital alone is given, and what cannot be computed."""
    if region.published is None:
        return []
    said = [
        "only one hospital's stays are here: weights, coefficients and point values are published ones, not measured",
        "the quota of special review is not checked, a share of the region's most expensive stays is one of these; "
        "the payment ratio is "
        + ("the published one" if region.published.ratios() else "that of these stays, as none is published"),
    ]
    if not (region.folder / region.meta.budget).is_file():
        said.append(
            "budget, reserve and ledger are assumed: whatever the given point values pay, nothing else"
        )
    for pool in region.published.pool:
        low, _, high = pool.values_e4()
        row = pools.filter(pl.col("pool") == pool.id).row(0, named=True)
        if low != high and row["points_e4"]:
            ratio = Fraction(row["payment_ratio_e4"], SCALE)
            ends = [f"{format_e4(value)}" for value in (low, high)]
            swing = round_half_up(Fraction(row["points_e4"] * (high - low), FEN_PER_POINT_VALUE) * ratio)
            apart = format_fen(swing)
            said.append(
                f"pool {pool.id}: between {ends[0]} and {ends[1]} a point; the ends are {apart} yuan apart"
            )
    return said
