"""Pools by lists of insured areas: each stay in one pool; overlaps and gaps said in words. docs/rules.md, section 1."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cli.calls import done
from cli.small import HEADER, write_small
from fenzhi.errors import RegionError
from fenzhi.pipeline import compute
from fenzhi.pipeline.check import check_region
from fenzhi.region import Pool, load_region
from fenzhi.region.pools import gaps, listed_twice, overlaps
from fenzhi.region.scope import pool_of


def pool(name: str, areas: str | list[str], *kinds: str) -> Pool:
    return Pool.model_validate({"id": name, "title": name, "insutype": kinds or ("310",), "areas": areas})


def frame(rows: list[tuple[str | None, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"insutype": pl.String, "insu_admdvs": pl.String}, orient="row")


def placed(stays: pl.DataFrame, pools: list[Pool], area: str | None = "990100") -> list[str | None]:
    return stays.select(pool_of(stays, pools, area).alias("pool"))["pool"].to_list()


NORTH, SOUTH, REST = pool("N", ["990101"]), pool("S", ["990102", "990103"]), pool("R", "any")


def test_a_listed_area_belongs_to_its_pool_wherever_it_stands_in_the_file():
    stays = frame([("310", "990101"), ("310", "990103"), ("310", "990104"), ("310", None), ("390", "990101")])
    for order in ([NORTH, SOUTH, REST], [REST, SOUTH, NORTH]):
        assert placed(stays, order) == ["N", "S", "R", "R", None]
    # Codes match whole: 9901 is not the beginning of another one.
    assert placed(stays, [pool("P", ["9901"])]) == [None] * 5


def test_a_stay_without_area_has_that_of_the_region():
    stays = frame([("310", None), ("310", "990100"), ("310", "990101")])
    assert placed(stays, [pool("home", ["990100"]), pool("else", "other")]) == ["home", "home", "else"]
    # A region without area: its own pool takes everything that no list takes.
    assert placed(stays, [pool("L", "local"), NORTH], None) == ["L", "L", "N"]


CODES = ["990100", "990101", "990102", "990103"]


@given(data=st.data())
def test_every_stay_is_in_one_pool_whatever_the_order(data):
    parts = data.draw(st.lists(st.sampled_from("ABC"), min_size=4, max_size=4))
    lists = {name: [code for code, part in zip(CODES, parts, strict=True) if part == name] for name in "ABC"}
    pools = [pool(name, areas) for name, areas in lists.items() if areas] + [pool("rest", "any")]
    areas = data.draw(st.lists(st.sampled_from([*CODES, "880000", None]), min_size=1, max_size=8))
    stays = frame([("310", area) for area in areas])
    found = placed(stays, data.draw(st.permutations(pools)))
    for area, name in zip(areas, found, strict=True):
        takes = [one for one, listed in lists.items() if (area or "990100") in listed]
        assert [name] == (takes or ["rest"])
    assert list(listed_twice(pools)) == []


def test_overlaps_in_words():
    away = pool("A", "other")
    assert overlaps([NORTH, SOUTH, pool("L", "local")], "990100") == []
    assert overlaps([pool("L", "local"), away], "990100") == []
    assert overlaps([NORTH, pool("R", "any", "390")], "990100") == []
    assert overlaps([away, NORTH], "990100") == [
        "pools N and A both take the insurance kind 310 of the areas 990101; N lists them and has these stays"
    ]
    assert overlaps([pool("L", "local", "310", "390"), pool("R", "any", "390")], "990100") == [
        "pools L and R both take the insurance kind 390 of the areas local; L stands first in region.toml and has "
        "these stays"
    ]
    assert "the areas any;" in overlaps([REST, pool("Q", "any")], "990100")[0]
    assert (
        "990100; home lists them"
        in overlaps([pool("L", "local"), pool("home", ["990100", "1"])], "990100")[0]
    )


def test_gaps_in_words():
    stays = frame([("310", "1"), ("310", "2"), ("310", "2"), ("390", None), ("510", "1"), ("310", "990101")])
    stays = stays.with_columns(pool=pl.Series([None] * 5 + ["N"], dtype=pl.String))
    assert gaps(stays, [NORTH, pool("R", "other", "390")]) == [
        (
            True,
            "no pool takes the insurance kind 310 of these insured areas (stays): 2 (2), 1 (1); "
            "these stays are out of the region",
        ),
        (
            False,
            "no pool takes the insurance kind 390 of these insured areas (stays): - (1); "
            "these stays are out of the region",
        ),
    ]
    many = frame([("310", str(n)) for n in range(12)]).with_columns(pool=pl.lit(None, pl.String))
    # As text: 0, 1, 10, 11, 2 .. 7 are the first ten of twelve.
    assert "6 (1), 7 (1) and 2 further areas;" in gaps(many, [NORTH])[0][1]
    assert gaps(stays.filter(pl.col("pool") == "N"), [NORTH]) == []


@pytest.mark.parametrize(
    ("areas", "said"),
    [
        ("locl", "one of local, other, any, or a list"),
        ([], "at least one code"),
        (990101, "at least one code"),
        ([990101], "a code written as text"),
        ([" 990101"], "without spaces"),
        (["1", "1"], "the area 1 is listed twice"),
    ],
)
def test_areas_that_are_none(areas, said):
    with pytest.raises(ValidationError, match=said):
        pool("x", areas)


COUNTIES = """
[[pool]]
id = "north"
title = "北县居民"
insutype = ["390"]
areas = ["990101"]

[[pool]]
id = "south"
title = "南县居民"
insutype = ["390"]
areas = ["990102", "990103"]
"""
FUNDS = """year = 2027
[[pool]]
id = "north"
lines = [{name = "预算收入", kind = "income", amount = "3000.00"}]
[[pool]]
id = "south"
lines = [{name = "预算收入", kind = "income", amount = "9000.00"}]
"""


def stay(setl_id: str, area: str, booked: str, discharged: str = "2027-03-09") -> str:
    return f"{setl_id},P1,某,B2,390,{area},1,50,{discharged[:8]}01,{discharged},21,K35.800,,4000.00,{booked},{booked},0"


@pytest.fixture
def counties(tmp_path):
    folder = write_small(tmp_path / "counties")
    text = (folder / "region.toml").read_text(encoding="utf-8")
    (folder / "region.toml").write_text(text[: text.index("[[pool]]")] + COUNTIES, encoding="utf-8")
    (folder / "budget.toml").write_text(FUNDS, encoding="utf-8")
    for name in ("assessment.csv", "deductions.csv"):
        (folder / name).unlink()
    past = [stay(f"H{n}", "990101", "2000.00", "2026-05-09") for n in range(4)]
    now = [
        *(stay(f"N{n}", "990101", "2000.00") for n in range(2)),
        *(stay(f"S{n}", area, "3000.00") for n, area in enumerate(["990102", "990103", "990103"])),
        stay("X1", "990104", "3000.00"),
    ]
    (folder / "history" / "2026.csv").write_text("\n".join([HEADER, *past]) + "\n", encoding="utf-8")
    (folder / "records" / "2027.csv").write_text("\n".join([HEADER, *now]) + "\n", encoding="utf-8")
    return folder


def test_each_county_has_its_own_point_value(counties):
    # One group, one hospital, all costs 4,000: weight 1,000, coefficient 1, no deviation: 1,000 points a stay.
    # North: ratio 2,000 / 4,000 = 0.5; 3,000 / 0.5 / 2,000 points = 3. Each stay gets 1,000 x 3 x 0.5 = 1,500.
    # South: ratio 0.75; 9,000 / 0.75 / 3,000 points = 4. Each stay gets 1,000 x 4 x 0.75 = 3,000.
    tables, _ = compute(load_region(counties))
    columns = ("pool", "cases", "points_e4", "payment_ratio_e4", "settlement_value_e4")
    assert tables["pools"].select(columns).rows() == [
        ("north", 2, 20_000_000, 5_000, 30_000),
        ("south", 3, 30_000_000, 7_500, 40_000),
    ]
    cases = tables["cases"].select("setl_id", "pool", "reason", "payable_fen").rows()
    assert cases == [
        *((f"N{n}", "north", None, 150_000) for n in range(2)),
        *((f"S{n}", "south", None, 300_000) for n in range(3)),
        ("X1", None, "out_of_region", None),
    ]


def test_check_says_what_is_in_no_pool_and_what_is_in_two(counties):
    found = [text for text in check_region(counties).findings if "[POOL_" in text]
    assert found == [
        "warning: [POOL_GAP] no pool takes the insurance kind 390 of these insured areas (stays): 990104 (1); "
        "these stays are out of the region"
    ]
    text = (counties / "region.toml").read_text(encoding="utf-8")
    edited = text.replace('areas = ["990101"]', 'areas = "any"')
    (counties / "region.toml").write_text(edited, encoding="utf-8")
    out = done("check", counties)
    assert (
        "[POOL_OVERLAP] pools south and north both take the insurance kind 390 of the areas 990102, 990103; "
        in out
    )
    assert "POOL_GAP" not in out


def test_an_area_in_two_lists_is_refused(counties):
    text = (counties / "region.toml").read_text(encoding="utf-8")
    (counties / "region.toml").write_text(text.replace('"990103"', '"990101"'), encoding="utf-8")
    with pytest.raises(RegionError) as caught:
        load_region(counties)
    error = caught.value
    assert (error.code, error.field) == ("REGION_POOLS", "pool.2.areas")
    assert error.message == (
        "pools north and south both list the area 990101 for the insurance kind 390: a stay belongs to one pool"
    )
