"""CSV as exports really are: UTF-8 or GB18030, and never a short or torn line taken for a row.

polars fills short lines with nulls; here every record must have as many fields as the header. The check
works on whole blocks of bytes, so it costs little beside the reading itself.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fenzhi.arrays import Int64s
from fenzhi.errors import InputError

_BLOCK = 1 << 24
_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class CsvText:
    """The UTF-8 bytes of one file, its separator, header and the empty lines (record numbers from 0)."""

    file: str
    data: bytes
    separator: str
    header: tuple[str, ...]
    records: int
    empty: Int64s
    notices: tuple[str, ...]

    def load(self, columns: Sequence[str]) -> pl.DataFrame:
        """Return the named columns as text, with ``__row`` (data rows from 1); empty lines are left out."""
        try:
            frame = pl.read_csv(
                self.data,
                columns=list(columns),
                infer_schema=False,
                separator=self.separator,
                truncate_ragged_lines=False,
            )
        except pl.exceptions.PolarsError as error:
            raise InputError(
                f"this CSV cannot be read: {str(error).splitlines()[0]}",
                code="RECORDS_CSV",
                file=self.file,
                remedy="open the file, correct the line and export it again",
            ) from error
        if frame.height != self.records:
            raise InputError(
                f"the file has {self.records} lines of data but {frame.height} could be read",
                code="RECORDS_CSV",
                file=self.file,
                remedy="look for quotation marks inside fields; write them twice or leave them out",
            )
        frame = frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("__row"))
        if len(self.empty):
            keep = np.ones(self.records, dtype=np.bool_)
            keep[self.empty] = False
            frame = frame.filter(pl.Series(keep))
        return frame


def _decode(data: bytes, file: str) -> tuple[bytes, list[str]]:
    if data.startswith(_UTF8_BOM):
        data = data[len(_UTF8_BOM) :]
    try:
        data.decode("utf-8")
        return data, []
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and not data[: error.start].isascii():
            raise InputError(
                "the file ends in the middle of a character: it was cut off",
                code="RECORDS_CUT",
                file=file,
                row=max(data.count(b"\n"), 1),
                remedy="export or copy the file again",
            ) from None
    try:
        return data.decode("gb18030").encode("utf-8"), [f"{file}: read as GB18030"]
    except UnicodeDecodeError as error:
        raise InputError(
            "the text is neither UTF-8 nor GB18030",
            code="RECORDS_ENCODING",
            file=file,
            row=max(0, data.count(b"\n", 0, error.start)) or None,
            remedy="save the file as 'CSV UTF-8' and read it again",
        ) from None


def _records(data: bytes, separator: str) -> tuple[Int64s, Int64s, bool]:
    """Return end position and number of separators of each record, and whether a quote stays open."""
    ends: list[Int64s] = []
    marks: list[Int64s] = []
    inside = np.uint8(0)
    for start in range(0, len(data), _BLOCK):
        block = np.frombuffer(data, np.uint8, count=min(_BLOCK, len(data) - start), offset=start)
        newline = block == 10
        mark = block == ord(separator)
        quote = (block == 34).view(np.uint8)
        if inside or quote.any():
            # A doubled quote switches twice, so the parity is right on both sides of it.
            open_ = np.bitwise_xor.accumulate(quote) ^ inside
            newline &= open_ == 0
            mark &= open_ == 0
            inside = open_[-1]
        ends.append(np.flatnonzero(newline) + start)
        marks.append(np.flatnonzero(mark) + start)
    end = np.concatenate(ends)
    if not len(end) or end[-1] != len(data) - 1:
        end = np.append(end, len(data))
    counts = np.diff(np.searchsorted(np.concatenate(marks), end), prepend=0)
    return end.astype(np.int64), counts.astype(np.int64), bool(inside)


def open_csv(path: Path) -> CsvText:
    """Read a CSV file's bytes and check its structure.

    Raises :class:`InputError` RECORDS_EMPTY_FILE, RECORDS_NO_ROWS, RECORDS_ENCODING, RECORDS_UNCLOSED_QUOTE
    or RECORDS_RAGGED (names the first bad row).
    """
    file = str(path)
    data, notices = _decode(path.read_bytes(), file)
    if not data.strip():
        raise InputError(
            "the file is empty", code="RECORDS_EMPTY_FILE", file=file, remedy="export it again or remove it"
        )
    data = data.lstrip(b"\r\n")
    first = data[: data.find(b"\n") if b"\n" in data else len(data)].decode("utf-8", errors="replace")
    separator = max(",\t;", key=first.count)
    end, counts, inside = _records(data, separator)
    header = tuple(next(csv.reader(io.StringIO(data[: end[0]].decode("utf-8")), delimiter=separator)))
    begin = np.append(0, end[:-1] + 1)
    if inside:
        raise InputError(
            "a quotation mark is opened and never closed: the file may be cut off here",
            code="RECORDS_UNCLOSED_QUOTE",
            file=file,
            row=max(len(end) - 1, 1),
            remedy="export the file again, or write quotation marks inside a field twice",
        )
    length = end - begin
    if len(length):
        length = length - _carriage_returns(data, end, length)
    empty = (length == 0)[1:]
    bad = np.flatnonzero((counts[1:] != counts[0]) & ~empty)
    if len(bad):
        row = int(bad[0])
        last = row == len(counts) - 2
        raise InputError(
            f"this line has {int(counts[row + 1]) + 1} fields, the header has {int(counts[0]) + 1}"
            + (": the file may be cut off here" if last else ""),
            code="RECORDS_RAGGED",
            file=file,
            row=row + 1,
            remedy="export the file again, or put fields that contain the separator in quotation marks",
        )
    if not (~empty).any():
        raise InputError(
            "the file has a header but no rows",
            code="RECORDS_NO_ROWS",
            file=file,
            remedy="export it again or remove it",
        )
    if empty.any():
        notices.append(f"{file}: empty lines skipped: {int(empty.sum())}")
    return CsvText(
        file, data, separator, header, len(empty), np.flatnonzero(empty).astype(np.int64), tuple(notices)
    )


def _carriage_returns(data: bytes, end: Int64s, length: Int64s) -> Int64s:
    """Return 1 for each record that ends in a carriage return."""
    raw = np.frombuffer(data, np.uint8)
    out = np.zeros(len(end), dtype=np.int64)
    some = length > 0
    out[some] = raw[end[some] - 1] == 13
    return out
