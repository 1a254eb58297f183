"""Random DRG tables and stays over a small alphabet of codes, so that chapters, lists and exclusions meet often.

The tables are those of the CSV form, every cell a text. Each catalogue and each stay is made from one drawn
number (see twins.draw).
"""

from __future__ import annotations

import csv
from pathlib import Path
from random import Random
from typing import Any

from twins.draw import chance, some

Row = dict[str, Any]
Tables = dict[str, list[dict[str, str]]]

DX = [
    "A00.000x001",
    "A00.000",
    "B20.100",
    "C61.x00",
    "I21.900",
    "I21.900x001",
    "P07.000",
    "S06.000",
    "S72.000",
    "T31.200",
    "A54.301+H13.1*",
    "Z51.100",
]
PROCS = ["47.0100", "47.0100x001", "60.5x02", "37.5100", "96.0400", "96.7201", "99.2501", "00.5500x008"]
# Codes that no table holds, and known ones in another spelling: codes are compared as they are written.
STRANGE_DX = ["X99.999", "a00.000", "A00.000 ", "A00", ""]
STRANGE_PROCS = ["00.0000", "47.01", "60.5X02", ""]
SITES = ["头颈部创伤", "胸部创伤", "腹部创伤"]
DEPTS = ["ICU", "0302", "重症"]
TAGS = ["1", "2", "3"]
DX_LISTS = ["1.adrg_zd", "2.adrg_zd", "3.adrg_zd", "4.adrg_zd"]
PROC_LISTS = ["1.adrg_ss", "2.adrg_ss", "3.adrg_ss", "4.adrg_ss"]
TAG_LISTS = ["1.tagged", "2.tagged"]

HEADERS = {
    "version": ["key", "value"],
    "mdc": ["mdc", "name", "eval_order", "entry_rule", "qy_rule", "qy_after_n_adrg"],
    "mdc_dx": ["mdc", "code", "trauma_site"],
    "adrg": ["adrg", "alt", "name", "mdc", "eval_order", "type", "qy_side", "return_if_no_drg"],
    "adrg_condition": ["adrg", "alt", "mdc", "eval_order", "term", "kind", "list_id", "arg", "arg2"],
    "code_list": ["list_id", "pos", "code", "tag"],
    "drg": ["drg", "name", "adrg", "alt", "test_order", "rule"],
    "cc": ["code", "level", "excl_table"],
    "cc_exclusion": ["main_dx", "excl_table"],
    "valid_procedure": ["code", "name"],
    "icd10": ["code", "name", "map_to"],
    "icd9cm3": ["code", "name", "map_to"],
}
DX_KINDS = ["MAIN_DX_IN", "MAIN_DX_IN", "MAIN_DX_NOT_IN", "ANY_DX_IN", "SEC_DX_IN"]
PROC_KINDS = ["MAIN_PROC_IN", "MAIN_PROC_IN", "ANY_PROC_IN", "ANY_PROC_IN"]
PLAIN_KINDS = [
    "HAS_PROC",
    "MAIN_PROC_VALID",
    "MAIN_PROC_NOT_VALID",
    "ANY_PROC_VALID",
    "NO_PROC_VALID",
    "AGE_DAY_KNOWN",
    "WEIGHT_NONZERO",
]
NUMBERS = {
    "age": ["0", "1", "6", "17", "60"],
    "age_day": ["0", "28", "364"],
    "weight": ["0", "1500", "2000", "2500"],
    "los": ["1", "7", "60"],
    "leaving_type": ["1", "4", "5"],
    "icu_hours": ["0", "0.5", "24", "96"],
    "gender": ["1", "2"],
}


def condition(rng: Random, adrg: str) -> tuple[str, str, str]:
    """Kind, list and argument of one term of an ADRG. A list of its own has no codes: an empty list."""
    form = rng.randrange(12)
    if form <= 3:
        return rng.choice(DX_KINDS), rng.choice(DX_LISTS if form else [*DX_LISTS, f"{adrg}.adrg_zd"]), ""
    if form <= 7:
        return (
            rng.choice(PROC_KINDS),
            rng.choice(PROC_LISTS if form > 4 else [*PROC_LISTS, f"{adrg}.adrg_ss"]),
            "",
        )
    if form == 8:
        rule = "|".join("&".join(some(rng, TAGS, 3)) for _ in range(rng.choice((1, 2, 2, 3))))
        return "PROC_TAGS", rng.choice(TAG_LISTS), rule
    if form == 9:
        return "AGE_DAY_MAX", "", rng.choice(["0", "28"])
    if form == 10:
        return rng.choice(["WEIGHT_LT", "WEIGHT_GE"]), "", rng.choice(["1500", "2000"])
    return rng.choice(PLAIN_KINDS), "", ""


def shared_term(rng: Random) -> str:
    """One term that chapters and DRGs have in common: a comparison, a set of values, a look-up."""
    form = rng.randrange(10)
    if form <= 4:
        name = rng.choice(list(NUMBERS))
        sign = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        return f"{name}{sign}{rng.choice(NUMBERS[name])}"
    if form == 5:
        return f"dept{rng.choice(['==', '!='])}{rng.choice(DEPTS)}"
    if form == 6:
        name = rng.choice(["leaving_type", "dept", "age"])
        values = DEPTS if name == "dept" else NUMBERS[name]
        return f"{name}_in:{'|'.join(some(rng, values, 2))}"
    dx = chance(rng, 0.5)
    name = rng.choice(["main_dx", "any_dx", "sec_dx"] if dx else ["main_proc", "any_proc", "sec_proc"])
    if form == 7:
        return f"{name}=={rng.choice(DX if dx else PROCS)}"
    if form == 8:
        return f"{name}_in:{rng.choice(DX_LISTS if dx else PROC_LISTS)}"
    if name == "main_dx" and chance(rng, 0.5):
        name = "main_dx_not"
    return f"{name}_in:{'|'.join(some(rng, DX if dx else PROCS, 3))}"


def entry_rule(rng: Random) -> str:
    """The entry of a chapter: mostly by its diagnoses, with something more now and then."""
    first = rng.choice(["main_dx"] * 5 + ["any_dx", "main_proc_valid", "valid_or", "always", ""])
    if first == "valid_or":
        first = "main_proc_valid_or:" + "|".join(some(rng, PROCS, 2))
    more = rng.choice([""] * 6 + ["male", "female", "age0", "sites>=2", "sites>=2", "sites >= 3", "shared"])
    return ";".join(term for term in (first, shared_term(rng) if more == "shared" else more) if term)


def drg_rule(rng: Random) -> str:
    form = rng.randrange(8)
    if form <= 3:
        return rng.choice(["mcc", "cc", "mcc_or_cc"])
    if form == 4:
        return "always"
    terms = [shared_term(rng) for _ in range(rng.choice((1, 1, 2)))]
    if form == 5:
        terms.append(rng.choice(["mcc", "cc", "mcc_or_cc"]))
    return ";".join(terms)


def add_adrg(rng: Random, tables: Tables, mdc: str, kind: str, code: str) -> list[dict[str, str]]:
    """Add conditions and DRGs of one ADRG; return its rows, one per alternative, without their place."""
    rows = []
    ending = rng.choice([code, code, ""])
    for alt in range(1, 1 + rng.choice((1, 1, 1, 2, 3))):
        for number in range(1, 1 + rng.choice((0, 1, 1, 1, 2, 2, 3))):
            what, list_id, arg = condition(rng, code)
            tables["adrg_condition"].append(
                {
                    "adrg": code,
                    "alt": str(alt),
                    "mdc": mdc,
                    "term": str(number),
                    "kind": what,
                    "list_id": list_id,
                    "arg": arg,
                    "arg2": "",
                }
            )
        suffixes = some(rng, list("12345A"), 3) + (["9"] if chance(rng, 0.6) else [])
        for order, suffix in enumerate(suffixes, 1):
            rule = "always" if suffix == "9" else drg_rule(rng)
            row = {"drg": code + suffix, "name": code + suffix, "adrg": code, "alt": str(alt)}
            tables["drg"].append({**row, "test_order": str(order), "rule": rule})
        rows.append(
            {
                "adrg": code,
                "alt": str(alt),
                "name": code,
                "mdc": mdc,
                "type": kind,
                "qy_side": "after_qy" if kind == "medical" else "before_qy",
                "return_if_no_drg": ending if rng.random() < 0.9 else "",
            }
        )
    return rows


def add_chapter(rng: Random, tables: Tables, letter: str, order: int) -> None:
    """Add a chapter with its diagnoses and ADRGs: surgical, procedures, medical, alternatives in between."""
    mdc = f"MDC{letter}"
    rows: list[dict[str, str]] = []
    for kind, second in (("surgical", "A"), ("procedure", "K"), ("medical", "R")):
        side: list[dict[str, str]] = []
        for number in range(1, 1 + rng.choice((0, 1, 1, 2))):
            side += add_adrg(rng, tables, mdc, kind, f"{letter}{second}{number}")
        rng.shuffle(side)
        rows += side
    for place, row in enumerate(rows, 1):
        row["eval_order"] = str(place)
        for term in tables["adrg_condition"]:
            if (term["adrg"], term["alt"]) == (row["adrg"], row["alt"]):
                term["eval_order"] = str(place)
    tables["adrg"] += rows
    before = sum(row["qy_side"] == "before_qy" for row in rows)
    qy = rng.choice(["off", "main_proc_valid", "any_proc_valid"])
    rule = entry_rule(rng)
    tables["mdc"].append(
        {
            "mdc": mdc,
            "name": mdc,
            "eval_order": str(order),
            "entry_rule": rule,
            "qy_rule": qy,
            "qy_after_n_adrg": str(before),
        }
    )
    for code in some(rng, DX, len(DX), 3):
        site = rng.choice([*SITES, ""]) if "sites" in rule else ""
        tables["mdc_dx"].append({"mdc": mdc, "code": code, "trauma_site": site})


def add_lists(rng: Random, tables: Tables) -> None:
    """Add the code lists: of diagnoses, of operations, of operations with tags; some codes twice, with two tags."""
    for names, codes in ((DX_LISTS, DX), (PROC_LISTS, PROCS), (TAG_LISTS, PROCS)):
        for name in names:
            chosen = some(rng, codes, 6)
            if chance(rng, 0.3):
                chosen.append(chosen[0])
            for place, code in enumerate(chosen):
                tag = rng.choice(TAGS) if name in TAG_LISTS else ""
                row = {"list_id": name, "pos": str(place), "code": code, "tag": tag}
                tables["code_list"].append(row)


def add_books(rng: Random, tables: Tables) -> None:
    """Add the code books: most codes map to themselves, some to another, some have no target."""
    for name, codes in (("icd10", DX), ("icd9cm3", PROCS)):
        for code in codes:
            target = rng.choice(["="] * 8 + [rng.choice(codes)] * 2 + [""])
            tables[name].append({"code": code, "name": code, "map_to": target})


def drawn_tables(rng: Random) -> Tables:
    """A whole version, all its cells text. ``version`` holds the switches."""
    tables: Tables = {name: [] for name in HEADERS}
    switches = {
        "version": "drawn",
        "retry_each_other_procedure_when_0000": rng.choice("01"),
        "qy": rng.choice(["on", "on", "off"]),
    }
    tables["version"] = [{"key": key, "value": value} for key, value in switches.items()]
    for order, letter in enumerate(some(rng, list("ABCMP"), 5, 2), 1):
        add_chapter(rng, tables, letter, order)
    add_lists(rng, tables)
    add_books(rng, tables)
    for code in some(rng, DX, 9, 2):
        table = rng.choice(["1", "2", "3", ""])
        tables["cc"].append({"code": code, "level": rng.choice(["MCC", "CC"]), "excl_table": table})
    for code in some(rng, DX, 9, 2):
        tables["cc_exclusion"].append({"main_dx": code, "excl_table": rng.choice("123")})
    for code in some(rng, PROCS, 5):
        tables["valid_procedure"].append({"code": code, "name": code})
    for rows in tables.values():
        rng.shuffle(rows)  # numbers say the order, not the place in the file
    return tables


def write_tables(tables: Tables, folder: Path) -> None:
    """Write the tables as CSV files."""
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, HEADERS[name])
            writer.writeheader()
            writer.writerows(rows)


def drg_stay(rng: Random) -> Row:
    """A stay over the small alphabet: figures near the limits of the rules, some of them not known."""

    def codes(known: list[str], strange: list[str], most: int) -> list[str]:
        return [
            rng.choice(strange) if chance(rng, 0.06) else rng.choice(known)
            for _ in range(rng.randint(0, most))
        ]

    age = rng.choice([0, 0, 0, 1, 6, 16, 17, 60, 61, None] if chance(rng, 0.3) else [0, 1, 16, 17, 60])
    days = rng.choice([0, 28, 29, 364, 364]) if age == 0 else rng.choice([None, None, 28, 400])
    return {
        "gend": rng.choice([1, 2, None, 0, 3]) if chance(rng, 0.1) else rng.choice([1, 2]),
        "age": age,
        "nwb_age": None if chance(rng, 0.03) else days,
        "nwb_bir_wt": None if chance(rng, 0.1) else rng.choice([0, 1499, 1500, 1999, 2000, 2500, 3000]),
        "act_ipt_days": rng.choice([1, 6, 7, 8, 60, 61, None]),
        "dscg_way": rng.choice([1, 1, 4, 5, 9, None]),
        "dscg_caty": rng.choice([*DEPTS, "icu", "", None]),
        "icu_hours": rng.choice([None, 0, 24, 25, 96]),
        "diag_codes": codes(DX, STRANGE_DX, 4) or [rng.choice(DX)] * (not chance(rng, 0.1)),
        "oprn_codes": codes(PROCS, STRANGE_PROCS, 4),
    }
