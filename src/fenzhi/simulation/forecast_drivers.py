"""What makes a forecast uncertain: the parts of the spread, which add up to one. docs/rules.md, "Forecast"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from fenzhi.arrays import Floats
from fenzhi.simulation.forecast_model import by_pool
from fenzhi.simulation.forecast_money import Course, Values
from fenzhi.simulation.forecast_year import YearSoFar

#: Of an amount: own stays, points of a stay, point value, payment ratio; ``rest``: deductions, limits, direct payments.
AMOUNT = ("volume", "mix", "value", "ratio", "rest")
#: Of a point value: stays of all hospitals, their points, payment ratio; ``rest``: fund and limits.
VALUE = ("volume", "mix", "ratio", "rest")


def _off(values: Floats) -> Floats:
    """Return the relative distance of every draw from the mean, 0 where the mean is 0."""
    mean = values.mean(axis=0, keepdims=True)
    found: Floats = np.where(mean != 0, values / np.where(mean != 0, mean, 1) - 1, 0)
    return found


def _parts(pieces: Mapping[str, Floats], whole: Floats) -> dict[str, float] | None:
    """Return each piece's covariance with the whole / the variance of the whole; what is missing is ``rest``."""
    off = whole - whole.mean()
    variance = float((off**2).mean())
    if variance <= 0:
        return None
    found = {name: float((piece * off).mean()) / variance for name, piece in pieces.items()}
    return found | {"rest": 1 - sum(found.values())}


def drivers_of(
    year: YearSoFar, sums: Course, values: Values, gross: Floats, codes: Sequence[str]
) -> pl.DataFrame:
    """Return the parts of the spread of every pool's value and of every hospital's amount before assessment."""
    at, pools = year.cells.at, len(year.cells.pools)
    stays, points = sums.total("cases"), sums.total("points_e4")
    value, ratio = values.value.mean(axis=2), values.ratio
    pool_stays, pool_points = (by_pool(one, at, pools, 1) for one in (stays, points))
    rows: list[tuple[str | None, str | None, str, float]] = []
    for place, pool in enumerate(year.cells.pools):
        volume = _off(pool_stays[:, place])
        pieces = {
            "volume": -volume,
            "mix": volume - _off(pool_points[:, place]),
            "ratio": -_off(ratio[:, place]),
        }
        parts = _parts(pieces, _off(value[:, place]))
        rows += [(None, pool, name, parts[name]) for name in VALUE] if parts else []
    volume = _off(stays)
    pieces = {
        "volume": volume,
        "mix": _off(points) - volume,
        "value": _off(value)[:, at],
        "ratio": _off(ratio)[:, at],
    }
    mean = gross.mean(axis=0)
    code = year.cells.accounts["fixmedins_code"].to_numpy()
    for one in codes:
        mine = np.flatnonzero(code == one)
        parts = _parts(
            {name: (piece[:, mine] * mean[mine]).sum(axis=1) for name, piece in pieces.items()},
            gross[:, mine].sum(axis=1),
        )
        rows += [(one, None, name, parts[name]) for name in AMOUNT] if parts else []
    names = year.frozen.region.hospitals.select("fixmedins_code", "fixmedins_name")
    schema = {"fixmedins_code": pl.String, "pool": pl.String, "driver": pl.String, "share": pl.Float64}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    return table.join(names, on="fixmedins_code", how="left", maintain_order="left")
