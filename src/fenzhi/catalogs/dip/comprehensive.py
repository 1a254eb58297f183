"""Rows of the dictionary of comprehensive groups: category by kind, one row each, or one row with four columns."""

from __future__ import annotations

import re
from typing import Any

from fenzhi.catalogs.dialect import Dialect
from fenzhi.catalogs.dip import cells
from fenzhi.catalogs.dip.drafts import LABELS, RULE, Draft, RowReader, text_of
from fenzhi.catalogs.dip.layout import ROLES
from fenzhi.catalogs.dip.local import LocalLayout
from fenzhi.catalogs.dip.report import Entry, Report
from fenzhi.catalogs.dip.source import Line
from fenzhi.catalogs.dip.vocabulary import KIND_NUMBERS, KIND_WORDS
from fenzhi.catalogs.models import COMPREHENSIVE, TREATMENTS
from fenzhi.catalogs.titles import half_width

_WIDE = ("medical", "diagnostic", "therapeutic", "surgery")
_KIND_NAMES = {
    column.name: column.titles[0] for column in ROLES[COMPREHENSIVE].columns if column.name in _WIDE
}


class ComprehensiveReader(RowReader):
    """Reads rows of the dictionary."""

    def __init__(
        self, layout: LocalLayout, report: Report, *, dialect: Dialect | None, verbatim: bool = False
    ) -> None:
        super().__init__(layout, report, dialect=dialect, verbatim=verbatim)
        self.by_kind: dict[tuple[object, ...], Draft] = {}

    @staticmethod
    def empty(category: str | None) -> dict[str, Any]:
        """Return a comprehensive group of a category without further conditions."""
        return {**dict.fromkeys(RULE), "layer": COMPREHENSIVE, "main_diag": category}

    def _kinds(self, line: Line) -> list[tuple[str, str]] | None:
        """Return the kinds that a row of the dictionary stands for, each with its code (empty: made here)."""
        code = "".join(half_width(text_of(line.get("seq"))).split())
        number = re.sub(r"\.0+$", "", half_width(text_of(line.get("number"))).strip())
        word = half_width(text_of(line.get("kind"))).strip()
        wide = [kind for kind in _WIDE if kind in line.columns]
        if wide:
            found = []
            for kind in wide:
                cell = half_width(text_of(line.get(kind))).strip()
                if cell and cell.lower() not in ("否", "无", "-", "×", "x", "0"):
                    found.append((kind, cell if re.fullmatch(r"[A-Z]\S*-\S+", cell) else ""))
            return found
        by_word = KIND_WORDS.get(word) or (word if word in TREATMENTS else None)
        by_number = KIND_NUMBERS.get(number)
        if word and by_word is None:
            self.fail(line, "kind", "kind", word)
            return None
        if number and by_number is None:
            self.fail(line, "kind", "number", number)
            return None
        if by_word and by_number and by_word != by_number:
            self.fail(line, "kind_clash", "kind", f"{number} {word}")
            return None
        said = by_word or by_number
        if said is None and code:
            said = KIND_NUMBERS.get(code[-1:]) if code[-2:-1] == "-" else None
            if said is None:
                self.fail(line, "kind", "seq", code)
                return None
        return [(said, code)] if said else [(one, "") for one in _WIDE]

    def comprehensive(self, line: Line) -> None:
        """Read a row of the dictionary: one group, or one per kind."""
        category = self.code_cell(line, "category", "diagnoses")
        raw = "".join(half_width(text_of(line.get("category"))).split())
        if (
            category is None
            and not self.verbatim
            and not self.report.failed(line.place)
            and "category" not in line.cells
        ):
            self.fail(line, "no_diagnosis", "category")
        kinds = self._kinds(line)
        extra = {name: self.code_cell(line, name, "diagnoses") for name in ("other_diag", "any_diag")}
        age = self.cell(line, "age_days", cells.days_max)
        band = self.cell(line, "birth_weight", cells.weight_band) or (None, None)
        grassroots = bool(self.cell(line, "grassroots", cells.flag))
        order = self.cell(line, "order", cells.whole)
        if self.report.failed(line.place):
            return
        if not kinds:
            self.fail(line, "kind", "category", raw)
            return
        if category is not None and "|" not in category and not self.verbatim:
            raw = category
        title = text_of(line.get("category_name"))
        kept = 0
        for kind, code in kinds:
            number = next((n for n, word in KIND_NUMBERS.items() if word == kind), kind)
            group = (
                self.empty(category)
                | extra
                | {"treatment": kind, "age_days_max": age, "grassroots": grassroots}
            )
            group["birth_weight_min_g"], group["birth_weight_max_g"] = band
            group["group_id"] = code or f"{raw}-{number}"
            named = ",".join(part for part in (title or raw, _KIND_NAMES.get(kind, kind)) if part)
            group["name"] = text_of(line.get("name")) or named
            group["note"] = text_of(line.get("note")) or None
            labels = dict.fromkeys(LABELS, "") | {"main_diag_name": title}
            draft = Draft(group, labels, [line.place], order, dict(line.columns))
            kept += self._keep_kind(draft, line)
        if not kept and not self.report.failed(line.place):
            self.report.mark(line.place, "repeated")

    def _keep_kind(self, draft: Draft, line: Line) -> bool:
        """Keep a comprehensive group; one of the same rule is the same category with another mark."""
        key = draft.rule()
        first = self.by_kind.get(key)
        if first is not None and first.places[0] != line.place:
            self.report.add(Entry(line.place, "repeated", first.places[0].short()))
            return False
        self.by_kind.setdefault(key, draft)
        before = len(self.drafts)
        self.keep(draft)
        return len(self.drafts) > before
