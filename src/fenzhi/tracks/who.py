"""Which track takes a stay: the first in order whose conditions all hold. docs/rules.md, section 8."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fenzhi.codes import normalise_diagnosis, normalise_operation
from fenzhi.policy.models import Policy
from fenzhi.policy.tracks import (
    CommunityTrack,
    DaySurgeryTrack,
    PriceTrack,
    StayTrack,
    Who,
)
from fenzhi.tracks.prices import listed_rows, main_codes, surgery_sums, tidy_operations

TAKEN: Mapping[str, type[pl.DataType]] = {
    "track": pl.String,
    "track_why": pl.String,
    "_price_row": pl.Int64,
    "_sum_fen": pl.Int64,
    "_community": pl.String,
}
_SHOWN = 5


@dataclass(frozen=True)
class Setup:
    """What tracks need of a region besides its stays.

    ``hospitals``: fixmedins_code, level, type, community. ``tables``: the tables of region/tracks.py by name.
    ``area``: the region's insured area, which stays without area have.
    """

    policy: Policy
    hospitals: pl.DataFrame
    tables: Mapping[str, pl.DataFrame]
    area: str | None


def _text(column: str, stays: pl.DataFrame) -> pl.Expr:
    return (pl.col(column) if column in stays.columns else pl.lit(None, pl.String)).cast(pl.String)


def insured_area(stays: pl.DataFrame, area: str | None) -> pl.Expr:
    """Return the insured area of stays; those without have that of the region."""
    return _text("insu_admdvs", stays).fill_null(pl.lit(area, pl.String))


def _facts(stays: pl.DataFrame, setup: Setup) -> pl.DataFrame:
    hospitals = setup.hospitals.select("fixmedins_code", "level", "type", "community")
    return (
        stays.select(
            "pool",
            "fixmedins_code",
            pl.col("act_ipt_days").alias("los"),
            _text("med_type", stays).alias("med_type"),
            _text("dscg_caty", stays).alias("department"),
            insured_area(stays, setup.area).alias("area"),
            "oprn_codes",
        )
        .join(hospitals, on="fixmedins_code", how="left", maintain_order="left")
        .hstack(main_codes(stays))
    )


def _with_operation(facts: pl.DataFrame, listed: tuple[str, ...]) -> pl.Expr:
    """Return whether a stay has one of the listed operations."""
    codes = normalise_operation(pl.Series(listed)).implode()
    flat = facts["oprn_codes"].explode(empty_as_null=False, keep_nulls=False)
    meant = tidy_operations(flat).filter(pl.col("tidy").is_in(codes) | pl.col("base").is_in(codes))["code"]
    inside = pl.element().is_in(meant.implode())
    return pl.col("oprn_codes").list.eval(inside).list.any()


def _holds(who: Who, facts: pl.DataFrame) -> pl.Expr:
    """Return whether all stated conditions hold; what is not known makes one fail."""
    columns = {
        "med_types": "med_type",
        "departments": "department",
        "levels": "level",
        "types": "type",
        "hospitals": "fixmedins_code",
        "areas": "area",
        "pools": "pool",
    }
    terms = [
        pl.col(column).is_in(list(getattr(who, key))) for key, column in columns.items() if getattr(who, key)
    ]
    if who.diagnoses:
        heads = normalise_diagnosis(pl.Series(who.diagnoses)).to_list()
        terms.append(pl.any_horizontal(pl.col("_diagnosis").str.starts_with(head) for head in heads))
    if who.operations:
        terms.append(_with_operation(facts, who.operations))
    if who.los_from is not None:
        terms.append(pl.col("los") >= who.los_from)
    if who.los_upto is not None:
        terms.append(pl.col("los") <= who.los_upto)
    return pl.all_horizontal(pl.lit(True), *terms).fill_null(False)


def why(who: Who) -> str:
    """Return the stated conditions as text: ``med_types 2105; los_from 60``."""
    parts = []
    for key, value in who.stated().items():
        if isinstance(value, tuple):
            more = "…" if len(value) > _SHOWN else ""
            parts.append(f"{key} {', '.join(value[:_SHOWN])}{more}")
        else:
            parts.append(f"{key} {value}")
    return "; ".join(parts)


def _members(track: CommunityTrack, facts: pl.DataFrame, communities: pl.DataFrame) -> pl.Series:
    """Return the community whose package a stay uses: that of its hospital, if the patient is insured in its areas."""
    table = communities.filter(pl.col("track") == track.id).select(
        "community",
        "pool",
        pl.col("areas").str.split("|").alias("area"),
        pl.col("community").alias("_community"),
    )
    table = table.explode("area", empty_as_null=False, keep_nulls=False)
    keys = ["community", "pool", "area"]
    return facts.select(keys).join(table, on=keys, how="left", maintain_order="left")["_community"]


def _candidates(track: StayTrack, facts: pl.DataFrame, setup: Setup) -> pl.DataFrame:
    """Return for every stay whether the track takes it (``_in``), why, and what its list says."""
    states = bool(track.who.stated())
    mapped = [kind for kind, name in setup.policy.scope.other_tracks.items() if name == track.id]
    inside = () if setup.policy.bed_day is None else setup.policy.bed_day.med_types
    sent = pl.col("med_type").is_in([kind for kind in mapped if kind not in inside]).fill_null(False)
    # Nothing stated means nobody, unless a list chooses among all stays and no kind is sent here.
    own = states or (not mapped and isinstance(track, PriceTrack | CommunityTrack))
    holds = _holds(track.who, facts) if own else pl.lit(False)
    frame = facts.select(
        (sent | holds).alias("_in"),
        pl.when(sent)
        .then(pl.format("scope.other_tracks {}", "med_type"))
        .otherwise(pl.lit(why(track.who)))
        .alias("track_why"),
    )
    none: dict[str, pl.Series | pl.Expr] = {
        name: pl.lit(None, dtype).alias(name) for name, dtype in TAKEN.items() if name.startswith("_")
    }
    listed: pl.Expr | None = None
    if isinstance(track, PriceTrack):
        prices = setup.tables["prices"].filter(pl.col("track") == track.id)
        rows = listed_rows(facts.select("_diagnosis", "_operation", "_base"), prices, track)
        none["_price_row"] = rows.alias("_price_row")
        listed = None if track.unlisted == "actual" else pl.col("_price_row").is_not_null()
    elif isinstance(track, DaySurgeryTrack):
        none["_sum_fen"] = surgery_sums(facts.select("_diagnosis", "_operation", "_base"), track).alias(
            "_sum_fen"
        )
        listed = None if track.unlisted == "actual" else pl.col("_sum_fen").is_not_null()
    elif isinstance(track, CommunityTrack):
        none["_community"] = _members(track, facts, setup.tables["communities"]).alias("_community")
        listed = pl.col("_community").is_not_null()
    frame = frame.with_columns(*none.values())
    if listed is not None:
        frame = frame.with_columns(pl.col("_in") & listed)
    more = pl.concat_str(
        pl.format("; prices.csv row {}", "_price_row"),
        pl.format("; community {}", "_community"),
        ignore_nulls=True,
    )
    return frame.with_columns(
        pl.lit(track.id).alias("track"), (pl.col("track_why") + more).str.strip_prefix("; ")
    )


def taken(stays: pl.DataFrame, setup: Setup) -> pl.DataFrame:
    """Return for every stay, in order, the columns of :data:`TAKEN`: the first track that takes it, and why.

    A track takes the stays for which its conditions hold and the kinds that ``[scope.other_tracks]`` sends it;
    null where none does. ``stays``: pool, fixmedins_code, act_ipt_days, diag_codes, oprn_codes; med_type, dscg_caty,
    insu_admdvs where the records have them. Codes are already those of the catalogue.
    """
    tracks = [track for track in setup.policy.tracks if isinstance(track, StayTrack)]
    nothing = pl.select(
        pl.repeat(None, stays.height, dtype=dtype).alias(name) for name, dtype in TAKEN.items()
    )
    if not tracks or stays.is_empty():
        return nothing
    facts = _facts(stays, setup)
    result = nothing
    for track in reversed(tracks):
        frame = _candidates(track, facts, setup)
        result = result.select(
            pl.when(frame["_in"]).then(frame[name]).otherwise(pl.col(name)).alias(name) for name in TAKEN
        )
    return result
