"""Weights that the catalogue brings and weights that were negotiated, worked by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from worked import catalog, hospitals, policy, row

from fenzhi.errors import CatalogError, RegionError
from fenzhi.weights import Weights, weigh
from fenzhi.weights.negotiated import Negotiated, negotiate
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
# G1 becomes 3: 3.9999 is left for what was 4.6666: x 0.857133. G0: 1.000021 -> 1.0000, G2: 0.499968 -> 0.4999.
# 2 + 3 + 1.9996 = 6.9996: 3 steps are missing. G2 lost most (0.68 of a step), but its 4 stays would take 4; G0 takes 2.
# 1 step remains: 4 and 2 stays differ by 2, not by 1, and no even number of steps makes it up.
def test_the_others_are_rescaled_to_keep_the_total() -> None:
    assert rw(measured()) == [11_667, 23_333, 5_833, None]
    found = measured(overrides={"G1": 30_000})
    assert rw(found) == [10_001, 30_000, 4_999, None]
    done = found.negotiated
    assert done is not None
    assert (done.groups, done.total_e4, done.left_e4) == (1, 69_999, 1)
    assert done.factor == Fraction(39_999, 46_666)


def put(rows: list[tuple[int, int]], fixed: dict[str, int], step: int = 1) -> tuple[list[int], Negotiated]:
    """Negotiate over groups G0, G1 ... given as (weight, stays)."""
    frame = pl.DataFrame(rows, schema={"rw_e4": pl.Int64, "history_cases": pl.Int64}, orient="row")
    names = pl.Series([f"G{at}" for at in range(len(rows))])
    found, done = negotiate(frame, names, overrides_of(fixed), step)
    return found["rw_e4"].to_list(), done


# T = 10 x 100 + 3 x 101 + 2 x 103 + 5 x 107 = 1,000 + 303 + 206 + 535 = 2,044. G0 becomes 90: 1,144 for what was
# 1,044: x 286 / 261 = 1.0957854. G1 110.6743, G2 112.8659, G3 117.2490, cut: 330 + 224 + 585 = 1,139: 5 are missing.
# G2 lost most (0.8659) and takes 2, G1 (0.6743) takes 3: nothing is missing.
def test_steps_go_to_the_weights_that_were_cut_most() -> None:
    weights, done = put([(100, 10), (101, 3), (103, 2), (107, 5)], {"G0": 90})
    assert weights == [90, 111, 113, 117]
    assert (done.total_e4, done.left_e4) == (2_044, 0)


# T = 100 + 5 x 100 + 4 x 101 + 7 x 97 = 1,683. G0 becomes 90: 1,593 for 1,583. G1 100.6317, G2 101.6380, G3
# 97.6128, cut: 500 + 404 + 679 = 1,583: 10 are missing. G2 (0.6380) takes 4, G1 (0.6317) 5, G3 would take 7: 1 is left.
# No raised group has 7 - 1 = 6 stays, so it stays left.
def test_what_no_number_of_stays_fits_is_left() -> None:
    weights, done = put([(100, 1), (100, 5), (101, 4), (97, 7)], {"G0": 90})
    assert weights == [90, 101, 102, 97]
    assert (done.total_e4, done.left_e4) == (1_683, 1)


# T = 10 + 3 x 100 = 310. G0 becomes 11: 299 / 3 = 99.67, cut 99: 297, 2 are missing. One step more takes 3: 300 is
# nearer to 299 than 297.
def test_one_more_step_where_that_is_nearer() -> None:
    weights, done = put([(10, 1), (100, 3)], {"G0": 11})
    assert weights == [11, 100]
    assert (done.total_e4, done.left_e4) == (310, -1)
    # G0 becomes 12: 298 / 3 = 99.33; 297 is nearer than 300.
    weights, done = put([(10, 1), (100, 3)], {"G0": 12})
    assert weights == [12, 99]
    assert (done.total_e4, done.left_e4) == (310, 1)


# T = 100 + 4 x 100 + 3 x 101 + 5 x 97 = 1,288. G0 becomes 92: 1,196 for 1,188: x 1.00673401. G1 100.6734, G2 101.6801,
# G3 97.6532, cut: 400 + 303 + 485 = 1,188: 8 are missing. G2 (0.6801) takes 3, G1 (0.6734) 4, G3 would take 5: 1 is
# left. G3 (5 stays) and G1 (4) differ by 1: the step of G1 goes over to G3. 3 + 5 = 8.
def test_a_last_rest_is_had_by_one_group_taking_the_step_of_another() -> None:
    weights, done = put([(100, 1), (100, 4), (101, 3), (97, 5)], {"G0": 92})
    assert weights == [92, 100, 102, 98]
    assert (done.total_e4, done.left_e4) == (1_288, 0)


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
