"""CHS-DRG grouping of one stay by walking the CSV tables, rule by rule, in plain Python.

Written from the rules of CHS-DRG grouping and not from the engine: the tables are read with the csv module,
nothing is compiled, chapters, ADRGs and DRGs are tried one after the other.
"""

from __future__ import annotations

import csv
import operator
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = dict[str, Any]

GROUPED, UNGROUPED, AMBIGUOUS = "分组成功", "无法入组", "歧义病案"
NOT_CHECKED, NO_DIAGNOSIS, NO_OPERATION = "信息校验不通过", "诊断不能转换", "手术操作不能转换"
NOTHING = ("0000", "00", "0000")

# The names of a stay's figures in the tables -> column of the stay.
FIGURES = {
    "age": "age",
    "age_day": "nwb_age",
    "ageday": "nwb_age",
    "weight": "nwb_bir_wt",
    "los": "act_ipt_days",
    "inhospitaltime": "act_ipt_days",
    "leaving_type": "dscg_way",
    "leavingtype": "dscg_way",
    "gender": "gend",
    "icu_hours": "icu_hours",
    "icuhours": "icu_hours",
    "dept": "dscg_caty",
}
SIGNS = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Answer:
    """What a stay is grouped into. ``way``: ("mdc", m), ("adrg", a, alt), ("drg", d), ("qy", m) in order."""

    status: str
    mdc: str
    adrg: str
    drg: str
    way: tuple[tuple[str, ...], ...] = ()

    @property
    def result(self) -> tuple[str, str, str, str]:
        """What is compared with the engine."""
        return self.status, self.mdc, self.adrg, self.drg

    @property
    def chapters(self) -> list[str]:
        """The chapters entered, in order."""
        return [step[1] for step in self.way if step[0] == "mdc"]


def read(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one table; a table that is not there has none."""
    path = folder / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


@dataclass
class TwinDrg:
    """The tables of a version as dicts and lists, in the order in which they are tried."""

    chapters: list[Row]
    sites: dict[str, dict[str, str]]
    adrgs: dict[str, list[Row]]
    conditions: dict[tuple[str, str], list[Row]]
    lists: dict[str, dict[str, str]]
    drgs: dict[tuple[str, str], list[Row]]
    cc: dict[str, tuple[str, str]]
    exclusion: dict[str, str]
    valid: set[str]
    books: dict[str, dict[str, str]]
    retry: bool = False
    ambiguous: bool = True
    translate: bool = False

    @classmethod
    def read(cls, folder: Path, translate: bool = False) -> TwinDrg:
        """Read a folder of tables. ``translate``: codes go through the code books first."""
        version = {row["key"]: row["value"] for row in read(folder, "version")}
        sites: dict[str, dict[str, str]] = defaultdict(dict)
        for row in read(folder, "mdc_dx"):
            sites[row["mdc"]][row["code"]] = row["trauma_site"]
        adrgs = defaultdict(list)
        for row in sorted(read(folder, "adrg"), key=lambda row: int(row["eval_order"])):
            adrgs[row["mdc"]].append(row)
        conditions = defaultdict(list)
        for row in read(folder, "adrg_condition"):
            conditions[row["adrg"], row["alt"]].append(row)
        lists: dict[str, dict[str, str]] = defaultdict(dict)
        for row in sorted(read(folder, "code_list"), key=lambda row: int(row["pos"])):
            lists[row["list_id"]].setdefault(row["code"], row["tag"])  # of two tags the first counts
        drgs = defaultdict(list)
        for row in sorted(read(folder, "drg"), key=lambda row: int(row["test_order"])):
            drgs[row["adrg"], row["alt"]].append(row)
        return cls(
            chapters=sorted(read(folder, "mdc"), key=lambda row: int(row["eval_order"])),
            sites=sites,
            adrgs=adrgs,
            conditions=conditions,
            lists=lists,
            drgs=drgs,
            cc={row["code"]: (row["level"], row["excl_table"]) for row in read(folder, "cc")},
            exclusion={row["main_dx"]: row["excl_table"] for row in read(folder, "cc_exclusion")},
            valid={row["code"] for row in read(folder, "valid_procedure")},
            books={
                name: {row["code"]: row["map_to"] for row in read(folder, name)}
                for name in ("icd10", "icd9cm3")
            },
            retry=version.get("retry_each_other_procedure_when_0000") == "1",
            ambiguous=version.get("qy", "on") != "off",
            translate=translate,
        )


@dataclass
class Case:
    """A stay with its codes split: principal diagnosis, main operation and the rest."""

    tables: TwinDrg
    stay: Mapping[str, Any]
    dx: list[str]
    procs: list[str]

    def figure(self, name: str) -> Any:
        return self.stay.get(FIGURES[name])

    def in_list(self, codes: list[str], wanted: Mapping[str, str] | list[str]) -> bool:
        return any(code in wanted for code in codes)

    def compare(self, name: str, sign: str, value: str) -> bool:
        """A missing figure makes every comparison false."""
        figure = self.figure(name)
        if figure is None:
            return False
        return bool(SIGNS[sign](figure, value if name == "dept" else Decimal(value)))

    def severe(self) -> set[str]:
        """The levels (MCC, CC) of the secondary diagnoses that the principal one does not exclude."""
        own = self.tables.exclusion.get(self.dx[0], "")
        levels = set()
        for code in self.dx[1:]:
            level, table = self.tables.cc.get(code, ("", ""))
            if level and not (own and own == table):
                levels.add(level)
        return levels

    def look_up(self, name: str, wanted: Mapping[str, str] | list[str]) -> bool:
        """Is the named code of the stay (main_dx, any_proc ...) among the wanted ones?"""
        codes = {
            "main_dx": self.dx[:1],
            "any_dx": self.dx,
            "sec_dx": self.dx[1:],
            "main_proc": self.procs[:1],
            "any_proc": self.procs,
            "sec_proc": self.procs[1:],
        }[name]
        return self.in_list(codes, wanted)

    def valid(self, codes: list[str]) -> bool:
        return any(code in self.tables.valid for code in codes)

    def tags(self, list_id: str, rule: str) -> bool:
        """Do the tags found over all operations satisfy the rule, an OR of ANDs?"""
        tagged = self.tables.lists.get(list_id, {})
        found = {tagged[code] for code in self.procs if code in tagged}
        return any(all(tag.strip() in found for tag in term.split("&")) for term in rule.split("|"))

    def condition(self, row: Row) -> bool:
        """Does one row of adrg_condition hold?"""
        kind, arg = row["kind"], row["arg"]
        wanted = self.tables.lists.get(row["list_id"], {})
        if kind == "MAIN_DX_NOT_IN":
            return not self.look_up("main_dx", wanted)
        if kind.endswith("_IN"):
            return self.look_up(kind.removesuffix("_IN").lower(), wanted)
        if kind == "HAS_PROC":
            return bool(self.procs)
        if kind == "MAIN_PROC_VALID":
            return self.valid(self.procs[:1])
        if kind == "MAIN_PROC_NOT_VALID":
            return not self.valid(self.procs[:1])
        if kind == "ANY_PROC_VALID":
            return self.valid(self.procs)
        if kind == "NO_PROC_VALID":
            return not self.valid(self.procs)
        if kind == "AGE_DAY_KNOWN":
            return self.figure("age_day") is not None
        if kind == "AGE_DAY_MAX":
            return self.compare("age_day", "<=", arg)
        if kind == "WEIGHT_NONZERO":
            return bool(self.figure("weight"))
        if kind == "WEIGHT_LT":
            return self.compare("weight", "<", arg)
        if kind == "WEIGHT_GE":
            return self.compare("weight", ">=", arg)
        if kind == "PROC_TAGS":
            return self.tags(row["list_id"], arg)
        raise AssertionError(f"unknown kind {kind}")

    def term(self, text: str) -> bool:
        """Does one term of a DRG rule hold (chapters use some of them as well)?"""
        if text == "always":
            return True
        if text in ("mcc", "cc"):
            return text.upper() in self.severe()
        if text == "mcc_or_cc":
            return bool(self.severe())
        if found := re.fullmatch(r"(\w+?)_(not_in|in)\s*:(.*)", text):
            name, values = found[1], parts(found[3])
            if name in FIGURES:
                known = [value if name == "dept" else Decimal(value) for value in values]
                return self.figure(name) is not None and self.figure(name) in known
            lists = self.tables.lists
            inside = self.look_up(
                name, lists[values[0]] if len(values) == 1 and values[0] in lists else values
            )
            return inside == (found[2] == "in")
        found = re.fullmatch(r"(\w+)\s*(<=|>=|==|!=|<|>)\s*(.*)", text)
        assert found, f"unknown term {text}"
        if found[1] in FIGURES:
            return self.compare(found[1], found[2], found[3])
        assert found[2] == "=="
        return self.look_up(found[1], [found[3]])

    def entry_term(self, mdc: str, text: str) -> bool:
        """Does one term of a chapter's entry rule hold?"""
        own = self.tables.sites.get(mdc, {})
        if text in ("main_dx", "any_dx"):
            return self.look_up(text, own)
        if text in ("male", "female"):
            return self.compare("gender", "==", "1" if text == "male" else "2")
        if text == "age0":
            return self.compare("age", "==", "0")
        if text == "main_proc_valid":
            return self.valid(self.procs[:1])
        if text.startswith("main_proc_valid_or:"):
            return self.valid(self.procs[:1]) or self.look_up("main_proc", parts(text.partition(":")[2]))
        if found := re.fullmatch(r"sites\s*>=\s*(\d+)", text):
            touched = {own[code] for code in self.dx if own.get(code)}
            return len(touched) >= int(found[1])
        return self.term(text)

    def all_terms(self, rule: str) -> Iterator[str]:
        return (term.strip() for term in rule.split(";") if term.strip())

    def enters(self, chapter: Row) -> bool:
        return all(self.entry_term(chapter["mdc"], term) for term in self.all_terms(chapter["entry_rule"]))

    def ambiguous(self, chapter: Row) -> bool:
        """Does the QY slot of a chapter take the stay?"""
        rule = chapter["qy_rule"] if self.tables.ambiguous else "off"
        return {
            "off": False,
            "main_proc_valid": self.valid(self.procs[:1]),
            "any_proc_valid": self.valid(self.procs),
        }[rule]

    def search(self) -> Answer:
        """Try chapters, ADRGs and DRGs in order; the first that takes the stay ends the search."""
        way: list[tuple[str, ...]] = []
        for chapter in self.tables.chapters:
            if self.enters(chapter):
                way.append(("mdc", chapter["mdc"]))
                found = self.search_chapter(chapter, way)
                if found is not None:
                    return Answer(*found, tuple(way))
        return Answer(UNGROUPED, *NOTHING, tuple(way))

    def search_chapter(self, chapter: Row, way: list[tuple[str, ...]]) -> tuple[str, str, str, str] | None:
        mdc = chapter["mdc"]
        rows = self.tables.adrgs.get(mdc, [])
        for place in range(len(rows) + 1):
            if place == int(chapter["qy_after_n_adrg"] or 0) and self.ambiguous(chapter):
                way.append(("qy", mdc))
                return AMBIGUOUS, mdc, "QY", mdc.removeprefix("MDC") + "QY"
            if place == len(rows):
                return None
            row = rows[place]
            key = (row["adrg"], row["alt"])
            if not all(self.condition(term) for term in self.tables.conditions.get(key, [])):
                continue
            way.append(("adrg", *key))
            for drg in self.tables.drgs.get(key, []):
                if all(self.term(term) for term in self.all_terms(drg["rule"])):
                    way.append(("drg", drg["drg"]))
                    return GROUPED, mdc, row["adrg"], drg["drg"]
            if row["return_if_no_drg"]:
                return GROUPED, mdc, row["adrg"], row["return_if_no_drg"]
        return None


def translated(codes: list[str], book: Mapping[str, str]) -> list[str] | None:
    """The codes through a map (``=`` is itself); None if one of them is not in it."""
    found = []
    for code in codes:
        target = book.get(code, "")
        if not target:
            return None
        found.append(code if target == "=" else target)
    return found


def is_sound(stay: Mapping[str, Any]) -> bool:
    """Sex, age and, of newborns, days and birth weight have to be known."""
    if stay["gend"] not in (1, 2) or stay["age"] is None:
        return False
    if stay["age"] == 0:
        days = stay["nwb_age"]
        return days is not None and not (days <= 28 and stay["nwb_bir_wt"] is None)
    return True


def group(stay: Mapping[str, Any], tables: TwinDrg) -> Answer:
    """Group one stay: the columns of FIGURES (null: not known), diag_codes and oprn_codes as lists."""
    dx = [code or "" for code in stay["diag_codes"]] or [""]
    procs = [code or "" for code in stay["oprn_codes"] or []]
    if procs == [""]:  # what splitting an empty text gives
        procs = []
    if tables.translate:
        new_dx = translated(dx, tables.books["icd10"])
        if new_dx is None:
            return Answer(NO_DIAGNOSIS, *NOTHING)
        new_procs = translated(procs, tables.books["icd9cm3"])
        if new_procs is None:
            return Answer(NO_OPERATION, *NOTHING)
        dx, procs = new_dx, new_procs
    if not is_sound(stay):
        return Answer(NOT_CHECKED, *NOTHING)
    answer = Case(tables, stay, dx, procs).search()
    if tables.retry:
        for further in procs[1:]:
            if answer.status != UNGROUPED:
                break
            again = Case(tables, stay, dx, [further]).search()
            answer = Answer(*again.result, answer.way + again.way)
    return answer
