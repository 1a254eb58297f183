"""Read a page back as a reader would: the tables by the anchor of their section, cells as printed text."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from html.parser import HTMLParser


@dataclass
class PrintedRow:
    part: str
    cells: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Page(HTMLParser):
    """Collects tables (``tables[anchor]`` = rows), all tags with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tables: dict[str, list[PrintedRow]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._anchor = ""
        self._body = self._cell = self._small = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "section":
            self._anchor = given.get("id") or ""
        elif tag == "tbody":
            self._body = True
            self.tables[self._anchor] = []
        elif tag == "tr" and self._body:
            self.tables[self._anchor].append(PrintedRow(given.get("class") or ""))
        elif tag in ("td", "th") and self._body:
            self._cell = True
            row = self.tables[self._anchor][-1]
            row.cells.append("")
            row.notes.append("")
        elif tag == "small":
            self._small = True

    def handle_endtag(self, tag: str) -> None:
        if tag == "tbody":
            self._body = False
        elif tag in ("td", "th"):
            self._cell = False
        elif tag == "small":
            self._small = False

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._cell:
            row = self.tables[self._anchor][-1]
            (row.notes if self._small else row.cells)[-1] += data

    def rows(self, anchor: str, part: str = "") -> list[list[str]]:
        """Return the cells of a table's rows of one part."""
        return [row.cells for row in self.tables[anchor] if row.part == part]


def number(text: str) -> Fraction:
    """Return a printed figure as an exact number."""
    plain = text.replace(",", "").replace("\N{MINUS SIGN}", "-").removeprefix("+").removesuffix("%")
    return Fraction(plain)


def column_sum(rows: list[list[str]], at: int) -> Fraction:
    """Return the sum of a column as printed."""
    return sum((number(row[at]) for row in rows), Fraction(0))
