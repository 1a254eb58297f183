"""A hospital's account line by line: its own accounts only, each with its running balance."""

from __future__ import annotations

import polars as pl

from fenzhi.reports.ledger import running


def test_accounts_of_a_hospital_and_their_running_balance() -> None:
    """5.00 in advance, 7.00 owed by a line of another track, 2.00 cleared: owed -5, +2, 0; paid 5, 7."""
    rows = [
        (1, "paid:A:E", "hospital:A:E", 500, "advance"),
        (2, "hospital:A:E", "track:T1:E", 700, "track"),
        (3, "paid:A:E", "hospital:A:E", 200, "clearing"),
    ]
    ledger = pl.DataFrame(rows, schema=["entry", "debit", "credit", "amount_fen", "kind"], orient="row")
    ledger = ledger.with_columns(
        pl.lit("2027-13").alias("period"), pl.lit("E").alias("pool"), pl.lit("A").alias("fixmedins_code")
    ).with_columns(pl.lit(None, pl.String).alias("cite"))
    found = running(ledger).select("account", "entry", "balance_fen").rows()
    assert found == [
        ("hospital:A:E", 1, -500),
        ("hospital:A:E", 2, 200),
        ("hospital:A:E", 3, 0),
        ("paid:A:E", 1, 500),
        ("paid:A:E", 3, 700),
    ]
