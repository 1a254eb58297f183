"""The global budget: pools and their lines from income to the by-disease fund."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from fenzhi.errors import RegionError
from fenzhi.money import yuan_to_fen
from fenzhi.policy.base import Model

Kind = Literal["income", "carve_out", "reserve"]


class Line(Model):
    """One line: ``income`` adds, ``carve_out`` (other tracks, items apart, out-of-region) and ``reserve`` take away.

    ``amount``: yuan with at most two decimals, as text.
    """

    name: str
    kind: Kind
    amount: Decimal = Field(ge=0)
    cite: str = ""

    @property
    def amount_fen(self) -> int:
        """Return the amount in fen."""
        return yuan_to_fen(self.amount)


class PoolBudget(Model):
    """The lines of one pool, in the order in which they are subtracted."""

    id: str
    lines: tuple[Line, ...] = Field(min_length=1)

    def total_fen(self, kind: Kind) -> int:
        """Return the sum of the lines of a kind in fen."""
        return sum(line.amount_fen for line in self.lines if line.kind == kind)

    @property
    def fund_fen(self) -> int:
        """Return the by-disease fund: income minus everything else."""
        return self.total_fen("income") - self.total_fen("carve_out") - self.total_fen("reserve")


class Budget(Model):
    """The budget of a year: one entry per pool."""

    year: int
    pool: tuple[PoolBudget, ...] = Field(min_length=1)

    def of(self, pool: str) -> PoolBudget:
        """Return the budget of a pool. Raises :class:`RegionError` if it has none, or if nothing is left for it."""
        for entry in self.pool:
            if entry.id == pool:
                if entry.fund_fen < 0:
                    raise RegionError(
                        f"the lines of pool {pool} take away more than its income",
                        code="BUDGET_NEGATIVE",
                        file="budget.toml",
                        field=f"pool {pool}",
                        remedy="check the amounts of the lines",
                    )
                return entry
        raise RegionError(
            f"pool {pool} has no budget",
            code="BUDGET_MISSING",
            file="budget.toml",
            field="pool.id",
            value=pool,
            remedy="add a [[pool]] with this id and at least one line of kind income",
        )
