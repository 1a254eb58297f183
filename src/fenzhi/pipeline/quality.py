"""How good a catalogue is, on the history of a region, and how well the history is coded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
import polars.selectors as cs

from fenzhi.catalogs import DrgCatalog
from fenzhi.codes import normalise_diagnosis, normalise_operation, read_table
from fenzhi.files import new_dir, new_file, require_new_dir, require_new_file
from fenzhi.monitoring import reduction_in_variance
from fenzhi.pipeline.auxiliary import fee_columns, with_types
from fenzhi.pipeline.grassroots import setting_on
from fenzhi.pipeline.history import grouped_history, history_years
from fenzhi.pipeline.local_source import measuring
from fenzhi.pipeline.setting import (
    Clock,
    Progress,
    Setting,
    group_stays,
    known_codes,
    map_codes,
    silent,
)
from fenzhi.pipeline.store import write_csv
from fenzhi.pipeline.tcm import tcm_fee_columns
from fenzhi.quality import (
    Gains,
    code_counts,
    contradictions,
    group_measures,
    mapping_gains,
    measures,
    missing_codes,
    shaped,
    stability,
    unspecific_codes,
    yearly_weights,
)
from fenzhi.quality.coding import added_up
from fenzhi.records import read_stays
from fenzhi.region import Region, load_region
from fenzhi.weights import Weights, weigh
from fenzhi.weights.fees import FEES, kept_of
from fenzhi.weights.levels import MARKS

FEE_COLUMNS = frozenset(column.removesuffix("_fen") for column in FEES.values())


@dataclass(frozen=True)
class Coding:
    """What is counted of the codes of a history: see :mod:`fenzhi.quality.coding`."""

    counts: pl.DataFrame
    gains: Gains


@dataclass(frozen=True)
class Judged:
    """A catalogue judged: ``figures`` by name (None: not known), the tables of ``quality.QUALITY``, ``groups`` among
    them with all that was measured (see :func:`fenzhi.quality.group_measures`)."""

    figures: dict[str, int | float | None]
    tables: dict[str, pl.DataFrame]
    groups: pl.DataFrame


def count_coding(stays: pl.DataFrame, setting: Setting) -> Coding:
    """Count the codes of a frame of stays, mapped, and what mapping did to their groups."""
    mapped = map_codes(stays, setting)
    counts = code_counts(mapped)
    if setting.diagnosis_map is None and setting.operation_map is None:
        return Coding(counts, Gains())
    same = [mapped[name].eq_missing(stays[name]) for name in ("diag_codes", "oprn_codes")]
    changed = ~(same[0] & same[1])
    mine, by_map = stays.filter(changed), mapped.filter(changed)
    if mine.is_empty():
        return Coding(counts, Gains())
    groups = [group_stays(frame, setting.compiled).frame["group_idx"] for frame in (mine, by_map)]
    return Coding(counts, mapping_gains(*groups))


def codings_together(parts: list[Coding]) -> Coding:
    """Return the counts of several frames added up."""
    gains = Gains()
    for part in parts:
        gains = gains.plus(part.gains)
    return Coding(added_up(pl.concat([part.counts for part in parts])), gains)


def books_of(setting: Setting) -> dict[str, frozenset[str] | None]:
    """Return the codes that the version in force has: of the region's code books, else of the catalogue's own.

    None for a kind of code that no book lists. A DIP catalogue has no book of diagnoses; its table of operations
    stands for one.
    """
    region, catalog = setting.region, setting.catalog
    found: dict[str, frozenset[str] | None] = {"diagnosis": None, "operation": None}
    books = {"diagnosis": region.codes.diagnosis_book, "operation": region.codes.operation_book}
    normal = {"diagnosis": normalise_diagnosis, "operation": normalise_operation}
    for kind, name in books.items():
        codes: pl.Series | None = None
        if name is not None:
            codes = read_table(region.path(name)).to_series(0)
        elif isinstance(catalog, DrgCatalog):
            codes = catalog.tables[f"{kind}_book"]["code"] if f"{kind}_book" in catalog.tables else None
        elif kind == "operation":
            codes = catalog.operations["code"]
        if codes is not None and codes.len():
            found[kind] = frozenset(normal[kind](codes).drop_nulls())
    return found


def judge(
    history: pl.DataFrame,
    setting: Setting,
    weights: Weights,
    coding: Coding,
    books: Mapping[str, frozenset[str] | None],
) -> Judged:
    """Judge the catalogue of a setting.

    ``history``: group_idx, year, fixmedins_code, cost_fen of all stays that count.
    """
    rules, groups = setting.region.policy, setting.groups
    kept = kept_of(history, weights.groups)
    found = group_measures(history, kept, groups, weights.groups)
    figures: dict[str, int | float | None] = dict(measures(found, history.height))
    inside = history.filter(pl.col("group_idx") >= 0)
    figures["riv"] = reduction_in_variance(inside, "group_idx").riv
    figures["riv_trimmed"] = reduction_in_variance(kept, "group_idx").riv
    yearly = yearly_weights(history, kept, groups, rules.weights)
    figures |= stability(yearly)
    types = None
    if weights.auxiliary is not None and rules.auxiliary is not None:
        types = (weights.auxiliary.table, rules.auxiliary)
    pairs, looked = contradictions(setting.catalog, weights.groups, types)
    for test, n in looked.items():
        figures[f"pairs_{test}"] = n
        figures[f"contradicting_{test}"] = pairs.filter(pl.col("test") == test).height
    unspecific, by_hospital = unspecific_codes(coding.counts)
    principal = int(by_hospital["stays"].sum())
    unclear = int(unspecific["stays"].sum())
    figures["stays_unspecific"] = unclear
    figures["share_unspecific"] = unclear / principal if principal else None
    missing = missing_codes(coding.counts, books)
    for kind, codes in books.items():
        mine = missing.filter(pl.col("kind") == kind)
        figures[f"missing_{kind}"] = None if codes is None else mine.height
        figures[f"mentions_missing_{kind}"] = None if codes is None else int(mine["mentions"].sum())
    gains = coding.gains
    mapped = setting.diagnosis_map is not None or setting.operation_map is not None
    for name in ("changed", "gained", "lost", "moved"):
        figures[f"mapping_{name}"] = getattr(gains, name) if mapped else None
    tables = {
        "quality": pl.DataFrame(
            {"measure": list(figures), "value": [None if v is None else float(v) for v in figures.values()]},
            schema={"measure": pl.String, "value": pl.Float64},
        ),
        "groups": found,
        "years": yearly,
        "contradictions": pairs,
        "unspecific": unspecific,
        "unspecific_by_hospital": by_hospital,
        "missing_codes": missing,
    }
    return Judged(figures, {name: shaped(frame, name) for name, frame in tables.items()}, found)


def judge_region(
    folder: Path, catalog: str | Path | None = None, *, day: date | None = None, progress: Progress = silent
) -> tuple[Judged, Setting]:
    """Judge the catalogue of a region (or another one: ``catalog``) on the region's history; writes nothing.

    ``day``: whose rules hold, where policy or catalogue change within the year; the last day without it.
    """
    clock = Clock(progress)
    clock.start("read region", 0.0)
    region = load_region(folder)
    if catalog is not None:
        region = _with_catalog(region, catalog)
    setting = setting_on(region, day)
    return _judge_setting(setting, clock), setting


def _with_catalog(region: Region, catalog: str | Path) -> Region:
    """Return the region with another catalogue all year: what it lists for its own one does not hold."""
    place = Path(catalog).resolve() if Path(catalog).exists() else catalog
    policies = tuple(measuring(policy) for policy in region.policies)
    return replace(
        region,
        meta=region.meta.model_copy(update={"catalog": str(place)}),
        policy=measuring(region.policy),
        policies=policies,
        auxiliary=region.auxiliary.clear(),
        weight_overrides=region.weight_overrides.clear(),
    )


def _judge_setting(setting: Setting, clock: Clock) -> Judged:
    region = setting.region
    years = history_years(region)
    parts: list[pl.DataFrame] = []
    codings: list[Coding] = []
    fees = fee_columns(region.policy.auxiliary) | tcm_fee_columns(setting) | FEE_COLUMNS
    for at, name in enumerate(region.meta.history):
        clock.start("read history", 0.02 + 0.6 * at / len(region.meta.history))
        read = read_stays(
            region.path(name),
            columns=setting.columns,
            quality=region.quality,
            known=known_codes(region),
            needs="weights",
            also=fees,
        )
        stays = read.stays.filter(pl.col("dscg_time").dt.year().is_in(years))
        clock.start("group history", 0.02 + 0.6 * (at + 0.5) / len(region.meta.history))
        grouped = grouped_history(stays, setting).filter(pl.col("outcome") != "bed_day")
        codings.append(count_coding(stays, setting))
        parts.append(measured_part(grouped))
    history = pl.concat(parts, rechunk=True)
    clock.start("measure weights", 0.7)
    weights = weigh(
        history,
        setting.catalog,
        region.policy,
        region.hospitals,
        region.weight_overrides,
        region.bonuses,
    )
    if region.policy.auxiliary is not None:
        weights = with_types(weights, history, setting.groups, region)
    clock.start("judge", 0.85)
    judged = judge(history, setting, weights, codings_together(codings), books_of(setting))
    clock.stop()
    return judged


def measured_part(grouped: pl.DataFrame) -> pl.DataFrame:
    """Return of grouped history (:func:`fenzhi.pipeline.history.grouped_history`) what is measured, small."""
    fees = [name for name in FEES.values() if name in grouped.columns]
    return grouped.select("group_idx", "year", "fixmedins_code", "cost_fen", *fees, cs.starts_with(MARKS))


def require_new_quality(target: Path) -> None:
    """Raise :class:`OutputError` unless ``target`` is a new .xlsx file or a new folder."""
    if target.suffix:
        require_new_file(target, (".xlsx",))
    else:
        require_new_dir(target)


def write_quality(judged: Judged, setting: Setting, target: Path, lang: str = "zh") -> None:
    """Write the tables: a name that ends in .xlsx is one workbook, any other a new folder of CSV files."""
    require_new_quality(target)
    if target.suffix:
        from fenzhi.reports.build_book import write_quality_book

        with new_file(target) as aside:
            write_quality_book(aside, judged.figures, judged.tables, setting.catalog.meta.title, lang)
        return
    with new_dir(target) as aside:
        for name, frame in judged.tables.items():
            write_csv(frame, aside / f"{name}.csv")
