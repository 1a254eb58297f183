"""How even the groups are: spread of costs, small groups, coverage. docs/rules.md, "Building a catalogue"."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fenzhi.catalogs.models import COMPREHENSIVE
from fenzhi.weights.measure import coefficients_of_variation

#: A group with a coefficient of variation above this is scattered (the national monitoring figure).
SCATTERED = 1
EVEN = 0.5
#: A group with fewer stays in the whole history is small.
SMALL = 15
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def _scattered(stays: pl.DataFrame) -> pl.DataFrame:
    """Return group_idx, cases, above: whether variance > mean^2 (CV > 1), tested on integers; null without costs."""
    cost = pl.col("cost_fen").cast(pl.Int128)
    sums = stays.group_by("group_idx").agg(
        pl.len().cast(pl.Int64).alias("n"), cost.sum().alias("total"), (cost * cost).sum().alias("squares")
    )
    above = [
        None if total == 0 else n * squares - total * total > SCATTERED**2 * total * total
        for n, total, squares in sums.select("n", "total", "squares").iter_rows()
    ]
    return sums.select("group_idx").with_columns(pl.Series("scattered", above, dtype=pl.Boolean))


def group_measures(
    history: pl.DataFrame, kept: pl.DataFrame, groups: pl.DataFrame, weighed: pl.DataFrame
) -> pl.DataFrame:
    """Return one row per group of the catalogue: what the history measured, its spread before and after trimming.

    ``history``: group_idx, cost_fen of all stays; ``kept``: those in groups that trimming left; ``groups``: of the
    catalogue (group_id, name, layer); ``weighed``: ``Weights.groups``. Adds cv_before, scattered (CV > 1 after
    trimming), small.
    """
    before = coefficients_of_variation(history.filter(pl.col("group_idx") >= 0)).rename({"cv": "cv_before"})
    table = groups.select("group_id", "name", "layer").hstack(weighed)
    return (
        table.join(before, on="group_idx", how="left", maintain_order="left")
        .join(_scattered(kept), on="group_idx", how="left", maintain_order="left")
        .with_columns((pl.col("history_cases") < SMALL).alias("small"))
        .rename({"history_cases": "cases"})
    )


def measures(found: pl.DataFrame, stays: int) -> dict[str, int | float | None]:
    """Return figures of a catalogue from :func:`group_measures`; ``stays``: of the whole history.

    Means of CV are over groups with at least two stays (one stay has no spread). Shares are floats.
    """
    used = found.filter(pl.col("cases") > 0)
    several = used.filter((pl.col("cases") > 1) & pl.col("cv").is_not_null())
    core = used.filter(pl.col("layer") != COMPREHENSIVE)
    n = several.height

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    def mean(column: str) -> float | None:
        return sum(several[column].to_list()) / n if n else None

    weighted = float((several["cv"] * several["cases"]).sum())
    scattered = int(several["scattered"].fill_null(False).sum())
    small = used.filter("small")
    return {
        "groups": found.height,
        "groups_used": used.height,
        "history_stays": stays,
        "stays_grouped": int(used["cases"].sum()),
        "grouping_rate": share(int(used["cases"].sum()), stays),
        "stays_core": int(core["cases"].sum()),
        "share_core": share(int(core["cases"].sum()), stays),
        "cv_groups": n,
        "cv_before_mean": mean("cv_before"),
        "cv_mean": mean("cv"),
        "cv_mean_by_stays": weighted / int(several["cases"].sum()) if n else None,
        "groups_even": int((several["cv"] < EVEN).sum()),
        "groups_scattered": scattered,
        "share_scattered": share(scattered, n),
        "groups_small": small.height,
        "stays_small": int(small["cases"].sum()),
    }


def cost_spread(history: pl.DataFrame, found: pl.DataFrame, chosen: Mapping[str, int]) -> pl.DataFrame:
    """Return the costs of the largest and the most scattered groups in quantiles, with their trimming bounds.

    ``found``: of :func:`group_measures`; ``chosen``: how many ``largest`` and ``scattered`` groups (of at least
    :data:`SMALL` stays). Adds why, min_fen, p05_fen .. p95_fen, max_fen.
    """
    used = found.filter(pl.col("cases") >= SMALL)
    by_size = used.sort("cases", "group_id", descending=[True, False]).head(chosen["largest"])
    by_spread = (
        used.filter(pl.col("cv").is_not_null())
        .sort("cv", "group_id", descending=[True, False])
        .head(chosen["scattered"])
    )
    picked = pl.concat(
        [
            by_size.with_columns(pl.lit("largest").alias("why")),
            by_spread.with_columns(pl.lit("scattered").alias("why")),
        ]
    )
    cost = pl.col("cost_fen")
    spread = (
        history.filter(pl.col("group_idx").is_in(picked["group_idx"].implode()))
        .group_by("group_idx")
        .agg(
            cost.min().alias("min_fen"),
            *(
                cost.quantile(q, "nearest").cast(pl.Int64).alias(f"p{round(q * 100):02d}_fen")
                for q in QUANTILES
            ),
            cost.max().alias("max_fen"),
        )
    )
    return picked.join(spread, on="group_idx", how="left", maintain_order="left")
