"""What lies at a path: one file, a folder of files, or a folder with the three tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fenzhi.errors import InputError
from fenzhi.records.csvtext import open_csv
from fenzhi.records.excel import open_excel
from fenzhi.records.mapping import CHILD_COLUMNS

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".txt", ".tsv")
_EXCEL = (".xlsx", ".xlsm")
_READABLE = _PARQUET + _CSV + _EXCEL
MAIN = "setlinfo"


@dataclass(frozen=True)
class Table:
    """One opened table. ``load`` gives columns plus ``__row`` (data rows from 1, Int64).

    ``label`` becomes ``source_file``; ``file`` is the path for errors. ``check_codes(codes, keys)`` is what
    Excel needs and nobody else.
    """

    label: str
    file: str
    names: tuple[str, ...]
    load: Callable[[Sequence[str]], pl.DataFrame]
    notices: tuple[str, ...] = ()
    check_codes: Callable[[Iterable[str], Iterable[str]], None] | None = None


@dataclass(frozen=True)
class Unit:
    """What is read at once: one file (``tables`` empty), or the three tables by their names."""

    label: str
    path: Path
    tables: dict[str, Path]


def frame_table(frame: pl.DataFrame, label: str) -> Table:
    """Return a data frame as a table.

    Raises :class:`InputError` RECORDS_NO_ROWS.
    """
    if not frame.height:
        raise InputError("the frame has no rows", code="RECORDS_NO_ROWS", file=label, remedy="leave it out")
    return Table(label, label, tuple(frame.columns), lambda columns: _numbered(frame.select(list(columns))))


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("__row"))


def open_table(path: Path, label: str) -> Table:
    """Open a Parquet, CSV or Excel file.

    Raises :class:`InputError` RECORDS_FORMAT, RECORDS_EMPTY_FILE, RECORDS_NO_ROWS, RECORDS_PARQUET and those
    of :func:`open_csv` and :func:`open_excel`.
    """
    suffix = path.suffix.lower()
    if suffix not in _READABLE:
        raise InputError(
            f"files of the kind {suffix or 'without ending'!r} cannot be read",
            code="RECORDS_FORMAT",
            file=path,
            remedy="save it as .parquet, .csv or .xlsx",
        )
    try:
        if not path.stat().st_size:
            raise InputError(
                "the file is empty",
                code="RECORDS_EMPTY_FILE",
                file=path,
                remedy="export it again or remove it",
            )
        if suffix in _CSV:
            text = open_csv(path)
            return Table(
                label,
                str(path),
                tuple(n.strip() for n in text.header),
                _renaming(text.header, text.load),
                text.notices,
            )
        if suffix in _EXCEL:
            sheet = open_excel(path)
            return Table(label, str(path), sheet.header, sheet.load, sheet.notices, sheet.check_codes)
        return _open_parquet(path, label)
    except OSError as error:
        raise InputError(
            f"cannot read the file: {error.strerror or error}",
            code="RECORDS_MISSING",
            file=path,
            remedy="check that the file exists and that you may read it",
        ) from error


def _renaming(
    header: tuple[str, ...], load: Callable[[Sequence[str]], pl.DataFrame]
) -> Callable[[Sequence[str]], pl.DataFrame]:
    """Let a CSV with spaces around its names be read by the trimmed names."""
    raw = {name.strip(): name for name in header}

    def trimmed(columns: Sequence[str]) -> pl.DataFrame:
        return load([raw[c] for c in columns]).rename({raw[c]: c for c in columns if raw[c] != c})

    return trimmed


def _open_parquet(path: Path, label: str) -> Table:
    try:
        names = pl.read_parquet_schema(path)
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
    except pl.exceptions.PolarsError as error:
        raise _torn_parquet(path) from error
    if not rows:
        raise InputError(
            "the file has no rows", code="RECORDS_NO_ROWS", file=path, remedy="export it again or remove it"
        )

    def load(columns: Sequence[str]) -> pl.DataFrame:
        try:
            # One chunk per column from the start: columns cut differently would be copied at every step.
            return _numbered(pl.read_parquet(path, columns=list(columns)))
        except pl.exceptions.PolarsError as error:
            raise _torn_parquet(path) from error

    return Table(label, str(path), tuple(names), load)


def _torn_parquet(path: Path) -> InputError:
    return InputError(
        "this is not a readable Parquet file",
        code="RECORDS_PARQUET",
        file=path,
        remedy="copy or export the file again",
    )


def _stem(path: Path) -> str:
    """Return the national table name of a file: ``t_setlinfo_diseinfo.csv`` -> ``diseinfo``."""
    stem = path.stem.lower().removeprefix("t_")
    return stem.removeprefix(f"{MAIN}_") if stem != MAIN else stem


def find_units(path: Path) -> tuple[list[Unit], list[str]]:
    """Return what is to be read at ``path`` in order of names, and notices about what is not.

    Raises :class:`InputError` RECORDS_MISSING, RECORDS_EMPTY_FOLDER, RECORDS_MIXED_SHAPES or
    RECORDS_TABLE_MISSING.
    """
    if path.is_file():
        return [Unit(path.name, path, {})], []
    if not path.is_dir():
        raise InputError(
            "there is no such file or folder",
            code="RECORDS_MISSING",
            file=path,
            remedy="check the path",
        )
    units, notices = _in_folder(path, path)
    if not units:
        raise InputError(
            "the folder has no Parquet, CSV or Excel file",
            code="RECORDS_EMPTY_FOLDER",
            file=path,
            remedy="put the records there or give another folder",
        )
    if len({bool(unit.tables) for unit in units}) > 1:
        flat = next(unit for unit in units if not unit.tables)
        raise InputError(
            "this file and the tables setlinfo, diseinfo, oprninfo lie in one folder",
            code="RECORDS_MIXED_SHAPES",
            file=flat.path,
            remedy="keep records of different shapes in folders of their own",
        )
    return units, notices


def _in_folder(folder: Path, root: Path) -> tuple[list[Unit], list[str]]:
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith((".", "~$")))
    files = [p for p in entries if p.is_file()]
    readable = [p for p in files if p.suffix.lower() in _READABLE]
    notices = [f"{p}: not a file of records, left out" for p in files if p not in readable]
    stems = [_stem(p) for p in readable]
    if MAIN in stems or any(stem in CHILD_COLUMNS for stem in stems):
        return _three_tables(folder, root, readable), notices
    units = [Unit(p.relative_to(root).as_posix(), p, {}) for p in readable]
    for inner in (p for p in entries if p.is_dir()):
        more, said = _in_folder(inner, root)
        units += more
        notices += said
    return units, notices


def _three_tables(folder: Path, root: Path, readable: list[Path]) -> list[Unit]:
    tables: dict[str, Path] = {}
    for path in readable:
        stem = _stem(path)
        if stem != MAIN and stem not in CHILD_COLUMNS:
            raise InputError(
                "this file and the tables setlinfo, diseinfo, oprninfo lie in one folder",
                code="RECORDS_MIXED_SHAPES",
                file=path,
                remedy="keep records of different shapes in folders of their own",
            )
        if stem in tables:
            raise InputError(
                f"the table {stem} is there twice",
                code="RECORDS_TABLE_TWICE",
                file=path,
                remedy="keep one of the two files",
            )
        tables[stem] = path
    for stem in (MAIN, "diseinfo"):
        if stem not in tables:
            raise InputError(
                f"the table {stem} is missing",
                code="RECORDS_TABLE_MISSING",
                file=folder,
                remedy=f"put {stem}.parquet, .csv or .xlsx beside {next(iter(tables.values())).name}",
            )
    return [Unit(tables[MAIN].relative_to(root).as_posix(), folder, tables)]
