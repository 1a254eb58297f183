"""Whole results to take away: workbook, pages, stays; of the chosen hospital only, or of the region."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import FenzhiError, InputError
from fenzhi.pipeline.store import write_csv
from fenzhi.reports.facts import HOSPITAL
from fenzhi.reports.hospital_book import write_hospital_book
from fenzhi.reports.pages import Pages
from fenzhi.reports.workbook import write_workbook
from fenzhi.server.export import KINDS
from fenzhi.server.section import Section
from fenzhi.server.year import Year

#: File -> key of its name. ``cases.csv`` is of one hospital: a region's stays are in the run's own table.
OF_HOSPITAL = {
    "workbook.xlsx": "export_workbook",
    "year.html": "export_year",
    "months.html": "export_months",
    "confirm.html": "export_confirm",
    "cases.csv": "export_cases",
}
OF_REGION = {"workbook.xlsx": "export_workbook"}


def export_page(year: Year, _code: str | None) -> Section:
    """Return the part that lists what can be taken away."""
    return Section("export", year.words("export_lead"))


def listed(year: Year, code: str | None) -> dict[str, Any]:
    """Return what the template ``export.html`` shows: the whole results as (file, name), and the parts with theirs."""
    from fenzhi.server.parts import PARTS

    files = OF_REGION if code is None else OF_HOSPITAL
    shown = [name for name, part in PARTS.items() if part.more is None and (code or part.of_region)]
    sections = []
    for name in shown:
        # A part that cannot be shown says why on its own page.
        with suppress(FenzhiError):
            sections.append((name, PARTS[name].of(year, code)))
    return {"files": [(file, year.words(key)) for file, key in files.items()], "sections": sections}


def whole_file(year: Year, code: str | None, file: str) -> tuple[bytes, str, str]:
    """Return content, name and kind of a file. Raises :class:`InputError` for one that there is not."""
    if file not in (OF_REGION if code is None else OF_HOSPITAL):
        raise InputError(
            "there is no such file to take away",
            code="SERVE_EXPORT",
            field="file",
            value=file,
            remedy="use the links of the part Export",
        )
    ending = file.rsplit(".", 1)[1]
    kind = KINDS.get(ending, "text/html; charset=utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        _write(year, code, path)
        return path.read_bytes(), file if code is None else f"{code}-{file}", kind


def _write(year: Year, code: str | None, path: Path) -> None:
    tables, lang = year.tables, year.words.lang
    if code is None:
        write_workbook(path, tables, lang)
    elif path.name == "workbook.xlsx":
        write_hospital_book(path, tables, year.hospital(code), lang)
    elif path.name == "cases.csv":
        write_csv(tables.cases.filter(pl.col(HOSPITAL) == code).collect(), path)
    else:
        pages = Pages(tables, year.bands(), lang, linked=False)
        path.write_text(pages.page(year.hospital(code), path.stem), encoding="utf-8")
