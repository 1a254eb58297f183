"""``fenzhi catalog import --kind dip`` and the export of DIP catalogues: workbooks in, a folder out, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs import DipCatalog, Finding, check_catalog, load_dip_catalog
from fenzhi.catalogs.dip import Beside, Entry, LocalLayout, SheetCount, Sources, read_dip, read_layout
from fenzhi.catalogs.dip.export import write_dip_workbook
from fenzhi.catalogs.dip.report import SCHEMA
from fenzhi.catalogs.load import render_catalog
from fenzhi.errors import CatalogError
from fenzhi.files import new_dir, new_file, require_new_dir, require_new_file
from fenzhi.pipeline.store import write_csv

SOURCES = (".xlsx", ".csv", ".csv.gz")


@dataclass(frozen=True)
class DipImport:
    """What is imported from where. ``tables``: files by role (operations, ...); ``layout``: a mapping file."""

    workbooks: tuple[Path, ...]
    tables: Mapping[str, Path]
    layout: Path | None = None
    given: Mapping[str, Any] | None = None
    skip_bad: bool = False


@dataclass(frozen=True)
class ImportedDip:
    """The catalogue, the rows of each sheet by what became of them, the report, and what the check says."""

    catalog: DipCatalog
    sheets: tuple[SheetCount, ...]
    entries: tuple[Entry, ...]
    findings: tuple[Finding, ...]


def _files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the files; of a folder all its workbooks and tables."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(
                one for one in path.iterdir() if one.name.endswith(SOURCES) and one.name[:1] not in ".~"
            )
        else:
            found.append(path)
    if not found:
        raise CatalogError(
            "the folder holds no workbook and no table",
            code="CATALOG_MISSING",
            file=paths[0],
            remedy="give .xlsx workbooks or .csv tables",
        )
    return tuple(found)


def _report(frame: pl.DataFrame, findings: Sequence[Finding]) -> pl.DataFrame:
    """Return the report of the import with what the check of the catalogue adds."""
    rows = [
        (
            one.severity,
            one.code,
            one.file,
            "",
            one.row,
            one.field or "",
            "",
            one.value or "",
            one.message,
            one.remedy,
        )
        for one in findings
    ]
    return pl.concat([frame, pl.DataFrame(rows, schema=SCHEMA, orient="row")])


def import_dip(job: DipImport, target: Path, report: Path | None = None, lang: str = "zh") -> ImportedDip:
    """Import a DIP scheme into the new folder ``target``; ``report``: a new CSV file for every row not understood.

    With rows that were not understood nothing but the report is written and :class:`CatalogError` CATALOG_IMPORT is
    raised, unless ``skip_bad``: then the rest is kept. Raises CATALOG_EMPTY if no group is left.
    """
    require_new_dir(target)
    if report is not None:
        require_new_file(report, (".csv",))
    layout = LocalLayout() if job.layout is None else read_layout(job.layout)
    read = read_dip(Sources(_files(job.workbooks), job.tables, layout, job.given or {}))
    sheets = read.report.counts()
    findings = () if read.catalog is None else tuple(check_catalog(read.catalog))
    if report is not None:
        with new_file(report) as aside:
            write_csv(_report(read.report.frame(lang), findings), aside)
    errors = read.report.errors
    if errors and not job.skip_bad:
        _refuse(errors, sum(one.reported for one in sheets), report, lang)
    if read.catalog is None:
        raise CatalogError(
            "no group was found in the workbooks",
            code="CATALOG_EMPTY",
            file=job.workbooks[0],
            remedy="docs/reference/dip-workbook.md shows the sheets; a mapping file says what yours are",
        )
    with new_dir(target) as aside:
        for name, data in {**render_catalog(read.catalog), **read.beside.render(read.catalog)}.items():
            (aside / name).write_bytes(data)
        # The folder must load: what was read is what will be grouped by.
        load_dip_catalog(aside)
    return ImportedDip(read.catalog, sheets, tuple(read.report.entries), findings)


def _refuse(errors: Sequence[Entry], rows: int, report: Path | None, lang: str) -> None:
    first = errors[0]
    values = dict(zip(SCHEMA, first.row(lang), strict=True))
    more = f"{rows} rows and {sum(not one.place.number for one in errors)} sheets or columns"
    written = f"all are in {report}; " if report is not None else "--report FILE.csv lists all; "
    raise CatalogError(
        f"nothing is written: {more} were not understood. The first: {values['why']} ({values['to_do']})",
        code="CATALOG_IMPORT",
        file=f"{first.place.file}, sheet {first.place.sheet}{', cell ' if values['cell'] else ''}{values['cell']}",
        row=first.place.number or None,
        field=first.column or None,
        value=first.value or None,
        remedy=f"{written}correct the workbook, or keep the rest with --skip-bad",
    )


def export_dip(catalog: DipCatalog, target: Path) -> None:
    """Write a DIP catalogue as a new .xlsx workbook in the official layout; the import reads it back as it was."""
    write_dip_workbook(catalog, Beside.read(catalog.path), target)
