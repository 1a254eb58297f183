"""Look before you run: settings, policy, catalogue, budget and the quality of records, without computing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from fenzhi.budget import budget_table
from fenzhi.catalogs import DrgCatalog, check_catalog
from fenzhi.catalogs.drg import check_drg_catalog
from fenzhi.files import new_file, require_new_file
from fenzhi.pipeline.history import history_years
from fenzhi.pipeline.setting import Setting, known_codes, make_settings, unmapped_notices
from fenzhi.pipeline.store import write_csv
from fenzhi.policy.check import check_pack
from fenzhi.policy.validity import validity_errors
from fenzhi.records import StaysRead, load_columns, read_stays, rule_message
from fenzhi.region import Region, load_region
from fenzhi.region.periods import period_of
from fenzhi.region.pools import gaps, overlaps
from fenzhi.region.scope import pool_of


@dataclass(frozen=True)
class Checked:
    """What was found. ``rules``: rule, severity, rows, Chinese and English meaning. ``found``: one row per finding.

    ``budget``: the columns of ``results.BUDGET``; None for records without a region.
    """

    notices: tuple[str, ...]
    findings: tuple[str, ...]
    rules: tuple[tuple[str, str, int, str, str], ...]
    rows: int
    accepted: int
    rejected: int
    netted: int
    found: pl.DataFrame
    budget: pl.DataFrame | None = None


def _checked(read: StaysRead, findings: tuple[str, ...], budget: pl.DataFrame | None = None) -> Checked:
    counts = (
        read.summary.group_by("rule", "severity")
        .agg(pl.col("rows").sum())
        .sort("severity", "rows", "rule", descending=[False, True, False])
    )
    rules = tuple(
        (rule, severity, n, rule_message(rule, "zh"), rule_message(rule, "en"))
        for rule, severity, n in counts.iter_rows()
    )
    found = pl.concat([read.rejected, read.warnings]).sort("row_idx", maintain_order=True).drop("row_idx")
    return Checked(
        read.notices,
        findings,
        rules,
        read.rows_in,
        read.stays.height,
        read.rejected_rows,
        read.netted.height,
        found,
        budget,
    )


def check_records(source: Path, columns: Path | None = None) -> Checked:
    """Check a file or folder of records against the rules of quality control."""
    return _checked(read_stays(source, columns=None if columns is None else load_columns(columns)), ())


def _policy_findings(region: Region) -> tuple[str, ...]:
    """Return what is to be said of the region's packs, which could be loaded."""
    found = []
    year, meta = region.meta.year, region.policy.meta
    days = date(year, 1, 1), date(year, 12, 31)
    if not region.meta.policies and validity_errors([region.policy], *days):
        found.append(
            f"warning: [POLICY_DATES] the policy {meta.id} holds from {meta.valid_from or 'ever'} "
            f"to {meta.valid_to or 'now'}, the year is {year}"
        )
    for name in region.meta.packs():
        for finding in check_pack(name, near=region.folder)[0]:
            if finding.severity == "warning":
                error = finding.error
                found.append(f"warning: [{error.code}] {error.message} ({error.where()})")
    return tuple(dict.fromkeys(found))


def _stays_of_rules(stays: pl.DataFrame, settings: Sequence[Setting]) -> tuple[str, ...]:
    """Say how many stays of the year each of several packs or catalogues has, by the day of discharge."""
    if len(settings) < 2:
        return ()
    periods = [setting.period for setting in settings]
    of_year = stays.filter(pl.col("dscg_time").dt.year() == periods[0].first.year)
    counts = dict(period_of(of_year, periods).value_counts().iter_rows())
    held = (
        f"{one.region.policy.meta.id} / {one.catalog.meta.id} ({one.period.first} – {one.period.last}): "
        f"{counts.get(at, 0)}"
        for at, one in enumerate(settings)
    )
    return (f"note: [POLICY_STAYS] stays by policy and catalogue: {', '.join(held)}",)


def _pool_findings(stays: pl.DataFrame, region: Region) -> tuple[str, ...]:
    """Say which pools overlap, and which insured areas of the year's stays no pool takes."""
    of_year = stays.filter(pl.col("dscg_time").dt.year() == region.meta.year)
    placed = of_year.with_columns(pool_of(of_year, region.pools, region.meta.area).alias("pool"))
    return (
        *(f"warning: [POOL_OVERLAP] {text}" for text in overlaps(region.pools, region.meta.area)),
        *(
            f"{'warning' if listed else 'note'}: [POOL_GAP] {text}"
            for listed, text in gaps(placed, region.pools)
        ),
    )


def check_region(folder: Path) -> Checked:
    """Check a region's folder. Raises the error that a run would end with; warnings are returned."""
    region = load_region(folder)
    settings = make_settings(region)
    setting = settings[0]
    catalogs = {one.catalog.meta.id: one.catalog for one in settings}
    findings = tuple(
        f"{finding.severity}: [{finding.code}] {finding.message}"
        for catalog in catalogs.values()
        for finding in (
            check_drg_catalog(catalog) if isinstance(catalog, DrgCatalog) else check_catalog(catalog)
        )
    )
    findings = (*_policy_findings(region), *findings)
    classes = region.hospitals.group_by("level", "type").len().sort("level", "type")
    named = ", ".join(f"{level or '-'} {kind or '-'} ({n})" for level, kind, n in classes.iter_rows())
    findings = (*findings, f"note: [HOSPITAL_CLASSES] hospitals by level and type: {named}")
    history = history_years(region)
    for name in region.meta.history:
        old = read_stays(
            region.path(name),
            columns=setting.columns,
            quality=region.quality,
            known=known_codes(region),
            needs="weights",
        )
        years = old.stays["dscg_time"].dt.year()
        usable = int(years.is_in(history).fill_null(False).sum())
        text = f"{name}: {old.rows_in} rows, {old.rejected_rows} rejected, {usable} discharged in {history}"
        findings = (*findings, f"{'note' if usable else 'error'}: [HISTORY] {text}")
    read = read_stays(
        region.path(region.meta.records),
        columns=setting.columns,
        quality=region.quality,
        known=known_codes(region),
    )
    unmapped = tuple(f"warning: [CODES_UNMAPPED] {text}" for text in unmapped_notices(read.stays, setting))
    budget = budget_table(region.budget, [pool.id for pool in region.pools])
    return _checked(
        read,
        (*findings, *_pool_findings(read.stays, region), *_stays_of_rules(read.stays, settings), *unmapped),
        budget,
    )


def write_findings(checked: Checked, target: Path) -> None:
    """Write every finding to a new CSV file (UTF-8 with mark, opens in Excel); formulas are neutralised."""
    require_new_file(target, (".csv",))
    with new_file(target) as aside:
        write_csv(checked.found, aside)
