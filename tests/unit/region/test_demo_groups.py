"""How many groups the demo's history yields, and how uneven they are.

Run as a program it measures a history folder: ``python test_demo_groups.py <region>/history``.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from fenzhi.region.demo import write_demo

CORE_CASES, TRIM_CASES = 15, 25
RELATED_COST = 1.10
# Published for 2024 by the prefecture that the full demo is sized after.
GROUPS = 7_954
MEAN_COST_FEN = 612_873


@dataclass(frozen=True)
class Measured:
    core: int
    related: int
    comprehensive: int
    mean_cv: float
    core_share: float

    @property
    def groups(self) -> int:
        return self.core + self.related + self.comprehensive


def measure_groups(history: Path) -> Measured:
    """Build groups from a history in the plainest way; counts and the mean CV of groups, trimmed."""
    kinds = pl.read_csv(history.parent / "operations.csv", schema_overrides={"code": pl.String})
    stays = (
        pl.scan_parquet(history / "*" / "*.parquet")
        .filter(
            pl.col("medfee_sumamt") > 0, pl.col("diag_codes").list.len() > 0, pl.col("setl_id").is_not_null()
        )
        .select(
            pl.col("diag_codes").list.first().str.slice(0, 5).alias("four"),
            pl.col("oprn_codes").list.first().alias("main"),
            pl.col("oprn_codes").list.get(1, null_on_oob=True).alias("related"),
            pl.col("medfee_sumamt").cast(pl.Float64).alias("cost"),
        )
        .join(kinds.lazy().select("code", "type"), left_on="main", right_on="code", how="left")
        .with_columns(
            # Interventional operations belong to surgery; what the table does not know is conservative.
            pl.col("type").replace("interventional", "surgery").fill_null("medical"),
            pl.len().over("four", "main").alias("cases"),
        )
        .collect()
    )
    core = stays.filter(pl.col("cases") >= CORE_CASES)
    plain = core.group_by("four", "main").agg(
        pl.col("cost").filter(pl.col("related").is_null()).mean().alias("alone"), pl.len()
    )
    related = (
        core.filter(pl.col("related").is_not_null())
        .group_by("four", "main", "related")
        .agg(pl.col("cost").mean().alias("both"), pl.len().alias("n"))
        .join(plain, on=["four", "main"], nulls_equal=True)
        .filter(pl.col("n") >= CORE_CASES, pl.col("both") >= pl.col("alone") * RELATED_COST)
    )
    rest = stays.filter(pl.col("cases") < CORE_CASES)
    low, high = (pl.col("cost").quantile(q, "linear") for q in (0.025, 0.975))
    group = pl.when(pl.col("cases") >= CORE_CASES).then(pl.concat_str("four", pl.col("main").fill_null("-")))
    cv = (
        stays.with_columns(
            group.otherwise(pl.concat_str(pl.col("four").str.slice(0, 3), pl.lit("*"), "type")).alias("g")
        )
        .filter(pl.len().over("g") >= TRIM_CASES)
        .filter(pl.col("cost").is_between(low.over("g"), high.over("g")))
        .group_by("g")
        .agg((pl.col("cost").std(ddof=0) / pl.col("cost").mean()).alias("cv"))
    )
    mean_cv = cv.select(pl.col("cv").mean()).item()
    comprehensive = rest.select(pl.col("four").str.slice(0, 3), "type").n_unique()
    return Measured(plain.height, related.height, comprehensive, mean_cv, core.height / stays.height)


def test_small_region_has_core_and_comprehensive_groups(tmp_path: Path) -> None:
    write_demo(tmp_path, stays=20_000, hospitals=20, seed=5)
    found = measure_groups(tmp_path / "history")
    assert 300 < found.core < 1_500
    assert 100 < found.comprehensive < 1_500
    assert 0.5 < found.mean_cv < 0.7
    assert 0.85 < found.core_share < 0.98


@pytest.mark.slow
@pytest.mark.skipif("FENZHI_FULL_DEMO" not in os.environ, reason="a minute long: set FENZHI_FULL_DEMO=1")
def test_full_region_has_the_published_size(tmp_path: Path) -> None:
    summary = write_demo(tmp_path, full=True)
    assert summary.hospitals == 319
    assert abs(summary.mean_cost_fen - MEAN_COST_FEN) < 0.03 * MEAN_COST_FEN
    found = measure_groups(tmp_path / "history")
    assert abs(found.groups - GROUPS) < 0.10 * GROUPS
    assert 0.5 < found.mean_cv < 0.7


if __name__ == "__main__":
    result = measure_groups(Path(sys.argv[1]))
    print(result, result.groups)
