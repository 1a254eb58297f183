"""Weights that the catalogue brings and weights that were negotiated, worked by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.errors import CatalogError, RegionError
from fenzhi.weights import Weights, weigh
from twins.engine import drg_catalog_of, overrides_of

CATALOG = catalog(row("G0", "K35"), row("G1", "K36"), row("G2", "K37"), row("G3", "K38"))
PLACES = hospitals(("H1", "3", "general", None))
# G0: 2 stays of 1,000; G1: 1 of 2,000; G2: 4 of 500; G3: none. M = 6,000 / 7 = 857.142857.
STAYS = [(0, 1_000)] * 2 + [(1, 2_000)] + [(2, 500)] * 4


def measured(cat: Any = CATALOG, overrides: dict[str, int] | None = None, **rules: Any) -> Weights:
    history = pl.DataFrame(
        [(group, 2026, "H1", cost * 100) for group, cost in STAYS],
        schema={"group_idx": pl.Int32, "year": pl.Int32, "fixmedins_code": pl.String, "cost_fen": pl.Int64},
        orient="row",
    )
    sections = policy(weights={"trim": {"method": "none"}, "scale": 1, **rules})
    return weigh(history, cat, sections, PLACES, overrides_of(overrides) if overrides else None)


def rw(found: Weights) -> list[int | None]:
    return found.groups["rw_e4"].to_list()


# --- given by the catalogue ---


def given(**texts: str | None) -> Any:
    return drg_catalog_of({"G0": None, "G1": None, "G2": None, "G3": None, **texts})


def test_given_weights_are_taken_times_scale_and_groups_without_have_none() -> None:
    cat = given(G0="1.02", G1="0.00005", G3="12")
    assert rw(measured(cat, method="given")) == [10_200, 1, None, 120_000]
    assert rw(measured(cat, method="given", scale=100)) == [1_020_000, 50, None, 12_000_000]


def test_means_are_measured_all_the_same() -> None:
    found = measured(given(G0="1.02", G3="12"), method="given").groups
    assert found["mean_cost_fen"].to_list() == [100_000, 200_000, 50_000, None]
    assert found["history_cases"].to_list() == [2, 1, 4, 0]


@pytest.mark.parametrize(
    ("texts", "match"),
    [
        ({"G0": "viel"}, "this is not a weight"),
        ({"G0": "-1"}, "this is not a weight"),
        ({"G0": "NaN"}, "this is not a weight"),
        ({"G0": "0"}, "weight of zero"),
    ],
)
def test_given_weights_that_cannot_be_are_refused(texts: dict[str, str], match: str) -> None:
    with pytest.raises(CatalogError, match=match):
        measured(given(**texts), method="given")


def test_a_catalogue_without_weights_is_refused() -> None:
    with pytest.raises(CatalogError, match="the catalogue has none") as caught:
        measured(method="given")
    assert caught.value.code == "WEIGHT_GIVEN"
    cat = given(G0="1")
    twice = pl.concat([cat.tables["weights"]] * 2)
    cat.tables["weights"] = twice  # type: ignore[index]
    with pytest.raises(CatalogError, match="two weights"):
        measured(cat, method="given")


# --- negotiated ---


# Measured: 1.1667, 2.3333, 0.5833. Total 2 x 1.1667 + 2.3333 + 4 x 0.5833 = 7.0 - 0.0001 = 6.9999.
# G1 becomes 3: 3.9999 is left for what was 4.6666: x 0.857133. G0: 1.00002, G2: 0.49997 -> 1.0000, 0.5000.
# New total 2 + 3 + 2 = 7: one ten-thousandth above the old one.
def test_the_others_are_rescaled_to_keep_the_total() -> None:
    assert rw(measured()) == [11_667, 23_333, 5_833, None]
    found = measured(overrides={"G1": 30_000})
    assert rw(found) == [10_000, 30_000, 5_000, None]
    done = found.negotiated
    assert done is not None
    assert (done.groups, done.total_e4, done.left_e4) == (1, 69_999, -1)
    assert done.factor == Fraction(39_999, 46_666)


def test_a_group_without_history_takes_its_weight_and_nothing_moves() -> None:
    found = measured(overrides={"G3": 55_555})
    assert rw(found) == [11_667, 23_333, 5_833, 55_555]
    assert found.negotiated is not None
    assert (found.negotiated.factor, found.negotiated.left_e4) == (1, 0)


def test_a_negotiated_weight_keeps_its_decimals_and_the_others_those_of_the_policy() -> None:
    # Measured to two decimals: 1.17, 2.33, 0.58: total 6.99. G1 3.1234: (6.99 - 3.1234) / 4.66 = 0.829742.
    # 1.17 x 0.829742 = 0.9708, 0.58 x 0.829742 = 0.4813.
    assert rw(measured(overrides={"G1": 31_234}, decimals=2)) == [9_700, 31_234, 4_800, None]


def test_means_and_references_stay_as_they_were_measured() -> None:
    before, after = measured(), measured(overrides={"G1": 30_000})
    assert before.groups.drop("rw_e4").equals(after.groups.drop("rw_e4"))
    assert before.mean_fen == after.mean_fen


@pytest.mark.parametrize(
    ("overrides", "match"),
    [
        ({"G9": 1}, "no such group"),
        ({"G0": 1, "G1": 1, "G2": 1}, "every weighted group of the history is negotiated"),
        ({"G1": 69_999}, "use up the total"),
    ],
)
def test_negotiations_that_cannot_be_are_refused(overrides: dict[str, int], match: str) -> None:
    with pytest.raises(RegionError, match=match) as caught:
        measured(overrides=overrides)
    assert caught.value.file == "weight_overrides.csv"
    assert caught.value.code in ("REGION_KEY", "WEIGHT_OVERRIDES")
    assert (caught.value.row == 1) == (match == "no such group")


def test_a_rescaled_weight_of_zero_is_refused() -> None:
    with pytest.raises(CatalogError, match="weight of zero"):
        measured(overrides={"G1": 69_998})


# A standard of 10,001: 0.09999, 0.19998 and 0.04999 become 0.1, 0.2 and 0.
# G2 negotiated at 0.05 takes 0.2 of the total 0.4; 0.2 is left for what was 0.4: 0.05 (up to 0.1) and 0.1.
def test_a_weight_of_zero_can_be_negotiated_away() -> None:
    rules = {"method": "standard_amount", "standard_yuan": "10001", "decimals": 1}
    with pytest.raises(CatalogError, match="weight of zero"):
        measured(**rules)
    assert rw(measured(overrides={"G2": 500}, **rules)) == [1_000, 1_000, 500, None]
