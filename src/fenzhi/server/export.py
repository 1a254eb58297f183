"""Tables and pictures of the page as files: CSV, Excel, SVG, PNG. Numbers as numbers, texts never formulas."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from fenzhi.files import neutral
from fenzhi.reports.display import DASH, MINUS, Cell, Table
from fenzhi.reports.sheets import about_sheet, run_lines, workbook
from fenzhi.server.section import Picture
from fenzhi.server.year import Year

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "svg": "image/svg+xml",
    "png": "image/png",
}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?%?")
#: Pixels of a picture for one of its own units.
_PNG_SCALE = 3.0
Value = Decimal | str | None


def file_of(block: Table | Picture, ending: str, year: Year) -> bytes:
    """Return a table as ``csv`` or else ``xlsx``, a picture as ``svg`` or else ``png``."""
    if isinstance(block, Table):
        return _csv(block) if ending == "csv" else _xlsx(block, year)
    if ending == "svg":
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{block.svg}\n'.encode()
    import vl_convert

    png: bytes = vl_convert.svg_to_png(str(block.svg), scale=_PNG_SCALE)
    return png


def plain(cell: Cell) -> Value:
    """Return what a printed cell says: a number without separators, a text, nothing for a dash or an empty cell.

    A per cent is a share: ``12.34%`` is 0.1234.
    """
    if cell.text in ("", DASH):
        return None
    number = cell.text.replace(",", "").replace(MINUS, "-").removeprefix("+")
    if cell.kind != "num" or not _NUMBER.fullmatch(number):
        return cell.text
    return Decimal(number[:-1]) / 100 if number.endswith("%") else Decimal(number)


def values(table: Table) -> tuple[list[str], list[list[Value]]]:
    """Return titles and rows; a column whose cells have a second line is followed by a column of these."""
    wide = [row for row in table.rows if row.part != "part"]
    noted = [any(row.cells[at].note for row in wide) for at in range(len(table.heads))]
    titles: list[str] = []
    for head, has in zip(table.heads, noted, strict=True):
        titles += [head.title, ""] if has else [head.title]
    rows: list[list[Value]] = []
    for row in table.rows:
        if row.part == "part":
            rows.append([row.cells[0].text])
            continue
        said: list[Value] = []
        for cell, has in zip(row.cells, noted, strict=True):
            said += [plain(cell), cell.note] if has else [plain(cell)]
        rows.append(said)
    return titles, rows


def _csv(table: Table) -> bytes:
    """Return a table as CSV that opens in Excel (UTF-8 with mark)."""
    titles, rows = values(table)
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow([neutral(title) for title in titles])
    for row in rows:
        write.writerow(
            ["" if one is None else neutral(one) if isinstance(one, str) else f"{one:f}" for one in row]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _places(column: Sequence[Value]) -> str:
    """Return the number format that shows what the page shows."""
    exponents = [int(one.as_tuple().exponent) for one in column if isinstance(one, Decimal)]
    places = min(max(-min(exponents, default=0), 0), 6)
    return "#,##0" + ("." + "0" * places if places else "")


def _xlsx(table: Table, year: Year) -> bytes:
    titles, rows = values(table)
    wide = [[*row, *([None] * (len(titles) - len(row)))] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        with workbook(path, table.caption, str(year.tables.manifest["created"])) as (book, formats):
            # What the table is comes behind it: who opens the file sees the figures.
            page = book.add_worksheet(_sheet_name(table.caption))
            page.freeze_panes(1, 1)
            for at, title in enumerate(titles):
                column = [row[at] for row in wide]
                page.write_string(0, at, neutral(title), formats["head"])
                form = book.add_format({"num_format": _places(column), "align": "right"})
                for line, one in enumerate(column, 1):
                    if isinstance(one, Decimal):
                        page.write_number(line, at, float(one), form)
                    elif one is not None:
                        page.write_string(line, at, neutral(one))
                page.set_column(at, at, 30 if at == 0 else 18)
            lines = [*run_lines(year.tables, year.words), ("", neutral(table.note))]
            about_sheet(book, formats, year.words("about"), table.caption, lines)
        return path.read_bytes()


def _sheet_name(title: str) -> str:
    """Return a title as the name of a sheet may be: no ``[]:*?/\\``, 31 signs at most."""
    return re.sub(r"[\[\]:*?/\\']", " ", title)[:31].strip() or "1"
