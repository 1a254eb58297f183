"""Auxiliary coefficients: which family divides a group, and what its levels are worth. docs/rules.md, section 3."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl

from fenzhi.arrays import Int32s, Int64s, freeze
from fenzhi.errors import RegionError
from fenzhi.money import SCALE, round_ratio, step_of, to_e4
from fenzhi.policy.auxiliary import OTHER, Auxiliary
from fenzhi.policy.models import Policy
from fenzhi.weights.level_sums import (
    CV_PARTS,
    Figures,
    Kept,
    Sums,
    figures,
    joined,
    level_sums,
    mean_costs,
    year_costs_texts,
)
from fenzhi.weights.levels import level_name, with_levels
from fenzhi.weights.years import year_weights

TABLE: dict[str, type[pl.DataType]] = {
    "group_idx": pl.Int32,
    "family": pl.String,
    "level": pl.String,
    "los_from_days": pl.Int32,
    "los_upto_days": pl.Int32,
    "cases": pl.Int64,
    "mean_cost_fen": pl.Int64,
    "year_costs": pl.String,
    "cv": pl.Float64,
    "cv_after": pl.Float64,
    "coefficient_e4": pl.Int64,
    "status": pl.String,
}
APPLIED: dict[str, type[pl.DataType]] = {
    "group_idx": pl.Int32,
    "place": pl.Int16,
    "found": pl.Int16,
    "level": pl.String,
    "los_from_days": pl.Int32,
    "los_upto_days": pl.Int32,
    "coefficient_e4": pl.Int64,
}


@dataclass(frozen=True)
class AuxiliaryTypes:
    """What auxiliary types a year has.

    ``table``: one row per group, family and level that was looked at (:data:`TABLE`), with what became of it.
    ``applied``: coefficients for points (:data:`APPLIED`): ``place`` of the family in the policy, ``found`` the
    index of a stay's level, ``level`` the name it goes by.
    """

    table: pl.DataFrame
    applied: pl.DataFrame


class _Rules(NamedTuple):
    """What trying families needs of the policy.

    ``names``: the levels of each family. ``weights``: of the years. ``left_e4``: how much of the variation may be
    left inside levels.
    """

    auxiliary: Auxiliary
    names: list[tuple[str, ...]]
    weights: list[int]
    pooling: str
    step: int
    left_e4: int


class _Tried(NamedTuple):
    """A family tried on all groups: ``groups`` (ids) and ``levels`` of its parts, a row each, and what they come to.

    ``starts``: where the parts of a group begin, and the end. Per group ``statuses``, CV ``before`` and ``after``; per
    part ``coefficients``, None where the family does not divide the group.
    """

    groups: Int32s
    levels: Int64s
    sums: Sums
    figures: Figures
    starts: list[int]
    statuses: list[str]
    before: list[float | None]
    after: list[float | None]
    coefficients: list[int | None]

    def highest(self, group: int) -> int | None:
        """Return the highest coefficient in a group (by number), None without any."""
        mine = self.coefficients[self.starts[group] : self.starts[group + 1]]
        return None if mine[0] is None else max(one for one in mine if one is not None)


def read_year_costs(text: str) -> dict[int, tuple[int, int]]:
    """Return year -> (cost in fen, stays) of a cell of :func:`year_costs_text`."""
    parts = [re.split("[:/]", part) for part in text.split("|")]
    return {int(year): (int(cost), int(stays)) for year, cost, stays in parts}


def _try(sums: Sums, ids: Int32s, whole: Figures, rest: int, rules: _Rules) -> _Tried:
    """Try a family on every group. ``sums``: (groups, levels, years); ``rest``: the last level."""
    sums = joined(sums, rules.auxiliary.min_level_cases)
    at, levels = np.nonzero(sums.n.sum(axis=2))
    parts = sums.each((at, levels))
    found = figures(parts, rules.weights, rules.pooling)
    starts = np.searchsorted(at, np.arange(len(ids) + 1)).tolist()
    tried = _Tried(ids[at], levels, parts, found, starts, [], [], [], [])
    for group, (start, end) in enumerate(pairwise(starts)):
        status, inside, coefficients = _divide(found, range(start, end), whole, group, rules)
        if (
            coefficients
            and levels[end - 1] == rest
            and found.cases[end - 1] < rules.auxiliary.min_level_cases
        ):
            coefficients[-1] = SCALE
        before = whole.cvs[group]
        known = inside is not None and before is not None
        tried.statuses.append(status)
        tried.before.append(before / CV_PARTS if known and before is not None else None)
        tried.after.append(inside / whole.cases[group] / CV_PARTS if known and inside is not None else None)
        tried.coefficients.extend(coefficients or [None] * (end - start))
    return tried


def _divide(
    parts: Figures, mine: range, whole: Figures, group: int, rules: _Rules
) -> tuple[str, int | None, list[int | None] | None]:
    """Divide a group into its parts (``mine``): is there more than one, and do costs vary less inside them?

    Returns the status, the CV inside the levels summed over stays, and the coefficients of the levels if it is so.
    """
    n, before = whole.cases[group], whole.cvs[group]
    cvs = parts.cvs[mine.start : mine.stop]
    if before is None or None in cvs or (parts.below_zero and any(parts.mean(at)[0] < 0 for at in mine)):
        return "no_cost", None, None
    inside = sum([parts.cases[at] * (cv or 0) for at, cv in zip(mine, cvs, strict=True)])
    if len(mine) == 1:
        return "one_level", inside, None
    if not before or inside * SCALE > rules.left_e4 * n * before:
        return "cv_not_lower", inside, None
    cost, stays = whole.mean(group)
    if cost <= 0:
        return "no_cost", inside, None
    # Only here the exact means are needed: most families do not get so far.
    means = [parts.mean(at) for at in mine]
    return (
        "other_family",
        inside,
        [round_ratio(top * stays * SCALE, below * cost, rules.step) for top, below in means],
    )


def _choose(tried: list[_Tried], groups: int) -> dict[int, int]:
    """Mark for every group the family with the highest coefficient; equal ones by the order of the policy.

    Returns the place of the family by number of the group.
    """
    chosen: dict[int, int] = {}
    for group in range(groups):
        able = [
            (-highest, place)
            for place, one in enumerate(tried)
            if (highest := one.highest(group)) is not None
        ]
        if able:
            _, place = min(able)
            tried[place].statuses[group] = "chosen"
            chosen[group] = place
    return chosen


def _table(place: int, tried: _Tried, rules: _Rules, years: tuple[int, ...]) -> pl.DataFrame:
    """Return the rows of :data:`TABLE` of a family, group by group in the order of its levels."""
    of = np.repeat(np.arange(len(tried.statuses)), np.diff(tried.starts))
    names = pl.Series(rules.names[place], dtype=pl.String)
    columns = {
        "group_idx": pl.Series(tried.groups),
        "family": pl.repeat(rules.auxiliary.families[place].name, len(of), eager=True),
        "level": names.gather(tried.levels),
        "cases": pl.Series(tried.figures.cases, dtype=pl.Int64),
        "mean_cost_fen": pl.Series(mean_costs(tried.sums, rules.weights, rules.pooling), dtype=pl.Int64),
        "year_costs": year_costs_texts(tried.sums, years),
        "cv": pl.Series(tried.before, dtype=pl.Float64).gather(of),
        "cv_after": pl.Series(tried.after, dtype=pl.Float64).gather(of),
        "coefficient_e4": pl.Series(tried.coefficients, dtype=pl.Int64),
        "status": pl.Series(tried.statuses, dtype=pl.String).gather(of),
    }
    frame = pl.DataFrame(columns)
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in TABLE.items() if name not in columns]
    return frame.with_columns(absent).select(*TABLE)


def _applied(group: int, place: int, tried: _Tried, names: Sequence[str]) -> list[tuple[object, ...]]:
    """Return a row for every level a stay may have; small ones and those never seen go by the rest."""
    start, end = tried.starts[group], tried.starts[group + 1]
    own = dict(zip(tried.levels[start:end].tolist(), tried.coefficients[start:end], strict=True))
    rest = own.get(len(names) - 1, SCALE)
    number = int(tried.groups[start])
    return [
        (number, place, at, name if at in own else OTHER, None, None, own.get(at, rest))
        for at, name in enumerate(names)
    ]


def _may_split(groups: pl.DataFrame, weighed: pl.DataFrame, policy: Policy, rules: Auxiliary) -> pl.Series:
    """Return per group whether auxiliary types are possible: by its layer, and not paid by cost alone."""
    able = ~groups["layer"].is_in(list(rules.excluded_layers)).fill_null(False)
    if policy.stability is not None and policy.stability.rule == "share_of_cost":
        able = able & weighed["stable"].fill_null(True)
    return able


def measure_auxiliary(
    history: pl.DataFrame, groups: pl.DataFrame, weighed: pl.DataFrame, policy: Policy, years: tuple[int, ...]
) -> AuxiliaryTypes:
    """Find the family that divides each group, and the coefficients of its levels.

    ``history``: group_idx, year, cost_fen and the marks of :func:`fenzhi.weights.levels.mark_levels`. ``groups``:
    of the catalogue (layer). ``weighed``: ``Weights.groups``; trimming keeps the same stays as for weights.
    ``years``: of the history.
    """
    rules = policy.auxiliary
    assert rules is not None
    names = [rules.level_names(family) for family in rules.families]
    weight_of = year_weights(policy.weights, years)
    settings = _Rules(
        rules,
        names,
        [weight_of[year] for year in years],
        policy.weights.pooling,
        step_of(rules.decimals),
        SCALE - to_e4(rules.cv_drop),
    )
    stays, small = _kept(history, _may_split(groups, weighed, policy, rules), weighed, rules.min_cases)
    stays = with_levels(stays, rules, weighed["mean_cost_fen"])
    ids, numbers = np.unique(stays["group_idx"].to_numpy(), return_inverse=True)
    place = stays["year"].replace_strict(years, range(len(years)), return_dtype=pl.Int16)
    kept = Kept(*freeze(numbers.astype(np.int32), place.to_numpy(), stays["cost_fen"].to_numpy()))
    whole: Figures | None = None
    tried: list[_Tried] = []
    for at, levels in enumerate(names):
        found = stays[level_name(at)].to_numpy()
        sums = level_sums(kept, found, (len(ids), len(levels), len(years)))
        if whole is None:
            whole = figures(Sums(*(array.sum(axis=1) for array in sums)), settings.weights, settings.pooling)
        tried.append(_try(sums, ids, whole, len(levels) - 1, settings))
    chosen = _choose(tried, len(ids))
    applied = [row for group, at in chosen.items() for row in _applied(group, at, tried[at], names[at])]
    few = small.with_columns(
        pl.lit("too_few_cases").alias("status"), weighed["cv"].gather(small["group_idx"]).alias("cv")
    )
    tables = [_table(at, one, settings, years) for at, one in enumerate(tried)]
    # Families and levels stay in the order of the policy.
    both = pl.concat([*tables, few], how="diagonal_relaxed").sort("group_idx", maintain_order=True)
    return AuxiliaryTypes(
        both, pl.DataFrame(applied, schema=APPLIED, orient="row").sort("group_idx", "found")
    )


def _kept(
    history: pl.DataFrame, able: pl.Series, weighed: pl.DataFrame, least: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the kept stays of groups that may be divided, and group_idx, cases of those with too few of them."""
    index = history["group_idx"]
    at = index.set(index < 0, None)
    bounds = weighed.select(pl.when(able).then(name).alias(name) for name in ("low_fen", "high_fen"))
    low, high = bounds["low_fen"].gather(at), bounds["high_fen"].gather(at)
    inside = (history["cost_fen"] >= low) & (history["cost_fen"] <= high)
    kept = history.drop("fixmedins_code", strict=False).filter(inside)
    cases = pl.Series("cases", np.bincount(kept["group_idx"].to_numpy(), minlength=weighed.height))
    counts = pl.DataFrame([cases.cast(pl.Int64)]).select(
        pl.int_range(pl.len(), dtype=pl.Int32).alias("group_idx"), "cases"
    )
    small = counts.filter(pl.col("cases").is_between(1, least - 1))
    return kept.filter((cases >= least).gather(kept["group_idx"])), small


def listed_auxiliary(listed: pl.DataFrame, groups: pl.DataFrame, policy: Policy) -> AuxiliaryTypes:
    """Take the coefficients that the region lists.

    ``listed``: group_id, family, level, los_from_days, los_upto_days, coefficient_e4, source_file, source_row.
    Raises :class:`RegionError` for a group, family or level that does not exist, or a group whose layer has no
    auxiliary types.
    """
    rules = policy.auxiliary
    assert rules is not None
    ids = {group: at for at, group in enumerate(groups["group_id"])}
    names = {family.name: rules.level_names(family) for family in rules.families}
    places = {family.name: place for place, family in enumerate(rules.families)}

    def wrong(row: dict[str, object], field: str, message: str, remedy: str) -> RegionError:
        return RegionError(
            message,
            code="REGION_AUXILIARY",
            file=str(row["source_file"]),
            row=int(str(row["source_row"])),
            field=field,
            value=row[field],
            remedy=remedy,
        )

    rows: list[tuple[object, ...]] = []
    applied: list[tuple[object, ...]] = []
    for row in listed.iter_rows(named=True):
        group, family, level = row["group_id"], row["family"], row["level"]
        if group not in ids:
            raise wrong(row, "group_id", "the catalogue has no such group", "correct the code")
        if groups["layer"][ids[group]] in rules.excluded_layers:
            raise wrong(row, "group_id", "groups of this layer have no auxiliary types", "take the row out")
        if family not in places:
            raise wrong(row, "family", "the policy has no such family", f"use one of: {', '.join(places)}")
        if level not in names[family]:
            raise wrong(
                row, "level", "the family has no such level", f"use one of: {', '.join(names[family])}"
            )
        los = (row["los_from_days"], row["los_upto_days"])
        value = row["coefficient_e4"]
        rows.append((ids[group], family, level, *los, None, None, None, None, None, value, "listed"))
        applied.append((ids[group], places[family], names[family].index(level), level, *los, value))
    return AuxiliaryTypes(
        pl.DataFrame(rows, schema=TABLE, orient="row").sort("group_idx", maintain_order=True),
        pl.DataFrame(applied, schema=APPLIED, orient="row").sort("group_idx", "found", maintain_order=True),
    )
