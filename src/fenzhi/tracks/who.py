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
from fenzhi.tracks.prices import MAIN, listed_rows, main_codes, surgery_sums, tidy_operations

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


def _facts(stays: pl.DataFrame, area: str | None) -> pl.DataFrame:
    """Return what conditions look at; ``_at``: the place of the stay."""
    return stays.select(
        pl.row_index("_at"),
        "pool",
        "fixmedins_code",
        pl.col("act_ipt_days").alias("los"),
        _text("med_type", stays).alias("med_type"),
        _text("dscg_caty", stays).alias("department"),
        insured_area(stays, area).alias("area"),
        "diag_codes",
        "oprn_codes",
    )


def _with_operation(facts: pl.DataFrame, listed: tuple[str, ...]) -> pl.Expr:
    """Return whether a stay has one of the listed operations."""
    codes = normalise_operation(pl.Series(listed)).implode()
    flat = facts["oprn_codes"].explode(empty_as_null=False, keep_nulls=False)
    meant = tidy_operations(flat).filter(pl.col("tidy").is_in(codes) | pl.col("base").is_in(codes))["code"]
    inside = pl.element().is_in(meant.implode())
    return pl.col("oprn_codes").list.eval(inside).list.any()


def _hospitals(who: Who, hospitals: pl.DataFrame) -> pl.Expr:
    """Return whether the hospital of a stay is of the stated levels and types, and one of the named ones."""
    columns = {"levels": "level", "types": "type", "hospitals": "fixmedins_code"}
    terms = [
        pl.col(column).is_in(list(getattr(who, key))) for key, column in columns.items() if getattr(who, key)
    ]
    if not terms:
        return pl.lit(True)
    meant = hospitals.filter(pl.all_horizontal(terms))["fixmedins_code"]
    return pl.col("fixmedins_code").is_in(meant.implode())


def _holds(who: Who, hospitals: pl.DataFrame) -> pl.Expr:
    """Return whether all stated conditions hold but those on codes; what is not known makes one fail."""
    columns = {"med_types": "med_type", "departments": "department", "areas": "area", "pools": "pool"}
    terms = [
        pl.col(column).is_in(list(getattr(who, key))) for key, column in columns.items() if getattr(who, key)
    ]
    if who.los_from is not None:
        terms.append(pl.col("los") >= who.los_from)
    if who.los_upto is not None:
        terms.append(pl.col("los") <= who.los_upto)
    return pl.all_horizontal(_hospitals(who, hospitals), *terms).fill_null(False)


def _holds_codes(who: Who, facts: pl.DataFrame) -> pl.Expr:
    """Return whether the conditions on codes hold. ``facts``: with the columns of :func:`main_codes`."""
    terms = [pl.lit(True)]
    if who.diagnoses:
        heads = normalise_diagnosis(pl.Series(who.diagnoses)).to_list()
        terms.append(pl.any_horizontal(pl.col("_diagnosis").str.starts_with(head) for head in heads))
    if who.operations:
        terms.append(_with_operation(facts, who.operations))
    return pl.all_horizontal(terms).fill_null(False)


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


def _members(track: CommunityTrack, facts: pl.DataFrame, setup: Setup) -> pl.Series:
    """Return the community whose package a stay uses: that of its hospital, if the patient is insured in its areas."""
    table = setup.tables["communities"].filter(pl.col("track") == track.id)
    table = table.select(
        "community",
        "pool",
        pl.col("areas").str.split("|").alias("area"),
        pl.col("community").alias("_community"),
    )
    table = table.explode("area", empty_as_null=False, keep_nulls=False)
    belongs = setup.hospitals.select("fixmedins_code", "community")
    return (
        facts.select("fixmedins_code", "pool", "area")
        .join(belongs, on="fixmedins_code", how="left", maintain_order="left")
        .join(table, on=["community", "pool", "area"], how="left", maintain_order="left")["_community"]
    )


def _mine(track: StayTrack, facts: pl.DataFrame, setup: Setup) -> pl.DataFrame:
    """Return ``_at`` and the columns of :data:`TAKEN` of the stays that a track takes if none before it does."""
    states = bool(track.who.stated())
    mapped = [kind for kind, name in setup.policy.scope.other_tracks.items() if name == track.id]
    inside = () if setup.policy.bed_day is None else setup.policy.bed_day.med_types
    sent = pl.col("med_type").is_in([kind for kind in mapped if kind not in inside]).fill_null(False)
    # Nothing stated means nobody, unless a list chooses among all stays and no kind is sent here.
    own = states or (not mapped and isinstance(track, PriceTrack | CommunityTrack))
    holds = _holds(track.who, setup.hospitals) if own else pl.lit(False)
    # Codes are only looked at where everything else fits.
    rows = facts.filter(sent | holds).with_columns(sent.alias("_sent"))
    rows = rows.hstack(main_codes(rows))
    rows = rows.filter(pl.col("_sent") | _holds_codes(track.who, rows))
    listed: dict[str, pl.Series] = {}
    if isinstance(track, PriceTrack):
        prices = setup.tables["prices"].filter(pl.col("track") == track.id)
        listed["_price_row"] = listed_rows(rows.select(MAIN), prices, track)
    elif isinstance(track, DaySurgeryTrack):
        listed["_sum_fen"] = surgery_sums(rows.select(MAIN), track)
    elif isinstance(track, CommunityTrack):
        listed["_community"] = _members(track, rows, setup)
    nothing = {name: pl.lit(None) for name in TAKEN if name.startswith("_")}
    rows = rows.with_columns(**(nothing | listed))
    if listed and not (isinstance(track, PriceTrack | DaySurgeryTrack) and track.unlisted == "actual"):
        rows = rows.filter(pl.all_horizontal(pl.col(list(listed)).is_not_null()))
    more = pl.concat_str(
        pl.format("; prices.csv row {}", "_price_row"),
        pl.format("; community {}", "_community"),
        ignore_nulls=True,
    )
    stated = (
        pl.when("_sent")
        .then(pl.format("scope.other_tracks {}", "med_type"))
        .otherwise(pl.lit(why(track.who)))
    )
    rows = rows.with_columns(
        pl.lit(track.id).alias("track"), (stated + more).str.strip_prefix("; ").alias("track_why")
    )
    return rows.select("_at", *(pl.col(name).cast(dtype) for name, dtype in TAKEN.items()))


def taken(stays: pl.DataFrame, setup: Setup) -> pl.DataFrame:
    """Return for every stay, in order, the columns of :data:`TAKEN`: the first track that takes it, and why.

    A track takes the stays for which its conditions hold and the kinds that ``[scope.other_tracks]`` sends it;
    null where none does. ``stays``: pool, fixmedins_code, act_ipt_days, diag_codes, oprn_codes; med_type, dscg_caty,
    insu_admdvs where the records have them. Codes are already those of the catalogue.
    """
    tracks = [track for track in setup.policy.tracks if isinstance(track, StayTrack)]
    if not tracks or stays.is_empty():
        return pl.select(
            pl.repeat(None, stays.height, dtype=dtype).alias(name) for name, dtype in TAKEN.items()
        )
    facts = _facts(stays, setup.area)
    found = pl.concat([_mine(track, facts, setup) for track in tracks])
    first = found.unique("_at", keep="first", maintain_order=True)
    return facts.select("_at").join(first, on="_at", how="left", maintain_order="left").select(*TAKEN)
