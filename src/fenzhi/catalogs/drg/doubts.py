"""What may be meant but should be looked at in a DRG catalogue: each finding counts and gives examples.

Codes are compared as they are written, so the checks that compare codes keep silent about a catalogue with
``code_match = "category"``, whose codes stand for others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from fenzhi.catalogs.drg.models import CODES, DrgCatalog
from fenzhi.catalogs.drg.rules import Term, chapter_list
from fenzhi.catalogs.drg.terms import Parsed, Place, finding
from fenzhi.catalogs.rules import Finding

_EXAMPLES = 5


def _some(items: Iterable[object]) -> str:
    """Return a count and the first few: ``7, for example A, B``."""
    values = list(dict.fromkeys(str(item) for item in items))
    shown = ", ".join(values[:_EXAMPLES])
    return (
        f"{len(values):,}: {shown}" if len(values) <= _EXAMPLES else f"{len(values):,}, for example {shown}"
    )


def _warning(
    catalog: DrgCatalog, code: str, message: str, place: Place, value: object = None, remedy: str = ""
) -> Finding:
    return finding(catalog, code, message, place, value, remedy, severity="warning")


def _note(
    catalog: DrgCatalog, code: str, message: str, place: Place, value: object = None, remedy: str = ""
) -> Finding:
    return finding(catalog, code, message, place, value, remedy, severity="note")


def _unreachable(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    drg = catalog.tables["drg"]
    closed: set[tuple[str, int]] = set()
    behind: list[int] = []
    for row, terms in parsed.drgs.items():
        key = (drg["adrg"][row], drg["alt"][row])
        if key in closed:
            behind.append(row)
        elif not terms:
            closed.add(key)
    if behind:
        yield _warning(
            catalog,
            "CATALOG_UNREACHABLE",
            "DRGs behind one without condition can never be reached: " + _some(drg["drg"].gather(behind)),
            Place("drg", behind[0], "rule"),
            drg["drg"][behind[0]],
            "put the unconditional DRG last",
        )
    adrg = catalog.tables["adrg"]
    conditional = set(catalog.tables["adrg_condition"].select("adrg", "alt").iter_rows())
    ended: set[str] = set()
    lost: list[int] = []
    for number, entry in enumerate(adrg.iter_rows(named=True)):
        key = (entry["adrg"], entry["alt"])
        if entry["mdc"] in ended:
            lost.append(number)
        elif key not in conditional and (entry["return_if_no_drg"] is not None or key in closed):
            ended.add(entry["mdc"])
    if lost:
        yield _warning(
            catalog,
            "CATALOG_UNREACHABLE",
            "ADRGs behind one without condition can never be reached: " + _some(adrg["adrg"].gather(lost)),
            Place("adrg", lost[0], "eval_order"),
            adrg["adrg"][lost[0]],
            "put the unconditional ADRG last in its chapter",
        )


def _without_drg(catalog: DrgCatalog) -> Iterator[Finding]:
    adrg = catalog.tables["adrg"].with_row_index("row")
    empty = adrg.join(catalog.tables["drg"], on=["adrg", "alt"], how="anti", maintain_order="left")
    lost = empty.filter(pl.col("return_if_no_drg").is_null())
    if lost.height:
        yield _warning(
            catalog,
            "CATALOG_NO_DRG",
            f"ADRGs or alternatives without any DRG take no stay: {_some(lost['adrg'])}",
            Place("adrg", lost["row"][0], "adrg"),
            lost["adrg"][0],
            "add their DRGs, or remove them",
        )
    strange = adrg.filter(
        pl.col("return_if_no_drg") != pl.col("adrg"),
        ~pl.col("return_if_no_drg").is_in(adrg["adrg"].implode()),
    )
    for row, value in strange.select("row", "return_if_no_drg").iter_rows():
        yield _warning(
            catalog,
            "CATALOG_RETURN",
            "where no DRG fits, the stay gets a code that is no ADRG",
            Place("adrg", row, "return_if_no_drg"),
            value,
            "write the ADRG's own code or leave the cell empty",
        )


def _chapters(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    mdc, dx = catalog.tables["mdc"], catalog.tables["mdc_dx"]
    adrg = catalog.tables["adrg"]
    for row, terms in parsed.entries.items():
        chapter = mdc["mdc"][row]
        place = Place("mdc", row, "entry_rule")
        own = dx.filter(mdc=chapter)
        if any(term.list_id == chapter_list(chapter) for term in terms) and own.is_empty():
            text = f"{chapter} is entered by a diagnosis and has none"
            yield _warning(catalog, "CATALOG_LIST_EMPTY", text, place, mdc["entry_rule"][row])
        if any(term.kind == "SITES" for term in terms) and own["trauma_site"].is_null().all():
            text = f"{chapter} counts body sites, and none of its diagnoses has one"
            yield _warning(catalog, "CATALOG_LIST_EMPTY", text, place, mdc["entry_rule"][row])
        slot = mdc["qy_after_n_adrg"][row]
        sides = adrg.filter(mdc=chapter)["qy_side"].to_list()
        if (
            slot is not None
            and any(sides)
            and sides != ["before_qy"] * slot + ["after_qy"] * (len(sides) - slot)
        ):
            yield _warning(
                catalog,
                "CATALOG_QY",
                f"in {chapter} qy_after_n_adrg and the qy_side of the ADRGs disagree: qy_side counts",
                Place("mdc", row, "qy_after_n_adrg"),
                slot,
                "correct the one that is wrong",
            )
    strange = dx.with_row_index("row").filter(~pl.col("mdc").is_in(mdc["mdc"].implode()))
    if strange.height:
        yield _warning(
            catalog,
            "CATALOG_CHAPTER",
            f"diagnoses of chapters that do not exist are not used: {_some(strange['mdc'])}",
            Place("mdc_dx", strange["row"][0], "mdc"),
            strange["mdc"][0],
        )


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
            yield _note(
                catalog,
                "CATALOG_GAP",
                f"{chapter}: diagnoses of the chapter that no medical ADRG takes {_some(gap['code'])}",
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
            yield _note(
                catalog,
                "CATALOG_DEAD_CODE",
                f"{chapter}: principal diagnoses of its ADRGs that are not in the chapter {_some(dead['code'])}",
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
                yield _warning(
                    catalog,
                    "CATALOG_CODE_UNLISTED",
                    f"codes that {book} does not have: {_some(odd[column])}",
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
            yield _warning(
                catalog,
                "CATALOG_CODE_UNLISTED",
                f"codes in rules that {book} does not have: {_some(code for _, code in odd_codes)}",
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
            yield _warning(
                catalog,
                "CATALOG_CODE_TWICE",
                f"codes that stand twice with different {' or '.join(says)}: {_some(other[code])}",
                Place(table, other["row"][1], code),
                other[code][0],
                "keep one row of each",
            )
        if same.height:
            lists = f" in {same['list_id'].n_unique()} lists" if table == "code_list" else ""
            yield _note(
                catalog,
                "CATALOG_CODE_TWICE",
                f"codes that stand twice{lists}, which changes nothing: {_some(same[code])}",
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
                yield _warning(
                    catalog,
                    "CATALOG_CODE_BLANKS",
                    f"codes with blanks around them: {_some(codes.gather(rows))}",
                    Place(table, int(rows[0]), column),
                    codes[int(rows[0])],
                    "remove the blanks, unless the codes of stays have them too",
                )


def _odd_names(catalog: DrgCatalog) -> Iterator[Finding]:
    """DRG codes begin with their ADRG, and ADRGs with the letter of their chapter; results name what was entered."""
    adrg, drg = catalog.tables["adrg"], catalog.tables["drg"]
    for table, frame, odd in (
        ("adrg", adrg, adrg["adrg"].str.slice(0, 1) != adrg["mdc"].str.slice(-1)),
        ("drg", drg, ~drg.select(pl.col("drg").str.starts_with(pl.col("adrg"))).to_series()),
    ):
        rows = odd.fill_null(False).arg_true()
        if len(rows):
            codes = frame[table].gather(rows)
            yield _warning(
                catalog,
                "CATALOG_CODE_ODD",
                f"codes that do not begin like their {'chapter' if table == 'adrg' else 'ADRG'}: "
                f"{', '.join(codes.unique(maintain_order=True).head(5))}",
                Place(table, int(rows[0]), table),
                codes[0],
                "correct the code, or leave it if it is meant: results name the chapter and ADRG entered",
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
            text = f"codes of list {name} have two tags, of which the first counts: {_some(two['code'])}"
            place = Place("code_list", two["row"][1], "tag")
            yield _warning(catalog, "CATALOG_TAGS", text, place, two["code"][0])
        known = set(own["tag"].drop_nulls())
        for row, term in users:
            missing = sorted({tag for part in term.tags for tag in part} - known)
            if missing and own.height:
                text = f"no code of list {name} has the tag {', '.join(missing)}"
                place = Place("adrg_condition", row, "arg")
                yield _warning(catalog, "CATALOG_TAGS", text, place, term.source)


def _rest(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    """Lists nobody names, exclusion tables without principal diagnosis, weights, names, circles of map_to."""
    tables = catalog.tables
    used = {term.list_id for _, term in parsed.terms()}
    unused = [name for name in tables["code_list"]["list_id"].unique(maintain_order=True) if name not in used]
    if unused:
        text = f"lists that no rule names: {_some(unused)}"
        yield _note(catalog, "CATALOG_LIST_UNUSED", text, Place("code_list", None, "list_id"), unused[0])
    numbers = tables["cc"]["excl_table"].drop_nulls()
    empty = numbers.filter(~numbers.is_in(tables["cc_exclusion"]["excl_table"].implode()))
    if empty.len():
        text = f"exclusion tables without a principal diagnosis exclude nothing: {_some(empty)}"
        yield _note(catalog, "CATALOG_EXCLUSION_EMPTY", text, Place("cc", None, "excl_table"), empty[0])
    weights = tables["weights"]
    if weights.height:
        codes = catalog.groups["group_id"]
        light = codes.filter(~codes.is_in(weights["drg"].implode()))
        if light.len():
            text = f"groups without weight: {_some(light)}"
            yield _warning(catalog, "CATALOG_NO_WEIGHT", text, Place("weights", None, "drg"), light[0])
        other = weights["drg"].filter(~weights["drg"].is_in(codes.implode()))
        if other.len():
            text = f"weights for stays without a group are not used: {_some(other)}"
            yield _warning(catalog, "CATALOG_WEIGHT_GROUP", text, Place("weights", None, "drg"), other[0])
    for table in ("mdc", "adrg", "drg"):
        nameless = tables[table].filter(pl.col("name").is_null())[table]
        if nameless.len():
            text = f"rows without a name: {_some(nameless)}"
            yield _warning(catalog, "CATALOG_NAME", text, Place(table, None, "name"), nameless[0])
    for book in ("icd10", "icd9cm3"):
        yield from _circles(catalog, book)


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
        yield _warning(
            catalog,
            "CATALOG_MAP_CYCLE",
            f"codes that are mapped to each other in a circle: {_some(circles)}",
            Place(book, None, "map_to"),
            circles[0],
            "a code is mapped once, so each becomes the next; correct the table if that is not meant",
        )


def doubts(catalog: DrgCatalog, parsed: Parsed) -> list[Finding]:
    """Return warnings and notes; ``parsed`` are the rules of the catalogue."""
    findings = [*_unreachable(catalog, parsed), *_without_drg(catalog), *_chapters(catalog, parsed)]
    findings += [
        *_duplicates(catalog),
        *_odd_names(catalog),
        *_tags(catalog, parsed),
        *_rest(catalog, parsed),
    ]
    if catalog.meta.code_match == "exact":
        findings += _blanks(catalog)
        findings += _gaps(catalog, parsed, _members(catalog, parsed))
        findings += _books(catalog, parsed)
    return findings
