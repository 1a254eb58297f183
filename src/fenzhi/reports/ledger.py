"""The ledger as an accountant reads it: entries with titles, balances of accounts, an account line by line."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from fenzhi.reports.facts import HOSPITAL
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

#: Columns of the three tables as (name, key of the title, unit).
ENTRY_COLUMNS = (
    ("entry", "ledger_entry", ""),
    ("period", "ledger_period", "text"),
    ("pool", "ledger_pool", "text"),
    ("debit", "ledger_debit", "text"),
    ("credit", "ledger_credit", "text"),
    ("amount_fen", "amount", "fen"),
    ("kind", "ledger_kind", "text"),
    ("cite", "cite", "text"),
)
BALANCE_COLUMNS = (
    ("pool", "ledger_pool", "text"),
    ("account", "ledger_account", "text"),
    ("id", "ledger_id", "text"),
    ("opening_fen", "ledger_opening", "fen"),
    ("debit_fen", "ledger_debits", "fen"),
    ("credit_fen", "ledger_credits", "fen"),
    ("closing_fen", "ledger_closing", "fen"),
)
ACCOUNT_COLUMNS = (
    ("account", "ledger_account", "text"),
    ("pool", "ledger_pool", "text"),
    ("entry", "ledger_entry", ""),
    ("period", "ledger_period", "text"),
    ("kind", "ledger_kind", "text"),
    ("counter", "ledger_counter", "text"),
    ("debit_fen", "ledger_debits", "fen"),
    ("credit_fen", "ledger_credits", "fen"),
    ("side", "ledger_side", "text"),
    ("balance_fen", "ledger_balance", "fen"),
    ("cite", "cite", "text"),
)


def account_balances(ledger: pl.DataFrame, chosen: pl.Expr, before: pl.Expr) -> pl.DataFrame:
    """Return pool, account, opening_fen, debit_fen, credit_fen, closing_fen of every account, sorted by account.

    ``before``: entries earlier than those shown (they make the opening balance); ``chosen``: the entries shown.
    A balance is debits minus credits.
    """
    parts = []
    for side, sign in (("debit", 1), ("credit", -1)):
        amount = pl.col("amount_fen")
        parts.append(
            ledger.filter(before | chosen).select(
                "pool",
                pl.col(side).alias("account"),
                pl.when(before).then(amount * sign).otherwise(0).alias("opening_fen"),
                pl.when(chosen & (sign > 0)).then(amount).otherwise(0).alias("debit_fen"),
                pl.when(chosen & (sign < 0)).then(amount).otherwise(0).alias("credit_fen"),
            )
        )
    sums = pl.concat(parts).group_by("pool", "account").agg(pl.exclude("pool", "account").sum())
    closing = pl.col("opening_fen") + pl.col("debit_fen") - pl.col("credit_fen")
    return sums.with_columns(closing.alias("closing_fen")).sort("pool", "account")


def holder_of(account: str) -> pl.Expr:
    """Return whose an account is: ``CODE`` of ``hospital:CODE:POOL``; null for an account of a pool."""
    return pl.col(account).str.extract(r"^[^:]+:(.+):[^:]+$", 1)


def running(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts of hospitals line by line, in the order of the entries, each with its running balance.

    Columns: account, pool, entry, period, kind, counter (the other account), debit_fen, credit_fen, balance_fen
    (debits minus credits so far), cite.
    """
    parts = []
    for side, other in (("debit", "credit"), ("credit", "debit")):
        is_debit = side == "debit"
        amount, none = pl.col("amount_fen"), pl.lit(0, pl.Int64)
        parts.append(
            ledger.filter(holder_of(side) == pl.col("fixmedins_code")).select(
                pl.col(side).alias("account"),
                "pool",
                "entry",
                "period",
                "kind",
                pl.col(other).alias("counter"),
                (amount if is_debit else none).alias("debit_fen"),
                (none if is_debit else amount).alias("credit_fen"),
                "cite",
            )
        )
    lines = pl.concat(parts).sort("pool", "account", "entry")
    balance = (pl.col("debit_fen") - pl.col("credit_fen")).cum_sum().over("account")
    return lines.with_columns(balance.alias("balance_fen")).select(
        pl.exclude("cite", "balance_fen"), "balance_fen", "cite"
    )


def _titles(frame: pl.DataFrame, columns: tuple[str, ...], tables: RunTables, words: Words) -> dict[str, str]:
    """Return account -> title for every account of some columns; hospitals by code and name."""
    names = dict(tables.hospitals.select(HOSPITAL, "fixmedins_name").iter_rows())
    accounts = pl.concat([frame[column] for column in columns]).unique()
    out = {}
    for account in accounts:
        sort, *rest = account.split(":")
        title = words.name("account", sort)
        if len(rest) > 1:
            code = ":".join(rest[:-1])
            title = " ".join(part for part in (title, code, names.get(code)) if part)
        out[account] = title
    return out


def _shown(frame: pl.DataFrame, accounts: tuple[str, ...], tables: RunTables, words: Words) -> pl.DataFrame:
    """Put titles in the place of accounts, pools, kinds and periods."""
    titles = _titles(frame, accounts, tables, words)
    out = frame.with_columns(*(_said(name, titles) for name in accounts), _said("pool", tables.pool_titles()))
    if "kind" in frame.columns:
        back = pl.col("kind") == "clearing"
        if "debit" in frame.columns:
            kind = pl.when(back & frame["debit"].str.starts_with("hospital:")).then(pl.lit("clearing_back"))
        else:
            kind = pl.when(back & _is_return(frame)).then(pl.lit("clearing_back"))
        out = out.with_columns(kind.otherwise("kind").alias("kind"))
        names = {one: words.name("movement", one) for one in out["kind"].unique()}
        out = out.with_columns(_said("kind", names))
    if "period" in frame.columns:
        periods = {one: period_title(one, words) for one in frame["period"].unique()}
        out = out.with_columns(_said("period", periods))
    return out


def _is_return(lines: pl.DataFrame) -> pl.Series:
    """Return which lines of accounts belong to money that the hospital gives back."""
    owed = lines["account"].str.starts_with("hospital:")
    return (owed & (lines["debit_fen"] > 0)) | (~owed & (lines["credit_fen"] > 0))


def _said(column: str, names: Mapping[str, str]) -> pl.Expr:
    return pl.col(column).replace(names)


def period_title(period: str, words: Words) -> str:
    """Return a period in words: the year's budget, its start (month 00), its months, its clearing (month 13)."""
    year, _, month = period.partition("-")
    name = {"": "budget", "00": "start", "13": "close"}.get(month)
    return period if name is None else f"{year} {words.name('period', name)}"


def entry_lines(ledger: pl.DataFrame, tables: RunTables, words: Words) -> pl.DataFrame:
    """Return the entries with titles, in the columns of :data:`ENTRY_COLUMNS`."""
    return _shown(ledger, ("debit", "credit"), tables, words).select(name for name, *_ in ENTRY_COLUMNS)


def balance_lines(balances: pl.DataFrame, tables: RunTables, words: Words) -> pl.DataFrame:
    """Return the accounts' balances with titles, those of pools first, in the columns of :data:`BALANCE_COLUMNS`."""
    ordered = balances.with_columns(pl.col("account").alias("id")).sort(
        "pool", pl.col("account").str.count_matches(":"), "account"
    )
    return _shown(ordered, ("account",), tables, words).select(name for name, *_ in BALANCE_COLUMNS)


def account_lines(ledger: pl.DataFrame, chosen: pl.Expr, tables: RunTables, words: Words) -> pl.DataFrame:
    """Return the accounts of a hospital with running balances, in the columns of :data:`ACCOUNT_COLUMNS`.

    ``ledger``: the entries of the hospital; ``chosen``: those to show (earlier ones count in the balance). The side of
    a balance is said in words, its amount has no sign.
    """
    lines = running(ledger).filter(chosen)
    side = {key: words.name("side", key) for key in ("debit", "credit", "even")}
    balance = pl.col("balance_fen")
    sides = pl.when(balance > 0).then(pl.lit(side["debit"])).when(balance < 0).then(pl.lit(side["credit"]))
    return (
        _shown(lines, ("account", "counter"), tables, words)
        .with_columns(sides.otherwise(pl.lit(side["even"])).alias("side"), balance.abs())
        .select(name for name, *_ in ACCOUNT_COLUMNS)
    )
