"""TCM-advantage groups of a catalogue of either scheme: their files, and the checks on them.

``tcm_groups.csv``: rows of conditions; rows of one group are alternatives. ``tcm_operations.csv``: the class of each
TCM operation. ``tcm_lists.csv``: named lists of diagnoses. See docs/reference/dip-catalog.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from fenzhi.codes import normalise_diagnosis, normalise_operation, read_table, require_columns
from fenzhi.errors import CatalogError

if TYPE_CHECKING:
    from fenzhi.catalogs.drg.models import DrgCatalog
    from fenzhi.catalogs.models import DipCatalog

    _Catalog = TypeVar("_Catalog", DipCatalog, DrgCatalog)

# The layer of TCM-advantage groups among the groups.
TCM = "tcm"
GROUPS, OPERATIONS, LISTS = "tcm_groups.csv", "tcm_operations.csv", "tcm_lists.csv"
_TEXT, _INT = pl.String(), pl.Int32()
TCM_GROUPS: dict[str, pl.DataType] = {
    "group_id": _TEXT,
    "name": _TEXT,
    "main_diag": _TEXT,
    "tcm_diag": _TEXT,
    "los_min_days": _INT,
    "classes": _TEXT,
    "min_classes": _INT,
    "min_operations": _INT,
    "reference_group": _TEXT,
    "share": _TEXT,
    "weight": _TEXT,
    "note": _TEXT,
}
TCM_OPERATIONS: dict[str, pl.DataType] = {"code": _TEXT, "class": _TEXT, "name": _TEXT}
TCM_LISTS: dict[str, pl.DataType] = {"list": _TEXT, "code": _TEXT}
_PAID_BY = ("name", "reference_group", "share", "weight")
_REMEDY = "docs/reference/dip-catalog.md describes the files of TCM-advantage groups"


@dataclass(frozen=True)
class TcmTables:
    """The three tables; without TCM-advantage groups all are empty.

    ``conditions``: :data:`TCM_GROUPS`, one row per alternative, in the order in which they are tried.
    ``operations``: :data:`TCM_OPERATIONS`. ``lists``: name (without ``@``) -> codes.
    """

    conditions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TCM_GROUPS))
    operations: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=TCM_OPERATIONS))
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def groups(self) -> pl.DataFrame:
        """Return one row per group: group_id, name, reference_group, share, weight (text, null where not stated)."""
        return self.conditions.group_by("group_id", maintain_order=True).agg(
            pl.col(_PAID_BY).drop_nulls().first()
        )

    def codes(self, cell: str | None) -> list[str]:
        """Return the diagnoses of a cell, lists replaced by their codes; none for an empty cell."""
        found: list[str] = []
        for token in (cell or "").split("|"):
            found += self.lists[token[1:]] if token.startswith("@") else [token]
        return [code for code in found if code]


def _fail(message: str, code: str, row: int | None, name: str, value: str | None) -> CatalogError:
    return CatalogError(message, code=code, file=GROUPS, row=row, field=name, value=value, remedy=_REMEDY)


def _table(path: Path, required: tuple[str, ...], schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Read one file: known columns only, blanks dropped, whole numbers as such, required cells filled."""
    table = read_table(path, CatalogError)
    require_columns(table, required, path, CatalogError)
    unknown = [name for name in table.columns if name not in schema]
    if unknown:
        raise CatalogError(
            f"the column {unknown[0]} is unknown",
            code="CATALOG_COLUMN",
            file=path,
            field=unknown[0],
            remedy=f"remove it or use one of: {', '.join(schema)}",
        )
    text = pl.col(pl.String).str.strip_chars()
    table = table.with_columns(pl.when(text != "").then(text).name.keep())
    columns = [
        pl.col(name).cast(dtype, strict=False) if name in table.columns else pl.lit(None, dtype).alias(name)
        for name, dtype in schema.items()
    ]
    typed = table.select(columns)
    for name in table.columns:
        empty = typed[name].is_null()
        bad = (empty if name in required else empty & table[name].is_not_null()).arg_true()
        if len(bad):
            given = table[name][int(bad[0])]
            raise CatalogError(
                f"{name} is not a whole number" if given else f"the row has no {name}",
                code="CATALOG_VALUE" if given else "CATALOG_BLANK",
                file=path,
                row=int(bad[0]) + 1,
                field=name,
                value=given,
                remedy="correct the cell" if given else "fill the cell or remove the row",
            )
    return typed


def _tidy(cells: pl.Series) -> pl.Series:
    """Normalise diagnoses in cells; names of lists (``@NAME``) stay as they are."""
    whole = normalise_diagnosis(cells)
    if not cells.str.contains("@", literal=True).any():
        return whole
    kept = [
        None
        if cell is None
        else "|".join(
            token.strip()
            if token.strip().startswith("@")
            else (normalise_diagnosis(pl.Series([token]))[0] or "")
            for token in cell.split("|")
        )
        for cell in cells
    ]
    return pl.Series(cells.name, kept, dtype=pl.String)


def read_tcm(folder: Path) -> TcmTables:
    """Read the TCM-advantage groups of a catalogue's folder; empty tables if it has no ``tcm_groups.csv``.

    Raises :class:`CatalogError` for a missing or unknown column, an empty cell that must be filled, or a number
    that is none. What the tables say together is checked by :func:`with_tcm`.
    """
    if not (folder / GROUPS).exists():
        return TcmTables()
    conditions = _table(folder / GROUPS, ("group_id", "main_diag"), TCM_GROUPS)
    operations, lists = pl.DataFrame(schema=TCM_OPERATIONS), pl.DataFrame(schema=TCM_LISTS)
    if (folder / OPERATIONS).exists():
        operations = _table(folder / OPERATIONS, ("code", "class"), TCM_OPERATIONS)
    if (folder / LISTS).exists():
        lists = _table(folder / LISTS, ("list", "code"), TCM_LISTS)
    named: dict[str, dict[str, None]] = {}
    for name, code in zip(lists["list"], normalise_diagnosis(lists["code"]), strict=True):
        named.setdefault(name.removeprefix("@"), {})[code] = None
    return TcmTables(
        conditions.with_columns(_tidy(conditions[name]).alias(name) for name in ("main_diag", "tcm_diag")),
        operations.with_columns(normalise_operation(operations["code"]).alias("code")),
        {name: tuple(codes) for name, codes in named.items()},
    )


def _positive(text: str | None) -> bool:
    try:
        return text is None or Decimal(text) > 0
    except InvalidOperation:
        return False


def _check_conditions(tcm: TcmTables) -> None:
    known = set(tcm.operations["class"])
    for number, row in enumerate(tcm.conditions.iter_rows(named=True), start=1):
        for name in ("main_diag", "tcm_diag"):
            for token in (row[name] or "").split("|"):
                if token.startswith("@") and token[1:] not in tcm.lists:
                    raise _fail(f"tcm_lists.csv has no list {token}", "CATALOG_TCM_LIST", number, name, token)
        classes = (row["classes"] or "").split("|") if row["classes"] else []
        for name in classes:
            if name not in known:
                raise _fail(
                    "tcm_operations.csv has no operation of this class",
                    "CATALOG_TCM_CLASS",
                    number,
                    "classes",
                    name,
                )
        least = max(row["min_classes"] or 0, 0)
        if least > len(classes) or (row["min_operations"] and not classes):
            raise _fail(
                "the row asks for more classes of operations than it names",
                "CATALOG_TCM_CLASS",
                number,
                "min_classes",
                str(least),
            )


def _check_groups(tcm: TcmTables, groups: set[str]) -> None:
    for row in tcm.groups.iter_rows(named=True):
        own, reference = row["group_id"], row["reference_group"]
        if own in groups:
            raise _fail("a normal group has this code", "CATALOG_TCM_GROUP", None, "group_id", own)
        if reference is not None and reference not in groups:
            raise _fail(
                f"the reference group of {own} is no group of the catalogue",
                "CATALOG_TCM_REFERENCE",
                None,
                "reference_group",
                reference,
            )
        if reference is None and row["share"] is not None:
            raise _fail(
                f"{own} has a share but no reference group",
                "CATALOG_TCM_REFERENCE",
                None,
                "share",
                row["share"],
            )
        if reference is not None and row["weight"] is not None:
            raise _fail(
                f"{own} has a weight and a reference group: keep one",
                "CATALOG_TCM_REFERENCE",
                None,
                "weight",
                row["weight"],
            )
        for name in ("share", "weight"):
            if not _positive(row[name]):
                raise _fail(f"{name} of {own} is no positive number", "CATALOG_VALUE", None, name, row[name])
    differing = tcm.conditions.group_by("group_id", maintain_order=True).agg(
        pl.col(_PAID_BY).drop_nulls().n_unique()
    )
    for row in differing.iter_rows(named=True):
        for name in _PAID_BY:
            if row[name] > 1:
                raise _fail(
                    f"the rows of {row['group_id']} differ in {name}",
                    "CATALOG_TCM_GROUP",
                    None,
                    name,
                    row["group_id"],
                )


def render_tcm_tables(tcm: TcmTables) -> dict[str, pl.DataFrame]:
    """Return file name -> table of those that are not empty; none without groups."""
    lists = [{"list": name, "code": code} for name, codes in tcm.lists.items() for code in codes]
    tables = {
        GROUPS: tcm.conditions,
        OPERATIONS: tcm.operations,
        LISTS: pl.DataFrame(lists, schema=TCM_LISTS),
    }
    if tcm.conditions.is_empty():
        return {}
    return {name: frame for name, frame in tables.items() if frame.height}


def render_tcm(tcm: TcmTables) -> dict[str, bytes]:
    """Return file name -> content of the tables that are not empty, as :func:`read_tcm` reads them."""
    return {
        name: frame.write_csv(line_terminator="\n").encode() for name, frame in render_tcm_tables(tcm).items()
    }


def with_tcm(catalog: _Catalog, tcm: TcmTables) -> _Catalog:
    """Return the catalogue with these TCM-advantage groups, its digest over them as well.

    Raises :class:`CatalogError` if lists, classes or reference groups do not exist, or rows of a group contradict.
    """
    if tcm.conditions.is_empty():
        return catalog
    _check_conditions(tcm)
    _check_groups(tcm, set(catalog.groups["group_id"]))
    content = hashlib.sha256(catalog.digest.encode())
    for name, data in render_tcm(tcm).items():
        content.update(f"{name} {len(data)}\n".encode() + data)
    return replace(catalog, tcm=tcm, digest=content.hexdigest())


def with_tcm_rows(groups: pl.DataFrame, tcm: TcmTables) -> pl.DataFrame:
    """Return the catalogue's groups and below them its TCM-advantage groups, layer :data:`TCM`, never grassroots."""
    rows = tcm.groups.select(
        "group_id",
        pl.coalesce("name", "group_id").alias("name"),
        pl.lit(TCM).alias("layer"),
        pl.lit(False).alias("grassroots"),
    )
    return pl.concat([groups, rows], how="diagonal")
