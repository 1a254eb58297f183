"""A DRG catalogue compiled: its tables as one list of steps, and every code with the lists it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from fenzhi.arrays import Int8s, Int32s, freeze
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.drg.rules import UNITS, Term, chapter_list, parse_condition, parse_drg_rule, parse_entry
from fenzhi.errors import CatalogError
from fenzhi.grouping.membership import Lists, Membership, levels_of, membership_of
from fenzhi.kernels import drg as kernel

# Fact -> the column of stays it comes from, and how many of its units make one of the rules' unit.
FACTS: dict[str, tuple[str, int]] = {
    "gender": ("gend", 1),
    "age": ("age", 1),
    "age_day": ("nwb_age", 1),
    "weight": ("nwb_bir_wt", 1),
    "los": ("act_ipt_days", 1),
    "leaving_type": ("dscg_way", 1),
    "icu_hours": ("icu_hours", UNITS["icu_hours"]),
    "amount": ("medfee_sumamt_fen", UNITS["amount"]),
    "dept": ("dscg_caty", 1),
}
# The field check reads these in this order.
FIRST_FACTS = ("gender", "age", "age_day", "weight")
COMPARISONS = {
    "<": kernel.LT,
    "<=": kernel.LE,
    ">": kernel.GT,
    ">=": kernel.GE,
    "==": kernel.EQ,
    "!=": kernel.NE,
}
LOOKUPS = {
    "MAIN_DX_IN": ("dx", kernel.MAIN_DX_IN),
    "MAIN_DX_NOT_IN": ("dx", kernel.MAIN_DX_NOT_IN),
    "ANY_DX_IN": ("dx", kernel.ANY_DX_IN),
    "SEC_DX_IN": ("dx", kernel.SEC_DX_IN),
    "MAIN_PROC_IN": ("op", kernel.MAIN_OP_IN),
    "ANY_PROC_IN": ("op", kernel.ANY_OP_IN),
    "SEC_PROC_IN": ("op", kernel.SEC_OP_IN),
}
VALIDITY = {
    "MAIN_PROC_VALID": kernel.MAIN_OP_IN,
    "MAIN_PROC_NOT_VALID": kernel.MAIN_OP_NOT_IN,
    "ANY_PROC_VALID": kernel.ANY_OP_IN,
    "NO_PROC_VALID": kernel.NO_OP_IN,
}
IMPLY_OPERATION = ("MAIN_PROC_IN", "ANY_PROC_IN", "SEC_PROC_IN", "MAIN_PROC_VALID", "ANY_PROC_VALID")
PLAIN = {"HAS_PROC": kernel.HAS_OP, "MCC": kernel.MCC, "CC": kernel.CC, "MCC_OR_CC": kernel.MCC_OR_CC}
QY_TERMS = {"main_proc_valid": "MAIN_PROC_VALID", "any_proc_valid": "ANY_PROC_VALID"}
SEVERITIES = ("MCC", "CC", "MCC_OR_CC")


@dataclass(frozen=True)
class Step:
    """What a step of the kernel belongs to.

    ``level``: ``mdc`` (entry of a chapter), ``adrg``, ``drg``, ``qy`` (slot of ambiguous stays), ``return`` (an ADRG
    that ends without DRG), ``end``. ``code`` and ``alt`` name it; ``term`` is the condition, None for an action.
    """

    level: str
    code: str
    alt: int = 1
    term: Term | None = None


@dataclass(frozen=True)
class CompiledDrg:
    """A catalogue ready for the kernel.

    ``steps``: what the kernel's steps mean, by number. ``dx`` / ``op``: codes and their lists. ``dx_level`` (bits
    HAS_CC, HAS_MCC) and ``dx_excluded_by`` (list of principal diagnoses, -1) belong to the rows of ``dx``;
    ``exclusion_tables`` names those lists. ``facts``: the facts rules use, in the kernel's order; ``texts``: the
    numbers of the departments that rules name. ``chapters``: their codes in order. ``groups``: the catalogue's groups.
    """

    catalog: DrgCatalog
    rules: kernel.Rules
    steps: tuple[Step, ...]
    dx: Membership
    op: Membership
    dx_level: Int8s
    dx_excluded_by: Int32s
    exclusion_tables: Mapping[int, str]
    facts: tuple[str, ...]
    texts: Mapping[str, int]
    chapters: tuple[str, ...]
    groups: pl.DataFrame


class _Compiler:
    """Turns terms into numbers and collects the lists, facts and values they need."""

    def __init__(self, catalog: DrgCatalog) -> None:
        self.tables = catalog.tables
        self.dx, self.op = Lists(), Lists()
        self.steps: list[Step] = []
        self.coded: list[tuple[int, int, int, int]] = []
        self.jump: list[int] = []
        self.chapters: list[int] = []
        self.values: list[int] = []
        self.facts = list(FIRST_FACTS)
        self.texts: dict[str, int] = {}
        members = self.tables["code_list"].sort("pos", nulls_last=True, maintain_order=True)
        lists = members.group_by("list_id", maintain_order=True).agg("code", "tag")
        self.codes = {name: codes for name, codes, _ in lists.iter_rows()}
        self.tags = {name: (codes, tags) for name, codes, tags in lists.iter_rows() if any(tags)}
        chapters = self.tables["mdc_dx"].group_by("mdc", maintain_order=True).agg("code")
        self.codes.update({chapter_list(mdc): codes for mdc, codes in chapters.iter_rows()})
        sites = self.tables["mdc_dx"].filter(pl.col("trauma_site").is_not_null())
        self.sites: dict[str, dict[str, list[str]]] = {}
        for mdc, site, codes in (
            sites.group_by("mdc", "trauma_site", maintain_order=True).agg("code").iter_rows()
        ):
            self.sites.setdefault(mdc, {})[site] = codes
        self.valid = self.op.number("valid", self.tables["valid_procedure"]["code"].to_list())

    def _lookup(self, term: Term, book: Lists) -> int:
        if term.list_id is not None:
            return book.number(term.list_id, self.codes.get(term.list_id, ()))
        return book.number(term.codes, term.codes)

    def _fact(self, name: str) -> int:
        if name not in self.facts:
            self.facts.append(name)
        return self.facts.index(name)

    def _limit(self, term: Term, number: Decimal) -> int:
        """Return a limit in the units in which the fact is held; what falls between two of them is an error."""
        exact = number * FACTS[term.fact][1]
        if exact != exact.to_integral_value():
            raise CatalogError(
                "this limit is finer than the figure is recorded",
                code="CATALOG_VALUE",
                field=term.fact,
                value=term.source,
                remedy="write a whole number",
            )
        return int(exact)

    def _part(self, values: Iterable[int]) -> tuple[int, int]:
        start = len(self.values)
        self.values += values
        return start, len(self.values)

    def _code(self, term: Term, mdc: str) -> tuple[int, int, int, int]:
        if term.kind in LOOKUPS:
            book, kind = LOOKUPS[term.kind]
            return kind, self._lookup(term, self.dx if book == "dx" else self.op), 0, 0
        if term.kind in VALIDITY:
            return VALIDITY[term.kind], self.valid, 0, 0
        if term.kind in PLAIN:
            return PLAIN[term.kind], 0, 0, 0
        if term.kind == "MAIN_PROC_VALID_OR":
            both = [*self.tables["valid_procedure"]["code"], *term.codes]
            return kernel.MAIN_OP_IN, self.op.number(("valid or", term.codes), both), 0, 0
        if term.kind == "SITES":
            assert term.number is not None
            places = self.sites.get(mdc, {})
            numbers = [self.dx.number(("site", mdc, site), codes) for site, codes in places.items()]
            return kernel.SITES, int(term.number), *self._part(numbers)
        if term.kind == "PROC_TAGS":
            return kernel.OP_TAGS, 0, *self._part(self._tag_lists(term))
        if term.kind == "KNOWN":
            return kernel.KNOWN, self._fact(term.fact), 0, 0
        fact = self._fact(term.fact)
        numbers = [self._limit(term, term.number)] if term.number is not None else []
        for text in term.texts:
            if term.fact == "dept":
                numbers.append(self.texts.setdefault(text, len(self.texts)))
            else:
                numbers.append(self._limit(term, Decimal(text)))
        if term.kind == "COMPARE":
            return kernel.COMPARE, fact, COMPARISONS[term.op], numbers[0]
        return kernel.ONE_OF, fact, *self._part(numbers)

    def _tag_lists(self, term: Term) -> list[int]:
        """Return the lists of each AND-set, -1 after each. A code counts for the first tag it is listed under."""
        codes, tags = self.tags.get(term.list_id or "", ([], []))
        first: dict[str, str] = {}
        for code, tag in zip(codes, tags, strict=True):
            first.setdefault(code, tag)
        out = []
        for part in term.tags:
            for tag in part:
                members = [code for code, own in first.items() if own == tag]
                out.append(self.op.number(("tag", term.list_id, tag), members))
            out.append(-1)
        return out

    def action(self, kind: int, step: Step, a: int = 0, b: int = 0) -> None:
        """Append an action."""
        self.steps.append(step)
        self.coded.append((kind, a, b, 0))
        self.jump.append(0)

    def test(self, terms: Iterable[Term], step: Step, mdc: str = "") -> list[int]:
        """Append terms; return their numbers, so that ``land`` can say where to go on if one does not hold."""
        start = len(self.steps)
        for term in terms:
            self.steps.append(replace(step, term=term))
            self.coded.append(self._code(term, mdc))
            self.jump.append(0)
        return list(range(start, len(self.steps)))

    def land(self, tests: Iterable[int]) -> None:
        """Let failed tests go on with the step that comes next."""
        for at in tests:
            self.jump[at] = len(self.steps)

    def leave(self, tests: Iterable[int]) -> None:
        """Let failed tests, or who comes to the end of a chapter, go on with the next chapter."""
        for at in tests:
            self.jump[at] = -1


def _alternatives(frame: pl.DataFrame) -> dict[tuple[str, int], list[dict[str, Any]]]:
    """Return the rows of each alternative of an ADRG, each with its place (``at``) in the table."""
    out: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for at, row in enumerate(frame.iter_rows(named=True), start=1):
        out.setdefault((row["adrg"], row["alt"]), []).append({**row, "at": at})
    return out


def _slot(chapter: dict[str, Any], entries: list[dict[str, Any]]) -> int:
    """Return how many ADRGs of a chapter come before its slot for ambiguous stays.

    The sides of the ADRGs say it where all have one, else the chapter's number, else the last one that is before.
    """
    sides = [entry["qy_side"] for entry in entries]
    if None in sides and chapter["qy_after_n_adrg"] is not None:
        return min(int(chapter["qy_after_n_adrg"]), len(entries))
    if None in sides:
        return max((n for n, side in enumerate(sides, start=1) if side == "before_qy"), default=len(entries))
    return next((n for n, side in enumerate(sides) if side == "after_qy"), len(entries))


@dataclass(frozen=True)
class _Adrg:
    """One alternative of an ADRG: its row, its terms, its DRGs with their terms."""

    row: dict[str, Any]
    terms: list[Term]
    drgs: list[tuple[str, tuple[Term, ...]]]


def _adrgs(tables: Mapping[str, pl.DataFrame], lists: Mapping[str, Any]) -> dict[str, list[_Adrg]]:
    """Return the alternatives of every chapter in order."""
    conditions, drgs = _alternatives(tables["adrg_condition"]), _alternatives(tables["drg"])
    out: dict[str, list[_Adrg]] = {}
    for row in tables["adrg"].iter_rows(named=True):
        key = row["adrg"], row["alt"]
        terms = [
            parse_condition(one, {"file": "adrg_condition.csv", "row": one["at"]})
            for one in conditions.get(key, [])
        ]
        rules = [
            (
                one["drg"],
                parse_drg_rule(one["rule"], lists, {"file": "drg.csv", "row": one["at"], "field": "rule"}),
            )
            for one in drgs.get(key, [])
        ]
        out.setdefault(row["mdc"], []).append(_Adrg(row, terms, rules))
    return out


def _write_adrg(work: _Compiler, adrg: _Adrg, chapter: int, groups: Mapping[str, int]) -> None:
    """Write the steps of one alternative: its terms, its DRGs, what it returns where none fits."""
    name, alt, mdc = adrg.row["adrg"], adrg.row["alt"], adrg.row["mdc"]
    # Who has one of certain operations has an operation.
    implied = any(term.kind in IMPLY_OPERATION for term in adrg.terms)
    needed = [term for term in adrg.terms if term.kind != "HAS_PROC" or not implied]
    gate = work.test(needed, Step("adrg", name, alt), mdc)
    if any(term.kind in SEVERITIES for _, terms in adrg.drgs for term in terms):
        work.action(kernel.SEVERITY, Step("adrg", name, alt))
    for drg, terms in adrg.drgs:
        tests = work.test(terms, Step("drg", drg, alt), mdc)
        work.action(kernel.FOUND, Step("drg", drg, alt), groups[drg], chapter)
        work.land(tests)
    returned = adrg.row["return_if_no_drg"]
    if returned in groups:
        work.action(kernel.FOUND, Step("return", returned, alt), groups[returned], chapter)
    work.land(gate)


def _write_chapters(work: _Compiler, catalog: DrgCatalog, groups: Mapping[str, int]) -> None:
    """Write the steps of all chapters in order, then the end."""
    tables = catalog.tables
    adrgs = _adrgs(tables, work.codes)
    for number, chapter in enumerate(tables["mdc"].iter_rows(named=True)):
        mdc = chapter["mdc"]
        mine = adrgs.get(mdc, [])
        entry = parse_entry(chapter["entry_rule"], mdc, work.codes, {"file": "mdc.csv", "row": number + 1})
        ambiguous = QY_TERMS.get(chapter["qy_rule"] or "off") if catalog.meta.ambiguous else None
        slot = _slot(chapter, [adrg.row for adrg in mine])
        work.chapters.append(len(work.steps))
        gate = work.test(entry, Step("mdc", mdc), mdc)
        asks = any("_DX_" in term.kind for term in entry)
        work.action(kernel.ENTER, Step("mdc", mdc), number, int(asks))
        for at, adrg in enumerate([*mine, None]):
            if at == slot and ambiguous is not None:
                tests = work.test([Term(ambiguous, ambiguous.lower())], Step("qy", mdc))
                work.action(kernel.AMBIGUOUS, Step("qy", mdc), 0, number)
                work.land(tests)
            if adrg is not None:
                _write_adrg(work, adrg, number, groups)
        work.action(kernel.LEAVE, Step("end", mdc))
        work.leave([*gate, len(work.steps) - 1])
    work.chapters.append(len(work.steps))
    work.action(kernel.END, Step("end", ""))


def compile_drg(catalog: DrgCatalog) -> CompiledDrg:
    """Compile a DRG catalogue; raises :class:`CatalogError` for a kind of rule that is unknown."""
    tables, work = catalog.tables, _Compiler(catalog)
    groups = catalog.groups
    _write_chapters(work, catalog, {code: at for at, code in enumerate(groups["group_id"])})
    exclusion = tables["cc_exclusion"].group_by("excl_table", maintain_order=True).agg("main_dx")
    wanted = set(tables["cc"]["excl_table"].drop_nulls())
    numbers = {
        table: work.dx.number(("exclusion", table), codes)
        for table, codes in exclusion.iter_rows()
        if table in wanted
    }
    dx = membership_of(work.dx, (tables["cc"]["code"], tables["icd10"]["code"]))
    op = membership_of(work.op, (tables["icd9cm3"]["code"],))
    level, excluded_by = levels_of(tables["cc"], dx.tokens, numbers)
    coded = np.array(work.coded, dtype=np.int64)
    arrays = freeze(
        coded[:, 0].astype(np.int8),
        coded[:, 1].astype(np.int32),
        coded[:, 2].copy(),
        coded[:, 3].copy(),
        np.array(work.jump, dtype=np.int32),
        np.array(work.chapters, dtype=np.int32),
        np.array(work.values, dtype=np.int64),
    )
    return CompiledDrg(
        catalog=catalog,
        rules=kernel.Rules._make([*arrays, work.valid, catalog.meta.retry_other_operations]),
        steps=tuple(work.steps),
        dx=dx,
        op=op,
        dx_level=level,
        dx_excluded_by=excluded_by,
        exclusion_tables={number: table for table, number in numbers.items()},
        facts=tuple(work.facts),
        texts=work.texts,
        chapters=tuple(tables["mdc"]["mdc"]),
        groups=groups,
    )
