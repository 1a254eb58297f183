"""What may be meant but should be looked at in a DRG catalogue: each finding counts and gives examples."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from fenzhi.catalogs.drg.code_doubts import code_doubts
from fenzhi.catalogs.drg.models import DrgCatalog
from fenzhi.catalogs.drg.rules import chapter_list
from fenzhi.catalogs.drg.terms import Parsed, Place, note, some, warning
from fenzhi.catalogs.rules import Finding


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
        yield warning(
            catalog,
            "CATALOG_UNREACHABLE",
            "DRGs behind one without condition can never be reached: " + some(drg["drg"].gather(behind)),
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
        yield warning(
            catalog,
            "CATALOG_UNREACHABLE",
            "ADRGs behind one without condition can never be reached: " + some(adrg["adrg"].gather(lost)),
            Place("adrg", lost[0], "eval_order"),
            adrg["adrg"][lost[0]],
            "put the unconditional ADRG last in its chapter",
        )


def _without_drg(catalog: DrgCatalog) -> Iterator[Finding]:
    adrg = catalog.tables["adrg"].with_row_index("row")
    empty = adrg.join(catalog.tables["drg"], on=["adrg", "alt"], how="anti", maintain_order="left")
    lost = empty.filter(pl.col("return_if_no_drg").is_null())
    if lost.height:
        yield warning(
            catalog,
            "CATALOG_NO_DRG",
            f"ADRGs or alternatives without any DRG take no stay: {some(lost['adrg'])}",
            Place("adrg", lost["row"][0], "adrg"),
            lost["adrg"][0],
            "add their DRGs, or remove them",
        )
    strange = adrg.filter(
        pl.col("return_if_no_drg") != pl.col("adrg"),
        ~pl.col("return_if_no_drg").is_in(adrg["adrg"].implode()),
    )
    for row, value in strange.select("row", "return_if_no_drg").iter_rows():
        yield warning(
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
            yield warning(catalog, "CATALOG_LIST_EMPTY", text, place, mdc["entry_rule"][row])
        if any(term.kind == "SITES" for term in terms) and own["trauma_site"].is_null().all():
            text = f"{chapter} counts body sites, and none of its diagnoses has one"
            yield warning(catalog, "CATALOG_LIST_EMPTY", text, place, mdc["entry_rule"][row])
        slot = mdc["qy_after_n_adrg"][row]
        sides = adrg.filter(mdc=chapter)["qy_side"].to_list()
        if (
            slot is not None
            and any(sides)
            and sides != ["before_qy"] * slot + ["after_qy"] * (len(sides) - slot)
        ):
            yield warning(
                catalog,
                "CATALOG_QY",
                f"in {chapter} qy_after_n_adrg and the qy_side of the ADRGs disagree: qy_side counts",
                Place("mdc", row, "qy_after_n_adrg"),
                slot,
                "correct the one that is wrong",
            )
    strange = dx.with_row_index("row").filter(~pl.col("mdc").is_in(mdc["mdc"].implode()))
    if strange.height:
        yield warning(
            catalog,
            "CATALOG_CHAPTER",
            f"diagnoses of chapters that do not exist are not used: {some(strange['mdc'])}",
            Place("mdc_dx", strange["row"][0], "mdc"),
            strange["mdc"][0],
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
            yield warning(
                catalog,
                "CATALOG_CODE_ODD",
                f"codes that do not begin like their {'chapter' if table == 'adrg' else 'ADRG'}: "
                f"{', '.join(codes.unique(maintain_order=True).head(5))}",
                Place(table, int(rows[0]), table),
                codes[0],
                "correct the code, or leave it if it is meant: results name the chapter and ADRG entered",
            )


def _rest(catalog: DrgCatalog, parsed: Parsed) -> Iterator[Finding]:
    """Lists nobody names, exclusion tables without principal diagnosis, weights, names."""
    tables = catalog.tables
    used = {term.list_id for _, term in parsed.terms()}
    unused = [name for name in tables["code_list"]["list_id"].unique(maintain_order=True) if name not in used]
    if unused:
        text = f"lists that no rule names: {some(unused)}"
        yield note(catalog, "CATALOG_LIST_UNUSED", text, Place("code_list", None, "list_id"), unused[0])
    numbers = tables["cc"]["excl_table"].drop_nulls()
    empty = numbers.filter(~numbers.is_in(tables["cc_exclusion"]["excl_table"].implode()))
    if empty.len():
        text = f"exclusion tables without a principal diagnosis exclude nothing: {some(empty)}"
        yield note(catalog, "CATALOG_EXCLUSION_EMPTY", text, Place("cc", None, "excl_table"), empty[0])
    weights = tables["weights"]
    if weights.height:
        codes = catalog.groups["group_id"]
        light = codes.filter(~codes.is_in(weights["drg"].implode()))
        if light.len():
            text = f"groups without weight: {some(light)}"
            yield warning(catalog, "CATALOG_NO_WEIGHT", text, Place("weights", None, "drg"), light[0])
        other = weights["drg"].filter(~weights["drg"].is_in(codes.implode()))
        if other.len():
            text = f"weights for stays without a group are not used: {some(other)}"
            yield warning(catalog, "CATALOG_WEIGHT_GROUP", text, Place("weights", None, "drg"), other[0])
    for table in ("mdc", "adrg", "drg"):
        nameless = tables[table].filter(pl.col("name").is_null())[table]
        if nameless.len():
            text = f"rows without a name: {some(nameless)}"
            yield warning(catalog, "CATALOG_NAME", text, Place(table, None, "name"), nameless[0])


def doubts(catalog: DrgCatalog, parsed: Parsed) -> list[Finding]:
    """Return warnings and notes; ``parsed`` are the rules of the catalogue."""
    findings = [*_unreachable(catalog, parsed), *_without_drg(catalog), *_chapters(catalog, parsed)]
    return [*findings, *_odd_names(catalog), *_rest(catalog, parsed), *code_doubts(catalog, parsed)]
