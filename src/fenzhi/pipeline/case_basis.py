"""What one case is answered with: rules, weights, point values. Of a region (measured or published) or a catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from fenzhi.catalogs import DipCatalog, DrgCatalog, compares_exactly, load_catalog
from fenzhi.errors import InputError, PolicyError
from fenzhi.grouping import Compiled, compile_catalog
from fenzhi.grouping.add_ons import mark_add_ons
from fenzhi.pipeline.ahead import ahead
from fenzhi.pipeline.history import history_reads, read_histories
from fenzhi.pipeline.parts import Part, group_part, measure_part
from fenzhi.pipeline.published import published_year
from fenzhi.pipeline.setting import (
    COST_CRITERIA,
    Clock,
    Setting,
    columns_for,
    group_stays,
    known_codes,
    make_settings,
    silent,
)
from fenzhi.pipeline.year import opening_of
from fenzhi.policy import Policy, load_policy
from fenzhi.records import ColumnMap, Known, QualityRules
from fenzhi.region import Region
from fenzhi.region.periods import period_of
from fenzhi.region.scope import cost_of
from fenzhi.weights import Weights
from fenzhi.weights.given import given_weights
from fenzhi.weights.published import published_weights, read_published

#: The pool of a case that is answered without a region.
NO_POOL = "-"


@dataclass(frozen=True)
class Basis:
    """Rules and figures that cases of one day are answered with.

    ``weights``: None if nothing is known of the groups' weights: then a case is grouped, and no more. ``compiled``: as
    the stays of the year are grouped. ``opening``: pool, opening_value_e4. ``part``: of a region, None without one.
    ``notes``: what is left out, as pairs of Chinese and English.
    """

    policy: Policy
    catalog: DipCatalog | DrgCatalog
    compiled: Compiled
    groups: pl.DataFrame
    weights: Weights | None
    opening: pl.DataFrame
    part: Part | None
    columns: ColumnMap
    known: Known
    quality: QualityRules
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def setting(self) -> Setting | None:
        """Return the region's setting, None without a region."""
        return None if self.part is None else self.part.setting

    @property
    def kinds(self) -> dict[str, str]:
        """Return operation -> kind, as far as the catalogue's operation table tells (DIP)."""
        if not isinstance(self.catalog, DipCatalog):
            return {}
        return dict(self.catalog.operations.select("code", "type").iter_rows())

    def take(self, stays: pl.DataFrame) -> pl.DataFrame:
        """Return stays grouped, with outcome, pool, month, cost: as a run takes them, none of them a readmission."""
        none = pl.lit(None, pl.Int32).alias("readmitted_days")
        if self.part is not None:
            return group_part(self.part, stays).stays.with_columns(none)
        grouped = group_stays(stays, self.compiled).frame
        names = [name for name in grouped.columns if name not in ("row_idx", "setl_id")]
        found = stays.with_columns(
            pl.lit(NO_POOL).alias("pool"),
            pl.col("dscg_time").dt.month().cast(pl.Int8).alias("month"),
            cost_of(stays, self.policy.scope).alias("cost_fen"),
            pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
            none,
            *grouped.select(names).get_columns(),
        )
        if self.policy.add_ons is None:
            return found
        return found.with_columns(mark_add_ons(stays, self.policy.add_ons))


def without(policy: Policy, section: str) -> Policy:
    """Return a policy without a section that one case alone cannot follow."""
    return policy.model_copy(update={section: None})


def _compiled(catalog: DipCatalog | DrgCatalog, policy: Policy, weights: Weights | None) -> Compiled:
    if weights is None or not COST_CRITERIA & set(policy.grouping.precedence):
        return compile_catalog(catalog, policy.grouping)
    return compile_catalog(catalog, policy.grouping, weights.groups)


_NATIONAL = {"dip": "national-dip-3.0", "drg": "national-drg"}
_NO_TYPES = (
    "已公布的权重不含辅助分型系数,这里不计",
    "published weights have no auxiliary coefficients: left out here",
)
_NO_TCM = ("没有统筹区,不判断中医优势病种", "without a region TCM-advantage groups are left out")


def region_basis(region: Region, day: date, weights: Path | None = None) -> Basis:
    """Return what cases discharged on ``day`` are answered with in a region.

    The history is measured as a run does, or what is published read in the folder of a hospital alone; ``weights``:
    published ones instead (see :func:`fenzhi.weights.published.read_published`). Raises :class:`InputError` if there
    is neither.
    """
    settings = make_settings(region)
    frame = pl.DataFrame(
        {"dscg_time": [datetime(day.year, day.month, day.day)]}, schema={"dscg_time": pl.Datetime("us")}
    )
    setting = settings[int(period_of(frame, [one.period for one in settings])[0])]
    notes: list[tuple[str, str]] = []
    policy = setting.region.policy
    if weights is not None:
        table = read_published(weights, setting.groups["group_id"])
        found = published_weights(table, setting.groups, region.hospitals, policy)
        part = Part(setting, found, setting.groups, None)
        values = [None if p.opening_value is None else int(p.opening_value * 10_000) for p in region.pools]
        schema = {"pool": pl.String, "opening_value_e4": pl.Int64}
        opening = pl.DataFrame(
            {"pool": [p.id for p in region.pools], "opening_value_e4": values}, schema=schema
        )
        if policy.auxiliary is not None:
            policy, notes = without(policy, "auxiliary"), [_NO_TYPES]
    elif region.published is not None:
        parts, opening, *_ = published_year(settings)
        part = parts[settings.index(setting)]
    elif not region.meta.history:
        raise InputError(
            "this folder has no history, so nothing says what a group is worth",
            code="CASE_WEIGHTS",
            file=region.folder / "region.toml",
            field="region.history",
            remedy="give the published weights with --weights FILE (columns group_id, weight)",
        )
    else:
        needed = [settings[0]] if setting is settings[0] else [settings[0], setting]
        histories = read_histories(needed, Clock(silent), ahead(history_reads(needed)))
        measured = [measure_part(one, history) for one, history in zip(needed, histories, strict=True)]
        part = measured[-1][0]
        opening, _ = opening_of(region, measured[0][1], measured[0][0])
    return Basis(
        policy=policy,
        catalog=setting.catalog,
        compiled=_compiled(setting.catalog, policy, part.weights),
        groups=part.groups,
        weights=part.weights,
        opening=opening,
        part=part,
        columns=setting.columns,
        known=known_codes(region),
        quality=region.quality,
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class Place:
    """Where a case lies that has no region: the hospital's level and coefficient, the opening value of its points."""

    level: str | None = None
    coefficient: str | None = None
    opening_e4: int | None = None


def catalog_basis(
    catalog: str | Path, policy: str | Path | None, weights: Path | None = None, place: Place | None = None
) -> Basis:
    """Return what cases are answered with by a catalogue and a policy alone.

    ``policy``: None for the national rules of the catalogue's scheme. ``weights``: published ones; without them a DRG
    catalogue's own, else cases are only grouped. Raises :class:`PolicyError` for a policy of another scheme.
    """
    book, place, notes = load_catalog(catalog), place or Place(), []
    rules = load_policy(_NATIONAL[book.meta.scheme] if policy is None else policy)
    if rules.meta.scheme != book.meta.scheme:
        raise PolicyError(
            f"the policy is for {rules.meta.scheme}, the catalogue for {book.meta.scheme}",
            code="POLICY_SCHEME",
            field="policy",
            value=policy,
            remedy="name a policy and a catalogue of the same scheme",
        )
    if rules.tcm is not None:
        notes.append(_NO_TCM)
    found, table = None, None
    if weights is not None:
        table = read_published(weights, book.groups["group_id"])
    elif isinstance(book, DrgCatalog) and not book.tables["weights"].is_empty():
        own = sorted(given_weights(book, rules.weights).items())
        table = pl.DataFrame(own, schema={"group_idx": pl.Int32, "rw_e4": pl.Int64}, orient="row")
    if table is not None:
        hospital = {"fixmedins_code": [NO_POOL], "level": [place.level], "coefficient": [place.coefficient]}
        schema = dict.fromkeys(hospital, pl.String)
        found = published_weights(table, book.groups, pl.DataFrame(hospital, schema=schema), rules)
        if rules.auxiliary is not None:
            rules = without(rules, "auxiliary")
            notes.append(_NO_TYPES)
    return Basis(
        policy=rules,
        catalog=book,
        compiled=_compiled(book, rules, found),
        groups=book.groups,
        weights=found,
        opening=pl.DataFrame(
            {"pool": [NO_POOL], "opening_value_e4": [place.opening_e4]},
            schema={"pool": pl.String, "opening_value_e4": pl.Int64},
        ),
        part=None,
        columns=columns_for(None, compares_exactly(catalog)),
        known=Known(),
        quality=QualityRules(),
        notes=tuple(notes),
    )
