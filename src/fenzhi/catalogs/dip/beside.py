"""What stands beside a DIP catalogue in its folder and is no rule: labels of groups, levels, code books, mappings.

``labels.csv``: what the official workbook says of a group in words, and its DIP code. ``diagnosis_names.csv`` and
``operation_names.csv``: code, name. ``diagnosis_map.csv`` and ``operation_map.csv``: code, target, as
``region.toml`` takes them. Levels of operations are a fourth column of ``operations.csv``. Grouping reads none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.dip.drafts import LABELS
from fenzhi.catalogs.models import DipCatalog
from fenzhi.catalogs.tcm import TCM_GROUPS, TCM_LISTS, TCM_OPERATIONS
from fenzhi.codes import read_table
from fenzhi.errors import CatalogError

LABELS_FILE, OPERATIONS_FILE = "labels.csv", "operations.csv"
LABELS_SCHEMA: dict[str, pl.DataType] = dict.fromkeys(("group_id", *LABELS), pl.String())
BOOKS = {
    "diagnosis_names": ("code", "name"),
    "operation_names": ("code", "name"),
    "diagnosis_map": ("code", "target"),
    "operation_map": ("code", "target"),
}
_TCM: dict[str, Mapping[str, pl.DataType]] = {
    "tcm_groups": TCM_GROUPS,
    "tcm_operations": TCM_OPERATIONS,
    "tcm_lists": TCM_LISTS,
}


def _empty(names: tuple[str, ...]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(names, pl.String()))


@dataclass(frozen=True)
class Beside:
    """The tables. ``labels``: :data:`LABELS_SCHEMA`. ``levels``: operation code -> level. ``books``: as :data:`BOOKS`.

    ``tcm``: tables of TCM-advantage groups that a workbook brought, all text; a loaded catalogue has its own.
    """

    labels: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LABELS_SCHEMA))
    levels: Mapping[str, str] = field(default_factory=dict)
    books: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    tcm: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @classmethod
    def make(
        cls,
        *,
        labels: list[dict[str, Any]],
        levels: Mapping[str, str],
        books: Mapping[str, Mapping[str, str]],
        tcm: Mapping[str, list[dict[str, str]]],
    ) -> Beside:
        """Return the tables from rows."""
        frames = {
            name: pl.DataFrame(
                {columns[0]: list(books[name]), columns[1]: list(books[name].values())},
                schema=dict.fromkeys(columns, pl.String()),
            )
            for name, columns in BOOKS.items()
            if books.get(name)
        }
        tables = {
            name: pl.DataFrame(
                {column: [row.get(column) or None for row in tcm[name]] for column in schema},
                schema=dict.fromkeys(schema, pl.String()),
            )
            for name, schema in _TCM.items()
            if tcm.get(name)
        }
        return cls(pl.DataFrame(labels, schema=LABELS_SCHEMA), levels, frames, tables)

    @classmethod
    def read(cls, folder: Path | None) -> Beside:
        """Read what stands in the folder of a catalogue; what is not there is empty."""
        if folder is None:
            return cls()

        def table(name: str, columns: tuple[str, ...]) -> pl.DataFrame:
            path = folder / name
            if not path.exists():
                return _empty(columns)
            given = read_table(path, CatalogError)
            have = given.columns
            return given.select(
                pl.col(one) if one in have else pl.lit(None, pl.String).alias(one) for one in columns
            )

        levels = table(OPERATIONS_FILE, ("code", "level")).drop_nulls()
        books = {name: table(f"{name}.csv", columns) for name, columns in BOOKS.items()}
        return cls(
            table(LABELS_FILE, tuple(LABELS_SCHEMA)),
            dict(levels.iter_rows()),
            {name: frame for name, frame in books.items() if frame.height},
        )

    def render(self, catalog: DipCatalog) -> dict[str, bytes]:
        """Return file name -> content of what is not empty."""
        files = {}
        if self.labels.height:
            used = [
                name for name in self.labels.columns if self.labels[name].null_count() < self.labels.height
            ]
            files[LABELS_FILE] = self.labels.select(used).write_csv(line_terminator="\n").encode()
        for name, frame in [*self.books.items(), *self.tcm.items()]:
            files[f"{name}.csv"] = frame.write_csv(line_terminator="\n").encode()
        if self.levels and catalog.operations.height:
            level = pl.Series(
                "level", [self.levels.get(code) for code in catalog.operations["code"]], pl.String
            )
            table = catalog.operations.with_columns(level)
            files[OPERATIONS_FILE] = table.write_csv(line_terminator="\n").encode()
        return files
