"""What the draws of a forecast pay: point values by the rules of the budget, amounts, sharing, cash.

The expected course is settled to the fen by the functions of a run; the draws take its rules with floats where a run
splits single fen. docs/rules.md, "Forecast".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import Floats, Int64s
from fenzhi.attribution import ACCOUNT
from fenzhi.budget import Budget, payment_ratio, price_sums
from fenzhi.budget.elastic import PERIODS
from fenzhi.budget.opening import FEN_PER_POINT_VALUE
from fenzhi.money import SCALE
from fenzhi.policy import Policy
from fenzhi.policy.values import Settlement, Sharing
from fenzhi.settlement.months import monthly, quarterly, working_capital
from fenzhi.settlement.sharing import wanted
from fenzhi.simulation.forecast_cells import MONTHS
from fenzhi.simulation.forecast_model import by_pool
from fenzhi.simulation.forecast_year import YearSoFar

#: What a year's sums hold beside the quantities of the model, as a share of one of them in the months done.
SHARES: Mapping[str, str] = {
    "fixed_points_e4": "points_e4",
    "rw_sum_e4": "points_e4",
    "rw_cases": "cases",
    "direct_cases": "cases",
    "direct_fen": "cost_fen",
    "others_fen": "own_fen",
}
COLUMNS = ("cases", "points_e4", "cost_fen", "booked_fen", *SHARES)
#: Sharing is looked up at these steps of booked / payable, up to this multiple.
_STEPS, _MOST = 2_000, 4
_PAYABLE = 10**9


@dataclass(frozen=True)
class Course:
    """How the year may go: every column of :data:`COLUMNS` as draws x accounts x months, months done as they were."""

    sums: dict[str, Floats]

    def total(self, name: str) -> Floats:
        """Return the year's sums, draws x accounts."""
        found: Floats = self.sums[name].sum(axis=2)
        return found

    def expected(self) -> Course:
        """Return the mean of all draws as the only one, in whole numbers."""
        return Course(
            {name: np.rint(values.mean(axis=0, keepdims=True)) for name, values in self.sums.items()}
        )


def _done(year: YearSoFar) -> dict[str, Floats]:
    """Return the sums of the days done, accounts x months, of every column."""
    direct = pl.col("direct_fen").is_not_null()
    own = pl.col("cost_fen") - pl.col("booked_fen")
    sums = year.scored.group_by(*ACCOUNT, "month").agg(
        pl.len().alias("cases"),
        pl.col("points_e4", "cost_fen", "booked_fen", "fixed_points_e4").sum(),
        pl.col("rw_e4").sum().alias("rw_sum_e4"),
        pl.col("rw_e4").count().alias("rw_cases"),
        direct.sum().alias("direct_cases"),
        pl.col("direct_fen").sum(),
        own.filter(~direct).sum().alias("others_fen"),
    )
    placed = sums.join(year.cells.accounts.with_row_index("_row"), on=ACCOUNT, how="inner")
    row, month = placed["_row"].to_numpy(), placed["month"].to_numpy().astype(np.int64) - 1
    found = {}
    for name in COLUMNS:
        values = np.zeros((year.cells.accounts.height, MONTHS))
        values[row, month] = placed[name].cast(pl.Float64).to_numpy()
        found[name] = values
    return found


def course(year: YearSoFar, rest: Floats) -> Course:
    """Return the whole year of every draw: what is done, and the rest that was drawn.

    What the model does not draw (fixed points, direct payments, weights) keeps its share of what it does.
    """
    done, at = _done(year), year.cells.at
    names = ("cases", "points_e4", "cost_fen", "booked_fen")
    drawn = {name: rest[..., q] for q, name in enumerate(names)}
    drawn["own_fen"] = drawn["cost_fen"] - drawn["booked_fen"]
    base = {**done, "own_fen": done["cost_fen"] - done["booked_fen"]}
    for name, of in SHARES.items():
        over, under = done[name].sum(axis=1), base[of].sum(axis=1)
        whole = by_pool(np.stack([over, under], axis=1), at, len(year.cells.pools), 0)[at]
        share = np.where(
            under > 0, over / np.where(under > 0, under, 1), whole[:, 0] / np.maximum(whole[:, 1], 1)
        )
        drawn[name] = np.rint(drawn[of] * share[None, :, None])
    found = Course({name: done[name][None] + drawn[name] for name in COLUMNS})
    elastic = year.frozen.region.policy.point_value.elastic
    if elastic is not None and elastic.form == "base_volume" and elastic.base == "last_year":
        found.sums["fixed_points_e4"] = _base_volume(year, found, float(elastic.base_share))
    return found


def _base_volume(year: YearSoFar, found: Course, share: float) -> Floats:
    """Return fixed points where the base volume is a share of last year's points, in proportion to the months'."""
    last = year.cells.accounts.join(year.frozen.last_points, on=ACCOUNT, how="left", maintain_order="left")
    base = last["last_points_e4"].fill_null(0).cast(pl.Float64).to_numpy() * share
    points = found.sums["points_e4"]
    total = points.sum(axis=2, keepdims=True)
    part = np.minimum(base[None, :, None], total) / np.maximum(total, 1)
    found_points: Floats = np.floor(points * part)
    return found_points


@dataclass(frozen=True)
class Values:
    """Per draw and pool: ``value`` (draws x pools x periods, yuan per point at 1/10,000), ``ratio``, ``left_fen``.

    ``left_fen``: what of the fund the points get, on the side of the fund.
    """

    value: Floats
    ratio: Floats
    left_fen: Floats


def without_tracks(budget: Budget) -> Budget:
    """Return the budget with lines of other tracks as plain ones: a forecast takes them as spent as planned."""
    pools = [
        pool.model_copy(
            update={"lines": tuple(line.model_copy(update={"track": None}) for line in pool.lines)}
        )
        for pool in budget.pool
    ]
    return budget.model_copy(update={"pool": tuple(pools)})


def of_periods(values: Floats, periods: int) -> Floats:
    """Return sums over the months of each period, in the last axis."""
    found: Floats = values.reshape(*values.shape[:-1], periods, MONTHS // periods).sum(axis=-1)
    return found


_PRICED = (
    "cases",
    "cost_fen",
    "booked_fen",
    "points_e4",
    "fixed_points_e4",
    "direct_cases",
    "direct_fen",
    "others_fen",
)


def pool_sums(year: YearSoFar, sums: Course, periods: int) -> Int64s:
    """Return draws x pools x periods x what point values are computed from."""
    at, pools = year.cells.at, len(year.cells.pools)
    found = np.stack(
        [of_periods(by_pool(sums.sums[name], at, pools, 1), periods) for name in _PRICED], axis=-1
    )
    whole: Int64s = np.rint(found).astype(np.int64)
    return whole


def pool_frame(year: YearSoFar, table: Int64s) -> pl.DataFrame:
    """Return the sums of pools and periods of one draw, as :func:`fenzhi.budget.price_sums` takes them."""
    pools, periods = table.shape[:2]
    flat = pl.DataFrame(table.reshape(pools * periods, -1), schema=list(_PRICED), orient="row")
    wide = ("cost_fen", "booked_fen", "points_e4", "fixed_points_e4")
    return flat.with_columns(
        pl.Series("pool", np.repeat(year.cells.pools, periods), dtype=pl.String),
        pl.Series("period", np.tile(np.arange(periods), pools), dtype=pl.Int8),
        pl.col(wide).cast(pl.Int128),
    ).filter(pl.col("cases") > 0)


def values_of(year: YearSoFar, sums: Course, policy: Policy) -> Values:
    """Return the point value of every pool, period and draw, by the rules of the budget."""
    frozen = year.frozen
    budget, rules = without_tracks(frozen.region.budget), policy.point_value
    periods = PERIODS[rules.period]
    tables = pool_sums(year, sums, periods)
    pools = {pool: at for at, pool in enumerate(year.cells.pools)}
    shape = tables.shape[:3]
    value, left = np.zeros(shape), np.zeros(shape[:2])
    for draw, table in enumerate(tables):
        prices = price_sums(pool_frame(year, table), budget, frozen.opening, rules)
        for row in prices.iter_rows(named=True):
            at = pools[row["pool"]]
            value[draw, at, row["period"]] = row["settlement_value_e4"] or 0
            left[draw, at] += row["fund_fen"] - row["direct_fen"]
    cost, booked = (tables[..., _PRICED.index(name)].sum(axis=2) for name in ("cost_fen", "booked_fen"))
    ratio = [
        [float(payment_ratio(int(c), int(b))) for c, b in zip(*two, strict=True)]
        for two in zip(cost, booked, strict=True)
    ]
    return Values(value, np.array(ratio), left)


@dataclass(frozen=True)
class Paid:
    """Amounts of the accounts, draws x accounts, in fen: the columns of the hospitals' result table."""

    amounts: dict[str, Floats]


def amounts(year: YearSoFar, sums: Course, values: Values, policy: Policy) -> Paid:
    """Return what every account is paid in every draw, and its cash."""
    gross = _gross(year, sums, values, policy)
    inputs, at = year.frozen.inputs, year.cells.at
    accounts = year.cells.accounts
    assessed = accounts.join(inputs.assessment, on="fixmedins_code", how="left", maintain_order="left")
    coefficient = assessed["assessment_e4"].fill_null(SCALE).to_numpy() / SCALE
    cut = inputs.deductions.group_by(ACCOUNT).agg(
        pl.col("deduction_fen").sum(),
        pl.col("deduction_fen").filter(pl.col("kind") == "fine").sum().alias("fine_fen"),
    )
    cuts = accounts.join(cut, on=ACCOUNT, how="left", maintain_order="left").fill_null(0)
    deduction, fine = (cuts[name].to_numpy().astype(np.float64) for name in ("deduction_fen", "fine_fen"))
    withheld = np.where(gross > 0, gross * (1 - coefficient), 0)
    payable, booked = gross - withheld - deduction, sums.total("booked_fen")
    pools = len(year.cells.pools)
    brought = by_pool(withheld + deduction - fine, at, pools, 1)
    reserve = np.array([year.frozen.region.budget.of(pool).reserve_fen for pool in year.cells.pools])
    holds = reserve + values.left_fen + _direct(year, sums) - by_pool(gross, at, pools, 1) + brought
    shared = _shared(payable, booked, holds, at, policy.sharing)
    found = {
        "gross_fen": gross,
        "payable_fen": payable,
        "balance_fen": payable - booked,
        "shared_fen": shared,
        "final_fen": payable + shared,
        "result_fen": payable + shared - booked,
    }
    return Paid(found | _cash(year, sums, found["final_fen"], coefficient, policy.settlement))


def _direct(year: YearSoFar, sums: Course) -> Floats:
    return by_pool(sums.total("direct_fen"), year.cells.at, len(year.cells.pools), 1)


def _gross(year: YearSoFar, sums: Course, values: Values, policy: Policy) -> Floats:
    """Return the amounts before assessment, as docs/rules.md, section 6, has them for ``residual = "reserve"``."""
    at, periods = year.cells.at, values.value.shape[2]
    by_difference = policy.point_value.settlement == "difference"
    opening = dict(year.frozen.opening.select("pool", "opening_value_e4").iter_rows())
    first = np.array([opening[pool] or 0 for pool in year.cells.pools])[at]
    fixed, points, others = (
        of_periods(sums.sums[name], periods) for name in ("fixed_points_e4", "points_e4", "others_fen")
    )
    value = values.value[:, at]
    ratio = np.ones_like(values.ratio) if by_difference else values.ratio
    worth = (fixed * first[None, :, None] + (points - fixed) * value) / FEN_PER_POINT_VALUE
    worth = worth * ratio[:, at][..., None]
    if by_difference:
        worth = worth - np.where(by_pool(points, at, len(year.cells.pools), 1)[:, at] > 0, others, 0)
    found: Floats = worth.sum(axis=2) + sums.total("direct_fen")
    return found


def _shared(payable: Floats, booked: Floats, holds: Floats, at: Int64s, rules: Sharing | None) -> Floats:
    """Return what sharing moves, by the rule of the settlement at steps of booked / payable."""
    if rules is None:
        return np.zeros_like(payable)
    grid = np.linspace(0, _MOST, _STEPS * _MOST + 1)
    moves = np.array([wanted(_PAYABLE, round(x * _PAYABLE), rules) for x in grid]) / _PAYABLE
    safe = np.where(payable > 0, payable, 1)
    asked = np.interp(np.maximum(booked, 0) / safe, grid, moves) * np.where(payable > 0, payable, 0)
    pools = holds.shape[1]
    there = np.maximum(0, holds - by_pool(np.minimum(asked, 0), at, pools, 1))
    need = by_pool(np.maximum(asked, 0), at, pools, 1)
    part = np.where(need > there, there / np.where(need > 0, need, 1), 1.0)[:, at]
    found: Floats = np.where(asked > 0, asked * part, asked)
    return found


def _cash(
    year: YearSoFar, sums: Course, final: Floats, coefficient: Floats, rules: Settlement
) -> dict[str, Floats]:
    """Return working capital, advances, quarterly clearing, deposit and annual clearing of every draw."""
    accounts, inputs = year.cells.accounts.select(ACCOUNT), year.frozen.inputs
    draws = len(final)
    capital = working_capital(accounts, inputs.last_booked, rules)["working_capital_fen"].to_numpy()
    advances = inputs.advances
    if advances is not None:
        start = advances.filter(pl.col("month") == 0).group_by(ACCOUNT).agg(pl.col("advance_fen").sum())
        given = accounts.join(start, on=ACCOUNT, how="left", maintain_order="left")["advance_fen"]
        capital = given.fill_null(0).to_numpy()
    table = months_of(year, sums, rules)
    shape = (draws, accounts.height, MONTHS)
    paid = {
        name: table[name].to_numpy().reshape(shape).sum(axis=2)
        for name in ("advance_fen", "quarter_fen", "deposit_fen")
    }
    released = paid["deposit_fen"] * (1.0 if rules.deposit_release == "full" else np.minimum(coefficient, 1))
    clearing = final - paid["advance_fen"] - paid["quarter_fen"] - paid["deposit_fen"] - capital
    return {
        "working_capital_fen": np.broadcast_to(capital.astype(np.float64), final.shape),
        **paid,
        "released_fen": released,
        "clearing_fen": clearing,
    }


def months_of(year: YearSoFar, sums: Course, rules: Settlement) -> pl.DataFrame:
    """Return the months of every draw and account in this order, in the columns of ``results.MONTHS``.

    Advances that were paid replace computed ones. Draws are told apart by the name of their pool.
    """
    draws = sums.sums["cases"].shape[0]
    accounts, inputs = year.cells.accounts.select(ACCOUNT), year.frozen.inputs
    numbers = pl.DataFrame({"_draw": np.arange(draws)})
    name = pl.format("{}#{}", "pool", "_draw").alias("pool")

    def every(frame: pl.DataFrame) -> pl.DataFrame:
        return numbers.join(frame, how="cross", maintain_order="left_right").with_columns(name)

    each = every(accounts)
    months = np.tile(np.arange(1, MONTHS + 1), each.height)
    wanted_columns = (
        "cases",
        "points_e4",
        "cost_fen",
        "booked_fen",
        "direct_cases",
        "direct_fen",
        "others_fen",
    )
    cells = each.select(pl.all().repeat_by(MONTHS).explode()).with_columns(
        pl.Series("month", months, dtype=pl.Int8),
        *(pl.Series(one, np.rint(sums.sums[one]).astype(np.int64).ravel()) for one in wanted_columns),
    )
    pools = every(year.frozen.opening.select("pool", "opening_value_e4"))
    deductions = every(inputs.deductions)
    found = monthly(cells.drop("_draw"), each.select(ACCOUNT), pools, deductions, rules)
    if inputs.advances is not None:
        paid = (
            every(inputs.advances).group_by(*ACCOUNT, "month").agg(pl.col("advance_fen").sum().alias("_paid"))
        )
        over = pl.col("month") <= year.months_done
        found = found.join(paid, on=[*ACCOUNT, "month"], how="left", maintain_order="left").with_columns(
            pl.when(over).then(pl.col("_paid").fill_null(0)).otherwise("advance_fen").alias("advance_fen")
        )
    return quarterly(found.drop("_paid", strict=False), rules)
