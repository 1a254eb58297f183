"""Read a catalogue from its folder; read and write DIP catalogues: the same bytes for the same content.

The folder of a DRG catalogue is read by :mod:`fenzhi.catalogs.drg.load`. That of a DIP catalogue holds
``catalog.toml`` (who it is for, layers, dialect), ``groups.csv`` and, if needed, ``code_sets.csv``,
``exclusions.csv``, ``operations.csv`` and ``weights.csv``. Every cell is read as text; see
docs/reference/dip-catalog.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.check import require_sound
from fenzhi.catalogs.dialect import Dialect, tidy_cells
from fenzhi.catalogs.drg import DrgCatalog, drg_catalogs_dir, load_drg_catalog
from fenzhi.catalogs.metafile import (
    TOML,
    make_meta,
    read_scheme,
    read_sections,
    render_section,
    require_sections,
)
from fenzhi.catalogs.models import (
    EXCLUSIONS_SCHEMA,
    GROUPS_SCHEMA,
    WEIGHTS_SCHEMA,
    CatalogMeta,
    DipCatalog,
    empty_exclusions,
)
from fenzhi.catalogs.tcm import read_tcm, render_tcm, with_tcm
from fenzhi.codes import OPERATIONS_SCHEMA, empty_operations, read_operations, read_table, require_columns
from fenzhi.errors import CatalogError
from fenzhi.files import new_dir
from fenzhi.shipped import shipped_dir

REQUIRED = ("group_id", "name", "layer", "main_diag", "treatment")
CELLS = ("main_diag", "main_oprn", "related_oprn", "other_diag", "any_diag")
NUMBERS = ("age_days_max", "birth_weight_min_g", "birth_weight_max_g")
WEIGHTS = "weights.csv"
TRUE, FALSE = ("true", "1", "是"), ("false", "0", "否")


def catalogs_dir() -> Path:
    """Return the folder of the DIP catalogues that come with fenzhi."""
    return shipped_dir() / "dip"


def find_catalog(name: str | Path, near: Path | None = None) -> Path:
    """Return the folder of a catalogue given as path (relative to ``near``) or as the id of a shipped one."""
    path = Path(name)
    shipped = [catalogs_dir(), drg_catalogs_dir()]
    for candidate in [*([] if near is None else [near / path]), path, *(home / path for home in shipped)]:
        if (candidate / TOML).is_file():
            return candidate
    known = ", ".join(sorted(p.parent.name for home in shipped for p in home.glob(f"*/{TOML}")))
    raise CatalogError(
        f"there is no catalogue {str(name)!r}: no folder of that name holds a {TOML}",
        code="CATALOG_MISSING",
        file=path,
        remedy=f"give the folder of a catalogue or one of: {known}",
    )


def compares_exactly(name: str | Path, near: Path | None = None) -> bool:
    """Tell whether a catalogue compares codes exactly as they are written, by its ``catalog.toml`` alone."""
    section = read_sections(find_catalog(name, near) / TOML).get("catalog", {})
    return bool(section.get("scheme") == "drg" and section.get("code_match", "exact") == "exact")


def _read_meta(path: Path) -> CatalogMeta:
    remedy = "docs/reference/dip-catalog.md lists the keys of catalog.toml"
    data = read_sections(path)
    require_sections(data, ("catalog", "dialect"), path, remedy)
    dialect: dict[str, Any] = data.get("dialect", {})
    for key in dialect:
        if key not in ("form", "or", "and"):
            raise CatalogError(
                "this key is unknown",
                code="CATALOG_UNKNOWN_KEY",
                file=path,
                field=f"dialect.{key}",
                remedy=remedy,
            )
    try:
        signs = Dialect(
            dialect.get("form", "or_of_ands"), str(dialect.get("or", "|")), str(dialect.get("and", "+"))
        )
    except CatalogError as error:
        raise CatalogError(
            error.message,
            code=error.code,
            file=path,
            field=error.field,
            value=error.value,
            remedy=error.remedy,
        ) from error
    return make_meta(CatalogMeta, {**data.get("catalog", {}), "dialect": signs}, path, remedy)


def _read_frame(path: Path, required: tuple[str, ...], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Read a table whose columns are all known; absent optional columns become null. All String."""
    table = read_table(path, CatalogError)
    require_columns(table, required, path, CatalogError)
    for name in table.columns:
        if name not in schema:
            raise CatalogError(
                f"the column {name} is unknown",
                code="CATALOG_COLUMN",
                file=path,
                field=name,
                remedy=f"remove it or use one of: {', '.join(schema)}",
            )
    absent = [pl.lit(None, pl.String).alias(name) for name in schema if name not in table.columns]
    return table.with_columns(absent).select(list(schema))


def _read_groups(path: Path) -> pl.DataFrame:
    table = _read_frame(path, REQUIRED, GROUPS_SCHEMA)
    numbers = [pl.col(name).cast(pl.Int32, strict=False).alias(name) for name in NUMBERS]
    word = pl.col("grassroots").str.to_lowercase()
    flag = pl.when(word.is_in(TRUE)).then(True).when(word.is_in(FALSE)).then(False).alias("grassroots")
    typed = table.with_columns(*numbers, flag)
    for name, meaning in [*((n, "a whole number") for n in NUMBERS), ("grassroots", "true or false")]:
        bad = (table[name].is_not_null() & typed[name].is_null()).arg_true()
        if len(bad):
            row = int(bad[0])
            raise CatalogError(
                f"group {table['group_id'][row]}: {name} is not {meaning}",
                code="CATALOG_VALUE",
                file=path,
                row=row + 1,
                field=name,
                value=table[name][row],
                remedy="leave the cell empty if there is no condition",
            )
    return typed


def _read_sets(path: Path) -> dict[str, tuple[str, ...]]:
    table = _read_frame(path, ("set", "code"), {"set": pl.String(), "code": pl.String()})
    names, codes = tidy_cells(table["set"]).str.strip_prefix("@"), tidy_cells(table["code"])
    sets: dict[str, dict[str, None]] = {}
    for row, (name, code) in enumerate(zip(names, codes, strict=True), start=1):
        if not name or not code:
            raise CatalogError(
                f"the row has no {'code' if name else 'set'}",
                code="CATALOG_BLANK",
                file=path,
                row=row,
                field="code" if name else "set",
                remedy="fill the cell or remove the row",
            )
        sets.setdefault(name, {})[code] = None
    return {name: tuple(members) for name, members in sets.items()}


def make_catalog(
    meta: CatalogMeta,
    groups: pl.DataFrame,
    *,
    code_sets: Mapping[str, tuple[str, ...]] | None = None,
    exclusions: pl.DataFrame | None = None,
    operations: pl.DataFrame | None = None,
) -> DipCatalog:
    """Return a catalogue in one spelling, with its digest; ``path`` is None. It is not checked.

    ``groups`` and ``exclusions`` need the columns of their schema that are not empty, in any order; cells are
    normalised, blanks around names dropped, empty text becomes null, an absent ``grassroots`` False.
    ``operations`` has code, name, type.
    """

    def fit(frame: pl.DataFrame, schema: Mapping[str, pl.DataType], cells: tuple[str, ...]) -> pl.DataFrame:
        have = set(frame.columns)
        frame = frame.select(
            pl.col(name).cast(dtype) if name in have else pl.lit(None, dtype).alias(name)
            for name, dtype in schema.items()
        )
        text = pl.col(pl.String).str.strip_chars()
        frame = frame.with_columns(pl.when(text != "").then(text).name.keep())
        return frame.with_columns(tidy_cells(frame[name]).alias(name) for name in cells)

    catalog = DipCatalog(
        meta=meta,
        groups=fit(groups, GROUPS_SCHEMA, CELLS).with_columns(pl.col("grassroots").fill_null(False)),
        code_sets=dict(code_sets or {}),
        exclusions=fit(
            empty_exclusions() if exclusions is None else exclusions, EXCLUSIONS_SCHEMA, ("code", "within")
        ),
        operations=fit(
            empty_operations() if operations is None else operations, OPERATIONS_SCHEMA, ("code",)
        ),
        path=None,
        digest="",
    )
    content = hashlib.sha256()
    for name, data in render_catalog(catalog).items():
        content.update(f"{name} {len(data)}\n".encode() + data)
    return replace(catalog, digest=content.hexdigest())


def load_catalog(path_or_shipped_id: str | Path, near: Path | None = None) -> DipCatalog | DrgCatalog:
    """Load a catalogue from its folder (relative to ``near`` if given) or by the id of a shipped one.

    ``scheme`` in its ``catalog.toml`` says whether it is a DIP or a DRG catalogue. Raises
    :class:`CatalogError` naming file, row, field, value and remedy: for a missing file or column, and for the
    first error that the check of its scheme finds.
    """
    folder = find_catalog(path_or_shipped_id, near)
    if read_scheme(folder / TOML) == "drg":
        return with_tcm(load_drg_catalog(folder), read_tcm(folder))
    return _load_dip(folder)


def load_dip_catalog(path_or_shipped_id: str | Path, near: Path | None = None) -> DipCatalog:
    """Load a catalogue as :func:`load_catalog` does where only a DIP one will do; a DRG one is an error."""
    folder = find_catalog(path_or_shipped_id, near)
    if read_scheme(folder / TOML) == "drg":
        raise CatalogError(
            "a DIP catalogue is needed here, and this is a DRG catalogue",
            code="CATALOG_SCHEME",
            file=folder / TOML,
            field="catalog.scheme",
            value="drg",
            remedy="name a DIP catalogue",
        )
    return _load_dip(folder)


def _load_dip(folder: Path) -> DipCatalog:
    def optional(name: str) -> Path | None:
        return folder / name if (folder / name).exists() else None

    sets, exclusions = optional("code_sets.csv"), optional("exclusions.csv")
    operations = optional("operations.csv")
    catalog = make_catalog(
        _read_meta(folder / TOML),
        _read_groups(folder / "groups.csv"),
        code_sets=_read_sets(sets) if sets else None,
        exclusions=_read_frame(exclusions, ("kind", "code"), EXCLUSIONS_SCHEMA) if exclusions else None,
        operations=read_operations(operations, CatalogError) if operations else None,
    )
    catalog = replace(catalog, path=folder)
    require_sound(catalog)
    weights = optional(WEIGHTS)
    if weights:
        catalog = with_weights(catalog, _read_weights(weights), weights)
    return with_tcm(catalog, read_tcm(folder))


def _read_weights(path: Path) -> pl.DataFrame:
    table = read_table(path, CatalogError)
    require_columns(table, tuple(WEIGHTS_SCHEMA), path, CatalogError)
    return table.select(list(WEIGHTS_SCHEMA))


def with_weights(catalog: DipCatalog, weights: pl.DataFrame, path: Path | None = None) -> DipCatalog:
    """Return the catalogue with its own weights (:data:`WEIGHTS_SCHEMA`), its digest over them as well.

    Raises :class:`CatalogError` for a row without group, of a group that the catalogue does not have, or the second
    one of a group; ``path``: where they stand.
    """
    if weights.is_empty():
        return catalog
    ids = weights["group_id"]
    strange = ids.is_null() | ~ids.is_in(catalog.groups["group_id"].implode()) | ~ids.is_first_distinct()
    if strange.any():
        at = int(strange.arg_true()[0])
        twice = ids[at] is not None and ids[at] in ids[:at]
        raise CatalogError(
            "this group has two weights" if twice else "the catalogue has no such group",
            code="CATALOG_WEIGHT_GROUP",
            file=path,
            row=at + 1,
            field="group_id",
            value=ids[at],
            remedy="keep one row per group of groups.csv",
        )
    digest = hashlib.sha256(catalog.digest.encode() + _weights_file(weights))
    return replace(catalog, weights=weights, digest=digest.hexdigest())


def _weights_file(weights: pl.DataFrame) -> bytes:
    return weights.select(list(WEIGHTS_SCHEMA)).write_csv(line_terminator="\n").encode()


def render_catalog(catalog: DipCatalog) -> dict[str, bytes]:
    """Return file name -> content (UTF-8, ``\\n``) as ``save_catalog`` writes them, without empty tables."""
    dialect = catalog.meta.dialect
    keys = {name: getattr(catalog.meta, name) for name in CatalogMeta.model_fields if name != "dialect"}
    signs = {"form": dialect.form, "or": dialect.or_, "and": dialect.and_}
    lines = [*render_section("catalog", keys), "", *render_section("dialect", signs)]
    sets = [{"set": name, "code": code} for name, codes in catalog.code_sets.items() for code in codes]
    flag = pl.when(pl.col("grassroots")).then(pl.lit("true")).alias("grassroots")
    tables = {
        "groups.csv": catalog.groups.with_columns(flag),
        "code_sets.csv": pl.DataFrame(sets, schema={"set": pl.String(), "code": pl.String()}),
        "exclusions.csv": catalog.exclusions,
        "operations.csv": catalog.operations,
    }
    files = {TOML: ("\n".join(lines) + "\n").encode()}
    for name, frame in tables.items():
        if frame.height or name == "groups.csv":
            files[name] = frame.write_csv(line_terminator="\n").encode()
    return files


def save_catalog(catalog: DipCatalog, folder: Path, beside: Mapping[str, bytes] | None = None) -> None:
    """Write a catalogue into a new (or empty) folder; loading it gives an equal catalogue.

    ``beside``: further files, and such that say more than the catalogue's own of the same name.

    Raises :class:`OutputError` if the folder holds anything, and :class:`CatalogError` if the catalogue has
    errors: then nothing is written.
    """
    require_sound(catalog)
    files = {**render_catalog(catalog), **render_tcm(catalog.tcm)}
    if catalog.weights.height:
        files[WEIGHTS] = _weights_file(catalog.weights)
    files |= beside or {}
    with new_dir(folder) as aside:
        for name, data in files.items():
            (aside / name).write_bytes(data)
