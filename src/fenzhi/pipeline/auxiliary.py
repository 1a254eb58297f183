"""Auxiliary types in the year: their lists, the coefficients, the result table, the replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.codes import Comorbidity, read_comorbidity
from fenzhi.codes.comorbidity import SCORE
from fenzhi.errors import ConservationError, PolicyError, RegionError
from fenzhi.money import SCALE, format_fen, round_half_up, step_of
from fenzhi.policy.auxiliary import Auxiliary
from fenzhi.policy.models import Policy
from fenzhi.region import Region
from fenzhi.results import shape
from fenzhi.shipped import shipped_dir
from fenzhi.weights import Weights
from fenzhi.weights.auxiliary import listed_auxiliary, measure_auxiliary, read_year_costs
from fenzhi.weights.years import weighted_mean, year_weights


def load_lists(region: Region) -> Comorbidity | None:
    """Return the comorbidity lists that the region's policy names; None if it names none.

    Raises :class:`PolicyError` if there is no such file or a family asks for a list that is not in it.
    """
    rules = region.policy.auxiliary
    if rules is None or rules.comorbidity is None:
        return None
    path = region.path(rules.comorbidity)
    if not path.is_file():
        path = shipped_dir() / "comorbidity" / f"{rules.comorbidity}.csv"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.csv")))
        raise PolicyError(
            "there are no such comorbidity lists",
            code="POLICY_COMORBIDITY",
            field="auxiliary.comorbidity",
            value=rules.comorbidity,
            remedy=f"give a file in the region's folder or one of: {known}",
        )
    lists = read_comorbidity(path)
    wanted = [*rules.lists(), *([SCORE] if rules.scores() else [])]
    for name in wanted:
        if name not in lists.names:
            raise PolicyError(
                "the comorbidity file has no such list",
                code="POLICY_COMORBIDITY",
                file=path,
                field="list",
                value=name,
                remedy=f"add its rows, or use one of: {', '.join(sorted(lists.names))}",
            )
    return lists


def fitting_rows(parts: Sequence[tuple[Region, pl.DataFrame]]) -> list[pl.DataFrame]:
    """Return for each period of a year its rows of auxiliary.csv: without those that only fit another one.

    ``parts``: the period's region and all groups of its catalogue. A row that fits none stays everywhere, to be
    refused; a period that takes no listed coefficients has no rows, if another does.
    """
    listed = parts[0][0].auxiliary
    takes = [
        region.policy.auxiliary is not None and region.policy.auxiliary.source == "listed"
        for region, _ in parts
    ]
    fits = []
    for taken, (region, groups) in zip(takes, parts, strict=True):
        layers = dict(groups.select("group_id", "layer").iter_rows())
        rows = listed.iter_rows(named=True)
        fits.append([taken and _fits(row, region.policy.auxiliary, layers) for row in rows])
    strange = [not any(column) for column in zip(*fits, strict=True)]
    found = []
    for taken, mine in zip(takes, fits, strict=True):
        keep = [one or odd for one, odd in zip(mine, strange, strict=True)]
        none = any(takes) and not taken
        found.append(listed.clear() if none else listed.filter(pl.Series(keep, dtype=pl.Boolean)))
    return found


def _fits(row: dict[str, Any], rules: Auxiliary | None, layers: dict[str, str]) -> bool:
    """Tell whether a listed coefficient is of a group, family and level that a period has."""
    assert rules is not None
    family = next((one for one in rules.families if one.name == row["family"]), None)
    if family is None or row["level"] not in rules.level_names(family):
        return False
    return row["group_id"] in layers and layers[row["group_id"]] not in rules.excluded_layers


def fee_columns(rules: Auxiliary | None) -> frozenset[str]:
    """Return the fee columns that history is read with besides what weights need."""
    return frozenset() if rules is None else frozenset(rules.fees())


def with_types(weights: Weights, history: pl.DataFrame, groups: pl.DataFrame, region: Region) -> Weights:
    """Return the weights with auxiliary types, measured on history or listed by the region.

    ``history``: the stays that weights are measured on, with marks. Raises :class:`RegionError` if the policy
    wants a list that the region does not have, or has a list that the policy does not want.
    """
    policy = region.policy
    rules = policy.auxiliary
    listed = rules is not None and rules.source == "listed"
    if listed != bool(region.auxiliary.height):
        raise RegionError(
            "the policy takes auxiliary coefficients from auxiliary.csv, which lists none"
            if listed
            else "auxiliary.csv lists coefficients, but the policy does not take them from there",
            code="REGION_AUXILIARY",
            file=region.folder / (region.meta.auxiliary or "auxiliary.csv"),
            field="auxiliary.source",
            value=None if rules is None else rules.source,
            remedy="give the list"
            if listed
            else 'remove the file or set source = "listed" in [auxiliary] of the policy',
        )
    if rules is None:
        return weights
    if listed:
        return replace(weights, auxiliary=listed_auxiliary(region.auxiliary, groups, policy))
    found = measure_auxiliary(history, groups, weights.groups, policy, weights.years)
    return replace(weights, auxiliary=found)


def auxiliary_table(groups: pl.DataFrame, weights: Weights) -> pl.DataFrame:
    """Return the result table of auxiliary types."""
    assert weights.auxiliary is not None
    table = weights.auxiliary.table
    named = table.with_columns(groups["group_id"].gather(table["group_idx"]).alias("group_id"))
    return shape(named.drop("group_idx"), "auxiliary")


def auxiliary_formula(table: pl.DataFrame, case: dict[str, Any], policy: Policy, years: Sequence[int]) -> str:
    """Return a stay's level in the family of its group, and its coefficient formed again from the figures of the run.

    ``table``: of the run. ``years``: of its history. Raises :class:`ConservationError` if another coefficient comes
    out than the stay has.
    """
    rules = policy.auxiliary
    assert rules is not None
    if case["auxiliary_family"] is None:
        _same(case, [SCALE])
        return "no coefficient for this stay: 1"
    family = next(one for one in rules.families if one.name == case["auxiliary_family"])
    name = rules.title_of(family, case["auxiliary_level"])
    tried = table.filter(pl.col("group_id") == case["group_id"], pl.col("family") == family.name)
    rows = tried.filter(pl.col("level") == case["auxiliary_level"])
    if rules.source == "listed":
        _same(case, rows["coefficient_e4"].to_list())
        return f"{name}; auxiliary.csv, the largest that fits"
    row: dict[str, Any] = rows.row(0, named=True) if rows.height else {"cases": 0}
    if row["cases"] < rules.min_level_cases:
        _same(case, [SCALE])
        return f"{name}: {row['cases']} stays in history: 1"
    weight_of = year_weights(policy.weights, years)
    mine = _mean([row["year_costs"]], weight_of, policy)
    whole = _mean(tried["year_costs"].to_list(), weight_of, policy)
    _same(case, [round_half_up(mine / whole * SCALE, step_of(rules.decimals))])
    means = f"m_j {format_fen(round_half_up(mine))} / m {format_fen(round_half_up(whole))}"
    return f"{name}: {means}, {row['cases']} stays; CV {row['cv']:.4f} -> {row['cv_after']:.4f}"


def _mean(cells: Sequence[str], weight_of: dict[int, int], policy: Policy) -> Fraction:
    """Return the mean cost of levels taken together, from their costs and stays of each year."""
    sums: dict[int, tuple[int, int]] = {}
    for cell in cells:
        for year, (cost, stays) in read_year_costs(cell).items():
            have = sums.get(year, (0, 0))
            sums[year] = (have[0] + cost, have[1] + stays)
    mean = weighted_mean(sums, weight_of, policy.weights.pooling)
    assert mean is not None
    return mean


def _same(case: dict[str, Any], again: Sequence[int]) -> None:
    if case["auxiliary_e4"] not in again:
        raise ConservationError(
            "the replay gives another auxiliary coefficient than the run",
            field="auxiliary_e4",
            value=(case["auxiliary_e4"], list(again)),
        )
