"""A catalogue for people to look at, as small tables of text; the tables of a DIP catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from fenzhi.catalogs.dialect import expand_sets, parse_diagnoses, range_limits, token_kind
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.models import DipCatalog
from fenzhi.errors import CatalogError

# Column -> Chinese, English.
TITLES = {
    "layer": ("层次", "layer"),
    "groups": ("病种数", "groups"),
    "group_id": ("病种", "group"),
    "name": ("名称", "name"),
    "main_diag": ("主要诊断", "principal diagnosis"),
    "treatment": ("治疗方式", "treatment"),
    "main_oprn": ("主要手术操作", "main operation"),
    "item": ("项目", "item"),
    "value": ("内容", "value"),
}
SHOWN = 50


@dataclass(frozen=True)
class Section:
    """A table of texts with a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def section(
    title: str, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]], lang: str
) -> Section:
    """Return a section; ``columns`` are titles in Chinese and English, empty cells stay empty."""
    at = 0 if lang == "zh" else 1
    texts = tuple(tuple("" if cell is None else str(cell) for cell in row) for row in rows)
    return Section(title, tuple(names[at] for names in columns), texts)


def heading(catalog: DipCatalog | DrgCatalog) -> str:
    """Return title, version and id of a catalogue; a version that its title names is not repeated."""
    meta = catalog.meta
    version = "" if meta.version in meta.title else f" {meta.version}"
    return f"{meta.title}{version} ({meta.id})"


def nothing_found(code: str, what: str) -> CatalogError:
    """Return the error that a catalogue knows nothing of a code."""
    return CatalogError(
        f"the catalogue has no {what} of this code",
        code="CATALOG_CODE_MISSING",
        value=code,
        remedy="write the code exactly as the catalogue does; without a code its summary is shown",
    )


def _covers(token: str, code: str) -> bool:
    kind = token_kind(token)
    if kind == "range":
        first, last = range_limits(token)
        return first <= code[:3] <= last
    return token == code if kind == "full" else code.startswith(token)


def show_dip(catalog: DipCatalog, code: str | None, lang: str) -> list[Section]:
    """Return the summary of a DIP catalogue, or the groups that have a code, as group, diagnosis or operation.

    Raises :class:`CatalogError` (CATALOG_CODE_MISSING) if none has it.
    """
    groups = catalog.groups
    title = heading(catalog)
    if code is None:
        layers = groups.group_by("layer", maintain_order=True).len().iter_rows()
        return [
            section(
                title, [TITLES["layer"], TITLES["groups"]], [(name, f"{n:,}") for name, n in layers], lang
            )
        ]
    row = groups.filter(pl.col("group_id") == code)
    if row.height:
        cells = [(name, value) for name, value in row.row(0, named=True).items() if value is not None]
        return [section(title, [TITLES["item"], TITLES["value"]], cells, lang)]
    dialect, sets = catalog.meta.dialect, catalog.code_sets
    found = [
        index
        for index, (main, *operations) in enumerate(
            groups.select("main_diag", "main_oprn", "related_oprn").iter_rows()
        )
        if any(_covers(token, code) for token in expand_sets(parse_diagnoses(main or "", dialect), sets))
        or any(code in _split(cell or "") for cell in operations)
    ]
    if not found:
        raise nothing_found(code, "group, diagnosis or operation")
    columns = ["group_id", "layer", "name", "main_diag", "treatment", "main_oprn"]
    rows = groups[found].select(columns).head(SHOWN).rows()
    return [section(f"{code}: {len(found):,}", [TITLES[name] for name in columns], rows, lang)]


def _split(cell: str) -> set[str]:
    """Return the operations of a cell, whatever its signs mean."""
    for sign in "/,;+&":
        cell = cell.replace(sign, "|")
    return set(cell.split("|"))
