"""A DRG demo region's year by rates and by points, computed twice: every integer of both engines must agree.

Who is in which group is taken from the engine: DRG grouping has a twin of its own.
"""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.pipeline import run
from fenzhi.pipeline.demo import make_demo
from fenzhi.pipeline.setting import group_coded, known_codes, make_settings
from fenzhi.records import read_stays
from fenzhi.region import load_region
from property.test_year_twin import (
    compare_cases,
    compare_groups,
    compare_hospitals,
    compare_ledger,
    compare_months,
    compare_pools,
)
from twins.test_demo_year import region_of
from twins.year import Assigned, run_year

STAYS = 1_000
OUTCOME = ["outcome", "layer", "group_id", "reason"]
MISSING = dict.fromkeys(("excl_pay_sumamt_fen", "med_type", "insu_admdvs", "insutype", "dscg_way", "psn_no"))


def known_groups(frame, groups):
    """Codes that stand for no group, such as 0000, as null."""
    return frame.with_columns(
        pl.when(pl.col("group_id").is_in(groups.implode())).then("group_id").alias("group_id")
    )


def rows_of(source, setting, needs, head=""):
    """Accepted stays as rows, and their groups by setl_id; ``head`` keeps ids of several years apart."""
    region = setting.region
    stays = read_stays(
        source, columns=setting.columns, quality=region.quality, known=known_codes(region), needs=needs
    ).stays
    grouped = group_coded(stays, setting, setting.compiled).frame
    frame = known_groups(grouped, setting.catalog.groups["group_id"]).select(OUTCOME)
    rows = [{**MISSING, **row, "setl_id": f"{head}{row['setl_id']}"} for row in stays.iter_rows(named=True)]
    return rows, dict(zip((row["setl_id"] for row in rows), frame.rows(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["drg-rate", "drg-points"])
def test_the_drg_demo_region_is_the_twins(tmp_path, scheme):
    folder = tmp_path / "region"
    make_demo(folder, stays=STAYS, hospitals=10, seed=5, scheme=scheme)
    done = run(folder, reports=False)
    region = load_region(folder)
    [setting] = make_settings(region)
    groups = setting.catalog.groups
    records, answers = rows_of(region.path(region.meta.records), setting, "all")
    mine = list(answers)
    history = []
    for name in region.meta.history:
        rows, found = rows_of(region.path(name), setting, "weights", f"{name}/")
        history += rows
        answers |= found
    twin = Assigned(groups.select("group_id", "grassroots").to_dicts(), answers)
    rules = region.policy.model_dump(mode="json")
    expected = run_year(history, records, region_of(region, [2024, 2025, 2026]), twin, rules)
    cases = known_groups(done.tables["cases"], groups["group_id"])
    netted = cases["reason"].is_in(["refunded", "refund_netted"]).fill_null(False)
    stays = cases.filter(pl.col("setl_id").is_in(mine) & ~netted & pl.col("cost_fen").is_not_null())
    assert stays.height == len(records) > STAYS * 0.9
    compare_cases(stays, expected["cases"])
    compare_pools(done.tables["pools"], expected["pools"])
    compare_hospitals(done.tables["hospitals"], expected["hospitals"], expected["cases"])
    compare_months(done.tables["months"], expected["months"])
    compare_groups(done.tables["groups"], expected["weights"], expected["cases"])
    compare_ledger(done.tables["ledger"], done.tables)
    if scheme == "drg-points":
        found = {case["deviation"] for case in expected["cases"] if "deviation" in case}
        assert {"incomplete", "normal"} <= found
        assert any(case["outcome"] == "bed_day" for case in expected["cases"])
        assert any(case["readmitted_days"] is not None for case in expected["cases"])
