"""The split of a difference as tables of a page: what made it, by pool; and the parts of a statement that look back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.attribution import CAUSES, cause
from fenzhi.money import SCALE, format_e4, round_half_up
from fenzhi.reports.compare_texts import CompareWords
from fenzhi.reports.display import Cell, Head, Table, owed, text, yuan
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

#: Causes that are shown even if they made nothing.
ALWAYS = ("volume", "case_mix", "coefficient", "deviation", "price", "assessment")
#: Cause -> what it measures: numerator, denominator and the factor that makes 1/10,000 of it.
_RATES = {
    "case_mix": ("weight_{}_e4", "stays_{}", 1),
    "coefficient": ("base_{}_e4", "weight_{}_e4", SCALE),
    "deviation": ("points_{}_e4", "base_{}_e4", SCALE),
    # fen / (points / 10^4) / 100 yuan, at 1/10,000.
    "price": ("priced_{}_fen", "points_{}_e4", 1_000_000),
}
_ARROW = " → "


def shown_causes(frame: pl.DataFrame, known: Sequence[str] = CAUSES) -> list[str]:
    """Return the causes worth a line or a column: those that are always shown, and those that made something."""
    sums = {name: bool((frame[cause(name)] != 0).any()) for name in known}
    return [name for name in known if name in ALWAYS or sums[name]]


def _measure(name: str, row: Mapping[str, Any]) -> str | None:
    """Return what a cause measures before and after, ``2,250 → 2,431``; None if it measures nothing."""
    if name == "volume":
        return f"{row['stays_before']:,}{_ARROW}{row['stays_after']:,}"
    if name not in _RATES:
        return None
    above, below, factor = _RATES[name]
    shown = []
    for when in ("before", "after"):
        divisor = row[below.format(when)]
        rate = round_half_up(Fraction(row[above.format(when)] * factor, divisor)) if divisor else None
        shown.append("—" if rate is None else format_e4(rate))
    return _ARROW.join(shown)


class _Columns:
    """One column per pool, and a total with more than one."""

    def __init__(self, rows: pl.DataFrame, titles: Mapping[str, str], words: CompareWords) -> None:
        self.rows = list(rows.iter_rows(named=True))
        self.heads = [Head(titles.get(row["pool"], row["pool"])) for row in self.rows]
        self.heads += [Head(words("total"))] if len(self.rows) > 1 else []

    def cells(self, column: str, *, plus: bool = False, measure: str = "") -> list[Cell]:
        """Return the amounts of a column, what was measured in small figures below."""
        cells = [
            yuan(row[column], plus=plus)._replace(note=_measure(measure, row) if measure else None)
            for row in self.rows
        ]
        if len(self.rows) > 1:
            cells.append(yuan(sum(row[column] for row in self.rows), plus=plus))
        return cells


def causes_table(
    name: str,
    rows: pl.DataFrame,
    titles: Mapping[str, str],
    words: CompareWords,
    said: tuple[str, str, str],
    known: Sequence[str] = CAUSES,
) -> Table:
    """Return the table of causes, of those ``known``, one column per pool.

    ``rows``: accounts of one hospital or sums over hospitals, one row per pool. ``said``: note, and the words for
    the amount before and after.
    """
    columns = _Columns(rows, titles, words)
    note, before, after = said
    heads = [Head(words("item"), False), *columns.heads]
    table = Table(name, words(name), heads, f"{note}{words('causes_note')} {words('unit_yuan')}")
    table.add(text(before), *columns.cells("before_fen"))
    for one in shown_causes(rows, known):
        label = text(words(f"cause.{one}"), note=words(f"how.{one}"))
        table.add(label, *columns.cells(cause(one), plus=True, measure=one))
    table.add(text(after), *columns.cells("after_fen"), part="sub")
    table.add(text(words("difference")), *columns.cells("difference_fen", plus=True), part="total")
    return table


def _clearing(table: Table, rows: pl.DataFrame, columns: _Columns, words: CompareWords) -> None:
    """Add what of the difference is still to be paid: clearing before, clearing now, and which way it goes."""
    for when in ("before", "after"):
        table.add(text(words(f"clearing_{when}")), *columns.cells(f"clearing_{when}_fen"))
    fens = rows["clearing_difference_fen"].to_list()
    whole = sum(fens)
    way = "clearing_pays" if whole > 0 else "clearing_returns" if whole < 0 else "clearing_none"
    mixed = min(fens) < 0 < max(fens)

    def cell(fen: int) -> Cell:
        if mixed and fen:
            return owed(fen, words("pays" if fen > 0 else "returns"))
        return owed(fen)

    cells = [cell(fen) for fen in fens] + ([cell(whole)] if len(fens) > 1 else [])
    table.add(text(words(way)), *cells, part="total")


def looking_back(tables: RunTables, code: str, pools: Sequence[str], words: Words) -> list[Table]:
    """Return the parts of a hospital's statement that look back: at the restated run, at the year before.

    ``pools``: their order. Without such tables in the run there are no parts.
    """
    said, titles = CompareWords(words.lang, words.style), tables.pool_titles()
    order = pl.col("pool").replace_strict(list(pools), range(len(pools)), default=len(pools))
    shown = []
    for name, frame in (("restatement", tables.restatement), ("changes", tables.changes)):
        if frame is None:
            continue
        rows = frame.filter(pl.col("fixmedins_code") == code).sort(order, "pool")
        if not rows.height:
            continue
        if name == "changes":
            last = tables.manifest["last_year"]
            note = said("changes_note", year=last["year"], run=last["run_id"])
            shown.append(
                causes_table(name, rows, titles, said, (note, said("last_amount"), said("this_amount")))
            )
            continue
        counts = {key: f"{int(rows[f'stays_{key}'].sum()):,}" for key in ("added", "removed", "changed")}
        note = said("restatement_note", run=tables.manifest["restates"]["run_id"], **counts)
        table = causes_table(name, rows, titles, said, (note, said("amount_before"), said("amount_after")))
        _clearing(table, rows, _Columns(rows, titles, said), said)
        shown.append(table)
    return shown
