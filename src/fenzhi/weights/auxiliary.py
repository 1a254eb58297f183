"""Auxiliary coefficients: which family divides a group, and what its levels are worth. docs/rules.md, section 3."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isqrt, prod
from typing import NamedTuple

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.money import SCALE, step_of, to_e4
from fenzhi.policy.auxiliary import OTHER, Auxiliary
from fenzhi.policy.models import Policy
from fenzhi.weights.levels import level_name, with_levels
from fenzhi.weights.years import year_weights

# Coefficients of variation are compared at this many parts of one, cut off: no root has to be exact.
_PARTS = 10**9

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

    ``names``: the levels of each family. ``left_e4``: how much of the variation may be left inside levels.
    """

    auxiliary: Auxiliary
    names: list[tuple[str, ...]]
    weight_of: dict[int, int]
    pooling: str
    step: int
    left_e4: int


class _Part(NamedTuple):
    """Kept stays of a level: number, sum and sum of squares of costs; year, its weight, cost and stays."""

    n: int
    total: int
    squares: int
    years: tuple[tuple[int, int, int, int], ...]

    def cv_parts(self) -> int | None:
        if self.total <= 0:
            return None
        spread = self.n * self.squares - self.total**2
        return isqrt(spread * _PARTS**2 // self.total**2)

    def mean(self, pooling: str) -> tuple[int, int]:
        """Return the mean over years as numerator and denominator (:func:`fenzhi.weights.years.weighted_mean`).

        Whole numbers only: there are many levels, and fractions would be reduced again and again.
        """
        if pooling == "cases":
            return sum(w * cost for _, w, cost, _ in self.years), sum(w * n for _, w, _, n in self.years)
        every = prod(n for _, _, _, n in self.years)
        top = sum(w * cost * (every // n) for _, w, cost, n in self.years)
        return top, every * sum(w for _, w, _, _ in self.years)

    def year_costs(self) -> str:
        """Return cost and stays of the years in one cell."""
        return year_costs_text({year: (cost, n) for year, _, cost, n in self.years})


class _Whole(NamedTuple):
    """All kept stays of a group, whatever their level: their part, CV and mean."""

    part: _Part
    cv: int | None
    mean: tuple[int, int]


class _Split(NamedTuple):
    """A family tried on a group: status, means and coefficients per level, CV before and after."""

    place: int
    status: str
    parts: dict[int, _Part]
    means: dict[int, tuple[int, int]]
    coefficients: dict[int, int]
    before: float | None
    after: float | None


def year_costs_text(years: dict[int, tuple[int, int]]) -> str:
    """Return cost (fen) and stays of the years in one cell: ``2023:1200000/3|2024:800000/2``."""
    return "|".join(f"{year}:{cost}/{stays}" for year, (cost, stays) in sorted(years.items()))


def read_year_costs(text: str) -> dict[int, tuple[int, int]]:
    """Return year -> (cost in fen, stays) of a cell of :func:`year_costs_text`."""
    parts = [re.split("[:/]", part) for part in text.split("|")]
    return {int(year): (int(cost), int(stays)) for year, cost, stays in parts}


def _half_up(top: int, below: int, step: int = 1) -> int:
    """Return a ratio rounded half up to a multiple of ``step``."""
    return (2 * top + below * step) // (2 * below * step) * step


def _sums(kept: pl.DataFrame, rules: _Rules) -> pl.DataFrame:
    """Return n, total and squares of the kept stays that agree in group, year and all levels.

    The stays are read once here; every family then adds up these few rows. ``weight``: of the year.
    """
    cost = pl.col("cost_fen").cast(pl.Int128)
    names = [level_name(place) for place in range(len(rules.auxiliary.families))]
    weight = pl.col("year").replace_strict(rules.weight_of, default=None, return_dtype=pl.Int64)
    return (
        kept.group_by("group_idx", "year", *names)
        .agg(pl.len().cast(pl.Int64).alias("n"), cost.sum().alias("total"), (cost**2).sum().alias("squares"))
        .with_columns(weight.alias("weight"))
    )


def _by_year(sums: pl.DataFrame, keys: list[str]) -> Iterator[tuple[list[int], _Part]]:
    """Yield the values of the keys and their part."""
    years = (
        sums.group_by(*keys, "year", "weight")
        .agg(pl.col("n", "total", "squares").sum())
        .group_by(keys)
        .agg("year", "weight", "n", "total", pl.col("squares").sum())
    )
    # Years of a part in lists, one row a part: there are many, and each is touched once.
    for *values, named, weights, counts, costs, squares in years.iter_rows():
        each = tuple(zip(named, weights, costs, counts, strict=True))
        yield values, _Part(sum(counts), sum(costs), squares, each)


def _parts(sums: pl.DataFrame, place: int, rest: int, rules: Auxiliary) -> dict[int, dict[int, _Part]]:
    """Return group -> level -> its kept stays; levels with too few of them join the rest."""
    level = level_name(place)
    few = pl.col("n").sum().over("group_idx", level) < rules.min_level_cases
    sums = (
        sums.group_by("group_idx", level, "year", "weight")
        .agg(pl.col("n", "total", "squares").sum())
        .with_columns(pl.when(few).then(pl.lit(rest, pl.Int16)).otherwise(level).alias(level))
    )
    found: dict[int, dict[int, _Part]] = {}
    for (group, at), part in _by_year(sums, ["group_idx", level]):
        found.setdefault(group, {})[at] = part
    return found


def _try(place: int, parts: dict[int, _Part], whole: _Whole, rules: _Rules) -> _Split:
    """Divide a group by a family: is there more than one level, and do costs vary less inside them?"""
    before, n = whole.cv, whole.part.n
    inside = [before] if len(parts) == 1 else [part.cv_parts() for part in parts.values()]
    means = (
        dict.fromkeys(parts, whole.mean)
        if len(parts) == 1
        else {at: part.mean(rules.pooling) for at, part in parts.items()}
    )
    if before is None or None in inside or any(top < 0 for top, _ in means.values()):
        return _Split(place, "no_cost", parts, means, {}, None, None)
    varied = sum(part.n * (cv or 0) for part, cv in zip(parts.values(), inside, strict=True))
    shown = (before / _PARTS, varied / n / _PARTS)
    if len(parts) == 1:
        return _Split(place, "one_level", parts, means, {}, *shown)
    if not before or varied * SCALE > rules.left_e4 * n * before:
        return _Split(place, "cv_not_lower", parts, means, {}, *shown)
    cost, stays = whole.mean
    if cost <= 0:
        return _Split(place, "no_cost", parts, means, {}, *shown)
    coefficients = {
        at: _half_up(top * stays * SCALE, below * cost, rules.step) for at, (top, below) in means.items()
    }
    rest = len(rules.names[place]) - 1
    if rest in parts and parts[rest].n < rules.auxiliary.min_level_cases:
        coefficients[rest] = SCALE
    return _Split(place, "other_family", parts, means, coefficients, *shown)


def _chosen(splits: list[_Split]) -> list[_Split]:
    """Mark the family with the highest coefficient; equal ones by the order of the policy."""
    able = [split for split in splits if split.coefficients]
    if not able:
        return splits
    best = max(able, key=lambda split: (max(split.coefficients.values()), -split.place))
    return [split._replace(status="chosen") if split is best else split for split in splits]


def _rows(group: int, split: _Split, rules: Auxiliary, names: Sequence[str]) -> list[tuple[object, ...]]:
    family = rules.families[split.place]
    return [
        (
            *(group, family.name, names[at], None, None, part.n),
            *(_half_up(*split.means[at]), part.year_costs()),
            *(split.before, split.after, split.coefficients.get(at), split.status),
        )
        for at, part in sorted(split.parts.items())
    ]


def _applied(group: int, split: _Split, names: Sequence[str]) -> list[tuple[object, ...]]:
    """Return a row for every level a stay may have; small ones and those never seen go by the rest."""
    rest = len(names) - 1
    return [
        (
            *(group, split.place, at, name if at in split.coefficients else OTHER, None, None),
            split.coefficients.get(at, split.coefficients.get(rest, SCALE)),
        )
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
    able = _may_split(groups, weighed, policy, rules)
    index = history["group_idx"]
    at = index.set(index < 0, None)
    kept = history.filter(
        (index >= 0)
        & able.gather(at).fill_null(False)
        & (history["cost_fen"] >= weighed["low_fen"].gather(at))
        & (history["cost_fen"] <= weighed["high_fen"].gather(at))
    )
    counts = kept.group_by("group_idx").agg(pl.len().cast(pl.Int64).alias("cases"))
    small = counts.filter(pl.col("cases") < rules.min_cases)
    kept = kept.join(small, on="group_idx", how="anti")
    kept = with_levels(kept, rules, weighed["mean_cost_fen"])
    names = [rules.level_names(family) for family in rules.families]
    settings = _Rules(
        rules,
        names,
        year_weights(policy.weights, years),
        policy.weights.pooling,
        step_of(rules.decimals),
        SCALE - to_e4(rules.cv_drop),
    )
    sums = _sums(kept, settings)
    whole = {
        group: _Whole(part, part.cv_parts(), part.mean(settings.pooling))
        for (group,), part in _by_year(sums, ["group_idx"])
    }
    splits: dict[int, list[_Split]] = {}
    for place, levels in enumerate(names):
        for group, parts in _parts(sums, place, len(levels) - 1, rules).items():
            splits.setdefault(group, []).append(_try(place, parts, whole[group], settings))
    rows: list[tuple[object, ...]] = []
    applied: list[tuple[object, ...]] = []
    for group, tried in splits.items():
        for split in _chosen(tried):
            rows += _rows(group, split, rules, names[split.place])
            if split.status == "chosen":
                applied += _applied(group, split, names[split.place])
    table = pl.DataFrame(rows, schema=TABLE, orient="row")
    few = small.with_columns(
        pl.lit("too_few_cases").alias("status"), weighed["cv"].gather(small["group_idx"]).alias("cv")
    )
    # Levels stay in the order of the policy.
    both = pl.concat([table, few], how="diagonal_relaxed").sort("group_idx", maintain_order=True)
    return AuxiliaryTypes(
        both, pl.DataFrame(applied, schema=APPLIED, orient="row").sort("group_idx", "found")
    )


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
