"""A finished year forecast from its first months, beside what really came. docs/rules.md, "Forecast"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.year import compute
from fenzhi.simulation.forecast import MEASURES, VALUE_MEASURES, Forecast, Options, forecast
from fenzhi.simulation.forecast_columns import shaped
from fenzhi.simulation.forecast_year import History, require_whole_year

#: What cannot be off is not tested.
TESTED = tuple(name for name in MEASURES if name != "shared_fen")
KEYS = ["fixmedins_code", "pool", "measure"]


@dataclass(frozen=True)
class Truth:
    """The year as it was: ``hospitals``, ``pools`` of a run."""

    hospitals: pl.DataFrame
    pools: pl.DataFrame


def truth_of(history: History, progress: Progress = silent) -> Truth:
    """Return the finished year. Raises :class:`RegionError` if its records do not reach to its end."""
    require_whole_year(history)
    tables, _ = compute(history.frozen.region, progress=progress)
    return Truth(tables["hospitals"], tables["pools"])


def _long(frame: pl.DataFrame, keys: list[str], measures: tuple[str, ...]) -> pl.DataFrame:
    return frame.select(*keys, pl.col(measures).cast(pl.Int64)).unpivot(
        index=keys, on=list(measures), variable_name="measure", value_name="truth"
    )


def _of_hospitals(truth: Truth) -> pl.DataFrame:
    """Return the truth of every hospital over all pools, and of every pool (no hospital)."""
    summed = tuple(name for name in TESTED if name != "cmi_e4")
    with_result = truth.hospitals.with_columns(
        (pl.col("final_fen") - pl.col("booked_fen")).alias("result_fen")
    )
    totals = with_result.group_by("fixmedins_code").agg(pl.col(summed).sum())
    mine = _long(totals, ["fixmedins_code"], summed).with_columns(pl.lit(None, pl.String).alias("pool"))
    each = _long(truth.pools, ["pool"], VALUE_MEASURES).with_columns(
        pl.lit(None, pl.String).alias("fixmedins_code")
    )
    return pl.concat([mine.select(*KEYS, "truth"), each.select(*KEYS, "truth")])


def back_test(history: History, truth: Truth, as_of: date, options: Options | None = None) -> Forecast:
    """Return the forecast of a finished year as of a day, with the tables ``backtest`` and ``coverage``."""
    made = forecast(history, as_of, options)
    ends = ["expected", "low", "middle", "high"]
    mine = made.tables["accounts"].filter(pl.col("pool").is_null()).select(*KEYS, "fixmedins_name", *ends)
    pools = made.tables["values"].select(
        pl.lit(None, pl.String).alias("fixmedins_code"),
        "pool",
        "measure",
        pl.lit(None, pl.String).alias("fixmedins_name"),
        *ends,
    )
    both = pl.concat([mine, pools]).join(
        _of_hospitals(truth), on=KEYS, how="inner", nulls_equal=True, maintain_order="left"
    )
    inside = both.with_columns(pl.col("truth").is_between("low", "high").alias("inside"))
    counted = (
        inside.filter(pl.col("fixmedins_code").is_not_null())
        .group_by("measure", maintain_order=True)
        .agg(pl.len().alias("hospitals"), pl.col("inside").sum())
        .with_columns((pl.col("inside") / pl.col("hospitals")).alias("share"))
    )
    order = {name: at for at, name in enumerate(MEASURES)}
    coverage = counted.sort(pl.col("measure").replace_strict(order, return_dtype=pl.Int64))
    tables = {"backtest": shaped(inside, "backtest"), "coverage": shaped(coverage, "coverage")}
    return Forecast({**made.summary, "back_test": True}, made.tables | tables)
