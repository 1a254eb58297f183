"""The ledger: every movement of money as a double entry, and the proof that it balances.

Accounts: ``source:POOL``, ``fund:POOL``, ``carve_out:POOL``, ``track:LINE:POOL`` (money of other tracks),
``outside:POOL`` (what items outside the budget are paid from), ``reserve:POOL``, ``by_disease:POOL``,
``fines:POOL``, ``hospital:CODE:POOL`` (what the pool owes a hospital), ``deposit:CODE:POOL`` and
``paid:CODE:POOL``. The debited account receives, the credited one gives.
"""

from __future__ import annotations

import polars as pl

from fenzhi.budget.lines import Budget
from fenzhi.budget.pool import BY_DISEASE, LEFT_OVER, RESERVES
from fenzhi.errors import ConservationError

SCHEMA = {
    "period": pl.String,
    "pool": pl.String,
    "debit": pl.String,
    "credit": pl.String,
    "amount_fen": pl.Int64,
    "fixmedins_code": pl.String,
    "kind": pl.String,
    "cite": pl.String,
}


def account(name: str) -> pl.Expr:
    """Return the account of a hospital in a pool."""
    return pl.format(f"{name}:{{}}:{{}}", "fixmedins_code", "pool")


def movement(
    rows: pl.DataFrame,
    period: pl.Expr,
    debit: pl.Expr,
    credit: pl.Expr,
    amount: str,
    kind: str | pl.Expr,
    cite: str | pl.Expr,
) -> pl.DataFrame:
    """Return entries for a column of amounts; a negative amount turns debit and credit round, zero is no entry."""
    turned = pl.col(amount) < 0
    return rows.filter(pl.col(amount) != 0).select(
        period.alias("period"),
        "pool",
        pl.when(turned).then(credit).otherwise(debit).alias("debit"),
        pl.when(turned).then(debit).otherwise(credit).alias("credit"),
        pl.col(amount).abs().alias("amount_fen"),
        "fixmedins_code",
        (pl.lit(kind) if isinstance(kind, str) else kind).alias("kind"),
        (pl.lit(cite) if isinstance(cite, str) else cite).alias("cite"),
    )


def _budget_account(kind: str) -> str:
    """Return the account that a line of this kind moves money into, out of the fund."""
    if kind in (*RESERVES, LEFT_OVER):
        return "reserve"
    return BY_DISEASE if kind == BY_DISEASE else "carve_out"


def _budget_entries(budget: Budget, pools: pl.DataFrame, year: int) -> pl.DataFrame:
    """Return what the plan and then each change moves: the difference of the amounts before and after it."""
    rows = []
    for pool in pools["pool"]:
        entry = budget.of(pool)
        changes = entry.changes()
        funded = {line.name: line.track for line in entry.lines if line.track is not None}
        kinds: dict[str, tuple[str, str]] = {
            line.name: (line.kind, line.cite or line.name) for line in entry.lines
        }
        kinds |= {name: (name, "budget.toml") for name in (LEFT_OVER, BY_DISEASE)}
        before: dict[str, int] = {}
        for done in range(len(changes) + 1):
            period = f"{changes[done - 1].date:%Y-%m}" if done else str(year)
            amounts = entry.amounts(done)
            for name, (kind, cite) in kinds.items():
                fen = amounts[name] - before.get(name, 0)
                giver = f"track:{funded[name]}" if name in funded else _budget_account(kind)
                sides = (f"{giver}:{pool}", f"fund:{pool}")
                if kind == "income":
                    sides = (f"fund:{pool}", f"source:{pool}")
                debit, credit = sides if fen > 0 else sides[::-1]
                movement = "by_disease_fund" if kind == BY_DISEASE else f"budget_{kind}"
                source = changes[done - 1].source if done else cite
                rows.append((period, pool, debit, credit, abs(fen), None, movement, source))
            before = amounts
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").filter(pl.col("amount_fen") != 0)


def _by_kind(accounts: pl.DataFrame) -> pl.DataFrame:
    """Add audit_fen: the deductions that are neither violations nor fines."""
    return accounts.with_columns(
        (pl.col("deduction_fen") - pl.col("violation_fen") - pl.col("fine_fen")).alias("audit_fen"),
        (pl.col("gross_fen") - pl.col("direct_fen")).alias("by_points_fen"),
    )


def make_ledger(
    accounts: pl.DataFrame,
    months: pl.DataFrame,
    pools: pl.DataFrame,
    budget: Budget,
    year: int,
    cite: str,
    tracks: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return all entries of a year in order: budget, working capital, months, annual clearing, other tracks.

    ``accounts``: gross_fen, direct_fen, assessed_fen, deduction_fen (of it violation_fen, fine_fen), shared_fen,
    working_capital_fen, released_fen, forfeited_fen, clearing_fen per hospital and pool; ``months``: advance_fen,
    deposit_fen, quarter_fen; ``pools``: residual_fen. ``cite``: source of the settlement rules.
    ``tracks``: the entries of other tracks (:mod:`fenzhi.settlement.tracks`).
    """
    owed, paid, deposit = account("hospital"), account("paid"), account("deposit")
    reserve, by_disease = pl.format("reserve:{}", "pool"), pl.format("by_disease:{}", "pool")
    fines = pl.format("fines:{}", "pool")
    start, close = pl.lit(f"{year}-00"), pl.lit(f"{year}-13")
    month = pl.format(f"{year}-{{}}", pl.col("month").cast(pl.String).str.zfill(2))
    none = pools.with_columns(pl.lit(None, pl.String).alias("fixmedins_code"))
    ordered, kinds = months.sort("month", maintain_order=True), _by_kind(accounts)
    entries = pl.concat(
        [
            _budget_entries(budget, pools, year),
            *(
                movement(rows, period, debit, credit, amount, kind, cite)
                for rows, period, debit, credit, amount, kind in (
                    (accounts, start, paid, owed, "working_capital_fen", "working_capital"),
                    (ordered, month, paid, owed, "advance_fen", "advance"),
                    (ordered, month, deposit, owed, "deposit_fen", "deposit"),
                    (ordered, month, paid, owed, "quarter_fen", "quarter_clearing"),
                    (accounts, close, owed, by_disease, "direct_fen", "direct_payment"),
                    (kinds, close, owed, by_disease, "by_points_fen", "gross_payable"),
                    (none, close, reserve, by_disease, "residual_fen", "residual"),
                    (accounts, close, reserve, owed, "assessed_fen", "assessment"),
                    (kinds, close, reserve, owed, "audit_fen", "audit_deduction"),
                    (accounts, close, reserve, owed, "violation_fen", "violation"),
                    (accounts, close, fines, owed, "fine_fen", "fine"),
                    (accounts, close, owed, reserve, "shared_fen", "sharing"),
                    (accounts, close, paid, deposit, "released_fen", "deposit_release"),
                    (accounts, close, reserve, deposit, "forfeited_fen", "deposit_forfeit"),
                    (accounts, close, paid, owed, "clearing_fen", "clearing"),
                )
            ),
            *([] if tracks is None else [tracks]),
        ]
    )
    return entries.with_row_index("entry", offset=1).with_columns(pl.col("entry").cast(pl.Int64))


def balances(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return pool, account, balance_fen (debits minus credits), sorted by account."""
    sides = pl.concat(
        [
            ledger.select("pool", pl.col("debit").alias("account"), pl.col("amount_fen")),
            ledger.select("pool", pl.col("credit").alias("account"), -pl.col("amount_fen")),
        ]
    )
    return (
        sides.group_by("pool", "account").agg(pl.col("amount_fen").sum().alias("balance_fen")).sort("account")
    )


def require_balance(ledger: pl.DataFrame) -> None:
    """Raise :class:`ConservationError` unless every fund, track, by-disease, hospital and deposit account ends at zero.

    Pools balance by construction: an entry moves one amount between two accounts of one pool.
    """
    table = balances(ledger)
    must_be_zero = pl.col("account").str.contains("^(fund|track|by_disease|hospital|deposit):")
    wrong = table.filter(must_be_zero & (pl.col("balance_fen") != 0))
    if wrong.height:
        account, balance = wrong.select("account", "balance_fen").row(0)
        raise ConservationError("an account does not end at zero", field=account, value=balance)
