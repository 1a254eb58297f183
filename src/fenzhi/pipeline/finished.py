"""Reading a finished run: its manifest and its result tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import InputError


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
