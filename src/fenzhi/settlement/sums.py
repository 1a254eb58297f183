"""What settlement needs of the stays: sums that add up, so that some stays can be replaced by others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from fenzhi.settlement.annual import ACCOUNT, UNIT, account_sums, unit_sums
from fenzhi.settlement.months import MONTH, month_sums


@dataclass(frozen=True)
class StaySums:
    """Sums of the stays that the fund pays: per hospital and pool, per period (sorted), per month."""

    accounts: pl.DataFrame
    units: pl.DataFrame
    months: pl.DataFrame


def stay_sums(scored: pl.DataFrame) -> StaySums:
    """Return the sums of scored stays, with their fixed points, period and direct_fen."""
    return StaySums(account_sums(scored), unit_sums(scored), month_sums(scored))


def replaced(frame: pl.DataFrame, keys: Sequence[str], gone: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Return sums less those of the stays that are gone, and with those of new ones; rows without stays leave."""
    names = [name for name in frame.columns if name not in keys]
    less = gone.select(*keys, *(pl.col(name) * -1 for name in names))
    parts = [part.select(frame.columns) for part in (frame, less, new)]
    return (
        pl.concat(parts).group_by(keys).agg(cs.exclude(*keys).sum()).filter(pl.col("cases") != 0).sort(keys)
    )


def replace_stays(sums: StaySums, gone: StaySums, new: StaySums) -> StaySums:
    """Return the sums after some stays (``gone``) were replaced by others (``new``)."""
    return StaySums(
        replaced(sums.accounts, ACCOUNT, gone.accounts, new.accounts),
        replaced(sums.units, UNIT, gone.units, new.units),
        replaced(sums.months, MONTH, gone.months, new.months),
    )
