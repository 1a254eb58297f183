"""What the reports read: the result tables of one run and its manifest, nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import InputError
from fenzhi.reports.styles import style_of
from fenzhi.results import FURTHER, TABLES, columns_of, shape

SMALL_TABLES = tuple(name for name in TABLES if name != "cases")

#: What the manifest must hold for a report: section -> keys. Keys that are not listed are optional.
MANIFEST_KEYS: dict[str, tuple[str, ...]] = {
    "region": ("id", "name", "year", "synthetic"),
    "policy": ("id", "title", "sections"),
    "catalog": ("id", "title", "version"),
}
BUDGET_KEYS = ("pool", "method", "changes")


@dataclass(frozen=True)
class RunTables:
    """One run as the reports see it.

    ``cases`` stays lazy (it may hold millions of rows); the other tables are frames with exactly the columns
    of :mod:`fenzhi.results`; only some runs have ``review``, what is published of special review, ``tracks`` and
    ``track_lines``, what other tracks pay, and what looks
    back: ``restatement`` (the run that this one restates) and ``changes`` (a year before). ``manifest``
    holds

    - ``run_id``, ``created`` (ISO time), ``versions`` (program -> version), ``counts`` (name -> number);
    - ``region``: id, name, year, synthetic;
    - ``policy``: id, title, ``sections`` (name -> {cite, confidence}); optional ``title_en``, ``bands`` (list
      of {name, title}), ``settlement_method`` (``ratio``, the default, or ``difference``) and
      ``scale`` of the weights;
    - ``catalog``: id, title, version; optional ``chapters`` (code -> name);
    - optional ``rules``, where policy or catalogue change within the year: list of {policy, catalog, first, last,
      stays}, with the dates (ISO) and the number of stays of each; ``policy`` and ``catalog`` are the first then;
    - ``budget``: list of {pool, method, changes}, the changes as {date, line, other, amount_fen, reason, cite}.
    """

    run_dir: Path
    cases: pl.LazyFrame
    groups: pl.DataFrame
    hospitals: pl.DataFrame
    months: pl.DataFrame
    pools: pl.DataFrame
    budget: pl.DataFrame
    ledger: pl.DataFrame
    rejected: pl.DataFrame
    monitoring: pl.DataFrame
    manifest: dict[str, Any]
    review: pl.DataFrame | None = None
    restatement: pl.DataFrame | None = None
    changes: pl.DataFrame | None = None
    tracks: pl.DataFrame | None = None
    track_lines: pl.DataFrame | None = None
    values: pl.DataFrame | None = None

    @classmethod
    def read(cls, run_dir: Path) -> RunTables:
        """Load the tables and the manifest of a run.

        Errors: :class:`InputError` for a missing folder or file, a missing column or type, a broken manifest.
        """
        run_dir = Path(run_dir)
        if not run_dir.is_dir():
            raise InputError(
                "there is no such run",
                code="RUN_MISSING",
                file=run_dir,
                remedy="give the folder of a finished run (runs/<id>)",
            )
        frames = {name: _frame(run_dir, name) for name in SMALL_TABLES}
        further = {
            name: _frame(run_dir, name)
            for name in ("review", "restatement", "changes", "tracks", "track_lines", "values")
            if (run_dir / f"{name}.parquet").is_file()
        }
        return cls(
            run_dir=run_dir,
            cases=_cases(run_dir),
            manifest=read_manifest(run_dir),
            **frames,
            **further,
        )

    @property
    def synthetic(self) -> bool:
        """Whether the region's data are made up; then every page says so."""
        return bool(self.manifest["region"]["synthetic"])

    @cached_property
    def style(self) -> str:
        """The style in which the pages speak, see :mod:`fenzhi.reports.styles`."""
        schemes = self.cases.select(pl.col("scheme").unique()).collect()["scheme"]
        return style_of(schemes, self.manifest["policy"])

    @property
    def band_titles(self) -> dict[str, str]:
        """Titles of the deviation bands as the policy gives them."""
        packs = [entry["policy"] for entry in self.rules] or [self.manifest["policy"]]
        bands = [band for pack in reversed(packs) for band in pack.get("bands", [])]
        return {band["name"]: band["title"] for band in bands if band.get("title")}

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules that follow each other in the year; none if it has only those of the manifest."""
        found: list[dict[str, Any]] = self.manifest.get("rules", [])
        return found

    @cached_property
    def rule_messages(self) -> dict[str, str]:
        """Rule of quality control -> its message, for rules whose rows all say the same."""
        messages = self.rejected.group_by("rule").agg(
            pl.col("message").first(), pl.col("message").n_unique().alias("n")
        )
        said = messages.filter(
            (pl.col("n") == 1) & pl.col("message").is_not_null() & pl.col("rule").is_not_null()
        )
        return dict(said.select("rule", "message").iter_rows())

    @cached_property
    def manifest_hash(self) -> str:
        """SHA-256 of ``manifest.json``: it names the hashes of every input, so it stands for the whole run."""
        return hashlib.sha256((self.run_dir / "manifest.json").read_bytes()).hexdigest()

    def further_sheets(self) -> list[str]:
        """Return the tables that only some policies make, that this run has and that hold no single stays."""
        return [
            name
            for name, columns in FURTHER.items()
            if (self.run_dir / f"{name}.parquet").is_file() and columns[0].name != "setl_id"
        ]

    def table(self, name: str) -> pl.DataFrame:
        """Return a table by its name; one that only some policies make is read now."""
        if name in SMALL_TABLES:
            frame: pl.DataFrame = getattr(self, name)
            return frame
        return _frame(self.run_dir, name)

    def pool_ids(self) -> list[str]:
        """Return the pools in the order of the table ``pools``."""
        return self.pools["pool"].to_list()

    def pool_titles(self) -> dict[str, str]:
        """Return pool -> title; a pool without title keeps its id."""
        return {pool: title or pool for pool, title in self.pools.select("pool", "title").iter_rows()}


def read_manifest(run_dir: Path) -> dict[str, Any]:
    """Load ``manifest.json`` and check that it says what a report prints."""
    path = run_dir / "manifest.json"
    remedy = "run the year again; a run writes its manifest last"
    if not path.is_file():
        raise InputError("the run has no manifest", code="RUN_MANIFEST_MISSING", file=path, remedy=remedy)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"the manifest is not readable JSON: {error}", code="RUN_MANIFEST", file=path, remedy=remedy
        ) from error
    if not isinstance(manifest, dict):
        raise InputError("the manifest is not a JSON object", code="RUN_MANIFEST", file=path, remedy=remedy)
    missing = [key for key in ("run_id", "created") if key not in manifest]
    for section, keys in MANIFEST_KEYS.items():
        given = manifest.get(section)
        missing += [f"{section}.{key}" for key in keys if not isinstance(given, dict) or key not in given]
    for at, line in enumerate(manifest.setdefault("budget", [])):
        missing += [f"budget[{at}].{key}" for key in BUDGET_KEYS if key not in line]
    if missing:
        raise InputError(
            f"the manifest lacks {', '.join(missing)}",
            code="RUN_MANIFEST",
            file=path,
            field=missing[0],
            remedy=remedy,
        )
    return manifest


def _path(run_dir: Path, table: str) -> Path:
    path = run_dir / f"{table}.parquet"
    if not path.is_file():
        raise InputError(
            f"the run lacks its table {table}",
            code="RUN_TABLE_MISSING",
            file=path,
            remedy="run the year again; a finished run has every result table",
        )
    return path


def _check_columns(have: list[str], table: str, path: Path) -> None:
    missing = [column.name for column in columns_of(table) if column.name not in have]
    if missing:
        raise InputError(
            f"table {table} lacks the columns {', '.join(missing)}",
            code="RUN_TABLE_COLUMNS",
            file=path,
            field=missing[0],
            remedy="read the run with the version of fenzhi that wrote it",
        )


def _unreadable(path: Path, error: Exception) -> InputError:
    first = (str(error).splitlines() or [type(error).__name__])[0]
    return InputError(
        f"the table cannot be read: {first}",
        code="RUN_TABLE_UNREADABLE",
        file=path,
        remedy="the file is damaged or of another version: run the year again",
    )


def _frame(run_dir: Path, table: str) -> pl.DataFrame:
    path = _path(run_dir, table)
    names = [column.name for column in columns_of(table)]
    try:
        frame = pl.read_parquet(path)
        _check_columns(frame.columns, table, path)
        return shape(frame.select(names), table)
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from error


def _cases(run_dir: Path) -> pl.LazyFrame:
    path = _path(run_dir, "cases")
    try:
        scan = pl.scan_parquet(path)
        _check_columns(scan.collect_schema().names(), "cases", path)
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from error
    return scan.select(pl.col(column.name).cast(column.dtype) for column in TABLES["cases"])
