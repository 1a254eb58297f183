"""The way from points to clearing, line by line, as a hospital can recompute it with a pocket calculator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.money import FEN_PER_YUAN, SCALE, round_half_up
from fenzhi.reports.display import MINUS, Cell, Head, Table, count, e4, empty, owed, text, yuan
from fenzhi.reports.styles import DIP, POINTS, RATE
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

#: Kind of points -> the section of the policy that rules it.
KINDS = {
    "core": "weights",
    "comprehensive": "weights",
    "grassroots": "coefficients",
    "tcm": "tcm",
    "ungrouped": "ungrouped",
    "bed_day": "bed_day",
}
#: Kinds that a statement shows even if the region has no such points.
ALWAYS: Mapping[str, tuple[str, ...]] = {
    DIP: ("core", "comprehensive", "grassroots", "ungrouped"),
    RATE: ("core", "ungrouped"),
    POINTS: ("core", "ungrouped"),
}
#: Parts of the points that are no kind of their own -> how they are counted, the section of the policy that rules them.
OF_WHICH = {
    "add_on_e4": ("how_add_ons", "add_ons"),
    "auxiliary_points_e4": ("how_auxiliary", "auxiliary"),
    "points_review_e4": ("how_review", "special_review"),
}
Values = Sequence[int | None]


def kinds_of(tables: RunTables) -> list[str]:
    """Return the kinds of points that the statements of a run show, in the order of :data:`KINDS`."""
    any_points = tables.hospitals.select(
        (pl.col(f"points_{kind}_e4") != 0).any().alias(kind) for kind in KINDS
    )
    used = {kind for kind, found in any_points.row(0, named=True).items() if found}
    return [kind for kind in KINDS if kind in ALWAYS[tables.style] or kind in used]


@dataclass
class _Lines:
    """Collects the numbered lines of one table: values per pool, a total where a sum makes sense.

    ``numbers``: what a line is -> its number, for the formulas of later lines.
    """

    table: Table
    width: int
    words: Words
    numbers: dict[str, int] = field(default_factory=dict)

    def part(self, title: str) -> None:
        self.table.add(text(title), part="part")

    def formula(self, terms: str, **ahead: int) -> str:
        """Return a formula over lines: ``{gross} - {booked}`` becomes ``= 10 - 15``; ``ahead``: lines to come."""
        return "= " + terms.format(**self.numbers, **ahead).replace("-", MINUS)

    def line(
        self,
        name: str,
        item: str,
        how: str,
        values: Values,
        show: Callable[[int | None], Cell] = yuan,
        *,
        by: str = "",
        summed: bool = True,
        total: bool = False,
    ) -> None:
        """Add the line ``name``; ``by`` is the section of the policy that rules it."""
        self.numbers[name] = number = len(self.numbers) + 1
        if by:
            how = self.words("by_policy", how=how, section=self.words.name("section", by))
        cells = [show(value) for value in values]
        if self.width > 1:
            cells.append(show(sum(v or 0 for v in values)) if summed else empty())
        self.table.add(count(number), text(item, note=how), *cells, part="total" if total else "")


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
    _points(lines, tables, hospital)
    if tables.manifest["policy"].get("settlement_method", "ratio") == "difference":
        _difference(lines, hospital)
    else:
        _ratio(lines, tables, hospital)
    _payable(lines, hospital)
    _clearing(lines, hospital["clearing_fen"].to_list())
    return table


def _points(lines: _Lines, tables: RunTables, hospital: pl.DataFrame) -> None:
    words = lines.words
    lines.part(words("part_points"))
    kinds = kinds_of(tables)
    for kind in kinds:
        name = f"points_{kind}_e4"
        item, values = words.title("hospitals", name), hospital[name].to_list()
        lines.line(kind, item, words("how_kind"), values, e4, by=KINDS[kind])
    total, how = hospital["points_e4"].to_list(), lines.formula(" + ".join(f"{{{kind}}}" for kind in kinds))
    lines.line("points", words.title("hospitals", "points_e4"), how, total, e4, total=True)
    for name, (how, section) in OF_WHICH.items():
        if (tables.hospitals[name].fill_null(0) != 0).any():
            item, values = words.title("hospitals", name), hospital[name].to_list()
            lines.line(name, item, words(how), values, e4, by=section)
    lines.part(words("part_payable"))
    value = hospital["point_value_e4"].to_list()
    title = words.title("hospitals", "point_value_e4")
    lines.line("value", title, words("how_value"), value, e4, by="point_value", summed=False)


def _difference(lines: _Lines, hospital: pl.DataFrame) -> None:
    """Add the lines down to the amount before assessment: standards minus what others paid."""
    words, gross = lines.words, hospital["gross_fen"].to_list()
    pairs = hospital.select("points_e4", "point_value_e4").iter_rows()
    standard = [_product(points, value, SCALE) for points, value in pairs]
    others: Values = hospital["others_fen"].to_list()
    how = words("how_standard", terms=lines.formula("{points} × {value}"))
    lines.line("standard", words("standard_total"), how, standard)
    lines.line("others", words("others_paid"), words("how_others"), others)
    direct = _direct(lines, hospital)
    terms = "{standard} - {others}" + (" + {direct}" if any(direct) else "")
    triples = zip(standard, others, direct, strict=True)
    expected: Values = [(s or 0) - (o or 0) + (d or 0) for s, o, d in triples]
    _gross(lines, gross, expected, terms, f"({terms})")


def _ratio(lines: _Lines, tables: RunTables, hospital: pl.DataFrame) -> None:
    """Add the lines down to the amount before assessment: points x value x payment ratio."""
    words, gross = lines.words, hospital["gross_fen"].to_list()
    ratios = dict(tables.pools.select("pool", "payment_ratio_e4").iter_rows())
    ratio = [ratios.get(pool) for pool in hospital["pool"]]
    title = words.title("pools", "payment_ratio_e4")
    lines.line("ratio", title, words("how_ratio"), ratio, e4, by="point_value", summed=False)
    factors = zip(hospital["points_e4"], hospital["point_value_e4"], ratio, strict=True)
    products = [_product(p, v, r) for p, v, r in factors]
    lines.line("product", words("product"), lines.formula("{points} × {value} × {ratio}"), products)
    direct = _direct(lines, hospital)
    expected: Values = [p + (d or 0) for p, d in zip(products, direct, strict=True)]
    terms = "{product} + {direct}" if any(direct) else "{product}"
    _gross(lines, gross, expected, terms, f"({terms})" if any(direct) else terms)


def _direct(lines: _Lines, hospital: pl.DataFrame) -> Values:
    """Return what the fund pays directly; a line of its own where there is any."""
    direct: Values = hospital["direct_fen"].to_list()
    if any(direct):
        words = lines.words
        lines.line("direct", words.title("hospitals", "direct_fen"), words("how_direct"), direct)
    return direct


def _gross(lines: _Lines, gross: Values, expected: Values, terms: str, inner: str) -> None:
    """Add what rounding leaves and the amount before assessment; the two formulas name each other."""
    words = lines.words
    how = lines.formula(f"{{gross}} - {inner}", gross=len(lines.numbers) + 2)
    rest: Values = [(g or 0) - (e or 0) for g, e in zip(gross, expected, strict=True)]
    lines.line("rounding", words("rounding"), words("how_rounding", terms=how), rest, _balance)
    chain = lines.formula(f"{terms} + {{rounding}}")
    lines.line("gross", words.title("hospitals", "gross_fen"), chain, gross, total=True)


def _payable(lines: _Lines, hospital: pl.DataFrame) -> None:
    """Add assessment and deductions, the comparison with what was booked, and what was paid so far."""
    words = lines.words

    def add(name: str, column: str, how: str, show: Callable[[int | None], Cell] = yuan, **more: Any) -> None:
        lines.line(name, words.title("hospitals", column), how, hospital[column].to_list(), show, **more)

    add("assessment", "assessment_e4", words("how_assessment"), e4, summed=False)
    withheld = lines.formula("{gross} × (1 - {assessment})")
    add("assessed", "assessed_fen", words("how_assessed", terms=withheld))
    add("deduction", "deduction_fen", words("how_deduction"))
    add("payable", "payable_fen", lines.formula("{gross} - {assessed} - {deduction}"), total=True)
    lines.part(words("part_balance"))
    add("booked", "booked_fen", words("how_booked"))
    add("balance", "balance_fen", lines.formula("{payable} - {booked}"), _balance, total=True)
    lines.part(words("part_clearing"))
    add("capital", "working_capital_fen", words("how_capital"), by="settlement")
    add("advance", "advance_fen", words("how_advance"), by="settlement")


def _clearing(lines: _Lines, values: Values) -> None:
    """Add the last line: amounts without sign, in words who pays whom; pools may differ in that."""
    words, known = lines.words, [value or 0 for value in values]
    pays = lines.formula("{payable} - {capital} - {advance}")
    returns = lines.formula("{capital} + {advance} - {payable}")
    mixed = min(known) < 0 < max(known)
    item = "clearing_pays" if sum(known) > 0 else "clearing_returns" if sum(known) < 0 else "clearing_none"
    how = words("how_both", pays=pays, returns=returns) if mixed else returns if min(known) < 0 else pays

    def show(fen: int | None) -> Cell:
        way = "pays" if (fen or 0) > 0 else "returns"
        return owed(fen or 0, words(way) if mixed and fen else None)

    lines.line("clearing", words(item), how, values, show, total=True)


def _product(points_e4: int | None, value_e4: int | None, ratio_e4: int | None) -> int:
    """Return points x value x ratio in fen, rounded half up."""
    whole = (points_e4 or 0) * (value_e4 or 0) * (ratio_e4 or 0)
    return round_half_up(Fraction(whole, SCALE**3 // FEN_PER_YUAN))
