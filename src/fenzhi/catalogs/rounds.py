"""A round of negotiation beside a catalogue: what every group weighs after it, who agreed to what and why.

``fenzhi catalog negotiate -o NEW`` writes ``negotiated.csv`` into the folder of the catalogue; grouping does not read
it, comparing two catalogues does.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from fenzhi.catalogs.diff import compare
from fenzhi.codes import read_table, require_columns
from fenzhi.errors import CatalogError

FILE = "negotiated.csv"
#: How a weight came about: agreed, changed by the one factor of all others, or as it was.
AGREED, RESCALED, SAME = "agreed", "rescaled", "same"
COLUMNS = (
    "group_id",
    "name",
    "layer",
    "history_cases",
    "weight_before",
    "weight",
    "how",
    "who",
    "why",
    "when",
)


def read_round(folder: Path | None) -> pl.DataFrame | None:
    """Return the round beside a catalogue, every cell a text; None if there is none.

    Raises :class:`CatalogError` if columns are missing or a group stands there twice.
    """
    file = None if folder is None else folder / FILE
    if file is None or not file.is_file():
        return None
    table = read_table(file, CatalogError)
    require_columns(table, COLUMNS, file, CatalogError)
    twice = table["group_id"].is_duplicated().arg_true()
    if twice.len():
        row = int(twice[0])
        raise CatalogError(
            "this group stands here twice",
            code="CATALOG_TWICE",
            file=file,
            row=row + 1,
            field="group_id",
            value=table["group_id"][row],
            remedy="negotiate again; do not change this file",
        )
    return table.select(COLUMNS)


def round_changes(before: pl.DataFrame | None, after: pl.DataFrame | None) -> list[pl.DataFrame]:
    """Return what differs between two rounds, as rows of ``CHANGES``: weights, and agreements with who, why, when.

    With one round only its agreements are there, as added or removed; they name the weight before and after.
    """
    if before is None and after is None:
        return []
    found = []
    if before is not None and after is not None:
        sides = [
            one.select(pl.col("group_id").alias("item"), pl.col("weight").alias("value"))
            for one in (before, after)
        ]
        found.append(compare("negotiated_weight", *(side.drop_nulls("value") for side in sides)))
    found.append(compare("agreement", *(_agreements(one) for one in (before, after))))
    return found


def round_names(rounds: tuple[pl.DataFrame | None, pl.DataFrame | None]) -> pl.DataFrame:
    """Return item and name of the groups of both rounds."""
    frames = [one.select(pl.col("group_id").alias("item"), "name") for one in rounds if one is not None]
    return pl.concat([pl.DataFrame(schema={"item": pl.String, "name": pl.String}), *frames])


def _agreements(one: pl.DataFrame | None) -> pl.DataFrame:
    if one is None:
        return pl.DataFrame(schema={"item": pl.String, "value": pl.String})
    day = pl.format(", {}", "when").fill_null("")
    text = pl.format("{} ({}: {}{})", "weight", "who", "why", day)
    return one.filter(pl.col("how") == AGREED).select(pl.col("group_id").alias("item"), text.alias("value"))
