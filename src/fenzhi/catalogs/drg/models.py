"""The DRG catalogue in memory: chapters, ADRGs with their conditions, DRGs, code lists, CC / MCC and exclusions.

The tables are those of docs/reference/drg-catalog.md; their rules are parsed by :mod:`fenzhi.catalogs.drg.rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fenzhi.catalogs.tcm import TcmTables

ADRG_TYPES = ("surgical", "procedure", "medical")
QY_RULES = ("off", "main_proc_valid", "any_proc_valid")

_TEXT, _INT = pl.String(), pl.Int32()

# Table -> its columns. A table is the file <name>.csv of a catalogue's folder.
TABLES: dict[str, dict[str, pl.DataType]] = {
    "mdc": {
        "mdc": _TEXT,
        "name": _TEXT,
        "eval_order": _INT,
        "entry_rule": _TEXT,
        "qy_rule": _TEXT,
        "qy_after_n_adrg": _INT,
    },
    "mdc_dx": {"mdc": _TEXT, "code": _TEXT, "trauma_site": _TEXT},
    "adrg": {
        "adrg": _TEXT,
        "alt": _INT,
        "name": _TEXT,
        "mdc": _TEXT,
        "eval_order": _INT,
        "type": _TEXT,
        "qy_side": _TEXT,
        "return_if_no_drg": _TEXT,
    },
    "adrg_condition": {
        "adrg": _TEXT,
        "alt": _INT,
        "mdc": _TEXT,
        "eval_order": _INT,
        "term": _INT,
        "kind": _TEXT,
        "list_id": _TEXT,
        "arg": _TEXT,
        "arg2": _TEXT,
    },
    "code_list": {"list_id": _TEXT, "pos": _INT, "code": _TEXT, "tag": _TEXT},
    "drg": {
        "drg": _TEXT,
        "name": _TEXT,
        "adrg": _TEXT,
        "alt": _INT,
        "test_order": _INT,
        "rule": _TEXT,
        "grassroots": pl.Boolean(),
    },
    "cc": {"code": _TEXT, "level": _TEXT, "excl_table": _TEXT},
    "cc_exclusion": {"main_dx": _TEXT, "excl_table": _TEXT},
    "valid_procedure": {"code": _TEXT, "name": _TEXT},
    "icd10": {"code": _TEXT, "name": _TEXT, "map_to": _TEXT},
    "icd9cm3": {"code": _TEXT, "name": _TEXT, "map_to": _TEXT},
    "weights": {"drg": _TEXT, "weight": _TEXT},
}

# Columns of codes that stays are compared with.
CODES: dict[str, tuple[str, ...]] = {
    "mdc_dx": ("code",),
    "code_list": ("code",),
    "cc": ("code",),
    "cc_exclusion": ("main_dx",),
    "valid_procedure": ("code",),
    "icd10": ("code",),
    "icd9cm3": ("code",),
}


class DrgMeta(BaseModel):
    """Who a DRG catalogue is for, when it holds (by discharge date, both ends included), and its switches.

    ``kind``: ``demonstration`` (pays nobody), ``imported``. ``code_match``: ``exact``, codes are compared as
    they are written; ``category``, a code of a table also stands for everything it begins (``K35`` for
    ``K35.800x001``), ranges of categories (``A00-A09``) included. ``translate_codes``: codes go through
    ``map_to`` of the code books first. ``retry_other_operations``: a stay without a group is tried again with
    each further operation as its only one. ``ambiguous``: whether the QY rules of the chapters are on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9._\-]*$")
    title: str = Field(min_length=1)
    title_en: str = ""
    scheme: Literal["drg"] = "drg"
    version: str = Field(min_length=1)
    kind: Literal["demonstration", "imported"]
    note: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    synthetic: bool = False
    code_match: Literal["exact", "category"] = "exact"
    translate_codes: bool = False
    retry_other_operations: bool = False
    ambiguous: bool = True

    @model_validator(mode="after")
    def _check(self) -> DrgMeta:
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError("valid_to lies before valid_from")
        return self


@dataclass(frozen=True)
class Source:
    """Where a table was read: its file (or sheet), and for each row of the table the data row there, from 1."""

    file: str
    rows: pl.Series


@dataclass(frozen=True, eq=False)
class DrgCatalog:
    """A DRG catalogue. Made by ``load_drg_catalog`` or ``make_drg_catalog``.

    ``tables``: name -> frame with the columns of :data:`TABLES`, rows in the order in which they are tried
    (``mdc`` by eval_order; ``adrg`` by chapter and eval_order; ``adrg_condition`` by ADRG and term; ``drg`` by ADRG,
    alternative and test_order). Empty cells are null. ``digest``: SHA-256 over the content.
    ``sources``: table -> where its rows came from, for messages. ``tcm``: the TCM-advantage groups.
    """

    meta: DrgMeta
    tables: Mapping[str, pl.DataFrame]
    path: Path | None
    digest: str
    sources: Mapping[str, Source] = field(default_factory=dict)
    tcm: TcmTables = field(default_factory=TcmTables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DrgCatalog) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @cached_property
    def groups(self) -> pl.DataFrame:
        """What a stay can be grouped into, row = ``group_idx``: group_id, name, layer, grassroots, mdc, adrg.

        One row per DRG code; then one per ADRG code that a stay gets where no DRG of the ADRG fits (of
        alternatives without a DRG that takes every stay). ``layer`` is the ADRG's type.
        """
        adrg = (
            self.tables["adrg"]
            .select("adrg", "mdc", "type")
            .unique("adrg", keep="first", maintain_order=True)
        )
        drg = (
            self.tables["drg"]
            .unique("drg", keep="first", maintain_order=True)
            .join(adrg, on="adrg", how="left", maintain_order="left")
        )
        closed = self.tables["drg"].filter(pl.col("rule").str.strip_chars() == "always").select("adrg", "alt")
        ended = (
            self.tables["adrg"]
            .filter(pl.col("return_if_no_drg").is_not_null())
            .join(closed, on=["adrg", "alt"], how="anti", maintain_order="left")
            .unique("return_if_no_drg", keep="first", maintain_order=True)
            .with_columns(
                pl.col("return_if_no_drg").alias("drg"), pl.lit(None, pl.Boolean()).alias("grassroots")
            )
            .join(drg, on="drg", how="anti", maintain_order="left")
        )
        columns = ["drg", "name", "type", "grassroots", "mdc", "adrg"]
        return pl.concat([drg.select(columns), ended.select(columns)]).select(
            pl.col("drg").alias("group_id"),
            "name",
            pl.col("type").alias("layer"),
            pl.col("grassroots").fill_null(False),
            "mdc",
            "adrg",
        )
