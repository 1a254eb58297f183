"""The catalogue in memory: who it is for, its groups, named code sets, exclusions and operation table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, model_validator

from fenzhi.catalogs.dialect import Dialect
from fenzhi.catalogs.tcm import TcmTables

__all__ = [
    "COMPREHENSIVE",
    "CONDITIONS",
    "EXCLUSIONS_SCHEMA",
    "EXCLUSION_KINDS",
    "GROUPS_SCHEMA",
    "KINDS",
    "TREATMENTS",
    "WEIGHTS_SCHEMA",
    "CatalogMeta",
    "Dialect",
    "DipCatalog",
    "empty_exclusions",
]

# The layer whose rows are keyed by the kind of the main operation; its stays count as comprehensive.
COMPREHENSIVE = "comprehensive"
# Kinds of the effective main operation in comprehensive rows; medical = conservative.
KINDS = ("surgery", "interventional", "therapeutic", "diagnostic", "medical")
CONDITIONS = ("operation", "any_operation", "conservative", "any")
TREATMENTS = CONDITIONS + KINDS
EXCLUSION_KINDS = ("diagnosis", "cannot_be_main", "as_conservative", "main_within")

GROUPS_SCHEMA: dict[str, pl.DataType] = {
    "group_id": pl.String(),
    "name": pl.String(),
    "layer": pl.String(),
    "main_diag": pl.String(),
    "treatment": pl.String(),
    "main_oprn": pl.String(),
    "related_oprn": pl.String(),
    "other_diag": pl.String(),
    "any_diag": pl.String(),
    "age_days_max": pl.Int32(),
    "birth_weight_min_g": pl.Int32(),
    "birth_weight_max_g": pl.Int32(),
    "grassroots": pl.Boolean(),
    "note": pl.String(),
}
EXCLUSIONS_SCHEMA: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "code": pl.String(),
    "within": pl.String(),
    "note": pl.String(),
}
# The catalogue's own weights, in points as they are published; other columns of the file are for people.
WEIGHTS_SCHEMA: dict[str, pl.DataType] = {"group_id": pl.String(), "weight": pl.String()}


class CatalogMeta(BaseModel):
    """Who a catalogue is for and when it holds (by discharge date, both ends included).

    ``kind``: ``demonstration`` (written for learning, pays nobody), ``built`` (from a region's history) or
    ``imported``. ``layers``: the order in which layers are tried. ``synthetic``: not made from real stays or
    an official list.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.\-]*$")
    title: str = Field(min_length=1)
    title_en: str = ""
    scheme: Literal["dip"] = "dip"
    version: str = Field(min_length=1)
    kind: Literal["demonstration", "built", "imported"]
    note: str = ""
    layers: tuple[str, ...] = Field(min_length=1)
    dialect: Dialect
    valid_from: date | None = None
    valid_to: date | None = None
    synthetic: bool

    @model_validator(mode="after")
    def _check(self) -> CatalogMeta:
        if len(set(self.layers)) != len(self.layers):
            raise ValueError("layers names a layer twice")
        for layer in self.layers:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", layer):
                raise ValueError(f"a layer is named by small letters, digits and _, not {layer!r}")
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError("valid_to lies before valid_from")
        return self


@dataclass(frozen=True, eq=False)
class DipCatalog:
    """A DIP catalogue. Made by ``load_catalog`` or ``make_catalog``, which normalise the cells.

    ``groups``: columns of :data:`GROUPS_SCHEMA`, row order = ``group_idx``; empty cells are null,
    ``grassroots`` never is. ``code_sets``: name (without ``@``) -> diagnosis tokens. ``exclusions``:
    :data:`EXCLUSIONS_SCHEMA`. ``operations``: code, name, type. ``digest``: SHA-256 over the content as
    ``save_catalog`` writes it; two catalogues are equal if their digests are, wherever they lie. ``tcm``: the
    TCM-advantage groups. ``weights``: the catalogue's own weights (:data:`WEIGHTS_SCHEMA`), if it brings some.
    """

    meta: CatalogMeta
    groups: pl.DataFrame
    code_sets: Mapping[str, tuple[str, ...]]
    exclusions: pl.DataFrame
    operations: pl.DataFrame
    path: Path | None
    digest: str
    tcm: TcmTables = field(default_factory=TcmTables)
    weights: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=WEIGHTS_SCHEMA))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DipCatalog) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def empty_exclusions() -> pl.DataFrame:
    """Return an exclusion table without rows."""
    return pl.DataFrame(schema=EXCLUSIONS_SCHEMA)
