"""The history in numbers: every stay that counts for weights, coefficients and opening values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import polars as pl
import polars.selectors as cs

from fenzhi.errors import RegionError
from fenzhi.grouping.dip import OUTCOMES
from fenzhi.pipeline.auxiliary import fee_columns
from fenzhi.pipeline.setting import (
    Clock,
    Setting,
    auxiliary_marks,
    group_coded,
    known_codes,
    marked,
    overlay_numbers,
)
from fenzhi.pipeline.tcm import tcm_fee_columns
from fenzhi.pipeline.tracks import tracks_of
from fenzhi.records import StaysRead, read_stays
from fenzhi.region import Region
from fenzhi.region.scope import cost_of, is_bed_day, los_reason, pool_of
from fenzhi.weights.levels import MARKS

RIGID = "rigid_fen"


@dataclass(frozen=True)
class History:
    """The history in numbers: group, year, hospital, cost, days, pool, booked, outcome of every stay that counts.
    With auxiliary types also their marks (see :mod:`fenzhi.weights.levels`).

    Stays that grouping rejects do not count. Bed-day stays count for opening values, not for weights.
    """

    stays: pl.DataFrame
    counts: dict[str, int]

    @property
    def measured(self) -> pl.DataFrame:
        """Return the stays that weights and coefficients are measured on."""
        return self.stays.filter(pl.col("outcome") != "bed_day").select(
            "group_idx", "year", "fixmedins_code", "cost_fen", cs.starts_with(MARKS)
        )


def history_years(region: Region) -> list[int]:
    """Return the year each history folder stands for: the last ones before the region's year, oldest first."""
    if region.meta.history_years:
        return list(region.meta.history_years)
    n = len(region.meta.history)
    return list(range(region.meta.year - n, region.meta.year))


def grouped_history(stays: pl.DataFrame, setting: Setting, *, counted: bool = False) -> pl.DataFrame:
    """Return the stays of history that count, with all their columns, grouped.

    Adds group_idx, outcome, reason, cost_fen, year, pool, track and the marks of auxiliary types. ``counted``: the
    stays are known to be on no other track.
    """
    region = setting.region
    scope, bed_day = region.policy.scope, region.policy.bed_day
    inside = is_bed_day(stays, bed_day)
    grouped = overlay_numbers(stays, group_coded(stays, setting, setting.compiled).frame, setting)
    stays = stays.with_columns(pool_of(stays, region.pools, region.meta.area).alias("pool"))
    return stays.with_columns(
        pl.when(inside).then(pl.lit(-1, pl.Int32)).otherwise(grouped["group_idx"]).alias("group_idx"),
        pl.when(inside).then(pl.lit("bed_day", OUTCOMES)).otherwise(grouped["outcome"]).alias("outcome"),
        grouped["reason"],
        cost_of(stays, scope).alias("cost_fen"),
        pl.col("dscg_time").dt.year().alias("year"),
        pl.lit(None, pl.String).alias("track") if counted else tracks_of(stays, setting)["track"],
        *auxiliary_marks(stays, setting),
    ).filter(
        pl.col("track").is_null() & (pl.col("outcome") != "rejected") & (inside | los_reason(scope).is_null())
    )


def _slim_history(read: StaysRead, setting: Setting) -> pl.DataFrame:
    """Group one year of history and keep what weights, coefficients and opening values need."""
    return grouped_history(read.stays, setting).select(
        "group_idx",
        "outcome",
        "reason",
        "year",
        pl.col("dscg_time").dt.month().cast(pl.Int8).alias("month"),
        "fixmedins_code",
        "cost_fen",
        "act_ipt_days",
        "pool",
        pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
        cs.starts_with(MARKS),
        *_rigid(setting.region),
    )


def _rigid_fees(region: Region) -> tuple[str, ...]:
    """Return the fees whose part of the cost keeps the opening value, if the policy says so."""
    rules = region.policy.point_value.elastic
    return rules.fees if rules is not None and rules.form == "rigid_cost" else ()


def _rigid(region: Region) -> list[pl.Expr]:
    fees = _rigid_fees(region)
    return [pl.sum_horizontal(pl.col(f"{fee}_fen").fill_null(0) for fee in fees).alias(RIGID)] if fees else []


def history_reads(settings: Sequence[Setting]) -> list[Callable[[], StaysRead]]:
    """Return what reads each folder of the history, oldest first.

    Raises :class:`RegionError` without any.
    """
    region = settings[0].region
    fees = [
        fee_columns(one.region.policy.auxiliary) | tcm_fee_columns(one) | set(_rigid_fees(one.region))
        for one in settings
    ]
    if not region.meta.history:
        raise RegionError(
            "region.toml names no history, so no weight can be measured",
            code="HISTORY_EMPTY",
            file=region.folder / "region.toml",
            field="region.history",
            remedy="name the folders of the years before, oldest first",
        )

    def read(name: str) -> StaysRead:
        found = read_stays(
            region.path(name),
            columns=settings[0].columns,
            quality=region.quality,
            known=known_codes(region),
            needs="weights",
            also=frozenset().union(*fees),
        )
        return marked(found, settings)

    return [partial(read, name) for name in region.meta.history]


def read_histories(settings: Sequence[Setting], clock: Clock, reads: Iterator[StaysRead]) -> list[History]:
    """Take the history folder by folder and group it by the rules of each period, keeping numbers only.

    ``reads``: what :func:`history_reads` read, in turn. So each folder is read once, and memory stays small. Returns
    one history per setting.
    """
    region = settings[0].region
    years, folders = history_years(region), len(region.meta.history)
    parts: list[list[pl.DataFrame]] = [[] for _ in settings]
    counts = [{"history_rows": 0, "history_accepted": 0, "history_other_year": 0} for _ in settings]
    for i in range(folders):
        clock.start("read history", 0.02 + 0.38 * i / folders)
        read = next(reads)
        clock.start("group history", 0.02 + 0.38 * (i + 0.6) / folders)
        for setting, kept, count in zip(settings, parts, counts, strict=True):
            slim = _slim_history(read, setting)
            mine = slim.filter(pl.col("year").is_in(years))
            count["history_rows"] += read.rows_in
            count["history_accepted"] += read.stays.height
            count["history_other_year"] += slim.height - mine.height
            kept.append(mine)
        del read
    return [History(pl.concat(kept, rechunk=True), count) for kept, count in zip(parts, counts, strict=True)]
