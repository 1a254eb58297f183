"""Pools, cost, other tracks and exclusions, each row by hand. docs/rules.md, section 1."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.policy.models import Scope
from fenzhi.region import Pool
from fenzhi.region.scope import cost_of, exclusion_of, los_reason, pool_of, track_of

EMPLOYEE = Pool(id="employee", title="职工", insutype=("310", "510"))
RESIDENT = Pool(id="resident", title="居民", insutype=("390",))
AWAY = Pool(id="away", title="异地", insutype=("310", "390"), areas="other")
ANY = Pool(id="any", title="全部", insutype=("310",), areas="any")


def stays(**columns: list) -> pl.DataFrame:
    schema = {
        "insutype": pl.String,
        "insu_admdvs": pl.String,
        "med_type": pl.String,
        "act_ipt_days": pl.Int32,
    }
    return pl.DataFrame(columns, schema_overrides={k: v for k, v in schema.items() if k in columns})


def listed(frame: pl.DataFrame, expr: pl.Expr) -> list:
    return frame.with_columns(expr.alias("x"))["x"].to_list()


@pytest.mark.parametrize(
    ("kind", "area", "pools", "expected"),
    [
        ("310", "990100", (EMPLOYEE, RESIDENT), "employee"),
        ("510", "990100", (EMPLOYEE, RESIDENT), "employee"),
        ("390", "990100", (EMPLOYEE, RESIDENT), "resident"),
        ("340", "990100", (EMPLOYEE, RESIDENT), None),
        (None, "990100", (EMPLOYEE, RESIDENT), None),
        # an absent area counts as local
        ("310", None, (EMPLOYEE, AWAY), "employee"),
        ("310", "880000", (EMPLOYEE, RESIDENT), None),
        ("310", "880000", (EMPLOYEE, AWAY), "away"),
        # the first pool that fits takes the stay
        ("310", "990100", (ANY, EMPLOYEE), "any"),
        ("310", "990100", (EMPLOYEE, ANY), "employee"),
        ("310", "880000", (EMPLOYEE, ANY), "any"),
        ("510", "880000", (EMPLOYEE, AWAY, ANY), None),
    ],
)
def test_the_pool_of_a_stay(kind, area, pools, expected):
    frame = stays(insutype=[kind], insu_admdvs=[area])
    assert listed(frame, pool_of(frame, pools, "990100")) == [expected]


def test_a_region_without_area_is_everybodys_home():
    frame = stays(insutype=["310", "310"], insu_admdvs=["880000", None])
    assert listed(frame, pool_of(frame, (EMPLOYEE, AWAY), None)) == ["employee", "employee"]


def test_stays_without_the_columns_are_in_no_pool():
    frame = pl.DataFrame({"setl_id": ["a"]})
    assert listed(frame, pool_of(frame, (EMPLOYEE,), "990100")) == [None]


def test_cost_is_what_is_not_paid_apart():
    frame = pl.DataFrame({"medfee_sumamt_fen": [1000, 1000], "excl_pay_sumamt_fen": [250, None]})
    assert listed(frame, cost_of(frame, Scope())) == [750, 1000]
    assert listed(frame, cost_of(frame, Scope(cost="total"))) == [1000, 1000]
    without = frame.drop("excl_pay_sumamt_fen")
    assert listed(without, cost_of(without, Scope())) == [1000, 1000]


def test_other_tracks_by_kind_of_stay():
    frame = stays(med_type=["21", "2105", None])
    scope = Scope(other_tracks={"2105": "bed_day"})
    assert listed(frame, track_of(frame, scope)) == [None, "bed_day", None]
    assert listed(frame, track_of(frame, Scope())) == [None] * 3
    bare = pl.DataFrame({"setl_id": ["a"]})
    assert listed(bare, track_of(bare, scope)) == [None]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, None, [None] * 4),
        (3, None, ["los_below_scope", None, None, None]),
        (None, 59, [None, None, None, "los_above_scope"]),
        (3, 59, ["los_below_scope", None, None, "los_above_scope"]),
    ],
)
def test_length_of_stay_with_both_limits_inside(low, high, expected):
    frame = stays(act_ipt_days=[2, 3, 59, 60])
    assert listed(frame, los_reason(Scope(min_los_days=low, max_los_days=high))) == expected


def test_an_unknown_length_of_stay_is_no_reason():
    assert listed(stays(act_ipt_days=[None]), los_reason(Scope(min_los_days=3, max_los_days=59))) == [None]


def test_the_first_reason_decides():
    frame = pl.DataFrame(
        [
            ("310", 2027, "employee", 5, None),
            ("310", 2026, "employee", 5, "other_year"),
            (None, 2026, None, 1, "other_year"),
            (None, 2027, None, 1, "self_paying"),
            ("340", 2027, None, 1, "no_pool"),
            ("310", 2027, None, 1, "out_of_region"),
            ("310", 2027, "employee", 1, "los_below_scope"),
        ],
        schema=["insutype", "year", "pool", "act_ipt_days", "expected"],
        orient="row",
    ).with_columns(pl.datetime("year", 12, 31, 23, 59, 59).alias("dscg_time"))
    reason = exclusion_of(frame, (EMPLOYEE, RESIDENT), Scope(min_los_days=2), 2027)
    assert listed(frame, reason) == frame["expected"].to_list()


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (datetime(2026, 12, 31, 23, 59, 59), "other_year"),
        (datetime(2027, 1, 1), None),
        (datetime(2027, 12, 31, 23, 59, 59), None),
        (datetime(2028, 1, 1), "other_year"),
    ],
)
def test_the_year_is_the_year_of_discharge(time, expected):
    frame = stays(insutype=["310"]).with_columns(
        pl.lit(time).alias("dscg_time"), pl.lit("employee").alias("pool")
    )
    assert listed(frame, exclusion_of(frame, (EMPLOYEE,), Scope(), 2027)) == [expected]


KINDS = st.sampled_from([None, "310", "390", "510", "340"])
AREAS = st.sampled_from([None, "990100", "880000"])


@given(
    rows=st.lists(st.tuples(KINDS, AREAS), min_size=1, max_size=8),
    order=st.permutations([EMPLOYEE, RESIDENT, AWAY]),
)
def test_a_stay_in_a_pool_is_never_excluded_for_its_pool(rows, order):
    frame = stays(insutype=[kind for kind, _ in rows], insu_admdvs=[area for _, area in rows])
    frame = frame.with_columns(
        pool_of(frame, order, "990100").alias("pool"), pl.lit(datetime(2027, 5, 1)).alias("dscg_time")
    ).with_columns(pl.lit(5, pl.Int32).alias("act_ipt_days"))
    reasons = listed(frame, exclusion_of(frame, order, Scope(), 2027))
    for pool, reason in zip(frame["pool"], reasons, strict=True):
        assert (reason is None) == (pool is not None)
