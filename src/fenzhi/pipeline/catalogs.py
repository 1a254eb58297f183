"""The verbs of ``fenzhi catalog``: import, export, show, diff and check catalogues of both schemes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs import DipCatalog, DrgCatalog, DrgMeta, Finding, check_catalog, load_catalog
from fenzhi.catalogs.diff import Diff, with_names
from fenzhi.catalogs.diff_dip import diff_dip
from fenzhi.catalogs.drg import (
    Summary,
    check_drg_catalog,
    describe,
    import_tables,
    make_drg_catalog,
    require_sound,
    save_drg_catalog,
)
from fenzhi.catalogs.drg.diff import diff_drg
from fenzhi.catalogs.drg.export import write_workbook
from fenzhi.catalogs.drg.load import REMEDY
from fenzhi.catalogs.drg.show import show_drg
from fenzhi.catalogs.drg.workbook import read_workbook
from fenzhi.catalogs.metafile import make_meta
from fenzhi.catalogs.rounds import read_round, round_changes, round_names
from fenzhi.catalogs.show import Section, show_dip
from fenzhi.errors import CatalogError
from fenzhi.files import new_file, require_new_file
from fenzhi.pipeline.import_dip import export_dip
from fenzhi.pipeline.store import write_csv

FINDINGS = pl.Schema(
    {field.name: pl.Int64() if field.name == "row" else pl.String() for field in fields(Finding)}
)


@dataclass(frozen=True)
class Imported:
    """A catalogue that was imported, its sizes, everything found in it, and what was left out."""

    catalog: DrgCatalog
    summary: Summary
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._") or "imported"


def _import_workbook(src: Path, given: dict[str, Any]) -> tuple[DrgCatalog, tuple[str, ...]]:
    book = read_workbook(src)
    known: dict[str, Any] = {
        "id": _slug(src.stem),
        "title": src.stem,
        "version": src.stem,
        "kind": "imported",
        **{key: value for key, value in book.meta.items() if value},
        **given,
    }
    meta = make_meta(DrgMeta, known, src, REMEDY)
    catalog = make_drg_catalog(meta, book.tables, book.files)
    require_sound(catalog)
    return catalog, book.left_out


def import_catalog(
    src: Path, target: Path, given: dict[str, Any] | None = None, report: Path | None = None
) -> Imported:
    """Import a DRG catalogue from a folder of tables or an .xlsx workbook into a new folder.

    ``given``: fields of :class:`DrgMeta` (id, title, version, translate_codes) that count before what ``src``
    says; None is not given. ``report``: a new CSV file for all findings. Raises :class:`CatalogError` for the
    first error, then nothing is written; :class:`OutputError` if the folder or the report exists.
    """
    if report is not None:
        require_new_file(report, (".csv",))
    said = {key: value for key, value in (given or {}).items() if value is not None}
    if src.is_file():
        catalog, left_out = _import_workbook(src, said)
    else:
        catalog = import_tables(src, **said)
        remarks = (part.removeprefix("remarks: ") for part in catalog.meta.note.split("; "))
        left_out = tuple(part for part in remarks if part.endswith("left out") or "columns not used" in part)
    findings = tuple(check_drg_catalog(catalog))
    save_drg_catalog(catalog, target)
    if report is not None:
        write_findings(findings, report)
    return Imported(catalog, describe(catalog), findings, left_out)


def check(name: str | Path) -> tuple[DipCatalog | DrgCatalog, list[Finding]]:
    """Load a catalogue of either scheme and return it with everything found in it."""
    catalog = load_catalog(name)
    return catalog, check_drg_catalog(catalog) if isinstance(catalog, DrgCatalog) else check_catalog(catalog)


def grouped_findings(findings: Sequence[Finding]) -> list[tuple[str, str, int, str]]:
    """Return severity, code, how many and the first message of each kind of finding, in the order found."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for one in findings:
        kinds.setdefault((one.severity, one.code), []).append(one.message)
    return [(severity, code, len(said), said[0]) for (severity, code), said in kinds.items()]


def write_findings(findings: Sequence[Finding], path: Path) -> None:
    """Write all findings to a new CSV file (UTF-8 with mark, opens in Excel); formulas are neutralised."""
    require_new_file(path, (".csv",))
    with new_file(path) as aside:
        write_csv(pl.DataFrame([asdict(one) for one in findings], schema=FINDINGS), aside)


def show(name: str | Path, code: str | None, lang: str) -> list[Section]:
    """Return the summary of a catalogue, or what it says of a code, as tables of text."""
    catalog = load_catalog(name)
    return show_drg(catalog, code, lang) if isinstance(catalog, DrgCatalog) else show_dip(catalog, code, lang)


def diff(before: str | Path, after: str | Path, target: Path | None = None) -> Diff:
    """Compare two catalogues of one scheme, and the rounds of negotiation beside them; ``target``: a new CSV file.

    Raises :class:`CatalogError` (CATALOG_SCHEME) for a DIP catalogue against a DRG one.
    """
    if target is not None:
        require_new_file(target, (".csv",))
    one, other = load_catalog(before), load_catalog(after)
    if isinstance(one, DrgCatalog) and isinstance(other, DrgCatalog):
        found = diff_drg(one, other)
    elif isinstance(one, DipCatalog) and isinstance(other, DipCatalog):
        found = diff_dip(one, other)
    else:
        raise CatalogError(
            f"a {one.meta.scheme.upper()} catalogue cannot be compared with a {other.meta.scheme.upper()} catalogue",
            code="CATALOG_SCHEME",
            value=str(after),
            remedy="name two catalogues of the same scheme",
        )
    rounds = read_round(one.path), read_round(other.path)
    negotiated = round_changes(*rounds)
    if negotiated:
        more = with_names(pl.concat(negotiated), round_names(rounds))
        found = Diff(found.scheme, pl.concat([found.changes, more]))
    if target is not None:
        with new_file(target) as aside:
            write_csv(found.changes, aside)
    return found


def export(name: str | Path, target: Path) -> DipCatalog | DrgCatalog:
    """Write a catalogue of either scheme as a new .xlsx workbook that the import reads back."""
    require_new_file(target, (".xlsx",))
    catalog = load_catalog(name)
    if isinstance(catalog, DrgCatalog):
        write_workbook(catalog, target)
    else:
        export_dip(catalog, target)
    return catalog
