"""Make, read and write DRG catalogues: the same bytes for the same content.

A folder holds ``catalog.toml`` and a file ``<table>.csv`` for every table of ``models.TABLES``; those of
:data:`OPTIONAL_TABLES` may be absent. Every cell is read as text; see docs/reference/drg-catalog.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from fenzhi.catalogs.drg.check import require_sound
from fenzhi.catalogs.drg.models import CODES, TABLES, DrgCatalog, DrgMeta, Source
from fenzhi.catalogs.metafile import TOML, make_meta, read_sections, render_section, require_sections
from fenzhi.catalogs.tcm import render_tcm
from fenzhi.codes import read_table
from fenzhi.errors import CatalogError
from fenzhi.files import new_dir
from fenzhi.shipped import shipped_dir

OPTIONAL_TABLES = ("icd10", "icd9cm3", "weights")
# Columns that may be absent: without them nothing could be grouped otherwise than the table says.
OPTIONAL_COLUMNS: dict[str, tuple[str, ...]] = {
    "mdc": ("qy_rule", "qy_after_n_adrg"),
    "mdc_dx": ("trauma_site",),
    "adrg": ("alt", "type", "qy_side"),
    "adrg_condition": ("alt", "mdc", "eval_order", "term", "arg2"),
    "code_list": ("pos", "tag"),
    "drg": ("alt", "grassroots"),
    "valid_procedure": ("name",),
    "icd10": ("name", "map_to"),
    "icd9cm3": ("name", "map_to"),
}
# A frame may carry this column: the data row of its file or sheet that each of its rows comes from.
SOURCE_ROW = "source_row"
REMEDY = "docs/reference/drg-catalog.md lists the keys of catalog.toml, the tables and their columns"
TRUE, FALSE = ("true", "1", "是"), ("false", "0", "否")
# The second letter of an ADRG says what treats its stays.
_TYPES = {
    **dict.fromkeys("ABCDEFGHIJ", "surgical"),
    **dict.fromkeys("KLMNOPQ", "procedure"),
    **dict.fromkeys("RSTUVWXYZ", "medical"),
}


def drg_catalogs_dir() -> Path:
    """Return the folder of the DRG catalogues that come with fenzhi."""
    return shipped_dir() / "drg"


def _require_columns(name: str, frame: pl.DataFrame, file: str) -> None:
    known = TABLES[name]
    for column in known:
        if column not in frame.columns and column not in OPTIONAL_COLUMNS.get(name, ()):
            raise CatalogError(
                f"the column {column} is missing",
                code="TABLE_COLUMN",
                file=file,
                field=column,
                remedy=f"the header must contain: {', '.join(known)}",
            )
    for column in frame.columns:
        if column not in known and column != SOURCE_ROW:
            raise CatalogError(
                f"the column {column} is unknown",
                code="CATALOG_COLUMN",
                file=file,
                field=column,
                remedy=f"remove it or use one of: {', '.join(known)}",
            )


def _typed(name: str, frame: pl.DataFrame, file: str, exact: bool) -> pl.DataFrame:
    """Return a table with all columns of the model in their types; blanks around cells dropped, empty is null.

    ``exact``: codes keep their blanks, because a code with a blank is another code.
    """
    columns = []
    for column, dtype in TABLES[name].items():
        if column not in frame.columns:
            columns.append(pl.lit(None, dtype).alias(column))
            continue
        text = pl.col(column).cast(pl.String).str.strip_chars()
        value: pl.Expr
        if dtype == pl.Boolean():
            word = text.str.to_lowercase()
            value = pl.when(word.is_in(TRUE)).then(True).when(word.is_in(FALSE)).then(False)
        elif dtype == pl.String():
            kept = pl.col(column).cast(pl.String) if exact and column in CODES.get(name, ()) else text
            value = pl.when(text != "").then(kept)
        else:
            value = text.cast(dtype, strict=False)
        columns.append(value.alias(column))
    typed = frame.select(columns)
    for column, dtype in TABLES[name].items():
        if dtype == pl.String() or column not in frame.columns:
            continue
        text_cells = frame[column].cast(pl.String).str.strip_chars()
        bad = (typed[column].is_null() & text_cells.is_not_null() & (text_cells != "")).arg_true()
        if len(bad):
            row = int(bad[0])
            raise CatalogError(
                f"{column} is not {'true or false' if dtype == pl.Boolean() else 'a whole number'}",
                code="CATALOG_VALUE",
                file=file,
                row=int(frame[SOURCE_ROW][row]) if SOURCE_ROW in frame.columns else row + 1,
                field=column,
                value=text_cells[row],
                remedy="correct the cell",
            )
    return typed


def _filled(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Say what an empty cell stands for where the tables leave it to the reader."""
    if name == "mdc":
        return frame.with_columns(pl.col("qy_rule").fill_null("off"))
    if name in ("adrg", "adrg_condition", "drg"):
        frame = frame.with_columns(pl.col("alt").fill_null(1))
    if name == "adrg":
        second = pl.col("adrg").str.slice(1, 1).replace_strict(_TYPES, default=None, return_dtype=pl.String)
        frame = frame.with_columns(pl.col("type").fill_null(second))
    return frame


def _sorted(name: str, frame: pl.DataFrame, chapters: pl.DataFrame) -> pl.DataFrame:
    """Sort the tables that are tried in an order; rows that nothing tells apart keep theirs."""
    keys = {
        "mdc": ["eval_order"],
        "adrg_condition": ["adrg", "alt", "term"],
        "drg": ["adrg", "alt", "test_order"],
    }
    if name == "adrg":
        place = chapters.select("mdc", pl.col("eval_order").alias("_chapter")).unique("mdc", keep="first")
        return (
            frame.join(place, on="mdc", how="left", maintain_order="left")
            .sort("_chapter", "mdc", "eval_order", maintain_order=True, nulls_last=True)
            .drop("_chapter")
        )
    return frame.sort(keys[name], maintain_order=True, nulls_last=True) if name in keys else frame


def make_drg_catalog(
    meta: DrgMeta, tables: Mapping[str, pl.DataFrame], files: Mapping[str, str] | None = None
) -> DrgCatalog:
    """Return a catalogue of ``tables`` (by their names in ``models.TABLES``), with its digest; not checked.

    Cells may be text or typed; blanks around them are dropped, but not around codes that are compared exactly.
    Columns of :data:`OPTIONAL_COLUMNS` and tables of :data:`OPTIONAL_TABLES` may be absent. An empty ``alt`` is 1, an
    empty ``type`` that of the ADRG's second letter, an empty ``qy_rule`` off. ``files``: table -> file or
    sheet it was read from; a column ``source_row`` in a frame tells the row there, else rows count from 1.
    Raises :class:`CatalogError` for a table or column that is missing or unknown and for a cell of another type.
    """
    files = files or {}
    for name in tables:
        if name not in TABLES:
            raise CatalogError(
                f"the table {name} is unknown",
                code="CATALOG_COLUMN",
                value=name,
                remedy=f"the tables of a DRG catalogue are: {', '.join(TABLES)}",
            )
    made: dict[str, pl.DataFrame] = {}
    sources: dict[str, Source] = {}
    for name, schema in TABLES.items():
        file = files.get(name, f"{name}.csv")
        if name not in tables:
            if name not in OPTIONAL_TABLES:
                raise CatalogError(
                    f"the table {name} is missing",
                    code="TABLE_MISSING",
                    file=file,
                    remedy=f"give all of: {', '.join(t for t in TABLES if t not in OPTIONAL_TABLES)}",
                )
            made[name] = pl.DataFrame(schema=schema)
            sources[name] = Source(file, pl.Series(SOURCE_ROW, [], dtype=pl.Int64))
            continue
        given = tables[name]
        _require_columns(name, given, file)
        rows = (
            given[SOURCE_ROW]
            if SOURCE_ROW in given.columns
            else pl.int_range(1, given.height + 1, eager=True)
        )
        frame = _filled(name, _typed(name, given, file, meta.code_match == "exact")).with_columns(
            rows.cast(pl.Int64).alias(SOURCE_ROW)
        )
        frame = _sorted(name, frame, made.get("mdc", frame))
        made[name] = frame.drop(SOURCE_ROW)
        sources[name] = Source(file, frame[SOURCE_ROW])
    catalog = DrgCatalog(meta, made, None, "", sources)
    content = hashlib.sha256()
    for file, data in render_drg_catalog(catalog).items():
        content.update(f"{file} {len(data)}\n".encode() + data)
    return replace(catalog, digest=content.hexdigest())


def table_file(folder: Path, name: str) -> Path:
    """Return the file of a table in ``folder``: ``<name>.csv``, or ``<name>.csv.gz`` if only that is there."""
    plain, packed = folder / f"{name}.csv", folder / f"{name}.csv.gz"
    return packed if packed.exists() and not plain.exists() else plain


def load_drg_catalog(folder: Path) -> DrgCatalog:
    """Load a DRG catalogue from its folder.

    Raises :class:`CatalogError` naming file, row, field, value and remedy: for a missing file or column, and
    for the first error that ``check_drg_catalog`` finds.
    """
    data = read_sections(folder / TOML)
    require_sections(data, ("catalog",), folder / TOML, REMEDY)
    meta = make_meta(DrgMeta, data.get("catalog", {}), folder / TOML, REMEDY)
    paths = {name: table_file(folder, name) for name in TABLES}
    paths = {name: path for name, path in paths.items() if name not in OPTIONAL_TABLES or path.exists()}
    tables = {name: read_table(path, CatalogError, as_written=True) for name, path in paths.items()}
    made = make_drg_catalog(meta, tables, {name: str(path) for name, path in paths.items()})
    catalog = replace(made, path=folder)
    require_sound(catalog)
    return catalog


def render_drg_catalog(catalog: DrgCatalog) -> dict[str, bytes]:
    """Return file name -> content (UTF-8, ``\\n``) as ``save_drg_catalog`` writes them."""
    keys = {name: getattr(catalog.meta, name) for name in DrgMeta.model_fields}
    files = {TOML: ("\n".join(render_section("catalog", keys)) + "\n").encode()}
    for name in TABLES:
        frame = catalog.tables[name]
        if frame.height or name not in OPTIONAL_TABLES:
            files[f"{name}.csv"] = frame.write_csv(line_terminator="\n").encode()
    return files


def save_drg_catalog(catalog: DrgCatalog, folder: Path) -> None:
    """Write a catalogue into a new (or empty) folder; loading it gives an equal catalogue.

    Raises :class:`OutputError` if the folder holds anything, and :class:`CatalogError` if the catalogue has
    errors: then nothing is written.
    """
    require_sound(catalog)
    with new_dir(folder) as aside:
        for name, data in {**render_drg_catalog(catalog), **render_tcm(catalog.tcm)}.items():
            (aside / name).write_bytes(data)
