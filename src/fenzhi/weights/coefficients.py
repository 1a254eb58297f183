"""Institution coefficients of hospitals: by class, with a bonus, as a product. docs/rules.md, section 3."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, round_half_up, step_of, to_e4
from fenzhi.policy.models import Policy
from fenzhi.weights.by_group import class_of
from fenzhi.weights.items import bounded, product, values_of, with_bonus
from fenzhi.weights.years import weighted_mean

CLASSES: dict[str, type[pl.DataType]] = {
    "class": pl.String,
    "cases": pl.Int64,
    "mean_fen": pl.Int64,
    "coefficient_e4": pl.Int64,
    "coefficient_source": pl.String,
}


def _given(hospitals: pl.DataFrame) -> pl.Series:
    """Return the coefficients that hospitals.csv states, null where it states none."""
    values = [None if text is None else to_e4(text) for text in hospitals["coefficient"]]
    return pl.Series("given_e4", values, dtype=pl.Int64)


def given_coefficients(hospitals: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the frames of :func:`institution_coefficients` where coefficients differ from group to group.

    A hospital has its given coefficient (``given``) or none (null, ``cost``); there are no classes.
    """
    table = hospitals.with_columns(_given(hospitals)).select(
        "fixmedins_code",
        "level",
        pl.col("given_e4").alias("coefficient_e4"),
        pl.when(pl.col("given_e4").is_not_null())
        .then(pl.lit("given"))
        .otherwise(pl.lit("cost"))
        .alias("coefficient_source"),
    )
    return table, pl.DataFrame(schema=CLASSES)


def _product_coefficients(
    hospitals: pl.DataFrame, policy: Policy, bonuses: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    values, given = values_of(bonuses), _given(hospitals)
    made = [
        product(level, values.get(code, {}), policy.coefficients)[0] if known is None else known
        for code, level, known in zip(hospitals["fixmedins_code"], hospitals["level"], given, strict=True)
    ]
    table = hospitals.select(
        "fixmedins_code",
        "level",
        pl.Series("coefficient_e4", made, dtype=pl.Int64),
        pl.when(given.is_not_null())
        .then(pl.lit("given"))
        .otherwise(pl.lit("product"))
        .alias("coefficient_source"),
    )
    return table, pl.DataFrame(schema=CLASSES)


def _classes(
    history: pl.DataFrame,
    classed: pl.DataFrame,
    policy: Policy,
    weight_of: dict[int, int],
    all_mean: Fraction,
) -> pl.DataFrame:
    """Return the classes with their means and coefficients; under ``basic_bonus`` floor and cap come later."""
    rules = policy.coefficients
    sums = (
        history.join(classed.select("fixmedins_code", "class"), on="fixmedins_code", how="inner")
        .group_by("class", "year")
        .agg(pl.col("cost_fen").cast(pl.Int128).sum(), pl.len())
        .sort("class", "year")
    )
    years: dict[str, dict[int, tuple[int, int]]] = {}
    for name, year, cost, stays in sums.iter_rows():
        years.setdefault(name, {})[year] = (cost, stays)
    rows: list[tuple[str, int, int | None, int, str]] = []
    for name in sorted(classed["class"].unique().to_list()):
        mean = weighted_mean(years.get(name, {}), weight_of, policy.weights.pooling)
        if mean is None:
            rows.append((name, 0, None, SCALE, "none"))
            continue
        value = round_half_up(mean / all_mean * SCALE, step_of(rules.decimals))
        if rules.form != "basic_bonus":
            value = bounded(value, rules)
        stays = sum(n for _, n in years[name].values())
        rows.append((name, stays, round_half_up(mean), value, "class"))
    return pl.DataFrame(rows, schema=CLASSES, orient="row")


def _with_bonuses(table: pl.DataFrame, policy: Policy, bonuses: pl.DataFrame) -> pl.DataFrame:
    """Replace the class's coefficient of each hospital that is given none by basic + bonus."""
    values = values_of(bonuses)
    made = [
        basic if given is not None else with_bonus(basic, values.get(code, {}), policy.coefficients)[0]
        for code, basic, given in table.select("fixmedins_code", "coefficient_e4", "given_e4").iter_rows()
    ]
    return table.with_columns(
        pl.Series("coefficient_e4", made, dtype=pl.Int64), pl.lit("basic_bonus").alias("coefficient_source")
    )


def institution_coefficients(
    history: pl.DataFrame,
    hospitals: pl.DataFrame,
    policy: Policy,
    weight_of: dict[int, int],
    all_mean: Fraction,
    bonuses: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the coefficient of every hospital and the classes they come from.

    First frame: fixmedins_code, level, coefficient_e4, coefficient_source (``given``, ``class``, ``none``,
    ``basic_bonus``, ``product``, ``cost``), and class (null where given) if there are classes. Second: class with
    cases, mean_fen, coefficient_e4. A class without history has 1. ``bonuses``: fixmedins_code, item, value_e4, a row
    for every item of the policy and hospital without given coefficient.
    """
    if policy.coefficients.form == "cost":
        return given_coefficients(hospitals)
    if policy.coefficients.form == "product":
        return _product_coefficients(hospitals, policy, bonuses)
    classed = hospitals.with_columns(class_of(policy.coefficients.by))
    classes = _classes(history, classed, policy, weight_of, all_mean)
    table = classed.with_columns(_given(hospitals)).join(
        classes, on="class", how="left", maintain_order="left"
    )
    if policy.coefficients.form == "basic_bonus":
        table = _with_bonuses(table, policy, bonuses)
    given = pl.col("given_e4").is_not_null()
    coefficients = table.select(
        "fixmedins_code",
        "level",
        pl.coalesce("given_e4", "coefficient_e4").alias("coefficient_e4"),
        pl.when(given)
        .then(pl.lit("given"))
        .otherwise(pl.col("coefficient_source"))
        .alias("coefficient_source"),
        pl.when(~given).then("class").alias("class"),
    )
    return coefficients, classes
