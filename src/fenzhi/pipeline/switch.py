"""The same stays under two catalogues: what moving to another version does. docs/rules.md, section 7."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import fsum
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.attribution import cause
from fenzhi.attribution.switch import (
    GROUPED,
    SWITCH_CAUSES,
    balance,
    by_grouping,
    classes,
    destinations,
    lost,
    matrix,
    placed,
    places,
    require_added_up,
    with_grouping,
)
from fenzhi.attribution.switch_columns import switch_shaped
from fenzhi.catalogs import DipCatalog, DrgCatalog, find_catalog, load_catalog
from fenzhi.errors import CatalogError, PolicyError
from fenzhi.files import new_dir, require_new_dir
from fenzhi.monitoring import reduction_in_variance
from fenzhi.pipeline.compare import compare_sides
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.sides import ComputedRun, computed_run
from fenzhi.pipeline.store import write_csv, write_table
from fenzhi.pipeline.year import compute
from fenzhi.policy import Policy
from fenzhi.region import Region, load_region
from fenzhi.region.switch import switched, without_reviews
from fenzhi.weights.tcm import all_groups

#: Groups on each side of the cross-table of groups; the others are added up.
MATRIX_GROUPS = 40
MATRIX_CLASSES = 100


@dataclass(frozen=True)
class Switch:
    """A switch of catalogues: ``summary`` (as summary.json), ``tables`` (attribution.switch_columns), ``folder``."""

    summary: dict[str, Any]
    tables: dict[str, pl.DataFrame]
    folder: Path | None


def switch_catalog(
    folder: Path,
    catalog: str | Path,
    target: Path | None = None,
    *,
    policy: str | Path | None = None,
    lang: str = "zh",
    progress: Progress = silent,
) -> Switch:
    """Compute a region's year twice, as it is and under another catalogue, and compare it stay by stay.

    ``policy``: the pack to go with the catalogue, else that of the region. ``target``: a new folder for tables,
    workbook and page. Nothing in the region's folder is written. Raises :class:`fenzhi.errors.FenzhiError`: no
    such catalogue or the region's own (CATALOG_SAME), a pack of another scheme (POLICY_SCHEME), and whatever a run of
    either year refuses; then nothing is left behind.
    """
    if target is not None:
        require_new_dir(target)
    progress("read region", 0.0)
    region = load_region(folder)
    reviewed = region.reviews.applications.height + region.reviews.decisions.height
    region = without_reviews(region)
    after, said = _switched(region, catalog, policy)
    if reviewed:
        said["reviews"] = reviewed
    years = []
    for at, (name, one) in enumerate((("before", region), ("after", after))):
        tables, facts = compute(one, progress=_half(progress, at))
        years.append((computed_run(name, one, tables, facts), tables, facts))
    progress("compare", 0.9)
    done = _compared((years[0][0], years[1][0]), (years[0][1], years[1][1]))
    summary = done.summary | {
        "left_out": said,
        "notices": [list(facts["notices"]) for _, _, facts in years],
        "rules": [facts.get("rules", []) for _, _, facts in years],
    }
    if target is not None:
        progress("write", 0.94)
        with new_dir(target) as aside:
            _write(aside, summary, done.tables, lang)
    progress("done", 1.0)
    return Switch(summary, done.tables, target)


def _half(progress: Progress, at: int) -> Progress:
    """Show the first or second year as a half of what is done until the comparison."""
    return lambda stage, done: progress(stage, 0.45 * (at + min(done, 1.0)))


def _found(name: str | Path, region: Region) -> str:
    """Return where a catalogue lies: as named from here, or shipped, or near the region."""
    try:
        return str(find_catalog(name).resolve())
    except CatalogError:
        return str(find_catalog(name, region.folder).resolve())


def _switched(
    region: Region, catalog: str | Path, policy: str | Path | None
) -> tuple[Region, dict[str, int]]:
    """Return the region under the new catalogue, and what was left out or kept for it: what -> how much."""
    place = _found(catalog, region)
    new = load_catalog(place)
    old = [load_catalog(one.catalog, near=region.folder) for one in region.meta.catalogs()]
    if {one.digest for one in old} == {new.digest}:
        raise CatalogError(
            "this is the catalogue that the region has already",
            code="CATALOG_SAME",
            file=region.folder / "region.toml",
            field="region.catalog",
            value=str(catalog),
            remedy="name another catalogue; two policies are compared by two runs and `fenzhi compare`",
        )
    pack = None if policy is None else str(Path(policy).resolve() if Path(policy).is_file() else policy)
    found, said = switched(region, place, pack)
    left_out = dict.fromkeys(said, 1)
    if found.policy.meta.scheme != new.meta.scheme:
        raise PolicyError(
            f"the catalogue is for {new.meta.scheme.upper()}, the policy for {found.policy.meta.scheme.upper()}",
            code="POLICY_SCHEME",
            file=None if policy is None else Path(policy),
            field="policy",
            value=found.policy.meta.id,
            remedy=f"name a pack for {new.meta.scheme.upper()} with --policy, for example one that extends "
            f"national-{'drg' if new.meta.scheme == 'drg' else 'dip-3.0'}",
        )
    if found.policy.weights.method == "given" and not _brings_weights(new):
        packs = tuple(_measured(pack) for pack in found.policies)
        found = replace(found, policy=packs[0], policies=packs)
        left_out["given_weights"] = 1
    return _own_rows(found, new, left_out)


def _brings_weights(catalog: DipCatalog | DrgCatalog) -> bool:
    table = catalog.tables["weights"] if isinstance(catalog, DrgCatalog) else catalog.weights
    return not table.is_empty()


def _measured(pack: Policy) -> Policy:
    """Return the pack with weights measured on the history, as mean costs."""
    return pack.model_copy(update={"weights": pack.weights.model_copy(update={"method": "mean_cost"})})


def _own_rows(
    region: Region, catalog: DipCatalog | DrgCatalog, left_out: dict[str, int]
) -> tuple[Region, dict[str, int]]:
    """Return the region without rows of its lists of groups that the new catalogue does not have.

    Nor has it rows of auxiliary.csv for groups that are now of a layer without auxiliary types.
    """
    known, divided = [], []
    for pack in region.policies:
        groups = all_groups(catalog, pack).select("group_id", "layer")
        excluded = [] if pack.auxiliary is None else list(pack.auxiliary.excluded_layers)
        known.append(groups["group_id"])
        divided.append(groups.filter(~pl.col("layer").is_in(excluded).fill_null(False))["group_id"])
    overrides, auxiliary = (
        rows.filter(pl.col("group_id").is_in(pl.concat(ids).unique().implode()))
        for rows, ids in ((region.weight_overrides, known), (region.auxiliary, divided))
    )
    gone = {
        "weight_overrides": region.weight_overrides.height - overrides.height,
        "auxiliary": region.auxiliary.height - auxiliary.height,
    }
    left_out |= {name: rows for name, rows in gone.items() if rows}
    return replace(region, weight_overrides=overrides, auxiliary=auxiliary), left_out


def _compared(
    runs: tuple[ComputedRun, ComputedRun],
    years: tuple[Mapping[str, pl.DataFrame], Mapping[str, pl.DataFrame]],
) -> Switch:
    """Compare the two years, set regrouping apart in every table, and prove that all adds up."""
    summary, found = compare_sides(runs, same_stays=True)
    stays = placed(by_grouping(found["stays"]), places(runs[0].side), places(runs[1].side))
    had = pl.col("outcome_before").is_not_null()
    by_group = [
        pl.when(had).then(f"{name}_before").otherwise(f"{name}_after").alias(name)
        for name in ("outcome", "group_id")
    ]
    level = found["accounts"].select("fixmedins_code", "level").unique("fixmedins_code")
    levelled = stays.join(level, on="fixmedins_code", how="left", maintain_order="left")
    flow_keys = [f"{name}_{when}" for when in ("before", "after") for name in ("outcome", "group_id")]
    tables = {
        "accounts": with_grouping(found["accounts"], stays, ["fixmedins_code", "pool"]),
        "hospitals": with_grouping(found["hospitals"], stays, ["fixmedins_code"]),
        "levels": with_grouping(found["levels"], levelled, ["level"]),
        "groups": with_grouping(found["groups"], stays, by_group).join(
            destinations(found["flows"]),
            on=["outcome", "group_id"],
            how="left",
            nulls_equal=True,
            maintain_order="left",
        ),
        "flows": with_grouping(found["flows"], stays.filter(pl.col("state") == "both"), flow_keys),
        "classes": classes(stays),
        "ungrouped": lost(stays).join(
            found["groups"].select("group_id", "name").drop_nulls().unique("group_id", keep="first"),
            left_on="group_id_before",
            right_on="group_id",
            how="left",
            maintain_order="left",
        ),
        "pools": found["pools"],
        "balance": balance(found["accounts"], (years[0]["pools"], years[1]["pools"])),
        "measures": _measures(years, stays),
        "stays": stays,
    }
    require_added_up(tables["accounts"])
    tables = {name: switch_shaped(frame, name) for name, frame in tables.items()}
    names = [pl.coalesce(f"group_id_{when}", f"class_{when}").alias(when) for when in ("before", "after")]
    pairs = stays.group_by(names).agg(pl.len().cast(pl.Int64).alias("stays"))
    tables["matrix"] = matrix(tables["classes"], ("class_before", "class_after"), MATRIX_CLASSES)
    tables["group_matrix"] = matrix(pairs, ("before", "after"), MATRIX_GROUPS)
    return Switch(_summary(summary, runs, years, tables), tables, None)


def _measures(years: tuple[Mapping[str, pl.DataFrame], ...], stays: pl.DataFrame) -> pl.DataFrame:
    """Return how well each catalogue groups the stays that points pay: measure, before, after, difference."""
    in_both = stays.filter(
        pl.all_horizontal(pl.col(f"outcome_{when}").is_in(GROUPED) for when in ("before", "after"))
    )
    sides: list[dict[str, float | None]] = []
    for year, when in zip(years, ("before", "after"), strict=True):
        paid = year["cases"].filter(pl.col("outcome").is_in([*GROUPED, "ungrouped"]))
        rules = pl.concat_str("catalog", "group_id", separator=" ").alias("_group")
        grouped = paid.filter(pl.col("outcome").is_in(GROUPED)).select(rules, "cost_fen")
        n, core = paid.height, int((paid["outcome"] == "grouped").sum())
        own, common = (
            reduction_in_variance(grouped, "_group"),
            reduction_in_variance(in_both, f"group_id_{when}", f"cost_{when}_fen"),
        )
        used = year["groups"].filter(pl.col("cases") > 0)
        spread = used.drop_nulls("cv")
        cvs, cases = spread["cv"].to_list(), spread["cases"].to_list()
        weighted = fsum(cv * k for cv, k in zip(cvs, cases, strict=True)) / sum(cases) if cases else None
        sides.append(
            {
                "stays": n,
                "core": core,
                "comprehensive": grouped.height - core,
                "ungrouped": n - grouped.height,
                "grouping_rate": grouped.height / n if n else None,
                "groups": year["groups"].filter(pl.col("rw_e4").is_not_null()).height,
                "groups_used": used.height,
                "riv": own.riv,
                "riv_common": common.riv,
                "stays_common": common.stays,
                "cv_mean": weighted,
                "cv_above_1": sum(cv > 1 for cv in cvs) / len(cvs) if cvs else None,
            }
        )
    rows = []
    for name in sides[0]:
        was, now = sides[0][name], sides[1][name]
        rows.append((name, was, now, None if was is None or now is None else now - was))
    schema = {"measure": pl.String, "before": pl.Float64, "after": pl.Float64, "difference": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _summary(
    compared: dict[str, Any],
    runs: tuple[ComputedRun, ComputedRun],
    years: tuple[Mapping[str, pl.DataFrame], ...],
    tables: Mapping[str, pl.DataFrame],
) -> dict[str, Any]:
    accounts, flows = tables["accounts"], tables["flows"]
    same = [pl.col(f"{name}_before").eq_missing(pl.col(f"{name}_after")) for name in ("outcome", "group_id")]
    lines = tables["balance"].group_by("item", maintain_order=True).agg(pl.col("difference_fen").sum())
    sums = {item: int(fen) for item, fen in lines.iter_rows()}
    schemes = [str(year["cases"]["scheme"].drop_nulls().first()) for year in years]
    return compared | {
        "schemes": schemes,
        "scales": [run.side.scale for run in runs],
        "causes": {name: int(accounts[cause(name)].sum()) for name in SWITCH_CAUSES},
        "counts": compared["counts"]
        | {
            "stays_moved": int(flows.filter(~(same[0] & same[1]))["stays"].sum()),
            "stays_lost": tables["ungrouped"].height,
        },
        "measures": {name: [was, now] for name, was, now, _ in tables["measures"].iter_rows()},
        "balance": sums,
        "chapters": [run.manifest["catalog"].get("chapters", {}) for run in runs],
    }


def as_json(done: Switch) -> str:
    """Return the summary with pools, levels and hospitals as JSON text."""
    lists = {name: done.tables[name].to_dicts() for name in ("balance", "pools", "levels", "hospitals")}
    return json.dumps(done.summary | lists, ensure_ascii=False, indent=1)


def _write(folder: Path, summary: dict[str, Any], tables: dict[str, pl.DataFrame], lang: str) -> None:
    from fenzhi.reports.switch import switch_page
    from fenzhi.reports.switch_book import write_switch_book

    page = switch_page(summary, tables, lang)
    for name, frame in tables.items():
        write_table(frame, folder / f"{name}.parquet")
        if name != "stays":  # a row for every stay is for programs
            write_csv(frame, folder / f"{name}.csv")
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (folder / "summary.json").write_text(text, encoding="utf-8")
    (folder / "switch.html").write_text(page, encoding="utf-8")
    write_switch_book(folder / "switch.xlsx", summary, tables, lang)
