"""The way from points to clearing, line by line, as a hospital can recompute it with a pocket calculator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import polars as pl

from fenzhi.money import FEN_PER_YUAN, SCALE, round_half_up
from fenzhi.reports.display import MINUS, Cell, Head, Table, count, e4, empty, owed, text, yuan
from fenzhi.reports.pools import limits_of
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
        _difference(lines, tables, hospital)
    else:
        _ratio(lines, tables, hospital)
    _payable(lines, hospital)
    _clearing(lines, hospital["clearing_fen"].to_list())
    if _any(hospital, "deposit_fen"):
        terms = lines.formula("{deposit} × {assessment}")
        title, values = words.title("hospitals", "released_fen"), hospital["released_fen"].to_list()
        lines.line("released", title, words("how_released", terms=terms), values, by="settlement")
        if _any(hospital, "forfeited_fen"):
            title, values = words.title("hospitals", "forfeited_fen"), hospital["forfeited_fen"].to_list()
            how = words("how_forfeited", terms=lines.formula("{deposit} - {released}"))
            lines.line("forfeited", title, how, values)
    if _any(hospital, "next_year_fen"):
        title, values = words.title("hospitals", "next_year_fen"), hospital["next_year_fen"].to_list()
        lines.line("next_year", title, words("how_next_year"), values, by="settlement")
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
    if tables.manifest["policy"].get("rate") == "elastic":
        opening = dict(tables.pools.select("pool", "opening_value_e4").iter_rows())
        fixed = hospital["fixed_points_e4"].to_list()
        lines.line("fixed", words.title("hospitals", "fixed_points_e4"), words("how_fixed"), fixed, e4)
        firm = [opening.get(pool) for pool in hospital["pool"]]
        title = words.title("pools", "opening_value_e4")
        lines.line("opening", title, words("how_opening_fixed"), firm, e4, by="point_value", summed=False)
    value = hospital["point_value_e4"].to_list()
    title = words.title("hospitals", "point_value_e4")
    how = words("how_value_periods" if _in_periods(tables) else "how_value")
    how += limits_of(tables, hospital["pool"].to_list(), words)
    lines.line("value", title, how, value, e4, by="point_value", summed=False)


def _difference(lines: _Lines, tables: RunTables, hospital: pl.DataFrame) -> None:
    """Add the lines down to the amount before assessment: standards minus what others paid."""
    words, gross = lines.words, hospital["gross_fen"].to_list()
    standard = _priced(tables, hospital, [SCALE] * hospital.height)
    others: Values = hospital["others_fen"].to_list()
    how = words("how_standard", terms=_how_priced(lines, tables, ""))
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
    products = _priced(tables, hospital, ratio)
    lines.line("product", words("product"), _how_priced(lines, tables, " × {ratio}"), products)
    direct = _direct(lines, hospital)
    expected: Values = [(p or 0) + (d or 0) for p, d in zip(products, direct, strict=True)]
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
    for name, how in (("violation_fen", "how_of_deduction"), ("fine_fen", "how_fine")):
        if _any(hospital, name):
            add(name, name, words(how))
    add("payable", "payable_fen", lines.formula("{gross} - {assessed} - {deduction}"), total=True)
    lines.part(words("part_balance"))
    add("booked", "booked_fen", words("how_booked"))
    add("balance", "balance_fen", lines.formula("{payable} - {booked}"), _balance, total=True)
    if _any(hospital, "shared_fen", "short_fen"):
        add("shared", "shared_fen", words("how_shared"), _balance, by="sharing")
        if _any(hospital, "short_fen"):
            add("short", "short_fen", words("how_short"))
        add("final", "final_fen", lines.formula("{payable} + {shared}"), total=True)
    lines.part(words("part_clearing"))
    add("capital", "working_capital_fen", words("how_capital"), by="settlement")
    add("advance", "advance_fen", words("how_advance"), by="settlement")
    if _any(hospital, "quarter_fen"):
        add("quarter", "quarter_fen", words("how_quarter"), by="settlement")
    if _any(hospital, "deposit_fen"):
        add("deposit", "deposit_fen", words("how_deposit"), by="settlement")


def _clearing(lines: _Lines, values: Values) -> None:
    """Add the last line: amounts without sign, in words who pays whom; pools may differ in that."""
    words, known = lines.words, [value or 0 for value in values]
    owed_ = "final" if "final" in lines.numbers else "payable"
    paid = [name for name in ("capital", "advance", "quarter", "deposit") if name in lines.numbers]
    pays = lines.formula(" - ".join(f"{{{name}}}" for name in (owed_, *paid)))
    returns = lines.formula(" + ".join(f"{{{name}}}" for name in paid) + f" - {{{owed_}}}")
    mixed = min(known) < 0 < max(known)
    item = "clearing_pays" if sum(known) > 0 else "clearing_returns" if sum(known) < 0 else "clearing_none"
    how = words("how_both", pays=pays, returns=returns) if mixed else returns if min(known) < 0 else pays

    def show(fen: int | None) -> Cell:
        way = "pays" if (fen or 0) > 0 else "returns"
        return owed(fen or 0, words(way) if mixed and fen else None)

    lines.line("clearing", words(item), how, values, show, total=True)


def _any(hospital: pl.DataFrame, *columns: str) -> bool:
    """Return whether any of the amounts is not zero."""
    return any((hospital[column].fill_null(0) != 0).any() for column in columns if column in hospital.columns)


def _in_periods(tables: RunTables) -> bool:
    return str(tables.manifest["policy"].get("period", "year")) != "year"


def _how_priced(lines: _Lines, tables: RunTables, more: str) -> str:
    """Return how points are priced: with the values of the lines above, or period by period."""
    if _in_periods(tables):
        return lines.words("how_periods")
    if "fixed" in lines.numbers:
        return lines.formula(f"({{fixed}} × {{opening}} + ({{points}} - {{fixed}}) × {{value}}){more}")
    return lines.formula(f"{{points}} × {{value}}{more}")


def _priced(tables: RunTables, hospital: pl.DataFrame, ratio: Values) -> Values:
    """Return (fixed points x opening value + other points x value) x ratio in fen, rounded half up.

    With a value for each period it is what the run says: the lines show the average value only.
    """
    rows = list(hospital.iter_rows(named=True))
    if _in_periods(tables):
        others = tables.manifest["policy"].get("settlement_method", "ratio") == "difference"
        return [
            row["gross_fen"] - (row["direct_fen"] or 0) + (row["others_fen"] or 0) * others for row in rows
        ]
    opening = dict(tables.pools.select("pool", "opening_value_e4").iter_rows())
    elastic = tables.manifest["policy"].get("rate") == "elastic"
    found = []
    for row, share in zip(rows, ratio, strict=True):
        fixed = (row["fixed_points_e4"] or 0) if elastic else 0
        worth = fixed * (opening.get(row["pool"]) or 0)
        worth += ((row["points_e4"] or 0) - fixed) * (row["point_value_e4"] or 0)
        found.append(_product(worth, share or 0))
    return found


def _product(worth_e8: int, ratio_e4: int) -> int:
    """Return points x value (together at SCALE squared) x ratio in fen, rounded half up."""
    return round_half_up(Fraction(worth_e8 * ratio_e4, SCALE**3 // FEN_PER_YUAN))
