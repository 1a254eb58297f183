"""A what-if: the changed stays are grouped and scored again, their sums replaced, and the year priced and settled.

What else a changed stay changes is looked for: other stays of its person (readmission), of its group (the most
expensive share), the quota of special review, direct payments, fixed points. docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import polars as pl

from fenzhi.attribution import ACCOUNT
from fenzhi.budget import direct_amounts, fixed_points
from fenzhi.money import step_of, to_e4
from fenzhi.pipeline.parts import PART, Part
from fenzhi.pipeline.prepared import (
    AT,
    Frozen,
    group_records,
    readmissions,
    score_records,
    with_region,
)
from fenzhi.pipeline.published import ratios_of
from fenzhi.pipeline.reviews import applied_facts, decided, discharged, ranked_applications
from fenzhi.pipeline.tracks import PaidBeside, pay_beside
from fenzhi.region import Region
from fenzhi.region.load import Reviews
from fenzhi.region.published import moved_value
from fenzhi.region.reviews import latest
from fenzhi.simulation.base import Base, Sums, as_stays, on_tracks, slim, sums_of
from fenzhi.simulation.year import SettledYear, settle_year


@dataclass(frozen=True)
class Change:
    """What is different: stays that leave (``gone``: their rows), records in their place or besides, and the region.

    ``records``: columns of the records of stays that are grouped anew. ``copies``: rows of ``Base.stays`` with ids of
    their own, which are grouped already. ``region``: differs in budget, reviews, coefficients of hospitals.csv,
    settlement and sharing only. ``values``: pool -> point value in the place of the published one, ``elasticity``: by
    which it follows the points, both of a hospital alone.
    """

    gone: pl.Series
    records: pl.DataFrame | None = None
    copies: pl.DataFrame | None = None
    region: Region | None = None
    elasticity: Decimal = Decimal(0)
    values: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Changed:
    """A year after a change: ``year`` settled; ``gone`` and ``new``: scored stays that were replaced, and by what."""

    base: Base
    year: SettledYear
    gone: pl.Series
    new: pl.DataFrame

    @cached_property
    def scored(self) -> pl.DataFrame:
        """Return all scored stays after the change, without amounts."""
        kept = self.base.scored.filter(~pl.col(AT).is_in(self.gone.implode()))
        return pl.concat([kept, self.new])

    def stays(self, hospitals: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the stays of some hospitals (all: None) with their amounts."""
        scored = self.scored
        if hospitals is not None:
            scored = scored.filter(pl.col("fixmedins_code").is_in(list(hospitals)))
        return self.year.stays(scored)


def unchanged(base: Base) -> Changed:
    """Return the year as it is."""
    year = settle_year(base.frozen, base.sums, base.beside)
    return Changed(base, year, pl.Series(AT, [], dtype=pl.UInt32), base.scored.clear())


def _coefficients(frozen: Frozen, before: Region) -> tuple[Frozen, list[str]]:
    """Return the parts with the coefficients that hospitals.csv states now, and the hospitals that have others."""
    old = dict(before.hospitals.select("fixmedins_code", "coefficient").iter_rows())
    new = dict(frozen.region.hospitals.select("fixmedins_code", "coefficient").iter_rows())
    given = {code: to_e4(text) for code, text in new.items() if text is not None and text != old[code]}
    if not given:
        return frozen, []
    stated = pl.col("fixmedins_code").replace_strict(given, default=None, return_dtype=pl.Int64)
    parts = []
    for part in frozen.parts:
        table = part.weights.coefficients.with_columns(
            pl.coalesce(stated, "coefficient_e4").alias("coefficient_e4"),
            pl.when(stated.is_not_null())
            .then(pl.lit("given"))
            .otherwise("coefficient_source")
            .alias("coefficient_source"),
        )
        parts.append(replace(part, weights=replace(part.weights, coefficients=table)))
    return replace(frozen, parts=tuple(parts)), list(given)


def _decided_anew(before: Region, after: Region) -> list[str]:
    """Return the stays whose decision differs."""
    keys = ["setl_id", "review", "standard_fen", "review_e4"]
    one, two = (latest(region.reviews.decisions).select(keys) for region in (before, after))
    changed = [
        a.join(b, on=keys, how="anti", nulls_equal=True)["setl_id"] for a, b in ((one, two), (two, one))
    ]
    applied = after.reviews.applications.join(before.reviews.applications, on="setl_id", how="anti")
    return pl.concat([*changed, applied["setl_id"]]).unique().to_list()


@dataclass
class _Rows:
    """The stays that are scored anew: ``out``, rows that leave the scored stays; ``fresh``, stays in their place."""

    base: Base
    out: pl.Series
    fresh: pl.DataFrame

    def add(self, rows: pl.Series) -> None:
        """Score further stays of the base anew, as they are."""
        more = rows.filter(~rows.is_in(self.out.implode())).unique()
        if more.len():
            self.out = pl.concat([self.out, more])
            same = self.base.stays[more]
            self.fresh = pl.concat([self.fresh, same], how="diagonal_relaxed")

    def scored(self, where: pl.Expr) -> pl.Series:
        """Return the rows of scored stays of the base for which something holds."""
        return self.base.scored.lazy().filter(where).select(AT).collect()[AT]


def _people(rows: _Rows, frozen: Frozen) -> None:
    """Look for readmissions anew among all stays of the people whose stays changed."""
    repeaters = rows.base.repeaters
    if "readmitted_days" not in rows.base.stays.columns:
        return
    if repeaters.height:
        ids = pl.concat(
            [
                rows.base.stays[rows.out].select(pl.col("psn_no").cast(pl.String)),
                rows.fresh.select(pl.col("psn_no").cast(pl.String)),
            ]
        )["psn_no"].drop_nulls()
        rows.add(repeaters.filter(pl.col("psn_no").is_in(ids.unique().implode()))[AT])
    rows.fresh = readmissions(frozen, rows.fresh.drop("readmitted_days", strict=False))


def _top_groups(rows: _Rows, parts: Sequence[Part]) -> None:
    """Add the stays that are ranked together with those that changed, where a policy has a most expensive share."""
    for at, part in enumerate(parts):
        top = part.policy.deviation.top_share
        if top is None:
            continue
        mine = pl.col(PART) == at
        if top.of == "region":
            rows.add(rows.scored(mine))
            continue
        gone = rows.base.scored.filter(pl.col(AT).is_in(rows.out.implode()) & mine)["group_idx"]
        new = rows.fresh.filter(mine)["group_idx"]
        groups = pl.concat([gone, new]).unique()
        groups = groups.filter(groups >= 0)
        if groups.len():
            rows.add(rows.scored(mine & pl.col("group_idx").is_in(groups.implode())))


def _grouped(base: Base, frozen: Frozen, change: Change) -> pl.DataFrame:
    """Return the changed and the further stays with groups and outcomes."""
    found = [base.stays.clear()]
    if change.records is not None and change.records.height:
        found.append(group_records(frozen, change.records).with_columns(pl.lit(None, pl.UInt32).alias(AT)))
    if change.copies is not None and change.copies.height:
        found.append(change.copies.with_columns(pl.lit(None, pl.UInt32).alias(AT)))
    return pl.concat(found, how="diagonal_relaxed").select(base.stays.columns)


def _without_left(base: Base, change: Change) -> Region:
    """Return the region without applications and decisions of stays that left."""
    region = change.region or base.region
    if region.review_rules is None or not change.gone.len():
        return region
    ids = base.stays[change.gone.cast(pl.UInt32)]["setl_id"]
    for part in (change.records, change.copies):
        if part is not None:
            ids = ids.filter(~ids.is_in(part["setl_id"].implode()))
    keep = ~pl.col("setl_id").is_in(ids.implode())
    one, two = region.reviews.applications.filter(keep), region.reviews.decisions.filter(keep)
    if one.height == region.reviews.applications.height and two.height == region.reviews.decisions.height:
        return region
    return replace(region, reviews=Reviews(one, two, region.reviews.history))


def what_if(base: Base, change: Change) -> Changed:
    """Return the year after a change. Raises what a run on the changed records would raise."""
    region = _without_left(base, change)
    frozen = base.frozen if region is base.region else with_region(base.frozen, region)
    frozen, others = _coefficients(frozen, base.region)
    rows = _Rows(base, change.gone.cast(pl.UInt32), _grouped(base, frozen, change))
    _people(rows, frozen)
    if others:
        rows.add(rows.scored(pl.col("fixmedins_code").is_in(others)))
    if region.review_rules is not None and region is not base.region:
        rows.add(rows.scored(pl.col("setl_id").is_in(_decided_anew(base.region, region))))
    _top_groups(rows, frozen.parts)
    new = score_records(frozen, rows.fresh)
    gone = base.scored.filter(pl.col(AT).is_in(rows.out.implode()))
    new = _reviewed(base, frozen, gone, new)
    gone, new = _priced_anew(base, frozen, gone, new)
    sums = base.sums.replace(sums_of(gone, region), sums_of(new, region))
    beside = _beside(base, frozen, rows, sums, change.region is not None)
    values = _values(base, change, sums)
    return Changed(base, settle_year(frozen, sums, beside, values), gone[AT], new)


def _values(base: Base, change: Change, sums: Sums) -> dict[str, int] | None:
    """Return the point values of a hospital alone: published or stated ones, moved by the elasticity."""
    published = base.region.published
    if published is None:
        return None
    step = step_of(base.region.policy.point_value.decimals)
    before, after = (
        dict(one.pools.group_by("pool").agg(pl.col("points_e4").sum()).iter_rows())
        for one in (base.sums, sums)
    )
    return {
        pool: moved_value(
            (change.values or {}).get(pool, value),
            change.elasticity,
            int(before.get(pool, 0)),
            int(after.get(pool, 0)),
            step,
        )
        for pool, value in published.given().items()
    }


def _reviewed(base: Base, frozen: Frozen, gone: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Let special review take effect on the stays that were scored anew, after checking its quota."""
    region, parts = frozen.region, frozen.parts
    if region.review_rules is None:
        return new
    assert base.facts is not None
    assert base.discharges is not None
    fresh = applied_facts(new, region, frozen.opening, parts)
    facts = {
        at: pl.concat([old.join(gone, on="setl_id", how="anti"), fresh[at]], how="vertical_relaxed")
        for at, old in base.facts.items()
    }
    counts = [
        base.discharges,
        discharged(gone, region, parts).with_columns(pl.col("discharges") * -1),
        discharged(new, region, parts),
    ]
    total = pl.concat(counts).group_by("level").agg(pl.col("discharges").sum())
    ranked_applications(facts, total, region, parts)
    return decided(new, region, frozen.opening, parts)


def _priced_anew(
    base: Base, frozen: Frozen, gone: pl.DataFrame, new: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Add direct_fen, fixed points and period to the new stays; take in stays whose amounts change with theirs."""
    like, value = base.scored, frozen.region.policy.point_value
    factors = [part.policy.ungrouped.factor for part in frozen.parts]
    old_money = base.sums.pools.group_by("pool").agg(pl.col("cost_fen", "booked_fen").sum())
    money = [
        old_money,
        gone.select("pool", *(pl.col(name).cast(pl.Int128) * -1 for name in ("cost_fen", "booked_fen"))),
        new.select("pool", pl.col("cost_fen", "booked_fen").cast(pl.Int128)),
    ]
    before = ratios_of(frozen.region, old_money)
    after = ratios_of(frozen.region, pl.concat(money))
    new = direct_amounts(new, factors, after)
    moved = [pool for pool, ratio in after.items() if ratio != before.get(pool)]
    directly = base.direct.filter(pl.col("pool").is_in(moved) & ~pl.col(AT).is_in(gone[AT].implode()))
    elastic = value.elastic
    if elastic is not None and elastic.form == "base_volume" and elastic.base == "last_year":
        # The base volume of a hospital is split over all its stays.
        touched = pl.concat([gone.select(ACCOUNT), new.select(ACCOUNT)]).unique()
        same = base.scored.join(touched, on=ACCOUNT, how="semi").filter(~pl.col(AT).is_in(gone[AT].implode()))
        again = direct_amounts(same.drop("direct_fen"), factors, after)
        directly = directly.filter(~pl.col(AT).is_in(same[AT].implode()))
        gone = pl.concat([gone, same])
        names = [name for name in slim(new).columns if name not in ("fixed_points_e4", "period")]
        both = pl.concat(
            [slim(new).select(names), again.select(n for n in names if n in again.columns)],
            how="diagonal_relaxed",
        )
        new = slim(fixed_points(both, value, frozen.last_points), like)
    else:
        new = slim(slim(fixed_points(new, value, frozen.last_points)), like)
    if directly.height:
        again = direct_amounts(directly.drop("direct_fen"), factors, after)
        gone, new = pl.concat([gone, directly]), pl.concat([new, slim(again, like)])
    return gone, new


def _beside(base: Base, frozen: Frozen, rows: _Rows, sums: Sums, other_region: bool) -> PaidBeside:
    """Return what other tracks are paid; anew only if their stays, care elsewhere or the budget changed."""
    tracks = frozen.region.policy.tracks
    gone = base.tracked.filter(pl.col(AT).is_in(rows.out.implode()))
    fresh = on_tracks(rows.fresh)
    away = any(track.kind == "community" for track in tracks)
    if not (other_region or away or gone.height or fresh.height):
        return base.beside
    kept = base.tracked.filter(~pl.col(AT).is_in(rows.out.implode()))
    stays = pl.concat([kept, fresh.select(kept.columns)], how="vertical_relaxed")
    return pay_beside(stays, as_stays(sums.elsewhere), frozen.region)
