"""A region's year step by step, as one would in a notebook: every stage is one call that takes and gives frames.

    python docs/examples/api.py my-region      (`fenzhi demo my-region` writes a region)

At the end the amounts are compared with those of a whole run: they are the same integers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl

import fenzhi
from fenzhi.budget import direct_amounts, opening_values
from fenzhi.money import step_of
from fenzhi.pipeline.setting import Setting, make_settings
from fenzhi.pipeline.tracks import pay_beside, tracks_of
from fenzhi.points import PAID, base_points
from fenzhi.records import Known
from fenzhi.region.reviews import latest
from fenzhi.region.scope import cost_of, exclusion_of, los_reason, pool_of
from fenzhi.review import apply_decisions
from fenzhi.settlement import YearInputs
from fenzhi.weights.years import year_weights


def placed(setting: Setting, stays: pl.DataFrame) -> pl.DataFrame:
    """Group stays and add pool, cost, month and year, and the track of those that points do not pay."""
    region = setting.region
    grouped = fenzhi.group(stays, setting.compiled).frame
    both = stays.with_columns(
        *grouped.select("outcome", "reason", "group_idx").get_columns(),
        pool_of(stays, region.pools, region.meta.area).alias("pool"),
        cost_of(stays, region.policy.scope).alias("cost_fen"),
        pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
        pl.col("dscg_time").dt.month().cast(pl.Int8).alias("month"),
        pl.col("dscg_time").dt.year().alias("year"),
    )
    return both.hstack(tracks_of(both, setting))


def settle_year(folder: Path) -> Any:
    """Compute the year of a region's folder and return what was settled."""
    region = fenzhi.load_region(folder)
    policy, hospitals = region.policy, region.hospitals
    known = Known(hospitals=set(hospitals["fixmedins_code"]))

    # Records: read, check, net refunds. What is rejected is listed, nothing is dropped silently.
    read = fenzhi.read_stays(region.path(region.meta.records), quality=region.quality, known=known)
    print(f"{read.rows_in} rows: {read.stays.height} accepted, {read.rejected_rows} rejected")

    # Groups: the rules become tables once, then any number of frames can be grouped.
    [setting] = make_settings(region, None)
    catalog = setting.catalog
    stays = placed(setting, read.stays)
    print(stays["outcome"].value_counts(sort=True))

    # Weights and coefficients from the years before.
    before = [
        fenzhi.read_stays(region.path(name), quality=region.quality, known=known, needs="weights").stays
        for name in region.meta.history
    ]
    history = pl.concat([placed(setting, year) for year in before], how="diagonal")
    by_points = pl.col("track").is_null() & los_reason(policy.scope).is_null()
    history = history.filter(pl.col("year") < region.meta.year, by_points)
    weights = fenzhi.weigh(
        history.select("group_idx", "year", "fixmedins_code", "cost_fen"), catalog, policy, hospitals
    )
    print(weights.groups.sort("history_cases", descending=True).head(3))

    # Points of the stays that are paid by points.
    flat = catalog.groups["grassroots"]
    opening = opening_values(
        base_points(history, weights, policy, flat),
        year_weights(policy.weights, weights.years),
        {pool.id: None for pool in region.pools},
        policy.point_value,
    )
    excluded = exclusion_of(
        stays, region.pools, policy.scope, region.meta.year, pl.col("track").is_not_null()
    )
    stays = stays.filter(excluded.is_null() & ~pl.col("counted"))
    paid = stays.filter(pl.col("track").is_null() & pl.col("outcome").is_in(PAID))
    paid = paid.with_columns(
        flat.gather(paid["group_idx"].replace(-1, None)).fill_null(False).alias("grassroots")
    )
    scored = fenzhi.score(paid, weights, policy, flat, opening)

    # What special review decided takes the place of these points, or has the fund pay the stay directly.
    decisions = latest(region.reviews.decisions)
    scored = apply_decisions(scored, decisions, opening, step_of(policy.points.decimals))
    scored = direct_amounts(scored, [policy.ungrouped.factor])

    # What other tracks pay beside the points.
    others = stays.filter(pl.col("track").is_not_null()).with_columns(outcome=pl.lit("other_track"))
    beside = pay_beside(others, scored, region)

    # Point values from the budget; then amounts per hospital and stay, months, ledger.
    prices = fenzhi.price(scored, region.budget, opening, policy.point_value, beside.handed)
    last_year = history.filter(pl.col("year") == region.meta.year - 1, pl.col("pool").is_not_null())
    inputs = YearInputs(
        year=region.meta.year,
        accounts=hospitals.select("fixmedins_code").join(
            opening.select("pool"), how="cross", maintain_order="left_right"
        ),
        last_booked=last_year.group_by("fixmedins_code", "pool").agg(pl.col("booked_fen").sum()),
        assessment=region.assessment,
        deductions=region.deductions,
        advances=region.advances,
        tracks=beside.ledger,
    )
    return fenzhi.settle(scored, prices, region.budget, policy, inputs)


def main(folder: Path) -> int:
    """Settle the year step by step and in one call; return 0 if both give the same amounts."""
    settled = settle_year(folder)
    print(
        settled.pools.select("pool", "cases", "points_e4", "settlement_value_e4", "fund_fen", "payable_fen")
    )
    run = fenzhi.run(folder, reports=False)
    columns = ["fixmedins_code", "pool", "cases", "points_e4", "payable_fen", "clearing_fen"]
    same = settled.hospitals.select(columns).equals(run.tables["hospitals"].select(columns))
    same = same and settled.ledger.equals(run.tables["ledger"])
    same = same and what_if(folder, run)
    print("the same as the run" if same else "NOT the same as the run")
    return 0 if same else 1


def what_if(folder: Path, run: Any) -> bool:
    """Ask what a hospital gains from five per cent more stays; tell whether the year as it is is that of the run."""
    year = fenzhi.load_simulation(folder)
    code = run.tables["hospitals"].sort("cases")["fixmedins_code"][-1]
    more = fenzhi.Scenario(hospital=code, volume=[{"growth": "0.05"}])
    outcome = year.run(more)
    print(
        outcome.own.select(
            "pool", "before_fen", "after_fen", "difference_fen", "by_volume_fen", "by_price_fen"
        )
    )
    print(outcome.pools.select("pool", "settlement_value_before_e4", "settlement_value_after_e4"))
    return year.before.tables["hospitals"].equals(run.tables["hospitals"])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
