"""A run on disk: its folder, manifest and tables, written aside and renamed, so that it is whole or not there."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl
import polars.selectors as cs

from fenzhi.budget import PoolBudget
from fenzhi.errors import ConservationError, InputError
from fenzhi.files import new_dir, sweep
from fenzhi.money import yuan_to_fen
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.year import compute
from fenzhi.policy import Policy, policy_hash
from fenzhi.policy.base import Confidence
from fenzhi.region import Region, load_region
from fenzhi.region.reviews import APPLICATIONS, DECISIONS
from fenzhi.region.tracks import FILES

#: Folders of a region that fenzhi writes.
OWN = ("runs/", "simulation/")


@dataclass(frozen=True)
class Run:
    """A finished run: where it lies, its manifest and its result tables (see :mod:`fenzhi.results`)."""

    folder: Path
    manifest: dict[str, Any]
    tables: dict[str, pl.DataFrame]


def input_files(region: Region) -> dict[str, Path]:
    """Return every input file of the region, by its path inside the folder."""
    meta, codes = region.meta, region.codes
    names = [
        meta.records,
        *meta.history,
        meta.hospitals,
        meta.budget,
        "region.toml",
        *meta.packs(),
        *(one.catalog for one in meta.catalogs()),
        meta.columns,
        meta.operations,
        codes.diagnosis_map,
        codes.operation_map,
        codes.diagnosis_book,
        codes.operation_book,
        meta.assessment or "assessment.csv",
        meta.deductions or "deductions.csv",
        meta.advances or "advances.csv",
        meta.weight_overrides or "weight_overrides.csv",
        meta.bonuses or "bonuses.csv",
        meta.auxiliary or "auxiliary.csv",
        None if region.published is None else region.published.weights,
        *(None if pack.auxiliary is None else pack.auxiliary.comorbidity for pack in region.policies),
        APPLICATIONS,
        DECISIONS,
        *FILES,
    ]
    out: dict[str, Path] = {}
    for name in dict.fromkeys(name for name in names if name):
        path = region.path(name)
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            # Files may also lie outside the folder; those go by their whole path.
            inside = file.is_relative_to(region.folder)
            label = (file.relative_to(region.folder) if inside else file).as_posix()
            # Runs and what simulations keep are results, even where the records lie in the folder itself.
            if file.is_file() and not label.startswith(OWN):
                out[label] = file
    return out


def file_hashes(region: Region) -> dict[str, str]:
    """Return the SHA-256 of every input file of the region, by its path inside the folder."""
    out = {}
    for label, file in input_files(region).items():
        with file.open("rb") as stream:
            out[label] = hashlib.file_digest(stream, "sha256").hexdigest()
    return out


def _policy_facts(policy: Policy) -> dict[str, Any]:
    sections = {
        name: {"cite": section["cite"], "confidence": section["confidence"]}
        for name, section in policy.model_dump(mode="json").items()
        if section is not None and "cite" in section
    }
    if policy.tracks:
        order = list(Confidence)
        sections["tracks"] = {
            "cite": "; ".join(f"{track.title}: {track.cite or '-'}" for track in policy.tracks),
            "confidence": str(max((track.confidence for track in policy.tracks), key=order.index)),
        }
    return {
        "id": policy.meta.id,
        "title": policy.meta.title,
        "title_en": policy.meta.title_en,
        "version": policy.meta.version,
        "hash": policy_hash(policy),
        "sections": sections,
        "bands": [
            {"name": band.name, "title": band.title or band.name} for band in policy.deviation.all_bands()
        ],
        "settlement_method": policy.point_value.settlement,
        "rate": policy.point_value.rate,
        "period": policy.point_value.period,
        "residual": policy.settlement.residual,
        "advance_ratio": str(policy.settlement.advance_ratio),
        "scale": policy.weights.scale,
    }


def _manifest(region: Region, run_id: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what a run says of itself.

    ``policy`` and ``catalog`` are those of the first day; ``rules``, if they change within the year, lists all.
    """
    packs = {pack.meta.id: _policy_facts(pack) for pack in region.policies}
    rules = [{**entry, "policy": packs[entry["policy"]]} for entry in facts.get("rules", ())]
    return {
        "run_id": run_id,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "region": {
            "id": region.meta.id,
            "name": region.meta.name,
            "year": region.meta.year,
            "synthetic": region.meta.synthetic,
        },
        "policy": packs[region.policy.meta.id],
        "budget": [_budget(pool) for pool in region.budget.pool],
        "versions": {"fenzhi": version("fenzhi"), "polars": pl.__version__},
        "inputs": file_hashes(region),
        **facts,
        **({"rules": rules} if rules else {}),
    }


def _budget(pool: PoolBudget) -> dict[str, Any]:
    """Return how a pool's by-disease total comes about, and its changes by date; its lines are a table."""
    return {
        "pool": pool.id,
        "method": pool.method,
        "last_by_disease_fen": None if pool.last_by_disease is None else yuan_to_fen(pool.last_by_disease),
        "last_total_fen": None if pool.last_total is None else yuan_to_fen(pool.last_total),
        "growth_rate": None if pool.growth_rate is None else str(pool.growth_rate),
        "changes": [
            {
                "date": change.date.isoformat(),
                "line": change.line,
                "other": change.from_ or change.to,
                "amount_fen": yuan_to_fen(change.amount),
                "reason": change.reason,
                "cite": change.cite,
            }
            for change in pool.changes()
        ],
    }


def _run_folder(region: Region) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    runs = region.folder / "runs"
    folder = runs / stamp
    number = 1
    while folder.exists():
        number += 1
        folder = runs / f"{stamp}-{number}"
    return folder


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a result table as Parquet, the same bytes for the same content."""
    frame.write_parquet(
        path, compression="zstd", compression_level=1, row_group_size=250_000, statistics=True
    )


def _computed(
    region: Region, chunk_rows: int | None, progress: Progress
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    try:
        return compute(region, chunk_rows=chunk_rows, progress=progress)
    except pl.exceptions.InvalidOperationError as error:
        raise ConservationError(
            "a figure is larger than 63 bits can hold, so it cannot be computed exactly",
            code="RUN_FIGURE_TOO_LARGE",
            file=region.folder,
            remedy="look for an amount, weight scale or coefficient with too many digits",
        ) from error


def run(
    folder: Path | str,
    *,
    reports: bool = True,
    lang: str = "zh",
    chunk_rows: int | None = None,
    restates: Path | str | None = None,
    last_year: Path | str | None = None,
    progress: Progress = silent,
) -> Run:
    """Run a region's year and write its results to ``runs/<id>/`` in the region's folder, all or nothing.

    ``reports``: also write the pages, statements and workbook (in ``lang``, ``zh`` or ``en``). ``restates``: the
    run that this one replaces; ``last_year``: a run of a year before, to compare with (docs/rules.md, section 7);
    both are only read. Returns the finished run. Raises a
    :class:`fenzhi.errors.FenzhiError` that says what is wrong, where, and what to do; then nothing is left behind.
    """
    from fenzhi.pipeline.sides import look_back  # which reads runs with what is below

    region = load_region(Path(folder))
    back = look_back(region, restates, last_year)
    region = back.region
    sweep(region.folder / "runs")
    tables, facts = _computed(region, chunk_rows, progress)
    more, named = back.tables(tables)
    tables, facts = tables | more, facts | named
    target = _run_folder(region)
    manifest = _manifest(region, target.name, facts)
    started = time.perf_counter()
    with new_dir(target) as aside:
        progress("write tables", 0.88)
        for name, frame in tables.items():
            write_table(frame, aside / f"{name}.parquet")
        manifest["timings_seconds"]["write tables"] = round(time.perf_counter() - started, 3)
        (aside / "manifest.json").write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        if reports:
            from fenzhi.reports import write_reports

            progress("write reports", 0.92)
            write_reports(
                aside,
                lang=lang,
                progress=lambda done, files: progress("write reports", 0.92 + 0.08 * done / files),
            )
    progress("done", 1.0)
    return Run(target, manifest, tables)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a finished run. Raises :class:`InputError` if the folder is no run."""
    file = folder / "manifest.json"
    if not file.is_file():
        raise InputError(
            "this folder is no finished run",
            code="RUN_MISSING",
            file=folder,
            remedy="give a folder runs/<id> of a region",
        )
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if not {"run_id", "inputs", "policy", "mean_cost_fen"} <= set(manifest):
            raise ValueError("keys are missing")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the manifest is not readable: {error}",
            code="RUN_MANIFEST",
            file=file,
            remedy="run the year again; do not change the files of a run",
        ) from error
    return manifest


def rules_of(manifest: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest with the policy, catalogue and history of the rules that a row of a table follows."""
    for entry in manifest.get("rules", ()):
        if (entry["policy"]["id"], entry["catalog"]["id"]) == (row["policy"], row["catalog"]):
            return {**manifest, **entry}
    return manifest


def read_rows(folder: Path, name: str, row: dict[str, Any]) -> pl.DataFrame:
    """Return the rows of a table of groups that follow the same rules as ``row`` (policy, catalog)."""
    table = read_table(folder, name)
    return table.filter(pl.col(key) == row[key] for key in ("policy", "catalog"))


def read_table(folder: Path, name: str) -> pl.DataFrame:
    """Return a result table of a finished run. Raises :class:`InputError` if it is missing or torn."""
    file = folder / f"{name}.parquet"
    try:
        return pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "a table of the run is missing or cannot be read",
            code="RUN_TABLE_UNREADABLE",
            file=file,
            remedy="run the year again; do not change the files of a run",
        ) from error


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as CSV that opens in Excel (UTF-8 with mark); text that looks like a formula is neutralised."""
    text = cs.string() | cs.enum()
    plain = frame.with_columns(text.cast(pl.String))
    safe = [
        pl.when(pl.col(name).str.contains(r"^[=+\-@\t\r]"))
        .then("'" + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name, dtype in plain.schema.items()
        if dtype == pl.String
    ]
    plain.with_columns(safe).write_csv(path, include_bom=True)
