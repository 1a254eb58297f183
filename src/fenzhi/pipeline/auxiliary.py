"""Auxiliary types in the year: their lists, the coefficients, the result table, the replay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from fenzhi.codes import Comorbidity, read_comorbidity
from fenzhi.codes.comorbidity import SCORE
from fenzhi.errors import ConservationError, PolicyError, RegionError
from fenzhi.money import SCALE, format_fen
from fenzhi.policy.auxiliary import Auxiliary
from fenzhi.region import Region
from fenzhi.results import shape
from fenzhi.shipped import shipped_dir
from fenzhi.weights import Weights
from fenzhi.weights.auxiliary import listed_auxiliary, measure_auxiliary


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


def auxiliary_formula(table: pl.DataFrame, case: dict[str, Any], rules: Auxiliary) -> str:
    """Return a stay's level in the family of its group, and where the coefficient comes from.

    ``table``: of the run. Raises :class:`ConservationError` if the table has another coefficient than the stay.
    """
    if case["auxiliary_family"] is None:
        return "no coefficient for this stay: 1"
    family = next(one for one in rules.families if one.name == case["auxiliary_family"])
    name = rules.title_of(family, case["auxiliary_level"])
    rows = table.filter(
        pl.col("group_id") == case["group_id"],
        pl.col("family") == family.name,
        pl.col("level") == case["auxiliary_level"],
    )
    known = rows["coefficient_e4"].drop_nulls().to_list() or [SCALE]
    if case["auxiliary_e4"] not in known:
        raise ConservationError(
            "the replay gives another auxiliary coefficient than the run",
            field="auxiliary_e4",
            value=(case["auxiliary_e4"], known),
        )
    if rules.source == "listed":
        return f"{name}; auxiliary.csv, the largest that fits"
    row = rows.row(0, named=True) if rows.height else {"cases": 0}
    if row["cases"] < rules.min_level_cases:
        return f"{name}: {row['cases']} stays in history: 1"
    spread = f"CV {row['cv']:.4f} -> {row['cv_after']:.4f}"
    return f"{name}: m_j {format_fen(row['mean_cost_fen'])} / m, {row['cases']} stays; {spread}"
