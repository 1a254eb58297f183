"""The months of a hospital, each with what it did, what it was due, and what it was paid in advance.

Twelve small tables a hospital: added up in plain Python, because that many tiny frames would take longer than the sums.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from fenzhi.money import round_half_up
from fenzhi.reports.display import Cell, Head, Table, count, e4, empty, text, yuan
from fenzhi.reports.hospital import Hospital
from fenzhi.reports.steps import kinds_of
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import Words

Line = dict[str, Any]
#: Amounts that are shown only where there are any.
SELDOM = ("direct_fen", "deposit_fen", "quarter_fen")


@dataclass(frozen=True)
class Month:
    """A month of a hospital as its page shows it: anchor, number, title, sentence and table."""

    anchor: str
    number: int
    title: str
    sentence: str
    table: Table


def months_of(tables: RunTables, hospital: Hospital, bands: dict[str, str], words: Words) -> list[Month]:
    """Return the months in their order; ``bands``: deviation band -> title."""
    of_month: dict[int, tuple[list[Line], list[Line]]] = {}
    for at, frame in enumerate((hospital.months, hospital.facts.monthly)):
        for row in frame.iter_rows(named=True):
            of_month.setdefault(row["month"], ([], []))[at].append(row)
    maker = _Maker(tables, hospital, bands, words)
    return [maker.month(number, rows, facts) for number, (rows, facts) in sorted(of_month.items())]


class _Maker:
    """Makes the months of one hospital; holds what they share."""

    def __init__(self, tables: RunTables, hospital: Hospital, bands: dict[str, str], words: Words) -> None:
        self.pools = hospital.rows["pool"].to_list()
        self.kinds = kinds_of(tables)
        self.scale = int(tables.manifest["policy"].get("scale", 1))
        self.year = tables.manifest["region"]["year"]
        self.bands, self.words = bands, words
        titles = tables.pool_titles()
        self.heads = [Head(words("item"), False), *(Head(titles.get(pool, pool)) for pool in self.pools)]
        self.heads += [Head(words("total"))] if len(self.pools) > 1 else []

    def month(self, number: int, rows: list[Line], facts: list[Line]) -> Month:
        """Return a month; ``rows``: its rows of ``months``, ``facts``: the sums of its stays."""
        words = self.words
        sums = {name: _total(rows, name) for name in ("cases", "points_e4", "due_fen", "advance_fen")}
        sentence = words(
            "month_sentence" if sums["cases"] else "month_none",
            cases=count(sums["cases"]).text,
            points=e4(sums["points_e4"]).text,
            due=yuan(sums["due_fen"]).text,
            advance=yuan(sums["advance_fen"]).text,
        )
        title = words("month_title", year=self.year, month=number)
        table = Table(f"t{number:02d}", title, self.heads)
        self._stays(table, rows, facts)
        self._special(table, facts)
        self._money(table, rows, facts)
        return Month(f"m{number:02d}", number, title, sentence, table)

    def _add(
        self,
        table: Table,
        item: str,
        values: dict[str, int],
        show: Callable[[int | None], Cell],
        *,
        how: str | None = None,
        part: str = "",
    ) -> None:
        """Add a line of sums, one per pool (0 where absent), and their total."""
        known = [values.get(pool, 0) for pool in self.pools]
        cells = [show(value) for value in (*known, sum(known))[: len(self.heads) - 1]]
        table.add(text(item, note=how), *cells, part=part)

    def _stays(self, table: Table, rows: list[Line], facts: list[Line]) -> None:
        words = self.words
        table.add(text(words("part_stays")), part="part")
        self._add(table, words.title("months", "cases"), _of(rows, "cases"), count)
        for kind in self.kinds:
            points = _of((one for one in facts if one["kind"] == kind), "points_e4")
            title = words("of_kind", kind=words.title("hospitals", f"points_{kind}_e4"))
            self._add(table, title, points, e4)
        title = words.title("hospitals", "points_e4")
        self._add(table, title, _of(rows, "points_e4"), e4, part="total")
        mix = [e4(self._mix([one for one in facts if one["pool"] == pool])) for pool in self.pools]
        mix += [e4(self._mix(facts))] if len(self.pools) > 1 else []
        table.add(text(words.title("monitoring", "cmi")), *mix)
        self._add(table, words.title("months", "cost_fen"), _of(rows, "cost_fen"), yuan)

    def _mix(self, facts: list[Line]) -> int | None:
        """Return the mean weight of the stays that have one, at 1/10,000."""
        weighted = _total(facts, "weighted")
        return round_half_up(Fraction(_total(facts, "rw_e4"), weighted * self.scale)) if weighted else None

    def _special(self, table: Table, facts: list[Line]) -> None:
        words = self.words
        table.add(text(words("part_deviation")), part="part")
        found = {one["deviation"] for one in facts}
        known = [band for band in self.bands if band in found]
        for band in [*known, *sorted(found - set(known))]:
            cases = _of((one for one in facts if one["deviation"] == band), "cases")
            self._add(table, words("stays_in_band", band=self.bands.get(band, band)), cases, count)
        for outcome in sorted({one["review"] for one in facts} - {None}):
            cases = _of((one for one in facts if one["review"] == outcome), "cases")
            self._add(table, words("stays_reviewed", outcome=words.name("review", outcome)), cases, count)

    def _money(self, table: Table, rows: list[Line], facts: list[Line]) -> None:
        words = self.words
        table.add(text(words("part_advance")), part="part")
        values = {row["pool"]: row["point_value_e4"] for row in rows}
        shown = [e4(values.get(pool)) for pool in self.pools] + ([empty()] if len(self.pools) > 1 else [])
        table.add(text(words.title("months", "point_value_e4"), note=words("how_opening")), *shown)
        for name, how in (
            ("direct_fen", "how_direct"),
            ("due_fen", "how_month_due"),
            ("deduction_fen", None),
            ("advance_fen", "how_month_advance"),
            ("deposit_fen", None),
            ("quarter_fen", None),
        ):
            amounts = _of(rows, name) if rows and name in rows[0] else {}
            if name not in SELDOM or any(amounts.values()):
                note = None if how is None else words(how)
                part = "total" if name == "advance_fen" else ""
                self._add(table, words.title("months", name), amounts, yuan, how=note, part=part)
        table.add(text(words("part_final")), part="part")
        booked, payable = _of(rows, "booked_fen"), _of(facts, "payable_fen")
        self._add(table, words("month_payable"), payable, yuan)
        self._add(table, words.title("months", "booked_fen"), booked, yuan)
        balance = {pool: payable.get(pool, 0) - booked.get(pool, 0) for pool in self.pools}
        self._add(table, words("balance"), balance, lambda fen: yuan(fen, plus=True), part="total")


def _of(rows: Iterable[Line], column: str) -> dict[str, int]:
    """Return pool -> sum of a column."""
    out: dict[str, int] = {}
    for row in rows:
        out[row["pool"]] = out.get(row["pool"], 0) + (row[column] or 0)
    return out


def _total(rows: Iterable[Line], column: str) -> int:
    return sum(row[column] or 0 for row in rows)
