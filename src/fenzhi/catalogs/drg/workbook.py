"""A DRG catalogue as an Excel workbook: read one, write one. docs/reference/drg-workbook.md shows the sheets.

What is written can be read back without a difference. What people write by hand is read tolerantly where no
meaning is at stake (titles, blanks, full-width signs, merged cells) and strictly where one is: an unknown
column, a code kept as a number or a term that nobody knows is an error that names sheet and cell.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs.drg.layout import (
    FLAGS,
    HEADER_ROWS,
    LAYOUTS,
    QY_SIDES,
    REMARKS,
    TYPES,
    VALID_PROCEDURE,
    Column,
    Layout,
)
from fenzhi.catalogs.drg.load import SOURCE_ROW
from fenzhi.catalogs.drg.models import TABLES
from fenzhi.catalogs.drg.rules import chapter_list, parse_condition, parse_drg_rule, parse_entry
from fenzhi.catalogs.drg.words import pieces, read_condition, read_qy, read_rule
from fenzhi.catalogs.sheets import Number, Sheet, letters, read_sheets
from fenzhi.catalogs.titles import half_width, same_title, shortest_number
from fenzhi.errors import CatalogError

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Workbook:
    """What a workbook says, as ``make_drg_catalog`` takes it.

    ``tables``: name -> frame as in :data:`TABLES`, with ``source_row``, the row as Excel shows it. ``files``: table ->
    workbook and sheet. ``meta``: keys of catalog.toml, as text. ``left_out``: sheets that were not read.
    """

    tables: dict[str, pl.DataFrame]
    files: dict[str, str]
    meta: dict[str, str]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Place:
    """Where a cell is, for errors."""

    sheet: str
    number: int
    column: int
    title: str

    def error(self, message: str, code: str, value: str | None, remedy: str) -> CatalogError:
        return CatalogError(message, code=code, value=value, remedy=remedy, **self.where())

    def where(self) -> dict[str, Any]:
        return {"file": f"{self.sheet}, cell {letters(self.column)}{self.number}", "field": self.title}


@dataclass(frozen=True)
class _Table:
    """A sheet read: where each column stands, and ``rows`` by column name, each with its row in the sheet."""

    sheet: str
    columns: dict[str, tuple[int, str]]
    rows: list[dict[str, Any]]

    def place(self, row: int, name: str) -> _Place:
        column, title = self.columns[name]
        return _Place(self.sheet, self.rows[row][SOURCE_ROW], column, title)


def _header(sheet: Sheet, layout: Layout, file: str) -> tuple[int, dict[str, tuple[int, str]]]:
    """Return the row of the header and the columns by name: the last of the first rows that has all it needs."""
    known = {same_title(title): column for column in layout.columns for title in column.titles}
    remarks = {same_title(title) for title in REMARKS}
    needed = [column for column in layout.columns if column.required]
    best: tuple[int, set[str]] = (0, set())
    header = 0
    for number in sorted(sheet.rows)[:HEADER_ROWS]:
        names = {known[t].name for cell in sheet.rows[number].values() if (t := same_title(cell)) in known}
        if len(names) > len(best[1]):
            best = (number, names)
        if all(column.name in names for column in needed):
            header = number
    if not header:
        missing = [column.titles[0] for column in needed if column.name not in best[1]]
        raise CatalogError(
            f"the sheet has no header with the column {missing[0]} in its first {HEADER_ROWS} rows",
            code="CATALOG_WORKBOOK_HEADER",
            file=file,
            field=missing[0],
            remedy=f"the header must name: {', '.join(column.titles[0] for column in needed)}",
        )
    columns: dict[str, tuple[int, str]] = {}
    for at, cell in sorted(sheet.rows[header].items()):
        title = same_title(cell)
        place = _Place(file, header, at, cell)
        if title in known and known[title].name not in columns:
            columns[known[title].name] = (at, cell.strip())
        elif title in known or title not in remarks:
            raise place.error(
                "two columns mean the same" if title in known else "this column is unknown",
                "CATALOG_COLUMN",
                cell,
                f"remove it or use one of: {', '.join(c.titles[0] for c in layout.columns)}; "
                f"for remarks {' or '.join(REMARKS[:2])}",
            )
    return header, columns


def _whole(text: str) -> int | None:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return int(number) if number.is_finite() and number == int(number) and abs(number) < 2**31 else None


def _value(text: str, column: Column, place: _Place) -> Any:
    """Return what a cell holds, None if it is empty."""
    number = isinstance(text, Number)
    if text[:1] == "'" and text[1:2] in _FORMULA_SIGNS:
        text = text[1:]
    text = text.strip()
    if not text:
        if column.filled:
            raise place.error("the cell is empty", "CATALOG_BLANK", None, "fill it or remove the row")
        return None
    if number:
        if column.kind in ("code", "rules"):
            raise place.error(
                "the cell holds a number or a date, so zeros may be lost",
                "CATALOG_WORKBOOK_NUMBER",
                text,
                "format the column as text and enter the code again",
            )
        text = shortest_number(text)
    if column.kind in ("text", "rules"):
        return text if column.kind == "rules" else "".join(part.strip() for part in text.splitlines())
    text = half_width(text)
    if column.kind == "code":
        return "".join(text.split())
    read = (
        _whole(text) if column.kind == "whole" else FLAGS.get(text.lower()) if column.kind == "flag" else text
    )
    if read is None:
        wanted = "a whole number" if column.kind == "whole" else "是 or 否"
        raise place.error(f"{wanted} is needed here", "CATALOG_VALUE", text, "correct the cell or empty it")
    return read


def _read(sheet: Sheet, layout: Layout, path: Path) -> _Table:
    file = f"{path}, sheet {sheet.name}"
    header, places = _header(sheet, layout, file)
    columns = [(column, *places[column.name]) for column in layout.columns if column.name in places]
    table = _Table(file, places, [])
    used = {at for _, at, _ in columns}
    for number, cells in sorted(sheet.rows.items()):
        # A row that holds remarks only is no row of the table.
        if number > header and used & cells.keys():
            row = {
                column.name: _value(cells.get(at, ""), column, _Place(file, number, at, title))
                for column, at, title in columns
            }
            table.rows.append(row | {SOURCE_ROW: number})
    return table


def _find(sheets: list[Sheet], path: Path) -> tuple[dict[str, _Table], tuple[str, ...]]:
    known = {same_title(title): name for name, layout in LAYOUTS.items() for title in layout.titles}
    found: dict[str, _Table] = {}
    left_out = []
    for sheet in sheets:
        name = known.get(same_title(sheet.name))
        if name is None:
            left_out.append(sheet.name)
        elif name in found:
            raise CatalogError(
                f"two sheets are the table {LAYOUTS[name].titles[0]}",
                code="CATALOG_WORKBOOK_SHEET",
                file=path,
                field=sheet.name,
                remedy="rename or remove one of them",
            )
        else:
            found[name] = _read(sheet, LAYOUTS[name], path)
    for name, layout in LAYOUTS.items():
        if name not in found and not layout.optional:
            raise CatalogError(
                f"the workbook has no sheet {layout.titles[0]}",
                code="CATALOG_WORKBOOK_SHEET",
                file=path,
                field=layout.titles[0],
                remedy=f"its sheets are {', '.join(sheet.name for sheet in sheets)}; "
                f"name one of them {' or '.join(layout.titles)}",
            )
    return found, tuple(left_out)


def _order(table: _Table, name: str, *within: str) -> None:
    """Give rows without an order column their place among the rows that share ``within``."""
    if name in table.columns:
        for at, row in enumerate(table.rows):
            if row[name] is None:
                raise table.place(at, name).error(
                    "the order is missing", "CATALOG_BLANK", None, "fill the whole column or remove it"
                )
        return
    seen: dict[tuple[Any, ...], int] = {}
    for row in table.rows:
        key = tuple(row[column] for column in within)
        row[name] = seen[key] = seen.get(key, 0) + 1


def _rule(cell: str, *, entry: bool) -> str:
    """Return a cell of terms in the language of the tables; one that is in it already stays as it is written."""
    parts = pieces(cell)
    read = [read_rule(part, entry=entry) for part in parts]
    if cell.isascii() and "\n" not in cell and [r.lower() for r in read] == [part.lower() for part in parts]:
        return cell
    return ";".join(read)


def _read_mdc(table: _Table, lists: Container[str]) -> None:
    _order(table, "eval_order")
    for at, row in enumerate(table.rows):
        if row["entry_rule"] is not None:
            row["entry_rule"] = _rule(row["entry_rule"], entry=True)
        parse_entry(row["entry_rule"], row["mdc"], lists, table.place(at, "entry_rule").where())
        if row.get("qy_rule") is not None:
            row["qy_rule"] = read_qy(row["qy_rule"])


def _conditions(table: _Table) -> Iterator[dict[str, Any]]:
    for at, row in enumerate(table.rows):
        cell = row.pop("conditions")
        place = table.place(at, "conditions").where()
        term = 0
        for piece in pieces(cell or ""):
            read = read_condition(piece)
            if read is None:
                continue
            term += 1
            kind, list_id, arg = read
            condition = {"kind": kind, "list_id": list_id, "arg": arg, "arg2": None}
            parse_condition(condition, place)
            same = {name: row[name] for name in ("adrg", "alt", "mdc", "eval_order", SOURCE_ROW)}
            yield {**same, "term": term, **condition}


def _read_adrg(table: _Table) -> list[dict[str, Any]]:
    _order(table, "eval_order", "mdc")
    for row in table.rows:
        row["alt"] = row.get("alt") or 1
        kind = row.get("type")
        row["type"] = TYPES.get(kind, kind) if kind else None
        side = row.get("qy_side")
        if "qy_side" not in table.columns:
            # Letters R to Z are medical ADRGs; make_drg_catalog fills the type by the same rule.
            medical = row["type"] == "medical" if kind else row["adrg"][1:2] >= "R"
            side = "after_qy" if medical else "before_qy"
        row["qy_side"] = QY_SIDES.get(side, side) if side else None
    return list(_conditions(table))


def _read_drg(table: _Table, lists: Container[str]) -> None:
    for row in table.rows:
        row["alt"] = row.get("alt") or 1
    _order(table, "test_order", "adrg", "alt")
    for at, row in enumerate(table.rows):
        row["rule"] = _rule(row["rule"], entry=False)
        parse_drg_rule(row["rule"], lists, table.place(at, "rule").where())


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {**TABLES[name], SOURCE_ROW: pl.Int64()}
    return pl.DataFrame({column: [row.get(column) for row in rows] for column in schema}, schema=schema)


def _read_sets(table: _Table, chapters: Container[str]) -> dict[str, list[dict[str, Any]]]:
    """Split the sheet of code sets into the tables mdc_dx, valid_procedure and code_list."""
    found: dict[str, list[dict[str, Any]]] = {"mdc_dx": [], "valid_procedure": [], "code_list": []}
    next_pos: dict[str, int] = {}
    for row in table.rows:
        list_id = row["list_id"]
        if list_id in chapters:
            found["mdc_dx"].append({**row, "mdc": list_id, "trauma_site": row.get("tag")})
        elif list_id == VALID_PROCEDURE:
            found["valid_procedure"].append(row)
        else:
            pos = next_pos.get(list_id, 0) if row.get("pos") is None else row["pos"]
            next_pos[list_id] = pos + 1
            found["code_list"].append({**row, "pos": pos})
    return found


def _names(found: dict[str, _Table], conditions: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return the code books that names beside the codes make, where the workbook has no sheets for them."""
    kinds = {row["list_id"]: row["kind"] for row in conditions if row["list_id"]}
    diagnoses: dict[str, str] = {}
    operations: dict[str, str] = {}
    for row in found["code_list"].rows:
        is_operation = row["list_id"] == VALID_PROCEDURE or "PROC" in kinds.get(row["list_id"], "")
        if row.get("name"):
            (operations if is_operation else diagnoses).setdefault(row["code"], row["name"])
    for table, column in (("cc", "code"), ("cc_exclusion", "main_dx")):
        for row in found[table].rows:
            if row.get("name"):
                diagnoses.setdefault(row[column], row["name"])
    return {
        name: [{"code": code, "name": text} for code, text in sorted(book.items())]
        for name, book in (("icd10", diagnoses), ("icd9cm3", operations))
    }


def read_workbook(path: Path) -> Workbook:
    """Read a workbook of the sheets MDC, ADRG, DRG, 编码集, CC, 排除表 (and the optional ones).

    The tables are not yet checked against each other. Every cell is text; rules and
    conditions may be in the language of the tables or in words. Raises :class:`CatalogError` naming sheet and
    cell: CATALOG_WORKBOOK (unreadable), CATALOG_WORKBOOK_SHEET, CATALOG_WORKBOOK_HEADER, CATALOG_COLUMN,
    CATALOG_WORKBOOK_NUMBER, CATALOG_WORKBOOK_FORMULA, CATALOG_BLANK, CATALOG_VALUE, CATALOG_UNKNOWN_KIND.
    """
    found, left_out = _find(read_sheets(path), path)
    chapters = [row["mdc"] for row in found["mdc"].rows]
    rows = {name: table.rows for name, table in found.items()}
    rows |= _read_sets(found["code_list"], set(chapters))
    lists = {row["list_id"] for row in rows["code_list"]} | {chapter_list(mdc) for mdc in chapters}
    _read_mdc(found["mdc"], lists)
    rows["adrg_condition"] = _read_adrg(found["adrg"])
    _read_drg(found["drg"], lists)
    if not {"icd10", "icd9cm3"} & found.keys():
        rows |= _names(found, rows["adrg_condition"])
    beside = [row for row in rows["drg"] if row.get("weight") is not None]
    if beside and rows.get("weights"):
        raise CatalogError(
            "the weights stand both beside the DRGs and in a sheet of their own",
            code="CATALOG_COLUMN",
            file=found["weights"].sheet,
            remedy="keep one of them",
        )
    if beside:
        # A DRG of several alternatives repeats its weight.
        rows["weights"] = list({(row["drg"], row["weight"]): row for row in reversed(beside)}.values())[::-1]
    for row in rows["cc"]:
        row["level"] = half_width(row["level"]).upper()
    homes = {"mdc_dx": "code_list", "valid_procedure": "code_list", "adrg_condition": "adrg"}
    if beside:
        homes["weights"] = "drg"
    present = [name for name in TABLES if name in rows]
    return Workbook(
        {name: _frame(name, rows[name]) for name in present},
        {name: found[homes.get(name, name)].sheet for name in present if homes.get(name, name) in found},
        {row["key"]: row["value"] or "" for row in rows.get("meta", [])},
        left_out,
    )
