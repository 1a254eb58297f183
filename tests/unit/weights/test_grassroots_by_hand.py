"""Choosing grassroots groups, worked by hand: share of primary institutions, spread, number of stays, layer, list."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.errors import PolicyError
from fenzhi.weights.grassroots import choose_grassroots

NAMES = ("even", "few at home", "uneven", "three", "wide", "none")
CATALOG = catalog(
    *(row(name, f"K3{place}") for place, name in enumerate(NAMES) if name != "wide"),
    row("wide", "K34", "medical", layer="comprehensive", grassroots=True),
)
PLACES = hospitals(("TOWN", "1", "general", None), ("CITY", "3", "general", None))
# 5,000 to 5,900 by 100: mean 5,450, CV 0.0527; nine times 1,000 and 20,000: mean 2,900, CV 1.9655.
EVEN = range(5_000, 6_000, 100)
UNEVEN = [1_000] * 9 + [20_000]
RULES = {"primary_levels": ["1"], "min_cases": 10}


def history(stays: dict[str, tuple[Any, int]]) -> pl.DataFrame:
    """Return stays of group -> costs in yuan and how many of them, the first ones, were in town."""
    rows = [
        (CATALOG.groups["group_id"].index_of(name), 2026, "TOWN" if place < town else "CITY", cost * 100)
        for name, (costs, town) in stays.items()
        for place, cost in enumerate(costs)
    ]
    schema = {"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


STAYS = history(
    {
        "even": (EVEN, 6),
        "few at home": (EVEN, 2),
        "uneven": (UNEVEN, 6),
        "three": ([5_000, 5_100, 5_200], 3),
        "wide": (EVEN, 10),
    }
)


def chosen(candidates: list[str] | None = None, stays: pl.DataFrame = STAYS, **rules: Any) -> pl.DataFrame:
    return choose_grassroots(stays, CATALOG, policy(grassroots={**RULES, **rules}), PLACES, candidates)


def met(found: pl.DataFrame) -> dict[str, tuple[bool | None, ...]]:
    columns = ("core", "cases_met", "share_met", "cv_met", "selected")
    return {name: tuple(values) for name, *values in found.select("group_id", *columns).iter_rows()}


def test_each_criterion_keeps_one_group_out() -> None:
    assert met(chosen()) == {
        "even": (True, True, True, True, True),
        "few at home": (True, True, False, True, False),
        "uneven": (True, True, True, False, False),
        "three": (True, False, True, True, False),
        "wide": (False, True, True, True, False),
        "none": (True, False, False, False, False),
    }


def test_the_report_shows_every_figure() -> None:
    rows = {row["group_id"]: row for row in chosen().to_dicts()}
    even = rows["even"]
    assert (even["cases"], even["primary_cases"], even["primary_share"]) == (10, 6, 0.6)
    assert round(even["cv"], 4) == 0.0527
    assert round(rows["uneven"]["cv"], 4) == 1.9655
    assert (rows["wide"]["flagged"], even["flagged"]) == (True, False)
    assert (rows["none"]["cases"], rows["none"]["primary_share"], rows["none"]["cv"]) == (0, None, None)


def test_the_limits_belong_to_what_is_met() -> None:
    assert met(chosen(share_min="0.6"))["even"][2]
    assert not met(chosen(share_min="0.6001"))["even"][2]
    assert met(chosen(min_cases=3))["three"][1]
    # 1,000 and 3,000: mean 2,000, SD 1,000: a CV of exactly one half.
    half = history({"even": ([1_000, 3_000], 2)})
    assert met(chosen(stays=half, cv_max="0.5"))["even"][3]
    assert not met(chosen(stays=half, cv_max="0.4999999999"))["even"][3]


def test_only_listed_groups_are_candidates_and_what_the_catalogue_lacks_is_said() -> None:
    found = chosen(["X99", "even", "X99", "three"])
    assert found.select("group_id", "in_catalog", "selected").rows() == [
        ("even", True, True),
        ("three", True, False),
        ("X99", False, False),
    ]


def test_trimmed_stays_count_but_do_not_spread() -> None:
    sections = policy(
        grassroots=RULES,
        weights={"trim": {"method": "factor", "low": 0, "high": 3, "min_cases": 10}},
    )
    found = choose_grassroots(STAYS, CATALOG, sections, PLACES)
    # The 20,000 lie above 3 x 2,900 and are left out: nine times 1,000.
    assert found.filter(group_id="uneven").select("cases", "cv", "selected").row(0) == (10, 0.0, True)


@pytest.mark.parametrize(
    ("section", "match"),
    [
        (None, "does not say which levels"),
        ({"cv_max": 1}, "does not say which levels"),
        ({"primary_levels": ["9"]}, "no hospital of the region has one of the levels"),
    ],
)
def test_without_primary_institutions_nothing_is_chosen(section: dict[str, Any] | None, match: str) -> None:
    sections = policy() if section is None else policy(grassroots=section)
    with pytest.raises(PolicyError, match=match) as caught:
        choose_grassroots(STAYS, CATALOG, sections, PLACES)
    assert caught.value.code == "POLICY_GRASSROOTS"
    assert caught.value.remedy
