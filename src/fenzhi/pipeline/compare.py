"""Two runs beside each other: what each hospital, level and group gains or loses, and why. docs/rules.md, section 7."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.attribution import (
    ACCOUNT,
    CAUSES,
    SUMS,
    added_up,
    at,
    by_account,
    by_group,
    by_group_sums,
    by_level,
    by_stay,
    cause,
    flows,
    paid_stays,
    shaped,
    stay_by_stay,
)
from fenzhi.files import new_dir
from fenzhi.pipeline.setting import Progress, silent
from fenzhi.pipeline.sides import AnyRun, nothing_common, read_earlier
from fenzhi.pipeline.store import write_csv, write_table

_POOL = ("fund_fen", "cases", "points_e4", "settlement_value_e4", "payment_ratio_e4", "payable_fen")


@dataclass(frozen=True)
class RunComparison:
    """Two runs compared: ``summary`` (as summary.json), ``tables`` (attribution.columns), ``folder`` if written."""

    summary: dict[str, Any]
    tables: dict[str, pl.DataFrame]
    folder: Path | None


def compare_runs(
    before: Path, after: Path, target: Path | None = None, *, lang: str = "zh", progress: Progress = silent
) -> RunComparison:
    """Compare two finished runs and, with ``target``, write a new folder with tables, workbook and page.

    Runs of one year that share paid stays are compared stay by stay, others by the sums of each hospital and
    pool. Raises :class:`fenzhi.errors.FenzhiError`: no run, nothing in common; then nothing is left behind.
    """
    progress("read runs", 0.0)
    runs = read_earlier(before), read_earlier(after)
    common = runs[0].side.hospitals.join(runs[1].side.hospitals, on="fixmedins_code", how="semi").height
    if not common:
        raise nothing_common(after)
    progress("compare", 0.3)
    summary, tables = compare_sides(runs)
    if target is not None:
        with new_dir(target) as aside:
            progress("write", 0.7)
            write_comparison(aside, summary, tables, lang)
    progress("done", 1.0)
    return RunComparison(summary, tables, target)


def compare_sides(
    runs: tuple[AnyRun, AnyRun], *, same_stays: bool = False
) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
    """Return summary and tables of two runs beside each other; writes nothing.

    ``same_stays``: they are compared stay by stay, even if no stay is paid in both.
    """
    sides = runs[0].side, runs[1].side
    paid = paid_stays(sides[0]), paid_stays(sides[1])
    scales = sides[0].scale, sides[1].scale
    same_year = runs[0].year == runs[1].year
    tables: dict[str, pl.DataFrame] = {}
    both = same_year and paid[0].join(paid[1], on=["setl_id", *ACCOUNT], how="semi").height
    if both or same_stays:
        stays = stay_by_stay(*paid, scales)
        accounts = by_stay(stays, *sides)
        tables["groups"] = by_group(stays, *sides)
        tables["flows"] = flows(stays, *sides)
        tables["ungrouped"] = _ungrouped(stays, tables["groups"])
        tables["stays"] = stays
    else:
        accounts = by_account(*sides, paid)
        tables["groups"] = by_group_sums(*sides, paid)
    about = accounts.select("fixmedins_code", "fixmedins_name", "level", "type")
    named = about.unique("fixmedins_code", keep="first", maintain_order=True)
    hospitals = added_up(accounts, ["fixmedins_code"]).join(named, on="fixmedins_code")
    tables |= {
        "accounts": accounts,
        "hospitals": hospitals.sort("difference_fen", "fixmedins_code", descending=[True, False]),
        "levels": by_level(accounts),
        "pools": both_pools(runs),
    }
    tables = {name: shaped(frame, name) for name, frame in tables.items()}
    return _summary(runs, tables), tables


def _ungrouped(stays: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Return the stays that had a group and have none now, the largest loss first."""
    grouped = pl.col("outcome_before").is_in(["grouped", "comprehensive"])
    names = groups.select("group_id", "name").drop_nulls().unique("group_id", keep="first")
    lost = stays.filter(grouped & (pl.col("outcome_after") == "ungrouped"))
    return lost.join(names, left_on="group_id_before", right_on="group_id", how="left").sort(
        "difference_fen", "setl_id"
    )


def both_pools(runs: tuple[AnyRun, AnyRun]) -> pl.DataFrame:
    """Return the pools of both runs, one row each."""
    parts = []
    for run, when in zip(runs, ("before", "after"), strict=True):
        names = {name: at(name, when) for name in _POOL}
        parts.append(
            run.side.pools.select("pool", "title", *_POOL).rename(names | {"title": f"title_{when}"})
        )
    both = parts[0].join(parts[1], on="pool", how="full", coalesce=True, maintain_order="left_right")
    return both.with_columns(pl.coalesce("title_after", "title_before").alias("title"))


def run_facts(run: AnyRun) -> dict[str, Any]:
    """Return what a summary says of one of the runs."""
    manifest = run.manifest
    keys = {
        "region": ("id", "name", "year", "synthetic"),
        "policy": ("id", "title"),
        "catalog": ("id", "title", "version"),
    }
    chosen = {part: {key: manifest[part][key] for key in names} for part, names in keys.items()}
    return {**run.named(), "created": manifest["created"], **chosen}


def _warnings(facts: tuple[dict[str, Any], dict[str, Any]], schemes: list[str]) -> list[str]:
    one, two = (fact["region"] for fact in facts)
    found = []
    # The id of a region often ends in its year.
    if one["id"].replace(str(one["year"]), "") != two["id"].replace(str(two["year"]), ""):
        found.append("other_region")
    if one["year"] != two["year"]:
        found.append("other_year")
    if schemes[0] != schemes[1]:
        found.append("other_scheme")
    return found


def scheme_of(run: AnyRun) -> str:
    """Return how the stays of a run were grouped: dip or drg."""
    schemes = run.side.cases.select(pl.col("scheme").drop_nulls().first()).collect().item()
    return str(schemes)


def _summary(runs: tuple[AnyRun, AnyRun], tables: dict[str, pl.DataFrame]) -> dict[str, Any]:
    facts = run_facts(runs[0]), run_facts(runs[1])
    schemes = [scheme_of(run) for run in runs]
    accounts, hospitals = tables["accounts"], tables["hospitals"]
    by_stays = "stays" in tables
    totals = {name: int(accounts[name].sum()) for name in SUMS}
    counts = {name: int(accounts[name].sum()) for name in ("stays_before", "stays_after")}
    if by_stays:
        stays = tables["stays"]
        counts |= {
            f"stays_{name}": int((stays["state"] == name).sum()) for name in ("both", "added", "removed")
        }
        counts["stays_changed"] = int(stays["changed"].sum())
        counts["stays_ungrouped"] = tables["ungrouped"].height
    return {
        "fenzhi": version("fenzhi"),
        "before": facts[0],
        "after": facts[1],
        "synthetic": facts[0]["region"]["synthetic"] or facts[1]["region"]["synthetic"],
        "scheme": schemes[1],
        "scale": runs[1].side.scale,
        "by": "stays" if by_stays else "sums",
        "warnings": _warnings(facts, schemes),
        "totals": totals,
        "causes": {name: int(accounts[cause(name)].sum()) for name in CAUSES},
        "counts": counts
        | {
            "hospitals": hospitals.height,
            "gaining": int((hospitals["difference_fen"] > 0).sum()),
            "losing": int((hospitals["difference_fen"] < 0).sum()),
        },
    }


def as_json(done: RunComparison) -> str:
    """Return the summary with pools, levels and hospitals as JSON text."""
    lists = {name: done.tables[name].to_dicts() for name in ("pools", "levels", "hospitals")}
    return json.dumps(done.summary | lists, ensure_ascii=False, indent=1)


def write_comparison(
    folder: Path, summary: dict[str, Any], tables: dict[str, pl.DataFrame], lang: str
) -> None:
    """Write tables, summary, workbook and page of a comparison into a folder that there is."""
    from fenzhi.reports.compare import compare_page
    from fenzhi.reports.compare_book import write_compare_book

    page = compare_page(summary, tables, lang)
    for name, frame in tables.items():
        write_table(frame, folder / f"{name}.parquet")
        if name != "stays":  # a row for every stay is for programs
            write_csv(frame, folder / f"{name}.csv")
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (folder / "summary.json").write_text(text, encoding="utf-8")
    (folder / "compare.html").write_text(page, encoding="utf-8")
    write_compare_book(folder / "compare.xlsx", summary, tables, lang)
