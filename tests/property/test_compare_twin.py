"""Any two runs: the causes are the twin's, add up to the fen everywhere, and depend on no order."""

from __future__ import annotations

from copy import deepcopy
from random import Random

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from fenzhi.attribution import (
    CAUSES,
    STAY_CAUSES,
    added_up,
    by_account,
    by_group,
    by_group_sums,
    by_level,
    by_stay,
    cause,
    flows,
    paid_stays,
    stay_by_stay,
)
from fenzhi.errors import RegionError
from fenzhi.pipeline.sides import side_of as side_of_tables
from property.test_year_twin import CATALOGS, ready, run_engine
from twins.compare import accounts
from twins.draw_runs import draw_runs, side_of
from twins.draw_year import HISTORY, POLICIES, RECORDS, REGIONS
from twins.profile import examples

SEEDS = st.integers(0, 2**32 - 1)
ALL = [cause(name) for name in CAUSES]
OF_STAYS = [cause(name) for name in STAY_CAUSES]


def drawn(seed):
    runs = draw_runs(Random(seed))
    assume(all(run["cases"] and run["hospitals"] for run in runs))
    return runs


def compared(before, after):
    """The stays side by side, the accounts by stays and by sums."""
    sides = side_of(before), side_of(after)
    paid = tuple(map(paid_stays, sides))
    stays = stay_by_stay(*paid, (before["scale"], after["scale"]))
    return sides, paid, stays, by_stay(stays, *sides), by_account(*sides, paid)


def adds_up(table, causes=ALL):
    assert (table.select(pl.sum_horizontal(causes)).to_series() == table["difference_fen"]).all()
    assert (table["after_fen"] - table["before_fen"] == table["difference_fen"]).all()


@examples(80)
@given(SEEDS)
def test_the_causes_are_the_twins(seed):
    before, after = drawn(seed)
    *_, mine, sums = compared(before, after)
    for table, by_stays in ((mine, True), (sums, False)):
        expected = accounts(before, after, by_stays)
        assert table.height == len(expected)
        for row in table.iter_rows(named=True):
            wanted = expected[row["fixmedins_code"], row["pool"]]
            found = {name: row[cause(name)] for name in CAUSES}
            found |= {name: row[f"{name}_fen"] for name in ("before", "after", "difference")}
            assert found == wanted


@examples(40)
@given(SEEDS)
def test_everything_adds_up_to_the_fen(seed):
    before, after = drawn(seed)
    sides, paid, stays, mine, sums = compared(before, after)
    levels = by_level(mine)
    for table in (mine, sums, levels, added_up(mine, ["fixmedins_code"])):
        adds_up(table)
    groups, flowing, group_sums = by_group(stays, *sides), flows(stays, *sides), by_group_sums(*sides, paid)
    for table in (stays, groups, flowing, group_sums):
        adds_up(table, OF_STAYS)
    assert levels.select(*ALL, "difference_fen").sum().row(0) == mine.select(
        *ALL, "difference_fen"
    ).sum().row(0)
    whole = [int(frame["difference_fen"].sum()) for frame in (stays, groups, group_sums)]
    gross = [sum(line["gross_fen"] for line in run["hospitals"]) for run in (before, after)]
    assert whole == [gross[1] - gross[0]] * 3
    both = stays.filter(pl.col("state") == "both")
    assert flowing.select(*OF_STAYS, "stays").sum().row(0) == (
        *both.select(OF_STAYS).sum().row(0),
        both.height,
    )
    assert groups.select(OF_STAYS).sum().row(0) == stays.select(OF_STAYS).sum().row(0)
    finals = [
        sum(line.get("final_fen", line["payable_fen"]) for line in run["hospitals"])
        for run in (before, after)
    ]
    assert mine["difference_fen"].sum() == sums["difference_fen"].sum() == finals[1] - finals[0]


@examples(20)
@given(SEEDS)
def test_the_other_way_round_the_difference_is_the_opposite(seed):
    before, after = drawn(seed)
    forth, back = compared(before, after), compared(after, before)
    for at in (2, 3, 4):
        keys = [name for name in ("setl_id", "fixmedins_code", "pool") if name in forth[at].columns]
        opposite = back[at].select(*keys, -pl.col("difference_fen"))
        assert forth[at].select(*keys, "difference_fen").equals(opposite)


@examples(20)
@given(SEEDS)
def test_a_run_beside_itself_differs_in_nothing(seed):
    run = drawn(seed)[0]
    sides, paid, stays, mine, sums = compared(run, run)
    for table in (mine, sums):
        assert set(table.select(*ALL, "difference_fen").sum().row(0)) == {0}
        assert not table.select(pl.any_horizontal(pl.col(*ALL) != 0)).to_series().any()
    assert not stays["changed"].any()
    assert set(stays["state"]) <= {"both"}
    assert by_group(stays, *sides)["moved"].sum() == 0
    assert set(by_group_sums(*sides, paid)["difference_fen"]) <= {0}


@examples(20)
@given(SEEDS)
def test_no_order_matters(seed):
    before, after = drawn(seed)
    rng = Random(seed)
    mixed = [
        {**run, **{name: rng.sample(run[name], len(run[name])) for name in ("cases", "hospitals", "pools")}}
        for run in (before, after)
    ]
    for one, other in zip(compared(before, after)[2:], compared(*mixed)[2:], strict=True):
        assert one.equals(other)


@examples(12, reduce=False)
@given(region=REGIONS, rules=POLICIES, others=POLICIES, catalog=CATALOGS, history=HISTORY, records=RECORDS)
def test_years_of_the_engine_under_two_policies(region, rules, others, catalog, history, records):
    years = []
    for policy in (rules, others):
        fitting = ready(deepcopy(region), policy, deepcopy(catalog), deepcopy(history), deepcopy(records))
        assume(fitting is not None and not fitting[1])
        try:
            tables = run_engine(*fitting[0])
        except RegionError as error:
            assume(error.code not in ("BUDGET_OPENING", "BUDGET_DIRECT"))
            raise
        manifest = {
            "scale": policy["weights"]["scale"],
            "settlement_method": policy["point_value"]["settlement"],
        }
        years.append(({name: table.to_dicts() for name, table in tables.items()}, tables, manifest))
    runs = [
        {
            **rows,
            "scale": manifest["scale"],
            "subtracts": manifest["settlement_method"] == "difference",
        }
        for rows, _, manifest in years
    ]
    sides = [side_of_tables(tables, tables["cases"].lazy(), manifest) for _, tables, manifest in years]
    paid = paid_stays(sides[0]), paid_stays(sides[1])
    stays = stay_by_stay(*paid, (sides[0].scale, sides[1].scale))
    for table, by_stays in ((by_stay(stays, *sides), True), (by_account(*sides, paid), False)):
        expected = accounts(*runs, by_stays)
        for row in table.iter_rows(named=True):
            found = {name: row[cause(name)] for name in CAUSES}
            assert found == {name: expected[row["fixmedins_code"], row["pool"]][name] for name in CAUSES}
