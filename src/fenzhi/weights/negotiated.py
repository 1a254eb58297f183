"""Negotiated weights, and the others rescaled so that the total stays. docs/rules.md, section 3."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.money import round_half_up


@dataclass(frozen=True)
class Negotiated:
    """What negotiation did: number of groups, the factor of all others, sum of RW x history stays and what
    rounding left of it (both at 1/10,000).
    """

    groups: int
    factor: Fraction
    total_e4: int
    left_e4: int


def _indices(overrides: pl.DataFrame, group_ids: pl.Series) -> list[int]:
    index = {group: at for at, group in enumerate(group_ids)}
    out = []
    for at, group in enumerate(overrides["group_id"]):
        if group not in index:
            raise RegionError(
                "the catalogue has no such group",
                code="REGION_KEY",
                file=overrides["source_file"][at],
                row=overrides["source_row"][at],
                field="group_id",
                value=group,
                remedy="correct the code or remove the row",
            )
        out.append(index[group])
    return out


def negotiate(
    groups: pl.DataFrame, group_ids: pl.Series, overrides: pl.DataFrame, step: int
) -> tuple[pl.DataFrame, Negotiated]:
    """Return ``groups`` with new rw_e4, and what was done.

    ``groups``: history_cases and rw_e4 in the order of ``group_ids``. ``overrides``: group_id, weight_e4, source_file,
    source_row; every group once, every weight positive. ``step``: rounding of the rescaled weights.
    Raises :class:`RegionError` for an unknown group, or if nothing is left that could keep the total.
    """
    fixed = dict(zip(_indices(overrides, group_ids), overrides["weight_e4"], strict=True))
    rows = list(groups.select("rw_e4", "history_cases").iter_rows())
    total = sum((rw or 0) * n for rw, n in rows)
    rest = sum((rw or 0) * n for at, (rw, n) in enumerate(rows) if at not in fixed)
    wanted = total - sum(weight * rows[at][1] for at, weight in fixed.items())
    if rest == 0 or wanted <= 0:
        raise RegionError(
            "every weighted group of the history is negotiated, so none is left to keep the total"
            if rest == 0
            else "the negotiated weights use up the total, nothing is left for the other groups",
            code="WEIGHT_OVERRIDES",
            file=overrides["source_file"][0],
            field="weight",
            remedy="negotiate fewer groups or smaller weights",
        )
    factor = Fraction(wanted, rest)
    weights = [
        fixed[at] if at in fixed else None if rw is None else round_half_up(rw * factor, step)
        for at, (rw, _) in enumerate(rows)
    ]
    left = total - sum((weight or 0) * n for weight, (_, n) in zip(weights, rows, strict=True))
    new = groups.with_columns(pl.Series("rw_e4", weights, dtype=pl.Int64))
    return new, Negotiated(len(fixed), factor, total, left)
