"""The page that a hospital signs: its sums of the year in figures and in capital numerals, and of which run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from fenzhi.reports.capitals import capitals
from fenzhi.reports.display import Head, Row, Table, count, e4, owed, text, yuan
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

#: Columns of ``hospitals`` that the page shows, each with how.
COLUMNS = (
    ("cases", count),
    ("points_e4", e4),
    ("booked_fen", yuan),
    ("payable_fen", yuan),
    ("shared_fen", yuan),
    ("working_capital_fen", yuan),
    ("advance_fen", yuan),
    ("quarter_fen", yuan),
    ("deposit_fen", yuan),
)
#: Of these, the ones that are shown only where there is any such amount.
SELDOM = ("shared_fen", "quarter_fen", "deposit_fen")


@dataclass(frozen=True)
class Stated:
    """An amount as the page states it: what it is, in figures, in capitals."""

    name: str
    figures: str
    capitals: str


def context(tables: RunTables, hospital: Hospital, words: Words) -> dict[str, Any]:
    """Return what the template ``confirm.html`` shows."""
    clearing = hospital.total("clearing_fen")
    way = "clearing_pays" if clearing > 0 else "clearing_returns" if clearing < 0 else "clearing_none"
    return {
        "hospital": hospital,
        "hash": tables.manifest_hash,
        "sums": _sums(tables, hospital, words),
        "stated": [
            _stated(words.title("hospitals", hospital.owed), hospital.total(hospital.owed)),
            _stated(words(way), abs(clearing)),
            *(_stated(words.title("hospitals", name), hospital.total(name)) for name in _after(hospital)),
        ],
    }


def _after(hospital: Hospital) -> list[str]:
    """Return what is paid besides the clearing: the released deposit, where one was withheld."""
    known = "released_fen" in hospital.rows.columns and (hospital.rows["deposit_fen"].fill_null(0) != 0).any()
    return ["released_fen"] if known else []


def _stated(name: str, fen: int) -> Stated:
    sign = "负" if fen < 0 else ""
    return Stated(name, yuan(fen).text, sign + capitals(abs(fen)))


def _sums(tables: RunTables, hospital: Hospital, words: Words) -> Table:
    """Pools from top to bottom, their sums, and what remains to be paid or returned."""
    titles = tables.pool_titles()
    columns = [
        (name, show)
        for name, show in COLUMNS
        if name not in SELDOM
        or (name in hospital.rows.columns and (hospital.rows[name].fill_null(0) != 0).any())
    ]
    heads = [Head(words.title("hospitals", "pool"), False)]
    heads += [Head(words.title("hospitals", name)) for name, _ in columns] + [Head(words("clearing"))]
    table = Table("sums", words("confirm_amounts"), heads, words("unit_both"))

    def add(title: str, row: dict[str, Any], part: str = "") -> None:
        clearing = row["clearing_fen"] or 0
        way = words("pays" if clearing > 0 else "returns") if clearing else None
        cells = [show(row[name]) for name, show in columns]
        table.rows.append(Row([text(title), *cells, owed(clearing, way)], part))

    for row in hospital.rows.iter_rows(named=True):
        add(titles.get(row["pool"], row["pool"]), row)
    names = [name for name, _ in columns] + ["clearing_fen"]
    add(words("total"), hospital.rows.select(pl.col(names).sum()).row(0, named=True), "total")
    return table
