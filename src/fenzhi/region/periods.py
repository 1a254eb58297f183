"""Which rules hold when: a year is cut into periods of one pack and one catalogue. docs/rules.md, section 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from fenzhi.policy.validity import FIRST, LAST, Span, span_of
from fenzhi.region.load import Region


@dataclass(frozen=True)
class Period:
    """The days of a year, both ends included, on which one pack and one catalogue hold: ``region`` has only these."""

    region: Region
    first: date
    last: date


def periods(region: Region) -> tuple[Period, ...]:
    """Return the periods of the region's year in their order; one, of the region itself, if nothing changes.

    Packs and catalogues that hold on no day of the year make none.
    """
    year = Span(date(region.meta.year, 1, 1), date(region.meta.year, 12, 31), "")
    meta = region.meta
    catalogs = meta.catalogs()
    if len(region.policies) == len(catalogs) == 1:
        return (Period(region, year.first, year.last),)
    found = []
    for at, (name, pack) in enumerate(zip(meta.packs(), region.policies, strict=True)):
        held = span_of(pack) if meta.policies else Span(FIRST, LAST, name)
        for one in catalogs:
            first = max(held.first, one.span().first, year.first)
            last = min(held.last, one.span().last, year.last)
            if first <= last:
                update = {"policy": name, "policies": (), "catalog": one.catalog}
                mine = replace(
                    region,
                    meta=meta.model_copy(update=update),
                    policy=pack,
                    policies=(pack,),
                    bonuses=region.pack_bonuses[at],
                )
                found.append(Period(mine, first, last))
    return tuple(sorted(found, key=lambda period: period.first))


def period_of(stays: pl.DataFrame, parts: Sequence[Period]) -> pl.Series:
    """Return for each stay the place of its period (UInt32), by the day of discharge.

    Before the first period of the year the first one holds, after the last one the last.
    """
    day = stays["dscg_time"].dt.date()
    place = pl.lit(0, pl.UInt32)
    for at, part in enumerate(parts[1:], start=1):
        place = pl.when(day >= part.first).then(pl.lit(at, pl.UInt32)).otherwise(place)
    return stays.select(place.alias("period")).to_series()
