"""Any region, policy and stays: a whole year gives the integers of the twin, and no fen is lost.

The region is written to disk and run as a user would run it.
"""

from __future__ import annotations

import tempfile
from fractions import Fraction
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fenzhi.errors import CatalogError
from fenzhi.pipeline import compute
from fenzhi.region import load_region
from twins.draw import catalogs
from twins.draw_year import HISTORY, POLICIES, RECORDS, REGIONS, placed
from twins.exact import half_up
from twins.folder import sound, write_region
from twins.profile import examples
from twins.year import PAID, run_history, run_year

CASE = ["outcome", "reason", "cost_fen", "booked_fen", "month"]
PAID_CASE = [
    "layer",
    "group_id",
    "pool",
    "rw_e4",
    "coefficient_e4",
    "points_base_e4",
    "deviation",
    "reference_fen",
    "points_e4",
    "point_value_e4",
    "standard_fen",
    "payable_fen",
]
MONTH = ["cases", "points_e4", "cost_fen", "booked_fen", "due_fen", "deduction_fen", "advance_fen"]
SEEDS = st.integers(0, 2**32 - 1)


def ready(region, rules, catalog, history, records):
    """Make drawn parts fit together; what cannot be a region is thrown away."""
    catalog = sound(catalog)
    assume(catalog.groups)
    stays = {
        "history": placed(history, "h", region["hospitals"]),
        "records": placed(records, "r", region["hospitals"]),
    }
    benchmark = rules["weights"]["method"] == "benchmark"
    if benchmark:
        rules["weights"]["method"] = "mean_cost"
    try:
        _, weights = run_history(stays["history"], region, catalog, rules)
    except ValueError:  # nothing of the history counts
        assume(False)
    measured = [name for name, group in weights["groups"].items() if group["rw_e4"]]
    if benchmark and measured:
        rules["weights"].update(method="benchmark", benchmark_group=measured[0])
    assume(weights["mean_all"] >= 1)
    return region, rules, catalog, stays


def run_engine(region, rules, catalog, stays, **options):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "region"
        write_region(folder, region, catalog, rules, stays)
        return compute(load_region(folder), **options)[0]


def run_both(*parts):
    """Tables of the engine and results of the twin; None where a weight of zero is refused."""
    region, rules, catalog, stays = ready(*parts)
    _, weights = run_history(stays["history"], region, catalog, rules)
    if any(group["rw_e4"] == 0 for group in weights["groups"].values()):
        with pytest.raises(CatalogError, match="weight of zero"):
            run_engine(region, rules, catalog, stays)
        return None
    tables = run_engine(region, rules, catalog, stays)
    return tables, run_year(stays["history"], stays["records"], region, catalog, rules), rules


def compare_cases(table, cases):
    rows = {row["setl_id"]: row for row in table.iter_rows(named=True)}
    assert len(rows) == table.height == len(cases)
    for case in cases:
        row = rows[case["setl_id"]]
        names = CASE + (PAID_CASE if case["outcome"] in PAID else [])
        assert {n: row[n] for n in names} == {n: case[n] for n in names}, case


def compare_pools(table, pools):
    for row in table.iter_rows(named=True):
        expected = pools[row["pool"]]
        assert {name: row[name] for name in expected} == expected
        assert row["gross_fen"] + row["residual_fen"] == row["fund_fen"]
    assert table.height == len(pools)


def compare_hospitals(table, lines, cases):
    for row in table.iter_rows(named=True):
        key = (row["fixmedins_code"], row["pool"])
        expected = {name: value for name, value in lines[key].items() if name != "other_payers_fen"}
        assert {name: row[name] for name in expected} == expected, key
        own = [c for c in cases if c["outcome"] in PAID and (c["fixmedins_code"], c["pool"]) == key]
        assert sum(case["payable_fen"] for case in own) == row["gross_fen"]
        kinds = ("core", "comprehensive", "grassroots", "ungrouped")
        assert sum(row[f"points_{kind}_e4"] for kind in kinds) == row["points_e4"]
        weights = [case["rw_e4"] for case in own if case["rw_e4"] is not None]
        assert sum(row[f"{name}_cases"] for name in ("grouped", "comprehensive", "ungrouped")) == len(own)
        assert row["cases"] == len(own)
        assert (row["cmi_e4"] is None) == (not weights)
    assert table.height == len(lines)


def compare_months(table, months):
    for row in table.iter_rows(named=True):
        expected = months[row["fixmedins_code"], row["pool"], row["month"]]
        assert {name: row[name] for name in MONTH} == {name: expected[name] for name in MONTH}
    assert table.height == len(months)


def compare_groups(table, weights, cases):
    for row in table.iter_rows(named=True):
        group = weights["groups"][row["group_id"]]
        for name in ("history_cases", "mean_cost_fen", "rw_e4"):
            assert row[name] == group[name], (name, row)
        own = [case for case in cases if case["outcome"] in PAID and case["group_id"] == row["group_id"]]
        assert row["cases"] == len(own)
        for name in ("cost_fen", "points_e4", "payable_fen", "booked_fen"):
            assert row[name] == sum(case[name] for case in own), (name, row)


def compare_ledger(ledger, tables):
    sides = pl.concat(
        [
            ledger.select(pl.col("debit").alias("account"), "amount_fen"),
            ledger.select(pl.col("credit").alias("account"), -pl.col("amount_fen")),
        ]
    )
    left = dict(sides.group_by("account").agg(pl.col("amount_fen").sum()).iter_rows())
    for account, amount in left.items():
        if account.startswith(("hospital:", "fund:", "by_disease:")):
            assert amount == 0, account
    assert (ledger["amount_fen"] > 0).all()
    for row in tables["hospitals"].iter_rows(named=True):
        paid = left.get(f"paid:{row['fixmedins_code']}:{row['pool']}", 0)
        assert paid == row["payable_fen"]


@examples(120)
@given(region=REGIONS, rules=POLICIES, catalog=catalogs(12), history=HISTORY, records=RECORDS)
def test_the_year_is_the_twins(region, rules, catalog, history, records):
    answer = run_both(region, rules, catalog, history, records)
    if answer is None:
        return
    tables, expected, rules = answer
    compare_cases(tables["cases"], expected["cases"])
    compare_pools(tables["pools"], expected["pools"])
    compare_hospitals(tables["hospitals"], expected["hospitals"], expected["cases"])
    compare_months(tables["months"], expected["months"])
    compare_groups(tables["groups"], expected["weights"], expected["cases"])
    compare_ledger(tables["ledger"], tables)
    for row in tables["hospitals"].filter(pl.col("cmi_e4").is_not_null()).iter_rows(named=True):
        own = [
            case["rw_e4"]
            for case in expected["cases"]
            if case["outcome"] in PAID
            and (case["fixmedins_code"], case["pool"]) == (row["fixmedins_code"], row["pool"])
            and case["rw_e4"] is not None
        ]
        assert row["cmi_e4"] == half_up(Fraction(sum(own), len(own) * rules["weights"]["scale"]))


@examples(30)
@given(region=REGIONS, rules=POLICIES, catalog=catalogs(12), history=HISTORY, records=RECORDS, seed=SEEDS)
def test_order_of_stays_hospitals_and_chunks_change_nothing(region, rules, catalog, history, records, seed):
    rng = Random(seed)
    region, rules, catalog, stays = ready(region, rules, catalog, history, records)
    _, weights = run_history(stays["history"], region, catalog, rules)
    assume(all(group["rw_e4"] != 0 for group in weights["groups"].values()))
    first = run_engine(region, rules, catalog, stays)
    mixed = {name: rng.sample(rows, len(rows)) for name, rows in stays.items()}
    places = rng.sample(region["hospitals"], len(region["hospitals"]))
    second = run_engine({**region, "hospitals": places}, rules, catalog, mixed, chunk_rows=rng.randint(1, 7))
    for name in ("groups", "hospitals", "months", "pools", "ledger", "monitoring"):
        assert second[name].equals(first[name]), name
    cases = [table["cases"].drop("source_file", "source_row").sort("setl_id") for table in (first, second)]
    assert cases[0].equals(cases[1])
