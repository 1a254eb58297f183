"""Weights from history: trimming, yearly means, RW, CV, last year's means. Exact until the one rounding.

Rules: docs/rules.md, section 3. Sums are integers; means are fractions; floats appear only in the CV.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt, sqrt

import polars as pl

from fenzhi.errors import CatalogError, RegionError
from fenzhi.money import SCALE, round_half_up, round_ratio, step_of
from fenzhi.policy.models import Policy, Trim
from fenzhi.policy.models import Weights as WeightsPolicy
from fenzhi.weights.auxiliary import AuxiliaryTypes
from fenzhi.weights.by_group import exempt_groups, group_coefficients, no_group_coefficients
from fenzhi.weights.coefficients import institution_coefficients
from fenzhi.weights.cost import cost_coefficients, no_cost_coefficients
from fenzhi.weights.given import Grouped, given_weights
from fenzhi.weights.items import no_bonuses
from fenzhi.weights.negotiated import Negotiated, negotiate
from fenzhi.weights.stability import stable_groups
from fenzhi.weights.tcm import all_groups, refuse_negotiated, with_stated, without_stated
from fenzhi.weights.years import weighted_mean, year_weights


@dataclass(frozen=True)
class Weights:
    """What history says.

    ``groups``: one row per catalogue group, in its order: group_idx, history_cases, mean_cost_fen (m),
    last_mean_fen, cv,
    trimmed_cases, low_fen, high_fen (bounds kept), rw_e4; null where the group has no history. ``stable``: null
    without a section on stability.
    ``level_means``: group_idx, level, cases, mean_fen of the newest year. ``coefficients``: fixmedins_code,
    level, coefficient_e4 (null if it differs from group to group), coefficient_source.
    ``classes``: the classes with their means. ``mean_fen``: M rounded. ``years``: of the history, oldest first.
    ``costs``: the cost coefficients per hospital and group (see :mod:`fenzhi.weights.cost`), without rows under
    coefficients by class. ``by_class``: those per class and group (see :mod:`fenzhi.weights.by_group`).
    ``negotiated``: what negotiated weights did, if there are any. ``exempt``: per group whether its layer has no
    coefficient; None if all have.
    ``auxiliary``: auxiliary types, if the policy has them (see :mod:`fenzhi.weights.auxiliary`).
    """

    groups: pl.DataFrame
    level_means: pl.DataFrame
    coefficients: pl.DataFrame
    classes: pl.DataFrame
    mean_fen: int
    years: tuple[int, ...]
    costs: pl.DataFrame = field(default_factory=no_cost_coefficients)
    negotiated: Negotiated | None = None
    by_class: pl.DataFrame = field(default_factory=no_group_coefficients)
    exempt: pl.Series | None = None
    auxiliary: AuxiliaryTypes | None = None


def _quantile(costs: pl.Series, table: pl.DataFrame, q: Fraction) -> pl.Series:
    """Return ``q.denominator`` times the linear quantile of each group's sorted costs, as Int128.

    ``table``: n, end: a group's costs are those before its ``end``.
    """
    places = table.select(
        (pl.col("end") - pl.col("n")).alias("start"),
        (q.numerator * (pl.col("n").cast(pl.Int64) - 1)).alias("position"),
    ).select(
        (pl.col("start") + pl.col("position") // q.denominator).alias("at"),
        (pl.col("position") % q.denominator).alias("rest"),
    )
    # At a whole position nothing is added: the next cost may be of another group, or none.
    next_to = places["at"] + (places["rest"] > 0).cast(pl.Int64)
    both = places.with_columns(costs.gather(places["at"]).alias("low"), costs.gather(next_to).alias("high"))
    low, rest = pl.col("low").cast(pl.Int128), pl.col("rest").cast(pl.Int128)
    return both.select(low * q.denominator + rest * (pl.col("high") - pl.col("low"))).to_series()


def _reach(trim: Trim, n: int, total: int, squares: int) -> tuple[int, int]:
    """Return the smallest and largest cost within ``k`` SD of the mean of a group of ``n`` stays."""
    k = Fraction(trim.k)
    # |c - mean| <= k SD  <=>  q |n c - total| <= sqrt(p^2 (n squares - total^2)) with k = p / q
    reach = isqrt(k.numerator**2 * (n * squares - total**2)) // k.denominator
    return Fraction(total - reach, n).__ceil__(), (total + reach) // n


def _bounds(trim: Trim, table: pl.DataFrame, costs: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the smallest and largest cost (whole fen) that stays in each group of ``table``."""
    if trim.method == "mean_sd":
        rows = table.select("n", "total", "squares").iter_rows()
        both = pl.DataFrame([_reach(trim, *row) for row in rows], schema=["low", "high"], orient="row")
        return both["low"], both["high"]
    low, high = Fraction(trim.low), Fraction(trim.high)
    if trim.method == "percentile":
        ends = [_quantile(costs, table, q).alias(name) for name, q in (("low", low), ("high", high))]
        parts = pl.DataFrame(ends).with_columns(pl.lit(1).alias("n"))
    else:
        parts = table.select(
            (pl.col("total") * low.numerator).alias("low"),
            (pl.col("total") * high.numerator).alias("high"),
            "n",
        )
    n = pl.col("n").cast(pl.Int128)
    low_of, high_of = n * low.denominator, n * high.denominator
    whole = parts.select((pl.col("low") + low_of - 1) // low_of, pl.col("high") // high_of)
    return whole["low"], whole["high"]


def _by_group_and_cost(history: pl.DataFrame) -> pl.DataFrame:
    """Sort by group, then cost; as one number where both fit into 63 bits, which is several times quicker."""
    frame = history.select("group_idx", "cost_fen")
    if frame.is_empty():
        return frame
    low, high, last = frame.select(
        pl.min("cost_fen").alias("low"), pl.max("cost_fen").alias("high"), pl.max("group_idx").alias("last")
    ).row(0)
    bits = int(high).bit_length()
    if low < 0 or bits + int(last).bit_length() > 62:
        return frame.sort("group_idx", "cost_fen")
    packed = frame.select(
        (pl.col("group_idx").cast(pl.Int64) * (1 << bits) + pl.col("cost_fen")).sort().alias("key")
    )
    return packed.select(
        (pl.col("key") // (1 << bits)).cast(pl.Int32).alias("group_idx"),
        (pl.col("key") % (1 << bits)).alias("cost_fen"),
    )


def trim_bounds(history: pl.DataFrame, trim: Trim) -> pl.DataFrame:
    """Return group_idx, n, low_fen, high_fen for every group in ``history`` (group_idx, cost_fen).

    Groups below ``min_cases`` keep everything: their bounds are their smallest and largest cost.
    """
    cost = pl.col("cost_fen")
    if trim.method == "none":
        return history.group_by("group_idx").agg(
            pl.len().alias("n"), cost.min().alias("low_fen"), cost.max().alias("high_fen")
        )
    ordered = _by_group_and_cost(history)
    table = (
        ordered.group_by("group_idx")
        .agg(
            pl.len().alias("n"),
            cost.min().alias("low_fen"),
            cost.max().alias("high_fen"),
            cost.cast(pl.Int128).sum().alias("total"),
            (cost.cast(pl.Int128) ** 2).sum().alias("squares"),
        )
        .sort("group_idx")
        .with_columns(pl.col("n").cum_sum().alias("end"))
    )
    trimmed = pl.col("n") >= trim.min_cases
    large = table.filter(trimmed)
    lows, highs = _bounds(trim, large, ordered["cost_fen"])
    kept = large.select("group_idx", lows.cast(pl.Int64).alias("low"), highs.cast(pl.Int64).alias("high"))
    return table.join(kept, on="group_idx", how="left", maintain_order="left").select(
        "group_idx",
        "n",
        pl.coalesce("low", "low_fen").alias("low_fen"),
        pl.coalesce("high", "high_fen").alias("high_fen"),
    )


def _kept(history: pl.DataFrame, bounds: pl.DataFrame, size: int) -> pl.DataFrame:
    """Return the stays inside their group's bounds."""
    full = pl.DataFrame({"group_idx": pl.arange(size, dtype=pl.Int32, eager=True)}).join(
        bounds, on="group_idx", how="left", maintain_order="left"
    )
    low = full["low_fen"].gather(history["group_idx"])
    high = full["high_fen"].gather(history["group_idx"])
    return history.filter((pl.col("cost_fen") >= low) & (pl.col("cost_fen") <= high))


def kept_stays(in_groups: pl.DataFrame, trim: Trim, size: int) -> pl.DataFrame:
    """Return what trimming leaves of stays that have a group (group_idx below ``size``, cost_fen)."""
    return _kept(in_groups, trim_bounds(in_groups, trim), size)


def _year_sums(kept: pl.DataFrame) -> dict[int, dict[int, tuple[int, int]]]:
    out: dict[int, dict[int, tuple[int, int]]] = {}
    table = kept.group_by("group_idx", "year").agg(
        pl.col("cost_fen").cast(pl.Int128).sum().alias("cost"), pl.len().alias("stays")
    )
    for group, year, cost, stays in table.iter_rows():
        out.setdefault(group, {})[year] = (cost, stays)
    return out


def coefficients_of_variation(kept: pl.DataFrame) -> pl.DataFrame:
    """Return group_idx and cv: population SD / mean, from exact sums."""
    sums = kept.group_by("group_idx").agg(
        pl.len().alias("n"),
        pl.col("cost_fen").cast(pl.Int128).sum().alias("total"),
        (pl.col("cost_fen").cast(pl.Int128) ** 2).sum().alias("squares"),
    )
    values = [
        sqrt((n * squares - total * total) / (total * total)) if total else None
        for n, total, squares in sums.select("n", "total", "squares").iter_rows()
    ]
    return sums.select("group_idx").with_columns(pl.Series("cv", values, dtype=pl.Float64))


def _weights(
    means: dict[int, Fraction], all_mean: Fraction, bench: Fraction | None, policy: WeightsPolicy
) -> dict[int, int]:
    if policy.method == "benchmark":
        assert bench is not None
        unit = bench
    elif policy.method == "standard_amount":
        assert policy.standard_yuan is not None
        unit = Fraction(policy.standard_yuan) * 100
    else:
        unit = all_mean
    factor, step = Fraction(policy.scale * SCALE) / unit, step_of(policy.decimals)
    # Numerator and denominator by themselves: reducing thousands of long fractions takes a second.
    return {
        group: round_ratio(mean.numerator * factor.numerator, mean.denominator * factor.denominator, step)
        for group, mean in means.items()
    }


def _mean_rows(kept: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Return the mean cost in fen, rounded half up, and the number of stays per ``by``."""
    return (
        kept.group_by(by)
        .agg(pl.col("cost_fen").cast(pl.Int128).sum().alias("cost"), pl.len().cast(pl.Int64).alias("cases"))
        .with_columns(
            ((pl.col("cost") * 2 + pl.col("cases")) // (pl.col("cases").cast(pl.Int128) * 2))
            .cast(pl.Int64)
            .alias("mean_fen")
        )
        .drop("cost")
        .sort(by)
    )


def _means_and_weights(
    kept: pl.DataFrame, catalog: Grouped, rules: WeightsPolicy, weight_of: dict[int, int], all_mean: Fraction
) -> pl.DataFrame:
    """Return group_idx, mean_cost_fen, rw_e4 of the groups that have either."""
    means = {
        group: mean
        for group, sums in _year_sums(kept).items()
        if (mean := weighted_mean(sums, weight_of, rules.pooling)) is not None
    }
    if rules.method == "given":
        weights = given_weights(catalog, rules)
    else:
        bench = _benchmark(catalog, rules, means)
        weights = _weights(means, all_mean, bench, rules)
    rows = [
        (group, round_half_up(means[group]) if group in means else None, weights.get(group))
        for group in sorted({*means, *weights})
    ]
    schema = {"group_idx": pl.Int32, "mean_cost_fen": pl.Int64, "rw_e4": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _group_table(
    size: int, bounds: pl.DataFrame, kept: pl.DataFrame, levels: pl.DataFrame, measured: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per group of the catalogue: ``Weights.groups``. ``levels``: the kept stays of the newest year."""
    counts = kept.group_by("group_idx").agg(pl.len().cast(pl.Int64).alias("kept"))
    last = _mean_rows(levels, ["group_idx"]).select("group_idx", pl.col("mean_fen").alias("last_mean_fen"))
    return (
        pl.DataFrame({"group_idx": pl.arange(size, dtype=pl.Int32, eager=True)})
        .join(bounds, on="group_idx", how="left")
        .join(counts, on="group_idx", how="left")
        .join(measured, on="group_idx", how="left")
        .join(last, on="group_idx", how="left")
        .join(coefficients_of_variation(kept), on="group_idx", how="left")
        .sort("group_idx")
        .select(
            "group_idx",
            pl.col("n").fill_null(0).cast(pl.Int64).alias("history_cases"),
            "mean_cost_fen",
            pl.coalesce("last_mean_fen", "mean_cost_fen").alias("last_mean_fen"),
            "cv",
            (pl.col("n").cast(pl.Int64) - pl.col("kept").fill_null(0)).fill_null(0).alias("trimmed_cases"),
            pl.lit(None, pl.Boolean).alias("stable"),
            "low_fen",
            "high_fen",
            "rw_e4",
        )
    )


def _require_weights_above_zero(groups: pl.DataFrame, group_ids: pl.Series) -> None:
    zero = groups.filter(pl.col("rw_e4") == 0)
    if zero.height:
        raise CatalogError(
            "this group would have a weight of zero",
            code="WEIGHT_ZERO",
            field="rw",
            value=group_ids[zero["group_idx"][0]],
            remedy="check the costs of its stays, or give weights more decimals or a larger scale",
        )


def weigh(
    history: pl.DataFrame,
    catalog: Grouped,
    policy: Policy,
    hospitals: pl.DataFrame,
    overrides: pl.DataFrame | None = None,
    bonuses: pl.DataFrame | None = None,
) -> Weights:
    """Measure weights, means and institution coefficients on history.

    ``history``: group_idx (Int32, -1 = none), year (Int32), fixmedins_code, cost_fen (Int64) of all stays that count.
    ``catalog``: of either scheme. ``hospitals``: fixmedins_code, level, type, coefficient (Decimal text or null).
    ``overrides``: negotiated weights, see :func:`fenzhi.weights.negotiated.negotiate`. ``bonuses``: values of the
    items of coefficients, see :mod:`fenzhi.weights.items`.
    Raises :class:`RegionError` for an empty history or negotiated weights that cannot be, :class:`CatalogError`
    for a weight of zero, a benchmark group without stays, or given weights that are missing.
    """
    if history.is_empty():
        raise RegionError(
            "the history holds no stay that counts, so no weight can be measured",
            code="HISTORY_EMPTY",
            remedy="check the history folders named in region.toml and what quality control rejected",
        )
    rules = policy.weights
    years = tuple(sorted(history["year"].unique().to_list()))
    weight_of = year_weights(rules, years)
    all_sums = history.group_by("year").agg(pl.col("cost_fen").cast(pl.Int128).sum(), pl.len())
    all_mean = weighted_mean({y: (c, n) for y, c, n in all_sums.iter_rows()}, weight_of, rules.pooling)
    if not all_mean:
        raise RegionError(
            "all costs of the history are zero", code="HISTORY_EMPTY", remedy="check the cost columns"
        )

    known = all_groups(catalog, policy)
    ids, tcm = known["group_id"], catalog.tcm if known.height > catalog.groups.height else None
    in_groups = history.filter(pl.col("group_idx") >= 0)
    bounds = trim_bounds(in_groups, rules.trim)
    kept = _kept(in_groups, bounds, len(ids))
    levels = kept.filter(pl.col("year") == years[-1]).join(
        hospitals.select("fixmedins_code", "level"), on="fixmedins_code", how="left"
    )
    measured = _means_and_weights(kept, catalog, rules, weight_of, all_mean)
    groups = _group_table(len(ids), bounds, kept, levels, measured)
    if policy.stability is not None:
        groups = groups.with_columns(stable_groups(kept, groups["history_cases"], policy.stability))
    if tcm is not None:
        groups = without_stated(groups, tcm)
    negotiated = None
    if overrides is not None and overrides.height:
        if tcm is not None:
            refuse_negotiated(tcm, overrides)
        groups, negotiated = negotiate(groups, ids, overrides, step_of(rules.decimals))
    if tcm is not None:
        groups = with_stated(groups, ids, tcm, rules)
    _require_weights_above_zero(groups, ids)
    form = policy.coefficients.form
    items = no_bonuses() if bonuses is None else bonuses
    coefficients, classes = institution_coefficients(history, hospitals, policy, weight_of, all_mean, items)
    costs, by_class = no_cost_coefficients(), no_group_coefficients()
    if form == "cost":
        costs = cost_coefficients(kept, years, hospitals, policy.coefficients)
    elif form == "group":
        by_class = group_coefficients(kept, hospitals, known, policy, weight_of)
    return Weights(
        groups=groups,
        level_means=_mean_rows(levels, ["group_idx", "level"]),
        coefficients=coefficients,
        classes=classes,
        mean_fen=round_half_up(all_mean),
        years=years,
        costs=costs,
        negotiated=negotiated,
        by_class=by_class,
        exempt=exempt_groups(known, policy.coefficients),
    )


def _benchmark(catalog: Grouped, rules: WeightsPolicy, means: dict[int, Fraction]) -> Fraction | None:
    if rules.method != "benchmark":
        return None
    index = catalog.groups["group_id"].index_of(rules.benchmark_group)
    if index is None or index not in means:
        raise CatalogError(
            "the benchmark group does not exist in the catalogue"
            if index is None
            else "the benchmark group has no stays",
            code="WEIGHT_BENCHMARK",
            field="weights.benchmark_group",
            value=rules.benchmark_group,
            remedy="choose a group of the catalogue that has stays in the history",
        )
    return means[index]
