"""The table of the budget: from the income through each line to the by-disease total, with what is left after each."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from fenzhi.budget.lines import Budget
from fenzhi.budget.pool import BY_DISEASE, LEFT_OVER, PoolBudget
from fenzhi.errors import ConservationError

#: What the rows of computed figures are called.
TITLES = {LEFT_OVER: "按病种付费总额以外部分(转入储备)", BY_DISEASE: "按病种付费基金"}


def budget_table(budget: Budget, pools: Sequence[str]) -> pl.DataFrame:
    """Return the columns of ``results.BUDGET``: per pool its lines in order, last the by-disease total."""
    return pl.concat([_of_pool(budget.of(pool)) for pool in pools])


def _of_pool(pool: PoolBudget) -> pl.DataFrame:
    planned, amounts = pool.amounts(0), pool.amounts()
    computed = (BY_DISEASE,) if pool.method == "items" else (LEFT_OVER, BY_DISEASE)
    rows: list[tuple[str, str, str, str | None, str]] = [
        (line.name, line.kind, line.title or line.name, line.track, line.cite) for line in pool.lines
    ]
    rows += [(name, name, TITLES[name], None, "") for name in computed]
    frame = pl.DataFrame(
        rows, schema=dict.fromkeys(("line", "kind", "title", "track", "cite"), pl.String), orient="row"
    )
    fen = {
        "planned_fen": [planned[name] for name in frame["line"]],
        "amount_fen": [amounts[name] for name in frame["line"]],
    }
    is_income = pl.col("kind") == "income"
    income = pl.col("amount_fen").filter(is_income).sum()
    return frame.with_columns(
        pl.lit(pool.id).alias("pool"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("order"),
        *(pl.Series(name, values, pl.Int64) for name, values in fen.items()),
    ).with_columns(
        (pl.col("amount_fen") - pl.col("planned_fen")).alias("changed_fen"),
        pl.when(is_income).then("amount_fen").otherwise(-pl.col("amount_fen")).cum_sum().alias("left_fen"),
        # For looking at only: nothing is paid by it.
        pl.when(income != 0).then(pl.col("amount_fen") / income).alias("share"),
    )


def require_all_given(table: pl.DataFrame, pools: pl.DataFrame) -> None:
    """Raise :class:`ConservationError` unless income - lines - by-disease total is 0, in the plan and after changes.

    ``table``: what :func:`budget_table` returned; ``pools``: pool, fund_fen, what was settled,
    and outside_care_fen, what other tracks handed to it.
    """
    sign = pl.when(pl.col("kind") == "income").then(1).otherwise(-1)
    sums = table.group_by("pool", maintain_order=True).agg(
        (pl.col("planned_fen") * sign).sum().alias("of the plan"),
        (pl.col("amount_fen") * sign).sum().alias("after all changes"),
        pl.col("amount_fen").filter(pl.col("kind") == BY_DISEASE).sum().alias("fund"),
    )
    for pool, planned, final, fund in sums.iter_rows():
        of_pool = pools.filter(pl.col("pool") == pool)
        settled = (of_pool["fund_fen"] - of_pool["outside_care_fen"]).to_list()
        if planned or final or settled != [fund]:
            raise ConservationError(
                "income, lines and by-disease total of the budget do not add up",
                field=f"pool {pool}",
                value=(planned, final, fund, settled),
            )
