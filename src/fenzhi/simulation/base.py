"""A prepared year held ready: its stays, and the sums that pricing and settling need of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from fenzhi.attribution import ACCOUNT
from fenzhi.budget import fixed_points, pool_sums
from fenzhi.pipeline.parts import PART
from fenzhi.pipeline.prepared import AT, Frozen, Prepared
from fenzhi.pipeline.tracks import PaidBeside, pay_beside
from fenzhi.region import Region
from fenzhi.settlement import StaySums, stay_sums
from fenzhi.settlement.sums import replace_stays, replaced

#: What of a scored stay is kept: keys, what sums are made of, and by what other stays can change it.
SLIM = (
    *(AT, PART, "setl_id", *ACCOUNT, "insu_admdvs", "month", "period", "outcome", "layer", "group_id"),
    *("group_idx", "grassroots", "dscg_caty", "cost_fen", "booked_fen", "rw_e4", "rigid_e4"),
    *("coefficient_e4", "points_base_e4", "auxiliary_points_e4", "add_on_e4", "review"),
    *("points_e4", "fixed_points_e4", "paid_directly", "direct_fen"),
)
_LISTS = ("diag_codes", "oprn_codes", "tcm_diag_codes", "oprn_fees_fen")


def measures(scored: pl.DataFrame) -> pl.DataFrame:
    """Return per hospital and pool what the split of a difference is made of (docs/rules.md, section 7).

    ``cases``: all stays; ``stays`` and the points only of those that points pay. Sums of parts of the stays add up.
    """
    by_points = pl.col("direct_fen").is_null()
    base = pl.when(by_points).then("points_base_e4").otherwise(0)
    from_group = pl.col("rw_e4").is_not_null() & pl.col("coefficient_e4").is_not_null()
    weight = pl.when(by_points & from_group).then("rw_e4").otherwise(base)
    return scored.group_by(ACCOUNT).agg(
        pl.len().cast(pl.Int64).alias("cases"),
        by_points.cast(pl.Int64).sum().alias("stays"),
        weight.fill_null(0).cast(pl.Int64).sum().alias("weight_e4"),
        base.fill_null(0).cast(pl.Int64).sum().alias("base_e4"),
        pl.when(by_points).then("points_e4").otherwise(0).cast(pl.Int64).sum().alias("points_e4"),
        pl.col("direct_fen").sum(),
    )


def care_elsewhere(scored: pl.DataFrame) -> pl.DataFrame:
    """Return what people of each insured area had booked at each hospital, in the shape that tracks ask stays in."""
    return scored.group_by(*ACCOUNT, "insu_admdvs").agg(
        pl.len().cast(pl.Int64).alias("cases"), pl.col("booked_fen").sum()
    )


@dataclass(frozen=True)
class Sums:
    """All sums of the stays that points pay."""

    stays: StaySums
    pools: pl.DataFrame
    measures: pl.DataFrame
    elsewhere: pl.DataFrame

    def replace(self, gone: Sums, new: Sums) -> Sums:
        """Return the sums after some stays were replaced by others."""
        return Sums(
            replace_stays(self.stays, gone.stays, new.stays),
            replaced(self.pools, ["pool", "period"], gone.pools, new.pools),
            replaced(self.measures, ACCOUNT, gone.measures, new.measures),
            replaced(self.elsewhere, [*ACCOUNT, "insu_admdvs"], gone.elsewhere, new.elsewhere),
        )


def sums_of(scored: pl.DataFrame, region: Region) -> Sums:
    """Return all sums of scored stays."""
    return Sums(
        stay_sums(scored),
        pool_sums(scored, region.policy.point_value),
        measures(scored),
        care_elsewhere(scored),
    )


def slim(scored: pl.DataFrame, like: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return the kept columns of scored stays, all those of ``like`` in its order and types."""
    if like is None:
        have = [name for name in SLIM if name in scored.columns]
        text = [name for name in ("outcome", "layer", "group_id") if name in have]
        found = scored.select(have).with_columns(pl.col(text).cast(pl.String))
        if "insu_admdvs" in have:
            return found
        return found.with_columns(pl.lit(None, pl.String).alias("insu_admdvs"))
    return scored.select(
        (pl.col(name) if name in scored.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in like.schema.items()
    )


@dataclass(frozen=True)
class Base:
    """A year held ready for what-ifs. ``scored`` holds :data:`SLIM`; ``stays`` everything of every accepted stay."""

    frozen: Frozen
    stays: pl.DataFrame
    scored: pl.DataFrame
    facts: dict[int, pl.DataFrame] | None
    discharges: pl.DataFrame | None
    sums: Sums

    @property
    def region(self) -> Region:
        """Return the region."""
        return self.frozen.region

    @cached_property
    def repeaters(self) -> pl.DataFrame:
        """Return at, psn_no of the stays of people who have several; nobody where no policy looks at readmission."""
        asked = any(part.policy.readmission is not None for part in self.frozen.parts)
        if not asked or "psn_no" not in self.stays.columns:
            return pl.DataFrame(schema={AT: pl.UInt32, "psn_no": pl.String})
        known = self.stays.select(AT, pl.col("psn_no").cast(pl.String)).drop_nulls("psn_no")
        return known.filter(pl.col("psn_no").is_duplicated())

    @cached_property
    def direct(self) -> pl.DataFrame:
        """Return the scored stays that the fund pays directly."""
        return self.scored.filter(pl.col("paid_directly").is_not_null())

    @cached_property
    def tracked(self) -> pl.DataFrame:
        """Return the stays on other tracks."""
        return on_tracks(self.stays)

    @cached_property
    def beside(self) -> PaidBeside:
        """Return what other tracks are paid."""
        return pay_beside(self.tracked, as_stays(self.sums.elsewhere), self.region)


def on_tracks(stays: pl.DataFrame) -> pl.DataFrame:
    """Return the stays on other tracks, without their codes."""
    return stays.filter(pl.col("outcome").cast(pl.String) == "other_track").drop(_LISTS, strict=False)


def as_stays(elsewhere: pl.DataFrame) -> pl.DataFrame:
    """Return :func:`care_elsewhere` as stays without ids."""
    return elsewhere.with_columns(pl.lit(None, pl.String).alias("setl_id"))


def base_of(prepared: Prepared) -> Base:
    """Return a prepared year with its sums."""
    scored = slim(prepared.scored)
    return Base(
        prepared.frozen,
        prepared.stays,
        scored,
        prepared.facts,
        prepared.discharges,
        sums_of(scored, prepared.frozen.region),
    )


def with_fixed(scored: pl.DataFrame, frozen: Frozen) -> pl.DataFrame:
    """Return scored stays with the part of their points at the opening value and their period."""
    return fixed_points(scored, frozen.region.policy.point_value, frozen.last_points)
