"""A built catalogue on disk: one folder to review, change and use; one page, one workbook."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.catalogs import save_catalog
from fenzhi.codes import read_table
from fenzhi.files import new_dir
from fenzhi.money import FEN_PER_YUAN, SCALE, format_e4
from fenzhi.pipeline.local import Local
from fenzhi.pipeline.store import write_csv
from fenzhi.policy import Policy
from fenzhi.policy.fields import leaves, plain
from fenzhi.policy.titles import title_of

#: Sections whose rules a build follows; of auxiliary types the families are too long to list.
SECTIONS = ("scope", "weights", "coefficients", "grassroots", "auxiliary")


def summarise(local: Local) -> dict[str, Any]:
    """Return what ``build.json`` says: who, by which rules, and every figure."""
    source, policy, meta = local.source, local.source.policy, local.catalog.meta
    base = source.base.meta
    return {
        "fenzhi": version("fenzhi"),
        "catalog": {
            "id": meta.id,
            "title": meta.title,
            "version": meta.version,
            "synthetic": meta.synthetic,
            "digest": local.catalog.digest,
        },
        "base": {"id": base.id, "title": base.title, "version": base.version} if source.based else None,
        "policy": {"id": policy.meta.id, "title": policy.meta.title, "version": policy.meta.version},
        "years": list(local.years),
        "mean_fen": local.weights.mean_fen,
        "related_cost_share": str(policy.weights.related_cost_share),
        "comprehensive_cv_max": str(policy.weights.comprehensive_cv_max),
        "figures": local.figures,
        "rules": rules_of(policy),
    }


def rules_of(policy: Policy) -> list[dict[str, str]]:
    """Return the values that a build follows: key, title in both languages, value, source and confidence."""
    found = []
    for name in SECTIONS:
        section = getattr(policy, name)
        if section is None:
            continue
        for place, value in leaves(section, (name,)):
            key = ".".join(str(part) for part in place)
            if value is None or place[-1] in ("cite", "confidence") or "families" in place:
                continue
            said = plain(value)
            found.append(
                {
                    "key": key,
                    "zh": title_of(place, "zh"),
                    "en": title_of(place, "en"),
                    "value": said if isinstance(said, str) else json.dumps(said, ensure_ascii=False),
                    "cite": section.cite,
                    "confidence": str(section.confidence),
                }
            )
    return found


def for_people(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table with money in yuan and numbers at 1/10,000 as decimals; names lose ``_fen`` and ``_e4``."""
    columns = []
    for series in frame.get_columns():
        for ending, parts in (("_fen", FEN_PER_YUAN), ("_e4", SCALE)):
            if series.name.endswith(ending):
                # Divided one by one: the nearest number is then printed with the decimals it has.
                values = [None if value is None else value / parts for value in series]
                series = pl.Series(series.name.removesuffix(ending), values, dtype=pl.Float64)
        columns.append(series)
    return pl.DataFrame(columns)


def _usable(local: Local) -> dict[str, pl.DataFrame]:
    """Return the tables that a region takes as they are: exact decimals, and what else hospitals.csv says."""
    found = {}
    weights = for_people(local.tables["weights"])
    exact = _exact(local.tables["weights"]["weight_e4"], "weight")
    # TCM-advantage groups stand last; theirs are stated in tcm_groups.csv.
    found["weights"] = weights.with_columns(exact).head(local.catalog.groups.height)
    if local.source.hospitals is not None:
        made, file = local.tables["hospitals"], read_table(local.source.hospitals)
        coefficients = made.select("fixmedins_code", _exact(made["coefficient_e4"], "coefficient"))
        found["hospitals"] = file.drop("coefficient", strict=False).join(
            coefficients, on="fixmedins_code", how="left", maintain_order="left"
        )
    if "auxiliary" in local.tables:
        table = for_people(local.tables["auxiliary"])
        found["auxiliary"] = table.with_columns(
            _exact(local.tables["auxiliary"]["coefficient_e4"], "coefficient")
        )
    return found


def _exact(values: pl.Series, name: str) -> pl.Series:
    texts = [None if value is None else format_e4(value, 4).replace(",", "") for value in values]
    return pl.Series(name, texts, dtype=pl.String)


def write_local(local: Local, folder: Path, *, lang: str = "zh", report: bool = True) -> dict[str, Any]:
    """Write a built catalogue into a new folder, all or nothing; return what ``build.json`` says.

    The folder is itself a catalogue (``region.catalog``); beside its files lie the tables of ``quality.BUILT`` and
    ``quality.QUALITY`` as CSV, ``build.json`` and, with ``report``, ``report.html`` and ``build.xlsx``. The same
    history gives the same bytes.
    """
    summary = summarise(local)
    usable = _usable(local)
    with new_dir(folder) as aside:
        inside = aside / "catalog"
        save_catalog(local.catalog, inside)
        for file in inside.iterdir():
            file.rename(aside / file.name)
        inside.rmdir()
        # groups.csv is the catalogue's own; what was measured of each group is in weights.csv.
        for name, frame in local.tables.items():
            if name != "groups":
                write_csv(usable.get(name, for_people(frame)), aside / f"{name}.csv")
        text = json.dumps(summary, ensure_ascii=False, indent=1) + "\n"
        (aside / "build.json").write_text(text, encoding="utf-8")
        if report:
            from fenzhi.reports.build import build_page
            from fenzhi.reports.build_book import write_build_book

            tables = {name: frame for name, frame in local.tables.items() if name != "groups"}
            (aside / "report.html").write_text(build_page(summary, tables, lang), encoding="utf-8")
            write_build_book(aside / "build.xlsx", summary, tables, lang)
    return summary
