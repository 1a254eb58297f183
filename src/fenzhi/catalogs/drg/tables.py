"""Import the table form of a DRG version: a folder of CSV files and ``version.csv``, as published or exported.

The tables are those of a catalogue; what differs is that switches stand in ``version.csv``, that a weight's
code may be called ``drg_code``, and that remarks may stand in further columns. See docs/reference/drg-catalog.md.
"""

from __future__ import annotations

import hashlib
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.drg.check import require_sound
from fenzhi.catalogs.drg.load import OPTIONAL_COLUMNS, OPTIONAL_TABLES, REMEDY, make_drg_catalog, table_file
from fenzhi.catalogs.drg.models import TABLES, DrgCatalog, DrgMeta
from fenzhi.catalogs.metafile import make_meta
from fenzhi.codes import read_table, require_columns
from fenzhi.errors import CatalogError

RETRY = "retry_each_other_procedure_when_0000"
# Cells without which a row of a code list says nothing: such rows are left out. Elsewhere a blank is an error.
_NEEDED = {
    "mdc_dx": ("code",),
    "code_list": ("code",),
    "cc": ("code",),
    "cc_exclusion": ("main_dx", "excl_table"),
    "valid_procedure": ("code",),
    "icd10": ("code",),
    "icd9cm3": ("code",),
}


def _remarks(name: str, table: pl.DataFrame, file: Path) -> tuple[pl.DataFrame, list[str]]:
    """Return the table without what is no part of the model, and what was left out, in words."""
    if name == "weights" and "drg" not in table.columns and "drg_code" in table.columns:
        table = table.rename({"drg_code": "drg"})
    left = []
    unknown = [column for column in table.columns if column not in TABLES[name]]
    # A column that is named almost like one that is missing is a misspelt name, and would change the grouping.
    absent = [c for c in OPTIONAL_COLUMNS.get(name, ()) if c not in table.columns]
    unused = [column for column in unknown if not get_close_matches(column, absent, 1)]
    if unused:
        table = table.drop(unused)
        left.append(f"{file.name}: columns not used: {', '.join(unused)}")
    table = table.with_columns(pl.int_range(1, pl.len() + 1).alias("source_row"))
    needed = _NEEDED.get(name, ())
    if needed and set(needed) <= set(table.columns):
        full = table.drop_nulls(needed)
        if full.height < table.height:
            left.append(
                f"{file.name}: {table.height - full.height} rows without {' or '.join(needed)} left out"
            )
        table = full
    return table, left


def read_table_form(src: Path) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    """Read the files of a version: tables by name (text, with ``source_row``), and the keys of ``version.csv``.

    Files may be ``.csv`` or ``.csv.gz``, UTF-8 or GB18030. Whatever is left out is said under the key
    ``remarks``. Raises :class:`CatalogError` for a folder or file that is missing or cannot be read.
    """
    if not src.is_dir():
        raise CatalogError(
            "there is no folder of this name",
            code="CATALOG_MISSING",
            file=src,
            remedy="give the folder that holds version.csv, mdc.csv, adrg.csv and the other tables",
        )
    file = table_file(src, "version")
    version = read_table(file, CatalogError)
    require_columns(version, ("key", "value"), file, CatalogError)
    keys = {key: value or "" for key, value in version.select("key", "value").iter_rows() if key}
    tables, left = {}, []
    for name in TABLES:
        path = table_file(src, name)
        if name not in OPTIONAL_TABLES or path.exists():
            tables[name], more = _remarks(name, read_table(path, CatalogError, as_written=True), path)
            left += more
    if left:
        keys["remarks"] = "; ".join([*([keys["remarks"]] if "remarks" in keys else []), *left])
    return tables, keys


def _id_of(version: str) -> str:
    """Return an id made from a version's name; a name with other letters keeps apart by a part of its hash."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", version.lower()).strip("-._")
    if version.isascii():
        return plain or "imported"
    mark = hashlib.sha256(version.encode()).hexdigest()[:6]
    return f"{plain or 'imported'}-{mark}"


def _switches(keys: dict[str, str], file: Path) -> dict[str, Any]:
    """Return the fields of :class:`DrgMeta` that ``version.csv`` sets."""
    version = keys.get("version", "")
    if not version:
        raise CatalogError(
            "the version has no name",
            code="CATALOG_BLANK",
            file=file,
            field="version",
            remedy="add a row with the key version",
        )
    retry = keys.get(RETRY, "").lower()
    if retry not in ("", "0", "1", "false", "true", "off", "on"):
        raise CatalogError(
            f"{RETRY} is neither 0 nor 1",
            code="CATALOG_VALUE",
            file=file,
            row=list(keys).index(RETRY) + 1,
            field=RETRY,
            value=keys[RETRY],
            remedy="1: a stay without group is tried again with each further operation",
        )
    remarks = [f"{key}: {value}" for key, value in keys.items() if key not in ("version", RETRY, "qy")]
    return {
        "id": _id_of(version),
        "title": f"CHS-DRG {version}",
        "version": version,
        "kind": "imported",
        "note": "; ".join(remarks),
        "retry_other_operations": retry in ("1", "true", "on"),
        "ambiguous": keys.get("qy", "").lower() != "off",
    }


def import_tables(src: Path, **given: Any) -> DrgCatalog:
    """Import a version in table form and check it: the folder is read, nothing is written.

    ``given``: fields of :class:`DrgMeta` (id, title, kind, valid_from, translate_codes ...) that count before
    what ``version.csv`` says; None leaves it to ``version.csv``. Raises :class:`CatalogError` with file, row,
    field, value and remedy for what cannot be read and for the first error that ``check_drg_catalog`` finds.
    """
    tables, keys = read_table_form(src)
    file = table_file(src, "version")
    fields = {**_switches(keys, file), **{name: value for name, value in given.items() if value is not None}}
    meta = make_meta(DrgMeta, fields, None, REMEDY)
    catalog = make_drg_catalog(meta, tables, {name: str(table_file(src, name)) for name in tables})
    require_sound(catalog)
    return catalog
