"""The most expensive stays as a band of their own, each worked by hand."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from worked import banded, policy, weights

from fenzhi.points import score
from unit.points.test_special_stays_by_hand import OPENING, SCHEMA, stay

# Two groups of 120 points; last year group 0 cost 10,000 yuan, group 1 2,000.
HISTORY = weights(
    [
        {"rw_e4": 1_200_000, "last_mean_fen": 1_000_000},
        {"rw_e4": 1_200_000, "last_mean_fen": 200_000},
    ],
    coefficients=[("H1", "3", 10_000)],
)
LOW = {"above": 0, "upto": "0.4", "upto_included": False, "points": "fee_for_service", "name": "low"}
REST = {"above": "0.4", "above_included": True, "points": "normal", "name": "normal"}


def bands(rows: list[dict[str, Any]], **top: Any) -> dict[str, tuple[str | None, int, str | None]]:
    """Band, points in 1/10,000 and who pays directly, by setl_id; the top half unless told otherwise."""
    section = {**banded(LOW, REST), "top_share": {"share": "0.5", **top}}
    frame = pl.DataFrame([{name: row[name] for name in SCHEMA} for row in rows], schema=SCHEMA)
    found = score(frame, HISTORY, policy(deviation=section), pl.Series([False, False]), OPENING)
    columns = ("setl_id", "deviation", "points_e4", "paid_directly")
    return {row[0]: row[1:] for row in found.select(columns).iter_rows()}


def names(rows: list[dict[str, Any]], **top: Any) -> dict[str, str | None]:
    return {setl_id: found[0] for setl_id, found in bands(rows, **top).items()}


FIVE = [stay(cost, setl_id=f"S{n}") for n, cost in enumerate((3_000, 9_000, 12_000, 15_000, 11_000))]


def test_the_top_of_a_group_is_paid_directly() -> None:
    # floor(0.5 x 5) = 2: 15,000 and 12,000. 3,000 of 10,000 is below 0.4.
    assert bands(FIVE) == {
        "S0": ("low", 0, "deviation"),
        "S1": ("normal", 1_200_000, None),
        "S2": ("top", 0, "deviation"),
        "S3": ("top", 0, "deviation"),
        "S4": ("normal", 1_200_000, None),
    }


@pytest.mark.parametrize(
    ("share", "expected"),
    [("0", 0), ("0.1999", 0), ("0.2", 1), ("0.3999", 1), ("0.4", 2), ("1", 5)],
)
def test_rounded_down(share: str, expected: int) -> None:
    found = names(FIVE, share=share)
    assert list(found.values()).count("top") == expected
    # The top comes before the bands: at a share of 1 the cheap stay belongs to it, too.
    assert (found["S0"] == "top") == (share == "1")


def test_five_percent_of_few_stays_is_nobody() -> None:
    many = [stay(10_000 + n, setl_id=f"S{n:02}") for n in range(40)]
    # 0.05 x 19 = 0.95, 0.05 x 20 = 1, 0.05 x 40 = 2.
    assert "top" not in names(many[:19], share="0.05").values()
    assert [key for key, band in names(many[:20], share="0.05").items() if band == "top"] == ["S19"]
    assert [key for key, band in names(many, share="0.05").items() if band == "top"] == ["S38", "S39"]


def test_of_equal_ratios_the_smaller_id_enters_last() -> None:
    same = [stay(10_000, setl_id=name) for name in ("B", "A", "C")]
    assert names(same, share="0.34") == {"B": "normal", "A": "normal", "C": "top"}
    assert names(same, share="0.67") == {"B": "top", "A": "normal", "C": "top"}
    # One fen decides before any id.
    one_fen = [*same[:2], stay(setl_id="C", cost_fen=999_999)]
    assert names(one_fen, share="0.34") == {"B": "top", "A": "normal", "C": "normal"}


def test_within_a_group_or_the_region() -> None:
    # Ratios: group 0 has 1.0 and 1.1, group 1 (mean 2,000) 1.5 and 2.0.
    mixed = [stay(10_000, setl_id="A"), stay(11_000, setl_id="B")]
    mixed += [stay(cost, setl_id=name, group_idx=1) for name, cost in (("C", 3_000), ("D", 4_000))]
    assert names(mixed) == {"A": "normal", "B": "top", "C": "normal", "D": "top"}
    assert names(mixed, of="region") == {"A": "normal", "B": "normal", "C": "top", "D": "top"}


def test_only_stays_that_the_deviation_tests_are_ranked_and_counted() -> None:
    others = [
        stay(90_000, setl_id="U", group_idx=-1, outcome="ungrouped"),
        stay(90_000, setl_id="V", fixmedins_code="H1", group_idx=-1, outcome="ungrouped"),
    ]
    # 0.5 x 2 tested stays = 1; with the two others it would be 2.
    found = names([*FIVE[1:3], *others])
    assert found == {"S1": "normal", "S2": "top", "U": None, "V": None}


@pytest.mark.parametrize(
    ("top", "points"),
    [
        ({"points": "normal"}, 1_200_000),
        # 120 x 1.5; 120 x (1.5 - 1.2 + 1)
        ({"points": "ratio"}, 1_800_000),
        ({"points": "excess", "limit": "1.2"}, 1_560_000),
    ],
)
def test_any_formula_may_pay_the_top(top: dict[str, str], points: int) -> None:
    found = bands(FIVE, share="0.2", name="dear", **top)
    assert found["S3"] == ("dear", points, None)


def test_the_order_of_rows_changes_nothing() -> None:
    rows = [*FIVE[:3], stay(12_000, setl_id="S9")]
    answers = [names(list(order), share="0.25") for order in permutations(rows)]
    assert all(answer == {"S0": "low", "S1": "normal", "S2": "normal", "S9": "top"} for answer in answers)


def test_ratios_that_only_whole_numbers_tell_apart() -> None:
    # The larger ratio by less than a float can hold: cost 10^13 + 1 fen of 10^6 against 10^13.
    rows = [stay(setl_id="Z", cost_fen=10**13), stay(setl_id="A", cost_fen=10**13 + 1)]
    assert names(rows) == {"Z": "normal", "A": "top"}


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ({"name": "low"}, "'low' is another band"),
        ({"name": "unstable"}, "'unstable' is another band"),
        ({"points": "excess"}, "needs a limit for excess formulas"),
        ({"points": "ratio", "limit": 2}, "needs a limit for excess formulas"),
    ],
)
def test_contradictions_are_refused(top: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        policy(deviation={**banded(LOW, REST), "top_share": {"share": "0.05", **top}})
