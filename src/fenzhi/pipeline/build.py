"""Build a local catalogue from files of history: read, observe year by year, build, write the folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from fenzhi.catalogs import CatalogMeta, DipCatalog, load_dip_catalog, save_catalog
from fenzhi.catalogs.models import COMPREHENSIVE, Dialect
from fenzhi.codes import read_operations, read_table
from fenzhi.errors import CatalogError
from fenzhi.files import new_dir
from fenzhi.pipeline.setting import Progress, silent, with_operations
from fenzhi.pipeline.store import write_csv
from fenzhi.policy import Policy, load_policy
from fenzhi.records import ColumnMap, QualityRules, load_columns, read_stays
from fenzhi.weights.build import (
    BASIC,
    KEY,
    Built,
    build_catalog,
    choose_threshold,
    compiled_base,
    empty_base,
    kept_rows,
    observe,
)


@dataclass(frozen=True)
class BuildInputs:
    """What a catalogue is built from: history files, a policy, and optional helpers.

    ``base``: a national catalogue (folder or shipped id) whose rows are kept where they reach the
    threshold. ``operations``: a table
    code, name, type. ``diagnoses``: a code book (code, name) for the names of groups. ``columns``: mapping
    of foreign column names.
    """

    history: Sequence[Path]
    policy: Policy | str | Path = "national-dip-3.0"
    base: str | Path | None = None
    operations: Path | None = None
    diagnoses: Path | None = None
    columns: Path | None = None
    quality: QualityRules = field(default_factory=QualityRules)
    title: str = "本地病种目录"
    synthetic: bool = False


def _base(inputs: BuildInputs) -> DipCatalog:
    table = None if inputs.operations is None else read_operations(inputs.operations)
    if inputs.base is None:
        return empty_base(table)
    return with_operations(load_dip_catalog(inputs.base), table)


def catalog_meta(base: DipCatalog | None, title: str, synthetic: bool) -> CatalogMeta:
    """Return who a built catalogue is; ``base``: what it was built on, if there is one."""
    layers = [layer for layer in (base.meta.layers if base else ()) if layer != COMPREHENSIVE]
    if BASIC not in layers:
        layers.append(BASIC)
    return CatalogMeta(
        id="local",
        title=title,
        title_en="Local catalogue",
        version="1",
        kind="built",
        note="由历史数据测算;本地新增病种须论证"
        + (f";基础目录 {base.meta.id} {base.meta.version}" if base else ""),
        layers=(*layers, COMPREHENSIVE),
        dialect=base.meta.dialect if base else Dialect("or_of_ands"),
        synthetic=synthetic or (base is not None and base.meta.synthetic),
    )


def _observe(
    inputs: BuildInputs,
    base: DipCatalog,
    policy: Policy,
    kept: pl.Series | None,
    progress: Progress,
    at: float,
) -> pl.DataFrame:
    compiled = compiled_base(base, policy, kept)
    columns: ColumnMap | None = None if inputs.columns is None else load_columns(inputs.columns)
    parts = []
    for i, source in enumerate(inputs.history):
        progress(f"read {source.name}", at + 0.4 * i / len(inputs.history))
        read = read_stays(source, columns=columns, quality=inputs.quality, needs="weights")
        parts.append(observe(read.stays, compiled))
    return pl.concat(parts)


def build_from_history(inputs: BuildInputs, *, progress: Progress = silent) -> Built:
    """Build a local catalogue from history; writes nothing. Rules: docs/rules.md, section 3."""
    policy = inputs.policy if isinstance(inputs.policy, Policy) else load_policy(inputs.policy)
    base = _base(inputs)
    observed = _observe(inputs, base, policy, None, progress, 0.0)
    if observed.is_empty():
        raise CatalogError(
            "the history holds no stay that can be grouped",
            code="HISTORY_EMPTY",
            file=inputs.history[0] if inputs.history else None,
            remedy="look at what quality control rejects: fenzhi check FILE",
        )
    regroup = None
    if inputs.base is not None:
        # Stays of rows that are dropped may fit another row that stays: so group once more without the dropped ones.
        counts = observed.group_by(KEY).agg(pl.len().alias("stays"))["stays"]
        kept, _ = kept_rows(observed, base, choose_threshold(counts, policy.weights.threshold))
        regroup = _observe(inputs, base, policy, kept, progress, 0.45)
    progress("build", 0.9)
    names = None if inputs.diagnoses is None else read_table(inputs.diagnoses)
    meta = catalog_meta(base if inputs.base is not None else None, inputs.title, inputs.synthetic)
    return build_catalog(observed, base, policy, meta, regroup=regroup, diagnoses=names)


def write_built(built: Built, folder: Path) -> None:
    """Write a built catalogue into a new folder: the catalogue's files, ``build.json`` and ``dropped.csv``."""
    with new_dir(folder) as aside:
        inside = aside / "catalog"
        save_catalog(built.catalog, inside)
        for file in inside.iterdir():
            file.rename(aside / file.name)
        inside.rmdir()
        (aside / "build.json").write_text(json.dumps(built.counts, indent=1) + "\n", encoding="utf-8")
        write_csv(built.dropped, aside / "dropped.csv")
