"""Choose a region's grassroots groups from its history: a report, and a catalogue with the flags set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from fenzhi.catalogs import (
    DipCatalog,
    DrgCatalog,
    load_catalog,
    make_catalog,
    save_catalog,
    with_tcm,
    with_weights,
)
from fenzhi.catalogs.dip import Beside
from fenzhi.catalogs.drg import make_drg_catalog, save_drg_catalog
from fenzhi.codes import read_table, require_columns
from fenzhi.errors import CatalogError, RegionError
from fenzhi.files import new_file, require_new_dir, require_new_file
from fenzhi.pipeline.ahead import ahead
from fenzhi.pipeline.history import history_reads, read_histories
from fenzhi.pipeline.setting import Clock, Progress, Setting, make_settings, silent
from fenzhi.pipeline.store import write_csv
from fenzhi.policy.grassroots import Grassroots
from fenzhi.region import Region, load_region
from fenzhi.weights.grassroots import choose_grassroots


@dataclass(frozen=True)
class Selection:
    """What was chosen: the report (columns of ``weights.grassroots.REPORT``), the rules, and the region's catalogue."""

    report: pl.DataFrame
    rules: Grassroots
    catalog: DipCatalog | DrgCatalog


def _candidates(path: Path | None) -> list[str] | None:
    if path is None:
        return None
    table = read_table(path, CatalogError)
    require_columns(table, ("group_id",), path, CatalogError)
    blank = table["group_id"].is_null().arg_true()
    if blank.len():
        raise CatalogError(
            "the row has no group",
            code="CATALOG_BLANK",
            file=path,
            row=int(blank[0]) + 1,
            field="group_id",
            remedy="fill the cell or remove the row",
        )
    return table["group_id"].to_list()


def setting_on(region: Region, day: date | None) -> Setting:
    """Return the setting of a day of the year."""
    settings = make_settings(region)
    if day is None:
        return settings[-1]
    for setting in settings:
        if setting.period.first <= day <= setting.period.last:
            return setting
    raise RegionError(
        f"this day does not lie in the region's year {region.meta.year}",
        code="REGION_DAY",
        field="on",
        value=day,
        remedy="give a day of the year",
    )


def select_grassroots(
    folder: Path, candidates: Path | None = None, *, day: date | None = None, progress: Progress = silent
) -> Selection:
    """Measure the history of a region and choose its grassroots groups; writes nothing.

    ``candidates``: a CSV with the column group_id; without it every group of the catalogue is a candidate.
    ``day``: whose rules hold, where policy or catalogue change within the year; the last day without it.
    """
    clock = Clock(progress)
    clock.start("read region", 0.0)
    named = _candidates(candidates)
    region = load_region(folder)
    setting = setting_on(region, day)
    region = setting.region
    [history] = read_histories([setting], clock, ahead(history_reads([setting])))
    clock.start("measure weights", 0.9)
    report = choose_grassroots(history.measured, setting.catalog, region.policy, region.hospitals, named)
    clock.stop()
    assert region.policy.grassroots is not None
    # The catalogue as it lies on disk, without the region's own table of operations.
    catalog = load_catalog(region.catalog, near=region.folder)
    return Selection(report, region.policy.grassroots, catalog)


def flagged(catalog: DipCatalog | DrgCatalog, chosen: list[str]) -> DipCatalog | DrgCatalog:
    """Return the catalogue with exactly the chosen groups flagged as grassroots groups."""
    if isinstance(catalog, DrgCatalog):
        flags = pl.col("drg").is_in(chosen).alias("grassroots")
        return make_drg_catalog(
            catalog.meta, {**catalog.tables, "drg": catalog.tables["drg"].with_columns(flags)}
        )
    made = make_catalog(
        catalog.meta,
        catalog.groups.with_columns(pl.col("group_id").is_in(chosen).alias("grassroots")),
        code_sets=catalog.code_sets,
        exclusions=catalog.exclusions,
        operations=catalog.operations,
    )
    return with_tcm(with_weights(made, catalog.weights), catalog.tcm)


def require_new(report: Path, catalog: Path | None) -> None:
    """Raise :class:`OutputError` if the report is no new .csv file or the catalogue's folder holds anything."""
    require_new_file(report, (".csv",))
    if catalog is not None:
        require_new_dir(catalog)


def write_selection(selection: Selection, report: Path, catalog: Path | None = None) -> None:
    """Write the report as a new CSV file (opens in Excel) and, if asked, a new catalogue folder with the flags set."""
    require_new(report, catalog)
    if catalog is not None:
        made = flagged(selection.catalog, selection.report.filter("selected")["group_id"].to_list())
        if isinstance(made, DrgCatalog):
            save_drg_catalog(made, catalog)
        else:
            save_catalog(made, catalog, Beside.read(selection.catalog.path).render(made))
    with new_file(report) as aside:
        write_csv(selection.report, aside)
