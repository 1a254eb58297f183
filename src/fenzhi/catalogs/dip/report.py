"""What an import did with every row: understood, repeated, reported, or a heading. The counts add up."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from fenzhi.catalogs.dip.codes import CellError
from fenzhi.catalogs.dip.words import REASONS, say
from fenzhi.catalogs.sheets import letters
from fenzhi.errors import ConservationError

COLUMNS = ("severity", "code", "file", "sheet", "row", "column", "cell", "value", "why", "to_do")
SCHEMA = {name: pl.Int64() if name == "row" else pl.String() for name in COLUMNS}


@dataclass(frozen=True)
class Place:
    """A row of a sheet; ``number`` as Excel shows it, 0 for the sheet as a whole."""

    file: str
    sheet: str
    number: int = 0

    def short(self) -> str:
        """Return the place in few words."""
        return f"{self.sheet} {self.number}"


@dataclass(frozen=True)
class Entry:
    """One line of the report. ``column``: its title; ``at``: its position, from 0."""

    place: Place
    reason: str
    part: str = ""
    guess: str = ""
    column: str = ""
    at: int | None = None
    value: str = ""
    code: str = ""

    @property
    def severity(self) -> str:
        """Return ``error`` (the row is not in the catalogue) or ``warning`` (it is)."""
        return "warning" if REASONS[self.reason].warning else "error"

    def row(self, lang: str) -> tuple[object, ...]:
        """Return the line as :data:`COLUMNS`."""
        why, remedy = say(self.reason, self.part, self.guess, lang)
        cell = "" if self.at is None or not self.place.number else f"{letters(self.at)}{self.place.number}"
        code = self.code or REASONS[self.reason].code
        place = self.place
        return (
            *(self.severity, code, place.file, place.sheet, place.number or None),
            *(self.column, cell, self.value, why, remedy),
        )


@dataclass(frozen=True)
class SheetCount:
    """Rows of a sheet that hold anything, by what became of them. ``role``: empty if the sheet was not read."""

    place: Place
    role: str
    rows: int
    headings: int = 0
    understood: int = 0
    repeated: int = 0
    reported: int = 0
    not_read: int = 0

    def check(self) -> None:
        """Raise :class:`ConservationError` unless the parts are the whole."""
        if self.rows != self.headings + self.understood + self.repeated + self.reported + self.not_read:
            raise ConservationError(
                f"sheet {self.place.sheet}: its {self.rows} rows are not all accounted for",
                code="CATALOG_IMPORT_ROWS",
                file=self.place.file,
                remedy="please report this",
            )


@dataclass
class Report:
    """What is found while a workbook is read."""

    entries: list[Entry] = field(default_factory=list)
    state: dict[Place, str] = field(default_factory=dict)
    sheets: dict[Place, tuple[str, int]] = field(default_factory=dict)

    def sheet(self, place: Place, role: str, rows: int) -> None:
        """Begin a sheet, or a further part of it: its role and how many of its rows hold anything."""
        first, before = self.sheets.get(place, (role, 0))
        self.sheets[place] = (first, before + rows)

    def mark(self, place: Place, state: str) -> None:
        """Say what became of a row: ``understood``, ``repeated``, ``reported``, ``headings``, ``not_read``."""
        if self.state.get(place) != "reported":
            self.state[place] = state

    def add(self, entry: Entry) -> None:
        """Add a line; an error makes its row a reported one."""
        self.entries.append(entry)
        if entry.severity == "error" and entry.place.number:
            self.state[entry.place] = "reported"

    def fault(self, place: Place, fault: CellError, column: tuple[int, str] | None, value: str) -> None:
        """Add what is wrong with a cell."""
        at, title = column or (None, "")
        self.add(Entry(place, fault.reason, fault.part, fault.guess, title, at, value))

    def failed(self, place: Place) -> bool:
        """Tell whether a row was reported."""
        return self.state.get(place) == "reported"

    @property
    def errors(self) -> list[Entry]:
        """Return the lines that make a catalogue wrong."""
        return [entry for entry in self.entries if entry.severity == "error"]

    def counts(self) -> tuple[SheetCount, ...]:
        """Return the sheets with their rows by what became of them; they add up, or :class:`ConservationError`."""
        tally: dict[tuple[str, str], dict[str, int]] = {}
        for place, state in self.state.items():
            of = tally.setdefault((place.file, place.sheet), {})
            of[state] = of.get(state, 0) + 1
        found = tuple(
            SheetCount(place, role, rows, **tally.get((place.file, place.sheet), {}))
            for place, (role, rows) in self.sheets.items()
        )
        for one in found:
            one.check()
        return found

    def frame(self, lang: str = "zh") -> pl.DataFrame:
        """Return all lines in the order of files, sheets and rows: columns :data:`COLUMNS`."""
        order = {(place.file, place.sheet): number for number, place in enumerate(self.sheets)}
        lines = sorted(
            self.entries,
            key=lambda one: (order.get((one.place.file, one.place.sheet), len(order)), one.place.number),
        )
        return pl.DataFrame([entry.row(lang) for entry in lines], schema=SCHEMA, orient="row")
