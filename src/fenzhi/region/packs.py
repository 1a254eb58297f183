"""The packs and catalogues of a year, by the dates on which they hold: checked and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from fenzhi.errors import PolicyError
from fenzhi.policy import Policy, load_policy
from fenzhi.policy.validity import (
    CATALOGS,
    Span,
    scheme_errors,
    span_errors,
    span_of,
    twice_error,
    validity_errors,
    year_errors,
)

if TYPE_CHECKING:
    from fenzhi.region.load import RegionMeta


def load_packs(meta: RegionMeta, folder: Path) -> tuple[RegionMeta, tuple[Policy, ...]]:
    """Load the packs; return them and the settings with packs and catalogues in the order of their dates.

    Several packs must be of one scheme, hold on every day of the year, one at a time, and have one rule where a year
    has one; catalogues likewise hold one at a time. What holds on no day of the year is left out.
    """
    year = Span(date(meta.year, 1, 1), date(meta.year, 12, 31), "")
    packs = sorted(((load_policy(name, near=folder), name) for name in meta.packs()), key=_pack_span)
    catalogs = meta.catalogs()
    if meta.policies:
        loaded = [pack for pack, _ in packs]
        faults = [*validity_errors(loaded, year.first, year.last), *scheme_errors(loaded)]
        packs = [one for one in packs if _meet(_pack_span(one), year)]
        inside = [pack for pack, _ in packs]
        faults += [*twice_error([pack.meta.id for pack in inside]), *year_errors(inside)]
        _refuse(faults, folder, "region.policies")
        meta = meta.model_copy(update={"policies": tuple(name for _, name in packs)})
    if not isinstance(meta.catalog, str):
        spans = [one.span() for one in catalogs]
        faults = span_errors(spans, year.first, year.last, CATALOGS)
        faults += twice_error([span.name for span in spans], CATALOGS)
        _refuse(faults, folder, "region.catalog")
        meta = meta.model_copy(update={"catalog": tuple(one for one in catalogs if _meet(one.span(), year))})
    return meta, tuple(pack for pack, _ in packs)


def _pack_span(named: tuple[Policy, str]) -> Span:
    return span_of(named[0])


def _meet(one: Span, two: Span) -> bool:
    return one.first <= two.last and two.first <= one.last


def _refuse(faults: Sequence[PolicyError], folder: Path, field: str) -> None:
    """Raise the first of the faults as one of region.toml."""
    for error in faults[:1]:
        raise PolicyError(
            error.message,
            code=error.code,
            file=folder / "region.toml",
            field=field,
            remedy=error.remedy,
        )
