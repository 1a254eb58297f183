"""The demo region's year, computed twice: by the engine and, stay by stay, by the twins. Every integer must agree."""

from __future__ import annotations

import pytest

from fenzhi.catalogs import load_catalog
from fenzhi.pipeline import run
from fenzhi.pipeline.demo import make_demo
from fenzhi.pipeline.setting import known_codes
from fenzhi.records import read_stays
from fenzhi.region import load_region
from fenzhi.region.reviews import latest
from property.test_year_twin import (
    compare_cases,
    compare_groups,
    compare_hospitals,
    compare_ledger,
    compare_months,
    compare_pools,
    compare_reviews,
    compare_tracks,
)
from twins.codes import TwinCatalog
from twins.year import run_year

STAYS = 3_000


@pytest.fixture(scope="module")
def year(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin") / "region"
    make_demo(folder, stays=STAYS, hospitals=10, seed=7)
    return folder, run(folder, reports=False)


def rows_of(source, region, needs):
    read = read_stays(source, quality=region.quality, known=known_codes(region), needs=needs)
    missing = dict.fromkeys(("excl_pay_sumamt_fen", "med_type", "insu_admdvs", "insutype"))
    return [{**missing, **row} for row in read.stays.iter_rows(named=True)]


def region_of(region, year_before):
    return {
        "area": region.meta.area,
        "year": region.meta.year,
        "history_years": year_before,
        "pools": [
            {"id": p.id, "insutype": list(p.insutype), "areas": p.areas, "opening_value_e4": None}
            for p in region.pools
        ],
        "hospitals": [{**row, "coefficient_e4": None} for row in region.hospitals.iter_rows(named=True)],
        "funds": {pool.id: region.budget.of(pool.id).fund_fen for pool in region.pools},
        "reserves": {pool.id: region.budget.of(pool.id).reserve_fen for pool in region.pools},
        "deductions": [
            {**row, "amount_fen": row["deduction_fen"]} for row in region.deductions.iter_rows(named=True)
        ],
        "assessment": dict(region.assessment.iter_rows()),
        "advances": None,
        "track_tables": {
            name: [track_row(row) for row in table.iter_rows(named=True)]
            for name, table in region.tracks.items()
        },
        "budgets": {pool.id: budget_of(pool) for pool in region.budget.pool},
        "applications": list(region.reviews.applications.iter_rows(named=True)),
        "given_decisions": [
            decision_of(row) for row in latest(region.reviews.decisions).iter_rows(named=True)
        ],
    }


def decision_of(row):
    """A decision as the twin holds it: the value in fen or 1/10,000."""
    value = row["review_e4"] if row["standard_fen"] is None else row["standard_fen"]
    return {"setl_id": row["setl_id"], "outcome": row["review"], "value": value}


def track_row(row):
    return {**row, "areas": row["areas"].split("|")} if "areas" in row else row


def budget_of(pool):
    """A pool of the budget as the twin holds it."""
    lines = [
        {
            "name": line.name,
            "kind": line.kind,
            "amount_fen": None if line.amount is None else int(line.amount * 100),
            "share": line.share,
            "track": line.track,
        }
        for line in pool.lines
    ]
    changes = [
        {
            "date": one.date,
            "line": one.line,
            "amount_fen": int(one.amount * 100),
            "other": one.from_ or one.to,
        }
        for one in pool.change
    ]
    return {"method": pool.method, "lines": lines, "changes": changes}


@pytest.mark.slow
def test_the_demo_region_is_the_twins(year):
    folder, done = year
    region = load_region(folder)
    catalog = load_catalog(region.meta.catalog, near=folder)
    table = {row["code"]: row["type"] for row in catalog.operations.iter_rows(named=True)}
    twin = TwinCatalog(
        groups=list(catalog.groups.iter_rows(named=True)),
        layers=list(catalog.meta.layers),
        exclusions=list(catalog.exclusions.iter_rows(named=True)),
        operations=table,
        code_sets={name: list(codes) for name, codes in catalog.code_sets.items()},
    )
    history = [row for name in region.meta.history for row in rows_of(region.path(name), region, "weights")]
    records = rows_of(region.path(region.meta.records), region, "all")
    rules = region.policy.model_dump(mode="json")
    expected = run_year(history, records, region_of(region, [2024, 2025, 2026]), twin, rules)
    tables = done.tables
    stays = tables["cases"].filter(
        (tables["cases"]["outcome"] != "rejected")
        & ~tables["cases"]["reason"].is_in(["refunded", "refund_netted"]).fill_null(False)
    )
    assert stays.height == len(records) > STAYS * 0.9
    compare_cases(stays, expected["cases"])
    compare_tracks(tables, expected["tracks"])
    compare_reviews(tables, expected)
    states = {row["state"] for row in expected["applications"]}
    assert states == {"approved", "refused", "eligible", "over_quota", "not_eligible"}
    compare_pools(tables["pools"], expected["pools"])
    compare_hospitals(tables["hospitals"], expected["hospitals"], expected["cases"])
    compare_months(tables["months"], expected["months"])
    compare_groups(tables["groups"], expected["weights"], expected["cases"])
    compare_ledger(tables["ledger"], tables)
