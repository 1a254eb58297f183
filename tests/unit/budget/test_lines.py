"""From income to the by-disease fund, line by line."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fenzhi.budget import Budget, Line, PoolBudget
from fenzhi.errors import RegionError

LINES = [
    {"name": "inpatient", "kind": "income", "amount": "1000.50"},
    {"name": "out of region", "kind": "carve_out", "amount": "200.25"},
    {"name": "bed-day", "kind": "carve_out", "amount": "100"},
    {"name": "risk reserve", "kind": "reserve", "amount": "50.05"},
    {"name": "growth", "kind": "income", "amount": "10"},
]


def budget(lines: list[dict[str, str]], pool: str = "E") -> Budget:
    return Budget.model_validate({"year": 2027, "pool": [{"id": pool, "lines": lines}]})


# 1,000.50 + 10.00 - 200.25 - 100.00 - 50.05 = 660.20 yuan.
def test_the_fund_is_income_minus_everything_else() -> None:
    entry = budget(LINES).of("E")
    assert entry.total_fen("income") == 101_050
    assert entry.total_fen("carve_out") == 30_025
    assert entry.total_fen("reserve") == 5_005
    assert entry.fund_fen == 66_020


def test_lines_keep_their_order() -> None:
    names = [line.name for line in budget(LINES).of("E").lines]
    assert names == ["inpatient", "out of region", "bed-day", "risk reserve", "growth"]


def test_a_fund_of_zero_is_allowed() -> None:
    lines = [LINES[0], {"name": "all of it", "kind": "reserve", "amount": "1000.50"}]
    assert budget(lines).of("E").fund_fen == 0


def test_lines_that_take_away_too_much_are_an_error() -> None:
    lines = [LINES[0], {"name": "too much", "kind": "carve_out", "amount": "1000.51"}]
    with pytest.raises(RegionError, match="take away more than its income") as caught:
        budget(lines).of("E")
    error = caught.value
    assert (error.code, error.file, error.field) == ("BUDGET_NEGATIVE", "budget.toml", "pool E")
    assert error.remedy


def test_a_pool_without_budget_is_an_error() -> None:
    with pytest.raises(RegionError, match="pool R has no budget") as caught:
        budget(LINES).of("R")
    error = caught.value
    assert (error.code, error.file, error.field, error.value) == (
        "BUDGET_MISSING",
        "budget.toml",
        "pool.id",
        "R",
    )
    assert "[[pool]]" in (error.remedy or "")


def test_one_bad_pool_does_not_touch_another() -> None:
    bad = {"name": "x", "kind": "reserve", "amount": "1"}
    two = Budget(
        year=2027,
        pool=(
            PoolBudget(id="E", lines=(Line.model_validate(LINES[0]),)),
            PoolBudget(id="R", lines=(Line.model_validate(bad),)),
        ),
    )
    assert two.of("E").fund_fen == 100_050
    with pytest.raises(RegionError, match="pool R"):
        two.of("R")


@pytest.mark.parametrize(
    "line",
    [
        {"name": "x", "kind": "income", "amount": "-1"},
        {"name": "x", "kind": "expense", "amount": "1"},
        {"name": "x", "kind": "income", "amount": "1", "note": "unknown key"},
    ],
)
def test_a_line_of_another_form_is_refused(line: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        budget([line])


def test_a_pool_needs_a_line() -> None:
    with pytest.raises(ValidationError):
        budget([])
