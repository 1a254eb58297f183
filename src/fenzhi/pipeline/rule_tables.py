"""The result tables and facts of a year, made from its parts: whose rules a row follows is in its columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from fenzhi.catalogs import DipCatalog, DrgCatalog
from fenzhi.pipeline.auxiliary import auxiliary_table
from fenzhi.pipeline.parts import PART, Part, of_part
from fenzhi.pipeline.tcm import tcm_facts
from fenzhi.policy import Policy
from fenzhi.results import shape
from fenzhi.weights import Weights


def _further_tables(groups: pl.DataFrame, weights: Weights, form: str) -> dict[str, pl.DataFrame]:
    """Return the tables of coefficients that differ from group to group, where the policy has such."""
    found = {"cost": ("coefficients", weights.costs), "group": ("class_coefficients", weights.by_class)}
    if form not in found:
        return {}
    name, table = found[form]
    table = table.with_columns(groups["group_id"].gather(table["group_idx"]))
    return {name: shape(table.drop("group_idx"), name)}


def _groups_table(groups: pl.DataFrame, weights: Weights, paid: pl.DataFrame) -> pl.DataFrame:
    year = (
        paid.filter((pl.col("group_idx") >= 0) & (pl.col("outcome") != "ungrouped"))
        .group_by("group_idx")
        .agg(
            pl.len().cast(pl.Int64).alias("cases"),
            pl.col("cost_fen", "points_e4", "payable_fen", "booked_fen").sum(),
        )
    )
    table = (
        groups.select("group_id", "name", "layer", "grassroots")
        .with_columns(weights.groups.get_columns())
        .join(year, on="group_idx", how="left", maintain_order="left")
        .with_columns(pl.col("cases", "cost_fen", "points_e4", "payable_fen", "booked_fen").fill_null(0))
        .drop("last_mean_fen", "low_fen", "high_fen")
        .drop("group_idx")
    )
    return shape(table, "groups")


def named(frame: pl.DataFrame, parts: Sequence[Part]) -> pl.DataFrame:
    """Add the columns ``policy`` and ``catalog`` to stays of the year."""
    if PART not in frame.columns:
        return frame.with_columns(parts[0].names)
    place = frame[PART]
    ids = {
        "policy": pl.Series([part.policy.meta.id for part in parts]),
        "catalog": pl.Series([part.setting.catalog.meta.id for part in parts]),
    }
    return frame.with_columns(names.gather(place).alias(name) for name, names in ids.items())


def rule_tables(parts: Sequence[Part], settled: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return ``groups`` and the tables of coefficients that the policies make: the rows of each part after another.

    ``settled``: the stays of all parts that were paid.
    """
    found: dict[str, list[pl.DataFrame]] = {}
    for at, part in enumerate(parts):
        tables = {"groups": _groups_table(part.groups, part.weights, of_part(settled, at))}
        tables |= _further_tables(part.groups, part.weights, part.policy.coefficients.form)
        if part.policy.auxiliary is not None:
            tables["auxiliary"] = auxiliary_table(part.groups, part.weights)
        for name, table in tables.items():
            found.setdefault(name, []).append(table.with_columns(part.names))
    return {name: pl.concat(frames) for name, frames in found.items()}


def hospital_coefficients(parts: Sequence[Part]) -> pl.DataFrame:
    """Return fixmedins_code, coefficient_e4: null where it differs from group to group or from part to part."""
    columns = ("fixmedins_code", "coefficient_e4")
    frames = [part.weights.coefficients.select(columns) for part in parts]
    if len(frames) == 1:
        return frames[0]
    value = pl.col("coefficient_e4")
    same = (value.n_unique() == 1) & (value.null_count() == 0)
    return (
        pl.concat(frames)
        .group_by("fixmedins_code", maintain_order=True)
        .agg(pl.when(same).then(value.first()).alias("coefficient_e4"))
    )


def band_kinds(parts: Sequence[Part]) -> tuple[pl.Expr, pl.Expr]:
    """Return expressions of ``deviation``: whether a stay lies in a band below, above the normal one of its part."""
    low, high = pl.lit(False), pl.lit(False)
    for at, part in enumerate(parts):
        mine = pl.lit(True) if len(parts) == 1 else pl.col(PART) == at
        below, above = _bands(part.policy)
        low = low | (mine & pl.col("deviation").is_in(below).fill_null(False))
        high = high | (mine & pl.col("deviation").is_in(above).fill_null(False))
    return low, high


def _bands(policy: Policy) -> tuple[list[str], list[str]]:
    """Return the names of bands below and above the normal one."""
    low: dict[str, None] = {}
    high: dict[str, None] = {}
    for tier in policy.deviation.all_tiers():
        names = [band.name for band in tier.bands]
        normal = next((i for i, band in enumerate(tier.bands) if band.points == "normal"), len(names))
        low.update(dict.fromkeys(names[:normal]))
        high.update(dict.fromkeys(names[normal + 1 :]))
    if policy.deviation.top_share is not None:
        high[policy.deviation.top_share.name] = None
    return list(low), list(high)


def missing_columns(stays: pl.DataFrame, policy: Policy) -> list[str]:
    """Say which rules find nobody because the records lack a column."""
    needed = {}
    if policy.readmission is not None:
        needed["psn_no"] = "nobody counts as readmitted"
    if policy.incomplete is not None and policy.incomplete.ways:
        needed["dscg_way"] = "no stay counts as incomplete by its way of discharge"
    return [
        f"the records have no {name}: {what}"
        for name, what in needed.items()
        if name not in stays.columns or stays[name].null_count() == stays.height > 0
    ]


def _negotiated(weights: Weights) -> dict[str, Any] | None:
    """Return what negotiated weights did, for the manifest; None without any."""
    found = weights.negotiated
    if found is None:
        return None
    return {
        "groups": found.groups,
        "factor": str(found.factor),
        "total_e4": found.total_e4,
        "left_e4": found.left_e4,
    }


def part_facts(part: Part) -> dict[str, Any]:
    """Return what the manifest says of the history under the rules of a part, and of its catalogue."""
    catalog = part.setting.catalog
    return {
        "mean_cost_fen": part.weights.mean_fen,
        "history_years": list(part.weights.years),
        "classes": part.weights.classes.to_dicts(),
        "negotiated": _negotiated(part.weights),
        **tcm_facts(part.setting),
        "catalog": {
            "id": catalog.meta.id,
            "title": catalog.meta.title,
            "version": catalog.meta.version,
            "digest": catalog.digest,
            **_chapters(catalog),
        },
    }


def rules_facts(parts: Sequence[Part], cases: pl.DataFrame) -> dict[str, Any]:
    """Return the rules of every part of a year that has several: id of the pack, days, stays, and its facts."""
    if len(parts) == 1:
        return {}
    counts = {
        (policy, catalog): n for policy, catalog, n in cases.group_by("policy", "catalog").len().iter_rows()
    }
    return {
        "rules": [
            {
                "policy": part.policy.meta.id,
                "first": part.setting.period.first.isoformat(),
                "last": part.setting.period.last.isoformat(),
                "stays": counts.get((part.policy.meta.id, part.setting.catalog.meta.id), 0),
                **part_facts(part),
            }
            for part in parts
        ]
    }


def _chapters(catalog: DipCatalog | DrgCatalog) -> dict[str, dict[str, str]]:
    """Return the names of a DRG catalogue's chapters for the manifest; the reports show them."""
    if not isinstance(catalog, DrgCatalog):
        return {}
    return {"chapters": dict(catalog.tables["mdc"].select("mdc", "name").iter_rows())}
