"""Opening values by the other methods: trimmed, favourable interval in one and two dimensions."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.budget import opening_values
from fenzhi.budget.geometric import geometric_median
from fenzhi.policy.values import PointValue
from twins.profile import examples
from twins.values import middle

YEARS = {2025: 1, 2026: 3}
SCHEMA = {
    "pool": pl.String,
    "year": pl.Int32,
    "fixmedins_code": pl.String,
    "cost_fen": pl.Int64,
    "points_base_e4": pl.Int64,
}


def history(*rows: tuple[str | None, int, str, int, int]) -> pl.DataFrame:
    """Stays as (pool, year, hospital, cost in yuan, points)."""
    frame = [(pool, year, code, cost * 100, points * 10_000) for pool, year, code, cost, points in rows]
    return pl.DataFrame(frame, schema=SCHEMA, orient="row")


def value(past: pl.DataFrame, **rules: object) -> int:
    return opening_values(past, YEARS, {"E": None}, PointValue(**rules))["opening_value_e4"].item()


# Cost per point 1, 10, 11, 12, 99. Quantiles 0.25 and 0.75 lie at the second and fourth of five: 10 and 12, both kept:
# (10 + 11 + 12) / 3 = 11. Quantile 0.2 lies at 0.8: 1 + 0.8 x 9 = 8.2.
def test_a_trimmed_value_leaves_out_dear_and_cheap_stays() -> None:
    past = history(*(("E", 2026, "H1", cost, 1) for cost in (99, 10, 12, 1, 11)))
    assert value(past, opening="trimmed", opening_low="0.25", opening_high="0.75") == 110_000
    assert value(past, opening="trimmed", opening_low="0.2", opening_high="0.75") == 110_000
    # From 0 to 1 nothing is left out: 133 / 5.
    assert value(past, opening="trimmed", opening_low="0", opening_high="1") == 266_000


def test_a_stay_without_points_is_trimmed_off() -> None:
    past = history(("E", 2026, "H1", 10, 1), ("E", 2026, "H1", 1_000, 0))
    assert value(past, opening="trimmed", opening_low="0", opening_high="1") == 100_000


# H1 8, H2 10, H3 15 yuan per point, all 1,020 / 100 = 10.2: H1 and H2 lie below, (320 + 400) / (40 + 40) = 9.
def test_favourable_is_the_mean_of_hospitals_below_the_mean() -> None:
    past = history(("E", 2026, "H1", 320, 40), ("E", 2026, "H2", 400, 40), ("E", 2026, "H3", 300, 20))
    assert value(past, opening="favourable") == 90_000


# Years count 1 and 3: H1 (1 x 100 + 3 x 300) / (1 x 20 + 3 x 20) = 12.5, H2 (1 x 300 + 3 x 100) / 80 = 7.5.
def test_favourable_weighs_the_years() -> None:
    past = history(
        *(("E", 2025, "H1", 100, 20), ("E", 2026, "H1", 300, 20)),
        *(("E", 2025, "H2", 300, 20), ("E", 2026, "H2", 100, 20)),
    )
    assert value(past, opening="favourable") == 75_000


def test_without_a_hospital_below_the_mean_it_is_the_mean() -> None:
    past = history(("E", 2026, "H1", 100, 10), ("E", 2026, "H2", 200, 20))
    assert value(past, opening="favourable") == 100_000
    assert value(past, opening="favourable_2d") == 100_000


# Stays of 10 points each. Cost per point: A 6, B 8, C 30, of all 440 / 30 = 14.67. Cost per stay the same x 10. A and B
# lie below in both; the middle of the two places: (6 + 8) / 2 = 7.
def test_two_hospitals_have_their_middle() -> None:
    past = history(*(("E", 2026, code, cost, 10) for code, cost in (("A", 60), ("B", 80), ("C", 300))))
    assert value(past, opening="favourable_2d") == 70_000


# D costs little a point, but much a stay: it is not in the quadrant.
def test_a_hospital_of_dear_stays_is_not_in_the_quadrant() -> None:
    past = history(
        *(("E", 2026, code, cost, 10) for code, cost in (("A", 60), ("B", 80), ("C", 300))),
        ("E", 2026, "D", 900, 200),
    )
    # All: 1,340 / 230 = 5.83 a point, 335 a stay. D has 4.5 and 900; A 6, B 8: none below in both.
    assert value(past, opening="favourable_2d") == 58_261
    # 1-D: D alone.
    assert value(past, opening="favourable") == 45_000


@pytest.mark.parametrize("odd", [25_001, 25_003, 25_007, 25_009])
def test_the_value_of_one_hospital_is_exact_to_the_half_step(odd: int) -> None:
    """Only D is below both means: 90,001 / 20,000 = 4.50005, a half step, goes up, whatever the region's mean."""
    past = history(
        ("E", 2026, "A", 300_000, 30_000), ("E", 2026, "B", 200_000, odd), ("E", 2026, "D", 90_001, 20_000)
    )
    assert value(past, opening="favourable_2d") == 45_001


def points(*pairs: tuple[object, object]) -> list[tuple[Fraction, Fraction]]:
    return [(Fraction(str(x)), Fraction(str(y))) for x, y in pairs]


def test_geometric_medians() -> None:
    assert geometric_median(points((1, 2))) == (1, 2)
    assert geometric_median(points((1, 2), (3, 6))) == (2, 4)
    # On a line the one in the middle; of four the middle of the two inner ones.
    assert geometric_median(points((0, 0), (1, 1), (5, 5)))[0] == 1
    assert geometric_median(points((0, 0), (1, 1), (3, 3), (9, 9)))[0] == 2
    # Twice at one place weighs twice.
    assert geometric_median(points((0, 0), (0, 0), (4, 0), (9, 1)))[0] == 0
    x, y = geometric_median(points((0, 0), (2, 0), (0, 2), (2, 2)))
    assert abs(x - 1) < Fraction(1, 10**20)
    assert abs(y - 1) < Fraction(1, 10**20)
    # The Fermat point of (0, 0), (1, 0), (0, 1) lies at x = y = (3 - sqrt 3) / 6.
    x, _ = geometric_median(points((0, 0), (1, 0), (0, 1)))
    assert abs(x - Fraction(3 - Decimal(3).sqrt()) / 6) < Fraction(1, 10**20)


COORDINATE = st.integers(1, 200).map(lambda n: Fraction(n, 100))


@examples(60)
@given(places=st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=7), seed=st.integers(0, 99))
def test_the_median_is_the_twins_and_knows_no_order(places: list, seed: int) -> None:
    x, y = geometric_median(places)
    assert abs(Fraction(x) - middle(places)) < Fraction(1, 10**7)
    mixed = Random(seed).sample(places, len(places))
    assert geometric_median(mixed) == (x, y)


@pytest.mark.parametrize("method", ["mean", "trimmed", "favourable", "favourable_2d"])
def test_every_method_is_blind_to_order_and_pools_of_others(method: str) -> None:
    rng = Random(1)
    rows = [
        (pool, rng.choice([2025, 2026]), rng.choice("ABCD"), rng.randint(50, 200), rng.randint(1, 20))
        for pool in ("E", "R")
        for _ in range(60)
    ]
    one = value(history(*rows), opening=method)
    assert value(history(*rng.sample(rows, len(rows))), opening=method) == one
    assert value(history(*(row for row in rows if row[0] == "E")), opening=method) == one
