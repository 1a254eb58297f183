"""The ledger of a finished run: proved, then shown whole, or for a hospital, a pool, a month."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fenzhi.errors import ConservationError, InputError
from fenzhi.files import new_file, require_new_file
from fenzhi.pipeline.store import write_csv
from fenzhi.reports.hospital import unknown
from fenzhi.reports.ledger import (
    ACCOUNT_COLUMNS,
    BALANCE_COLUMNS,
    ENTRY_COLUMNS,
    account_balances,
    account_lines,
    balance_lines,
    entry_lines,
    holder_of,
)
from fenzhi.reports.sheets import Sheet, about_sheet, add_sheet, run_lines, workbook
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words
from fenzhi.settlement.audit import prove

#: Month of the annual clearing in the periods of the ledger; 0 is the start of the year.
CLOSE = 13


@dataclass(frozen=True)
class Ledger:
    """What is shown: ``entries``, ``balances``, ``account`` (of one hospital, else None) and the ``proof`` per pool.

    Titles stand in the place of ids; amounts are fen. The proof is of the whole ledger, whatever is shown of it.
    """

    entries: pl.DataFrame
    balances: pl.DataFrame
    account: pl.DataFrame | None
    proof: pl.DataFrame
    tables: RunTables
    words: Words


def read_ledger(
    run: Path,
    *,
    hospital: str | None = None,
    pool: str | None = None,
    month: int | None = None,
    lang: str = "zh",
) -> Ledger:
    """Prove the ledger of a run and return the part that is asked for.

    ``month``: 0 (start of the year) to 13 (annual clearing). Errors: ``ConservationError`` (RUN_LEDGER) that names the
    account if it does not balance; ``InputError`` for a hospital or pool that the run does not have.
    """
    tables = RunTables.read(run)
    words = Words(lang, tables.style)
    known = {line["account"]: line["balance_fen"] for line in tables.manifest.get("balances", [])}
    try:
        proof = prove(tables.ledger, tables.hospitals, known or None)
    except ConservationError as error:
        raise ConservationError(
            error.message,
            code=error.code,
            file=tables.run_dir / "ledger.parquet",
            field=error.field,
            value=error.value,
            remedy=error.remedy,
        ) from error
    if hospital is not None and hospital not in tables.hospitals["fixmedins_code"]:
        raise unknown(tables, hospital)
    if pool is not None and pool not in tables.pool_ids():
        raise InputError(
            "the run has no such pool",
            code="RUN_POOL_UNKNOWN",
            file=tables.run_dir / "pools.parquet",
            field="pool",
            value=pool,
            remedy=f"give one of {', '.join(tables.pool_ids())}",
        )
    mine = tables.ledger
    if hospital is not None:
        mine = mine.filter(pl.col("fixmedins_code") == hospital)
    if pool is not None:
        mine = mine.filter(pl.col("pool") == pool)
    chosen, before = pl.lit(True), pl.lit(False)
    if month is not None:
        period = f"{tables.manifest['region']['year']}-{month:02d}"
        # The year's budget has the year alone for a period and so comes before month 00.
        chosen, before = pl.col("period") == period, pl.col("period") < period
    balances = account_balances(mine, chosen, before)
    if hospital is not None:
        # The accounts of the pool are touched by others too: their balance is not the hospital's.
        balances = balances.filter(holder_of("account") == hospital)
    return Ledger(
        entry_lines(mine.filter(chosen), tables, words),
        balance_lines(balances, tables, words),
        None if hospital is None else account_lines(mine, chosen, tables, words),
        proof.with_columns(pl.col("pool").replace(tables.pool_titles())),
        tables,
        words,
    )


def write_ledger(found: Ledger, path: Path) -> list[Path]:
    """Write a ledger as a workbook, or as CSV files: entries, and beside them the balances (and the account).

    Returns the files. Errors: ``OutputError``.
    """
    require_new_file(path, (".csv", ".xlsx"))
    parts = [
        ("", found.words("ledger_entries"), found.entries, ENTRY_COLUMNS),
        ("-balances", found.words("ledger_balances"), found.balances, BALANCE_COLUMNS),
    ]
    if found.account is not None:
        parts.append(("-account", found.words.sheet("account"), found.account, ACCOUNT_COLUMNS))
    if path.suffix.lower() == ".xlsx":
        _write_book(found, path, [(title, frame, columns) for _, title, frame, columns in parts])
        return [path]
    files = [path.with_name(f"{path.stem}{suffix}{path.suffix}") for suffix, *_ in parts]
    for file in files:
        require_new_file(file)
    for file, (_, _, frame, columns) in zip(files, parts, strict=True):
        with new_file(file) as aside:
            yuan = [
                (pl.col(name).cast(pl.Decimal(38, 2)) / 100).alias(name)
                for name, _, unit in columns
                if unit == "fen"
            ]
            titles = {name: found.words(key) for name, key, _ in columns}
            write_csv(frame.with_columns(yuan).rename(titles), aside)
    return files


def _write_book(
    found: Ledger, path: Path, parts: list[tuple[str, pl.DataFrame, tuple[tuple[str, str, str], ...]]]
) -> None:
    words, tables = found.words, found.tables
    title = words("ledger_entries")
    lines = [
        *run_lines(tables, words),
        (words("about"), words("ledger_note")),
        *(("", line) for line in proof_lines(found)),
    ]
    with new_file(path) as aside, workbook(aside, title, str(tables.manifest["created"])) as (book, formats):
        about_sheet(book, formats, words("about"), title, lines)
        for name, frame, columns in parts:
            shown = [(column, words(key), unit) for column, key, unit in columns]
            add_sheet(book, formats, Sheet(name, frame, shown, "ledger"), words, path)


def proof_lines(found: Ledger) -> list[str]:
    """Return the proof in sentences: one per pool, the total, and what it means."""
    from fenzhi.money import format_fen

    words = found.words
    total = found.proof.select(pl.lit(words("total")).alias("pool"), pl.exclude("pool").sum())
    lines = [
        words(
            "ledger_proof",
            pool=pool,
            entries=f"{entries:,}",
            debit=format_fen(debit),
            credit=format_fen(credit),
        )
        for pool, entries, debit, credit in [*found.proof.iter_rows(), *total.iter_rows()]
    ]
    return [*lines, words("ledger_proved")]
