"""Years of history and their weights, 1:2:7 from oldest to newest. docs/rules.md, section 3."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from fenzhi.errors import PolicyError
from fenzhi.policy.models import Weights as WeightsPolicy


def year_weights(policy: WeightsPolicy, years: Sequence[int]) -> dict[int, int]:
    """Return the weight of each year, aligned to the newest: 1:2:7 for three years, 2:7 for two."""
    if len(years) > len(policy.year_weights):
        raise PolicyError(
            f"the history has {len(years)} years ({', '.join(map(str, years))}), "
            f"the policy has weights for {len(policy.year_weights)}",
            code="POLICY_YEAR_WEIGHTS",
            field="weights.year_weights",
            remedy="give a weight for every year or leave out the oldest years of the history",
        )
    return dict(zip(sorted(years), policy.year_weights[len(policy.year_weights) - len(years) :], strict=True))


def weighted_mean(sums: dict[int, tuple[int, int]], weights: dict[int, int], pooling: str) -> Fraction | None:
    """Return the mean over years from ``year -> (cost, stays)``; years without stays do not count.

    ``yearly_means``: sum of w x cost / stays over the sum of w. ``cases``: sum of w x cost over sum of w x stays.
    """
    have = {year: pair for year, pair in sums.items() if pair[1] > 0}
    if not have:
        return None
    if pooling == "cases":
        top = sum(weights[year] * cost for year, (cost, _) in have.items())
        return Fraction(top, sum(weights[year] * stays for year, (_, stays) in have.items()))
    # One common denominator: a fraction is made, and reduced, only once.
    numerator, denominator = 0, 1
    for year, (cost, stays) in have.items():
        numerator = numerator * stays + weights[year] * cost * denominator
        denominator *= stays
    return Fraction(numerator, denominator * sum(weights[year] for year in have))
