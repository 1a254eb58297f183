"""A what-if gives what a full run on the changed records gives, to the fen, in every table.

Years and policies are those of the year's twin; everything beside the points may be switched on.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random

import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

from fenzhi.errors import FenzhiError
from fenzhi.pipeline import compute
from fenzhi.pipeline.prepared import AT, freeze, prepare, read_records
from fenzhi.region import load_region
from fenzhi.simulation import scenario_of
from fenzhi.simulation.apply import apply_scenario
from fenzhi.simulation.base import base_of
from fenzhi.simulation.engine import Change, unchanged, what_if
from fenzhi.simulation.write import changed_records, record_columns, statable, write_region
from property.test_year_twin import CATALOGS, SEEDS, ready
from twins.draw_full import switched_on
from twins.draw_year import HISTORY, POLICIES, RECORDS, REGIONS
from twins.folder import write_region as write_drawn
from twins.profile import examples

YEARS = st.tuples(REGIONS, POLICIES, CATALOGS, HISTORY, RECORDS, SEEDS)
TABLES = ("hospitals", "months", "pools", "budget", "ledger", "tracks", "track_lines", "values")
# Changes of each year.
EACH = 3
STAY = ["setl_id", "fixmedins_code", "pool", "points_e4", "fixed_points_e4", "direct_fen", "payable_fen"]


def held(folder):
    frozen = freeze(load_region(folder))
    return base_of(prepare(frozen, read_records(frozen)))


def compare(changed, tables):
    """Every table but those of stays, and the stays that the fund pays."""
    for name in TABLES:
        assert (name in changed.year.tables) == (name in tables), name
        if name in tables:
            assert changed.year.tables[name].equals(tables[name], null_equal=True), name
    paid = tables["cases"].filter(pl.col("payable_fen").is_not_null()).select(STAY).sort("setl_id")
    assert changed.stays().select(STAY).sort("setl_id").equals(paid, null_equal=True)


def drawn_change(base, rng):
    """Stays that leave, stays that differ in what they say, stays that are there once more."""
    stays = base.stays
    rows = list(range(stays.height))
    rng.shuffle(rows)
    few = min(rng.choice([0, 1, 2, len(rows) // 3]), len(rows) - 1)
    gone, other, again = rows[:few], rows[few : 2 * few], rows[2 * few : 3 * few + rng.randint(0, 2)]
    records = stays[other].select(record_columns(stays))
    cost = pl.Series([rng.choice([1, 7, 10, 13, 40]) for _ in other], dtype=pl.Int64)
    records = records.with_columns(
        (pl.col("medfee_sumamt_fen") * cost // 10).alias("medfee_sumamt_fen"),
        (pl.col("act_ipt_days") + rng.randint(0, 3)).alias("act_ipt_days"),
    )
    codes = stays["diag_codes"].to_list()
    if rng.random() < 0.5 and other:
        swapped = pl.Series("diag_codes", [rng.choice(codes) for _ in other], dtype=pl.List(pl.String))
        places = stays["fixmedins_code"].to_list()
        records = records.with_columns(
            swapped, pl.Series("fixmedins_code", [rng.choice(places) for _ in other], dtype=pl.String)
        )
    copies = stays[again].with_columns(
        ("+" + pl.col("setl_id")).alias("setl_id"), pl.lit(None, pl.String).alias("psn_no")
    )
    if "readmitted_days" in copies.columns:
        copies = copies.with_columns(pl.lit(None, pl.Int32).alias("readmitted_days"))
    out = pl.Series(AT, gone + other, dtype=pl.UInt32)
    return Change(out, records, copies, drawn_region(base, rng))


def drawn_region(base, rng):
    """The region with another coefficient, another budget, decisions taken back; None if it stays."""
    region = base.region
    kind = rng.choice(["same", "same", "coefficient", "budget", "review", "settlement"])
    known = all(one is None or statable(one) for one in base.frozen.opening["opening_value_e4"])
    if kind == "coefficient" and known and region.policy.coefficients.form != "group":
        code = rng.choice(region.hospitals["fixmedins_code"].to_list())
        given = pl.when(pl.col("fixmedins_code") == code).then(pl.lit(rng.choice(["0.85", "1.2", "3"])))
        return replace(
            region,
            hospitals=region.hospitals.with_columns(given.otherwise("coefficient").alias("coefficient")),
        )
    if kind == "budget":
        pools = []
        for pool in region.budget.pool:
            line = pool.lines[0].model_copy(
                update={"amount": (pool.lines[0].amount or Decimal(0)) * 2 + 1000}
            )
            pools.append(pool.model_copy(update={"lines": (line, *pool.lines[1:])}))
        return replace(region, budget=region.budget.model_copy(update={"pool": tuple(pools)}))
    return None


def some(rng, base, column, codes):
    """A value of a column of the stays that points pay at a hospital, None if there is none."""
    values = base.scored.filter(pl.col("fixmedins_code").is_in(codes))[column].drop_nulls().to_list()
    return rng.choice(values) if values else None


def drawn_part(rng, base, hospital, kind):
    """One entry of a scenario's part."""
    near = base.stays.filter(pl.col("fixmedins_code") == hospital)
    group = some(rng, base, "group_id", [hospital])
    who = {"group": group} if group is not None and rng.random() < 0.6 else {}
    department = some(rng, base, "dscg_caty", [hospital]) if "dscg_caty" in base.scored.columns else None
    if department is not None and rng.random() < 0.2:
        who["department"] = department
    share = rng.choice(["0.1", "0.3333", "0.5", "1"])
    if kind == "volume":
        return {**who, "growth": rng.choice(["0.5", "1", "2.4", "-0.5", "-1", "0.07", "0"])}
    if kind == "mix":
        other = some(rng, base, "group_id", [hospital])
        return None if group is None else {"group": group, "to": other, "share": share}
    if kind == "cost":
        return {
            **who,
            "share": share,
            "cost": rng.choice(["-0.2", "0.3", "5", "-0.9"]),
            "los_days": rng.randint(-3, 9),
        }
    if kind == "move":
        tracks = list(base.region.policy.scope.other_tracks.values())
        places = base.region.hospitals["fixmedins_code"].to_list()
        to = (
            {"track": rng.choice(tracks)}
            if tracks and rng.random() < 0.5
            else {"to_hospital": rng.choice(places)}
        )
        return {**who, **to, "share": share, "cost": rng.choice([None, "-0.3"])}
    codes = near["diag_codes"].explode().drop_nulls().to_list()
    operations = base.stays["oprn_codes"].explode().drop_nulls().to_list()
    every = base.stays["diag_codes"].explode().drop_nulls().to_list()
    return {
        **who,
        "share": share,
        "replace": {rng.choice(codes): rng.choice(every) for _ in range(rng.randint(0, 2))},
        "add_diagnoses": [rng.choice(every)],
        "add_operations": [rng.choice(operations)] if operations else [],
        "drop": [rng.choice(codes)] if rng.random() < 0.3 else [],
    }


def drawn_scenario(base, rng):
    """A scenario that this year can have: one to three kinds of change."""
    paid = base.scored["fixmedins_code"].to_list()
    hospital = rng.choice(paid)
    found = {"hospital": hospital, "seed": rng.randint(0, 9)}
    for kind in rng.sample(["volume", "mix", "cost", "move", "coding"], rng.randint(1, 3)):
        entries = [drawn_part(rng, base, hospital, kind) for _ in range(rng.randint(1, 2))]
        found[kind] = [
            {key: value for key, value in one.items() if value is not None}
            for one in entries
            if one is not None
        ]
    if rng.random() < 0.3:
        found["others"] = {"growth": rng.choice(["0.2", "-0.3", "1"])}
    if rng.random() < 0.2:
        found["coefficient"] = [{"value": rng.choice(["0.85", "1.2", "3"])}]
    if rng.random() < 0.2:
        pool = rng.choice(base.region.budget.pool)
        lines = [line.name for line in pool.lines if line.amount is not None and line.kind == "income"]
        if lines:
            found["budget"] = [{"pool": pool.id, "line": rng.choice(lines), "growth": "0.25"}]
    decided = base.region.reviews.decisions["setl_id"].to_list()
    if decided and rng.random() < 0.3:
        found["review"] = [{"setl_id": rng.choice(decided), "outcome": "refused"}]
    return found


def changed_year(base, rng):
    """A change, drawn as rows or as a scenario; None if the scenario is refused in words."""
    if rng.random() < 0.3:
        return drawn_change(base, rng)
    scenario = scenario_of(drawn_scenario(base, rng))
    applied, refused = answer(lambda: apply_scenario(base, scenario))
    assert refused in (None, "SCENARIO_SENSE")
    return None if applied is None or applied.full else applied.change


def check_change(folder, tables, rng):
    base = held(folder)
    compare(unchanged(base), tables)
    assume(base.scored.height > 0)
    for number in range(EACH):
        change = changed_year(base, rng)
        if change is not None and changed_records(base, change).height:
            check_one(base, change, folder.with_name(f"changed-{number}"))


def check_one(base, change, target):
    write_region(base, change, target)
    changed, refused = answer(lambda: what_if(base, change))
    full, why = answer(lambda: compute(load_region(target))[0])
    assert refused == why
    if full is not None:
        compare(changed, full)


def answer(call):
    """What a call returns, and the code of the error that it ends in."""
    try:
        return call(), None
    except FenzhiError as error:
        return None, error.code


@examples(5, reduce=False)
@given(drawn=YEARS)
def test_a_what_if_is_a_run_on_the_changed_records(drawn):
    region, rules, catalog, history, records, seed = drawn
    rng = Random(seed)
    if rng.random() < 0.5:
        region, rules = switched_on(region, rules, rng)
    fitting = ready(region, rules, catalog, history, records)
    assume(fitting is not None and not fitting[1])
    region, rules, catalog, stays = fitting[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "region"
        write_drawn(folder, region, catalog, rules, stays)
        try:
            tables, _ = compute(load_region(folder))
        except FenzhiError:
            assume(False)
        check_change(folder, tables, rng)
