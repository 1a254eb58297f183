"""``fenzhi ledger``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fenzhi.cli.shared import FOLDER, PATH, lang_option, say, show_table

if TYPE_CHECKING:  # so that --help does not load the engine
    import polars as pl

    from fenzhi.reports.words import Words

SHOWN = 40


def _table(
    title: str, frame: pl.DataFrame, columns: Sequence[tuple[str, str, str]], words: Words, limit: int | None
) -> None:
    """Print a table of the ledger; amounts as yuan; no more than ``limit`` lines."""
    from fenzhi.money import format_fen

    def shown(value: Any, unit: str) -> str:
        return "" if value is None else format_fen(value) if unit == "fen" else str(value)

    units = [unit for *_, unit in columns]
    head = frame if limit is None else frame.head(limit)
    rows = [[shown(value, unit) for value, unit in zip(row, units, strict=True)] for row in head.iter_rows()]
    show_table(title, [words(key) for _, key, _ in columns], rows)
    if frame.height > head.height:
        say(words("ledger_more", n=f"{frame.height - head.height:,}"))


@click.command(
    "ledger",
    epilog="例 / example:  fenzhi ledger my-region/runs/20270105T080000Z --hospital H99010001 -o ledger.xlsx",
)
@click.argument("run", type=FOLDER)
@click.option(
    "--hospital", metavar="CODE", help="一家机构的往来账 / the account of one hospital, line by line"
)
@click.option("--pool", metavar="ID", help="一个基金池 / one pool")
@click.option(
    "--month",
    type=click.IntRange(0, 13),
    help="一个月;0 为年初,13 为年度清算 / one month; 0 the start of the year, 13 the annual clearing",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=PATH,
    help="写成 .xlsx 或 .csv / write an .xlsx workbook, or .csv (balances beside it)",
)
@lang_option
def command(
    run: Path, hospital: str | None, pool: str | None, month: int | None, target: Path | None, lang: str
) -> None:
    """账务:复式分录、各科目期初与期末余额、一家机构的往来账;先核对平衡,不平即指出科目。

    The ledger of a run: double entries, opening and closing balances, one hospital's account. It is proved first: per
    pool, in total, and against the other tables; what does not balance is an error that names the account.
    """
    from fenzhi.pipeline.ledger import proof_lines, read_ledger, write_ledger
    from fenzhi.reports.ledger import ACCOUNT_COLUMNS, BALANCE_COLUMNS, ENTRY_COLUMNS

    found = read_ledger(run, hospital=hospital, pool=pool, month=month, lang=lang)
    words = found.words
    if target is not None:
        for file in write_ledger(found, target):
            say(str(file))
    else:
        limit = SHOWN if hospital is None else None
        if found.account is None:
            _table(words("ledger_entries"), found.entries, ENTRY_COLUMNS, words, limit)
        else:
            kept = [column for column in ACCOUNT_COLUMNS if column[0] not in ("account", "pool", "cite")]
            for (account, of_pool), lines in found.account.partition_by(
                "account", "pool", as_dict=True, maintain_order=True
            ).items():
                _table(f"{account} · {of_pool}", lines.select(name for name, *_ in kept), kept, words, limit)
        _table(words("ledger_balances"), found.balances, BALANCE_COLUMNS, words, limit)
        say(words("ledger_note"))
    for line in proof_lines(found):
        say(line)
