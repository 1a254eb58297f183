"""Drug and consumable weights, for monitoring: dRW = dm / dM, cRW = cm / cM. docs/rules.md, section 3."""

from __future__ import annotations

import polars as pl

from fenzhi.money import SCALE, round_half_up, step_of
from fenzhi.policy.models import Weights as WeightsPolicy
from fenzhi.weights.years import weighted_mean, year_weights

#: Weight -> the column of the history it is measured on.
FEES = {"drug": "drug_fee_fen", "material": "matl_fee_fen"}


def kept_of(history: pl.DataFrame, weighed: pl.DataFrame) -> pl.DataFrame:
    """Return the stays of groups that trimming kept. ``weighed``: ``Weights.groups`` (low_fen, high_fen)."""
    inside = history.filter(pl.col("group_idx") >= 0)
    low, high = (weighed[name].gather(inside["group_idx"]) for name in ("low_fen", "high_fen"))
    return inside.filter((pl.col("cost_fen") >= low) & (pl.col("cost_fen") <= high))


def _sums(frame: pl.DataFrame, column: str, by: list[str]) -> dict[int, dict[int, tuple[int, int]]]:
    """Return group -> year -> (fees, stays); without groups everything is group -1."""
    table = frame.group_by([*by, "year"]).agg(
        pl.col(column).fill_null(0).cast(pl.Int128).sum().alias("fee"), pl.len().alias("stays")
    )
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for *group, year, fee, stays in table.iter_rows():
        found.setdefault(group[0] if group else -1, {})[year] = (fee, stays)
    return found


def fee_weights(
    history: pl.DataFrame, weighed: pl.DataFrame, rules: WeightsPolicy, years: tuple[int, ...]
) -> pl.DataFrame:
    """Return group_idx, drug_weight_e4, material_weight_e4, a row per group of ``weighed``; null if nothing is known.

    ``history``: group_idx, year, cost_fen and the columns of :data:`FEES` as far as the records have them; a fee that a
    stay does not give is 0. The means are those of weights: the same trimming (by total cost), the same years.
    """
    weight_of = year_weights(rules, years)
    kept = kept_of(history, weighed)
    made = [pl.int_range(weighed.height, dtype=pl.Int32, eager=True).alias("group_idx")]
    for name, column in FEES.items():
        values: list[int | None] = [None] * weighed.height
        if column in history.columns and history[column].null_count() < history.height:
            whole = weighted_mean(_sums(history, column, [])[-1], weight_of, rules.pooling)
            for group, sums in _sums(kept, column, ["group_idx"]).items():
                mean = weighted_mean(sums, weight_of, rules.pooling)
                if whole and mean is not None:
                    values[group] = round_half_up(mean / whole * rules.scale * SCALE, step_of(rules.decimals))
        made.append(pl.Series(f"{name}_weight_e4", values, dtype=pl.Int64))
    return pl.DataFrame(made)
