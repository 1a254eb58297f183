"""Writing the reports of a run: the region page, the agency's workbook, pages and workbook of each hospital."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fenzhi.errors import OutputError
from fenzhi.files import OWNER_DIR, new_file, require_new_file
from fenzhi.reports.checks import check, check_hospital
from fenzhi.reports.facts import by_band, gather, region_bands
from fenzhi.reports.hospital import Hospital, hospitals_of, statement_of
from fenzhi.reports.pages import KINDS, PAGES, STATEMENTS, Pages, statement_file
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import language

#: Called with the number of files written and the number of all files.
Progress = Callable[[int, int], None]


def write_reports(run_dir: Path | str, *, lang: str = "zh", progress: Progress | None = None) -> list[Path]:
    """Write ``region.html``, ``region.xlsx`` and each hospital's pages under ``statements/`` into a run's folder.

    A hospital's workbook is written on demand only, by :func:`write_statement`.

    Parameters
    ----------
    run_dir: folder of a finished run (result tables and ``manifest.json``).
    lang: ``zh`` or ``en``.
    progress: called after each file with (files written, all files).

    Returns the files in the order in which they were written. Nothing is overwritten: if any file exists
    already, or if the tables do not add up, nothing is written at all.

    Errors: ``InputError`` (no run, broken table or manifest), ``ConservationError`` (sums), ``OutputError``.
    """
    language(lang)
    run_dir = Path(run_dir)
    tables = RunTables.read(run_dir)
    facts = gather(tables)
    check(tables, facts)
    hospitals = hospitals_of(tables, facts)
    statements = [
        (hospital, kind, run_dir / STATEMENTS / statement_file(hospital.code, kind))
        for hospital in hospitals
        for kind in PAGES
    ]
    region, workbook = run_dir / "region.html", run_dir / "region.xlsx"
    paths = [region, workbook, *(path for _, _, path in statements)]
    for path in paths:
        _must_be_new(path)

    from fenzhi.reports.workbook import write_workbook

    pages = Pages(tables, by_band(facts.deviation), lang)
    done: list[Path] = []

    def finished(path: Path) -> None:
        done.append(path)
        if progress is not None:
            progress(len(done), len(paths))

    _write(region, pages.region(facts))
    finished(region)
    with new_file(workbook) as aside:
        write_workbook(aside, tables, lang)
    finished(workbook)
    for hospital, kind, path in statements:
        _write(path, pages.page(hospital, kind))
        finished(path)
    return done


def write_statement(
    run_dir: Path, code: str, lang: str = "zh", *, target: Path | None = None, kind: str = "year"
) -> list[Path]:
    """Write what one hospital gets from a finished run, reading only its rows; return the files.

    ``target``: None writes what is missing under the run's ``statements/`` (pages, as :func:`write_reports` would, and
    workbook); a name that ends in ``.html`` writes the page ``kind``, in ``.xlsx`` the workbook; any other name is a
    folder for all of them.

    Errors: those of :func:`write_reports`; ``InputError`` if the run has no hospital ``code``.
    """
    language(lang)
    run_dir = Path(run_dir)
    files = _wanted(run_dir, code, target, kind)
    for path in files.values():
        _must_be_new(path)
    tables = RunTables.read(run_dir)
    hospital = statement_of(tables, code)
    check_hospital(tables, hospital)
    # Pages elsewhere find neither the region's page nor, alone, each other.
    pages = Pages(tables, region_bands(tables), lang, linked=target is None)
    for what, path in files.items():
        if what == "workbook":
            _write_book(path, tables, hospital, lang)
        else:
            _write(path, pages.page(hospital, what))
    return list(files.values())


def _wanted(run_dir: Path, code: str, target: Path | None, kind: str) -> dict[str, Path]:
    """Return kind -> file of what is to be written."""
    if target is not None and target.suffix.lower() in (".html", ".xlsx"):
        return {"workbook" if target.suffix.lower() == ".xlsx" else kind: target}
    if target is not None and target.suffix:
        require_new_file(target, (".html", ".xlsx"))
    folder = run_dir / STATEMENTS if target is None else target
    files = {what: folder / statement_file(code, what) for what in KINDS}
    return {what: path for what, path in files.items() if target is not None or not path.exists()}


def _write_book(path: Path, tables: RunTables, hospital: Hospital, lang: str) -> None:
    from fenzhi.reports.hospital_book import write_hospital_book

    _folder(path)
    with new_file(path) as aside:
        write_hospital_book(aside, tables, hospital, lang)


def statements_of(run_dir: Path, code: str) -> Sequence[Path]:
    """Return the files that a run has for a hospital."""
    files = [Path(run_dir) / STATEMENTS / statement_file(code, what) for what in KINDS]
    return [path for path in files if path.exists()]


def _must_be_new(path: Path) -> None:
    if path.exists():
        raise OutputError(
            "the report exists already",
            code="OUTPUT_EXISTS",
            file=path,
            remedy="move it away first; a report is never overwritten",
        )


def _folder(path: Path) -> None:
    try:
        path.parent.mkdir(mode=OWNER_DIR, exist_ok=True, parents=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder: {error.strerror or error}",
            code="OUTPUT_WRITE",
            file=path.parent,
            remedy="make the run's folder writable, then run again",
        ) from error


def _write(path: Path, page: str) -> None:
    _folder(path)
    with new_file(path) as aside:
        aside.touch(mode=0o600)
        aside.write_text(page, encoding="utf-8")
