"""A hospital's own folder: what the region has published takes the place of what only all hospitals' stays can say."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import Field, model_validator

from fenzhi.budget import Budget, Line, PoolBudget
from fenzhi.money import fen_to_yuan, round_half_up, to_e4
from fenzhi.policy.base import Fault, FaultsError, Model

Value = Annotated[Decimal, Field(ge=0, lt=1_000_000, decimal_places=4)]


class PublishedPool(Model):
    """What is published of a pool.

    ``value``: the settlement point value, or what it is taken to be; or ``low`` and ``high``, between which it is
    taken to lie: then the middle counts. ``payment_ratio``: what the fund pays of the costs of all hospitals.
    """

    id: str
    value: Value | None = None
    low: Value | None = None
    high: Value | None = None
    payment_ratio: Annotated[Decimal, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _check(self) -> PublishedPool:
        between = self.low is not None and self.high is not None
        if (self.value is not None) == between or (self.low is None) != (self.high is None):
            raise FaultsError([Fault("give value, or low and high", ("value",))])
        if self.low is not None and self.high is not None and self.low > self.high:
            raise FaultsError([Fault("low is larger than high", ("low",))])
        return self

    def values_e4(self) -> tuple[int, int, int]:
        """Return the lowest value, the one that counts and the highest, at 1/10,000."""
        if self.value is not None:
            return (to_e4(self.value),) * 3
        low, high = to_e4(self.low or 0), to_e4(self.high or 0)
        return low, round_half_up(Fraction(low + high, 2)), high


class Published(Model):
    """The ``[published]`` table: weights and point values that the region has published.

    ``weights``: a table of group_id, weight, and as far as known mean_cost and mean_cost_LEVEL, last year's means.
    ``mean_cost``: the mean cost of all stays, in yuan, which stays without group are valued by. ``pool``: what is
    published of each pool.
    """

    weights: str
    mean_cost: Annotated[Decimal, Field(gt=0, decimal_places=2)] | None = None
    pool: tuple[PublishedPool, ...] = Field(min_length=1)

    def given(self) -> dict[str, int]:
        """Return pool -> the point value that counts, at 1/10,000."""
        return {pool.id: pool.values_e4()[1] for pool in self.pool}

    def ratios(self) -> dict[str, Fraction]:
        """Return pool -> payment ratio, of those that are published."""
        return {pool.id: Fraction(pool.payment_ratio) for pool in self.pool if pool.payment_ratio is not None}


def assumed_budget(money: Mapping[str, tuple[int, int]], year: int) -> Budget:
    """Return a budget that pays just what the given point values pay.

    ``money``: pool -> fen that stays are paid, fen that its reserve holds.
    """
    pools = []
    for pool, (fund, reserve) in money.items():
        lines = (
            Line(name="assumed", kind="income", amount=fen_to_yuan(max(0, fund) + reserve), title=_INCOME),
            Line(name="assumed_reserve", kind="reserve", amount=fen_to_yuan(reserve), title=_RESERVE),
        )
        pools.append(PoolBudget(id=pool, lines=lines))
    return Budget(year=year, pool=tuple(pools))


_INCOME = "按给定点值推定的基金"
_RESERVE = "推定的储备(足以分担)"


def moved_value(value_e4: int, elasticity: Decimal, before_e4: int, after_e4: int, step: int = 1) -> int:
    """Return a point value after the hospital's points changed, by an elasticity: at least 0, rounded half up."""
    if not before_e4:
        return value_e4
    change = Fraction(after_e4 - before_e4, before_e4)
    return max(0, round_half_up(value_e4 * (1 + Fraction(elasticity) * change), step))
