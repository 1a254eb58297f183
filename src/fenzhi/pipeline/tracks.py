"""Other tracks inside the year: which stays leave the points, what they are paid, the result tables."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.pipeline.setting import Setting, map_codes
from fenzhi.region import Region
from fenzhi.region.scope import track_of
from fenzhi.results import shape
from fenzhi.settlement.tracks import track_entries
from fenzhi.tracks import LineMoney, Setup, TracksPaid, pay_tracks, taken


class PaidBeside(NamedTuple):
    """What tracks add to the year: ``handed``: pool -> what its by-disease fund gets; entries of the ledger; tables."""

    handed: dict[str, int]
    ledger: pl.DataFrame | None
    tables: dict[str, pl.DataFrame]
    stays: pl.DataFrame | None


def _setup(region: Region) -> Setup:
    return Setup(region.policy, region.hospitals, region.tracks, region.meta.area)


def tracks_of(stays: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """Return for every stay, in order, its track (``track``), why, ``counted`` (its track is not priced), and more.

    ``stays``: with the column pool. A kind of stay whose track the policy does not define is only counted.
    """
    region = setting.region
    policy = region.policy
    counted = stays.select(track_of(stays, policy.scope, policy.bed_day).alias("track"))["track"]
    defined = [track.id for track in policy.tracks]
    counted = counted.set(counted.is_in(defined).fill_null(False), None)
    found = taken(map_codes(stays, setting), _setup(region))
    only = counted.is_not_null() & found["track"].is_null()
    if not only.any():
        return found.with_columns(only.alias("counted"))
    kind = stays["med_type"].cast(pl.String)
    return found.with_columns(
        pl.coalesce("track", counted).alias("track"),
        pl.coalesce("track_why", pl.when(only).then(pl.format("scope.other_tracks {}", kind))),
        only.alias("counted"),
    )


def with_track_amounts(stays: pl.DataFrame, beside: PaidBeside) -> pl.DataFrame:
    """Add what tracks pay for stays that points do not pay: track_fen, null where none does."""
    if beside.stays is None:
        return stays
    return stays.join(beside.stays, on="setl_id", how="left", maintain_order="left")


def _line_money(region: Region) -> LineMoney:
    rows = [
        (entry.id, line.track, amounts[line.name])
        for entry in region.budget.pool
        for amounts in (entry.amounts(),)
        for line in entry.lines
        if line.track is not None
    ]
    schema = {"pool": pl.String, "line": pl.String, "line_fen": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return LineMoney(frame.group_by("pool", "line").agg(pl.col("line_fen").sum()))


def pay_beside(stays: pl.DataFrame, scored: pl.DataFrame, region: Region) -> PaidBeside:
    """Pay the stays and rows of the policy's tracks.

    ``stays``: all accepted stays with their outcome and what :func:`tracks_of` said; ``scored``: those that points pay.
    """
    tracks = region.policy.tracks
    money = _line_money(region)
    if not tracks and money.frame.is_empty():
        return PaidBeside({}, None, {}, None)
    pools = [pool.id for pool in region.pools]
    priced = [track.id for track in tracks]
    inside = (pl.col("outcome") == "other_track") & pl.col("track").is_in(priced)
    paid = pay_tracks(stays.filter(inside), scored, _setup(region), money, pools)
    _require_apart(paid, scored)
    tables = {"tracks": shape(paid.accounts, "tracks"), "track_lines": shape(paid.lines, "track_lines")}
    return PaidBeside(
        paid.close.by_pool(),
        track_entries(paid.dues, paid.close.outside_care, _left(paid, money), region.meta.year),
        tables if tracks else {},
        paid.stays,
    )


def _left(paid: TracksPaid, money: LineMoney) -> pl.DataFrame:
    """Return pool, line, left_fen, to: the reserve; what is for a track that is only counted stays carved out."""
    known = paid.lines.select("pool", "line", "left_fen", pl.lit("reserve").alias("to"))
    other = money.frame.join(known, on=["pool", "line"], how="anti").select(
        "pool", "line", pl.col("line_fen").alias("left_fen"), pl.lit("carve_out").alias("to")
    )
    return pl.concat([known, other]).sort("pool", "line")


def _require_apart(paid: TracksPaid, scored: pl.DataFrame) -> None:
    """Raise if a stay is paid by a track and by points."""
    both = paid.stays.join(scored, on="setl_id", how="semi")
    if both.height:
        raise ConservationError("a stay is paid by a track and by points", value=both.height)


def track_notices(tables: dict[str, pl.DataFrame]) -> list[str]:
    """Say which tracks the reserve pays because no budget line is theirs."""
    if "track_lines" not in tables:
        return []
    bare = tables["track_lines"].filter((pl.col("line_fen") == 0) & (pl.col("left_fen") < 0))
    return [
        f"pool {pool} has no budget line for track {line}: the reserve pays it"
        for pool, line in bare.select("pool", "line").iter_rows()
    ]
