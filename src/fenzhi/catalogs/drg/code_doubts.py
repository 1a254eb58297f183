"""Codes of a DRG catalogue that should be looked at: twice, blank, unknown to the code books, gaps, circles.

Codes are compared as they are written, so the checks that compare codes keep silent about a catalogue with
``code_match = "category"``, whose codes stand for others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import polars as pl

from fenzhi.catalogs.drg.models import CODES, DrgCatalog
from fenzhi.catalogs.drg.rules import Term, chapter_list
from fenzhi.catalogs.drg.terms import Parsed, Place, note, some, warning
from fenzhi.catalogs.rules import Finding


def _members(catalog: DrgCatalog, parsed: Parsed) -> pl.DataFrame:
    """Return every code of every list that an ADRG names: adrg, alt, mdc, type, kind, code."""
    conditions = catalog.tables["adrg_condition"]
    named = [(row, term.kind, term.list_id) for row, term in parsed.conditions.items() if term.list_id]
    terms = pl.DataFrame(named, schema=["row", "kind", "list_id"], orient="row")
    adrg = catalog.tables["adrg"].select("adrg", "alt", "mdc", "type")
    codes = pl.concat(
        [
            catalog.tables["code_list"].select("list_id", "code"),
            catalog.tables["mdc_dx"].select(pl.col("mdc") + ".dx", "code").rename({"mdc": "list_id"}),
        ]
    )
    keys = conditions.select("adrg", "alt").with_row_index("row").cast({"row": pl.Int64})
    return (
        terms.cast({"row": pl.Int64, "kind": pl.String, "list_id": pl.String})
        .join(keys, on="row")
        .join(adrg, on=["adrg", "alt"])
        .join(codes, on="list_id")
        .select("adrg", "alt", "mdc", "type", "kind", "code")
    )


def _gaps(catalog: DrgCatalog, parsed: Parsed, members: pl.DataFrame) -> Iterator[Finding]:
    """Diagnoses of a chapter that no medical ADRG takes, and ADRG diagnoses with which nobody enters."""
    mdc, dx = catalog.tables["mdc"], catalog.tables["mdc_dx"].with_row_index("row")
    by_dx = members.filter(pl.col("kind").is_in(["MAIN_DX_IN", "ANY_DX_IN"]))
    medical = catalog.tables["adrg"].filter(type="medical")
    open_ = medical.join(by_dx, on=["adrg", "alt"], how="anti")["mdc"].unique().to_list()
    for row, terms in parsed.entries.items():
        chapter = mdc["mdc"][row]
        if not any(term.kind == "MAIN_DX_IN" and term.list_id == chapter_list(chapter) for term in terms):
            continue
        own, theirs = dx.filter(mdc=chapter), by_dx.filter(mdc=chapter)
        gap = own.join(theirs.filter(type="medical"), on="code", how="anti", maintain_order="left")
        if gap.height and chapter not in open_:
            yield note(
                catalog,
                "CATALOG_GAP",
                f"{chapter}: diagnoses of the chapter that no medical ADRG takes {some(gap['code'])}",
                Place("mdc_dx", gap["row"][0], "code"),
                gap["code"][0],
                "such a stay has no group unless an operation gives it one",
            )
        dead = (
            theirs.filter(kind="MAIN_DX_IN")
            .join(own, on="code", how="anti", maintain_order="left")
            .sort("code", maintain_order=True)
        )
        if dead.height:
            yield note(
                catalog,
                "CATALOG_DEAD_CODE",
                f"{chapter}: principal diagnoses of its ADRGs that are not in the chapter {some(dead['code'])}",
                Place("code_list", None, "code"),
                dead["code"][0],
                "no stay enters the chapter with them",
            )


def _books(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    """Codes that the code books do not have; without a book nothing is said."""
    lists: dict[str, set[str]] = {"icd10": set(), "icd9cm3": set()}
    for _, term in parsed.terms():
        if term.list_id:
            lists["icd10" if "_DX_" in term.kind else "icd9cm3"].add(term.list_id)
    tables = catalog.tables
    rows = tables["code_list"].with_row_index("row")
    used = {
        "icd10": [("mdc_dx", "code"), ("cc", "code"), ("cc_exclusion", "main_dx")],
        "icd9cm3": [("valid_procedure", "code")],
    }
    for book, columns in used.items():
        known = tables[book].select("code")
        if known.is_empty():
            continue
        frames = [("code_list", "code", rows.filter(pl.col("list_id").is_in(list(lists[book]))))]
        frames += [(table, column, tables[table].with_row_index("row")) for table, column in columns]
        for table, column, frame in frames:
            odd = frame.join(known, left_on=column, right_on="code", how="anti", maintain_order="left")
            if odd.height:
                yield warning(
                    catalog,
                    "CATALOG_CODE_UNLISTED",
                    f"codes that {book} does not have: {some(odd[column])}",
                    Place(table, odd["row"][0], column),
                    odd[column][0],
                    "look for misspelt codes or another edition of the code book",
                )
        written = [
            (place, code)
            for place, term in parsed.terms()
            for code in term.codes
            if ("icd10" if "_DX_" in term.kind else "icd9cm3") == book
        ]
        inside = set(known["code"])
        odd_codes = [(place, code) for place, code in written if code not in inside]
        if odd_codes:
            yield warning(
                catalog,
                "CATALOG_CODE_UNLISTED",
                f"codes in rules that {book} does not have: {some(code for _, code in odd_codes)}",
                odd_codes[0][0],
                odd_codes[0][1],
                "look for misspelt codes or another edition of the code book",
            )


def _duplicates(catalog: DrgCatalog) -> Iterator[Finding]:
    """Codes that stand twice; a warning if the rows say different things."""
    for table, keys, says in (
        ("mdc_dx", ["mdc", "code"], ["trauma_site"]),
        ("code_list", ["list_id", "code"], []),
        ("cc", ["code"], ["level", "excl_table"]),
        ("cc_exclusion", ["main_dx"], ["excl_table"]),
        ("valid_procedure", ["code"], []),
        ("icd10", ["code"], ["map_to"]),
        ("icd9cm3", ["code"], ["map_to"]),
    ):
        frame = catalog.tables[table].with_row_index("row")
        twice = frame.filter(pl.struct(keys).is_duplicated())
        if twice.is_empty():
            continue
        differ = [pl.col(column).n_unique().over(keys) > 1 for column in says]
        other = twice.filter(pl.any_horizontal(differ)) if says else twice.clear()
        same = twice.join(other.select("row"), on="row", how="anti", maintain_order="left")
        code = keys[-1]
        if other.height:
            yield warning(
                catalog,
                "CATALOG_CODE_TWICE",
                f"codes that stand twice with different {' or '.join(says)}: {some(other[code])}",
                Place(table, other["row"][1], code),
                other[code][0],
                "keep one row of each",
            )
        if same.height:
            lists = f" in {same['list_id'].n_unique()} lists" if table == "code_list" else ""
            yield note(
                catalog,
                "CATALOG_CODE_TWICE",
                f"codes that stand twice{lists}, which changes nothing: {some(same[code])}",
                Place(table, same["row"][1], code),
                same[code][0],
            )


def _blanks(catalog: DrgCatalog) -> Iterator[Finding]:
    """Codes with blanks around them: compared exactly, they fit no code without."""
    for table, columns in CODES.items():
        for column in columns:
            codes = catalog.tables[table][column]
            rows = (codes != codes.str.strip_chars()).fill_null(False).arg_true()
            if len(rows):
                yield warning(
                    catalog,
                    "CATALOG_CODE_BLANKS",
                    f"codes with blanks around them: {some(codes.gather(rows))}",
                    Place(table, int(rows[0]), column),
                    codes[int(rows[0])],
                    "remove the blanks, unless the codes of stays have them too",
                )


def _tags(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    lists = catalog.tables["code_list"].with_row_index("row")
    terms: dict[str, list[tuple[int, Term]]] = defaultdict(list)
    for row, term in parsed.conditions.items():
        if term.kind == "PROC_TAGS" and term.list_id:
            terms[term.list_id].append((row, term))
    for name, users in terms.items():
        own = lists.filter(list_id=name)
        two = own.filter(pl.col("tag").n_unique().over("code") > 1)
        if two.height:
            text = f"codes of list {name} have two tags, of which the first counts: {some(two['code'])}"
            place = Place("code_list", two["row"][1], "tag")
            yield warning(catalog, "CATALOG_TAGS", text, place, two["code"][0])
        known = set(own["tag"].drop_nulls())
        for row, term in users:
            missing = sorted({tag for part in term.tags for tag in part} - known)
            if missing and own.height:
                text = f"no code of list {name} has the tag {', '.join(missing)}"
                place = Place("adrg_condition", row, "arg")
                yield warning(catalog, "CATALOG_TAGS", text, place, term.source)


def _circles(catalog: DrgCatalog, book: str) -> Iterator[Finding]:
    frame = catalog.tables[book]
    moved = frame.filter(pl.col("map_to") != "=", pl.col("map_to") != pl.col("code"))
    moved = moved.filter(pl.col("map_to").is_in(moved["code"].implode()))
    to: dict[str, str] = dict(moved.select("code", "map_to").iter_rows())
    circles: list[str] = []
    seen: set[str] = set()
    for start in to:
        way: Sequence[str] = []
        code = start
        while code in to and code not in seen:
            seen.add(code)
            way = [*way, code]
            code = to[code]
        if code in way:
            circles.append(" -> ".join([*way[way.index(code) :], code]))
    if circles:
        yield warning(
            catalog,
            "CATALOG_MAP_CYCLE",
            f"codes that are mapped to each other in a circle: {some(circles)}",
            Place(book, None, "map_to"),
            circles[0],
            "a code is mapped once, so each becomes the next; correct the table if that is not meant",
        )


def code_doubts(catalog: DrgCatalog, parsed: Parsed) -> list[Finding]:
    """Return warnings and notes about codes; ``parsed`` are the rules of the catalogue."""
    findings = [*_duplicates(catalog), *_tags(catalog, parsed)]
    findings += [*_circles(catalog, "icd10"), *_circles(catalog, "icd9cm3")]
    if catalog.meta.code_match == "exact":
        findings += [*_blanks(catalog), *_gaps(catalog, parsed, _members(catalog, parsed))]
        findings += _books(catalog, parsed)
    return findings
