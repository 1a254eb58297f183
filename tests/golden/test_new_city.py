"""A city that nobody programmed: only files, in ``new_city/``. Its policy numbers the variants it uses.

Weights. Both years have a mean of 8,000 yuan, so M = 8,000. Stays count 3 : 7 by year. G1 10,000, RW 100 (benchmark);
G2 2,000 (of 2,000, 2,000, 2,000 and 10,000 the last exceeds twice the mean of 4,000), 20; G3 (6,000 + 4,000) / 2, 50;
G4 5,000, 50, CV 4,000 / 5,000; C1 (3 x 12,000 + 7 x 20,000) / 10 = 17,600, 176.
Coefficients. Level 3: (3 x 22,000 + 7 x 62,000) / (3 x 2 + 7 x 6) = 10,416.67 / 8,000 = 1.30, at most 1.2.
Level 1: (3 x 2,000 + 7 x 18,000) / (3 + 7 x 4) = 4,258.06 / 8,000 = 0.53.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import polars as pl
import pytest

from fenzhi.catalogs import load_catalog
from fenzhi.money import to_e4
from fenzhi.pipeline import Run, run
from fenzhi.policy import load_policy
from fenzhi.region import load_region
from property.test_year_twin import (
    compare_cases,
    compare_groups,
    compare_hospitals,
    compare_ledger,
    compare_pools,
)
from twins.codes import TwinCatalog
from twins.test_demo_year import region_of, rows_of
from twins.year import run_year

CITY = Path(__file__).parent / "new_city"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The year of a copy, so that no run is left among the tests."""
    folder = tmp_path_factory.mktemp("city") / "region"
    shutil.copytree(CITY, folder)
    return run(folder, reports=False)


def test_points_of_every_stay(city: Run) -> None:
    expected = pl.read_csv(CITY / "expected.csv", infer_schema=False).drop("why")
    numbers = ["rw", "coefficient", "before", "points"]
    exact = [
        pl.Series(name, [None if text is None else to_e4(text) for text in expected[name]], dtype=pl.Int64)
        for name in numbers
    ]
    columns = {
        "rw": "rw_e4",
        "coefficient": "coefficient_e4",
        "before": "points_base_e4",
        "points": "points_e4",
    }
    names = [columns.get(name, name) for name in expected.columns]
    found = city.tables["cases"].select(names)
    assert found.rows() == expected.with_columns(exact).rows()


def test_weights_and_coefficients(city: Run) -> None:
    groups = city.tables["groups"].select("group_id", "mean_cost_fen", "rw_e4", "trimmed_cases", "stable")
    assert groups.rows() == [
        ("G1", 1_000_000, 1_000_000, 0, True),
        ("G2", 200_000, 200_000, 1, True),
        ("G3", 500_000, 500_000, 0, True),
        ("G4", 500_000, 500_000, 0, False),
        ("G5", None, None, 0, False),
        ("C1", 1_760_000, 1_760_000, 0, True),
    ]
    assert city.manifest["mean_cost_fen"] == 800_000
    assert city.tables["hospitals"]["coefficient_e4"].to_list() == [12_000, 5_300]


def test_the_twins_settle_the_city_to_the_same_fen(city: Run) -> None:
    region = load_region(CITY)
    catalog = load_catalog(region.meta.catalog, near=CITY)
    twin = TwinCatalog(
        groups=list(catalog.groups.iter_rows(named=True)),
        layers=list(catalog.meta.layers),
        exclusions=[],
        operations={row["code"]: row["type"] for row in catalog.operations.iter_rows(named=True)},
        code_sets={},
    )
    history = [row for name in region.meta.history for row in rows_of(region.path(name), region, "weights")]
    records = rows_of(region.path(region.meta.records), region, "all")
    rules = region.policy.model_dump(mode="json")
    expected = run_year(history, records, region_of(region, [2025, 2026]), twin, rules)
    compare_cases(city.tables["cases"], expected["cases"])
    compare_pools(city.tables["pools"], expected["pools"])
    compare_hospitals(city.tables["hospitals"], expected["hospitals"], expected["cases"])
    compare_groups(city.tables["groups"], expected["weights"], expected["cases"])
    compare_ledger(city.tables["ledger"], city.tables)


def test_the_city_uses_at_least_ten_variants() -> None:
    own = tomllib.loads((CITY / "policy.toml").read_text("utf-8"))
    mine = load_policy(CITY / "policy.toml").model_dump(mode="json")
    base = load_policy("national-dip-1.0").model_dump(mode="json")
    differing = {
        (section, key)
        for section in own.keys() - {"meta"}
        for key, value in mine[section].items()
        if key not in ("cite", "confidence") and value != (base[section] or {}).get(key)
    }
    assert len(differing) >= 10
    assert {"stability", "incomplete", "bed_day", "readmission"} <= {section for section, _ in differing}
