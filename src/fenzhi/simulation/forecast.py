"""The year's end from the months done: stays, points, point value, amounts and cash, each with an interval.

docs/rules.md, "Forecast".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

from fenzhi.arrays import Floats
from fenzhi.errors import RegionError
from fenzhi.money import SCALE
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.policy import Policy
from fenzhi.simulation.forecast_cells import MONTHS
from fenzhi.simulation.forecast_columns import shaped
from fenzhi.simulation.forecast_drivers import drivers_of
from fenzhi.simulation.forecast_model import by_pool, draw_rest
from fenzhi.simulation.forecast_money import (
    Course,
    Paid,
    Values,
    amounts,
    course,
    months_of,
    values_of,
)
from fenzhi.simulation.forecast_settle import at_a_value, settle_expected
from fenzhi.simulation.forecast_year import History, YearSoFar, hospitals_with_stays, so_far

#: Measures of a hospital, in the order of the tables. ``result_fen``: final - booked; ``balance_fen``: before sharing.
MEASURES = (
    *("cases", "points_e4", "cmi_e4", "cost_fen", "booked_fen", "gross_fen", "payable_fen", "balance_fen"),
    *("shared_fen", "final_fen", "result_fen", "advance_fen", "clearing_fen"),
)
#: Those that the months done have already.
_DONE = ("cases", "points_e4", "cost_fen", "booked_fen")
VALUE_MEASURES = ("settlement_value_e4", "payment_ratio_e4", "points_e4", "cases")
CLOSE = MONTHS + 1


@dataclass(frozen=True)
class Options:
    """How a forecast is made.

    ``level``: how much of the draws an interval holds. ``value_range``: for the folder of one hospital, the interval of
    the settlement value as multiples of the opening value.
    """

    draws: int = 500
    seed: int = 1
    level: float = 0.8
    value_range: tuple[Decimal, Decimal] | None = None

    def ends(self) -> tuple[float, float, float]:
        """Return the quantiles: lower end, middle, upper end."""
        edge = (1 - self.level) / 2
        return edge, 0.5, 1 - edge


def _refuse(message: str, field: str, value: object, remedy: str) -> RegionError:
    return RegionError(message, code="FORECAST_INPUT", field=field, value=value, remedy=remedy)


def require_options(options: Options) -> None:
    """Raise :class:`RegionError` for options that make no sense."""
    if not 50 <= options.draws <= 10_000:
        raise _refuse("the number of draws lies between 50 and 10,000", "--draws", options.draws, "give 500")
    if not 0.5 <= options.level <= 0.98:
        raise _refuse("the level lies between 0.5 and 0.98", "--level", options.level, "give 0.8")
    if options.value_range is not None:
        low, high = options.value_range
        if not 0 < low <= high <= 3:
            raise _refuse(
                "the range is two multiples of the opening value, the smaller one first",
                "--value-range",
                f"{low} {high}",
                "give for example 0.92 1.00",
            )


@dataclass(frozen=True)
class Forecast:
    """A forecast. ``tables``: those of :mod:`fenzhi.simulation.forecast_columns`; ``summary``: how it was made."""

    summary: dict[str, Any]
    tables: dict[str, pl.DataFrame]


@dataclass(frozen=True)
class _Outcome:
    """All draws (index 0 of the arrays), and the expected course as a single draw of its own."""

    year: YearSoFar
    sums: Course
    values: Values
    paid: Paid
    cash: Floats

    def measure(self, name: str) -> Floats:
        """Return a measure, draws x accounts."""
        if name in self.paid.amounts:
            return self.paid.amounts[name]
        return self.sums.total(name)


def _drawn_values(year: YearSoFar, sums: Course, policy: Policy, options: Options) -> Values:
    """Return point values by the budget, or drawn from the stated range."""
    if options.value_range is None:
        return values_of(year, sums, policy)
    low, high = (float(end) for end in options.value_range)
    draws = sums.sums["cases"].shape[0]
    scale = (high - low) / 2 / NormalDist().inv_cdf(options.ends()[2])
    rng = np.random.default_rng([options.seed, 1])
    multiple = (low + high) / 2 + scale * rng.standard_normal(draws)
    opening = dict(year.frozen.opening.select("pool", "opening_value_e4").iter_rows())
    first = np.array([opening[pool] or 0 for pool in year.cells.pools], dtype=np.float64)
    at, pools = year.cells.at, len(year.cells.pools)
    cost, booked = (by_pool(sums.total(name), at, pools, 1) for name in ("cost_fen", "booked_fen"))
    ratio = np.where((cost > 0) & (booked > 0), booked / np.where(cost > 0, cost, 1), 1.0)
    value = np.maximum(multiple, 0)[:, None, None] * first[None, :, None]
    return Values(value, ratio, np.zeros_like(cost))


def _outcome(year: YearSoFar, sums: Course, policy: Policy, options: Options) -> _Outcome:
    values = _drawn_values(year, sums, policy, options)
    paid = amounts(year, sums, values, policy)
    table = months_of(year, sums, policy.settlement)
    shape = (*paid.amounts["final_fen"].shape, MONTHS)
    monthly = (table["advance_fen"] + table["quarter_fen"]).to_numpy().reshape(shape)
    close = paid.amounts["clearing_fen"] + paid.amounts["released_fen"]
    start = paid.amounts["working_capital_fen"]
    return _Outcome(
        year, sums, values, paid, np.concatenate([start[..., None], monthly, close[..., None]], axis=2)
    )


def _cmi(weights: Floats, stays: Floats, scale: int) -> Floats:
    found: Floats = np.where(stays > 0, weights / np.where(stays > 0, stays, 1), 0) / scale
    return found


def _interval(draws: Floats, options: Options) -> Floats:
    return np.rint(np.quantile(draws, options.ends(), axis=0))


def _grouped(values: Floats, places: Sequence[np.ndarray]) -> Floats:
    return np.stack([values[:, at].sum(axis=1) for at in places], axis=1)


def _require_hospital(year: YearSoFar, hospital: str | None) -> None:
    if hospital is None:
        return
    known = year.frozen.region.hospitals["fixmedins_code"]
    with_stays = hospitals_with_stays(year)
    if hospital not in known:
        raise _refuse(
            "hospitals.csv lists no such hospital",
            "--hospital",
            hospital,
            f"use one of: {', '.join(with_stays[:10])}",
        )
    if hospital not in with_stays:
        raise _refuse(
            f"this hospital has no stay that points pay up to {year.as_of}, so there is nothing to go by",
            "--hospital",
            hospital,
            f"use one of: {', '.join(with_stays[:10])}",
        )


def _require_region(year: YearSoFar, options: Options) -> None:
    if options.value_range is None and len(hospitals_with_stays(year)) == 1:
        raise _refuse(
            "one hospital alone has stays in this folder; what a point is worth depends on all hospitals",
            "--value-range",
            None,
            "say what you expect, as multiples of the opening value: --value-range 0.92 1.00",
        )


def forecast(
    history: History,
    as_of: date,
    options: Options | None = None,
    hospital: str | None = None,
    progress: Progress = silent,
) -> Forecast:
    """Return the forecast of a region's year, or of one hospital of it, from the stays up to a day.

    Raises :class:`RegionError` FORECAST_INPUT for what makes no sense.
    """
    options = options or Options()
    require_options(options)
    progress("score", 0.6)
    year = so_far(history, as_of)
    _require_hospital(year, hospital)
    _require_region(year, options)
    policy = year.frozen.region.policy
    progress("draw", 0.7)
    sums = course(year, draw_rest(year.cells, options.draws, np.random.default_rng(options.seed)))
    progress("price and settle", 0.8)
    drawn = _outcome(year, sums, policy, options)
    expected = sums.expected()
    settled_by = policy
    if options.value_range is not None:
        low, high = options.value_range
        settled_by = at_a_value(policy, ((low + high) / 2).quantize(Decimal("0.0001")))
    settled, _ = settle_expected(year, expected, settled_by)
    codes = sorted(year.frozen.region.hospitals["fixmedins_code"]) if hospital is None else [hospital]
    tables = {
        "accounts": _accounts(drawn, settled.hospitals, policy.weights.scale, options, codes),
        "values": _values(drawn, settled.pools, options),
        "months": _months(drawn, settled.months, settled.hospitals, options, hospital),
        "drivers": drivers_of(year, drawn.sums, drawn.values, drawn.paid.amounts["gross_fen"], codes),
    }
    return Forecast(
        _summary(year, options, hospital), {name: shaped(one, name) for name, one in tables.items()}
    )


def _summary(year: YearSoFar, options: Options, hospital: str | None) -> dict[str, Any]:
    region = year.frozen.region
    given = options.value_range
    return {
        "region": {"id": region.meta.id, "name": region.meta.name, "year": region.meta.year},
        "synthetic": region.meta.synthetic,
        "scheme": region.policy.meta.scheme,
        "scale": region.policy.weights.scale,
        "hospital": hospital,
        "as_of": year.as_of.isoformat(),
        "history_years": len(year.cells.past),
        "draws": options.draws,
        "seed": options.seed,
        "level": options.level,
        "value_range": None if given is None else [str(end) for end in given],
    }


def _names(year: YearSoFar) -> pl.DataFrame:
    return year.frozen.region.hospitals.select("fixmedins_code", "fixmedins_name")


def _accounts(
    drawn: _Outcome, settled: pl.DataFrame, scale: int, options: Options, codes: Sequence[str]
) -> pl.DataFrame:
    """Return every measure of every hospital with stays, in each pool and in all."""
    year = drawn.year
    accounts = year.cells.accounts.select("fixmedins_code", "pool")
    known = year.cells.accounts.join(
        settled, on=["fixmedins_code", "pool"], how="left", maintain_order="left"
    )
    code, pool = accounts["fixmedins_code"].to_numpy(), accounts["pool"].to_numpy()
    live = drawn.sums.total("cases").max(axis=0) > 0
    keys: list[tuple[str, str | None]] = []
    places = []
    for one in codes:
        mine = np.flatnonzero((code == one) & live)
        if len(mine):
            keys += [(one, None), *((one, str(pool[at])) for at in mine)]
            places += [mine, *(np.array([at]) for at in mine)]
    weights, stays = (_grouped(drawn.sums.total(name), places) for name in ("rw_sum_e4", "rw_cases"))
    frames = []
    for name in MEASURES:
        if name == "cmi_e4":
            values = _cmi(weights, stays, scale)
            centre = values.mean(axis=0)
        else:
            values = _grouped(drawn.measure(name), places)
            centre = _grouped(_settled(known, name)[None], places)[0]
        low, median, high = _interval(values, options)
        done = np.array(
            [year.cells.now[at, :, _DONE.index(name)].sum() if name in _DONE else np.nan for at in places]
        )
        frames.append(
            pl.DataFrame(
                {
                    "fixmedins_code": [one for one, _ in keys],
                    "pool": pl.Series([two for _, two in keys], dtype=pl.String),
                    "measure": [name] * len(keys),
                    "done": pl.Series(done).fill_nan(None),
                    **{
                        key: np.rint(v)
                        for key, v in zip(
                            ("expected", "low", "middle", "high"), (centre, low, median, high), strict=True
                        )
                    },
                    "_order": np.arange(len(keys)),
                }
            )
        )
    table = pl.concat(frames).sort("_order", maintain_order=True)
    return table.join(_names(year), on="fixmedins_code", how="left", maintain_order="left")


def _settled(known: pl.DataFrame, name: str) -> Floats:
    """Return a measure of the expected course, settled to the fen, of every account."""
    result = pl.col("final_fen") - pl.col("booked_fen") if name == "result_fen" else pl.col(name)
    found: Floats = known.select(result.fill_null(0).cast(pl.Float64))[:, 0].to_numpy()
    return found


def _values(drawn: _Outcome, pools: pl.DataFrame, options: Options) -> pl.DataFrame:
    """Return point value, payment ratio, points and stays of every pool."""
    year, at = drawn.year, drawn.year.cells.at
    n = len(year.cells.pools)
    points = drawn.sums.sums["points_e4"] - drawn.sums.sums["fixed_points_e4"]
    periods = drawn.values.value.shape[2]
    floating = by_pool(points, at, n, 1).reshape(-1, n, periods, MONTHS // periods).sum(axis=3)
    whole = floating.sum(axis=2)
    mean = (drawn.values.value * floating).sum(axis=2) / np.where(whole > 0, whole, 1)
    value = np.where(whole > 0, mean, drawn.values.value.mean(axis=2))
    found = {
        "settlement_value_e4": value,
        "payment_ratio_e4": drawn.values.ratio * SCALE,
        "points_e4": by_pool(drawn.sums.total("points_e4"), at, n, 1),
        "cases": by_pool(drawn.sums.total("cases"), at, n, 1),
    }
    titles = {pool.id: pool.title for pool in year.frozen.region.pools}
    settled = {row["pool"]: row for row in pools.iter_rows(named=True)}
    rows = []
    for place, pool in enumerate(year.cells.pools):
        for name in VALUE_MEASURES:
            low, middle, high = _interval(found[name][:, place], options)
            centre = settled[pool][name]
            rows.append((pool, titles[pool], name, centre, low, middle, high))
    columns = ["pool", "title", "measure", "expected", "low", "middle", "high"]
    return pl.DataFrame(rows, schema=columns, orient="row", strict=False)


def _months(
    drawn: _Outcome,
    months: pl.DataFrame,
    hospitals: pl.DataFrame,
    options: Options,
    hospital: str | None,
) -> pl.DataFrame:
    """Return stays, points and cash by month, of every hospital with stays, and of the region (no hospital)."""
    year = drawn.year
    code = year.cells.accounts["fixmedins_code"].to_numpy()
    live = drawn.sums.total("cases").max(axis=0) > 0
    wanted = [hospital] if hospital is not None else [None, *sorted(set(code[live]))]
    over = np.concatenate([[1.0], year.cells.done, [0.0]])
    frames = []
    flat = months.sort("month", maintain_order=True)
    for one in wanted:
        mine = np.flatnonzero(live if one is None else code == one)
        here = pl.lit(True) if one is None else pl.col("fixmedins_code") == one
        table = (
            flat.filter(here)
            .group_by("month", maintain_order=True)
            .agg(pl.col("cases", "points_e4", "due_fen", "advance_fen", "deposit_fen", "quarter_fen").sum())
        )
        columns: dict[str, Any] = {"month": np.arange(MONTHS + 2), "done": over}
        for name, stem, end in (("cases", "cases", ""), ("points_e4", "points", "_e4")):
            ends = _interval(drawn.sums.sums[name][:, mine].sum(axis=1), options)
            columns[name] = _framed(table[name].to_numpy().astype(np.float64))
            columns[f"{stem}_low{end}"], columns[f"{stem}_high{end}"] = _framed(ends[0]), _framed(ends[2])
        for name in ("due_fen", "advance_fen", "deposit_fen", "quarter_fen"):
            columns[name] = _framed(table[name].to_numpy().astype(np.float64))
        of = hospitals.filter(here)
        closing = np.full(MONTHS + 2, np.nan)
        closing[CLOSE] = of["clearing_fen"].sum()
        columns["clearing_fen"] = closing
        low, _, high = _interval(drawn.cash[:, mine].sum(axis=1), options)
        cash = columns["advance_fen"] + columns["quarter_fen"]
        cash[0], cash[CLOSE] = of["working_capital_fen"].sum(), closing[CLOSE] + of["released_fen"].sum()
        columns |= {"cash_fen": cash, "cash_low_fen": low, "cash_high_fen": high}
        frame = pl.DataFrame(columns).with_columns(pl.lit(one, pl.String).alias("fixmedins_code"))
        frames.append(frame.with_columns(pl.selectors.float().fill_nan(None)))
    return pl.concat(frames).join(_names(year), on="fixmedins_code", how="left", maintain_order="left")


def _framed(values: Floats) -> Floats:
    """Return the values of twelve months between two empty places: the start of the year and its close."""
    return np.concatenate([[np.nan], values, [np.nan]])
