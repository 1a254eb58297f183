"""The expected course of a forecast, settled to the fen by the functions of a run. docs/rules.md, "Forecast"."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import polars as pl

from fenzhi.attribution import ACCOUNT
from fenzhi.budget import price_sums
from fenzhi.budget.elastic import PERIODS
from fenzhi.pipeline.prepared import Frozen
from fenzhi.policy import Policy
from fenzhi.settlement import Accounts, StaySums, settle_sums
from fenzhi.simulation.forecast_cells import MONTHS
from fenzhi.simulation.forecast_money import (
    COLUMNS,
    Course,
    months_of,
    of_periods,
    pool_frame,
    pool_sums,
    without_tracks,
)
from fenzhi.simulation.forecast_year import YearSoFar


def settle_expected(year: YearSoFar, expected: Course, policy: Policy) -> tuple[Accounts, pl.DataFrame]:
    """Return the expected course settled to the fen, and its point values by pool and period."""
    frozen = _as_paid(year, expected, policy)
    rules, region = policy.point_value, frozen.region
    periods = PERIODS[rules.period]
    table = pool_sums(year, expected, periods)[0]
    budget = without_tracks(region.budget)
    prices = price_sums(pool_frame(year, table), budget, frozen.opening, rules)
    return settle_sums(_stay_sums(year, expected, periods), prices, budget, policy, frozen.inputs), prices


def _as_paid(year: YearSoFar, expected: Course, policy: Policy) -> Frozen:
    """Return what is frozen with the advances of the whole year: those that were paid, then those to come."""
    frozen = year.frozen
    if frozen.inputs.advances is None:
        return frozen
    months = months_of(year, expected, policy.settlement).with_columns(pl.col("pool").str.strip_suffix("#0"))
    start = frozen.inputs.advances.filter(pl.col("month") == 0)
    both = pl.concat(
        [start.select(*ACCOUNT, "month", "advance_fen"), months.select(*ACCOUNT, "month", "advance_fen")]
    )
    return replace(frozen, inputs=replace(frozen.inputs, advances=both))


def _stay_sums(year: YearSoFar, expected: Course, periods: int) -> StaySums:
    """Return the sums of a course as settlement takes them."""
    accounts = year.cells.accounts.select(ACCOUNT)
    whole = {name: np.rint(values[0]).astype(np.int64) for name, values in expected.sums.items()}
    none = {
        name: pl.lit(0, pl.Int64)
        for name in (
            *("grouped_cases", "comprehensive_cases", "ungrouped_cases", "bed_day_cases"),
            *("points_core_e4", "points_comprehensive_e4", "points_grassroots_e4", "points_tcm_e4"),
            *(
                "points_ungrouped_e4",
                "points_bed_day_e4",
                "add_on_e4",
                "auxiliary_points_e4",
                "points_review_e4",
            ),
        )
    }

    def spread(
        of: int, key: str, columns: tuple[str, ...], dtype: type[pl.DataType], first: int
    ) -> pl.DataFrame:
        rows = accounts.select(pl.all().repeat_by(of).explode())
        places = np.tile(np.arange(first, of + first), accounts.height)
        return rows.with_columns(
            pl.Series(key, places, dtype=dtype),
            *(pl.Series(name, of_periods(whole[name], of).ravel()) for name in columns),
        )

    totals = accounts.with_columns(*(pl.Series(name, whole[name].sum(axis=1)) for name in COLUMNS), **none)
    units = spread(
        periods, "period", ("cases", "points_e4", "fixed_points_e4", "others_fen", "direct_fen"), pl.Int8, 0
    ).sort(*ACCOUNT, "period")
    months = spread(
        MONTHS,
        "month",
        ("cases", "points_e4", "cost_fen", "booked_fen", "direct_cases", "direct_fen", "others_fen"),
        pl.Int8,
        1,
    )
    return StaySums(totals, units, months)


def at_a_value(policy: Policy, multiple: Decimal) -> Policy:
    """Return the policy with a point value that is this multiple of the opening value, whatever the fund holds."""
    value = policy.point_value.model_copy(
        update={"rate": "floating", "elastic": None, "floor": multiple, "ceiling": multiple, "period": "year"}
    )
    return policy.model_copy(update={"point_value": value})
