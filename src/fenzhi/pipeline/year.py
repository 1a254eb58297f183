"""The year, start to end: the only place that knows the order of the stages. Asserts that nothing is lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from fenzhi.budget import opening_values, price
from fenzhi.catalogs import DipCatalog, load_catalog, make_catalog
from fenzhi.codes import CodeMap, read_operations, read_table
from fenzhi.errors import ConservationError, RegionError
from fenzhi.grouping import CompiledDip, Grouped, compile_catalog, group_dip
from fenzhi.grouping.dip import OUTCOMES
from fenzhi.monitoring import hospital_indices
from fenzhi.points import PAID, base_points, score
from fenzhi.policy import Policy
from fenzhi.records import ColumnMap, Known, StaysRead, load_columns, read_stays
from fenzhi.region import Region
from fenzhi.region.scope import cost_of, exclusion_of, los_reason, pool_of, track_of
from fenzhi.results import TABLES, shape
from fenzhi.settlement import YearInputs, balances, settle
from fenzhi.weights import Weights, weigh
from fenzhi.weights.years import year_weights

Progress = Callable[[str, float], None]
COST_CRITERIA = {"closest_cost", "higher_weight"}


def silent(stage: str, done: float) -> None:
    """Show nothing."""


@dataclass
class _Clock:
    """Take the time of each stage for the manifest."""

    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)
    _stage: str = ""

    def start(self, stage: str, done: float) -> None:
        self.stop()
        self._stage = stage
        self.progress(stage, done)

    def stop(self) -> None:
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._since = now


@dataclass(frozen=True)
class Setting:
    """What grouping the region's records needs besides the records."""

    region: Region
    catalog: DipCatalog
    compiled: CompiledDip
    columns: ColumnMap | None
    diagnosis_map: CodeMap | None
    operation_map: CodeMap | None
    chunk_rows: int | None


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
    return made


def _mapped(lists: pl.Series, table: CodeMap | None) -> pl.Series:
    """Map the codes of a list column by a table; unmapped codes pass through."""
    if table is None:
        return lists
    codes = lists.explode(empty_as_null=False, keep_nulls=False).unique(maintain_order=True)
    mapped, _ = table.apply(codes)
    return lists.list.eval(pl.element().replace(codes, mapped))


def make_setting(region: Region, chunk_rows: int | None) -> Setting:
    """Load the catalogue, tables and mappings that region.toml names, and compile the catalogue."""
    catalog = load_catalog(region.meta.catalog, near=region.folder)
    operations = region.meta.operations
    table = None if operations is None else read_operations(region.path(operations))
    catalog = with_operations(catalog, table)
    maps = [
        None if name is None else CodeMap.read(region.path(name))
        for name in (region.codes.diagnosis_map, region.codes.operation_map)
    ]
    columns = region.meta.columns
    return Setting(
        region=region,
        catalog=catalog,
        compiled=compile_catalog(catalog, region.policy.grouping),
        columns=None if columns is None else load_columns(region.path(columns)),
        diagnosis_map=maps[0],
        operation_map=maps[1],
        chunk_rows=chunk_rows,
    )


def group_stays(stays: pl.DataFrame, compiled: CompiledDip, chunk_rows: int | None = None) -> Grouped:
    """Group a frame of stays, at most ``chunk_rows`` at a time; the result does not depend on it."""
    if not chunk_rows or stays.height <= chunk_rows:
        return group_dip(stays, compiled)
    parts = [group_dip(part, compiled) for part in stays.iter_slices(chunk_rows)]
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


def group_coded(stays: pl.DataFrame, setting: Setting, compiled: CompiledDip) -> Grouped:
    """Map the codes of stays and group them; where cost decides, it is the cost that points price."""
    priced = stays.with_columns(cost_of(stays, setting.region.policy.scope).alias("cost_fen"))
    return group_stays(map_codes(priced, setting), compiled, setting.chunk_rows)


# --- history ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _History:
    """The history in numbers: group, year, hospital, cost, pool, booked, outcome of every stay that counts."""

    stays: pl.DataFrame
    counts: dict[str, int]


def history_years(region: Region) -> list[int]:
    """Return the year each history folder stands for: the last ones before the region's year, oldest first."""
    if region.meta.history_years:
        return list(region.meta.history_years)
    n = len(region.meta.history)
    return list(range(region.meta.year - n, region.meta.year))


def _slim_history(read: StaysRead, setting: Setting) -> pl.DataFrame:
    """Group one year of history and keep what weights, coefficients and opening values need."""
    region, stays = setting.region, read.stays
    scope = region.policy.scope
    grouped = group_coded(stays, setting, setting.compiled).frame
    return (
        stays.with_columns(
            grouped["group_idx"],
            grouped["outcome"],
            grouped["reason"],
            cost_of(stays, scope).alias("cost_fen"),
            pl.col("dscg_time").dt.year().alias("year"),
            pool_of(stays, region.pools, region.meta.area).alias("pool"),
            track_of(stays, scope).alias("track"),
        )
        .filter(pl.col("track").is_null() & los_reason(scope).is_null())
        .select(
            "group_idx",
            "outcome",
            "reason",
            "year",
            "fixmedins_code",
            "cost_fen",
            "pool",
            pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
        )
    )


def _read_history(setting: Setting, clock: _Clock) -> _History:
    region = setting.region
    years = history_years(region)
    parts = []
    counts = {"history_rows": 0, "history_accepted": 0, "history_other_year": 0}
    sources = region.meta.history
    for i, name in enumerate(sources):
        clock.start("read history", 0.02 + 0.38 * i / len(sources))
        read = read_stays(
            region.path(name),
            columns=setting.columns,
            quality=region.quality,
            known=known_codes(region),
            needs="weights",
        )
        clock.start("group history", 0.02 + 0.38 * (i + 0.6) / len(sources))
        slim = _slim_history(read, setting)
        mine = slim.filter(pl.col("year").is_in(years))
        counts["history_rows"] += read.rows_in
        counts["history_accepted"] += read.stays.height
        counts["history_other_year"] += slim.height - mine.height
        parts.append(mine)
    if not parts:
        raise RegionError(
            "region.toml names no history, so no weight can be measured",
            code="HISTORY_EMPTY",
            file=region.folder / "region.toml",
            field="region.history",
            remedy="name the folders of the years before, oldest first",
        )
    return _History(pl.concat(parts, rechunk=True), counts)


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


# --- the year --------------------------------------------------------------------------------------------------------


def _outcomes(stays: pl.DataFrame, grouped: pl.DataFrame, region: Region) -> pl.DataFrame:
    """Join groups to stays and give every accepted stay its outcome, pool, month and cost."""
    scope = region.policy.scope
    both = stays.with_columns(
        pool_of(stays, region.pools, region.meta.area).alias("pool"),
        pl.col("dscg_time").dt.month().cast(pl.Int8).alias("month"),
        cost_of(stays, scope).alias("cost_fen"),
        pl.col("hifp_pay_fen").fill_null(0).alias("booked_fen"),
        *grouped.drop("row_idx", "setl_id").get_columns(),
    )
    track = track_of(stays, scope)
    excluded = exclusion_of(stays, region.pools, scope, region.meta.year)
    rejected = pl.col("outcome") == "rejected"
    return both.with_columns(
        pl.when(rejected)
        .then("outcome")
        .when(track.is_not_null())
        .then(pl.lit("other_track", OUTCOMES))
        .when(excluded.is_not_null())
        .then(pl.lit("excluded", OUTCOMES))
        .otherwise("outcome")
        .alias("outcome"),
        pl.when(rejected).then("reason").otherwise(pl.coalesce(track, excluded, "reason")).alias("reason"),
    )


def other_rows(read: StaysRead) -> pl.DataFrame:
    """Return the input rows that are no stays: rejected ones with their first rule, refunds with their reason."""
    columns = ["row_idx", "setl_id", "source_file", "source_row"]
    rejected = (
        read.rejected.sort("row_idx", maintain_order=True)
        .unique("row_idx", keep="first", maintain_order=True)
        .select(
            *columns, "fixmedins_code", pl.col("rule").alias("reason"), pl.lit("rejected").alias("outcome")
        )
    )
    netted = read.netted.select(*columns, "reason", pl.lit("excluded").alias("outcome"))
    return pl.concat([rejected, netted], how="diagonal")


def _cases(scored: pl.DataFrame, unpaid: pl.DataFrame, read: StaysRead, scheme: str) -> pl.DataFrame:
    """Put paid stays, unpaid stays and rows that are no stays together again, in input order."""
    parts = []
    for part in (scored, unpaid, other_rows(read)):
        have = [column.name for column in TABLES["cases"] if column.name in part.columns]
        parts.append(
            shape(part.select(have), "cases").with_columns(
                part["row_idx"].cast(pl.UInt32), pl.lit(scheme).alias("scheme")
            )
        )
    together = pl.concat(parts).sort("row_idx")
    if together.height != read.rows_in or together["row_idx"].n_unique() != read.rows_in:
        raise ConservationError(f"{read.rows_in} rows were read but {together.height} have an outcome")
    return together.drop("row_idx")


def _groups_table(catalog: DipCatalog, weights: Weights, paid: pl.DataFrame) -> pl.DataFrame:
    year = (
        paid.filter(pl.col("group_idx") >= 0)
        .group_by("group_idx")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("cost_fen", "points_e4", "payable_fen", "booked_fen").sum(),
        )
    )
    table = (
        catalog.groups.select("group_id", "name", "layer", "grassroots")
        .with_columns(weights.groups.get_columns())
        .join(year, on="group_idx", how="left", maintain_order="left")
        .with_columns(pl.col("cases", "cost_fen", "points_e4", "payable_fen", "booked_fen").fill_null(0))
        .drop("last_mean_fen", "low_fen", "high_fen")
        .drop("group_idx")
    )
    return shape(table, "groups")


def _bands(policy: Policy) -> tuple[list[str], list[str]]:
    """Return the names of bands below and above the normal one."""
    bands = policy.deviation.bands
    normal = next((i for i, band in enumerate(bands) if band.points == "normal"), len(bands))
    return [band.name for band in bands[:normal]], [band.name for band in bands[normal + 1 :]]


def _year_inputs(region: Region, history: _History) -> YearInputs:
    pools = pl.DataFrame({"pool": [pool.id for pool in region.pools]})
    newest = history.stays["year"].max()
    last = history.stays.filter((pl.col("year") == newest) & pl.col("pool").is_not_null())
    return YearInputs(
        year=region.meta.year,
        accounts=region.hospitals.select("fixmedins_code").join(
            pools, how="cross", maintain_order="left_right"
        ),
        last_booked=last.group_by("fixmedins_code", "pool").agg(pl.col("booked_fen").sum()),
        assessment=region.assessment,
        deductions=region.deductions,
        advances=region.advances,
    )


def _opening(region: Region, history: _History, weights: Weights, grassroots: pl.Series) -> pl.DataFrame:
    policy = region.policy
    based = base_points(history.stays, weights, policy, grassroots)
    stated = {
        pool.id: None if pool.opening_value is None else int(pool.opening_value * 10_000)
        for pool in region.pools
    }
    return opening_values(based, year_weights(policy.weights, weights.years), stated, policy.point_value)


def compute(
    region: Region, *, chunk_rows: int | None = None, progress: Progress = silent
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """Compute a region's year and return its result tables and the facts of the manifest; writes nothing.

    The tables do not depend on ``chunk_rows`` or the number of threads.
    """
    clock = _Clock(progress)
    policy = region.policy
    clock.start("read region", 0.0)
    setting = make_setting(region, chunk_rows)
    grassroots = setting.catalog.groups["grassroots"]
    history = _read_history(setting, clock)
    clock.start("measure weights", 0.40)
    weights = weigh(
        history.stays.select("group_idx", "year", "fixmedins_code", "cost_fen"),
        setting.catalog,
        policy,
        region.hospitals,
    )
    opening = _opening(region, history, weights, grassroots)
    inputs = _year_inputs(region, history)
    counts = history.counts
    del history
    clock.start("read records", 0.50)
    read = read_stays(
        region.path(region.meta.records),
        columns=setting.columns,
        quality=region.quality,
        known=known_codes(region),
    )
    clock.start("group", 0.62)
    compiled = setting.compiled
    if COST_CRITERIA & set(policy.grouping.precedence):
        compiled = compile_catalog(setting.catalog, policy.grouping, weights.groups)
    grouped = group_coded(read.stays, setting, compiled)
    stays = _outcomes(read.stays, grouped.frame, region)
    clock.start("score", 0.70)
    is_paid = pl.col("outcome").is_in(PAID)
    paid = stays.filter(is_paid).with_columns(_flag(stays.filter(is_paid)["group_idx"], grassroots))
    scored = score(paid, weights, policy, grassroots, opening)
    clock.start("price and settle", 0.78)
    pools = price(scored, region.budget, opening, policy.point_value)
    settled = settle(scored, pools, region.budget, policy, inputs)
    clock.start("collect tables", 0.85)
    low, high = _bands(policy)
    names = region.hospitals.select("fixmedins_code", "fixmedins_name", "level", "type")
    coefficients = weights.coefficients.select("fixmedins_code", "coefficient_e4")
    hospitals = settled.hospitals.join(names, on="fixmedins_code", how="left", maintain_order="left").join(
        coefficients, on="fixmedins_code", how="left", maintain_order="left"
    )
    titles = pl.DataFrame(
        {"pool": [pool.id for pool in region.pools], "title": [pool.title for pool in region.pools]}
    )
    tables = {
        "cases": _cases(settled.stays, stays.filter(~is_paid), read, policy.meta.scheme),
        "groups": _groups_table(setting.catalog, weights, settled.stays),
        "hospitals": shape(hospitals, "hospitals"),
        "months": shape(settled.months, "months"),
        "pools": shape(settled.pools.join(titles, on="pool", how="left", maintain_order="left"), "pools"),
        "ledger": shape(settled.ledger, "ledger"),
        "rejected": shape(pl.concat([read.rejected, read.warnings]).drop("row_idx"), "rejected"),
        "monitoring": shape(hospital_indices(settled.stays, low, high, policy.weights.scale), "monitoring"),
    }
    clock.stop()
    outcomes = tables["cases"].group_by("outcome").len().sort("outcome")
    facts = {
        "counts": {
            "rows": read.rows_in,
            **{f"outcome_{name}": n for name, n in outcomes.iter_rows()},
            **counts,
            "unknown_operations": int(grouped.unknown_operations["stays"].sum()),
        },
        "unknown_operations": grouped.unknown_operations.head(50).to_dicts(),
        "notices": list(read.notices),
        "quality": read.summary.to_dicts(),
        "mean_cost_fen": weights.mean_fen,
        "history_years": list(weights.years),
        "classes": weights.classes.to_dicts(),
        "catalog": {
            "id": setting.catalog.meta.id,
            "title": setting.catalog.meta.title,
            "version": setting.catalog.meta.version,
            "digest": setting.catalog.digest,
        },
        "timings_seconds": {stage: round(seconds, 3) for stage, seconds in clock.seconds.items()},
        "balances": balances(settled.ledger).to_dicts(),
    }
    return tables, facts


def _flag(index: pl.Series, grassroots: pl.Series) -> pl.Series:
    return grassroots.gather(index.set(index < 0, None)).fill_null(False).alias("grassroots")
