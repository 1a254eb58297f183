"""Any budget that can be: methods, shares and changes give the fen of the twin, and the ledger loses none."""

from __future__ import annotations

from random import Random

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.budget import Budget, budget_table, require_all_given
from fenzhi.settlement.ledger import _budget_entries, balances
from twins.budget import drawn_pool, fund_of, state, sums_of, table_of, written
from twins.draw import made
from twins.draw_year import amount
from twins.profile import examples

YEAR = 2027


def drawn(rng: Random):
    incomes = [0, rng.randint(1, 50), rng.randint(1, 10**6), amount(rng) * 10, rng.randint(1, 10**13)]
    return drawn_pool(rng, rng.choice(incomes), YEAR)


def trimmed(row):
    """Without the keys that a file would leave out."""
    if isinstance(row, dict):
        return {key: trimmed(value) for key, value in row.items() if value is not None}
    return [trimmed(one) for one in row] if isinstance(row, list) else row


def read(pool) -> Budget:
    return Budget.model_validate({"year": YEAR, "pool": [trimmed(written("p", pool))]})


POOLS = made(drawn)


@examples(400, reduce=False)
@given(pool=POOLS)
def test_every_state_of_the_year_is_the_twins(pool):
    entry = read(pool).of("p")
    for changes in range(len(pool["changes"]) + 1):
        assert entry.amounts(changes) == state(pool, changes)
    assert entry.fund_fen == fund_of(pool)
    sums = {
        "income_fen": entry.total_fen("income"),
        "reserve_fen": entry.reserve_fen,
        "carved_out_fen": entry.carved_out_fen,
    }
    assert sums == sums_of(pool)
    assert sums["income_fen"] == sums["reserve_fen"] + sums["carved_out_fen"] + entry.fund_fen


@examples(150, reduce=False)
@given(pool=POOLS)
def test_table_and_ledger_say_the_same(pool):
    budget = read(pool)
    table = budget_table(budget, ["p"])
    assert table.select("line", "kind", "planned_fen", "changed_fen", "left_fen").rows() == table_of(pool)
    # What communities hand over is no money of the budget.
    settled = {"pool": ["p"], "fund_fen": [fund_of(pool) + 7], "outside_care_fen": [7]}
    require_all_given(table, pl.DataFrame(settled))
    entries = _budget_entries(budget, pl.DataFrame({"pool": ["p"]}), YEAR)
    assert (entries["amount_fen"] > 0).all()
    left = dict(balances(entries).select("account", "balance_fen").iter_rows())
    # The line of another track has an account of its own.
    left["carve_out:p"] = sum(fen for name, fen in left.items() if name.startswith(("carve_out:", "track:")))
    sums = sums_of(pool)
    assert {name: left.get(f"{name}:p", 0) for name in ("fund", "source", "carve_out", "reserve")} == {
        "fund": 0,
        "source": -sums["income_fen"],
        "carve_out": sums["carved_out_fen"],
        "reserve": sums["reserve_fen"],
    }
    assert left.get("by_disease:p", 0) == fund_of(pool)
    # Month by month: what the changes up to it moved.
    for month in {change["date"][:7] for change in pool["changes"]}:
        done = sum(change["date"][:7] <= month for change in pool["changes"])
        upto = entries.filter(pl.col("period") <= month)
        so_far = dict(balances(upto).select("account", "balance_fen").iter_rows())
        assert so_far.get("by_disease:p", 0) == state(pool, done)["by_disease"]


@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_changes_in_the_file_does_not_matter(seed):
    rng = Random(seed)
    pool = drawn(rng)
    mixed = {**pool, "changes": rng.sample(pool["changes"], len(pool["changes"]))}
    assert read(mixed).of("p").amounts() == read(pool).of("p").amounts()


def test_drawn_budgets_have_everything():
    pools = [drawn(Random(seed)) for seed in range(400)]
    assert {pool["method"] for pool in pools} == {"items", "share", "growth"}
    changes = [change for pool in pools for change in pool["changes"]]
    assert len(changes) > 100
    assert {change["line"] for change in changes} >= {"by_disease", "left_over", "income"}
    assert sum(change["other"] is None for change in changes) > 20
    assert sum(line["share"] is not None for pool in pools for line in pool["lines"]) > 50
    kinds = {line["kind"] for pool in pools for line in pool["lines"]}
    assert len(kinds) == 6
