"""The settlement of a year: amounts per hospital and stay, months, clearing, ledger. docs/rules.md, section 6."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.budget.direct import with_direct
from fenzhi.budget.elastic import with_units
from fenzhi.budget.lines import Budget
from fenzhi.budget.values import pool_totals
from fenzhi.errors import ConservationError
from fenzhi.money import SCALE, ratio_half_up
from fenzhi.policy.models import Policy
from fenzhi.policy.values import Settlement
from fenzhi.settlement.annual import ACCOUNT, assess, gross_amounts, of_accounts, stay_amounts
from fenzhi.settlement.ledger import balances, make_ledger, require_balance
from fenzhi.settlement.months import monthly, quarterly, working_capital
from fenzhi.settlement.sharing import share
from fenzhi.settlement.sums import StaySums, stay_sums


@dataclass(frozen=True)
class YearInputs:
    """What the region adds to its stays.

    ``accounts``: fixmedins_code, pool: every hospital in every pool. ``last_booked``: fixmedins_code, pool,
    booked_fen of the newest history
    year. ``assessment``: fixmedins_code, assessment_e4. ``deductions``: fixmedins_code, pool, month,
    deduction_fen, kind. ``advances``:
    fixmedins_code, pool, month (0 = working capital), advance_fen actually paid; if given it replaces what
    the rules would advance. ``tracks``: the ledger's entries of other tracks. ``ratios``: payment
    ratios where point values are given (:class:`fenzhi.budget.Given`).
    """

    year: int
    accounts: pl.DataFrame
    last_booked: pl.DataFrame
    assessment: pl.DataFrame
    deductions: pl.DataFrame
    advances: pl.DataFrame | None = None
    tracks: pl.DataFrame | None = None
    ratios: Mapping[str, Fraction] | None = None


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


def _deposits(accounts: pl.DataFrame, policy: Settlement) -> pl.DataFrame:
    """Add released_fen and forfeited_fen: what of the deposit goes back to the hospital, what to the reserve."""
    full = pl.col("deposit_fen")
    kept = pl.min_horizontal(pl.col("assessment_e4"), pl.lit(SCALE))
    released = full if policy.deposit_release == "full" else ratio_half_up(full * kept, pl.lit(SCALE))
    return accounts.with_columns(released.alias("released_fen")).with_columns(
        (full - pl.col("released_fen")).alias("forfeited_fen")
    )


def _cleared(accounts: pl.DataFrame, months: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Add what the months paid and withheld, the deposit, and what the annual clearing pays or takes back."""
    paid = months.group_by(ACCOUNT).agg(pl.col("advance_fen", "deposit_fen", "quarter_fen").sum())
    before = pl.col("working_capital_fen") + pl.col("advance_fen") + pl.col("quarter_fen")
    joined = accounts.join(paid, on=ACCOUNT, how="left", maintain_order="left")
    scale = policy.weights.scale
    return _deposits(joined, policy.settlement).with_columns(
        (pl.col("final_fen") - before - pl.col("deposit_fen")).alias("clearing_fen"),
        pl.when(pl.col("rw_cases") > 0)
        .then((pl.col("rw_sum_e4") * 2 + pl.col("rw_cases") * scale) // (pl.col("rw_cases") * 2 * scale))
        .alias("cmi_e4"),
    )


@dataclass(frozen=True)
class Accounts:
    """The year settled without its stays; ``units``: hospital, pool and period with what its points are priced at."""

    units: pl.DataFrame
    hospitals: pl.DataFrame
    months: pl.DataFrame
    pools: pl.DataFrame
    ledger: pl.DataFrame


def settle(
    scored: pl.DataFrame, prices: pl.DataFrame, budget: Budget, policy: Policy, inputs: YearInputs
) -> Settled:
    """Settle the year of a region.

    ``scored``: the stays paid by points (setl_id, fixmedins_code, pool, month, period, outcome, grassroots,
    cost_fen, booked_fen, rw_e4, points_e4, fixed_points_e4, and direct_fen, what the fund pays directly, null where
    points pay). ``prices``: what :func:`fenzhi.budget.price` returned. Raises
    :class:`ConservationError` if a fen is lost or made.
    """
    scored = with_units(with_direct(scored), policy.point_value)
    found = settle_sums(stay_sums(scored), prices, budget, policy, inputs)
    stays = stay_amounts(scored, found.units, prices, policy)
    return Settled(stays, found.hospitals, found.months, found.pools, found.ledger)


def settle_sums(
    stays: StaySums, prices: pl.DataFrame, budget: Budget, policy: Policy, inputs: YearInputs
) -> Accounts:
    """Settle the accounts of a region's year from the sums of its stays: all of :func:`settle` but the stays."""
    sums = of_accounts(stays.accounts, inputs.accounts)
    pools = pool_totals(prices, budget).pipe(_with_tracks, inputs.tracks)
    _require_all_accounted(sums, pools)
    units = gross_amounts(stays.units, prices, policy, inputs.ratios)
    mine = units.group_by(ACCOUNT).agg(pl.col("gross_fen").sum())
    accounts = sums.join(mine, on=ACCOUNT, how="left", maintain_order="left").with_columns(
        pl.col("gross_fen").fill_null(0)
    )
    gross = accounts.group_by("pool").agg(pl.col("gross_fen").sum())
    pools = pools.join(gross, on="pool", how="left", maintain_order="left").with_columns(
        (pl.col("fund_fen") - pl.col("gross_fen")).alias("residual_fen")
    )
    if policy.settlement.residual == "apportion" and inputs.ratios is None:
        lost = pools.filter(
            (pl.col("points_e4") != 0) & pl.col("value_limit").is_null() & (pl.col("residual_fen") != 0)
        )
        if lost.height:
            raise ConservationError(
                "hospitals' amounts do not add up to the fund",
                field=lost["pool"][0],
                value=lost["residual_fen"][0],
            )
    accounts = assess(accounts, inputs.assessment, inputs.deductions, policy.settlement)
    accounts = working_capital(share(accounts, pools, policy.sharing), inputs.last_booked, policy.settlement)
    months = monthly(stays.months, inputs.accounts, pools, inputs.deductions, policy.settlement)
    if inputs.advances is not None:
        accounts, months = _paid(accounts, months, inputs.advances)
    months = quarterly(months, policy.settlement)
    accounts = _cleared(accounts, months, policy).join(
        pools.select("pool", pl.col("settlement_value_e4").alias("point_value_e4")),
        on="pool",
        how="left",
        maintain_order="left",
    )
    summed = ("payable_fen", "shared_fen", "short_fen", "final_fen", "clearing_fen")
    totals = accounts.group_by("pool").agg(
        pl.col(*summed).sum(),
        (pl.col("assessed_fen") + pl.col("deduction_fen") - pl.col("fine_fen") + pl.col("forfeited_fen"))
        .sum()
        .alias("returned_fen"),
    )
    pools = pools.join(totals, on="pool", how="left", maintain_order="left").with_columns(
        (
            pl.col("reserve_fen")
            + pl.col("residual_fen")
            + pl.col("tracks_left_fen")
            + pl.col("returned_fen")
            - pl.col("shared_fen")
        ).alias("reserve_left_fen")
    )
    ledger = make_ledger(accounts, months, pools, budget, inputs.year, policy.settlement.cite, inputs.tracks)
    require_balance(ledger)
    _require_reserve(ledger, pools)
    return Accounts(units, accounts.drop("rw_sum_e4", "rw_cases"), months, pools, ledger)


def _with_tracks(pools: pl.DataFrame, tracks: pl.DataFrame | None) -> pl.DataFrame:
    """Add tracks_left_fen: what other tracks leave to the reserve of the pool (below 0: what they take out of it)."""
    left = {} if tracks is None else dict(balances(tracks).select("account", "balance_fen").iter_rows())
    moved = [left.get(f"reserve:{pool}", 0) for pool in pools["pool"]]
    return pools.with_columns(pl.Series("tracks_left_fen", moved, dtype=pl.Int64))


def _require_reserve(ledger: pl.DataFrame, pools: pl.DataFrame) -> None:
    """Raise unless the reserve of every pool ends in the ledger at what its table says."""
    ends = dict(balances(ledger).select("account", "balance_fen").iter_rows())
    for pool, left in pools.select("pool", "reserve_left_fen").iter_rows():
        found = ends.get(f"reserve:{pool}", 0)
        if found != left:
            raise ConservationError(
                "the reserve ends at another amount than its movements say",
                field=f"reserve:{pool}",
                value=(found, left),
            )
