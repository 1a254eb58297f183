"""Writing the reports of a run: the region page, one statement per hospital, the workbook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fenzhi.errors import OutputError
from fenzhi.files import OWNER_DIR, new_file
from fenzhi.reports.checks import check
from fenzhi.reports.facts import gather
from fenzhi.reports.pages import STATEMENTS, Pages, statement_file
from fenzhi.reports.statement import hospitals_of
from fenzhi.reports.tables import RunTables
from fenzhi.reports.words import language

#: Called with the number of files written and the number of all files.
Progress = Callable[[int, int], None]


def write_reports(run_dir: Path, *, lang: str = "zh", progress: Progress | None = None) -> list[Path]:
    """Write ``region.html``, ``region.xlsx`` and ``statements/<fixmedins_code>.html`` into a run's folder.

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
    statements = {hospital.code: _statement_path(run_dir, hospital.code) for hospital in hospitals}
    region, workbook = run_dir / "region.html", run_dir / "region.xlsx"
    paths = [region, workbook, *statements.values()]
    for path in paths:
        _must_be_new(path)

    from fenzhi.reports.workbook import write_workbook

    pages = Pages(tables, facts, lang)
    done: list[Path] = []

    def finished(path: Path) -> None:
        done.append(path)
        if progress is not None:
            progress(len(done), len(paths))

    _write(region, pages.region())
    finished(region)
    with new_file(workbook) as aside:
        write_workbook(aside, tables, lang)
    finished(workbook)
    for hospital in hospitals:
        _write(statements[hospital.code], pages.statement(hospital))
        finished(statements[hospital.code])
    return done


def write_statement(run_dir: Path, code: str, lang: str = "zh") -> Path:
    """Write the statement of one hospital, as :func:`write_reports` would, and return its path.

    Errors: those of :func:`write_reports`; ``InputError`` if the run has no hospital ``code``.
    """
    language(lang)
    run_dir = Path(run_dir)
    tables = RunTables.read(run_dir)
    facts = gather(tables)
    [hospital] = hospitals_of(tables, facts, [code])
    check(tables, facts)
    path = _statement_path(run_dir, code)
    _must_be_new(path)
    _write(path, Pages(tables, facts, lang).statement(hospital))
    return path


def _statement_path(run_dir: Path, code: str) -> Path:
    return run_dir / STATEMENTS / statement_file(code)


def _must_be_new(path: Path) -> None:
    if path.exists():
        raise OutputError(
            "the report exists already",
            code="OUTPUT_EXISTS",
            file=path,
            remedy="move it away first; a report is never overwritten",
        )


def _write(path: Path, page: str) -> None:
    try:
        path.parent.mkdir(mode=OWNER_DIR, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot make the folder: {error.strerror or error}",
            code="OUTPUT_WRITE",
            file=path.parent,
            remedy="make the run's folder writable, then run again",
        ) from error
    with new_file(path) as aside:
        aside.touch(mode=0o600)
        aside.write_text(page, encoding="utf-8")
