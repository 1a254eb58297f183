"""The global budget: one entry per pool, and the table of where the money goes. docs/rules.md, section 5."""

from __future__ import annotations

from pydantic import Field

from fenzhi.budget.faults import first_fault
from fenzhi.budget.pool import PoolBudget
from fenzhi.errors import RegionError
from fenzhi.policy.base import Model


class Budget(Model):
    """The budget of a year: one entry per pool."""

    year: int
    pool: tuple[PoolBudget, ...] = Field(min_length=1)

    def of(self, pool: str) -> PoolBudget:
        """Return the budget of a pool. Raises :class:`RegionError` if it has none, or one that cannot be."""
        for entry in self.pool:
            if entry.id == pool:
                if (fault := first_fault(entry, self.year)) is not None:
                    raise fault
                return entry
        raise RegionError(
            f"pool {pool} has no budget",
            code="BUDGET_MISSING",
            file="budget.toml",
            field="pool.id",
            value=pool,
            remedy="add a [[pool]] with this id and at least one line of kind income",
        )
