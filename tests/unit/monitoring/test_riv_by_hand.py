"""Reduction in variance, worked by hand."""

from __future__ import annotations

import polars as pl
import pytest

from fenzhi.monitoring import reduction_in_variance


def _stays(costs: dict[str | None, list[int]]) -> pl.DataFrame:
    rows = [(group, cost) for group, mine in costs.items() for cost in mine]
    return pl.DataFrame(rows, schema={"group_id": pl.String, "cost_fen": pl.Int64}, orient="row")


def test_two_groups_by_hand() -> None:
    """A: 100, 200, 300, mean 200: 100^2 + 0 + 100^2 = 20,000. B: 400, 600, mean 500: 2 x 100^2 = 20,000.

    All: 1,600 / 5 = 320: 220^2 + 120^2 + 20^2 + 80^2 + 280^2 = 148,000. RIV = 1 - 40,000 / 148,000 = 27 / 37.
    """
    found = reduction_in_variance(_stays({"A": [100, 200, 300], "B": [400, 600]}))
    assert (found.stays, found.groups) == (5, 2)
    assert found.riv == pytest.approx(27 / 37, abs=1e-15)


def test_stays_without_group_do_not_count() -> None:
    """As above; what has no group changes neither sum."""
    found = reduction_in_variance(_stays({"A": [100, 200, 300], None: [9_999_999], "B": [400, 600]}))
    assert (found.stays, found.groups) == (5, 2)
    assert found.riv == pytest.approx(27 / 37, abs=1e-15)


def test_the_ends() -> None:
    """One group explains nothing; groups of equal costs explain all; without spread or stays there is nothing."""
    assert reduction_in_variance(_stays({"A": [1, 2, 3]})).riv == 0
    assert reduction_in_variance(_stays({"A": [1, 1], "B": [5, 5]})).riv == 1
    assert reduction_in_variance(_stays({"A": [7, 7], "B": [7]})).riv is None
    assert reduction_in_variance(_stays({})).riv is None


def test_large_costs_lose_no_digits() -> None:
    """10^13 + the costs above: shifting all costs changes no square around a mean."""
    far = 10**13
    costs = {"A": [far + 100, far + 200, far + 300], "B": [far + 400, far + 600]}
    assert reduction_in_variance(_stays(costs)).riv == pytest.approx(27 / 37, abs=1e-15)


def test_order_of_rows_does_not_matter() -> None:
    """Squares are added exactly."""
    stays = _stays({f"G{n}": [n * 7 % 11 + 1, n * n, 3 * n] for n in range(50)})
    assert reduction_in_variance(stays) == reduction_in_variance(
        stays.sample(fraction=1, shuffle=True, seed=3)
    )
