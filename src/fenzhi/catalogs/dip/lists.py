"""Rows of the lists: what is excluded, resistance, named sets, grassroots groups, operation types, names, mappings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from fenzhi.catalogs.dialect import Dialect, is_usual, parse_tidy_cell, token_kind
from fenzhi.catalogs.dip import codes
from fenzhi.catalogs.dip.codes import NATIONAL, CellError
from fenzhi.catalogs.dip.drafts import Draft, text_of, tokens_of
from fenzhi.catalogs.dip.layout import RESISTANT, WITH_NAMES
from fenzhi.catalogs.dip.local import LocalLayout
from fenzhi.catalogs.dip.report import Entry, Place, Report
from fenzhi.catalogs.dip.source import Line
from fenzhi.catalogs.dip.vocabulary import EXCLUSION_WORDS, TYPE_WORDS
from fenzhi.catalogs.models import COMPREHENSIVE
from fenzhi.catalogs.titles import half_width

_WITHIN = re.compile(r"[A-Z]\d\d(?:\.[0-9x]\d*)?(?:-[A-Z]?\d\d(?:\.\d)?)?|@[A-Z0-9_]+")
_RESISTANCE = re.compile(r"U8\d\.?\d*")


@dataclass
class Exclusion:
    """A row of exclusions.csv with its place in the workbook."""

    kind: str
    code: str
    within: str | None
    note: str | None
    place: Place
    order: int | None = None


@dataclass
class ListReader:
    """Reads rows of lists. Books and maps are kept as code -> value, in the order of the rows."""

    layout: LocalLayout
    report: Report
    dialect: Dialect | None
    verbatim: bool = False
    exclusions: list[Exclusion] = field(default_factory=list)
    sets: dict[str, dict[str, None]] = field(default_factory=dict)
    resistance: dict[str, None] = field(default_factory=dict)
    operations: dict[str, tuple[str | None, str, str | None, Place]] = field(default_factory=dict)
    books: dict[str, dict[str, tuple[str, Place]]] = field(default_factory=dict)
    grassroots: list[Line] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    tcm: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def fail(self, line: Line, reason: str, name: str, part: str = "") -> None:
        """Report a row."""
        at, title = line.columns.get(name, (None, ""))
        self.report.add(Entry(line.place, reason, part, "", title, at, text_of(line.get(name))))

    def same(self, line: Line, place: Place) -> None:
        """Say that a row repeats another one."""
        self.report.mark(line.place, "repeated")
        self.report.add(Entry(line.place, "repeated", place.short()))

    def codes_of(self, line: Line, name: str, book: codes.Book, dialect: Dialect | None = None) -> str | None:
        """Return a cell of codes; None if it is not understood, which is then reported."""
        raw = line.get(name)
        if self.verbatim and raw.strip():
            return codes.verbatim(raw)
        try:
            if name in line.columns and WITH_NAMES.search(line.columns[name][1]):
                raw = codes.without_names(raw, book)
            if book == "operations":
                found, remarks = codes.operations(raw, dialect, self.layout.number_places)
            else:
                found, remarks = codes.diagnoses(raw, dialect)
        except CellError as fault:
            self.report.fault(line.place, fault, line.columns.get(name), text_of(raw))
            return None
        for remark in remarks:
            at, title = line.columns[name]
            self.report.add(Entry(line.place, remark, text_of(raw), "", title, at, text_of(raw)))
        if found is None:
            self.fail(line, "no_code", name)
        return found

    def one_code(self, line: Line, book: codes.Book, name: str = "code") -> str | None:
        """Return the one code of a row."""
        found = self.codes_of(line, name, book)
        if (
            not self.verbatim
            and found is not None
            and ("|" in found or (book == "operations" and "+" in found))
        ):
            self.fail(line, "one_code", name, found[:40])
            return None
        return found

    def excluded_diagnosis(self, line: Line) -> None:
        """Read a diagnosis that cannot be principal."""
        code = self.one_code(line, "diagnoses")
        if code is None:
            return
        kind = token_kind(code)
        if kind in ("range", "set") and not self.verbatim:
            self.fail(line, "one_code", "code", code)
            return
        if kind != "full" and not self.verbatim:
            self.fail(line, "short_excluded", "code", code)
        self._exclude(line, "diagnosis", code, None, text_of(line.get("note")))

    def excluded_operation(self, line: Line) -> None:
        """Read an operation that cannot be main, with its effect."""
        code = self.one_code(line, "operations")
        kind, within, rest = self._effect(line)
        if code is not None and kind is not None:
            self._exclude(line, kind, code, within, rest)

    def _effect(self, line: Line) -> tuple[str | None, str | None, str]:
        """Return kind, diagnoses and what else the remark says."""
        rule, note = (half_width(text_of(line.get(name))).replace(" ", "") for name in ("rule", "note"))
        said = rule or note
        rest = note if rule else ""
        if not said:
            titles = (half_width(line.section), half_width(line.place.sheet))
            said = next((word for title in titles for word in EXCLUSION_WORDS if word in title), "")
            said = next((title for title in titles if said and _WITHIN.search(codes.plain(title))), said)
            if not said:
                name = "rule" if "rule" in line.columns else "note"
                at, title = line.columns.get(name, (None, ""))
                self.report.add(Entry(line.place, "no_note", "", "", title, at))
                return "as_conservative", None, rest
        ranges = _WITHIN.findall(codes.plain(said))
        limited = "可作" in said and re.search(r"不可作|不能作", said) is None
        if line.get("within").strip() and (limited or "限" in said):
            found = self.codes_of(line, "within", "diagnoses", self.dialect)
            return ("main_within", found, rest) if found else (None, None, rest)
        if limited and ranges:
            sign = "|" if self.dialect is None else self.dialect.or_
            try:
                found, _ = codes.diagnoses("|".join(ranges), None)
            except CellError as fault:
                self.report.fault(line.place, fault, line.columns.get("note"), said)
                return None, None, rest
            return "main_within", (found or "").replace("|", sign), rest
        if limited or "限范围" in said:
            self.fail(line, "no_within", "within" if "within" in line.columns else "note", said)
        elif re.search(r"不可作|不能作|不作为主要|不得作", said):
            return "cannot_be_main", None, rest
        elif "保守" in said:
            return "as_conservative", None, rest
        else:
            self.fail(line, "exclusion", "rule" if rule else "note", said)
        return None, None, rest

    def _exclude(self, line: Line, kind: str, code: str, within: str | None, rest: str) -> None:
        name = text_of(line.get("name"))
        note = f"{name}({rest})" if name and rest else name or rest
        book = "diagnosis" if kind == "diagnosis" else "operation"
        for first in self._listed.setdefault(book, {}).get(code, ()):
            if (first.kind, first.within) == (kind, within):
                self.same(line, first.place)
            else:
                self.fail(line, "excluded_twice", "code", first.place.short())
            return
        order = text_of(line.get("order"))
        row = Exclusion(
            kind, code, within, note or None, line.place, int(order) if order.isdecimal() else None
        )
        self._listed[book][code] = (row,)
        self.exclusions.append(row)

    _listed: dict[str, dict[str, tuple[Exclusion, ...]]] = field(default_factory=dict)

    def resistant(self, line: Line) -> None:
        """Read a diagnosis that says resistance."""
        code = self.one_code(line, "diagnoses")
        if code in self.resistance:
            self.report.mark(line.place, "repeated")
            self.report.add(Entry(line.place, "repeated", code or ""))
        elif code is not None:
            self.resistance[code] = None

    def named_set(self, line: Line) -> None:
        """Read a code of a named set."""
        name = half_width(text_of(line.get("set"))).strip().lstrip("@")
        code = self.one_code(line, "diagnoses")
        if not name:
            self.fail(line, "no_code", "set")
        elif code is not None:
            self.sets.setdefault(name, {})[code] = None

    def operation(self, line: Line) -> None:
        """Read the type of an operation, and its level."""
        code = self.one_code(line, "operations")
        said = half_width(text_of(line.get("type"))).strip()
        kind = TYPE_WORDS.get(said.lower())
        if kind is None:
            self.fail(line, "type", "type", said or "—")
        if code is None or kind is None:
            return
        first = self.operations.get(code)
        if first is None:
            name, level = text_of(line.get("name")), half_width(text_of(line.get("level"))).strip()
            self.operations[code] = (name or None, kind, level or None, line.place)
        elif first[1] == kind:
            self.same(line, first[3])
        else:
            self.fail(line, "type_conflict", "type", first[3].short())

    def name(self, line: Line, book: codes.Book) -> None:
        """Read the name of a code."""
        code = self.one_code(line, book)
        if code is None:
            return
        name = text_of(line.get("name"))
        known = self.books.setdefault(line.role, {})
        first = known.get(code)
        if first is None:
            known[code] = (name, line.place)
        elif first[0] == name:
            self.same(line, first[1])
        else:
            self.report.mark(line.place, "repeated")
            self.report.add(Entry(line.place, "name_conflict", first[1].short()))

    def mapping(self, line: Line) -> None:
        """Read what a code is mapped to. Clinical codes may have any form: they are only tidied."""
        code, target = ("".join(codes.plain(text_of(line.get(name))).split()) for name in ("code", "target"))
        if not code:
            self.fail(line, "no_code", "code")
            return
        if not target:
            self.fail(line, "no_target", "target")
            return
        known = self.books.setdefault(line.role, {})
        first = known.get(code)
        if first is None:
            known[code] = (target, line.place)
        elif first[0] == target:
            self.same(line, first[1])
        else:
            self.fail(line, "map_conflict", "target", first[1].short())

    def tcm_row(self, line: Line) -> None:
        """Read a row of the tables of TCM-advantage groups, which have the form of the folder."""
        self.tcm.setdefault(line.role, []).append({name: text_of(line.get(name)) for name in line.columns})

    def setting(self, line: Line) -> None:
        """Read a key of catalog.toml."""
        self.meta[text_of(line.get("key"))] = text_of(line.get("value"))

    def exclusion_rows(self) -> list[Exclusion]:
        """Return the exclusions: diagnoses first, unless the rows state an order."""
        rows = sorted(self.exclusions, key=lambda row: row.kind != "diagnosis")
        if all(row.order is not None for row in rows):
            rows.sort(key=lambda row: row.order or 0)
        return rows

    def resistance_set(self, drafts: list[Draft], *, own: bool) -> None:
        """Put the list of resistance diagnoses among the sets, with what says resistance by itself."""
        asking = [draft for draft in drafts if f"@{RESISTANT}" in (draft.group["any_diag"] or "")]
        for draft in asking:
            for code in _RESISTANCE.findall(draft.labels["resistant_note"].upper()):
                # A remark names U84.300 where it means the subcategory, whatever follows.
                if not any(code.startswith(known) for known in self.resistance):
                    self.resistance[code[:5]] = None
        code = self.layout.resistance_code
        wanted = asking and self.resistance and not own and is_usual(code)
        if wanted and not any(code.startswith(known) for known in self.resistance):
            self.resistance[code] = None
            place = asking[0].places[0]
            self.report.add(Entry(Place(place.file, place.sheet), "resistance_added", code))
        if self.resistance and RESISTANT not in self.sets and (asking or self._names_resistant()):
            self.sets[RESISTANT] = dict(self.resistance)
        for draft in asking:
            if RESISTANT not in self.sets:
                at, title = draft.columns.get("resistant", (None, ""))
                for place in draft.places:
                    self.report.add(Entry(place, "no_resistance", "", "", title, at))
        self._one_sided(asking, drafts)

    def _one_sided(self, asking: list[Draft], drafts: list[Draft]) -> None:
        """Say where resistant stays enter a row that is not for them, since none for them has its operation."""
        theirs: dict[str | None, set[str]] = {}
        for draft in asking:
            operations = (draft.group["main_oprn"] or "").split("|")
            theirs.setdefault(draft.group["main_diag"], set()).update(operations)
        for draft in drafts:
            group = draft.group
            known = theirs.get(group["main_diag"])
            if known is None or group["any_diag"] is not None or not group["main_oprn"]:
                continue
            missing = [one for one in group["main_oprn"].split("|") if one not in known]
            if missing:
                at, title = draft.columns.get("main_oprn", (None, ""))
                part = "、".join(missing[:3])
                self.report.add(Entry(draft.places[0], "one_sided", part, "", title, at, group["main_oprn"]))

    def _names_resistant(self) -> bool:
        return any(f"@{RESISTANT}" in (row.within or "") for row in self.exclusions)

    def flag_grassroots(self, drafts: list[Draft]) -> None:
        """Flag the groups that the list of grassroots groups names, by code or by diagnosis and operation."""
        by_id = {draft.group["group_id"]: draft for draft in drafts}
        by_dip = {draft.labels["dip_code"]: draft for draft in drafts if draft.labels["dip_code"]}
        core = [
            _Core(draft, self.dialect or NATIONAL)
            for draft in drafts
            if draft.group["layer"] != COMPREHENSIVE
        ]
        exact: dict[tuple[object, object], list[_Core]] = {}
        for one in core:
            exact.setdefault((one.diagnoses, one.operations), []).append(one)
        for line in self.grassroots:
            code = "".join(half_width(text_of(line.get("seq"))).split())
            dip = "".join(half_width(text_of(line.get("dip_code"))).split())
            named = by_id.get(code) or by_id.get(dip) or by_dip.get(dip)
            if named is not None:
                named.group["grassroots"] = True
            elif (code and not line.get("main_diag")) or (dip and not line.get("main_diag")):
                self.fail(line, "grassroots_none", "seq" if code else "dip_code", code or dip)
            else:
                self._flag_by_rule(line, core, exact)

    def _flag_by_rule(
        self, line: Line, core: list[_Core], exact: dict[tuple[object, object], list[_Core]]
    ) -> None:
        wanted = self.codes_of(line, "main_diag", "diagnoses", self.dialect)
        cell = None
        if line.get("main_oprn").strip():
            try:
                cell, _ = codes.operations(line.get("main_oprn"), self.dialect, self.layout.number_places)
            except CellError as fault:
                self.report.fault(
                    line.place, fault, line.columns.get("main_oprn"), text_of(line.get("main_oprn"))
                )
                return
        if wanted is None:
            return
        dialect = self.dialect or NATIONAL
        diagnoses, operations = tokens_of(wanted, dialect), _sets(cell, dialect)
        found = exact.get((diagnoses, operations), [])
        if not found:
            found = [one for one in core if one.only(diagnoses) and one.within(operations)]
        if not found:
            wider = [one for one in core if one.diagnoses & diagnoses and one.touches(operations)]
            part = f"{wanted} {cell or '保守治疗'}"
            if wider:
                part += f" → {'、'.join(str(one.draft.group['group_id']) for one in wider[:3])}"
            self.fail(line, "grassroots_part" if wider else "grassroots_none", "main_diag", part)
        for one in found:
            one.draft.group["grassroots"] = True


def _sets(cell: str | None, dialect: Dialect) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(sorted(one)) for one in parse_tidy_cell(cell, dialect)) if cell else frozenset()


class _Core:
    """A core group by its diagnoses and operations; without operations it is conservative."""

    def __init__(self, draft: Draft, dialect: Dialect) -> None:
        self.draft = draft
        group: dict[str, Any] = draft.group
        self.diagnoses = tokens_of(group["main_diag"], dialect)
        self.operations = _sets(group["main_oprn"], dialect)

    def only(self, diagnoses: frozenset[str]) -> bool:
        """Tell whether all its diagnoses are named, or lie in a category or subcategory that is."""
        return all(one in diagnoses or bool({one[:3], one[:5]} & diagnoses) for one in self.diagnoses)

    def within(self, operations: frozenset[tuple[str, ...]]) -> bool:
        """Tell whether the group does nothing that the list does not name."""
        if not self.diagnoses:
            return False
        return self.operations <= operations if self.operations else not operations

    def touches(self, operations: frozenset[tuple[str, ...]]) -> bool:
        """Tell whether the group shares an operation, or is conservative as the list says."""
        return bool(self.operations & operations) if operations else not self.operations
