"""The settlement of a year: amounts per hospital and stay, months, clearing, ledger. docs/rules.md, section 6."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fenzhi.budget.direct import with_direct
from fenzhi.budget.lines import Budget
from fenzhi.errors import ConservationError
from fenzhi.policy.models import Policy
from fenzhi.settlement.annual import ACCOUNT, assess, gross_amounts, hospital_sums, stay_amounts
from fenzhi.settlement.ledger import make_ledger, require_balance
from fenzhi.settlement.months import monthly, working_capital


@dataclass(frozen=True)
class YearInputs:
    """What the region adds to its stays.

    ``accounts``: fixmedins_code, pool: every hospital in every pool. ``last_booked``: fixmedins_code, pool,
    booked_fen of the newest history
    year. ``assessment``: fixmedins_code, assessment_e4. ``deductions``: fixmedins_code, pool, month,
    deduction_fen. ``advances``:
    fixmedins_code, pool, month (0 = working capital), advance_fen actually paid; if given it replaces what
    the rules would advance. ``tracks``: the ledger's entries of other tracks.
    """

    year: int
    accounts: pl.DataFrame
    last_booked: pl.DataFrame
    assessment: pl.DataFrame
    deductions: pl.DataFrame
    advances: pl.DataFrame | None = None
    tracks: pl.DataFrame | None = None


@dataclass(frozen=True)
class Settled:
    """The year settled: ``stays``, ``hospitals``, ``months``, ``pools``, ``ledger`` in the columns of ``results``."""

    stays: pl.DataFrame
    hospitals: pl.DataFrame
    months: pl.DataFrame
    pools: pl.DataFrame
    ledger: pl.DataFrame


def _paid(
    accounts: pl.DataFrame, months: pl.DataFrame, advances: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the advances that were really paid in the place of the computed ones."""
    paid = advances.group_by(*ACCOUNT, "month").agg(pl.col("advance_fen").sum())
    months = (
        months.drop("advance_fen")
        .join(paid, on=[*ACCOUNT, "month"], how="left", maintain_order="left")
        .with_columns(pl.col("advance_fen").fill_null(0))
    )
    start = paid.filter(pl.col("month") == 0).select(
        *ACCOUNT, pl.col("advance_fen").alias("working_capital_fen")
    )
    accounts = (
        accounts.drop("working_capital_fen")
        .join(start, on=ACCOUNT, how="left", maintain_order="left")
        .with_columns(pl.col("working_capital_fen").fill_null(0))
    )
    return accounts, months


def _require_all_accounted(sums: pl.DataFrame, pools: pl.DataFrame) -> None:
    """Raise unless the hospitals' stays, points and costs add up to those of their pools."""
    kept = ["cases", "cost_fen", "booked_fen", "points_e4", "direct_fen"]
    mine = sums.group_by("pool").agg(pl.col(kept).sum())
    both = pools.select("pool", *kept).join(mine, on="pool", how="left", suffix="_hospitals")
    for name in kept:
        wrong = both.filter(pl.col(name) != pl.col(f"{name}_hospitals").fill_null(0))
        if wrong.height:
            raise ConservationError(
                "stays of a pool belong to no hospital that is settled",
                field=name,
                value=tuple(wrong.select("pool", name, f"{name}_hospitals").row(0)),
                remedy="list every hospital in hospitals.csv, or let quality control reject unknown ones",
            )


def settle(
    scored: pl.DataFrame, pools: pl.DataFrame, budget: Budget, policy: Policy, inputs: YearInputs
) -> Settled:
    """Settle the year of a region.

    ``scored``: the stays paid by points (setl_id, fixmedins_code, pool, month, outcome, grassroots,
    cost_fen, booked_fen,
    rw_e4, points_e4, and direct_fen, what the fund pays directly, null where points pay).
    ``pools``: what :func:`fenzhi.budget.price` returned. Raises
    :class:`ConservationError` if a fen is lost or made.
    """
    scored = with_direct(scored)
    sums = hospital_sums(scored, inputs.accounts)
    _require_all_accounted(sums, pools)
    accounts = gross_amounts(sums, pools, policy)
    stays = stay_amounts(scored, accounts, pools, policy)
    gross = accounts.group_by("pool").agg(pl.col("gross_fen").sum())
    pools = pools.join(gross, on="pool", how="left", maintain_order="left").with_columns(
        (pl.col("fund_fen") - pl.col("gross_fen")).alias("residual_fen")
    )
    if policy.settlement.residual == "apportion":
        lost = pools.filter((pl.col("points_e4") != 0) & (pl.col("residual_fen") != 0))
        if lost.height:
            raise ConservationError(
                "hospitals' amounts do not add up to the fund",
                field=lost["pool"][0],
                value=lost["residual_fen"][0],
            )
    accounts = working_capital(
        assess(accounts, inputs.assessment, inputs.deductions), inputs.last_booked, policy.settlement
    )
    months = monthly(scored, inputs.accounts, pools, inputs.deductions, policy.settlement)
    if inputs.advances is not None:
        accounts, months = _paid(accounts, months, inputs.advances)
    advanced = months.group_by(ACCOUNT).agg(pl.col("advance_fen").sum())
    accounts = (
        accounts.join(advanced, on=ACCOUNT, how="left", maintain_order="left")
        .with_columns(
            (pl.col("payable_fen") - pl.col("advance_fen") - pl.col("working_capital_fen")).alias(
                "clearing_fen"
            ),
            pl.when(pl.col("rw_cases") > 0)
            .then(
                (pl.col("rw_sum_e4") * 2 + pl.col("rw_cases") * policy.weights.scale)
                // (pl.col("rw_cases") * 2 * policy.weights.scale)
            )
            .alias("cmi_e4"),
        )
        .join(
            pools.select("pool", pl.col("settlement_value_e4").alias("point_value_e4")),
            on="pool",
            how="left",
            maintain_order="left",
        )
    )
    totals = accounts.group_by("pool").agg(
        pl.col("payable_fen").sum(),
        (pl.col("assessed_fen") + pl.col("deduction_fen")).sum().alias("returned_fen"),
    )
    pools = pools.join(totals, on="pool", how="left", maintain_order="left")
    ledger = make_ledger(accounts, months, pools, budget, inputs.year, policy.settlement.cite, inputs.tracks)
    require_balance(ledger)
    return Settled(stays, accounts.drop("priced_fen", "rw_sum_e4", "rw_cases"), months, pools, ledger)
