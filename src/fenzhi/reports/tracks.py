"""Other tracks on the pages: what a hospital gets by them, and each budget line that funds them."""

from __future__ import annotations

import polars as pl

from fenzhi.reports.display import Head, Table, count, empty, text, yuan
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

_MONEY = ("standard_fen", "fund_fen", "adjustment_fen", "payable_fen")


def hospital_tracks(tables: RunTables, code: str, words: Words) -> Table | None:
    """One line per pool and track of a hospital, and their sum; None if it has no other track."""
    if tables.tracks is None:
        return None
    mine = tables.tracks.filter(pl.col("fixmedins_code") == code)
    if mine.is_empty():
        return None
    heads = [Head(words.title("tracks", "title"), False), Head(words.title("tracks", "kind"), False)]
    heads += [Head(words.title("tracks", name)) for name in ("cases", "units", *_MONEY)]
    note = words("tracks_note") + " " + words("unit_yuan")
    table = Table("tracks", words("tracks"), heads, note)
    titles = tables.pool_titles()
    for row in mine.iter_rows(named=True):
        first = text(row["title"], note=titles.get(row["pool"], row["pool"]))
        cells = [count(row["cases"]), count(row["units"])]
        cells += [yuan(row[name], plus=name == "adjustment_fen") for name in _MONEY]
        table.add(first, text(words.name("track", row["kind"])), *cells)
    sums = mine.select(pl.col(_MONEY[1:]).sum()).row(0, named=True)
    money = [yuan(sums[name], plus=name == "adjustment_fen") for name in _MONEY[1:]]
    table.add(text(words("total")), empty(), empty(), empty(), empty(), *money, part="total")
    return table


def track_lines(tables: RunTables, words: Words) -> Table | None:
    """One line per pool and budget line of tracks: its money, what was paid, what is left; None without tracks."""
    if tables.tracks is None or tables.track_lines is None:
        return None
    money = ("line_fen", "paid_fen", "outside_care_fen", "left_fen")
    heads = [
        Head(words.title("track_lines", "pool"), False),
        Head(words.title("track_lines", "tracks"), False),
    ]
    heads += [Head(words.title("track_lines", name)) for name in money]
    table = Table("tracks", words("tracks"), heads, words("track_lines_note") + " " + words("unit_yuan"))
    titles = tables.pool_titles()
    names = dict(tables.tracks.select("track", "title").unique("track").iter_rows())
    for row in tables.track_lines.iter_rows(named=True):
        if not any(row[name] for name in money):
            continue
        own = [names.get(one, one) for one in row["tracks"].split(", ")]
        cells = [yuan(row[name], plus=name == "left_fen") for name in money]
        table.add(text(titles.get(row["pool"], row["pool"])), text(", ".join(own), note=row["line"]), *cells)
    return table
