"""A round of negotiated weights, looked at before it is final: the weights, and what it does to every hospital."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs import DipCatalog, load_catalog, save_catalog
from fenzhi.catalogs.dip import Beside
from fenzhi.catalogs.drg import save_drg_catalog
from fenzhi.catalogs.rounds import AGREED, COLUMNS, FILE, RESCALED, SAME
from fenzhi.errors import RegionError
from fenzhi.files import new_dir, require_new_dir
from fenzhi.money import format_e4
from fenzhi.pipeline.compare import compare_sides, write_comparison
from fenzhi.pipeline.grassroots import setting_on
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.sides import computed_run
from fenzhi.pipeline.store import write_csv
from fenzhi.pipeline.year import compute
from fenzhi.region import Region, load_region
from fenzhi.region.tables import read_overrides

OVERRIDES = "weight_overrides.csv"
_KEYS = ("policy", "catalog", "group_id")


@dataclass(frozen=True)
class Negotiation:
    """A round: ``weights`` of every group before and after (weight_before_e4, weight_e4, how, who, why, when; whose
    rules: policy, catalog), ``facts`` of each rules (groups, factor, total_e4, left_e4), and the comparison of the
    year without and with it (``summary``, ``tables``, as :func:`fenzhi.pipeline.compare.compare_sides`).
    """

    weights: pl.DataFrame
    facts: tuple[Mapping[str, Any], ...]
    summary: dict[str, Any]
    tables: dict[str, pl.DataFrame]


def negotiate_weights(
    folder: Path,
    overrides: Path,
    target: Path | None = None,
    *,
    day: date | None = None,
    lang: str = "zh",
    progress: Progress = silent,
) -> Negotiation:
    """Compute a region's year as it is and with the negotiated weights of a file; compare them stay by stay.

    ``overrides``: group_id, weight, who, why, when; it stands in the place of the region's weight_overrides.csv.
    ``target``: a new folder: the catalogue (of ``day``, else of the last day of the year) with the round beside it,
    the file as it is to be put into the region, and the comparison in ``effect``. The region's folder stays as it is.
    Raises :class:`fenzhi.errors.FenzhiError` for a file that cannot be; then nothing is left behind.
    """
    if target is not None:
        require_new_dir(target)
    region = load_region(folder)
    rows = read_overrides(overrides)
    if rows.is_empty():
        raise RegionError(
            "this file negotiates no weight",
            code="WEIGHT_OVERRIDES",
            file=overrides,
            remedy="write a row group_id,weight,who,why,when for each group",
        )
    setting = setting_on(region, day)
    known = setting.region.policy.meta.id, setting.catalog.meta.id
    years = []
    for at, (name, one) in enumerate(
        (("before", region), ("negotiated", replace(region, weight_overrides=rows)))
    ):
        tables, facts = compute(one, progress=_half(progress, at))
        years.append((computed_run(name, one, tables, facts), tables["groups"], facts))
    progress("compare", 0.9)
    summary, tables = compare_sides((years[0][0], years[1][0]), same_stays=True)
    weights = _weights(years[0][1], years[1][1], rows)
    rules = years[1][2].get("rules", [years[1][2]])
    found = tuple(one["negotiated"] for one in rules if one["negotiated"] is not None)
    done = Negotiation(weights, found, summary, tables)
    if target is not None:
        _write(target, done, setting.region, known, overrides, lang)
    progress("done", 1.0)
    return done


def _half(progress: Progress, at: int) -> Progress:
    return lambda stage, done: progress(stage, 0.45 * (at + min(done, 1.0)))


def _weights(before: pl.DataFrame, after: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return every group with its weight before and after, how it came about, and who agreed why and when."""
    old = before.select(*_KEYS, pl.col("rw_e4").alias("weight_before_e4"))
    both = after.select(*_KEYS, "name", "layer", "history_cases", pl.col("rw_e4").alias("weight_e4")).join(
        old, on=_KEYS, how="left", nulls_equal=True, maintain_order="left"
    )
    agreed = rows.select("group_id", "who", "why", "when", pl.lit(True).alias("_agreed"))
    joined = both.join(agreed, on="group_id", how="left", maintain_order="left")
    same = pl.col("weight_e4").eq_missing(pl.col("weight_before_e4"))
    how = pl.when("_agreed").then(pl.lit(AGREED)).when(same).then(pl.lit(SAME)).otherwise(pl.lit(RESCALED))
    return joined.with_columns(how.alias("how")).drop("_agreed")


def _round(weights: pl.DataFrame, known: tuple[str, str]) -> pl.DataFrame:
    """Return the round as it is written beside the catalogue of a day (``known``: its pack and catalogue)."""
    mine = weights.filter((pl.col("policy") == known[0]) & (pl.col("catalog") == known[1]))

    def text(name: str) -> pl.Series:
        values = [None if value is None else format_e4(value).replace(",", "") for value in mine[name]]
        return pl.Series(name.removesuffix("_e4"), values, dtype=pl.String)

    return mine.with_columns(text("weight_before_e4"), text("weight_e4")).select(COLUMNS)


def _write(
    target: Path, done: Negotiation, region: Region, known: tuple[str, str], overrides: Path, lang: str
) -> None:
    # The catalogue as it lies on disk, without the region's own table of operations.
    catalog = load_catalog(region.catalog, near=region.folder)
    with new_dir(target) as aside:
        whole = aside / "_"
        if isinstance(catalog, DipCatalog):
            save_catalog(catalog, whole, Beside.read(catalog.path).render(catalog))
        else:
            save_drg_catalog(catalog, whole)
        for file in sorted(whole.iterdir()):
            file.rename(aside / file.name)
        whole.rmdir()
        write_csv(_round(done.weights, known), aside / FILE)
        (aside / OVERRIDES).write_bytes(overrides.read_bytes())
        effect = aside / "effect"
        effect.mkdir()
        write_comparison(effect, done.summary, done.tables, lang)
