"""Proof of a written ledger: every entry whole, every pool in balance, every account as the other tables say."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.money import format_fen
from fenzhi.settlement.ledger import balances, require_balance

CODE = "RUN_LEDGER"
REMEDY = "the ledger was changed after the run, or is damaged: run the year again"

#: Column of ``hospitals`` -> sorts of accounts that receive when the amount is positive, and the kinds of movement
#: whose sum per hospital and pool it is. A run without the column has no such movements.
HOSPITAL_COLUMNS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "working_capital_fen": (("paid",), ("working_capital",)),
    "advance_fen": (("paid",), ("advance",)),
    "quarter_fen": (("paid",), ("quarter_clearing",)),
    "deposit_fen": (("deposit",), ("deposit",)),
    "released_fen": (("paid",), ("deposit_release",)),
    "forfeited_fen": (("reserve",), ("deposit_forfeit",)),
    "direct_fen": (("hospital",), ("direct_payment",)),
    "gross_fen": (("hospital",), ("gross_payable", "direct_payment")),
    "assessed_fen": (("reserve",), ("assessment",)),
    "deduction_fen": (("reserve", "fines"), ("audit_deduction", "violation", "fine")),
    "violation_fen": (("reserve",), ("violation",)),
    "fine_fen": (("fines",), ("fine",)),
    "shared_fen": (("hospital",), ("sharing",)),
    "clearing_fen": (("paid",), ("clearing",)),
}


def sort_of(account: str) -> pl.Expr:
    """Return the sort of an account: ``hospital`` of ``hospital:CODE:POOL``."""
    return pl.col(account).str.extract(r"^([^:]+):", 1)


def pool_of(account: str) -> pl.Expr:
    """Return the pool of an account, its last part."""
    return pl.col(account).str.extract(r":([^:]+)$", 1)


def prove(
    ledger: pl.DataFrame, hospitals: pl.DataFrame, known: Mapping[str, int] | None = None
) -> pl.DataFrame:
    """Return pool, entries, debit_fen, credit_fen: what was proved; a wrong ledger is a :class:`ConservationError`.

    ``hospitals``: the result table of the run. ``known``: account -> balance as the run itself noted it.
    The error names the entry or the account, the balance found and the one expected.
    """
    _whole(ledger)
    try:
        require_balance(ledger)
    except ConservationError as error:
        account = str(error.field)
        _fail(f"{account} ends at {_yuan(error.value)} yuan instead of 0.00", account, error.value)
    _as_settled(ledger, hospitals)
    ends = dict(balances(ledger).select("account", "balance_fen").iter_rows())
    for account, expected in (known or {}).items():
        if ends.get(account, 0) != expected:
            found = ends.get(account, 0)
            _fail(f"{account} ends at {_yuan(found)} yuan; the run noted {_yuan(expected)}", account, found)
    for account, found in ends.items():
        if known is not None and found and account not in known:
            _fail(f"{account} ends at {_yuan(found)} yuan; the run knows no such account", account, found)
    return _per_pool(ledger)


def _whole(ledger: pl.DataFrame) -> None:
    """Raise unless entries are numbered without gap and each moves an amount between two accounts of its pool."""
    if ledger["entry"].to_list() != list(range(1, ledger.height + 1)):
        _fail("the entries are not numbered from 1 without gap: one was taken out or put in", "entry", None)
    amount = pl.col("amount_fen")
    wrong = ledger.filter((amount <= 0) | amount.is_null() | pl.col("period").is_null())
    if wrong.height:
        entry, account, found = wrong.select("entry", "debit", "amount_fen").row(0)
        _fail(f"entry {entry} has no period or no amount above 0", account, found)
    for side in ("debit", "credit"):
        wrong = ledger.filter(pool_of(side).ne_missing(pl.col("pool")))
        if wrong.height:
            entry, account, pool = wrong.select("entry", side, "pool").row(0)
            _fail(
                f"entry {entry} of pool {pool} moves money of another pool: its pool does not balance",
                account,
                pool,
            )
    wrong = ledger.filter(pl.col("debit") == pl.col("credit"))
    if wrong.height:
        entry, account = wrong.select("entry", "debit").row(0)
        _fail(f"entry {entry} moves money from an account to itself", account, None)


def _as_settled(ledger: pl.DataFrame, hospitals: pl.DataFrame) -> None:
    """Raise unless each kind of movement of a hospital adds up to what the settlement says."""
    keys = ["fixmedins_code", "pool"]
    for column, (receivers, kinds) in HOSPITAL_COLUMNS.items():
        if column not in hospitals.columns:
            continue
        sign = pl.when(sort_of("debit").is_in(receivers)).then(1).otherwise(-1)
        moved = (
            ledger.filter(pl.col("kind").is_in(kinds) & pl.col("fixmedins_code").is_not_null())
            .group_by(keys)
            .agg((pl.col("amount_fen") * sign).sum().alias("moved"))
        )
        both = hospitals.select(*keys, pl.col(column).fill_null(0).alias("settled")).join(
            moved, on=keys, how="full", coalesce=True
        )
        wrong = both.filter(pl.col("settled").fill_null(0) != pl.col("moved").fill_null(0)).sort(keys)
        if wrong.height:
            code, pool, settled, found = wrong.select(*keys, "settled", "moved").row(0)
            what = f"hospital {code}, pool {pool}: {' + '.join(kinds)}"
            text = f"{what} add up to {_yuan(found)} yuan; hospitals.{column} says {_yuan(settled)}"
            _fail(text, f"hospital:{code}:{pool}", found)


def _per_pool(ledger: pl.DataFrame) -> pl.DataFrame:
    sides = pl.concat(
        [
            ledger.select("pool", pool_of("debit").alias("of"), pl.col("amount_fen").alias("debit_fen")),
            ledger.select("pool", pool_of("credit").alias("of"), pl.col("amount_fen").alias("credit_fen")),
        ],
        how="diagonal",
    )
    sums = sides.group_by("of", maintain_order=True).agg(pl.col("debit_fen", "credit_fen").sum())
    entries = ledger.group_by("pool", maintain_order=True).agg(pl.len().cast(pl.Int64).alias("entries"))
    table = entries.join(sums.rename({"of": "pool"}), on="pool", how="left", maintain_order="left")
    for pool, _, debit, credit in table.iter_rows():
        if debit != credit:
            _fail(f"debits of {_yuan(debit)} and credits of {_yuan(credit)} yuan differ", pool, debit)
    return table


def _yuan(fen: object) -> str:
    return format_fen(int(fen)) if isinstance(fen, int) else "0.00"


def _fail(message: str, field: str, value: object) -> None:
    raise ConservationError(
        f"the ledger does not balance: {message}", code=CODE, field=field, value=value, remedy=REMEDY
    )
