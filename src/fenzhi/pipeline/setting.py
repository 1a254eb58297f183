"""What every path through the engine needs: the region's rules compiled, its code tables, progress and clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from fenzhi.catalogs import (
    DipCatalog,
    DrgCatalog,
    compares_exactly,
    load_catalog,
    make_catalog,
    with_tcm,
    with_weights,
)
from fenzhi.codes import CodeMap, Comorbidity, read_operations, read_table
from fenzhi.errors import CatalogError, PolicyError, RegionError
from fenzhi.grouping import Compiled, Grouped, compile_catalog, group_frame
from fenzhi.grouping.dip import OUTCOMES
from fenzhi.grouping.tcm import CompiledTcm, Overlaid, compile_tcm, entered_groups, overlay
from fenzhi.pipeline.auxiliary import fitting_rows, load_lists
from fenzhi.policy.validity import CATALOGS, twice_error
from fenzhi.records import ColumnMap, Known, StaysRead, load_columns
from fenzhi.region import Region
from fenzhi.region.periods import Period, periods
from fenzhi.region.scope import cost_of
from fenzhi.weights.by_group import exempt_groups
from fenzhi.weights.levels import mark_levels, mark_name
from fenzhi.weights.tcm import all_groups

Progress = Callable[[str, float], None]
COST_CRITERIA = {"closest_cost", "higher_weight"}


def silent(stage: str, done: float) -> None:
    """Show nothing."""


@dataclass
class Clock:
    """Take the time of each stage for the manifest."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)
    _stage: str = ""

    def start(self, stage: str, done: float) -> None:
        """End the stage before and begin another; ``done`` is the share of the whole."""
        self.stop()
        self._stage = stage
        self.progress(stage, done)

    def stop(self) -> None:
        """End the stage that runs."""
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._since = now


@dataclass(frozen=True)
class Setting:
    """What grouping the records of a period needs besides the records. ``several``: the year has other periods."""

    period: Period
    catalog: DipCatalog | DrgCatalog
    compiled: Compiled
    columns: ColumnMap
    diagnosis_map: CodeMap | None
    operation_map: CodeMap | None
    chunk_rows: int | None
    comorbidity: Comorbidity | None = None
    tcm: CompiledTcm | None = None
    several: bool = False

    @property
    def region(self) -> Region:
        """Return the region with the pack and the catalogue of the period."""
        return self.period.region

    @property
    def groups(self) -> pl.DataFrame:
        """Return all groups, row = group_idx; TCM-advantage groups stand last."""
        return all_groups(self.catalog, self.region.policy)


def with_operations(catalog: DipCatalog, table: pl.DataFrame | None) -> DipCatalog:
    """Return the catalogue with the region's operation table laid over its own."""
    if table is None:
        return catalog
    own = catalog.operations.join(table.select("code"), on="code", how="anti")
    both = pl.concat([table.select("code", "name", "type"), own.select("code", "name", "type")]).sort("code")
    made = make_catalog(
        catalog.meta,
        catalog.groups,
        code_sets=catalog.code_sets,
        exclusions=catalog.exclusions,
        operations=both,
    )
    return with_tcm(with_weights(made, catalog.weights), catalog.tcm)


def _mapped(lists: pl.Series, table: CodeMap | None) -> pl.Series:
    """Map the codes of a list column by a table; unmapped codes pass through."""
    if table is None:
        return lists
    codes = lists.explode(empty_as_null=False, keep_nulls=False).unique(maintain_order=True)
    mapped, _ = table.apply(codes)
    return lists.list.eval(pl.element().replace(codes, mapped))


def columns_for(columns: ColumnMap | None, exact: bool) -> ColumnMap:
    """Return the mapping to read stays with.

    ``exact``: the catalogue compares codes as they are written (:func:`fenzhi.catalogs.compares_exactly`); then codes
    keep their blanks, and a missing age is missing, unless the mapping says otherwise.
    """
    columns = columns or ColumnMap()
    if not exact:
        return columns
    said = columns.model_fields_set
    infant = columns.empty_age_is_infant if "empty_age_is_infant" in said else False
    codes = columns.codes.model_copy(update={"as_written": True})
    return columns.model_copy(update={"codes": codes, "empty_age_is_infant": infant})


def _require_scheme(region: Region, scheme: str) -> None:
    """Raise unless policy and catalogue are of one scheme: a run would call its results by the wrong name."""
    if region.policy.meta.scheme != scheme:
        raise PolicyError(
            f"the policy is for {region.policy.meta.scheme}, the catalogue for {scheme}",
            code="POLICY_SCHEME",
            file=region.folder / "region.toml",
            field="region.policies" if region.meta.policies else "region.policy",
            value=region.meta.packs()[0],
            remedy="name a policy and a catalogue of the same scheme",
        )


def region_tables(
    region: Region,
) -> tuple[pl.DataFrame | None, tuple[CodeMap | None, CodeMap | None], ColumnMap | None]:
    """Return what region.toml names besides catalogues: operation table, maps of both kinds of codes, column names."""
    operations, columns = region.meta.operations, region.meta.columns
    diagnoses, procedures = (
        None if name is None else CodeMap.read(region.path(name))
        for name in (region.codes.diagnosis_map, region.codes.operation_map)
    )
    return (
        None if operations is None else read_operations(region.path(operations)),
        (diagnoses, procedures),
        None if columns is None else load_columns(region.path(columns)),
    )


def make_settings(region: Region, chunk_rows: int | None = None) -> tuple[Setting, ...]:
    """Return the settings of the region's periods in their order: catalogues loaded and compiled, tables read.

    Rows of weight_overrides.csv and auxiliary.csv that only fit another period are left out. Raises
    :class:`PolicyError` for a policy of another scheme, :class:`CatalogError` for catalogues that cannot follow each
    other.
    """
    names = dict.fromkeys(one.catalog for one in region.meta.catalogs())
    catalogs = {name: load_catalog(name, near=region.folder) for name in names}
    exact = {name: compares_exactly(name, region.folder) for name in names}
    _require_alike([catalog.meta.id for catalog in catalogs.values()], set(exact.values()), region)
    table, maps, cmap = region_tables(region)
    settings = []
    for period in periods(region):
        policy, name = period.region.policy, period.region.catalog
        catalog = catalogs[name]
        _require_scheme(period.region, catalog.meta.scheme)
        exempt_groups(all_groups(catalog, policy), policy.coefficients)
        if isinstance(catalog, DipCatalog):
            catalog = with_operations(catalog, table)
        settings.append(
            Setting(
                period=period,
                catalog=catalog,
                compiled=compile_catalog(catalog, policy.grouping),
                columns=columns_for(cmap, exact[name]),
                diagnosis_map=maps[0],
                operation_map=maps[1],
                chunk_rows=chunk_rows,
                comorbidity=load_lists(period.region),
                tcm=compile_tcm(catalog, policy.tcm),
            )
        )
    return own_rows(settings)


def _require_alike(ids: list[str], exact: set[bool], region: Region) -> None:
    """Raise unless catalogues of one year have ids of their own and compare codes in one way."""
    twice = twice_error(ids, CATALOGS)
    if not twice and len(exact) < 2:
        return
    raise CatalogError(
        twice[0].message if twice else "one catalogue of the year compares codes exactly, another does not",
        code="CATALOG_TWICE" if twice else "CATALOG_COMPARES",
        file=region.folder / "region.toml",
        field="region.catalog",
        remedy=twice[0].remedy if twice else "give both the same code_match in catalog.toml",
    )


def own_rows(settings: Sequence[Setting]) -> tuple[Setting, ...]:
    """Return the settings, each without rows of the region's lists of groups that only fit another one."""
    if len(settings) == 1:
        return tuple(settings)
    groups = [setting.groups for setting in settings]
    ids = [frame["group_id"] for frame in groups]
    everywhere = pl.concat(ids).unique()
    listed = fitting_rows([(setting.region, frame) for setting, frame in zip(settings, groups, strict=True)])
    found = []
    for setting, mine, auxiliary in zip(settings, ids, listed, strict=True):
        others = everywhere.filter(~everywhere.is_in(mine.implode()))
        overrides = setting.region.weight_overrides.filter(~pl.col("group_id").is_in(others.implode()))
        region = replace(setting.region, weight_overrides=overrides, auxiliary=auxiliary)
        found.append(replace(setting, period=replace(setting.period, region=region), several=True))
    return tuple(found)


def group_stays(stays: pl.DataFrame, compiled: Compiled, chunk_rows: int | None = None) -> Grouped:
    """Group a frame of stays, at most ``chunk_rows`` at a time; the result does not depend on it."""
    if not chunk_rows or stays.height <= chunk_rows:
        return group_frame(stays, compiled)
    parts = [group_frame(part, compiled) for part in stays.iter_slices(chunk_rows)]
    unknown = pl.concat([part.unknown_operations for part in parts])
    return Grouped(
        pl.concat([part.frame for part in parts]).rechunk(),
        unknown.group_by("code").agg(pl.col("stays").sum()).sort("stays", "code", descending=[True, False]),
    )


def map_codes(stays: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """Return the stays with their codes mapped 国临 -> 医保 where the region has such tables."""
    if setting.diagnosis_map is None and setting.operation_map is None:
        return stays
    return stays.with_columns(
        _mapped(stays["diag_codes"], setting.diagnosis_map).alias("diag_codes"),
        _mapped(stays["oprn_codes"], setting.operation_map).alias("oprn_codes"),
    )


def unmapped_notices(stays: pl.DataFrame, setting: Setting) -> tuple[str, ...]:
    """Say which codes the mapping tables do not know; such codes pass through as they are."""
    notices = []
    for kind, column, table in (
        ("diagnosis", "diag_codes", setting.diagnosis_map),
        ("operation", "oprn_codes", setting.operation_map),
    ):
        if table is None:
            continue
        codes = stays[column].explode(empty_as_null=False, keep_nulls=False).drop_nulls().unique().sort()
        missing = codes.filter(table.apply(codes)[1])
        if missing.len():
            shown = ", ".join(missing.head(5))
            notices.append(
                f"{missing.len()} {kind} codes are not in the mapping table and stay as they are: {shown}"
            )
    return tuple(notices)


def group_coded(stays: pl.DataFrame, setting: Setting, compiled: Compiled) -> Grouped:
    """Map the codes of stays and group them; where cost decides, it is the cost that points price."""
    priced = stays.with_columns(cost_of(stays, setting.region.policy.scope).alias("cost_fen"))
    return group_stays(map_codes(priced, setting), compiled, setting.chunk_rows)


def auxiliary_marks(stays: pl.DataFrame, setting: Setting) -> list[pl.Series]:
    """Return the marks of stays for auxiliary types (:mod:`fenzhi.weights.levels`), if the policy has such.

    None for stays that :func:`marked` has marked already.
    """
    rules = setting.region.policy.auxiliary
    if rules is None or mark_name(0) in stays.columns:
        return []
    return mark_levels(map_codes(stays, setting), rules, setting.comorbidity)


def marked(read: StaysRead, settings: Sequence[Setting]) -> StaysRead:
    """Add the marks to the stays where the year has one setting: in the thread that reads, so that nobody waits."""
    if len(settings) != 1:
        return read
    return replace(read, stays=read.stays.with_columns(auxiliary_marks(read.stays, settings[0])))


def overlay_coded(
    stays: pl.DataFrame, grouped: Grouped, setting: Setting, weighted: pl.Series | None = None
) -> Overlaid | None:
    """Lay TCM-advantage groups over a grouping (see :func:`fenzhi.grouping.tcm.overlay`); None without any."""
    if setting.tcm is None:
        return None
    return overlay(map_codes(stays, setting), grouped, setting.tcm, weighted)


def overlay_numbers(stays: pl.DataFrame, grouped: pl.DataFrame, setting: Setting) -> pl.DataFrame:
    """Return outcome, reason, group_idx of a grouping with the TCM-advantage groups laid over: numbers for history."""
    frame = grouped.select("outcome", "reason", "group_idx")
    if setting.tcm is None:
        return frame
    entered = entered_groups(map_codes(stays, setting), frame["outcome"], setting.tcm)
    into = entered.is_not_null()
    return frame.select(
        pl.when(into).then(pl.lit("grouped", OUTCOMES)).otherwise("outcome").alias("outcome"),
        pl.when(~into).then("reason").alias("reason"),
        pl.coalesce(entered + setting.tcm.first, "group_idx").alias("group_idx"),
    )


def known_codes(region: Region) -> Known:
    """Return the sets of codes that quality control compares with."""

    def book(name: str | None) -> frozenset[str] | None:
        if name is None:
            return None
        return frozenset(read_table(region.path(name), RegionError).to_series(0).drop_nulls())

    return Known(
        hospitals=frozenset(region.hospitals["fixmedins_code"].to_list()),
        diagnoses=book(region.codes.diagnosis_book),
        operations=book(region.codes.operation_book),
    )
