"""Read small tables of codes: every cell as text, with errors that name file and row."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from pathlib import Path

import numpy as np
import polars as pl

from fenzhi.errors import FenzhiError, InputError

# A quoted cell without quotation marks or line breaks inside.
_QUOTED = re.compile(r'"(?<![^,\n]")[^"\r\n]*"(?![^,\r\n])')


def _decode(data: bytes, path: Path, error: type[FenzhiError]) -> str:
    # GB18030 accepts nearly any bytes, so UTF-8 has to be tried first.
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise error(
        "the file is neither UTF-8 nor GB18030 text",
        code="TABLE_ENCODING",
        file=path,
        remedy="save it as CSV UTF-8",
    )


def _unzip(data: bytes, path: Path, error: type[FenzhiError]) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as problem:
        raise error(
            "the file ends in .gz but cannot be unpacked",
            code="TABLE_ENCODING",
            file=path,
            remedy="copy or pack it again",
        ) from problem


def _is_regular(text: str, width: int) -> bool:
    """Tell whether every line of a text without quotation marks has ``width`` cells."""
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    ends = np.append(np.flatnonzero(data == ord("\n")), data.size)
    commas = np.flatnonzero(data == ord(","))
    return bool((np.diff(np.searchsorted(commas, ends), prepend=0) == width - 1).all())


def _read_plain(text: str, as_written: bool) -> pl.DataFrame | None:
    """Read a table without faults at the speed of polars; None if it may have any."""
    text = text.rstrip("\r\n")
    first, _, body = text.partition("\n")
    header = [name.strip() for name in first.split(",")]
    if (
        '"' in first
        or not body
        or not all(header)
        or len(set(header)) < len(header)
        or text.count("\r") != text.count("\r\n")
    ):
        return None
    bare, quoted = _QUOTED.subn("", body) if '"' in body else (body, 0)
    # polars fills up short rows in silence, so the cells of each line are counted here.
    if 2 * quoted != body.count('"') or not _is_regular(bare, len(header)):
        return None
    try:
        frame = pl.read_csv(
            io.BytesIO(body.encode()),
            has_header=False,
            new_columns=header,
            schema=dict.fromkeys(header, pl.String()),
        )
    except pl.exceptions.PolarsError:
        return None
    cell = pl.all().str.strip_chars()
    frame = frame.with_columns(pl.when(cell != "").then(pl.all() if as_written else cell).name.keep())
    return None if frame.select(pl.all_horizontal(pl.all().is_null()).any()).item() else frame


def read_table(
    path: Path, error: type[FenzhiError] = InputError, *, as_written: bool = False
) -> pl.DataFrame:
    """Read a comma-separated file (UTF-8 or GB18030, ``.gz`` or not) with a header; all columns are String.

    Blanks around a cell are dropped (``as_written``: kept), empty cells become null, empty lines at the end are
    ignored. Row ``i`` of the frame is data row ``i + 1`` of the file. Raises ``error`` with code ``TABLE_MISSING``,
    ``TABLE_ENCODING``, ``TABLE_EMPTY`` (no header), ``TABLE_HEADER`` (an unnamed or repeated column) or
    ``TABLE_ROW`` (an empty line in between, or a row with more or fewer cells than the header).
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise error(
            f"cannot read the file: {problem.strerror}",
            code="TABLE_MISSING",
            file=path,
            remedy="check the name and the right to read it",
        ) from problem
    if path.suffix == ".gz":
        data = _unzip(data, path, error)
    text = _decode(data, path, error)
    plain = _read_plain(text, as_written)
    if plain is not None:
        return plain
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as problem:
        raise error(
            f"this is not a readable CSV file: {problem}",
            code="TABLE_ROW",
            file=path,
            remedy="look for a quotation mark that is not closed",
        ) from problem
    written, rows = rows, [[cell.strip() for cell in row] for row in rows]
    while rows and not any(rows[-1]):
        rows.pop()
    if not rows:
        raise error("the file is empty", code="TABLE_EMPTY", file=path, remedy="give a header and rows")
    header, body = rows[0], rows[1:]
    for position, name in enumerate(header, start=1):
        if not name or name in header[: position - 1]:
            raise error(
                f"column {position} has {'a name that another column has' if name else 'no name'}",
                code="TABLE_HEADER",
                file=path,
                field=name or None,
                remedy="give every column its own name",
            )
    for number, row in enumerate(body, start=1):
        if len(row) != len(header) or not any(row):
            raise error(
                f"the row has {len(row)} cells, the header {len(header)}" if any(row) else "the row is empty",
                code="TABLE_ROW",
                file=path,
                row=number,
                remedy="put cells that contain commas into quotation marks, and remove empty rows",
            )
    if as_written:
        body = [
            [raw if cell else "" for raw, cell in zip(*pair, strict=True)]
            for pair in zip(written[1:], body, strict=False)
        ]
    columns = list(zip(*body, strict=True)) if body else [()] * len(header)
    return pl.DataFrame(
        [
            pl.Series(name, [cell or None for cell in cells], dtype=pl.String)
            for name, cells in zip(header, columns, strict=True)
        ]
    )


def require_columns(
    frame: pl.DataFrame, names: tuple[str, ...], path: Path, error: type[FenzhiError]
) -> None:
    """Raise ``error`` (code ``TABLE_COLUMN``) for the first of ``names`` that the frame lacks."""
    for name in names:
        if name not in frame.columns:
            raise error(
                f"the column {name} is missing",
                code="TABLE_COLUMN",
                file=path,
                field=name,
                remedy=f"the header must contain: {', '.join(names)}",
            )
