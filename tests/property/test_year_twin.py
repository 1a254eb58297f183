"""Any region, policy and stays: a whole year gives the integers of the twin, and no fen is lost.

The region is written to disk and run as a user would run it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from fenzhi.errors import CatalogError, RegionError
from fenzhi.pipeline import compute
from fenzhi.region import load_region
from twins.budget import plain_pool, sums_of, table_of
from twins.draw import catalogs, drawn_catalog
from twins.draw_auxiliary import listed_auxiliary
from twins.draw_tracks import with_tracks
from twins.draw_year import (
    HISTORY,
    POLICIES,
    RECORDS,
    REGIONS,
    applied,
    fitting_bonuses,
    history_stay,
    negotiated,
    placed,
    policy_rules,
    record,
    with_tcm,
)
from twins.draw_year import region as drawn_region
from twins.exact import half_up
from twins.folder import sound, write_region
from twins.profile import examples
from twins.rules import base_rules
from twins.tcm import tcm_ids
from twins.weights import RefusedError
from twins.year import PAID, run_history, run_year

CASE = ["outcome", "reason", "track", "track_why", "track_fen", "cost_fen", "booked_fen", "month"]
PAID_CASE = [
    "layer",
    "group_id",
    "pool",
    "rw_e4",
    "coefficient_e4",
    "auxiliary_family",
    "auxiliary_level",
    "auxiliary_e4",
    "points_base_e4",
    "auxiliary_points_e4",
    "deviation",
    "reference_fen",
    "readmitted_days",
    "add_ons",
    "add_on_e4",
    "before_review_e4",
    "review",
    "points_e4",
    "fixed_points_e4",
    "direct_fen",
    "point_value_e4",
    "standard_fen",
    "payable_fen",
]
MONTH = [
    *("cases", "points_e4", "cost_fen", "booked_fen", "due_fen", "deduction_fen"),
    *("advance_fen", "deposit_fen", "quarter_fen"),
]
CATALOGS = catalogs(8, fallback=True)
SEEDS = st.integers(0, 2**32 - 1)


def ready(region, rules, catalog, history, records):
    """Make drawn parts fit together and weigh the history; None if they cannot be a region.

    With the parts comes what the engine must refuse: weights of zero, weights that cannot be negotiated.
    """
    catalog = with_tcm(region, sound(catalog))
    values = fitting_bonuses(region["bonuses"], rules, Random(len(history)))
    region = {**with_tracks(region, rules), "weight_overrides": {}, "bonuses": values}
    # A layer that no group of the catalogue lies in cannot be exempt.
    layers = sorted({row["layer"] for row in catalog.groups})
    if tcm_ids(catalog, rules) and len(history) % 8 == 0:
        layers = ["tcm", *layers]
    rules["coefficients"]["exempt_layers"] = layers[:1] if len(history) % 4 == 0 else []
    if (rules["auxiliary"] or {}).get("source") == "listed":
        region["auxiliary"] = listed_auxiliary(region, rules, catalog.groups)
        if not region["auxiliary"]:
            rules["auxiliary"]["source"] = "measured"
    places = region["hospitals"]
    stays = {"history": placed(history, "h", places), "records": placed(records, "r", places)}
    region["applications"] = applied(region["drawn_applications"], stays["records"])
    benchmark = rules["weights"]["method"] == "benchmark"
    if benchmark:
        rules["weights"]["method"] = "mean_cost"
    past, weights = run_history(stays["history"], region, catalog, rules)
    if not past or not catalog.groups or weights["mean_all"] < 1:
        return None
    ids = {row["group_id"] for row in catalog.groups}
    measured = [name for name, group in weights["groups"].items() if name in ids and group["rw_e4"]]
    if benchmark and measured:
        rules["weights"].update(method="benchmark", benchmark_group=measured[0])
        _, weights = run_history(stays["history"], region, catalog, rules)
    refused = None
    if region["negotiated"]:
        region["weight_overrides"] = negotiated(region, [row["group_id"] for row in catalog.groups])
        try:
            _, weights = run_history(stays["history"], region, catalog, rules)
        except RefusedError:
            refused = "negotiated"
    if refused is None and any(group["rw_e4"] == 0 for group in weights["groups"].values()):
        refused = "weight of zero"
    return (region, rules, catalog, stays), refused


def run_engine(region, rules, catalog, stays, **options):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "region"
        write_region(folder, region, catalog, rules, stays)
        return compute(load_region(folder), **options)[0]


def run_both(*parts):
    """Tables of the engine, results of the twin, policy; None where a weight of zero is refused."""
    fitting = ready(*parts)
    assume(fitting is not None)
    (region, rules, catalog, stays), refused = fitting
    if refused is not None:
        with pytest.raises((CatalogError, RegionError), match=refused):
            run_engine(region, rules, catalog, stays)
        return None
    try:
        expected = run_year(stays["history"], stays["records"], region, catalog, rules)
    except RefusedError as error:
        with pytest.raises(RegionError, match=str(error)):
            run_engine(region, rules, catalog, stays)
        return None
    return run_engine(region, rules, catalog, stays), expected, rules, region["budgets"]


def compare_cases(table, cases):
    rows = {row["setl_id"]: row for row in table.iter_rows(named=True)}
    assert len(rows) == table.height == len(cases)
    for case in cases:
        row = rows[case["setl_id"]]
        names = CASE + (PAID_CASE if case["outcome"] in PAID else [])
        assert {n: row[n] for n in names} == {n: case.get(n) for n in names}, case


def compare_pools(table, pools):
    for row in table.iter_rows(named=True):
        expected = pools[row["pool"]]
        assert {name: row[name] for name in expected} == expected
        assert row["gross_fen"] + row["residual_fen"] == row["fund_fen"]
    assert table.height == len(pools)


def compare_hospitals(table, lines, cases):
    for row in table.iter_rows(named=True):
        key = (row["fixmedins_code"], row["pool"])
        expected = lines[key]
        assert {name: row[name] for name in expected} == expected, key
        own = [c for c in cases if c["outcome"] in PAID and (c["fixmedins_code"], c["pool"]) == key]
        assert sum(case["payable_fen"] for case in own) == row["gross_fen"]
        kinds = ("core", "comprehensive", "grassroots", "tcm", "ungrouped", "bed_day")
        assert sum(row[f"points_{kind}_e4"] for kind in kinds) == row["points_e4"]
        weights = [case["rw_e4"] for case in own if case["rw_e4"] is not None]
        assert sum(row[f"{name}_cases"] for name in PAID) == len(own)
        assert row["cases"] == len(own)
        assert row["add_on_e4"] == sum(case["add_on_e4"] or 0 for case in own)
        approved = [case for case in own if case.get("review") not in (None, "refused")]
        assert row["points_review_e4"] == sum(case["points_e4"] for case in approved)
        plain = [case for case in own if case["direct_fen"] is None and case not in approved]
        assert row["auxiliary_points_e4"] == sum(case.get("auxiliary_points_e4") or 0 for case in plain)
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
        for name in ("history_cases", "mean_cost_fen", "stable", "rw_e4"):
            assert row[name] == group[name], (name, row)
        # A stay whose group has no weight is ungrouped: it names the group but is not one of its stays.
        inside = [case for case in cases if case["outcome"] in ("grouped", "comprehensive")]
        own = [case for case in inside if case["group_id"] == row["group_id"]]
        assert row["cases"] == len(own)
        for name in ("cost_fen", "points_e4", "payable_fen", "booked_fen"):
            assert row[name] == sum(case[name] for case in own), (name, row)


def compare_tcm(table, cases):
    rows = {row["setl_id"]: row for row in table.iter_rows(named=True)}
    tried = {c["setl_id"]: c["tcm"] for c in cases if c["outcome"] in PAID and c.get("tcm") is not None}
    assert rows.keys() == tried.keys()
    for setl_id, expected in tried.items():
        assert {name: rows[setl_id][name] for name in expected} == expected, setl_id
        assert rows[setl_id]["entered"] == (expected["failed"] == "")


APPLICATION = [
    "unit",
    "eligible",
    "compared_fen",
    "cost_multiple_e4",
    "over_fen",
    "quota",
    "rank",
    "state",
    "review",
]


def compare_reviews(tables, expected):
    listed = expected["applications"]
    rows = {row["setl_id"]: row for row in tables["applications"].iter_rows(named=True)}
    assert len(rows) == len(listed)
    for one in listed:
        row = rows[one["setl_id"]]
        assert {name: row[name] for name in APPLICATION} == {name: one[name] for name in APPLICATION}, one
        assert (row["met"] or "") == (one["met"] or "")
    for row in tables["review"].iter_rows(named=True):
        mine = [one for one in listed if one["unit"] == row["unit"]]
        assert row["applications"] == len(mine)
        states = {
            "approved": "approved",
            "refused": "refused",
            "pending": "eligible",
            "over_quota": "over_quota",
        }
        for name, state in states.items():
            assert row[name] == sum(one["state"] == state for one in mine)
        approved = [one["stay"]["payable_fen"] for one in mine if one["state"] == "approved"]
        assert row["review_fen"] == sum(approved)
        assert row["quota"] == expected["quota"].get(row["unit"], 0) >= len(approved)


def compare_ledger(ledger, tables):
    sides = pl.concat(
        [
            ledger.select(pl.col("debit").alias("account"), "amount_fen"),
            ledger.select(pl.col("credit").alias("account"), -pl.col("amount_fen")),
        ]
    )
    left = dict(sides.group_by("account").agg(pl.col("amount_fen").sum()).iter_rows())
    for account, amount in left.items():
        if account.startswith(("hospital:", "fund:", "track:", "by_disease:", "deposit:")):
            assert amount == 0, account
    assert (ledger["amount_fen"] > 0).all()
    for row in tables["hospitals"].iter_rows(named=True):
        paid = left.get(f"paid:{row['fixmedins_code']}:{row['pool']}", 0)
        key = {name: row[name] for name in ("fixmedins_code", "pool")}
        beside = tables["tracks"].filter(**key)["payable_fen"].sum() if "tracks" in tables else 0
        assert paid == row["final_fen"] - row["forfeited_fen"] + beside


TRACK = ["cases", "units", "standard_fen", "fund_fen", "adjustment_fen", "payable_fen"]


def compare_tracks(tables, expected):
    """Accounts and lines are the twin's, and all money of a line goes somewhere."""
    rows = {
        (row["pool"], row["track"], row["fixmedins_code"]): row
        for row in tables["tracks"].iter_rows(named=True)
    }
    assert rows.keys() == expected["accounts"].keys()
    for key, account in expected["accounts"].items():
        assert {name: rows[key][name] for name in account} == account, key
    for row in tables["track_lines"].iter_rows(named=True):
        line = expected["lines"][row["pool"], row["line"]]
        assert {name: row[name] for name in line} == line
        assert row["line_fen"] == row["paid_fen"] + row["outside_care_fen"] + row["left_fen"]
    assert tables["track_lines"].height == len(expected["lines"])


def compare_budget(tables, budgets):
    """The budget's sums and table, its conservation, and what the ledger says of it."""
    for row in tables["pools"].iter_rows(named=True):
        expected = sums_of(budgets[row["pool"]])
        assert {name: row[name] for name in expected} == expected, row["pool"]
        own = row["fund_fen"] - row["outside_care_fen"]
        assert row["income_fen"] - row["carved_out_fen"] - row["reserve_fen"] == own
        entries = tables["ledger"].filter(pl.col("pool") == row["pool"])
        out, back = (
            entries.filter(
                pl.col(taker).str.contains("^(carve_out|track):") & pl.col(giver).str.starts_with("fund:")
            )["amount_fen"].sum()
            for taker, giver in (("debit", "credit"), ("credit", "debit"))
        )
        assert out - back == row["carved_out_fen"]
        mine = tables["budget"].filter(pl.col("pool") == row["pool"])
        shown = mine.select("line", "kind", "planned_fen", "changed_fen", "left_fen").rows()
        assert shown == table_of(budgets[row["pool"]])
        assert shown[-1][-1] == 0
    assert tables["budget"]["pool"].unique(maintain_order=True).to_list() == tables["pools"]["pool"].to_list()


def compare_year(answer, catalog):
    """Every integer of a year is the twin's."""
    tables, expected, rules, budgets = answer
    compare_cases(tables["cases"], expected["cases"])
    compare_pools(tables["pools"], expected["pools"])
    compare_hospitals(tables["hospitals"], expected["hospitals"], expected["cases"])
    compare_months(tables["months"], expected["months"])
    compare_groups(tables["groups"], expected["weights"], expected["cases"])
    compare_ledger(tables["ledger"], tables)
    compare_budget(tables, budgets)
    assert ("tcm" in tables) == bool(tcm_ids(catalog, rules))
    if "tcm" in tables:
        compare_tcm(tables["tcm"], expected["cases"])
    if rules["special_review"] is not None:
        compare_reviews(tables, expected)
    if rules["tracks"]:
        compare_tracks(tables, expected["tracks"])
    for row in tables["hospitals"].filter(pl.col("cmi_e4").is_not_null()).iter_rows(named=True):
        own = [
            case["rw_e4"]
            for case in expected["cases"]
            if case["outcome"] in PAID
            and (case["fixmedins_code"], case["pool"]) == (row["fixmedins_code"], row["pool"])
            and case["rw_e4"] is not None
        ]
        assert row["cmi_e4"] == half_up(Fraction(sum(own), len(own) * rules["weights"]["scale"]))


@examples(100, reduce=False)
@given(region=REGIONS, rules=POLICIES, catalog=CATALOGS, history=HISTORY, records=RECORDS)
def test_the_year_is_the_twins(region, rules, catalog, history, records):
    answer = run_both(region, rules, catalog, history, records)
    if answer is not None:
        compare_year(answer, catalog)


def mixed_is_the_same(rng, first, region, rules, catalog, stays):
    """Hospitals and stays in another order give the same tables."""
    mixed = {name: rng.sample(rows, len(rows)) for name, rows in stays.items()}
    places = rng.sample(region["hospitals"], len(region["hospitals"]))
    second = run_engine({**region, "hospitals": places}, rules, catalog, mixed)
    for name in first.keys() - {"cases", "monitoring", "rejected"}:
        assert second[name].equals(first[name]), name
    # Monitoring pays nothing: its floats may differ in the last bit when they are added in another order.
    assert_frame_equal(second["monitoring"], first["monitoring"], rel_tol=1e-9)
    cases = [tables["cases"].drop("source_file", "source_row").sort("setl_id") for tables in (first, second)]
    assert cases[0].equals(cases[1])


@examples(15, reduce=False)
@given(region=REGIONS, rules=POLICIES, catalog=CATALOGS, history=HISTORY, records=RECORDS, seed=SEEDS)
def test_order_of_stays_hospitals_and_chunks_change_nothing(region, rules, catalog, history, records, seed):
    rng = Random(seed)
    fitting = ready(region, rules, catalog, history, records)
    assume(fitting is not None and not fitting[1])
    region, rules, catalog, stays = fitting[0]
    try:
        first = run_engine(region, rules, catalog, stays)
    except RegionError as error:
        assume(error.code not in ("BUDGET_OPENING", "BUDGET_DIRECT"))
        raise
    pieces = run_engine(region, rules, catalog, stays, chunk_rows=rng.randint(1, 7))
    for name, table in first.items():
        assert pieces[name].equals(table), name
    mixed_is_the_same(rng, first, region, rules, catalog, stays)


THREADS = """
import sys
from pathlib import Path
from fenzhi.pipeline import compute
from fenzhi.region import load_region
tables, _ = compute(load_region(Path(sys.argv[1])))
for name, table in tables.items():
    table.write_ndjson(Path(sys.argv[2]) / f"{name}.ndjson")
"""


def test_one_or_two_threads_write_the_same(tmp_path):
    rng = Random(20270101)
    region, catalog = drawn_region(rng), drawn_catalog(rng, 12, fallback=True)
    history, records = ([maker(rng) for _ in range(3_000)] for maker in (history_stay, record))
    plain = {name: base_rules()[name] for name in ("grouping", "weights", "ungrouped", "deviation")}
    rules = {**policy_rules(rng), **plain}
    # A fund that covers what it may have to pay directly.
    region["budgets"] = {pool["id"]: plain_pool(10**13) for pool in region["pools"]}
    (region, rules, catalog, stays), _ = ready(region, rules, catalog, history, records)
    write_region(tmp_path / "region", region, catalog, rules, stays)
    for threads in ("1", "2"):
        (tmp_path / threads).mkdir()
        command = [sys.executable, "-c", THREADS, str(tmp_path / "region"), str(tmp_path / threads)]
        environment = {**os.environ, "POLARS_MAX_THREADS": threads}
        subprocess.run(command, check=True, env=environment)
    written = sorted(path.name for path in (tmp_path / "1").iterdir())
    assert "cases.ndjson" in written
    for name in written:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
