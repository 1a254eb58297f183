"""Forecasts of a small demo region: settled as a run does, intervals, drivers, back-test. docs/rules.md, "Forecast"."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from fenzhi.errors import RegionError
from fenzhi.pipeline.demo import make_demo
from fenzhi.policy.values import Elastic, PointValue, Sharing
from fenzhi.region import load_region
from fenzhi.simulation.forecast import MEASURES, Options, forecast
from fenzhi.simulation.forecast_backtest import back_test, truth_of
from fenzhi.simulation.forecast_model import draw_rest
from fenzhi.simulation.forecast_money import (
    Course,
    amounts,
    course,
    values_of,
)
from fenzhi.simulation.forecast_settle import settle_expected
from fenzhi.simulation.forecast_year import last_day, read_history, require_day, so_far

JUNE = date(2027, 6, 30)
QUICK = Options(draws=100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("forecast") / "region"
    make_demo(folder, stays=6_000, hospitals=20, seed=3)
    return folder


@pytest.fixture(scope="module")
def history(folder):
    return read_history(load_region(folder))


@pytest.fixture(scope="module")
def truth(history):
    return truth_of(history)


@pytest.fixture(scope="module")
def made(history):
    return forecast(history, JUNE, QUICK)


def sorted_by_account(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort("fixmedins_code", "pool")


def test_a_year_with_nothing_left_is_the_run_to_the_fen(history, truth):
    year = so_far(history, date(2027, 12, 31))
    nothing = np.zeros((1, *year.cells.now.shape))
    policy = year.frozen.region.policy
    settled, _ = settle_expected(year, course(year, nothing), policy)
    same = [
        "fixmedins_code",
        "pool",
        "cases",
        "points_e4",
        "booked_fen",
        "others_fen",
        "gross_fen",
        "payable_fen",
    ]
    same += [
        "working_capital_fen",
        "advance_fen",
        "deposit_fen",
        "shared_fen",
        "final_fen",
        "clearing_fen",
        "cmi_e4",
    ]
    assert truth.pools["short_fen"].sum() == 0
    assert (
        sorted_by_account(settled.hospitals)
        .select(same)
        .equals(sorted_by_account(truth.hospitals).select(same))
    )
    value = ["pool", "settlement_value_e4", "payment_ratio_e4", "fund_fen", "gross_fen"]
    assert settled.pools.select(value).equals(truth.pools.select(value))


_TIERS = [{"above": "0", "upto": "0.9", "share": "0.3"}, {"above": "0.9", "upto": "1", "share": "0.8"}]
_OVER = [{"above": "1", "upto": "1.1", "share": "0.7"}, {"above": "1.1", "share": "0.2"}]


@pytest.mark.parametrize(
    ("value", "residual", "sharing"),
    [
        ({}, "apportion", None),
        ({}, "reserve", {"surplus": _TIERS, "overrun": _OVER}),
        ({"settlement": "difference"}, "apportion", {"overrun": _OVER}),
        ({"period": "quarter"}, "apportion", {"surplus": _TIERS}),
        ({"floor": Decimal("0.99"), "ceiling": Decimal("1.01")}, "apportion", None),
        ({"rate": "fixed"}, "reserve", None),
        (
            {"rate": "elastic", "elastic": Elastic(form="base_volume", base_share=Decimal("0.5"))},
            "apportion",
            None,
        ),
    ],
)
def test_a_draw_pays_what_the_engine_pays(history, value, residual, sharing):
    """The draws use floats; the engine settles the same course to the fen."""
    year = so_far(history, JUNE)
    policy = year.frozen.region.policy
    policy = policy.model_copy(
        update={
            "point_value": PointValue(**value),
            "settlement": policy.settlement.model_copy(update={"residual": residual, "clearing": "quarter"}),
            "sharing": None if sharing is None else Sharing(**sharing),
        }
    )
    sums = course(year, draw_rest(year.cells, 50, np.random.default_rng(4)))
    one = Course({name: values[:1] for name, values in sums.sums.items()})
    fixed = {"fixed": 1, "elastic": 0.5}.get(value.get("rate", ""), 0)
    one.sums["fixed_points_e4"] = np.floor(one.sums["points_e4"] * fixed)
    settled, _ = settle_expected(year, one, policy)
    paid = amounts(year, one, values_of(year, one, policy), policy).amounts
    table = sorted_by_account(settled.hospitals)
    for name in ("gross_fen", "payable_fen", "shared_fen", "final_fen", "clearing_fen"):
        # A point value is rounded to four decimals of about 7 yuan, sharing looked up at steps of 1/2,000.
        exact = table[name].to_numpy().astype(float)
        assert (
            np.abs(paid[name][0] - exact).max() <= 100 + 2e-4 * np.abs(table["gross_fen"].to_numpy()).max()
        ), name
    for name in ("working_capital_fen", "advance_fen", "quarter_fen", "deposit_fen"):
        assert paid[name][0].tolist() == table[name].to_list(), name


def test_the_tables_agree_with_each_other(made):
    accounts, months = made.tables["accounts"], made.tables["months"]
    assert accounts["measure"].unique(maintain_order=True).to_list() == list(MEASURES)
    assert (accounts["low"] <= accounts["middle"]).all()
    assert (accounts["middle"] <= accounts["high"]).all()
    # Pools add up to the hospital, hospitals to the region, months to the year.
    for name in ("cases", "points_e4", "final_fen", "clearing_fen"):
        mine = accounts.filter(pl.col("measure") == name)
        assert (
            mine.filter(pl.col("pool").is_null())["expected"].sum()
            == mine.drop_nulls("pool")["expected"].sum()
        )
    whole = months.filter(pl.col("fixmedins_code").is_null())
    each = months.drop_nulls("fixmedins_code")
    final = accounts.filter((pl.col("measure") == "final_fen") & pl.col("pool").is_null())["expected"].sum()
    assert whole["cases"].sum() == each["cases"].sum()
    assert whole["cash_fen"].sum() == each["cash_fen"].sum()
    # All cash of a year is what is paid after sharing, less the deposit that is not released.
    forfeited = final - whole["cash_fen"].sum()
    assert 0 <= forfeited < whole["deposit_fen"].sum() * 0.1
    done = whole.filter(pl.col("month").is_between(1, 6))
    assert (done["cases_low"] == done["cases"]).all()
    assert (done["cash_low_fen"] == done["cash_high_fen"]).all()
    coming = whole.filter(pl.col("month").is_between(7, 12))
    assert (coming["cases_low"] < coming["cases"]).all()
    assert (coming["cases_high"] > coming["cases"]).all()


def test_what_is_done_stays_as_it_was(history, made):
    year = so_far(history, JUNE)
    done = made.tables["accounts"].filter((pl.col("measure") == "cases") & pl.col("pool").is_null())
    assert done["done"].sum() == year.scored.height
    assert (done["low"] >= done["done"]).all()


def test_the_parts_of_the_spread_add_up(made):
    drivers = made.tables["drivers"]
    sums = drivers.group_by("fixmedins_code", "pool").agg(pl.col("share").sum())["share"]
    assert sums.to_numpy() == pytest.approx(1)
    rest = drivers.filter(pl.col("driver") == "rest")["share"]
    assert rest.abs().max() < 0.1


def test_the_same_seed_gives_the_same_forecast(history, made):
    again = forecast(history, JUNE, QUICK)
    assert all(again.tables[name].equals(frame) for name, frame in made.tables.items())
    other = forecast(history, JUNE, replace(QUICK, seed=2))
    assert not other.tables["accounts"].equals(made.tables["accounts"])


def test_one_hospital_is_the_same_as_in_the_region(history, made):
    code = made.tables["accounts"]["fixmedins_code"][0]
    alone = forecast(history, JUNE, QUICK, hospital=code)
    mine = made.tables["accounts"].filter(pl.col("fixmedins_code") == code)
    assert alone.tables["accounts"].equals(mine)
    assert alone.tables["months"]["fixmedins_code"].unique().to_list() == [code]


def test_a_wider_level_holds_more(history, made):
    wide = forecast(history, JUNE, replace(QUICK, level=0.95)).tables["values"]
    narrow = made.tables["values"]
    assert (wide["high"] - wide["low"]).sum() > 1.2 * (narrow["high"] - narrow["low"]).sum()


def test_the_interval_holds_the_truth_of_most_hospitals(history, truth):
    """80 % intervals, over three moments of the year: between 70 and 90 % of the hospitals."""
    days = (date(2027, 3, 31), JUNE, date(2027, 9, 30))
    made = [back_test(history, truth, day, Options(draws=200)).tables["coverage"] for day in days]
    shares = pl.concat(made).group_by("measure").agg(pl.col("inside").sum() / pl.col("hospitals").sum())
    found = dict(shares.iter_rows())
    for name in ("cases", "points_e4", "booked_fen", "payable_fen", "final_fen", "result_fen"):
        assert 0.7 <= found[name] <= 0.9, (name, found)


def test_a_stated_range_takes_the_place_of_the_region(history):
    code = so_far(history, JUNE).scored["fixmedins_code"].mode().sort()[0]
    alone = replace(history, records=history.records.filter(pl.col("fixmedins_code") == code))
    with pytest.raises(RegionError, match="depends on all hospitals") as caught:
        forecast(alone, JUNE, QUICK)
    assert caught.value.field == "--value-range"
    options = replace(QUICK, draws=400, value_range=(Decimal("0.92"), Decimal("1.00")))
    made = forecast(alone, JUNE, options)
    opening = dict(history.frozen.opening.iter_rows())
    values = made.tables["values"].filter(pl.col("measure") == "settlement_value_e4")
    for pool, expected, low, high in values.select("pool", "expected", "low", "high").iter_rows():
        # The middle of the range is 0.96; four fifths of the draws lie between its ends.
        assert expected == pytest.approx(0.96 * opening[pool], abs=1)
        assert low == pytest.approx(0.92 * opening[pool], rel=0.01)
        assert high == pytest.approx(1.00 * opening[pool], rel=0.01)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 6, 30), "lies outside the year 2027"),
        (date(2027, 12, 31), "nothing left to forecast"),
        (date(2027, 1, 15), "less than a month is over"),
    ],
)
def test_days_that_make_no_sense(history, day, said):
    with pytest.raises(RegionError, match=said):
        require_day(day, history, asked=True)


def test_records_that_end_long_before_the_day(history):
    early = replace(history, records=history.records.filter(pl.col("dscg_time").dt.month() <= 3))
    assert last_day(early) <= date(2027, 3, 31)
    with pytest.raises(RegionError, match="more than a month of records is missing"):
        require_day(JUNE, early, asked=True)
    with pytest.raises(RegionError, match="only a finished year"):
        truth_of(early)
    with pytest.raises(RegionError, match="nothing to go by"):
        last_day(replace(history, records=history.records.clear()))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(draws=3), "between 50 and 10,000"),
        (Options(level=1.0), "between 0.5 and 0.98"),
        (Options(value_range=(Decimal(1), Decimal("0.9"))), "the smaller one first"),
    ],
)
def test_options_that_make_no_sense(history, options, said):
    with pytest.raises(RegionError, match=said):
        forecast(history, JUNE, options)


def test_hospitals_that_are_not_there(history):
    with pytest.raises(RegionError, match="lists no such hospital"):
        forecast(history, JUNE, QUICK, hospital="X")
    codes = set(history.frozen.region.hospitals["fixmedins_code"]) - set(
        so_far(history, JUNE).scored["fixmedins_code"]
    )
    if codes:
        with pytest.raises(RegionError, match="nothing to go by"):
            forecast(history, JUNE, QUICK, hospital=min(codes))
