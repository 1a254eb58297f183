"""Weights that the catalogue itself brings: its table of a decimal weight per group. docs/rules.md, section 3."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Protocol

import polars as pl

from fenzhi.catalogs import DipCatalog, TcmTables
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.errors import CatalogError
from fenzhi.money import SCALE, round_half_up, step_of
from fenzhi.policy.models import Weights


class Grouped(Protocol):
    """A catalogue of either scheme: ``groups`` has group_id, name, layer, grassroots; its rows are group_idx."""

    @property
    def groups(self) -> pl.DataFrame:
        """Return the groups, row = group_idx."""

    @property
    def tcm(self) -> TcmTables:
        """Return the TCM-advantage groups."""


def _error(message: str, group: str | None, value: str | None, remedy: str) -> CatalogError:
    field = "weight" if group is None else f"weight of {group}"
    return CatalogError(
        message, code="WEIGHT_GIVEN", file="weights.csv", field=field, value=value, remedy=remedy
    )


def given_weights(catalog: Grouped, rules: Weights) -> dict[int, int]:
    """Return group_idx -> weight at 1/10,000, rounded half up; groups with an empty weight are left out.

    A DRG catalogue gives weights of mean 1, which are taken times the scale; a DIP catalogue gives points.

    Raises :class:`CatalogError` if the catalogue brings no weights, a weight is not a number or negative, or
    a group has two.
    """
    table, scale = pl.DataFrame(), 1
    if isinstance(catalog, DrgCatalog):
        table = catalog.tables.get("weights", table).rename({"drg": "group_id"}, strict=False)
        scale = rules.scale
    elif isinstance(catalog, DipCatalog):
        table = catalog.weights
    if table.is_empty():
        raise _error(
            "the policy takes the catalogue's own weights, but the catalogue has none",
            None,
            None,
            "add weights.csv to the catalogue, or set weights.method = mean_cost",
        )
    index = {group: at for at, group in enumerate(catalog.groups["group_id"])}
    found: dict[int, int] = {}
    for group, text in table.select("group_id", "weight").iter_rows():
        if text is None or group not in index:
            continue
        if index[group] in found:
            raise _error("this group has two weights", group, text, "keep one row per group")
        try:
            weight = Decimal(text)
        except InvalidOperation:
            weight = Decimal("NaN")
        if not weight.is_finite() or weight < 0:
            raise _error("this is not a weight", group, text, "write a decimal number, or leave it empty")
        found[index[group]] = round_half_up(Fraction(weight) * scale * SCALE, step_of(rules.decimals))
    return found
