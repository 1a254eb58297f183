"""The model of a forecast on histories whose answer is known. docs/rules.md, "Forecast"."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from fenzhi.simulation import forecast_model as model
from fenzhi.simulation.forecast_cells import MONTHS, cells_of, done_months

ACCOUNTS = pl.DataFrame({"fixmedins_code": ["B", "A"], "pool": ["p", "p"]})
AS_OF = date(2027, 6, 30)
WINTER = [30, 20, 20, 20, 20, 20, 10, 10, 10, 10, 10, 20]


def stays(counts: dict[str, list[int]], year: int, points: dict[str, int] | None = None) -> pl.DataFrame:
    """Stays of a year by hospital and month; cost is ten times the points, booked six times."""
    rows = [
        (code, "p", year, month, (points or {"A": 100, "B": 300})[code])
        for code, months in counts.items()
        for month, n in enumerate(months, start=1)
        for _ in range(n)
    ]
    frame = pl.DataFrame(rows, schema=["fixmedins_code", "pool", "year", "month", "points_e4"], orient="row")
    return frame.with_columns(
        (pl.col("points_e4") * 10).alias("cost_fen"), (pl.col("points_e4") * 6).alias("booked_fen")
    )


def cells(
    past: list[dict[str, list[int]]], now: dict[str, list[int]], as_of: date = AS_OF, accounts=ACCOUNTS
):
    years = [2027 - len(past) + at for at in range(len(past))]
    history = pl.concat([stays(counts, year) for counts, year in zip(past, years, strict=True)])
    return cells_of(history, years, stays(now, 2027), accounts, as_of)


def test_which_part_of_each_month_is_done():
    assert done_months(AS_OF).tolist() == [1.0] * 6 + [0.0] * 6
    # 10 of the 31 days of August; a leap day makes February longer.
    assert done_months(date(2027, 8, 10))[7] == pytest.approx(10 / 31)
    assert done_months(date(2028, 2, 15))[1] == pytest.approx(15 / 29)


def test_cells_hold_sums_in_the_order_of_the_codes():
    one = cells([{"A": [2] * 12, "B": [1] * 12}], {"A": [3] * 6, "B": [0] * 6})
    assert one.accounts["fixmedins_code"].to_list() == ["A", "B"]
    assert one.past[0, 0, 0].tolist() == [2, 200, 2_000, 1_200]
    assert one.now[0, :, 0].tolist() == [3] * 6 + [0] * 6
    # A: 24 + 18 stays of 100 points; the sum of squares is 42 x 100 x 100.
    assert (one.counted[0], one.totals[0, 0], one.squares[0, 0, 0]) == (42, 4_200, 420_000)


def test_the_rest_follows_the_season_and_this_year_s_growth():
    # The first half of a year has 130 of 200 stays (A) and 65 of 100 (B). This year's first half has 20 % more:
    # 156 and 78, so the rest is 1.2 x 70 = 84 and 1.2 x 35 = 42. Every stay of A has 100 points, of B 300.
    half = [n // 2 for n in WINTER]
    past = [{"A": WINTER, "B": half}] * 3
    now = {"A": [36, 24, 24, 24, 24, 24], "B": [18, 12, 12, 12, 12, 12]}
    one = cells(past, now)
    rest = model.draw_rest(one, 4_000, np.random.default_rng(7))
    total = rest[..., 0].sum(axis=2)
    assert total.mean(axis=0) == pytest.approx([84, 42], rel=0.02)
    assert (rest[:, :, :6] == 0).all()
    by_month = rest[:, 0, 6:, 0].mean(axis=0)
    assert by_month == pytest.approx([12, 12, 12, 12, 12, 24], rel=0.04)
    # All stays are alike, so nothing but their number is uncertain; the thousandth is rounding.
    per_stay = rest[..., 1].sum(axis=2) / total
    assert per_stay.mean(axis=0) == pytest.approx([100, 300], rel=1e-3)
    assert per_stay.std(axis=0) == pytest.approx([0, 0], abs=0.05)
    assert (np.abs(rest[..., 2] - 10 * rest[..., 1]) <= 5).all()


def test_the_spread_of_a_count_is_at_least_that_of_chance():
    # 100 stays a month: half a year to come is 600, the standard deviation of such a count is sqrt(600) = 24.5; the
    # level of the year, known from 600 + 3 x 1,200 stays, makes it a little more.
    rng = np.random.default_rng(1)
    past = [{"A": rng.poisson(100, 12).tolist(), "B": rng.poisson(100, 12).tolist()} for _ in range(3)]
    one = cells(past, {"A": [100] * 6, "B": [100] * 6})
    total = model.draw_rest(one, 4_000, np.random.default_rng(2))[..., 0].sum(axis=(2,))
    assert total.mean(axis=0) == pytest.approx([600, 600], rel=0.06)
    assert (total.std(axis=0) > 20).all()
    assert (total.std(axis=0) < 60).all()


def test_part_of_a_month_is_drawn_for_its_days_to_come():
    one = cells(
        [{"A": [310] * 12, "B": [310] * 12}] * 2,
        {"A": [310] * 9 + [100], "B": [310] * 9 + [100]},
        date(2027, 10, 10),
    )
    rest = model.draw_rest(one, 1_000, np.random.default_rng(3))[..., 0].mean(axis=0)
    assert rest[0, :9].sum() == 0
    # 21 of 31 days of October are open.
    assert rest[0, 9:] == pytest.approx([210, 310, 310], rel=0.03)


def test_a_hospital_that_grew_by_itself_is_followed_as_far_as_the_history_lets():
    """A doubles, B stays; no hospital's share moved before, so chance has to be ruled out first."""
    past = [{"A": [100] * 12, "B": [300] * 12}] * 3
    one = cells(past, {"A": [200] * 6, "B": [300] * 6})
    rest = model.draw_rest(one, 1_000, np.random.default_rng(3))[..., 0].sum(axis=2).mean(axis=0)
    # Its share of the history, a quarter, would be 600 x 1.25 = 750.
    assert 1_050 < rest[0] <= 1_250
    assert rest[1] == pytest.approx(1_800, rel=0.06)


def test_a_hospital_without_history_goes_by_its_own_months():
    past = [{"A": WINTER, "B": [0] * 12}] * 3
    one = cells(past, {"A": WINTER[:6], "B": [60, 40, 40, 40, 40, 40]})
    rest = model.draw_rest(one, 2_000, np.random.default_rng(3))
    assert rest[..., 0].sum(axis=2).mean(axis=0) == pytest.approx([70, 140], rel=0.05)
    assert (rest[:, 1, :, 1].sum(axis=1) / rest[:, 1, :, 0].sum(axis=1)).mean() == pytest.approx(
        300, rel=0.01
    )


def test_a_hospital_that_has_no_stays_gets_none():
    one = cells([{"A": WINTER, "B": [0] * 12}] * 3, {"A": WINTER[:6], "B": [0] * 6})
    assert (model.draw_rest(one, 60, np.random.default_rng(3))[:, 1] == 0).all()


def test_the_seed_decides_and_the_order_of_rows_does_not():
    rng = np.random.default_rng(1)
    history = pl.concat(
        [stays({code: rng.poisson(30, 12).tolist() for code in "AB"}, year) for year in (2025, 2026)]
    )
    now = stays({code: rng.poisson(30, 6).tolist() for code in "AB"}, 2027)

    def drawn(seed: int, past: pl.DataFrame, year: pl.DataFrame, accounts: pl.DataFrame) -> np.ndarray:
        one = cells_of(past, [2025, 2026], year, accounts, AS_OF)
        return model.draw_rest(one, 80, np.random.default_rng(seed))

    first = drawn(5, history, now, ACCOUNTS)
    mixed = drawn(5, history.sample(fraction=1, shuffle=True), now.reverse(), ACCOUNTS.reverse())
    assert (first == mixed).all()
    assert (first != drawn(6, history, now, ACCOUNTS)).any()


def test_history_counts_the_less_the_more_shares_move():
    counted = model._counting(np.array([[100.0], [100.0]]), np.array(0.01))
    # Two years back: 1 / (1 / 100 + 2 x 0.01) = 33.3; one year back: 1 / (1 / 100 + 0.01) = 50.
    assert counted[:, 0] == pytest.approx([100 / 3, 50])
    still = model._counting(np.array([[100.0], [100.0]]), np.array(0.0))
    assert still[:, 0].tolist() == [100, 100]


def test_one_year_of_history_is_enough():
    one = cells([{"A": WINTER, "B": WINTER}], {"A": WINTER[:6], "B": WINTER[:6]})
    rest = model.draw_rest(one, 1_000, np.random.default_rng(3))[..., 0].sum(axis=2)
    assert rest.mean(axis=0) == pytest.approx([70, 70], rel=0.06)
    assert rest.shape == (1_000, 2)
    assert MONTHS == 12


def test_two_years_cannot_be_tried_on_a_third():
    past = [{"A": WINTER, "B": WINTER}] * 2
    assert (
        model.spread_factor(cells(past, {"A": WINTER[:6], "B": WINTER[:6]}), 50, np.random.default_rng(1))
        == 1
    )


def test_draws_are_spread_as_the_newest_year_asks_for():
    """Two even years, then one whose second half was far from what its first half and both years said."""
    even, fallen = [100] * 12, [100] * 6 + [60] * 6
    one = cells([{"A": even, "B": even}] * 2 + [{"A": fallen, "B": fallen}], {"A": [100] * 6, "B": [100] * 6})
    # Half a year is 600 stays, 240 came less: ten times the deviation of chance, so the factor meets its limit.
    assert model.spread_factor(one, 200, np.random.default_rng(1)) == 2
    drawn = model.draw_rest(one, 2_000, np.random.default_rng(2))[..., 0].sum(axis=2)
    # The generator of draw_rest goes two ways: the trial, and the draws themselves.
    plain = model._draw(one, 2_000, np.random.default_rng(2).spawn(2)[1])[..., 0].sum(axis=2)
    assert drawn.mean(axis=0) == pytest.approx(plain.mean(axis=0), rel=0.001)
    assert drawn.std(axis=0) == pytest.approx(2 * plain.std(axis=0), rel=0.02)


def test_growth_of_the_months_done_is_trusted_as_far_as_chance_lets():
    # Means of 100, 102 and 104.04: every year grows by 2 %, so years differ by the least, 1 %: 0.01^2. All stays of
    # an account are alike, so chance is 0: the history's growth has the variance 0.0001 x (1 + 1 / 2) = 0.00015.
    amounts = [{"A": n, "B": n} for n in (10_000, 10_200, 10_404)]
    history = pl.concat(
        [stays({"A": [5] * 12, "B": [5] * 12}, 2024 + at, points) for at, points in enumerate(amounts)]
    )
    one = cells_of(
        history, [2024, 2025, 2026], stays({"A": [5] * 6, "B": [5] * 6}, 2027, amounts[2]), ACCOUNTS, AS_OF
    )
    trust, trend = model._trend(
        one, model._means(one), np.zeros((2, 3, 3)), np.array([[0.00015, 0.00015, 0.0]])
    )
    assert trend[0] == pytest.approx([1.02] * 3)
    # Points: always as measured. Cost: 0.00015 / (0.00015 + 0.00015). Booked: measured without error.
    assert trust[0] == pytest.approx([1, 0.5, 1])
