"""The way from points to clearing, line by line, as a hospital can recompute it with a pocket calculator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from fenzhi.money import FEN_PER_YUAN, SCALE, round_half_up
from fenzhi.reports.display import MINUS, Cell, Head, Table, count, e4, empty, owed, text, yuan
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

#: Kind of points -> the section of the policy that rules it.
KINDS = {
    "core": "weights",
    "comprehensive": "weights",
    "grassroots": "coefficients",
    "ungrouped": "ungrouped",
}
Values = Sequence[int | None]


@dataclass
class _Lines:
    """Collects the numbered lines of one table: values per pool, a total where a sum makes sense."""

    table: Table
    width: int
    words: Words
    number: int = 0

    def part(self, title: str) -> None:
        self.table.add(text(title), part="part")

    def line(
        self,
        item: str,
        how: str,
        values: Values,
        show: Callable[[int | None], Cell],
        *,
        by: str = "",
        summed: bool = True,
        total: bool = False,
    ) -> None:
        """Add a line; ``by`` is the section of the policy that rules it."""
        self.number += 1
        if by:
            how = self.words("by_policy", how=how, section=self.words.name("section", by))
        cells = [show(value) for value in values]
        if self.width > 1:
            cells.append(show(sum(v or 0 for v in values)) if summed else empty())
        self.table.add(count(self.number), text(item, note=how), *cells, part="total" if total else "")


def _balance(fen: int | None) -> Cell:
    return yuan(fen, plus=True)


def steps(tables: RunTables, hospital: pl.DataFrame, words: Words) -> Table:
    """Return the table for one hospital.

    ``hospital``: its rows of ``hospitals`` in the order of the pools. One column per pool and, with more than
    one pool, a total; every line is the number of the result table or follows from numbers above it.
    """
    titles = tables.pool_titles()
    heads = [Head(words("line"), False), Head(words("item"), False)]
    heads += [Head(titles.get(pool, pool)) for pool in hospital["pool"]]
    heads += [Head(words("total"))] if hospital.height > 1 else []
    table = Table("steps", words("steps"), heads, words("steps_note") + " " + words("unit_both"))
    lines = _Lines(table, hospital.height, words)
    _points(lines, hospital, words)
    _payable(lines, tables, hospital, words)
    return table


def _points(lines: _Lines, hospital: pl.DataFrame, words: Words) -> None:
    lines.part(words("part_points"))
    for kind, section in KINDS.items():
        name = f"points_{kind}_e4"
        lines.line(
            words.title("hospitals", name), words("how_kind"), hospital[name].to_list(), e4, by=section
        )
    total = hospital["points_e4"].to_list()
    lines.line(words.title("hospitals", "points_e4"), "= 1 + 2 + 3 + 4", total, e4, total=True)


def _payable(lines: _Lines, tables: RunTables, hospital: pl.DataFrame, words: Words) -> None:
    """Add lines 6 to 19; the numbers in the formulas are the numbers of those lines."""

    def column(name: str) -> Values:
        return hospital[name].to_list()

    def title(name: str) -> str:
        return words.title("hospitals", name)

    def assessed(terms: str) -> str:
        return words("how_assessed", terms=terms)

    ratios = dict(tables.pools.select("pool", "payment_ratio_e4").iter_rows())
    ratio = [ratios.get(pool) for pool in hospital["pool"]]
    gross = column("gross_fen")
    difference = tables.manifest["policy"].get("settlement_method", "ratio") == "difference"
    lines.part(words("part_payable"))
    lines.line(
        title("point_value_e4"),
        words("how_value"),
        column("point_value_e4"),
        e4,
        by="point_value",
        summed=False,
    )
    if difference:
        first = [
            _product(p, v, SCALE) for p, v in zip(column("points_e4"), column("point_value_e4"), strict=True)
        ]
        others: Values = [
            (c or 0) - (b or 0) for c, b in zip(column("cost_fen"), column("booked_fen"), strict=True)
        ]
        lines.line(words("standard_total"), words("how_standard", terms="= 5 × 6"), first, yuan)
        lines.line(words("others_paid"), words("how_others"), others, yuan)
        expected: Values = [(f or 0) - (o or 0) for f, o in zip(first, others, strict=True)]
        formula, chain = f"= 10 {MINUS} (7 {MINUS} 8)", f"= 7 {MINUS} 8 + 9"
    else:
        lines.line(
            words.title("pools", "payment_ratio_e4"),
            words("how_ratio"),
            ratio,
            e4,
            by="point_value",
            summed=False,
        )
        factors = zip(column("points_e4"), column("point_value_e4"), ratio, strict=True)
        expected = [_product(p, v, r) for p, v, r in factors]
        lines.line(words("product"), "= 5 × 6 × 7", expected, yuan)
        formula, chain = f"= 10 {MINUS} 8", "= 8 + 9"
    rest: Values = [(g or 0) - (e or 0) for g, e in zip(gross, expected, strict=True)]
    lines.line(words("rounding"), words("how_rounding", terms=formula), rest, _balance)
    lines.line(title("gross_fen"), chain, gross, yuan, total=True)
    lines.line(title("assessment_e4"), words("how_assessment"), column("assessment_e4"), e4, summed=False)
    lines.line(title("assessed_fen"), assessed(f"= 10 × (1 {MINUS} 11)"), column("assessed_fen"), yuan)
    lines.line(title("deduction_fen"), words("how_deduction"), column("deduction_fen"), yuan)
    lines.line(title("payable_fen"), f"= 10 {MINUS} 12 {MINUS} 13", column("payable_fen"), yuan, total=True)
    lines.part(words("part_balance"))
    lines.line(title("booked_fen"), words("how_booked"), column("booked_fen"), yuan)
    lines.line(title("balance_fen"), f"= 14 {MINUS} 15", column("balance_fen"), _balance, total=True)
    lines.part(words("part_clearing"))
    lines.line(
        title("working_capital_fen"),
        words("how_capital"),
        column("working_capital_fen"),
        yuan,
        by="settlement",
    )
    lines.line(title("advance_fen"), words("how_advance"), column("advance_fen"), yuan, by="settlement")
    _clearing(lines, column("clearing_fen"), words)


def _clearing(lines: _Lines, values: Values, words: Words) -> None:
    """Add the last line: amounts without sign, in words who pays whom; pools may differ in that."""
    known = [value or 0 for value in values]
    pays, returns = f"= 14 {MINUS} 17 {MINUS} 18", f"= 17 + 18 {MINUS} 14"
    mixed = min(known) < 0 < max(known)
    item = "clearing_pays" if sum(known) > 0 else "clearing_returns" if sum(known) < 0 else "clearing_none"
    how = words("how_both", pays=pays, returns=returns) if mixed else returns if min(known) < 0 else pays

    def show(fen: int | None) -> Cell:
        way = "pays" if (fen or 0) > 0 else "returns"
        return owed(fen or 0, words(way) if mixed and fen else None)

    lines.line(words(item), how, values, show, total=True)


def _product(points_e4: int | None, value_e4: int | None, ratio_e4: int | None) -> int:
    """Return points x value x ratio in fen, rounded half up."""
    whole = (points_e4 or 0) * (value_e4 or 0) * (ratio_e4 or 0)
    return round_half_up(Fraction(whole, SCALE**3 // FEN_PER_YUAN))
