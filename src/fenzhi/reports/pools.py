"""The pools of the region's page: from the budget to what is payable, what becomes of the reserve, values by period."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import polars as pl

from fenzhi.reports.display import Cell, Head, Table, count, e4, empty, text, yuan
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

Show = Callable[[int | None], Cell]


def limit_words(limit: str | None, words: Words) -> str:
    """Return what limits a value in words; of several periods those that occur, empty without any."""
    return words("and").join(words.name("limit", one) for one in (limit or "").split("|") if one)


def limits_of(tables: RunTables, pools: Sequence[str], words: Words) -> str:
    """Return what limits the values of some pools, each with its title; empty where nothing does."""
    titles = tables.pool_titles()
    found = {}
    if "value_limit" in tables.pools.columns:
        found = dict(tables.pools.select("pool", "value_limit").iter_rows())
    said = [(titles.get(pool, pool), limit_words(found.get(pool), words)) for pool in pools]
    return "".join(words("pool_limit", pool=pool, limit=limit) for pool, limit in said if limit)


class _Lines:
    """Collects the lines of the table: a value per pool, and their sum where it makes sense."""

    def __init__(self, tables: RunTables, table: Table, words: Words) -> None:
        self.pools, self.table, self.words = tables.pools, table, words
        self.several = self.pools.height > 1

    def has(self, *columns: str) -> bool:
        """Return whether any of the amounts is not zero."""
        known = [name for name in columns if name in self.pools.columns]
        return any((self.pools[name].fill_null(0) != 0).any() for name in known)

    def part(self, key: str) -> None:
        """Start a part of the table."""
        self.table.add(text(self.words(key)), part="part")

    def values(
        self,
        title: str,
        values: Iterable[int | None],
        how: str = "",
        show: Show = yuan,
        *,
        summed: bool = True,
        total: bool = False,
    ) -> None:
        """Add a line of values in the order of the pools; ``how``: key of its explanation."""
        known = list(values)
        cells = [show(value) for value in known]
        if self.several:
            cells.append(show(sum(value or 0 for value in known)) if summed else empty())
        note = self.words(how) if how else None
        self.table.add(text(title, note=note), *cells, part="total" if total else "")

    def line(
        self, name: str, how: str = "", show: Show = yuan, *, summed: bool = True, total: bool = False
    ) -> None:
        """Add the line of a column of ``pools``."""
        title, values = self.words.title("pools", name), self.pools[name].to_list()
        self.values(title, values, how, show, summed=summed, total=total)


def _plus(fen: int | None) -> Cell:
    return yuan(fen, plus=True)


def pools_table(tables: RunTables, words: Words) -> Table:
    """One line per figure, one column per pool: from the budget to the payable amount, then the reserve."""
    pools = tables.pools
    heads = [Head(words("item"), False), *(Head(title) for title in tables.pool_titles().values())]
    table = Table("pools", words("pools"), heads, words("pools_note") + " " + words("unit_both"))
    lines = _Lines(tables, table, words)
    if lines.several:
        heads.append(Head(words("total")))
    lines.line("income_fen", "how_income")
    lines.line("carved_out_fen", "how_carved")
    lines.line("reserve_fen", "how_reserve")
    if lines.has("outside_care_fen"):
        lines.line("outside_care_fen")
    lines.line("fund_fen", "how_fund_care" if lines.has("outside_care_fen") else "how_fund", total=True)
    lines.line("cases", show=count)
    lines.line("points_e4", show=e4)
    if tables.manifest["policy"].get("rate") == "elastic":
        lines.line("fixed_points_e4", "how_fixed", e4)
    lines.line("cost_fen")
    lines.line("booked_fen", "how_booked")
    lines.line("payment_ratio_e4", "how_ratio", e4, summed=False)
    lines.line("opening_value_e4", "how_opening", e4, summed=False)
    if lines.has("direct_fen"):
        lines.line("direct_fen", "how_direct")
    lines.line("settlement_value_e4", "how_settlement", e4, summed=False, total=True)
    if "value_limit" in pools.columns and pools["value_limit"].drop_nulls().len():
        cells = [text(limit_words(limit, words) or words("limit_none")) for limit in pools["value_limit"]]
        cells += [empty()] if lines.several else []
        table.add(text(words.title("pools", "value_limit")), *cells)
    lines.line("gross_fen")
    kept = {}
    for name in ("assessed_fen", "deduction_fen"):
        sums = dict(tables.hospitals.group_by("pool").agg(pl.col(name).sum()).iter_rows())
        kept[name] = [int(sums.get(pool) or 0) for pool in pools["pool"]]
        lines.values(words.title("hospitals", name), kept[name])
    lines.line("payable_fen", "how_payable", total=True)
    balance = [(p or 0) - (b or 0) for p, b in pools.select("payable_fen", "booked_fen").iter_rows()]
    lines.values(words.title("hospitals", "balance_fen"), balance, "how_balance", _plus)
    if lines.has("shared_fen", "short_fen"):
        lines.line("shared_fen", "how_shared", _plus)
        if lines.has("short_fen"):
            lines.line("short_fen", "how_short_pool")
        lines.line("final_fen", "how_final", total=True)
    if "reserve_left_fen" in pools.columns:
        _reserve(lines)
    return table


def _reserve(lines: _Lines) -> None:
    """Add what becomes of the reserve."""
    lines.part("part_reserve")
    lines.line("reserve_fen", "how_reserve")
    if lines.has("residual_fen"):
        lines.values(lines.words("value_rest"), lines.pools["residual_fen"], "how_residual", _plus)
    if lines.has("tracks_left_fen"):
        lines.line("tracks_left_fen", show=_plus)
    lines.line("returned_fen", "how_returned", _plus)
    if lines.has("shared_fen"):
        title, values = lines.words.title("pools", "shared_fen"), lines.pools["shared_fen"]
        lines.values(title, [-(value or 0) for value in values], "how_shared_reserve", _plus)
    how = "how_reserve_left" if not lines.has("short_fen") else "how_reserve_exhausted"
    lines.line("reserve_left_fen", how, total=True)


def values_table(tables: RunTables, words: Words) -> Table | None:
    """The point value of each pool and period; None where a pool has one value for the year."""
    if tables.values is None or tables.values["period"].n_unique() < 2:
        return None
    heads = [Head(words("period"), False)]
    shown: dict[str, Show] = {"cases": count, "points_e4": e4, "booked_fen": yuan, "fund_fen": yuan}
    shown |= {"opening_value_e4": e4, "settlement_value_e4": e4}
    heads += [Head(words.title("values", name)) for name in shown]
    heads.append(Head(words.title("values", "value_limit"), False))
    table = Table("values", words("values"), heads, words("unit_both"))
    monthly = tables.values["period"].max() == 11
    for pool, title in tables.pool_titles().items():
        table.add(text(title), part="part")
        for row in tables.values.filter(pool=pool).sort("period").iter_rows(named=True):
            name = words("month" if monthly else "quarter", month=row["period"] + 1)
            cells = [show(row[column]) for column, show in shown.items()]
            table.add(text(name), *cells, text(limit_words(row["value_limit"], words) or words("limit_none")))
    return table
