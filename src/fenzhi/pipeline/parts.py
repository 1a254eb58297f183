"""The rules of each period at work: its weights, its stays grouped and scored; then all of them put together.

A year under one pack and one catalogue is one part. docs/rules.md, section 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from fenzhi.budget import rigid_shares
from fenzhi.grouping import Compiled, compile_catalog
from fenzhi.grouping.add_ons import mark_add_ons
from fenzhi.grouping.dip import OUTCOMES, STATUS_UNGROUPED
from fenzhi.pipeline.auxiliary import with_types
from fenzhi.pipeline.history import RIGID, History
from fenzhi.pipeline.setting import (
    COST_CRITERIA,
    Setting,
    auxiliary_marks,
    group_coded,
    group_stays,
    map_codes,
    overlay_coded,
)
from fenzhi.pipeline.tcm import weighted_tcm
from fenzhi.pipeline.tracks import tracks_of
from fenzhi.points import PAID, readmitted_days, score
from fenzhi.policy import Policy
from fenzhi.region.periods import Period, period_of
from fenzhi.region.scope import cost_of, exclusion_of, is_bed_day, pool_of
from fenzhi.weights import Weights, weigh

_GROUP_COLUMNS = ("layer", "group_id", "mdc", "adrg", "drg", "status")
# The place of a stay's part, where a year has several.
PART = "part"


@dataclass(frozen=True)
class Part:
    """The rules of a period with what the history says under them.

    ``groups``: all groups, row = group_idx. ``days``: of the groups' stays, for special review (None without it).
    """

    setting: Setting
    weights: Weights
    groups: pl.DataFrame
    days: pl.DataFrame | None

    @property
    def policy(self) -> Policy:
        """Return the pack of the period."""
        return self.setting.region.policy

    @property
    def names(self) -> list[pl.Expr]:
        """Return the columns ``policy`` and ``catalog`` of a result table: who the rules of its rows are."""
        return [
            pl.lit(self.policy.meta.id).alias("policy"),
            pl.lit(self.setting.catalog.meta.id).alias("catalog"),
        ]


@dataclass(frozen=True)
class PartStays:
    """The stays of a part's days, grouped, with outcomes.

    ``unknown_operations``: code, stays. ``report``: on TCM-advantage groups, if there are any.
    """

    part: Part
    stays: pl.DataFrame
    unknown_operations: pl.DataFrame
    report: pl.DataFrame | None


def group_days(history: pl.DataFrame) -> pl.DataFrame:
    """Return group_idx, group_days, group_cases: the days and number of the groups' stays in the history."""
    return (
        history.select("group_idx", "outcome", "act_ipt_days")
        .filter((pl.col("outcome") != "bed_day") & (pl.col("group_idx") >= 0))
        .group_by("group_idx")
        .agg(
            pl.col("act_ipt_days").cast(pl.Int64).sum().alias("group_days"),
            pl.len().cast(pl.Int64).alias("group_cases"),
        )
    )


def measure_part(setting: Setting, history: History) -> tuple[Part, pl.DataFrame]:
    """Return the part of a setting, and the stays of the history that count under its rules."""
    region, groups, measured = setting.region, setting.groups, history.measured
    weights = weigh(
        measured,
        setting.catalog,
        region.policy,
        region.hospitals,
        region.weight_overrides,
        region.bonuses,
    )
    weights = with_types(weights, measured, groups, region)
    # A year with nothing but bed-day stays has no weight among the years.
    past = history.stays.filter(pl.col("year").is_in(weights.years))
    days = group_days(past) if region.policy.special_review is not None else None
    if RIGID in past.columns:
        groups = groups.with_columns(rigid_shares(past, groups.height))
    return Part(setting, weights, groups, days), past


def divided(stays: pl.DataFrame, periods: Sequence[Period]) -> list[pl.DataFrame]:
    """Return the stays of each period by the day of discharge, in their order; of several ones with :data:`PART`."""
    if len(periods) == 1:
        return [stays]
    marked = stays.with_columns(period_of(stays, periods).alias(PART))
    return [marked.filter(pl.col(PART) == at) for at in range(len(periods))]


def together(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put the stays of the parts together again, in the order of the input."""
    if len(frames) == 1:
        return frames[0]
    # Names of layers are types of their own; two catalogues may have different ones.
    kinds = {name for frame in frames for name, dtype in frame.schema.items() if isinstance(dtype, pl.Enum)}
    mixed = [
        name
        for name in kinds
        if len({str(frame.schema[name]) for frame in frames if name in frame.columns}) > 1
    ]
    alike = [
        frame.with_columns(pl.col(name).cast(pl.String) for name in mixed if name in frame.columns)
        for frame in frames
    ]
    return pl.concat(alike, how="diagonal").sort("row_idx")


def of_part(frame: pl.DataFrame, at: int) -> pl.DataFrame:
    """Return the rows of the part at a place."""
    return frame.filter(pl.col(PART) == at) if PART in frame.columns else frame


def _outcomes(stays: pl.DataFrame, grouped: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """Join groups to stays and give every accepted stay its outcome, pool, month and cost."""
    region = setting.region
    scope, bed_day = region.policy.scope, region.policy.bed_day
    both = stays.with_columns(
        pool_of(stays, region.pools, region.meta.area).alias("pool"),
        pl.col("dscg_time").dt.month().cast(pl.Int8).alias("month"),
        cost_of(stays, scope).alias("cost_fen"),
        pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
        *grouped.drop("row_idx", "setl_id").get_columns(),
    )
    both = both.hstack(tracks_of(both, setting))
    track, by_days = pl.col("track"), is_bed_day(stays, bed_day)
    excluded = exclusion_of(stays, region.pools, scope, region.meta.year, track.is_not_null() | by_days)
    # A bed-day stay belongs to no group, whatever grouping found.
    grouped_as = [pl.when(~by_days).then(name).alias(name) for name in _GROUP_COLUMNS if name in both.columns]
    return both.with_columns(
        pl.when("counted")
        .then(pl.lit("other_track", OUTCOMES))
        .when(excluded.is_not_null())
        .then(pl.lit("excluded", OUTCOMES))
        .when(track.is_not_null())
        .then(pl.lit("other_track", OUTCOMES))
        .when(by_days)
        .then(pl.lit("bed_day", OUTCOMES))
        .otherwise("outcome")
        .alias("outcome"),
        pl.coalesce(
            pl.when("counted").then("track"), excluded, track, pl.when(~by_days).then("reason")
        ).alias("reason"),
        pl.when(by_days).then(pl.lit(-1, pl.Int32)).otherwise("group_idx").alias("group_idx"),
        *(pl.when(pl.col("counted") | excluded.is_null()).then(name) for name in ("track", "track_why")),
        *grouped_as,
    )


def group_part(part: Part, stays: pl.DataFrame) -> PartStays:
    """Group the stays of a part's days and give every one its outcome."""
    setting, policy = part.setting, part.policy
    compiled = setting.compiled
    if COST_CRITERIA & set(policy.grouping.precedence):
        compiled = compile_catalog(setting.catalog, policy.grouping, part.weights.groups)
    grouped = group_coded(stays, setting, compiled)
    laid = overlay_coded(stays, grouped, setting, weighted_tcm(part.weights.groups, setting))
    if laid is not None:
        grouped = laid.grouped
    found = _outcomes(stays, grouped.frame, setting).with_columns(auxiliary_marks(stays, setting))
    if policy.add_ons is not None:
        found = found.with_columns(mark_add_ons(map_codes(stays, setting), policy.add_ons))
    return PartStays(part, found, grouped.unknown_operations, None if laid is None else laid.report)


def with_readmissions(taken: Sequence[PartStays]) -> list[PartStays]:
    """Add readmitted_days to the stays of every part whose policy asks for it.

    All stays count, those of other parts too: one and the same group is one code, and the rule is that of the later
    stay's part.
    """
    if all(one.part.policy.readmission is None for one in taken):
        return list(taken)
    ids = [one.part.groups["group_id"] for one in taken]
    codes = pl.concat(ids).unique(maintain_order=True)
    found = []
    for at, one in enumerate(taken):
        index = one.stays["group_idx"]
        number = ids[at].replace_strict(codes, range(codes.len()), return_dtype=pl.Int32)
        key = number.gather(index.set(index < 0, None)).fill_null(-1).alias("group_idx")
        names = ("setl_id", "fixmedins_code", "adm_time", "dscg_time", "psn_no")
        have = [name for name in names if name in one.stays.columns]
        found.append(one.stays.select(have).with_columns(key, pl.lit(at, pl.UInt32).alias(PART)))
    everybody = pl.concat(found)
    out = []
    for at, one in enumerate(taken):
        rules = one.part.policy.readmission
        if rules is not None:
            days = readmitted_days(everybody, rules).filter(everybody[PART] == at)
            one = replace(one, stays=one.stays.with_columns(days))
        out.append(one)
    return out


def score_part(taken: PartStays, opening: pl.DataFrame) -> pl.DataFrame:
    """Return the stays of a part that points pay, scored by its rules. ``opening``: pool, opening_value_e4."""
    part = taken.part
    grassroots = part.groups["grassroots"]
    paid = taken.stays.filter(pl.col("outcome").is_in(PAID))
    paid = paid.with_columns(_flag(paid["group_idx"], grassroots))
    if "rigid_e4" in part.groups.columns:
        index = paid["group_idx"]
        paid = paid.with_columns(part.groups["rigid_e4"].gather(index.set(index < 0, None)))
    scored = score(paid, part.weights, part.policy, grassroots, opening)
    weightless = pl.col("reason") == "no_weight"
    none = pl.lit(STATUS_UNGROUPED, scored.schema["status"])
    return scored.with_columns(pl.when(weightless).then(none).otherwise("status").alias("status"))


def engine_of(compiled: Sequence[Compiled]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Return what groups records: setl_id, outcome, group_id, reason; of several parts each record by its own."""
    if len(compiled) == 1:
        return lambda records: group_stays(records, compiled[0]).frame

    def group(records: pl.DataFrame) -> pl.DataFrame:
        places = records.with_row_index("_at")
        found = []
        for at, one in enumerate(compiled):
            mine = places.filter(pl.col(PART) == at)
            frame = group_stays(mine.drop("_at", PART), one).frame
            found.append(frame.select("setl_id", "outcome", "group_id", "reason").with_columns(mine["_at"]))
        return pl.concat(found).sort("_at").drop("_at")

    return group


def unpaid(taken: PartStays) -> pl.DataFrame:
    """Return the stays of a part that points do not pay."""
    return taken.stays.filter(~pl.col("outcome").is_in(PAID))


def _flag(index: pl.Series, grassroots: pl.Series) -> pl.Series:
    return grassroots.gather(index.set(index < 0, None)).fill_null(False).alias("grassroots")
