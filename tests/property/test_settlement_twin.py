"""Any scored year priced and settled in memory: budgets, values, tracks' money, sharing, deposit, reserve, ledger.

Small regions with every rule of money switched on, many more than the whole years from files in test_year_twin.py.
"""

from __future__ import annotations

from random import Random

import polars as pl
import pytest
from hypothesis import given

from fenzhi.budget import Budget, direct_amounts, fixed_points, price
from fenzhi.errors import ConservationError, RegionError
from fenzhi.settlement import YearInputs, balances, settle
from fenzhi.settlement.tracks import track_entries
from property.test_budget_twin import trimmed
from twins.budget import drawn_pool, fund_of, written
from twins.draw import chance, made
from twins.draw_money import settlement_rules, sharing_rules, value_rules
from twins.engine import policy_of
from twins.exact import E4
from twins.profile import examples
from twins.rules import base_rules
from twins.weights import RefusedError
from twins.year import Newest, close_year

YEAR = 2027
CODES = ["H1", "H2", "0007"]
POOLS = ["E", "R"]
GROUPS = ["G0", "G1", "T1"]


def amount(rng: Random) -> int:
    return rng.choice([rng.randint(0, 200), rng.randint(1, 10_000), rng.randint(1, 10**9)])


def stay(rng: Random, number: int) -> dict:
    """A scored stay; one in eight is paid directly."""
    cost, gid = amount(rng), rng.choice([*GROUPS, None])
    directly = rng.choice([None] * 7 + ["deviation"])
    return {
        "setl_id": f"S{number * 7 % 23}-{number}",
        "fixmedins_code": rng.choice(CODES),
        "pool": rng.choice(POOLS),
        "month": rng.randint(1, 12),
        "outcome": "grouped" if gid else "ungrouped",
        "grassroots": chance(rng, 0.3),
        "group_id": gid,
        "cost_fen": cost,
        "booked_fen": rng.choice([0, cost // 2, rng.randint(0, cost)]),
        "rw_e4": rng.choice([5_000, 10_000, 1_000_000, 20_000_000]) if gid else None,
        "points_e4": 0 if directly else rng.choice([0, 10_000, rng.randint(0, 10**7)]),
        "paid_directly": directly,
    }


def year(rng: Random) -> dict:
    """Stays, budgets, rules and what the region adds."""
    rate = rng.choice(["fixed", "floating", "elastic", "elastic"])
    rules = base_rules(
        point_value=value_rules(rng, rate), settlement=settlement_rules(rng, rate), sharing=sharing_rules(rng)
    )
    accounts = [(code, pool) for code in CODES for pool in POOLS]
    budgets = {pool: drawn_pool(rng, rng.choice([0, amount(rng), 10**10]), YEAR) for pool in POOLS}
    deductions = [
        {
            "fixmedins_code": rng.choice(CODES),
            "pool": rng.choice(POOLS),
            "month": rng.randint(1, 12),
            "amount_fen": amount(rng),
            "kind": rng.choice(["audit", "violation", "fine", "carried"]),
        }
        for _ in range(rng.randint(0, 3))
    ]
    return {
        "rules": rules,
        "stays": [stay(rng, number) for number in range(rng.randint(1, 16))],
        "opening": {pool: rng.choice([None, rng.randint(1, 10**6), 900_000]) for pool in POOLS},
        "rigid": {gid: rng.choice([0, 3_333, E4]) for gid in GROUPS},
        "points": {key: rng.randint(0, 10**7) for key in accounts if chance(rng, 0.7)},
        "booked": {key: amount(rng) for key in accounts if chance(rng, 0.7)},
        "region": {
            "hospitals": [{"fixmedins_code": code} for code in CODES],
            "pools": [{"id": pool} for pool in POOLS],
            "budgets": budgets,
            "funds": {pool: fund_of(one) for pool, one in budgets.items()},
            "deductions": deductions,
            "assessment": {code: rng.choice([E4, 9_500, 0, 10_500]) for code in CODES if chance(rng, 0.5)},
            "advances": None,
        },
        "tracks": tracks(rng, budgets),
    }


def tracks(rng: Random, budgets: dict) -> list[dict]:
    """What tracks take out of their lines: dues, care outside; the rest, or the lack, is the reserve's."""
    found = []
    for pool, budget in budgets.items():
        funds = Budget.model_validate({"year": YEAR, "pool": [trimmed(written(pool, budget))]})
        entry = funds.of(pool)
        for line in entry.lines:
            if line.track is not None:
                whole = entry.amounts()[line.name]
                due, care = (rng.choice([0, rng.randint(0, whole + 10)]) for _ in range(2))
                one = {"pool": pool, "line": line.track, "due": due, "outside_care_fen": care}
                found.append({**one, "code": rng.choice(CODES), "left_fen": whole - due - care})
    return found


def ledger_of(drawn: list[dict]) -> pl.DataFrame:
    def frame(schema: dict, rows: list[tuple]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema=schema, orient="row")

    text, whole = pl.String, pl.Int64
    where = {"pool": text, "line": text}
    dues = {
        **where,
        "fixmedins_code": text,
        "month": pl.Int8,
        "amount_fen": whole,
        "kind": text,
        "cite": text,
    }
    return track_entries(
        frame(dues, [(t["pool"], t["line"], t["code"], 13, t["due"], "track_payable", "") for t in drawn]),
        frame({**where, "amount_fen": whole}, [(t["pool"], t["line"], t["outside_care_fen"]) for t in drawn]),
        frame(
            {**where, "left_fen": whole, "to": text},
            [(t["pool"], t["line"], t["left_fen"], "reserve") for t in drawn],
        ),
        YEAR,
    )


def engine(drawn: dict):
    policy, region = policy_of(drawn["rules"]), drawn["region"]
    schema = {
        **dict.fromkeys(("setl_id", "fixmedins_code", "pool"), pl.String),
        "month": pl.Int8,
        "outcome": pl.String,
        "grassroots": pl.Boolean,
        "group_id": pl.String,
        **dict.fromkeys(("cost_fen", "booked_fen", "rw_e4", "points_e4"), pl.Int64),
        "paid_directly": pl.String,
    }
    rows = [{name: one[name] for name in schema} for one in drawn["stays"]]
    rigid = [drawn["rigid"].get(one["group_id"]) for one in drawn["stays"]]
    scored = pl.DataFrame(rows, schema=schema).with_columns(pl.Series("rigid_e4", rigid, dtype=pl.Int64))

    def accounts(values: dict, name: str) -> pl.DataFrame:
        keys = {"fixmedins_code": pl.String, "pool": pl.String, name: pl.Int64}
        return pl.DataFrame([(*key, fen) for key, fen in values.items()], schema=keys, orient="row")

    budget = Budget.model_validate(
        {"year": YEAR, "pool": [trimmed(written(pool, one)) for pool, one in region["budgets"].items()]}
    )
    opening = pl.DataFrame(
        list(drawn["opening"].items()),
        schema={"pool": pl.String, "opening_value_e4": pl.Int64},
        orient="row",
    )
    handed: dict[str, int] = {}
    for one in drawn["tracks"]:
        handed[one["pool"]] = handed.get(one["pool"], 0) + one["outside_care_fen"]
    deductions = [
        (d["fixmedins_code"], d["pool"], d["month"], d["amount_fen"], d["kind"]) for d in region["deductions"]
    ]
    keys = {"fixmedins_code": pl.String, "pool": pl.String, "month": pl.Int8, "deduction_fen": pl.Int64}
    inputs = YearInputs(
        year=YEAR,
        accounts=pl.DataFrame(
            [(code, pool) for code in CODES for pool in POOLS],
            schema=["fixmedins_code", "pool"],
            orient="row",
        ),
        last_booked=accounts(drawn["booked"], "booked_fen"),
        assessment=pl.DataFrame(
            list(region["assessment"].items()),
            schema={"fixmedins_code": pl.String, "assessment_e4": pl.Int64},
            orient="row",
        ),
        deductions=pl.DataFrame(deductions, schema={**keys, "kind": pl.String}, orient="row"),
        tracks=ledger_of(drawn["tracks"]),
    )
    scored = direct_amounts(scored, [policy.ungrouped.factor])
    scored = fixed_points(scored, policy.point_value, accounts(drawn["points"], "last_points_e4"))
    prices = price(scored, budget, opening, policy.point_value, handed)
    return settle(scored, prices, budget, policy, inputs)


def twin(drawn: dict):
    paid = [{**one, "directly": 1 if one["paid_directly"] else None} for one in drawn["stays"]]
    lines = {(one["pool"], one["line"]): one for one in drawn["tracks"]}
    past = Newest(drawn["points"], drawn["booked"], drawn["rigid"])
    return paid, *close_year(paid, drawn["region"], drawn["opening"], lines, past, drawn["rules"])


@examples(250, reduce=False)
@given(drawn=made(year))
def test_money_is_the_twins_and_conserved(drawn):
    try:
        paid, pools, lines, months = twin(drawn)
    except RefusedError as error:
        with pytest.raises(RegionError, match=str(error)):
            engine(drawn)
        return
    if any(abs(one["point_value_e4"] or 0) >= 2**63 for one in paid):
        with pytest.raises(ConservationError, match="63 bits"):
            engine(drawn)
        return
    settled = engine(drawn)
    for row in settled.pools.iter_rows(named=True):
        expected = pools[row["pool"]]
        assert {name: row[name] for name in expected} == expected
        assert row["gross_fen"] + row["residual_fen"] == row["fund_fen"]
    for row in settled.hospitals.iter_rows(named=True):
        expected = lines[row["fixmedins_code"], row["pool"]]
        assert {name: row[name] for name in expected} == expected
    for row in settled.months.iter_rows(named=True):
        expected = months[row["fixmedins_code"], row["pool"], row["month"]]
        assert {name: row[name] for name in expected} == expected
    of_stays = {row["setl_id"]: row for row in settled.stays.iter_rows(named=True)}
    assert len(of_stays) == len(paid)
    for one in paid:
        row = of_stays[one["setl_id"]]
        names = ("fixed_points_e4", "direct_fen", "payable_fen", "point_value_e4", "standard_fen")
        assert {name: row[name] for name in names} == {name: one[name] for name in names}
    all_money(settled, lines, drawn)


def all_money(settled, lines, drawn):
    """Whatever the sources give is with hospitals, the reserve, the fines or carved out: to the fen, in every pool."""
    left = dict(balances(settled.ledger).select("account", "balance_fen").iter_rows())
    assert sum(left.values()) == 0
    for pool in POOLS:
        mine = {name: fen for name, fen in left.items() if name.endswith(f":{pool}")}
        assert sum(mine.values()) == 0
        beside = {
            code: sum(t["due"] for t in drawn["tracks"] if (t["pool"], t["code"]) == (pool, code))
            for code in CODES
        }
        for code in CODES:
            line = lines[code, pool]
            paid = line["final_fen"] - line["forfeited_fen"] + beside[code]
            assert mine.get(f"paid:{code}:{pool}", 0) == paid
        # All that is not one of these ends at 0.
        open_ = ("paid:", "reserve:", "fines:", "carve_out:", "source:")
        assert not any(fen for name, fen in mine.items() if not name.startswith(open_))
