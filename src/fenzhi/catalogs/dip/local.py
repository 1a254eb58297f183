"""The mapping file of a local layout: which sheet is what, and which column is which of ours (TOML)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from fenzhi.catalogs.dialect import Dialect
from fenzhi.catalogs.dip.layout import LAYER_OF, LAYERS, PLAIN_LAYERS, RESISTANT_CODE, ROLES
from fenzhi.catalogs.models import CatalogMeta
from fenzhi.catalogs.titles import same_title
from fenzhi.errors import CatalogError

SKIP = "skip"
RULES = ("resistance_code", "assisted_without_operation", "number_places")
SHEET_KEYS = ("role", "header_row", "layer", "columns")
CATALOG_KEYS = tuple(name for name in CatalogMeta.model_fields if name not in ("scheme", "kind", "dialect"))
_SECTIONS = ("catalog", "dialect", "rules", "sheets")


@dataclass(frozen=True)
class LocalSheet:
    """A sheet of the mapping file. ``columns``: title as looked up -> our column."""

    role: str | None = None
    header_row: int | None = None
    layer: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LocalLayout:
    """A mapping file; the default says nothing, so the official layout holds.

    ``resistance_code``: added to the list of resistance diagnoses if it is not there, empty for none.
    ``assisted_without_operation``: ``any`` or ``conservative``, what a row of burns or tuberculosis without
    operations means.
    ``number_places``: decimals of operation codes that Excel keeps as numbers; 0: such a cell is not understood.
    """

    catalog: Mapping[str, Any] = field(default_factory=dict)
    dialect: Dialect | None = None
    resistance_code: str = RESISTANT_CODE
    assisted_without_operation: str = "any"
    number_places: int = 4
    sheets: Mapping[str, LocalSheet] = field(default_factory=dict)

    def sheet(self, title: str) -> LocalSheet | None:
        """Return what the file says of a sheet."""
        return self.sheets.get(same_title(title))


def _fail(message: str, path: Path, where: str, value: object, remedy: str) -> CatalogError:
    return CatalogError(message, code="CATALOG_LAYOUT", file=path, field=where, value=value, remedy=remedy)


def _known(name: str, known: Iterable[str], path: Path, where: str) -> None:
    names = list(known)
    if name not in names:
        near = get_close_matches(name, names, 1, 0.5)
        remedy = f"did you mean {near[0]}?" if near else f"use one of: {', '.join(names)}"
        raise _fail("this is unknown in a mapping file", path, where, name, remedy)


def _table(value: object, path: Path, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _fail(
            "a table of keys is needed here", path, where, value, "see docs/reference/dip-workbook.md"
        )
    return value


def _sheet(title: str, given: dict[str, Any], path: Path, layers: tuple[str, ...]) -> LocalSheet:
    where = f"sheets.{title}"
    for key in given:
        _known(key, SHEET_KEYS, path, where)
    role, row, layer = given.get("role"), given.get("header_row"), given.get("layer")
    if role is not None:
        _known(str(role), (*ROLES, SKIP), path, f"{where}.role")
    if row is not None and (not isinstance(row, int) or isinstance(row, bool) or row < 1):
        raise _fail(
            "the row of a header is a whole number", path, f"{where}.header_row", row, "count as Excel does"
        )
    if layer is not None:
        _known(str(layer), layers, path, f"{where}.layer")
    columns = _table(given.get("columns", {}), path, f"{where}.columns")
    if role is None and columns:
        names = {column.name for one in ROLES.values() for column in one.columns}
    else:
        names = {column.name for column in ROLES[role].columns} if role in ROLES else set()
    for column, name in columns.items():
        _known(str(name), sorted({*names, "ignored"}), path, f"{where}.columns.{column}")
    return LocalSheet(role, row, layer, {same_title(column): str(name) for column, name in columns.items()})


def _dialect(given: dict[str, Any], path: Path) -> Dialect | None:
    if not given:
        return None
    for key in given:
        _known(key, ("form", "or", "and"), path, "dialect")
    try:
        return Dialect(given.get("form", "or_of_ands"), str(given.get("or", "|")), str(given.get("and", "+")))
    except CatalogError as error:
        raise _fail(error.message, path, error.field or "dialect", error.value, error.remedy or "") from error


def read_layout(path: Path) -> LocalLayout:
    """Read a mapping file. Raises :class:`CatalogError` CATALOG_LAYOUT naming key, value and the nearest valid one."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _fail(f"cannot read the file: {error.strerror}", path, "", None, "check the name") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _fail(
            f"this is not readable TOML: {error}", path, "", None, "correct the line named"
        ) from error
    for key in data:
        _known(key, _SECTIONS, path, key)
    catalog = _table(data.get("catalog", {}), path, "catalog")
    for key in catalog:
        _known(key, CATALOG_KEYS, path, f"catalog.{key}")
    layers = tuple(catalog.get("layers", dict.fromkeys((*LAYERS, *PLAIN_LAYERS))))
    rules = _table(data.get("rules", {}), path, "rules")
    for key in rules:
        _known(key, RULES, path, f"rules.{key}")
    if "assisted_without_operation" in rules:
        word = str(rules["assisted_without_operation"])
        _known(word, ("any", "conservative"), path, "rules.assisted_without_operation")
    places = rules.get("number_places", 4)
    if not isinstance(places, int) or isinstance(places, bool) or not 0 <= places <= 4:
        raise _fail("decimals are a whole number", path, "rules.number_places", places, "write 0 to 4")
    sheets = _table(data.get("sheets", {}), path, "sheets")
    return LocalLayout(
        catalog=catalog,
        dialect=_dialect(_table(data.get("dialect", {}), path, "dialect"), path),
        resistance_code=str(rules.get("resistance_code", RESISTANT_CODE)),
        assisted_without_operation=str(rules.get("assisted_without_operation", "any")),
        number_places=places,
        sheets={
            same_title(title): _sheet(title, _table(given, path, f"sheets.{title}"), path, layers)
            for title, given in sheets.items()
        },
    )


def layer_of_role(role: str, local: LocalSheet | None) -> str | None:
    """Return the layer that the rows of a sheet have, None where each row says its own."""
    return local.layer if local is not None and local.layer is not None else LAYER_OF.get(role)
