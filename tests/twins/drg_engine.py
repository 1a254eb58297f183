"""The engine's view of DRG tables and stays that the twin holds as CSV files and dicts. Only tests import this."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.drg import DrgCatalog, import_tables
from fenzhi.grouping import CompiledDrg, compile_catalog
from fenzhi.policy.models import Grouping
from twins.drg import NOT_CHECKED, NOTHING, TwinDrg, group

STAYS = {
    "setl_id": pl.String,
    "gend": pl.Int8,
    "age": pl.Int16,
    "nwb_age": pl.Int32,
    "nwb_bir_wt": pl.Int32,
    "act_ipt_days": pl.Int32,
    "dscg_way": pl.Int8,
    "dscg_caty": pl.String,
    "icu_hours": pl.Float64,
    "diag_codes": pl.List(pl.String),
    "oprn_codes": pl.List(pl.String),
}
RESULT = ["status", "mdc", "adrg", "drg"]
Answer = tuple[str, str, str, str]


def stays_frame(stays: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """A frame of stays, in order."""
    rows = [{"setl_id": f"S{number}", **stay} for number, stay in enumerate(stays)]
    return pl.DataFrame(rows, schema=STAYS, orient="row")


def results(grouped: pl.DataFrame) -> list[Answer]:
    """What is compared with the twin, one row per stay."""
    return grouped.select(pl.col(RESULT).cast(pl.String)).rows()


def expected(stay: dict[str, Any], tables: TwinDrg) -> Answer:
    """The twin's answer; a stay without a principal diagnosis is refused by the engine, with the reason."""
    if not (stay["diag_codes"] and stay["diag_codes"][0]):
        return NOT_CHECKED, *NOTHING
    return group(stay, tables).result


def compiled(catalog: DrgCatalog) -> CompiledDrg:
    """The catalogue compiled."""
    found = compile_catalog(catalog, Grouping())
    assert isinstance(found, CompiledDrg)
    return found


def rules_in(folder: Path, **switches: bool) -> CompiledDrg:
    """The tables of a folder through the real import, compiled. ``switches``: fields of DrgMeta."""
    return compiled(import_tables(folder, **switches))
