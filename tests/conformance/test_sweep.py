"""Every diagnosis, every operation and every CC / MCC of the reference tables: the engine as the twin."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from fenzhi.grouping import group_drg
from twins.drg import TwinDrg, group
from twins.drg_engine import results, stays_frame

Row = dict[str, Any]
pytestmark = pytest.mark.slow

FIGURES = dict.fromkeys(("nwb_age", "nwb_bir_wt", "act_ipt_days", "dscg_way", "dscg_caty", "icu_hours"))
MALE: Row = {**FIGURES, "gend": 1, "age": 50}
FEMALE: Row = {**FIGURES, "gend": 2, "age": 50}
NEWBORN: Row = {**FIGURES, "gend": 1, "age": 0, "nwb_age": 3, "nwb_bir_wt": 1800}


def stay(figures: Row, dx: list[str], procs: list[str]) -> Row:
    return {**figures, "diag_codes": dx, "oprn_codes": procs}


def compare(stays: list[Row], rules, twin: TwinDrg) -> list[tuple[str, str, str, str]]:
    """Group by both, require the same answers and return them."""
    found = results(group_drg(stays_frame(stays), rules).frame)
    wanted = [group(one, twin).result for one in stays]
    wrong = [
        (one["diag_codes"], one["oprn_codes"], ours, theirs)
        for one, ours, theirs in zip(stays, found, wanted, strict=True)
        if ours != theirs
    ]
    assert wrong == []
    return found


def lists_of(row: Row, twin: TwinDrg, kinds: tuple[str, ...]) -> Iterator[str]:
    """The codes of the lists that an ADRG looks up by one of the kinds."""
    for term in twin.conditions.get((row["adrg"], row["alt"]), []):
        if term["kind"] in kinds:
            yield from twin.lists.get(term["list_id"], {})


def diagnoses(twin: TwinDrg) -> list[str]:
    """Every diagnosis of the tables."""
    codes = {
        *twin.books["icd10"],
        *twin.cc,
        *twin.exclusion,
        *(c for own in twin.sites.values() for c in own),
    }
    for rows in twin.adrgs.values():
        for row in rows:
            codes.update(lists_of(row, twin, ("MAIN_DX_IN", "ANY_DX_IN", "SEC_DX_IN", "MAIN_DX_NOT_IN")))
    return sorted(codes)


def operations(twin: TwinDrg) -> dict[str, list[tuple[str, Row]]]:
    """Every operation of the tables with the ADRGs (chapter, row) whose lists hold it."""
    found: dict[str, list[tuple[str, Row]]] = {
        code: [] for code in sorted({*twin.books["icd9cm3"], *twin.valid})
    }
    for mdc, rows in twin.adrgs.items():
        for row in rows:
            for code in lists_of(row, twin, ("MAIN_PROC_IN", "ANY_PROC_IN", "SEC_PROC_IN", "PROC_TAGS")):
                found.setdefault(code, []).append((mdc, row))
    return found


def test_every_principal_diagnosis(rules, twin):
    chapters = defaultdict(list)
    for mdc, own in twin.sites.items():
        for code in own:
            chapters[code].append(mdc)
    surgical = {
        mdc: sorted({code for row in rows for code in lists_of(row, twin, ("MAIN_PROC_IN",))})
        for mdc, rows in twin.adrgs.items()
    }
    stays = []
    for number, code in enumerate(diagnoses(twin)):
        known = chapters.get(code, ["MDCA"])
        choices = surgical[known[number % len(known)]] or surgical["MDCA"]
        main = choices[number * 7919 % len(choices)]
        stays.append(stay(MALE, [code], []))
        stays.append(stay(FEMALE, [code], [main]))
        stays.append(stay(NEWBORN, [code], [main] if number % 2 else []))
        if set(known) & {"MDCM", "MDCN"}:
            stays += [stay(FEMALE, [code], []), stay(MALE, [code], [main])]
    found = compare(stays, rules, twin)
    assert len(stays) > 3 * 37_000
    assert {mdc for _, mdc, _, _ in found} >= {chapter["mdc"] for chapter in twin.chapters} - {"MDCZ"}


def test_every_main_operation(rules, twin):
    stays = []
    for number, (code, places) in enumerate(operations(twin).items()):
        stays.append(stay(MALE, ["Z00.000"], [code]))
        for mdc, row in places:
            own = list(twin.sites.get(mdc) or ["Z00.000"])
            wanted = [dx for dx in lists_of(row, twin, ("MAIN_DX_IN",)) if dx in twin.sites.get(mdc, {})]
            principal = (wanted or own)[number % len(wanted or own)]
            figures = NEWBORN if mdc == "MDCP" else FEMALE if mdc == "MDCN" else MALE
            # A diagnosis of each site opens the chapter of injuries to several of them.
            sites = {site: dx for dx, site in twin.sites.get(mdc, {}).items() if site}
            stays.append(stay(figures, [principal, *sites.values()], [code]))
    found = compare(stays, rules, twin)
    surgical = {row["adrg"] for rows in twin.adrgs.values() for row in rows if row["type"] == "surgical"}
    reached = {adrg for _, _, adrg, _ in found}
    assert len(stays) > 2 * 10_000
    assert len(surgical & reached) > 0.9 * len(surgical)


def sensitive(twin: TwinDrg) -> list[str]:
    """Principal diagnoses with an exclusion table whose DRG, of a man without operation, shows CC and MCC.

    Not those of the chapter that a second diagnosis may open.
    """
    split = {
        row["adrg"]
        for rows in twin.adrgs.values()
        for row in rows
        if [drg["rule"] for drg in twin.drgs[row["adrg"], row["alt"]]] == ["mcc", "mcc_or_cc", "always"]
    }
    codes = [code for code in twin.exclusion if code not in twin.sites["MDCZ"]]
    return [code for code in codes if group(stay(MALE, [code], []), twin).adrg in split]


def test_every_cc_and_mcc_inside_and_outside_its_exclusion(rules, twin):
    by_table: dict[str, list[str]] = defaultdict(list)
    for code in sensitive(twin):
        by_table[twin.exclusion[code]].append(code)
    members: dict[str, list[str]] = defaultdict(list)
    for code, table in twin.exclusion.items():
        members[table].append(code)
    tables = list(by_table)
    stays, checks = [], []
    for number, (code, (level, table)) in enumerate(twin.cc.items()):
        other = next(t for t in tables[number % len(tables) :] + tables if t != table)
        outside = by_table[other][number % len(by_table[other])]
        stays += [stay(MALE, [outside], []), stay(MALE, [outside, code], [])]
        checks.append((code, "1" if level == "MCC" else "3"))
        own = by_table.get(table) or members[table]  # a few tables have no principal diagnosis at all
        if own:
            inside = own[number % len(own)]
            stays += [stay(MALE, [inside], []), stay(MALE, [inside, code], [])]
            checks.append((code, ""))
    found = [drg for *_, drg in compare(stays, rules, twin)]
    assert len({code for code, _ in checks}) > 21_000
    assert sum(suffix == "" for _, suffix in checks) > 20_000
    trauma = twin.sites["MDCZ"]
    for place, (code, suffix) in enumerate(checks):
        alone, severe = found[2 * place : 2 * place + 2]
        if suffix:
            assert severe == alone[:3] + suffix, code
        elif code not in trauma:  # two sites would open another chapter
            assert severe == alone, code
