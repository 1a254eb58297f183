"""Figures as they are printed, and the plain table that every page is made of.

All numbers come in as integers (fen, 1/10,000, counts) and go out as text that can be added up again: money
with two decimals, points with four, shares in hundredths of a per cent that add up to 100.00 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import NamedTuple

from fenzhi.money import SCALE, apportion, format_e4, format_fen, round_half_up

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EM DASH}"


class Cell(NamedTuple):
    """One printed cell: text, ``num`` or ``text`` or ``code``, a link, a small second line."""

    text: str
    kind: str = "text"
    negative: bool = False
    href: str | None = None
    note: str | None = None


class Head(NamedTuple):
    """A column's title and whether it holds numbers."""

    title: str
    numeric: bool = True


class Row(NamedTuple):
    """Cells and the row's part: empty, ``total``, ``sub`` (subtotal), ``part`` (heading over all columns)."""

    cells: list[Cell]
    part: str = ""


@dataclass
class Table:
    """A table of a page; ``name`` is its anchor, ``note`` a line under the caption."""

    name: str
    caption: str
    heads: list[Head]
    note: str = ""
    rows: list[Row] = field(default_factory=list)

    def add(self, *cells: Cell, part: str = "") -> None:
        """Append a row."""
        self.rows.append(Row(list(cells), part))


def signed(text: str, plus: bool) -> str:
    """Return a number's text with a real minus sign, and a plus sign if asked for and positive."""
    if text.startswith("-"):
        return MINUS + text[1:]
    return "+" + text if plus and text.strip("0.,") else text


def _number(value: int | None, text: str, plus: bool) -> Cell:
    return Cell(DASH, "num") if value is None else Cell(signed(text, plus), "num", value < 0)


def yuan(fen: int | None, *, plus: bool = False) -> Cell:
    """Fen as yuan with two decimals."""
    return _number(fen, format_fen(fen or 0), plus)


def owed(fen: int, note: str | None = None) -> Cell:
    """Fen as yuan without sign; the words beside it say which way the money goes."""
    return Cell(yuan(abs(fen)).text, "num", fen < 0, note=note)


def e4(value: int | None, decimals: int = 4) -> Cell:
    """A number at 1/10,000 with up to four decimals."""
    return _number(value, format_e4(value or 0, decimals), False)


def count(value: int | None) -> Cell:
    """A whole number."""
    return _number(value, f"{value or 0:,}", False)


def percent(hundredths: int | None) -> Cell:
    """Hundredths of a per cent: 1234 is 12.34%."""
    return _number(hundredths, f"{format_e4((hundredths or 0) * 100, 2)}%", False)


def part_of(part: int, whole: int) -> Cell:
    """A share of a whole as per cent; of nothing it is a dash."""
    return percent(round_half_up(Fraction(part * SCALE, whole)) if whole else None)


def rate(value: float | None) -> Cell:
    """A share from the monitoring statistics as per cent."""
    return Cell(DASH, "num") if value is None else Cell(f"{value:.2%}", "num", value < 0)


def index(value: float | None) -> Cell:
    """An index from the monitoring statistics with four decimals."""
    return Cell(DASH, "num") if value is None else Cell(signed(f"{value:,.4f}", False), "num", value < 0)


def text(value: object, *, href: str | None = None, note: str | None = None) -> Cell:
    """A text; None is a dash."""
    return Cell(DASH if value is None or value == "" else str(value), "text", False, href, note)


def code(value: object) -> Cell:
    """A code, set in figures of equal width."""
    return Cell(DASH if value is None else str(value), "code")


def empty() -> Cell:
    """A cell where a figure would make no sense."""
    return Cell("", "num")


def shares(values: Sequence[int]) -> list[int]:
    """Return the values' shares in hundredths of a per cent; they add up to 10,000 (all zero: zeros)."""
    return apportion(SCALE, values) if sum(values) else [0] * len(values)


def scaled(fens: Sequence[int], lang: str) -> tuple[str, list[float]]:
    """Return the key of a fitting unit (``scale_...``) and the amounts in it, for charts only."""
    largest = max((abs(fen) for fen in fens), default=0)
    unit, size = ("scale_wan", 1_000_000) if lang == "zh" else ("scale_thousand", 100_000)
    if largest < size * 10:
        unit, size = "scale_yuan", 100
    return unit, [fen / size for fen in fens]


def decimals(values: Iterable[float]) -> int:
    """Return the decimals of all numbers of one chart: what the smallest of them needs, at most two."""
    smallest = min((abs(value) for value in values if value), default=100.0)
    return 0 if smallest >= 100 else 1 if smallest >= 10 else 2


def fixed(value: float, places: int, *, plus: bool = False) -> str:
    """Return a chart's number with so many decimals; what rounds to zero has no sign."""
    return signed(f"{round(value, places) + 0.0:,.{places}f}", plus)


def moment(iso: object) -> str:
    """Return an ISO time with its zone, ``2027-01-05 08:00 UTC``; a time without zone stays without."""
    try:
        at = datetime.fromisoformat(str(iso))
    except ValueError:
        return str(iso)
    shown = f"{at:%Y-%m-%d %H:%M}"
    if at.utcoffset() is None:
        return shown
    return f"{shown} {at.tzname()}"
