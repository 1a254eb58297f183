"""Whether weights are stable from year to year. docs/rules.md, "Building a catalogue"."""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, step_of
from fenzhi.policy.models import Weights as WeightsPolicy

#: A weight that moves by more than this from one year to the next is not stable.
SHIFT = Fraction(1, 5)
#: Stays that a group needs in both years to be tested.
YEAR_CASES = 10


def _half_up(top: int, below: int) -> int:
    """Return a ratio rounded half up; ``below`` is above 0."""
    return (2 * top + below) // (2 * below)


def yearly_weights(
    history: pl.DataFrame, kept: pl.DataFrame, groups: pl.DataFrame, rules: WeightsPolicy
) -> pl.DataFrame:
    """Return group_id, year, cases, mean_cost_fen, rw_e4, change_e4, tested, stable, by group and year.

    The weight of a year is (mean of the group's kept stays of the year / mean of all stays of the year) x scale. Its
    change is against the group's year before that has stays; ``tested`` if both have :data:`YEAR_CASES` stays.
    """
    cost = pl.col("cost_fen").cast(pl.Int128).sum()
    everybody = {
        year: (total, n)
        for year, total, n in history.group_by("year")
        .agg(cost.alias("cost"), pl.len().alias("n"))
        .iter_rows()
    }
    sums = (
        kept.group_by("group_idx", "year")
        .agg(cost.alias("cost"), pl.len().cast(pl.Int64).alias("n"))
        .sort("group_idx", "year")
    )
    step, ids = step_of(rules.decimals), groups["group_id"].to_list()
    rows: list[tuple[object, ...]] = []
    # Group, stays, weight as a ratio of the year before: whole numbers, as fractions would be reduced again and again.
    last: tuple[int, int, int, int] | None = None
    for group, year, total, n in sums.iter_rows():
        all_cost, all_n = everybody[year]
        top, below = total * all_n, n * all_cost
        change: int | None = None
        stable: bool | None = None
        tested = False
        if last is not None and last[0] == group and last[2] > 0:
            new, old = top * last[3], last[2] * below
            change = _half_up((new - old) * SCALE, old)
            stable = abs(new - old) * SHIFT.denominator <= old * SHIFT.numerator
            tested = min(n, last[1]) >= YEAR_CASES
        weight = _half_up(top * rules.scale * SCALE, below * step) * step if below > 0 else None
        rows.append((ids[group], year, n, _half_up(total, n), weight, change, tested, stable))
        last = (group, n, top, below)
    schema = {
        "group_id": pl.String,
        "year": pl.Int32,
        "cases": pl.Int64,
        "mean_cost_fen": pl.Int64,
        "rw_e4": pl.Int64,
        "change_e4": pl.Int64,
        "tested": pl.Boolean,
        "stable": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def stability(yearly: pl.DataFrame) -> dict[str, int | float | None]:
    """Return figures of :func:`yearly_weights` for the newest year: groups tested and stable, their stays, changes."""
    tested = yearly.filter(pl.col("tested") & (pl.col("year") == pl.col("year").max()))
    stable = tested.filter("stable")
    middle = tested.select(pl.col("change_e4").abs().median()).item()
    return {
        "weights_tested": tested.height,
        "weights_stable": stable.height,
        "share_stable": stable.height / tested.height if tested.height else None,
        "share_stays_stable": int(stable["cases"].sum()) / int(tested["cases"].sum())
        if tested.height
        else None,
        "change_median": None if middle is None else float(middle) / SCALE,
    }
