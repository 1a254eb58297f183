"""The cells of an .xlsx workbook with their addresses and types: what a review of codes needs to know.

A code that Excel holds as a number has lost its zeros, so numbers must be told from texts cell by cell, and a
message has to name the cell. The reader of frames gives neither, hence this small one over the sheets' XML.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element, ParseError, iterparse

from fenzhi.errors import CatalogError

_ADDRESS = re.compile(r"([A-Z]+)(\d+)")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_LIMIT_BYTES = 1 << 30


class Number(str):
    """The text of a cell that Excel keeps as a number or a date."""

    __slots__ = ()


@dataclass(frozen=True)
class Sheet:
    """A sheet: ``rows`` gives row (from 1, as Excel shows it) -> column (from 0) -> text, without empty cells.

    ``hidden``: people do not see it.
    """

    name: str
    rows: dict[int, dict[int, str]]
    hidden: bool = False


def letters(column: int) -> str:
    """Return the letters of a column counted from 0: 0 is A, 26 is AA."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


@cache
def _column(name: str) -> int:
    """Return the column, counted from 0, of its letters."""
    column = 0
    for letter in name:
        column = column * 26 + ord(letter) - 64
    return column - 1


def _place(address: str) -> tuple[int, int]:
    """Return row (from 1) and column (from 0) of an address such as ``B12``."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise ValueError(address)
    return int(found[2]), _column(found[1])


def _events(file: IO[bytes], *wanted: str) -> Iterator[tuple[str, Element]]:
    """Yield name (without namespace) and element of those wanted, as they end; they are emptied afterwards."""
    for _, element in iterparse(file):
        name = _tag(element)
        if name in wanted:
            yield name, element
            element.clear()


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _string(element: Element) -> str:
    """Return the text of a shared or inline string; readings (phonetic runs) are left out."""
    texts = []
    for child in element:
        tag = _tag(child)
        if tag == "t":
            texts.append(child.text or "")
        elif tag == "r":
            texts += [part.text or "" for part in child if _tag(part) == "t"]
    text = "".join(texts)
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _open(book: zipfile.ZipFile, name: str) -> IO[bytes]:
    if book.getinfo(name).file_size > _LIMIT_BYTES:
        raise ValueError(f"{name} is larger than a workbook of codes can be")
    return book.open(name)


def _shared(book: zipfile.ZipFile, name: str) -> list[str]:
    if name not in book.namelist():
        return []
    with _open(book, name) as file:
        return [_string(element) for _, element in _events(file, "si")]


def _cell(element: Element, shared: list[str], where: str, computed: bool) -> str | None:
    kind = element.get("t", "n")
    tags = [_tag(child) for child in element]
    if "f" in tags and not (computed and "v" in tags):
        raise CatalogError(
            f"cell {where} holds a formula, not a value",
            code="CATALOG_WORKBOOK_FORMULA",
            field=where,
            remedy="copy the sheet and paste it as values, then save",
        )
    for child, tag in zip(element, tags, strict=True):
        if tag == "is":
            return _string(child)
        if tag == "v" and child.text:
            if kind == "s":
                return shared[int(child.text)]
            return Number(child.text) if kind in ("n", "d") else child.text
    return None


def _fill_down(rows: dict[int, dict[int, str]], merged: list[str]) -> None:
    for area in merged:
        first, _, last = area.partition(":")
        (top, left), (bottom, _) = _place(first), _place(last or first)
        held = rows.get(top, {}).get(left)
        if held is not None:
            # Rows that hold nothing else stay empty: a merged cell is no row of its own.
            for row in range(top + 1, bottom + 1):
                if row in rows:
                    rows[row].setdefault(left, held)


def _row(element: Element, number: int, shared: list[str], computed: bool) -> dict[int, str]:
    column, cells = -1, {}
    for child in element:
        address = child.get("r")
        column = _column(address.rstrip("0123456789")) if address else column + 1
        cell = _cell(child, shared, address or f"{letters(column)}{number}", computed)
        if cell is not None and cell.strip():
            cells[column] = cell
    return cells


def _sheet(book: zipfile.ZipFile, name: str, part: str, shared: list[str], computed: bool) -> Sheet:
    rows: dict[int, dict[int, str]] = {}
    merged = []
    number = 0
    with _open(book, part) as file:
        for tag, element in _events(file, "row", "mergeCell"):
            if tag == "mergeCell":
                merged.append(element.get("ref", ""))
                continue
            number = int(element.get("r", number + 1))
            cells = _row(element, number, shared, computed)
            if cells:
                rows[number] = cells
    _fill_down(rows, merged)
    return Sheet(name, rows)


def _parts(book: zipfile.ZipFile) -> list[tuple[str, str, bool]]:
    """Return name and file of every worksheet, in the order of the workbook, and whether it is hidden."""
    with _open(book, "xl/_rels/workbook.xml.rels") as file:
        targets = {
            one.get("Id"): (one.get("Target", ""), one.get("Type", ""))
            for _, one in _events(file, "Relationship")
        }
    found = []
    with _open(book, "xl/workbook.xml") as file:
        for _, one in _events(file, "sheet"):
            key = next((value for name, value in one.items() if name.endswith("}id")), None)
            target, kind = targets.get(key, ("", ""))
            if kind.endswith("/worksheet"):
                file_name = posixpath.normpath(posixpath.join("/xl", target))[1:]
                found.append((one.get("name", ""), file_name, one.get("state", "visible") != "visible"))
    return found


def read_sheets(path: Path, *, computed: bool = False) -> list[Sheet]:
    """Read every worksheet of an .xlsx file; merged cells are filled down.

    ``computed``: a cell with a formula has the value that Excel saved with it; otherwise it is an error.

    Raises :class:`CatalogError` CATALOG_WORKBOOK (no such file, no workbook, protected by a password) or
    CATALOG_WORKBOOK_FORMULA naming sheet and cell.
    """
    try:
        with zipfile.ZipFile(path) as book:
            shared = _shared(book, "xl/sharedStrings.xml")
            sheets = []
            for name, part, hidden in _parts(book):
                try:
                    sheets.append(replace(_sheet(book, name, part, shared, computed), hidden=hidden))
                except CatalogError as error:
                    raise CatalogError(
                        error.message,
                        code=error.code,
                        file=f"{path}, sheet {name}",
                        field=error.field,
                        remedy=error.remedy,
                    ) from error
            return sheets
    except OSError as error:
        raise CatalogError(
            f"cannot read the workbook: {error.strerror or error}",
            code="CATALOG_WORKBOOK",
            file=path,
            remedy="check the name and the right to read it",
        ) from error
    except (zipfile.BadZipFile, KeyError, IndexError, ValueError, ParseError, RuntimeError) as error:
        raise CatalogError(
            "this is not a readable Excel workbook",
            code="CATALOG_WORKBOOK",
            file=path,
            remedy="save it as .xlsx (not .xls, not protected by a password); of tables in CSV give their folder",
        ) from error
