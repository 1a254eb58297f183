"""Differences that the random comparisons found, reduced to the smallest case, worked by hand."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from fenzhi.grouping import compile_catalog, group_dip
from fenzhi.pipeline import compute
from fenzhi.policy.models import Grouping
from fenzhi.region import load_region
from fenzhi.weights import weigh
from twins.budget import plain_pool
from twins.codes import TwinCatalog
from twins.draw import CONDITIONS, LAYERS
from twins.engine import catalog_of, hospitals_of, policy_of, stays_of
from twins.folder import write_region
from twins.rules import base_rules
from twins.test_twin_by_hand import HOSPITALS, stay


def row(group_id, layer, treatment, main_diag="K35"):
    empty = dict.fromkeys((*CONDITIONS, "main_oprn", "related_oprn"))
    head = {"group_id": group_id, "layer": layer, "treatment": treatment, "main_diag": main_diag}
    return {**empty, **head, "grassroots": False}


def groups_of(stays, catalog, weights=None, **rules):
    compiled = compile_catalog(catalog_of(catalog), Grouping.model_validate(rules), weights)
    return group_dip(stays_of(stays), compiled).frame["group_id"].to_list()


def test_a_stay_whose_operations_cannot_be_main_is_medical_also_by_the_highest_kind():
    """Rules 2.2: without an effective main operation a stay counts as conservative."""
    catalog = TwinCatalog(
        groups=[row("K35-1", "comprehensive", "medical"), row("K35-4", "comprehensive", "surgery")],
        layers=LAYERS,
        exclusions=[{"kind": "cannot_be_main", "code": "54.5100", "within": None}],
        operations={"54.5100": "surgery"},
    )
    stays = [stay("K35.800", "54.5100")]
    assert groups_of(stays, catalog, comprehensive_type="main") == ["K35-1"]
    assert groups_of(stays, catalog, comprehensive_type="highest") == ["K35-1"]


def test_a_group_without_mean_is_never_the_closest_in_cost():
    """Rules 2.6: |cost - mean of the group|; a group without history has no mean, not a mean of 0."""
    catalog = TwinCatalog(groups=[row("A", "basic", "any"), row("B", "basic", "any", "K35.8")], layers=LAYERS)
    weights = pl.DataFrame(
        {"rw_e4": [None, 1_000], "mean_cost_fen": [None, 50_000]},
        schema_overrides={"rw_e4": pl.Int64, "mean_cost_fen": pl.Int64},
    )
    stays = [stay("K35.800", cost_fen=10_000)]
    assert groups_of(stays, catalog, weights, precedence=("layer", "closest_cost")) == ["B"]


def test_trimming_everything_counts_everything_as_trimmed():
    """Costs 1 and 199 fen lie outside 0.9 to 1.1 times their mean of 100: both are trimmed."""
    catalog = TwinCatalog(groups=[row("A", "basic", "any")], layers=LAYERS)
    trim = {"method": "factor", "low": "0.9", "high": "1.1", "k": "2", "min_cases": 1}
    history = pl.DataFrame(
        {"group_idx": [0, 0], "year": [2026, 2026], "fixmedins_code": ["H1", "H1"], "cost_fen": [1, 199]},
        schema={"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64},
    )
    policy = policy_of(base_rules(weights={"trim": trim}))
    groups = weigh(history, catalog_of(catalog), policy, hospitals_of(HOSPITALS)).groups
    assert groups["history_cases"].to_list() == [2]
    assert groups["rw_e4"].to_list() == [None]
    assert groups["trimmed_cases"].to_list() == [2]


def full(setl_id, year, cost, diagnosis="K35.800", **values):
    """A stay of hospital H1, half of its cost booked."""
    money = {"medfee_sumamt_fen": cost, "hifp_pay_fen": cost // 2, "excl_pay_sumamt_fen": 0}
    key = {"setl_id": setl_id, "fixmedins_code": "H1", "insutype": "310", "med_type": "21"}
    when = {"dscg_time": datetime(year, 5, 5), "act_ipt_days": 5}
    return {**stay(diagnosis), **key, **money, **when, **values}


def year_of(tmp_path, catalog, rules, history, records):
    region = {
        "area": "990100",
        "year": 2027,
        "history_years": [2026],
        "hospitals": HOSPITALS[:1],
        "pools": [{"id": "p", "insutype": ["310"], "areas": "local", "opening_value_e4": None}],
        "budgets": {"p": plain_pool(1_000)},
        "deductions": [],
        "advances": None,
        "assessment": {},
    }
    write_region(tmp_path / "region", region, catalog, rules, {"history": history, "records": records})
    return compute(load_region(tmp_path / "region"))[0]["cases"].sort("setl_id")


def test_the_closest_cost_is_that_of_the_rules_without_items_paid_apart(tmp_path):
    """Rules 1: cost = total - paid apart. 50,000 - 39,000 = 11,000 is nearer to 10,000 than to 50,000."""
    second = {**row("B", "basic", "any", "K35.8"), "any_diag": "K35.800x001|U84.3"}
    catalog = TwinCatalog(groups=[row("A", "basic", "any", "K35.800"), second], layers=LAYERS)
    rules = base_rules(grouping={"precedence": ["layer", "closest_cost"]})
    # A costs 10,000 in history, B 50,000; the record meets both.
    history = [full("h1", 2026, 10_000), full("h2", 2026, 50_000, "K35.800x001")]
    records = [full("r1", 2027, 50_000, "K35.800 U84.300", excl_pay_sumamt_fen=39_000)]
    cases = year_of(tmp_path, catalog, rules, history, records)
    assert cases["cost_fen"].to_list() == [11_000]
    assert cases["group_id"].to_list() == ["A"]


def test_items_paid_apart_beyond_the_total_give_no_negative_points(tmp_path):
    """Rules 4: points never fall below 0, for an ungrouped stay either."""
    catalog = TwinCatalog(groups=[row("A", "basic", "any")], layers=LAYERS)
    history = [full("h1", 2026, 10_000)]
    records = [full("r1", 2027, 10_000, "E11.900", excl_pay_sumamt_fen=12_000), full("r2", 2027, 10_000)]
    cases = year_of(tmp_path, catalog, base_rules(), history, records)
    assert cases["outcome"].to_list() == ["ungrouped", "grouped"]
    assert cases["points_e4"].to_list() == [0, 10_000_000]
