"""Institution coefficients by class: mean cost of the class / mean cost of the region. docs/rules.md, section 3."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, round_half_up, step_of, to_e4
from fenzhi.policy.models import Coefficients, Policy
from fenzhi.weights.years import weighted_mean


def _bounded(value: int, policy: Coefficients) -> int:
    if policy.floor is not None:
        value = max(value, to_e4(policy.floor))
    if policy.cap is not None:
        value = min(value, to_e4(policy.cap))
    return value


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


def institution_coefficients(
    history: pl.DataFrame,
    hospitals: pl.DataFrame,
    policy: Policy,
    weight_of: dict[int, int],
    all_mean: Fraction,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the coefficient of every hospital and the classes they come from.

    First frame: fixmedins_code, level, coefficient_e4, coefficient_source (``given``, ``class``, ``none``). Second: the
    columns of ``policy.coefficients.by`` with cases, mean_fen, coefficient_e4. A class without history has 1.
    """
    rules = policy.coefficients
    by = list(rules.by)
    # A policy may put all hospitals into one class: then the class has an empty key.
    classed = hospitals.with_columns(
        pl.concat_str([pl.col(name).fill_null("") for name in by], separator="|").alias("class")
        if by
        else pl.lit("").alias("class")
    )
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
        stays = sum(n for _, n in years[name].values())
        rows.append((name, stays, round_half_up(mean), _bounded(value, rules), "class"))
    classes = pl.DataFrame(rows, schema=CLASSES, orient="row")
    table = classed.with_columns(_given(hospitals)).join(
        classes, on="class", how="left", maintain_order="left"
    )
    coefficients = table.select(
        "fixmedins_code",
        "level",
        pl.coalesce("given_e4", "coefficient_e4").alias("coefficient_e4"),
        pl.when(pl.col("given_e4").is_not_null())
        .then(pl.lit("given"))
        .otherwise(pl.col("coefficient_source"))
        .alias("coefficient_source"),
    )
    return coefficients, classes
