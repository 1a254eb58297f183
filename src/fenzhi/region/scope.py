"""Which pool a stay belongs to and whether it is paid by points at all. docs/rules.md, section 1."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fenzhi.policy.cases import BedDay
from fenzhi.policy.models import Scope
from fenzhi.region.pools import Pool, in_order


def _text(column: str, stays: pl.DataFrame) -> pl.Expr:
    return pl.col(column) if column in stays.columns else pl.lit(None, pl.String)


def pool_of(stays: pl.DataFrame, pools: Sequence[Pool], area: str | None) -> pl.Expr:
    """Return the expression of a stay's pool: the first whose insurance kinds and areas fit, else null.

    A listed area belongs to the pool that lists it; a stay without area has that of the region.
    """
    insured = _text("insu_admdvs", stays)
    if area is not None:
        insured = insured.fill_null(area)
    local = pl.lit(True) if area is None else insured == area
    words = {"any": pl.lit(True), "local": local, "other": ~local}
    pool = pl.lit(None, pl.String)
    for entry in reversed(in_order(pools)):
        place = (
            words[entry.areas]
            if isinstance(entry.areas, str)
            else insured.is_in(list(entry.listed)).fill_null(False)
        )
        fits = _text("insutype", stays).is_in(list(entry.insutype)).fill_null(False) & place
        pool = pl.when(fits).then(pl.lit(entry.id)).otherwise(pool)
    return pool


def cost_of(stays: pl.DataFrame, scope: Scope) -> pl.Expr:
    """Return the cost that points price, in fen."""
    total = pl.col("medfee_sumamt_fen")
    if scope.cost == "total" or "excl_pay_sumamt_fen" not in stays.columns:
        return total
    return total - pl.col("excl_pay_sumamt_fen").fill_null(0)


def track_of(stays: pl.DataFrame, scope: Scope, bed_day: BedDay | None = None) -> pl.Expr:
    """Return the other track a stay is sent to by its kind (``med_type``), else null.

    Kinds that ``bed_day`` pays out of the by-disease fund are on no other track.
    """
    inside = () if bed_day is None else bed_day.med_types
    tracks = {kind: track for kind, track in scope.other_tracks.items() if kind not in inside}
    if not tracks:
        return pl.lit(None, pl.String)
    return _text("med_type", stays).replace_strict(tracks, default=None, return_dtype=pl.String)


def is_bed_day(stays: pl.DataFrame, bed_day: BedDay | None) -> pl.Expr:
    """Tell whether a stay's kind (``med_type``) is paid by bed-day points."""
    if bed_day is None:
        return pl.lit(False)
    return _text("med_type", stays).is_in(list(bed_day.med_types)).fill_null(False)


def los_reason(scope: Scope) -> pl.Expr:
    """Return why the length of stay takes a stay out of by-disease payment, else null."""
    days = pl.col("act_ipt_days")
    reason = pl.lit(None, pl.String)
    if scope.max_los_days is not None:
        reason = pl.when(days > scope.max_los_days).then(pl.lit("los_above_scope")).otherwise(reason)
    if scope.min_los_days is not None:
        reason = pl.when(days < scope.min_los_days).then(pl.lit("los_below_scope")).otherwise(reason)
    return reason


def exclusion_of(
    stays: pl.DataFrame, pools: Sequence[Pool], scope: Scope, year: int, apart: pl.Expr | None = None
) -> pl.Expr:
    """Return why a stay is not paid by points, else null. Needs the column ``pool``.

    ``apart``: stays whose length does not matter, such as bed-days.
    """
    kinds = [kind for entry in pools for kind in entry.insutype]
    insured = _text("insutype", stays)
    return pl.coalesce(
        pl.when(pl.col("dscg_time").dt.year() != year).then(pl.lit("other_year")),
        pl.when(insured.is_null()).then(pl.lit("self_paying")),
        pl.when(~insured.is_in(kinds)).then(pl.lit("no_pool")),
        pl.when(pl.col("pool").is_null()).then(pl.lit("out_of_region")),
        pl.when(~(pl.lit(False) if apart is None else apart)).then(los_reason(scope)),
    )
