"""A local catalogue from a history small enough to count: thresholds, related operations, base rows, names."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from worked import catalog, row

from fenzhi.policy.models import Threshold
from fenzhi.weights.build import choose_threshold

from .building import (
    ADH,
    APP,
    BASE,
    DIALYSIS,
    SCOPE,
    STENT,
    TYPES,
    build,
    cases,
    group_ids,
    grouped,
    history,
    rules,
)

# --- thresholds ---


# 50 + 30 + 15 + 5 = 100 stays.
@pytest.mark.parametrize(
    ("coverage", "threshold"),
    [("0.5", 50), ("0.51", 30), ("0.8", 30), ("0.95", 15), ("0.951", 5), ("1", 5), ("0", 50)],
)
def test_coverage_takes_the_largest_threshold_that_still_covers(coverage: str, threshold: int) -> None:
    counts = pl.Series([5, 50, 15, 30])
    assert choose_threshold(counts, Threshold(mode="coverage", coverage=Decimal(coverage))) == threshold


def test_combinations_of_the_same_size_are_all_core_or_none() -> None:
    assert (
        choose_threshold(pl.Series([10, 10, 10, 1]), Threshold(mode="coverage", coverage=Decimal("0.5")))
        == 10
    )


def test_a_fixed_threshold_and_an_empty_history() -> None:
    assert choose_threshold(pl.Series([1, 2]), Threshold(mode="fixed", cases=15)) == 15
    assert choose_threshold(pl.Series([], dtype=pl.Int64), Threshold(mode="coverage", cases=15)) == 15


# --- core and comprehensive groups ---

# K35.8 with appendectomy 3 times, conservative 4 times, K35.9 with appendectomy twice, I20.0 with a stent once.
SMALL = history(
    cases(3, "K35.800", APP),
    cases(4, "K35.801"),
    cases(2, "K35.900", APP),
    cases(1, "I20.000", STENT),
)


def test_combinations_from_the_threshold_on_are_core_the_rest_is_comprehensive() -> None:
    built = build(SMALL)
    # The number is the kind, 4 for surgery; interventional counts as surgery.
    assert group_ids(built) == ["K35.8:0", "K35.8:47.0100", "I20-4", "K35-4"]
    assert built.catalog.groups["layer"].to_list() == ["basic", "basic", "comprehensive", "comprehensive"]
    assert built.catalog.groups["treatment"].to_list() == ["conservative", "operation", "surgery", "surgery"]
    assert built.counts == {
        "stays": 10,
        "combinations": 4,
        "combinations_at_threshold": 2,
        "threshold": 3,
        "base_rows_kept": 0,
        "base_rows_dropped": 0,
        "local_core_groups": 2,
        "local_related_groups": 0,
        "comprehensive_groups": 2,
        "comprehensive_below_threshold": 2,
        "groups": 4,
        "stays_in_core_groups": 7,
        "coverage": 0.7,
    }
    assert grouped(SMALL, built) == ["K35.8:47.0100"] * 3 + ["K35.8:0"] * 4 + ["K35-4"] * 2 + ["I20-4"]


def test_kinds_of_comprehensive_groups() -> None:
    frame = history(
        cases(1, "N18.500"),
        cases(1, "N18.500", SCOPE),
        cases(1, "N18.500", DIALYSIS),
        cases(1, "N18.500", STENT),
    )
    assert group_ids(build(frame)) == ["N18-1", "N18-2", "N18-3", "N18-4"]
    apart = rules(grouping={"interventional_as": "interventional"})
    assert group_ids(build(frame, apart)) == ["N18-1", "N18-2", "N18-3", "N18-5"]
    # An operation without a type follows the policy.
    unknown = history(cases(1, "N18.500", "99.9999"))
    assert group_ids(build(unknown)) == ["N18-1"]
    assert group_ids(build(unknown, rules(grouping={"unknown_operation_type": "therapeutic"}))) == ["N18-3"]


def test_small_comprehensive_groups_may_be_dropped() -> None:
    frame = history(cases(3, "K35.800", APP), cases(2, "K36.x00"), cases(1, "K36.900"), cases(2, "I20.000"))
    pack = rules(drop_small_comprehensive=True)
    built = build(frame, pack)
    assert group_ids(built) == ["K35.8:47.0100", "K36-1"]
    assert built.dropped.rows() == [("I20-1", 2, "comprehensive_below_threshold")]
    counts = {
        name: built.counts[name] for name in ("comprehensive_groups", "stays_in_core_groups", "coverage")
    }
    assert counts == {"comprehensive_groups": 1, "stays_in_core_groups": 3, "coverage": 3 / 8}
    assert grouped(frame, built, pack)[-2:] == [None, None]


def test_names_come_from_the_code_books_or_are_the_codes() -> None:
    book = pl.DataFrame({"code": ["K35.800", "K35.801"], "name": ["appendicitis", "other"]})
    names = build(SMALL, diagnoses=book).catalog.groups["name"].to_list()
    assert names == [
        "appendicitis,保守治疗",
        "appendicitis,name 47.0100",
        "I20类,相关手术组",
        "K35类,相关手术组",
    ]
    assert build(SMALL).catalog.groups["name"].to_list()[0] == "K35.8,保守治疗"
    assert set(build(SMALL).catalog.groups["note"]) == {"本地新增"}


def test_stays_without_or_with_an_excluded_diagnosis_build_nothing() -> None:
    base = catalog(exclusions=[("diagnosis", "Z51.100", None)], operations=TYPES)
    frame = history(cases(5, "Z51.100"), cases(5, ""), cases(3, "K35.800"))
    built = build(frame, base=base)
    assert group_ids(built) == ["K35.8:0"]
    assert built.counts["stays"] == 3
    assert built.catalog.exclusions["code"].to_list() == ["Z51.100"]


def test_an_operation_that_cannot_be_main_hands_on() -> None:
    base = catalog(
        exclusions=[("cannot_be_main", ADH, None), ("as_conservative", SCOPE, None)], operations=TYPES
    )
    frame = history(cases(3, "K35.800", f"{ADH}|{APP}"), cases(3, "K36.x00", SCOPE))
    built = build(frame, base=base)
    assert group_ids(built)[:2] == ["K35.8:47.0100", "K36.x:0"]
    assert None not in grouped(frame, built)


def test_an_empty_history_builds_an_empty_catalogue() -> None:
    built = build(history(cases(1, "K35.800")).clear())
    assert built.catalog.groups.height == 0
    assert built.counts["coverage"] == 0.0


# --- related operations ---


# Three stays with adhesiolysis cost 1,100 on average, the three without 1,000: 10 % more. One yuan less is not enough.
@pytest.mark.parametrize(("cost", "earns"), [(1_100, True), (1_099, False)])
def test_a_related_operation_earns_a_group_by_mean_cost(cost: int, earns: bool) -> None:
    frame = history(
        cases(3, "K35.800", APP),
        cases(1, "K35.800", f"{APP}|{ADH}", cost - 100),
        cases(1, "K35.800", f"{APP}|{ADH}", cost),
        cases(1, "K35.800", f"{APP}|{ADH}", cost + 100),
    )
    built = build(frame)
    assert ("K35.8:47.0100+54.5100" in group_ids(built)) is earns
    assert built.counts["local_related_groups"] == int(earns)
    with_it = "K35.8:47.0100+54.5100" if earns else "K35.8:47.0100"
    assert grouped(frame, built) == ["K35.8:47.0100"] * 3 + [with_it] * 3


# Each stay costs 1,000.00; the operation's own 100.00 is a tenth of it.
@pytest.mark.parametrize(("fee", "earns"), [(10_000, True), (9_999, False)])
def test_a_related_operation_earns_a_group_by_its_own_cost(fee: int, earns: bool) -> None:
    frame = history(
        cases(3, "K35.800", APP),
        cases(3, "K35.800", f"{APP}|{ADH}"),
        fees=[[500]] * 3 + [[500, fee]] * 3,
    )
    assert ("K35.8:47.0100+54.5100" in group_ids(build(frame))) is earns


def test_unknown_costs_of_some_operations_leave_the_mean_cost_to_decide() -> None:
    # Own cost would say yes (20 %), mean cost says no (1,000 and 1,000).
    frame = history(
        cases(3, "K35.800", APP),
        cases(3, "K35.800", f"{APP}|{ADH}"),
        fees=[None] * 3 + [[500, 20_000]] * 2 + [None],
    )
    assert build(frame).counts["local_related_groups"] == 0


def test_a_related_operation_below_the_threshold_earns_nothing() -> None:
    frame = history(cases(3, "K35.800", APP), cases(2, "K35.800", f"{APP}|{ADH}", 9_000))
    assert build(frame).counts["local_related_groups"] == 0


def test_the_share_is_the_policys() -> None:
    frame = history(cases(3, "K35.800", APP), cases(3, "K35.800", f"{APP}|{ADH}", 1_200))
    assert build(frame, rules(related_cost_share="0.2")).counts["local_related_groups"] == 1
    assert build(frame, rules(related_cost_share="0.21")).counts["local_related_groups"] == 0


def test_an_operation_done_always_has_nothing_to_be_compared_with() -> None:
    frame = history(cases(3, "K35.800", f"{APP}|{ADH}"))
    built = build(frame)
    assert group_ids(built) == ["K35.8:47.0100", "K35.8:47.0100+54.5100"]
    assert grouped(frame, built) == ["K35.8:47.0100+54.5100"] * 3


def test_the_main_operation_done_twice_is_not_related_to_itself() -> None:
    frame = history(cases(3, "K35.800", APP), cases(3, "K35.800", f"{APP}|{APP}", 9_000))
    assert group_ids(build(frame)) == ["K35.8:47.0100"]


def test_the_same_related_operation_twice_in_a_stay_counts_once() -> None:
    frame = history(cases(3, "K35.800", APP), cases(2, "K35.800", f"{APP}|{ADH}|{ADH}", 9_000))
    assert build(frame).counts["local_related_groups"] == 0


def test_one_operation_in_two_spellings_is_one_operation() -> None:
    frame = history(
        cases(3, "K35.800", APP),
        cases(2, "K35.800", f"{APP}|54.5100x001", 9_000),
        cases(1, "K35.800", f"{APP}| 54.5100X001", 9_000),
        cases(3, "K35.800", f"{APP}|４７.０１００", 9_000),
    )
    assert group_ids(build(frame)) == ["K35.8:47.0100", "K35.8:47.0100+54.5100x001"]


# --- base rows ---


# N1 has 3 stays and N3 3: kept. N2 has 2 and N4 1: dropped; then N2's stays fit N1, and N4's fits N3. N6 has none.
def test_base_rows_from_the_threshold_on_are_kept_and_stays_of_the_others_grouped_again() -> None:
    frame = history(
        cases(3, "K35.800", APP),
        cases(2, "K35.800", f"{APP}|{ADH}"),
        cases(3, "K36.x00"),
        cases(1, "K36.900"),
        cases(3, "K35.900", APP),
        cases(1, "K36.000", APP),
    )
    built = build(frame, base=BASE)
    # The base's comprehensive rows never stay: those are local.
    assert group_ids(built) == ["N1", "N3", "K35.9:47.0100", "K36-4"]
    assert built.dropped.rows() == [
        ("N2", 2, "base_row_below_threshold"),
        ("N4", 1, "base_row_below_threshold"),
        ("N6", 0, "base_row_below_threshold"),
    ]
    assert (built.counts["base_rows_kept"], built.counts["base_rows_dropped"]) == (2, 3)
    assert built.counts["stays_in_core_groups"] == 12
    assert grouped(frame, built) == ["N1"] * 5 + ["N3"] * 4 + ["K35.9:47.0100"] * 3 + ["K36-4"]
    assert built.catalog.groups["note"].to_list() == [None, None, "本地新增", "本地新增"]


def test_stays_of_a_dropped_row_that_fit_no_other_become_local() -> None:
    base = catalog(row("N2", "K35.8", "operation", main_oprn=APP, related_oprn=ADH), operations=TYPES)
    frame = history(cases(2, "K35.800", f"{APP}|{ADH}"), cases(3, "K35.800", APP))
    built = build(frame, base=base)
    assert group_ids(built) == ["K35.8:47.0100"]
    assert grouped(frame, built) == ["K35.8:47.0100"] * 5
