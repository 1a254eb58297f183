"""Groups as the rows of a workbook say them, before they are a catalogue; what all readers of such rows share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fenzhi.catalogs.dialect import Dialect, parse_tidy_diagnoses
from fenzhi.catalogs.dip import codes
from fenzhi.catalogs.dip.codes import CellError
from fenzhi.catalogs.dip.layout import WITH_NAMES
from fenzhi.catalogs.dip.local import LocalLayout
from fenzhi.catalogs.dip.report import Entry, Place, Report
from fenzhi.catalogs.dip.source import Line
from fenzhi.catalogs.sheets import Number
from fenzhi.catalogs.titles import shortest_number

LABELS = (
    *("dip_code", "aux", "main_diag_name", "main_oprn_name", "related_oprn_name", "other_diag_name"),
    *("burn_degree", "burn_area", "resistant_note", "age_days", "birth_weight"),
)
RULE = (
    *("layer", "main_diag", "treatment", "main_oprn", "related_oprn", "other_diag", "any_diag"),
    *("age_days_max", "birth_weight_min_g", "birth_weight_max_g"),
)
_Value = TypeVar("_Value")


@dataclass
class Draft:
    """A group as its rows say it: the columns of groups.csv, its labels, its rows in the workbook."""

    group: dict[str, Any]
    labels: dict[str, str]
    places: list[Place]
    order: int | None = None
    columns: dict[str, tuple[int, str]] = field(default_factory=dict)

    def rule(self) -> tuple[object, ...]:
        """Return what makes two drafts one rule."""
        return tuple(self.group.get(name) for name in RULE)


def text_of(raw: str) -> str:
    """Return a cell of words: lines joined, blanks around it gone, a number as it was typed."""
    if isinstance(raw, Number):
        return shortest_number(raw)
    text = raw[1:] if raw[:1] == "'" and raw[1:2] in ("=", "+", "-", "@") else raw
    return "".join(part.strip() for part in text.splitlines()).strip()


class RowReader:
    """Reads rows of groups. ``verbatim``: the workbook is our own, so cells are already in the catalogue's language."""

    def __init__(
        self, layout: LocalLayout, report: Report, *, dialect: Dialect | None, verbatim: bool = False
    ) -> None:
        self.layout, self.report, self.dialect, self.verbatim = layout, report, dialect, verbatim
        self.layers: tuple[str, ...] = tuple(layout.catalog.get("layers", ()))
        self.drafts: list[Draft] = []
        self.by_id: dict[str, Draft] = {}

    @property
    def sign(self) -> str:
        """Return the sign between diagnoses."""
        return "|" if self.dialect is None else self.dialect.or_

    def cell(self, line: Line, name: str, read: Callable[[str], _Value]) -> _Value | None:
        """Return what a cell says, None if it is empty or not understood (which is then reported)."""
        raw = line.get(name)
        if not raw.strip():
            return None
        try:
            return read(raw)
        except CellError as fault:
            self.report.fault(line.place, fault, line.columns.get(name), text_of(raw))
            return None

    def code_cell(self, line: Line, name: str, book: codes.Book) -> str | None:
        """Return a cell of codes in the language of the catalogue."""

        def read(raw: str) -> str | None:
            if self.verbatim:
                return codes.verbatim(raw)
            if WITH_NAMES.search(line.columns[name][1]):
                raw = codes.without_names(raw, book)
            if book == "operations":
                found, remarks = codes.operations(raw, self.dialect, self.layout.number_places)
            else:
                found, remarks = codes.diagnoses(raw, self.dialect)
            for remark in remarks:
                at, title = line.columns[name]
                self.report.add(Entry(line.place, remark, text_of(raw), "", title, at, text_of(raw)))
            return found

        return self.cell(line, name, read)

    def fail(self, line: Line, reason: str, name: str = "", part: str = "") -> None:
        """Report a row."""
        at, title = line.columns.get(name, (None, ""))
        self.report.add(
            Entry(line.place, reason, part, "", title, at, text_of(line.get(name)) if name else "")
        )

    def keep(self, draft: Draft) -> None:
        """Keep a draft; one of the same code is the same row again, an alternative of it, or an error."""
        group_id, place = draft.group["group_id"], draft.places[0]
        first = self.by_id.get(group_id)
        if first is None:
            self.by_id[group_id] = draft
            self.drafts.append(draft)
            return
        differ = [name for name in RULE if first.group.get(name) != draft.group.get(name)]
        known = first.places[0].short()
        if not differ:
            self.report.mark(place, "repeated")
            self.report.add(Entry(place, "repeated", known))
        elif (
            len(differ) == 1
            and differ[0] in ("main_diag", "main_oprn")
            and self._may_join(first, draft, differ[0])
        ):
            name = differ[0]
            first.group[name] = self._join(first.group[name], draft.group[name])
            first.places.append(place)
            self.report.add(Entry(place, "joined", known))
        else:
            at, title = draft.columns.get("seq") or draft.columns.get("dip_code") or (None, "")
            self.report.add(Entry(place, "duplicate_id", str(group_id), known, title, at, str(group_id)))

    def _may_join(self, first: Draft, draft: Draft, name: str) -> bool:
        """Tell whether two rows of one code are alternatives: they follow each other and both name codes."""
        last, here = first.places[-1], draft.places[0]
        both = first.group[name] is not None and draft.group[name] is not None
        follows = (last.file, last.sheet) == (here.file, here.sheet) and here.number > last.number
        plain_or = self.dialect is None or self.dialect.form == "or_of_ands" or name == "main_diag"
        return both and follows and plain_or

    def _join(self, one: str, two: str) -> str:
        sign = self.sign
        have = one.split(sign)
        return sign.join([*have, *(part for part in two.split(sign) if part not in have)])


def tokens_of(cell: str | None, dialect: Dialect) -> frozenset[str]:
    """Return the tokens of a diagnosis cell."""
    return frozenset(parse_tidy_diagnoses(cell, dialect)) if cell else frozenset()


def in_order(drafts: Iterable[Draft]) -> list[Draft]:
    """Return drafts in the order that they state, as they stand if they state none."""
    found = list(drafts)
    if all(draft.order is not None for draft in found):
        return sorted(found, key=lambda draft: draft.order or 0)
    return found
