"""Average quota, total cap and packages of communities, worked out by hand; the twin agrees."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from pydantic import TypeAdapter

from fenzhi.errors import RegionError
from fenzhi.policy.tracks import AnyTrack
from fenzhi.tracks.annual import (
    Package,
    Sums,
    borne_by_fund,
    package_balance,
    package_fen,
    quota_balance,
    settle_community,
    settle_quota,
)
from twins import tracks as twin


def track(kind: str, **keys):
    return TypeAdapter(AnyTrack).validate_python({"id": "t", "title": "t", "kind": kind, **keys})


QUOTA = track("average_quota", who={"levels": ["2"]})
PLAIN = {"over_limit": "0.2", "over_share": "0.5", "saving_share": "0.3", "saving_cap": "0.03"}


@pytest.mark.parametrize(
    ("mean", "paid"),
    [
        # Quota 5,000. Excess 600, limit 20 % = 1,000: half of 600.
        (5_600, 5_300),
        # Excess 1,500, of which 1,000 are shared: half of 1,000.
        (6_500, 5_500),
        # Saving 1,000: 30 % = 300, at most 3 % of 5,000 = 150.
        (4_000, 4_150),
        # Saving 100: 30 % = 30 is below the cap.
        (4_900, 4_930),
        (5_000, 5_000),
        (0, 150),
    ],
)
def test_average_quota(mean, paid):
    for stays in (1, 4):
        booked, quota = mean * 100 * stays, 500_000
        assert booked + quota_balance(stays, booked, quota, QUOTA) == paid * 100 * stays
        assert twin.quota_pays(stays, booked, quota, PLAIN) == paid * 100 * stays


def test_halves_of_a_fen_go_up():
    # Quota 0.10 each, 3 stays: 30 fen. Booked 31: half of 1 fen is 0.5, up to 1: paid 31.
    assert quota_balance(3, 31, 10, QUOTA) == 0
    # Booked 27, saving 3: 30 % = 0.9, cap 3 % of 30 = 0.9: 1 fen.
    assert quota_balance(3, 27, 10, QUOTA) == 1


def quotas(*rows):
    schema = {"pool": pl.String, "fixmedins_code": pl.String, "level": pl.String, "amount_fen": pl.Int64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def test_the_row_that_names_most_has_the_quota():
    table = quotas(
        (None, None, None, 100),
        ("E", None, None, 200),
        (None, None, "2", 300),
        ("E", None, "2", 400),
        (None, "H1", None, 500),
    )
    sums = {("E", "H1"): "2", ("E", "H2"): "2", ("R", "H3"): "2", ("E", "H4"): "3", ("R", "H5"): "3"}
    found = settle_quota({key: Sums(1, 0, level) for key, level in sums.items()}, table, QUOTA)
    assert [one.standard_fen for one in found.values()] == [500, 400, 300, 200, 100]


def test_a_hospital_without_quota_is_named():
    with pytest.raises(RegionError, match="has stays at this hospital in pool E, but no row") as error:
        settle_quota({("E", "H1"): Sums(1, 1, "2")}, quotas((None, None, "3", 1)), QUOTA)
    assert (error.value.code, error.value.value) == ("REGION_TRACK", "H1")


@pytest.mark.parametrize(
    ("keep", "booked", "paid"), [(True, 900, 1_000), (False, 900, 900), (True, 1_100, 1_000)]
)
def test_total_cap(keep, booked, paid):
    cap = track("total_cap", who={"levels": ["2"]}, keep_surplus=keep)
    found = settle_quota({("E", "H1"): Sums(3, booked, "2")}, quotas(("E", "H1", None, 1_000)), cap)
    assert (
        booked + found["E", "H1"].adjustment_fen
        == paid
        == twin.cap_pays(booked, 1_000, {"keep_surplus": keep})
    )


# Up to 5 % of the package the fund bears nothing, up to 10 % half, above that all but a tenth.
TIERS = [
    {"above": "0", "upto": "0.05", "share": "0"},
    {"above": "0.05", "upto": "0.1", "share": "0.5"},
    {"above": "0.1", "share": "0.9"},
]


def test_what_the_fund_bears_of_an_overrun():
    tiers = track("community", overrun=TIERS).overrun
    # Package 1,000: over 40, 80, 200. 0; 0.5 x (80 - 50) = 15; 0.5 x 50 + 0.9 x (200 - 100) = 115.
    assert [borne_by_fund(over, 1_000, tiers) for over in (40, 80, 200)] == [0, 15, 115]
    assert borne_by_fund(200, 1_000, ()) == 0


def test_the_balance_of_a_package():
    plain, shared = track("community"), track("community", overrun=TIERS)
    # 1,000 - 600 - 300 = 100 is kept.
    assert package_balance(Package(1_000, 600, 300, None), plain) == 100
    # 600 + 600 are 200 too much: all of it, or without the fund's 115.
    assert package_balance(Package(1_000, 600, 600, None), plain) == -200
    assert package_balance(Package(1_000, 600, 600, None), shared) == -85
    # Care outside alone is 500 too much, members booked 100: they bear no more than that.
    assert package_balance(Package(1_000, 100, 1_500, None), plain) == -100


def test_a_package_is_an_amount_or_a_share_of_the_income():
    assert package_fen({"amount_fen": 7, "income_fen": None, "share_e4": None}) == 7
    # 333 x 0.8 = 266.4
    assert package_fen({"amount_fen": None, "income_fen": 333, "share_e4": 8_000}) == 266


def test_the_balance_goes_to_the_lead_or_to_the_members_by_what_they_booked():
    package = Package(1_000, 900, 0, "H1")
    lead = settle_community({"H2": 600, "H3": 300}, package, track("community", surplus_to="lead"))
    assert {code: one.adjustment_fen for code, one in lead.items()} == {"H1": 100}
    # 100 x 600 / 900 = 66.67, 33.33: the larger remainder gets the fen.
    members = settle_community({"H2": 600, "H3": 300}, package, track("community"))
    assert {code: one.adjustment_fen for code, one in members.items()} == {"H2": 67, "H3": 33}
    # Nobody booked: nobody keeps.
    none = settle_community({"H2": 0}, Package(1_000, 0, 0, None), track("community"))
    assert none["H2"].adjustment_fen == 0


def test_any_overrun_is_the_twins():
    rng = Random(7)
    for _ in range(500):
        limits = sorted(rng.sample(range(1, 50), 2))
        cuts = ["0", *(f"0.{limit:02d}" for limit in limits), None]
        tiers = [
            {"above": low, "upto": high, "share": f"0.{rng.randint(0, 99):02d}"}
            for low, high in pairwise(cuts)
        ]
        made = track("community", overrun=tiers)
        package, inside, outside = (rng.randint(0, 10_000) for _ in range(3))
        mine = package_balance(Package(package, inside, outside, None), made)
        assert mine == twin.community_balance(package, inside, outside, {"overrun": tiers})
        assert mine >= -inside
        assert mine <= 0 or inside + outside + mine == package
        assert borne_by_fund(inside, package, made.overrun) <= Fraction(inside) + 1
