"""How far a stay is from the limits of the deviation: by hand, and drawn against plain fractions."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worked import banded, policy

from fenzhi.points.limits import deviation_limits

BANDS = [
    {"name": "low", "title": "低", "upto": "0.5", "upto_included": False, "points": "actual_cost"},
    {"name": "normal", "above": "0.5", "above_included": True, "upto": "2", "points": "normal"},
    {"name": "high", "above": "2", "upto": "5", "points": "excess"},
    {"name": "extreme", "above": "5", "points": "review"},
]


def rules(bands=BANDS, **more):
    return policy(deviation=banded(*bands, **more)).deviation


def stay(cost: int | None, reference: int | None = 1_000_000, rw: int = 1_000_000) -> pl.DataFrame:
    schema = {"setl_id": pl.String, "rw_e4": pl.Int64, "cost_fen": pl.Int64, "reference_fen": pl.Int64}
    return pl.DataFrame([("S", rw, cost, reference)], schema=schema, orient="row")


@pytest.mark.parametrize(
    ("cost", "inside", "missing"),
    [
        # Reference 10,000.00: low below 5,000.00; normal to 20,000.00; high to 50,000.00; extreme from 50,000.01.
        (499_999, "low", [0, 1, 1_500_002, 4_500_002]),
        (500_000, "normal", [-1, 0, 1_500_001, 4_500_001]),
        (1_876_600, "normal", [-1_376_601, 0, 123_401, 3_123_401]),
        (2_000_000, "normal", [-1_500_001, 0, 1, 3_000_001]),
        (2_000_001, "high", [-1_500_002, -1, 0, 3_000_000]),
        (5_000_001, "extreme", [-4_500_002, -3_000_001, -1, 0]),
    ],
)
def test_the_distances_of_a_table_worked_by_hand(cost, inside, missing):
    found = deviation_limits(stay(cost), rules())
    assert found["from_fen"].to_list() == [0, 500_000, 2_000_001, 5_000_001]
    assert found["upto_fen"].to_list() == [499_999, 2_000_000, 5_000_000, None]
    assert found.filter("inside")["band"].to_list() == [inside]
    assert found["to_here_fen"].to_list() == missing
    assert found["title"].to_list() == ["低", "normal", "high", "extreme"]


def test_a_limit_between_two_fen_is_not_rounded_away():
    """0.5 x 33.33 = 16.665: 16.66 is low, 16.67 normal; 2 x 33.33 = 66.66 is normal, 66.67 high."""
    found = deviation_limits(stay(1_667, 3_333), rules())
    assert found["from_fen"].to_list()[:3] == [0, 1_667, 6_667]
    assert found.filter("inside")["band"].to_list() == ["normal"]


def test_without_reference_there_is_nothing_to_say():
    assert deviation_limits(stay(100, None), rules()).is_empty()
    assert deviation_limits(stay(100, 0), rules()).is_empty()


def test_without_cost_the_limits_are_known_and_the_distance_is_not():
    found = deviation_limits(stay(None), rules())
    assert found["from_fen"].to_list() == [0, 500_000, 2_000_001, 5_000_001]
    assert found["to_here_fen"].null_count() == found["inside"].null_count() == 4


def test_a_band_too_narrow_for_a_fen_is_left_out():
    """Reference 0.10: 0.50 to 0.51 of it are 5 to 5.1 fen: nothing above 5 lies inside."""
    narrow = [
        {"name": "low", "upto": "0.5", "points": "normal"},
        {"name": "slit", "above": "0.5", "upto": "0.51", "points": "normal"},
        {"name": "rest", "above": "0.51", "points": "normal"},
    ]
    found = deviation_limits(stay(6, 10), rules(narrow))
    assert found["band"].to_list() == ["low", "rest"]
    assert found["upto_fen"].to_list() == [5, None]


def test_the_bands_are_those_of_the_tier_of_the_weight():
    """Weights up to 100 have their limit at 3, others at 2."""

    def tier(limit):
        return [
            {"name": "normal", "upto": limit, "points": "normal"},
            {"name": "high", "above": limit, "points": "excess"},
        ]

    tiers = [{"rw_upto": "100", "bands": tier("3")}, {"rw_above": "100", "bands": tier("2")}]
    both = policy(deviation={"bands": [], "tiers": tiers}).deviation
    assert deviation_limits(stay(1, rw=1_000_000), both)["from_fen"].to_list() == [0, 3_000_001]
    assert deviation_limits(stay(1, rw=1_000_001), both)["from_fen"].to_list() == [0, 2_000_001]


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 90_000), min_size=1, max_size=4, unique=True),
    st.lists(st.booleans(), min_size=4, max_size=4),
    st.integers(1, 10**9),
    st.integers(-100, 10**10),
)
def test_each_fen_lies_in_the_band_that_fractions_say(limits, included, reference, cost):
    limits, text = (
        sorted(limits),
        lambda e4: f"{Fraction(e4, 10_000).limit_denominator(10_000).__float__():.4f}",
    )
    bands = []
    for at in range(len(limits) + 1):
        band = {"name": f"b{at}", "points": "normal"}
        if at:
            band |= {"above": text(limits[at - 1]), "above_included": included[at - 1]}
        if at < len(limits):
            band |= {"upto": text(limits[at]), "upto_included": not included[at]}
        bands.append(band)

    def band_of(fen):
        r = Fraction(fen, reference)
        past = [
            at
            for at, limit in enumerate(limits, start=1)
            if r > Fraction(limit, 10_000) or (r == Fraction(limit, 10_000) and included[at - 1])
        ]
        return f"b{max(past, default=0)}"

    found = deviation_limits(stay(cost, reference), rules(bands)).rows(named=True)
    assert [row["band"] for row in found if row["inside"]] == [band_of(cost)]
    for row in found:
        assert row["band"] == band_of(row["from_fen"])
        assert row["upto_fen"] is None or row["band"] == band_of(row["upto_fen"])
        assert row["band"] == band_of(cost + row["to_here_fen"])
        step = (row["to_here_fen"] > 0) - (row["to_here_fen"] < 0)
        assert not step or row["band"] != band_of(cost + row["to_here_fen"] - step)
