"""A whole local catalogue from history: groups, weights, coefficients, auxiliary types, grassroots groups, quality.

Rules: docs/rules.md, section 3 and "Building a catalogue".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from fenzhi.catalogs import DipCatalog, with_tcm, with_weights
from fenzhi.catalogs.models import COMPREHENSIVE
from fenzhi.catalogs.tcm import TcmTables
from fenzhi.errors import CatalogError, PolicyError
from fenzhi.grouping import compile_catalog
from fenzhi.grouping.tcm import compile_tcm
from fenzhi.money import format_e4
from fenzhi.pipeline.auxiliary import fee_columns
from fenzhi.pipeline.build import catalog_meta
from fenzhi.pipeline.grassroots import flagged
from fenzhi.pipeline.history import grouped_history
from fenzhi.pipeline.local_source import LocalSource, counted, in_years
from fenzhi.pipeline.quality import (
    FEE_COLUMNS,
    Judged,
    books_of,
    codings_together,
    count_coding,
    judge,
    measured_part,
)
from fenzhi.pipeline.setting import Clock, Progress, Setting, known_codes, map_codes, silent
from fenzhi.pipeline.tcm import tcm_fee_columns
from fenzhi.quality import cost_spread, coverage_curve, shaped
from fenzhi.records import read_stays
from fenzhi.weights import Weights, weigh
from fenzhi.weights.auxiliary import measure_auxiliary
from fenzhi.weights.build import (
    KEY,
    Built,
    build_catalog,
    choose_threshold,
    compiled_base,
    kept_rows,
    observe,
    regrouped,
)
from fenzhi.weights.fees import fee_weights, kept_of
from fenzhi.weights.grassroots import choose_grassroots
from fenzhi.weights.stability import calm_groups

#: Groups whose costs are shown in the report.
SHOWN = {"largest": 12, "scattered": 12}


@dataclass(frozen=True)
class Local:
    """A built catalogue with all that was measured for it.

    ``catalog``: with its own weights and the grassroots flags set. ``tables``: those of ``quality.BUILT`` (what does
    not apply is not there) and of ``quality.QUALITY``. ``figures``: counts of building and of quality by name.
    """

    source: LocalSource
    catalog: DipCatalog
    weights: Weights
    tables: dict[str, pl.DataFrame]
    figures: dict[str, int | float | None]
    years: tuple[int, ...]
    judged: Judged


def build_local(source: LocalSource, *, progress: Progress = silent) -> Local:
    """Build a local catalogue and measure all that belongs to it; writes nothing. Rules: docs/rules.md, section 3.

    The result does not depend on the order of rows or files. Raises :class:`CatalogError` HISTORY_EMPTY, and what
    reading and weighing raise.
    """
    clock = Clock(progress)
    stays, years, facts = _read(source, clock)
    clock.start("build", 0.45)
    built, counts = _build(stays, source)
    catalog, dropped = _with_tcm(built, source)
    setting = replace(
        source.setting,
        catalog=catalog,
        compiled=compile_catalog(catalog, source.policy.grouping),
        tcm=compile_tcm(catalog, source.policy.tcm),
    )
    clock.start("group history", 0.6)
    parts, codings = [], []
    for part in stays:
        grouped = grouped_history(part, setting, counted=True)
        parts.append(measured_part(grouped))
        codings.append(count_coding(part, setting))
    history = pl.concat(parts, rechunk=True)
    del parts, stays
    clock.start("measure weights", 0.75)
    setting = _with_hospitals(setting, history, source)
    weights = _measure(history, setting)
    grassroots = _grassroots(history, setting, source)
    if grassroots is not None:
        chosen = grassroots.filter("selected")["group_id"].to_list()
        flags = flagged(catalog, chosen)
        assert isinstance(flags, DipCatalog)
        catalog = flags
    clock.start("judge", 0.85)
    judged = judge(
        history, replace(setting, catalog=catalog), weights, codings_together(codings), books_of(setting)
    )
    tables = _tables(source, setting, built, dropped, weights)
    tables["coverage"] = shaped(coverage_curve(counts["stays"]), "coverage")
    fees = fee_weights(history, weights.groups, setting.region.policy.weights, years)
    calm = calm_groups(kept_of(history, weights.groups), source.policy.weights.comprehensive_cv_max)
    measured = judged.groups.join(fees, on="group_idx", maintain_order="left")
    tables["weights"] = _weights_table(catalog, built, measured, calm)
    tables["spread"] = shaped(cost_spread(history, judged.groups, SHOWN), "spread")
    if grassroots is not None:
        tables["grassroots"] = shaped(grassroots, "grassroots")
    # TCM-advantage groups, which stand last, have weights of their own in tcm_groups.csv.
    own = tables["weights"].head(catalog.groups.height)
    weight = pl.Series("weight", _decimals(own["weight_e4"]), dtype=pl.String)
    catalog = with_weights(catalog, pl.DataFrame([own["group_id"], weight]))
    clock.stop()
    figures = {**facts, **built.counts, **judged.figures}
    return Local(source, catalog, weights, tables | judged.tables, figures, years, judged)


def _decimals(values: pl.Series) -> list[str | None]:
    return [None if value is None else format_e4(value, 4).replace(",", "") for value in values]


def _read(source: LocalSource, clock: Clock) -> tuple[list[pl.DataFrame], tuple[int, ...], dict[str, int]]:
    """Read every folder of the history once; return the stays that count, their years, and how many there were."""
    setting, policy = source.setting, source.policy
    fees = fee_columns(policy.auxiliary) | tcm_fee_columns(setting) | FEE_COLUMNS
    if policy.tcm is not None:
        fees |= set(policy.tcm.tcm_fees) | set(policy.tcm.western_fees)
    parts, rows, accepted = [], 0, 0
    known = None if source.hospitals is None else known_codes(setting.region)
    for at, path in enumerate(source.paths):
        clock.start("read history", 0.45 * at / len(source.paths))
        read = read_stays(
            path,
            columns=setting.columns,
            quality=setting.region.quality,
            known=known,
            needs="weights",
            also=fees,
        )
        rows += read.rows_in
        accepted += read.stays.height
        parts.append(counted(read.stays, setting))
    inside, years, other = in_years(parts, source)
    facts = {
        "history_rows": rows,
        "history_accepted": accepted,
        "history_counted": sum(part.height for part in inside),
        "history_other_year": other,
    }
    if not facts["history_counted"]:
        raise CatalogError(
            "the history holds no stay that can be grouped",
            code="HISTORY_EMPTY",
            file=source.paths[0] if source.paths else None,
            remedy="look at what quality control rejects: fenzhi check FILE",
        )
    return inside, years, facts


def _build(stays: Sequence[pl.DataFrame], source: LocalSource) -> tuple[Built, pl.DataFrame]:
    """Return the built catalogue, and the stays of each combination."""
    policy, base, setting = source.policy, source.base, source.setting

    compiled = compiled_base(base, policy)
    mapped = [map_codes(part, setting) for part in stays]
    seen = [observe(part, compiled, numbered=True) for part in mapped]
    observed = pl.concat(seen).drop("at")
    counts = observed.group_by(KEY).agg(pl.len().cast(pl.Int64).alias("stays"))
    regroup = None
    if source.based:
        # Stays of rows that are dropped may fit another row that stays.
        kept, _ = kept_rows(observed, base, choose_threshold(counts["stays"], policy.weights.threshold))
        compiled = compiled_base(base, policy, kept)
        again = [regrouped(part, mine, kept, compiled) for part, mine in zip(mapped, seen, strict=True)]
        regroup = observed.with_columns(pl.concat(again))
    del seen, mapped
    meta = catalog_meta(base if source.based else None, source.title, source.synthetic)
    return build_catalog(observed, base, policy, meta, regroup=regroup, diagnoses=source.names), counts


def _with_tcm(built: Built, source: LocalSource) -> tuple[DipCatalog, pl.DataFrame]:
    """Return the catalogue with the base's TCM-advantage groups, and the dropped rows with their names.

    A TCM-advantage group that is paid by a group which was dropped goes with it.
    """
    base, tcm = source.base, source.base.tcm
    names = base.groups.select("group_id", "name")
    dropped = built.dropped.join(names, on="group_id", how="left", maintain_order="left")
    if tcm.conditions.is_empty():
        return built.catalog, dropped
    ids = built.catalog.groups["group_id"]
    reference = tcm.groups["reference_group"]
    gone = tcm.groups.filter(reference.is_not_null() & ~reference.is_in(ids.implode()))["group_id"]
    conditions = tcm.conditions.filter(~pl.col("group_id").is_in(gone.implode()))
    rows = pl.DataFrame({"group_id": gone}).with_columns(pl.lit("tcm_reference_dropped").alias("reason"))
    dropped = pl.concat([dropped, rows], how="diagonal")
    return with_tcm(built.catalog, TcmTables(conditions, tcm.operations, tcm.lists)), dropped


def _with_hospitals(setting: Setting, history: pl.DataFrame, source: LocalSource) -> Setting:
    """Return the setting with the hospitals of the history, where nothing else is known of them."""
    if source.hospitals is not None:
        return setting
    codes = history["fixmedins_code"].drop_nulls().unique().sort()
    absent = [
        pl.lit(None, pl.String).alias(name) for name in ("fixmedins_name", "level", "type", "coefficient")
    ]
    region = replace(setting.region, hospitals=pl.DataFrame({"fixmedins_code": codes}).with_columns(absent))
    return replace(setting, period=replace(setting.period, region=region))


def _measure(history: pl.DataFrame, setting: Setting) -> Weights:
    region, policy = setting.region, setting.region.policy
    bonuses = region.bonuses if region.bonuses.width else None
    # A coefficient that hospitals.csv states is not taken over: this measures what the history says.
    hospitals = region.hospitals.with_columns(pl.lit(None, pl.String).alias("coefficient"))
    weights = weigh(history, setting.catalog, policy, hospitals, None, bonuses)
    if policy.auxiliary is not None:
        types = measure_auxiliary(history, setting.groups, weights.groups, policy, weights.years)
        weights = replace(weights, auxiliary=types)
    return weights


def _grassroots(history: pl.DataFrame, setting: Setting, source: LocalSource) -> pl.DataFrame | None:
    """Return the selection of grassroots groups; None where the policy or the hospitals do not say what is primary."""
    region = setting.region
    if source.hospitals is None or region.policy.grassroots is None:
        return None
    try:
        return choose_grassroots(history, setting.catalog, region.policy, region.hospitals)
    except PolicyError as error:
        if error.code != "POLICY_GRASSROOTS":
            raise
        return None


def _tables(
    source: LocalSource,
    setting: Setting,
    built: Built,
    dropped: pl.DataFrame,
    weights: Weights,
) -> dict[str, pl.DataFrame]:
    groups = setting.groups
    names = groups.select("group_id", "name")
    tables = {
        "additions": built.additions.join(names, on="group_id", how="left", maintain_order="left"),
        "dropped": dropped,
    }
    if source.hospitals is not None:
        known = setting.region.hospitals.select("fixmedins_code", "fixmedins_name", "type")
        tables["hospitals"] = weights.coefficients.join(
            known, on="fixmedins_code", how="left", maintain_order="left"
        )
        tables["classes"] = weights.classes
    if weights.auxiliary is not None:
        tables |= _auxiliary_tables(groups, weights, setting)
    return {name: shaped(frame, name) for name, frame in tables.items()}


def _auxiliary_tables(groups: pl.DataFrame, weights: Weights, setting: Setting) -> dict[str, pl.DataFrame]:
    """Return what auxiliary.csv may hold, every level that a stay can have, and all families that were tried."""
    rules, found = setting.region.policy.auxiliary, weights.auxiliary
    assert rules is not None
    assert found is not None
    levels = [
        (place, at, family.name, level)
        for place, family in enumerate(rules.families)
        for at, level in enumerate(rules.level_names(family))
    ]
    schema = {"place": pl.Int16, "found": pl.Int16, "family": pl.String, "name": pl.String}
    by_number = pl.DataFrame(levels, schema=schema, orient="row")
    named = groups.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("group_idx"), "group_id", "name")
    used = found.applied.join(by_number, on=["place", "found"], maintain_order="left").select(
        "group_idx", "family", pl.col("name").alias("level"), "coefficient_e4"
    )
    return {
        "auxiliary": used.join(named, on="group_idx", maintain_order="left"),
        "auxiliary_tried": found.table.join(named, on="group_idx", maintain_order="left"),
    }


def _weights_table(catalog: DipCatalog, built: Built, measured: pl.DataFrame, calm: set[int]) -> pl.DataFrame:
    """Return the weights of all groups with what they were measured on, and where each group comes from.

    ``calm``: the groups (group_idx) whose coefficient of variation is within the limit of comprehensive groups.
    """
    flags = catalog.groups.select("group_id", "grassroots")
    wild = pl.col("cv").is_not_null() & ~pl.col("group_idx").is_in(sorted(calm))
    table = (
        measured.join(
            built.additions.select("group_id", "origin"), on="group_id", how="left", maintain_order="left"
        )
        .join(flags, on="group_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("origin").fill_null("national"),
            pl.col("rw_e4").alias("weight_e4"),
            ((pl.col("layer") == COMPREHENSIVE) & wild).alias("cv_above"),
        )
    )
    return shaped(table, "weights")
