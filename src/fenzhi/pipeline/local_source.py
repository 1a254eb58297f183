"""What a local catalogue is built from: a region's folder, or folders of history alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from fenzhi.budget import Budget
from fenzhi.catalogs import DipCatalog, find_catalog, load_dip_catalog
from fenzhi.codes import CodeMap, read_operations, read_table
from fenzhi.errors import CatalogError, RegionError
from fenzhi.grouping import compile_catalog
from fenzhi.pipeline.auxiliary import load_lists
from fenzhi.pipeline.build import BuildInputs
from fenzhi.pipeline.history import history_years
from fenzhi.pipeline.setting import Setting, columns_for, region_tables, with_operations
from fenzhi.pipeline.tracks import tracks_of
from fenzhi.policy import Policy, load_policy
from fenzhi.policy.coefficients import Coefficients
from fenzhi.policy.validity import FIRST, LAST
from fenzhi.records import ColumnMap, load_columns
from fenzhi.region import Region, load_region
from fenzhi.region.load import CodesConfig, RegionMeta, Reviews
from fenzhi.region.periods import Period, periods
from fenzhi.region.scope import is_bed_day, los_reason, pool_of
from fenzhi.region.tables import read_hospitals
from fenzhi.weights.build import empty_base

REGION = "region.toml"
NONE = "none"


@dataclass(frozen=True)
class LocalSource:
    """A history with its rules.

    ``setting``: policy, hospitals, columns, maps of codes; its catalogue is the base. ``years``: those that
    count; None: the newest ones that the policy has weights for. ``hospitals``: the file that lists them, if any.
    ``names``: a code book of diagnoses (code, name). ``based``: whether there is a base at all.
    """

    setting: Setting
    paths: tuple[Path, ...]
    base: DipCatalog
    based: bool
    years: tuple[int, ...] | None
    hospitals: Path | None
    names: pl.DataFrame | None
    title: str
    synthetic: bool

    @property
    def policy(self) -> Policy:
        """Return the pack that weights are measured by (see :func:`measuring`)."""
        return self.setting.region.policy


def is_region(path: Path) -> bool:
    """Tell whether a path is the folder of a region's year."""
    return (path / REGION).is_file()


def measuring(policy: Policy, hospitals: bool = True) -> Policy:
    """Return the pack as building needs it: weights and auxiliary types are measured, whoever gives them later.

    Without ``hospitals`` nothing is known of classes, so there are no coefficients.
    """
    update: dict[str, object] = {}
    if policy.weights.method == "given":
        update["weights"] = policy.weights.model_copy(update={"method": "mean_cost"})
    if policy.auxiliary is not None and policy.auxiliary.source == "listed":
        update["auxiliary"] = policy.auxiliary.model_copy(update={"source": "measured"})
    if not hospitals:
        update |= {"coefficients": Coefficients(by=()), "grassroots": None, "tracks": ()}
    return policy.model_copy(update=update)


def period_on(region: Region, day: date | None) -> Period:
    """Return the rules of a day of the year, its last one without ``day``."""
    held = periods(region)
    if day is None:
        return held[-1]
    for period in held:
        if period.first <= day <= period.last:
            return period
    raise RegionError(
        f"this day does not lie in the region's year {region.meta.year}",
        code="REGION_DAY",
        field="on",
        value=day,
        remedy="give a day of the year",
    )


def _setting(
    period: Period,
    base: DipCatalog,
    maps: tuple[CodeMap | None, CodeMap | None],
    columns: ColumnMap | None,
) -> Setting:
    return Setting(
        period=period,
        catalog=base,
        compiled=compile_catalog(base, period.region.policy.grouping),
        columns=columns_for(columns, False),
        diagnosis_map=maps[0],
        operation_map=maps[1],
        chunk_rows=None,
        comorbidity=load_lists(period.region),
    )


def region_source(folder: Path, inputs: BuildInputs, day: date | None = None) -> LocalSource:
    """Return the history of a region with the rules of a day. ``inputs``: base, names and title, if any are given.

    The base is ``inputs.base`` (``none``: nothing), else the region's catalogue, unless that was built itself: then the
    national one has to be named. Raises :class:`CatalogError` CATALOG_BASE, and what reading a region raises.
    """
    region = load_region(folder)
    if not region.meta.history:
        raise RegionError(
            "region.toml names no history, so nothing can be built",
            code="HISTORY_EMPTY",
            file=folder / REGION,
            field="region.history",
            remedy="name the folders of the years before, oldest first",
        )
    period = period_on(region, day)
    period = replace(period, region=replace(period.region, policy=measuring(period.region.policy)))
    table, maps, columns = region_tables(region)
    base = _base(period.region, inputs.base)
    based = base is not None
    catalog = empty_base(table) if base is None else with_operations(base, table)
    return LocalSource(
        setting=_setting(period, catalog, maps, columns),
        paths=tuple(region.path(name) for name in region.meta.history),
        base=catalog,
        based=based,
        years=tuple(history_years(region)),
        hospitals=region.path(region.meta.hospitals),
        names=_names(inputs.diagnoses or _book(region)),
        title=inputs.title or f"{region.meta.name}本地病种目录",
        synthetic=region.meta.synthetic,
    )


def _base(region: Region, given: str | Path | None) -> DipCatalog | None:
    if given is not None:
        return None if str(given) == NONE else load_dip_catalog(given)
    base = load_dip_catalog(find_catalog(region.catalog, region.folder))
    if base.meta.kind == "built":
        raise CatalogError(
            "the region's catalogue was itself built from history, so it is no national one to start from",
            code="CATALOG_BASE",
            file=region.folder / REGION,
            field="region.catalog",
            value=region.catalog,
            remedy="name the national catalogue: --base CATALOG; or --base none to start from nothing",
        )
    return base


def _book(region: Region) -> Path | None:
    book = region.codes.diagnosis_book
    return None if book is None else region.path(book)


def _names(path: Path | None) -> pl.DataFrame | None:
    if path is None:
        return None
    table = read_table(path)
    return table if {"code", "name"} <= set(table.columns) else None


def files_source(inputs: BuildInputs, hospitals: Path | None = None) -> LocalSource:
    """Return a history without region; ``hospitals``: a hospitals.csv, without it there are no coefficients."""
    known = hospitals is not None
    policy = inputs.policy if isinstance(inputs.policy, Policy) else load_policy(inputs.policy)
    policy = _alone(measuring(policy, known))
    table = None if inputs.operations is None else read_operations(inputs.operations)
    based = inputs.base is not None and str(inputs.base) != NONE
    base = (
        with_operations(load_dip_catalog(inputs.base), table) if based and inputs.base else empty_base(table)
    )
    region = _no_region(policy, hospitals, inputs)
    return LocalSource(
        setting=_setting(
            Period(region, FIRST, LAST),
            base,
            (None, None),
            None if inputs.columns is None else load_columns(inputs.columns),
        ),
        paths=tuple(inputs.history),
        base=base,
        based=based,
        years=None,
        hospitals=hospitals,
        names=_names(inputs.diagnoses),
        title=inputs.title or "本地病种目录",
        synthetic=inputs.synthetic or (based and base.meta.synthetic),
    )


def _alone(policy: Policy) -> Policy:
    """Return the pack without what only a region's folder could answer: tracks with their tables, items of a bonus."""
    rules = policy.coefficients
    if rules.form in ("basic_bonus", "product"):
        rules = rules.model_copy(update={"form": "class", "items": ()})
    return policy.model_copy(update={"tracks": (), "coefficients": rules})


def _no_region(policy: Policy, hospitals: Path | None, inputs: BuildInputs) -> Region:
    """Return a region that has nothing but rules and, if they are known, hospitals."""
    schema = dict.fromkeys(("fixmedins_code", "fixmedins_name", "level", "type", "coefficient"), pl.String)
    empty = pl.DataFrame()
    # It has no year: its history counts by itself.
    meta = RegionMeta.model_construct(id="history", name=inputs.title, policy=policy.meta.id, catalog="base")
    return Region(
        folder=Path(inputs.policy).parent if isinstance(inputs.policy, Path) else Path(),
        meta=meta,
        pools=(),
        codes=CodesConfig(),
        quality=inputs.quality,
        policy=policy,
        policies=(policy,),
        hospitals=pl.DataFrame(schema=schema) if hospitals is None else read_hospitals(hospitals),
        budget=Budget.model_construct(pool=()),
        assessment=empty,
        deductions=empty,
        advances=None,
        weight_overrides=empty,
        bonuses=empty,
        auxiliary=empty,
        reviews=Reviews(empty, empty, empty),
        tracks={},
    )


def counted(stays: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """Return the stays that a catalogue is built from: no other track, no bed-day, inside the scope of days of stay."""
    region = setting.region
    scope, bed_day = region.policy.scope, region.policy.bed_day
    pooled = stays.with_columns(pool_of(stays, region.pools, region.meta.area).alias("pool"))
    track = tracks_of(pooled, setting)["track"]
    return stays.filter(track.is_null() & ~is_bed_day(stays, bed_day) & los_reason(scope).is_null())


def in_years(
    parts: Sequence[pl.DataFrame], source: LocalSource
) -> tuple[list[pl.DataFrame], tuple[int, ...], int]:
    """Return the stays of the years that count, these years, and how many stays were left out."""
    year = pl.col("dscg_time").dt.year()
    years = source.years
    if years is None:
        found = sorted({one for part in parts for one in part.select(year).to_series().drop_nulls().unique()})
        years = tuple(found[-len(source.policy.weights.year_weights) :])
    kept = [part.filter(year.is_in(years)) for part in parts]
    return kept, years, sum(part.height for part in parts) - sum(part.height for part in kept)
