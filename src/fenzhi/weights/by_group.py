"""Coefficients of a class in a group: mean of the class / mean of the region there. docs/rules.md, section 3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

import polars as pl

from fenzhi.errors import PolicyError
from fenzhi.money import SCALE, round_half_up, step_of
from fenzhi.policy.coefficients import Coefficients
from fenzhi.policy.models import Policy
from fenzhi.weights.items import bounded
from fenzhi.weights.years import weighted_mean

SCHEMA: dict[str, pl.DataType] = {
    "class": pl.String(),
    "group_idx": pl.Int32(),
    "cases": pl.Int64(),
    "mean_fen": pl.Int64(),
    "region_mean_fen": pl.Int64(),
    "reason": pl.String(),
    "coefficient_e4": pl.Int64(),
}
# Years of one class in one group: year -> cost, stays.
Sums = dict[int, tuple[int, int]]


def no_group_coefficients() -> pl.DataFrame:
    """Return the table without rows."""
    return pl.DataFrame(schema=SCHEMA)


def class_of(by: Iterable[str]) -> pl.Expr:
    """Return the expression of a hospital's class: its columns joined by ``|``; no columns, one class for all."""
    names = list(by)
    # A policy may put all hospitals into one class: then the class has an empty key.
    if not names:
        return pl.lit("").alias("class")
    return pl.concat_str([pl.col(name).fill_null("") for name in names], separator="|").alias("class")


def conservative_groups(groups: pl.DataFrame) -> pl.Series:
    """Return per group whether it is for stays without operation: treatment of a DIP group, type of a DRG's ADRG."""
    column = "treatment" if "treatment" in groups.columns else "layer"
    return groups[column].is_in(["conservative", "medical"]).fill_null(False)


def exempt_groups(groups: pl.DataFrame, rules: Coefficients) -> pl.Series | None:
    """Return per group whether its layer is exempt from coefficients; None if the policy exempts no layer.

    Raises :class:`PolicyError` for a layer that no group of the catalogue lies in.
    """
    layers = groups["layer"]
    unknown = sorted(set(rules.exempt_layers) - set(layers.drop_nulls()))
    if unknown:
        raise PolicyError(
            "no group of the catalogue lies in this layer",
            code="POLICY_LAYER",
            field="coefficients.exempt_layers",
            value=unknown[0],
            remedy=f"use one of: {', '.join(sorted(set(layers.drop_nulls())))}",
        )
    if not rules.exempt_layers:
        return None
    return layers.is_in(list(rules.exempt_layers)).fill_null(False)


def _ladders(hospitals: pl.DataFrame, rules: Coefficients) -> list[list[str]]:
    """Return the classes that differ in level only, from the lowest level to the highest."""
    if "level" not in rules.by:
        return []
    rest = [name for name in rules.by if name != "level"]
    ladders: dict[tuple[str | None, ...], list[tuple[int, str]]] = {}
    for row in hospitals.select(*rules.by, class_of(rules.by)).unique().iter_rows(named=True):
        place = rules.level_order.index(row["level"])
        ladders.setdefault(tuple(row[name] for name in rest), []).append((place, row["class"]))
    return [[name for _, name in sorted(steps)] for steps in ladders.values()]


def _yearly(kept: pl.DataFrame, *keys: str) -> dict[tuple[Any, ...], Sums]:
    table = kept.group_by(*keys, "year").agg(pl.col("cost_fen").cast(pl.Int128).sum(), pl.len())
    found: dict[tuple[Any, ...], Sums] = {}
    for *key, year, cost, stays in table.iter_rows():
        found.setdefault(tuple(key), {})[year] = (cost, stays)
    return found


def _reason(
    means: Mapping[str, Fraction], cases: Mapping[str, int], ladders: list[list[str]], least: int
) -> str | None:
    """Return why classes have no coefficients of their own in a group, None if they have."""
    if any(n < least for n in cases.values()):
        return "few_stays"
    if any(mean <= 0 for mean in means.values()):
        return "no_cost"
    falls = (means[high] < means[low] for steps in ladders for low, high in pairwise(steps))
    return "inversion" if any(falls) else None


def group_coefficients(
    kept: pl.DataFrame,
    hospitals: pl.DataFrame,
    groups: pl.DataFrame,
    policy: Policy,
    weight_of: dict[int, int],
) -> pl.DataFrame:
    """Return one row per class and group that has kept stays, sorted: the columns of :data:`SCHEMA`.

    ``kept``: group_idx, year, fixmedins_code, cost_fen of the stays that trimming left; ``hospitals``:
    fixmedins_code, level, type. ``reason``: why the class has no coefficient of its own there (``conservative``,
    ``few_stays``, ``no_cost``, ``inversion``); then coefficient_e4 is null.
    """
    rules, pooling = policy.coefficients, policy.weights.pooling
    classed = hospitals.select("fixmedins_code", class_of(rules.by))
    names = sorted(classed["class"].unique())
    ladders = _ladders(hospitals, rules)
    own = _yearly(kept.join(classed, on="fixmedins_code"), "group_idx", "class")
    region = _yearly(kept, "group_idx")
    conservative = conservative_groups(groups)
    step = step_of(rules.decimals)
    rows = []
    for group in sorted(key[0] for key in region):
        whole = weighted_mean(region[(group,)], weight_of, pooling)
        sums = {name: own.get((group, name), {}) for name in names}
        cases = {name: sum(n for _, n in years.values()) for name, years in sums.items()}
        found = {name: weighted_mean(years, weight_of, pooling) for name, years in sums.items()}
        means = {name: mean for name, mean in found.items() if mean is not None}
        reason = "conservative" if conservative[group] else _reason(means, cases, ladders, rules.min_cases)
        assert whole is not None
        everywhere = round_half_up(whole)
        for name in names:
            mean = found[name]
            value = None
            if reason is None and mean is not None:
                value = bounded(round_half_up(mean / whole * SCALE, step), rules)
            shown = None if mean is None else round_half_up(mean)
            rows.append((name, group, cases[name], shown, everywhere, reason, value))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")
