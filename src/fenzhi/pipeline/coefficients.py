"""Where the coefficient of a stay comes from, recomputed from the figures of a run: docs/rules.md, section 3."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.money import SCALE, format_e4, format_fen, round_half_up, step_of
from fenzhi.pipeline.replay import Paid, require
from fenzhi.pipeline.store import read_rows
from fenzhi.points.score import flat_coefficient
from fenzhi.weights.items import bounded, product, values_of, with_bonus

_NAME = "coefficient_e4 coefficient"


def _bounds(paid: Paid) -> str:
    rules = paid.policy.coefficients
    pairs = ((">=", rules.floor), ("<=", rules.cap))
    return "".join(f"; {word} {bound}" for word, bound in pairs if bound is not None)


def _number(value: Fraction) -> str:
    """Return an exact decimal as text: products of figures of policy and region have no other denominators."""
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():f}"


def _in_group(paid: Paid) -> dict[str, Any]:
    """Return the row of the stay's hospital and group in the table of cost coefficients, an empty one without."""
    mine = (pl.col("fixmedins_code") == paid.case["fixmedins_code"]) & (
        pl.col("group_id") == paid.case["group_id"]
    )
    rows = read_rows(paid.run, "coefficients", paid.case).filter(mine)
    return rows.row(0, named=True) if rows.height else {"cases": 0, "cost_fen": 0, "region_cost_fen": 0}


def _by_cost(paid: Paid) -> str:
    """Return the figures of a cost coefficient, recomputed."""
    rules, row = paid.policy.coefficients, _in_group(paid)
    if row["cases"] < rules.min_cases or row["cost_fen"] <= 0 or row["region_cost_fen"] <= 0:
        require(_NAME, paid.case["coefficient_e4"], SCALE)
        return f"{row['cases']} stays in {rules.cost_years} years (at least {rules.min_cases}): 1"
    own, all_ = (Fraction(row[f"{where}cost_fen"], row[f"{where}cases"]) for where in ("", "region_"))
    value = bounded(round_half_up(own / all_ * SCALE, step_of(rules.decimals)), rules)
    require(_NAME, paid.case["coefficient_e4"], value)
    parts = [f"{format_fen(row[f'{where}cost_fen'])} / {row[f'{where}cases']}" for where in ("", "region_")]
    return f"({parts[0]}) / ({parts[1]}){_bounds(paid)}"


def _class(paid: Paid, hospital: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Return the name of a hospital's class and its row in the manifest, None without history."""
    name = "|".join(hospital[column] or "" for column in paid.policy.coefficients.by)
    entry = next((entry for entry in paid.manifest["classes"] if entry["class"] == name), None)
    return name, None if entry is None or entry["mean_fen"] is None else entry


def _means(paid: Paid, entry: dict[str, Any]) -> str:
    return f"{format_fen(entry['mean_fen'])} / M {format_fen(paid.manifest['mean_cost_fen'])}"


def _by_class(paid: Paid, hospital: dict[str, Any]) -> str:
    name, entry = _class(paid, hospital)
    require(_NAME, paid.case["coefficient_e4"], SCALE if entry is None else entry["coefficient_e4"])
    return f"{name}: 1" if entry is None else f"{name}: {_means(paid, entry)}{_bounds(paid)}"


def _with_bonus(paid: Paid, hospital: dict[str, Any]) -> str:
    name, entry = _class(paid, hospital)
    basic = SCALE if entry is None else entry["coefficient_e4"]
    values = values_of(paid.region.bonuses).get(hospital["fixmedins_code"], {})
    value, added = with_bonus(basic, values, paid.policy.coefficients)
    require(_NAME, paid.case["coefficient_e4"], value)
    how = "" if entry is None else f" ({_means(paid, entry)})"
    parts = [
        f"{item.title or item.name} {_number(part)}"
        for item, part in zip(paid.policy.coefficients.items, added, strict=True)
    ]
    return f"{name}: {' + '.join([f'{format_e4(basic)}{how}', *parts])}{_bounds(paid)}"


def _product(paid: Paid, hospital: dict[str, Any]) -> str:
    rules = paid.policy.coefficients
    values = values_of(paid.region.bonuses).get(hospital["fixmedins_code"], {})
    value, factors = product(hospital["level"], values, rules)
    require(_NAME, paid.case["coefficient_e4"], value)
    names = [f"level {hospital['level']}"] if rules.levels else []
    names += [item.title or item.name for item in rules.items]
    parts = [f"{name} {_number(factor)}" for name, factor in zip(names, factors, strict=True)]
    return f"{' x '.join(parts)}{_bounds(paid)}"


def _by_class_in_group(paid: Paid, hospital: dict[str, Any]) -> str:
    name, _ = _class(paid, hospital)
    mine = (pl.col("class") == name) & (pl.col("group_id") == paid.case["group_id"])
    rows = read_rows(paid.run, "class_coefficients", paid.case).filter(mine)
    row: dict[str, Any] = {"coefficient_e4": None, "reason": "few_stays"}
    row = rows.row(0, named=True) if rows.height else row
    if row["coefficient_e4"] is None:
        return f"{row['reason']}; {_by_class(paid, hospital)}"
    require(_NAME, paid.case["coefficient_e4"], row["coefficient_e4"])
    means = f"{format_fen(row['mean_fen'])} / {format_fen(row['region_mean_fen'])}"
    return f"{name} in the group: {means}{_bounds(paid)}"


def _everywhere(paid: Paid, group: dict[str, Any]) -> tuple[str, str] | None:
    """Return formula and section where all hospitals have one coefficient in the group, else None."""
    own, rules = flat_coefficient(paid.policy), paid.policy.coefficients
    if group["grassroots"] and own is not None:
        require(_NAME, paid.case["coefficient_e4"], own)
        section = paid.policy.grassroots
        if section is None or section.coefficient is None:
            return "grassroots: 1", "coefficients"
        return f"grassroots: {section.coefficient}", "grassroots"
    if group["layer"] in rules.exempt_layers:
        require(_NAME, paid.case["coefficient_e4"], SCALE)
        return f"{group['layer']}: 1", "coefficients"
    return None


def coefficient_formula(paid: Paid, group: dict[str, Any]) -> tuple[str, str]:
    """Return where the coefficient of a stay in a group comes from, and the section of the policy that says so.

    ``group``: its row of groups.parquet. Raises :class:`ConservationError` if it is not the coefficient of the run.
    """
    flat = _everywhere(paid, group)
    if flat is not None:
        return flat
    mine = pl.col("fixmedins_code") == paid.case["fixmedins_code"]
    hospital = paid.region.hospitals.filter(mine).row(0, named=True)
    form = paid.policy.coefficients.form
    if hospital["coefficient"] is not None:
        formula = "hospitals.csv"
    elif form == "cost":
        formula = _by_cost(paid)
    else:
        forms = {"basic_bonus": _with_bonus, "product": _product, "group": _by_class_in_group}
        formula = forms.get(form, _by_class)(paid, hospital)
    return formula, "coefficients"
