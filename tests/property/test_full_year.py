"""Years with tracks, sharing, reserve, deposit and periods all switched on: what must hold of every one of them."""

from __future__ import annotations

from random import Random

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from fenzhi.errors import RegionError
from property.test_year_twin import (
    CATALOGS,
    SEEDS,
    compare_year,
    mixed_is_the_same,
    ready,
    run_both,
    run_engine,
)
from twins.budget import plain_pool
from twins.draw import made
from twins.draw_full import switched_on
from twins.draw_money import sharing_rules
from twins.draw_year import HISTORY, POLICIES, RECORDS, REGIONS, history_stay, record
from twins.profile import examples
from twins.year import PAID

YEARS = st.tuples(REGIONS, POLICIES, CATALOGS, HISTORY, RECORDS, SEEDS)
FULL = st.tuples(
    REGIONS,
    POLICIES,
    CATALOGS,
    st.lists(made(history_stay), min_size=20, max_size=40),
    st.lists(made(record), min_size=15, max_size=30),
    SEEDS,
)
REFUSED = ("BUDGET_OPENING", "BUDGET_DIRECT")
ROW_KINDS = ("outpatient", "outside_budget", "procurement_savings")


def year_of(drawn):
    """The parts of a year that can be run, with everything switched on, and a generator of its own."""
    region, rules, catalog, history, records, seed = drawn
    rng = Random(seed)
    region, rules = switched_on(region, rules, rng)
    fitting = ready(region, rules, catalog, history, records)
    assume(fitting is not None and not fitting[1])
    return fitting[0], rng


def paid(*parts):
    """The tables of a year; an example whose fund cannot pay what it has to is left out."""
    try:
        return run_engine(*parts)
    except RegionError as error:
        assume(error.code not in REFUSED)
        raise


@examples(25, reduce=False)
@given(drawn=YEARS)
def test_the_full_year_is_the_twins(drawn):
    region, rules, catalog, history, records, seed = drawn
    region, rules = switched_on(region, rules, Random(seed))
    answer = run_both(region, rules, catalog, history, records)
    if answer is not None:
        assert answer[2]["tracks"]
        assert "values" in answer[0]
        compare_year(answer, catalog)


@examples(8, reduce=False)
@given(drawn=YEARS)
def test_order_changes_nothing_in_a_full_year(drawn):
    parts, rng = year_of(drawn)
    mixed_is_the_same(rng, paid(*parts), *parts)


@examples(15, reduce=False)
@given(drawn=YEARS)
def test_no_stay_is_paid_twice(drawn):
    """By points, directly or by a track; what the ledger pays out is the stays' and what hangs on no stay."""
    parts, _ = year_of(drawn)
    tables = paid(*parts)
    cases = tables["cases"]
    assert cases["setl_id"].n_unique() == cases.height
    by_fund = pl.col("outcome").is_in(PAID)
    assert cases.select((by_fund == pl.col("payable_fen").is_not_null()).all()).item()
    assert cases.select((by_fund & pl.col("track_fen").is_not_null()).sum()).item() == 0
    assert cases.select((pl.col("track_fen").is_null() | pl.col("track").is_not_null()).all()).item()
    direct = cases.filter(pl.col("direct_fen").is_not_null())
    assert (direct["points_e4"] == 0).all()
    assert (direct["payable_fen"] == direct["direct_fen"]).all()
    hospitals, tracks = tables["hospitals"], tables["tracks"]
    by_row = pl.col("kind").is_in(ROW_KINDS)
    stays = cases["payable_fen"].sum() + cases["track_fen"].sum()
    assert cases["payable_fen"].sum() == hospitals["gross_fen"].sum()
    assert cases["track_fen"].sum() == tracks.filter(~by_row)["fund_fen"].sum()
    beside = (
        hospitals.select(pl.col("final_fen") - pl.col("gross_fen") - pl.col("forfeited_fen")).sum().item()
    )
    beside += tracks.filter(by_row)["fund_fen"].sum() + tracks["adjustment_fen"].sum()
    ledger = tables["ledger"]
    into, back = (
        ledger.filter(pl.col(side).str.starts_with("paid:"))["amount_fen"].sum()
        for side in ("debit", "credit")
    )
    assert into - back == stays + beside


def falling(rng):
    """Tiers that share by parts; what the fund bears of an overrun does not rise with it."""
    sharing = sharing_rules(rng)
    shares = sorted((tier["share"] for tier in sharing["overrun"]), key=float, reverse=True)
    for tier, share in zip(sharing["overrun"], shares, strict=True):
        tier["share"] = share
    for tier in [*sharing["surplus"], *sharing["overrun"]]:
        tier["base"] = "part"
    return sharing


def near_booked(region, stays, rng):
    """Budgets whose fund is near to what was booked, so that some hospitals have a surplus and others an overrun."""
    booked = sum(stay["hifp_pay_fen"] or 0 for stay in stays["records"])
    plain = {"share": None, "track": None}
    reserve = 10**11
    found = {}
    for pool in region["budgets"]:
        income = booked * rng.randint(2, 20) // (10 * len(region["budgets"])) + rng.randint(0, 1_000)
        found[pool] = plain_pool(income + reserve)
        found[pool]["lines"].append({"name": "kept", "kind": "reserve", "amount_fen": reserve, **plain})
    return {**region, "budgets": found}


def slack(rules, lines):
    """What rounding may take from a hospital, in fen.

    Two splits in each period and the split of the fund over them, each share of the income, withholding and sharing; a
    fen of the amount is at most two after sharing.
    """
    periods = {"year": 1, "quarter": 4, "month": 12}[rules["point_value"]["period"]]
    return 2 * (3 * periods + lines + 4)


@examples(25, reduce=False)
@given(drawn=FULL)
def test_more_money_lowers_nobody_s_payment(drawn):
    """docs/rules.md, section 6: shares of parts, overruns shared less the larger they are, a reserve that reaches."""
    (region, rules, catalog, stays), rng = year_of(drawn)
    rules = {**rules, "sharing": falling(rng)}
    if rules["point_value"]["rate"] == "fixed":
        rules["point_value"]["rate"] = "floating"
    if rng.random() < 0.8:
        region = near_booked(region, stays, rng)
    before = paid(region, rules, catalog, stays)
    booked = before["cases"]["booked_fen"].sum()
    more = rng.choice([1, booked // 50 + 1, booked // 3 + 1, booked // 3 + 1])
    richer = {}
    for name, pool in region["budgets"].items():
        first, *rest = pool["lines"]
        richer[name] = {**pool, "lines": [{**first, "amount_fen": first["amount_fen"] + more}, *rest]}
    try:
        after = run_engine({**region, "budgets": richer}, rules, catalog, stays)
    except RegionError as error:
        # Shares of the income may leave less than the by-disease fund.
        assume(error.code != "BUDGET_NEGATIVE")
        raise
    lines = max(len(pool["lines"]) for pool in region["budgets"].values())
    allowed = slack(rules, lines)
    short = set()
    for tables in (before, after):
        short |= set(tables["pools"].filter(pl.col("short_fen") > 0)["pool"])
        short |= set(tables["values"].filter(pl.col("value_limit") == "reserve")["pool"])
    keys = ["fixmedins_code", "pool"]
    both = before["hospitals"].join(after["hospitals"], on=keys, suffix="_after", validate="1:1")
    assert both.height == before["hospitals"].height
    for row in both.iter_rows(named=True):
        if row["pool"] not in short:
            key = (row["fixmedins_code"], row["pool"])
            assert row["final_fen_after"] >= row["final_fen"] - allowed, key
