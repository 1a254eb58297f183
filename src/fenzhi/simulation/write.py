"""The changed year as a region folder, so that a full run can say the same.

Records, hospitals, budget and special review are written; everything else is named by its path.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.budget import Budget
from fenzhi.catalogs import find_catalog
from fenzhi.codes import read_table
from fenzhi.errors import RegionError
from fenzhi.files import new_dir
from fenzhi.money import SCALE, fen_to_yuan, format_e4
from fenzhi.pipeline.prepared import AT
from fenzhi.pipeline.setting import known_codes
from fenzhi.pipeline.store import write_table
from fenzhi.policy import read_toml
from fenzhi.policy.layers import find_policy
from fenzhi.records import read_stays
from fenzhi.records.schema import STAY_COLUMNS
from fenzhi.region import Region
from fenzhi.region.reviews import APPLICATIONS, DECISION_COLUMNS, DECISIONS
from fenzhi.region.tracks import FILES
from fenzhi.simulation.base import Base
from fenzhi.simulation.engine import Change

# region.toml takes no opening value from a million yuan on.
_MOST_OPENING = 1_000_000 * SCALE
_FILES = ("assessment", "deductions", "advances", "weight_overrides", "bonuses", "auxiliary")
_RAW = tuple(
    dict.fromkeys(("row_idx", "setl_id", "source_file", "source_row", *(c.out for c in STAY_COLUMNS)))
)


def record_columns(stays: pl.DataFrame) -> list[str]:
    """Return the columns of the records among those of stays with groups."""
    return [name for name in _RAW if name in stays.columns]


def changed_records(base: Base, change: Change) -> pl.DataFrame:
    """Return the records of the changed year."""
    names = record_columns(base.stays)
    parts = [base.stays.filter(~pl.col(AT).is_in(change.gone.implode()))]
    parts += [part for part in (change.records, change.copies) if part is not None]
    return pl.concat([part.select(names) for part in parts], how="vertical_relaxed")


def _said(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int | date):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_said(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_said(one) for one in value) + "]"
    return json.dumps(str(value), ensure_ascii=False)


def toml_text(data: Mapping[str, Any], head: str = "") -> str:
    """Return TOML of nested tables: values first, then tables, then lists of tables; what is None is left out."""
    lines, tables = [], []
    for key, value in data.items():
        name = json.dumps(key, ensure_ascii=False)
        if isinstance(value, Mapping):
            tables.append(f"\n[{head}{name}]\n{toml_text(value, f'{head}{name}.')}")
        elif isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
            tables += [f"\n[[{head}{name}]]\n{toml_text(one, f'{head}{name}.')}" for one in value]
        elif value is not None:
            lines.append(f"{name} = {_said(value)}\n")
    return "".join(lines + tables)


def budget_data(budget: Budget) -> dict[str, Any]:
    """Return a budget as budget.toml says it, without keys that are empty."""
    data: dict[str, Any] = _without_none(budget.model_dump(by_alias=True))
    return data


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_without_none(one) for one in value]
    return value


def write_records(frame: pl.DataFrame, path: Path) -> None:
    """Write accepted stays as records that are read as they are."""
    path.parent.mkdir()
    fees = pl.element().cast(pl.Decimal(20, 2)) / 100
    named = frame.drop("row_idx", "source_file", "source_row", strict=False)
    if "oprn_fees_fen" in named.columns:
        named = named.with_columns(
            pl.col("oprn_fees_fen").list.eval(fees.cast(pl.String)).alias("oprn_fees")
        ).drop("oprn_fees_fen")
    write_table(named, path)


def _copied_rows(source: Path, target: Path, gone: pl.Series, more: pl.DataFrame | None) -> None:
    """Copy a table of stays without the rows of stays that left, and with further rows."""
    known = read_table(source, RegionError) if source.is_file() else None
    parts = [] if known is None else [known.filter(~pl.col("setl_id").is_in(gone.implode()))]
    parts += [] if more is None else [more]
    if parts:
        both = pl.concat(parts, how="diagonal")
        if both.height or known is not None:
            both.write_csv(target)


def region_data(
    base: Base, region: Region, folder: Path, policy: Path | None, catalog: str | None
) -> dict[str, Any]:
    """Return region.toml as data: all names as whole paths."""
    source = region.folder
    data = read_toml(source / "region.toml")
    meta: dict[str, Any] = dict(data["region"])

    def whole(name: str) -> str:
        path = (source / name).resolve()
        return path.as_posix() if path.exists() else name

    def pack(name: str) -> str:
        return find_policy(name, near=source).resolve().as_posix()

    def listed(name: str) -> str:
        return find_catalog(name, near=source).resolve().as_posix()

    for key in ("operations", "last_year"):
        if key in meta:
            meta[key] = whole(meta[key])
    for key in _FILES:
        name = meta.get(key) or f"{key}.csv"
        if (source / name).is_file():
            meta[key] = whole(name)
    if "policies" in meta:
        meta["policies"] = [pack(name) for name in meta["policies"]]
    else:
        meta["policy"] = pack(meta["policy"])
    if policy is not None:
        meta.pop("policies", None)
        meta["policy"] = policy.name
    if isinstance(meta["catalog"], str):
        meta["catalog"] = listed(meta["catalog"])
    else:
        meta["catalog"] = [{**one, "catalog": listed(one["catalog"])} for one in meta["catalog"]]
    if catalog is not None:
        meta["catalog"] = listed(catalog)
    history = [whole(name) for name in meta.get("history", ())]
    if "columns" in meta:
        history = _plain_history(base, folder)
        del meta["columns"]
    meta |= {"records": "records", "hospitals": "hospitals.csv", "budget": "budget.toml", "history": history}
    codes = {key: whole(name) for key, name in data.get("codes", {}).items()}
    return {**data, "region": meta, **({"codes": codes} if codes else {})}


def _plain_history(base: Base, folder: Path) -> list[str]:
    """Write the history in the columns of the national interface, for records that are no longer mapped."""
    region, found = base.region, []
    for at, name in enumerate(region.meta.history, start=1):
        read = read_stays(
            region.path(name),
            columns=base.frozen.parts[0].setting.columns,
            quality=region.quality,
            known=known_codes(region),
        )
        target = folder / "history" / f"{at:02d}"
        target.parent.mkdir(exist_ok=True)
        write_records(read.stays.select(record_columns(read.stays)), target / "stays.parquet")
        found.append(f"history/{at:02d}")
    return found


def statable(value_e4: int | None) -> bool:
    """Tell whether an opening value can stand in region.toml: above 0, below a million yuan."""
    return value_e4 is not None and 0 < value_e4 < _MOST_OPENING


def stated_pools(base: Base, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pools with the opening values that are known already: they do not follow later changes."""
    values = dict(base.frozen.opening.select("pool", "opening_value_e4").iter_rows())
    return [
        {**pool, "opening_value": Decimal(format_e4(values[pool["id"]]).replace(",", ""))}
        if statable(values.get(pool["id"]))
        else pool
        for pool in data["pool"]
    ]


def _copy_further(region: Region, aside: Path) -> None:
    """Copy the files that are found by their name alone."""
    names = [*FILES, "review_history.csv"]
    names += [pack.auxiliary.comorbidity or "" for pack in region.policies if pack.auxiliary is not None]
    for name in names:
        if name and (region.folder / name).is_file() and not Path(name).is_absolute():
            (aside / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(region.folder / name, aside / name)


def write_region(
    base: Base,
    change: Change,
    target: Path,
    *,
    overlay: Mapping[str, Any] | None = None,
    policy: str | None = None,
    catalog: str | None = None,
    values: Mapping[str, int] | None = None,
) -> None:
    """Write the changed year as a new region folder; ``fenzhi run`` on it computes what the what-if says.

    ``overlay``: keys laid over the pack; ``policy``, ``catalog``: others in their place. ``values``: pool ->
    point value of a hospital alone.
    """
    region = change.region or base.region
    records = changed_records(base, change)
    left = base.stays.filter(pl.col(AT).is_in(change.gone.implode()))["setl_id"]
    left = left.filter(~left.is_in(records["setl_id"].implode()))
    with new_dir(target) as aside:
        pack = None
        if overlay or policy:
            pack = aside / "policy.toml"
            under = find_policy(policy or region.meta.packs()[0], near=region.folder).resolve()
            pack.write_text(_overlay_text(under, overlay or {}), encoding="utf-8")
        data = region_data(base, region, aside, pack, catalog)
        if pack is None and catalog is None:
            data["pool"] = stated_pools(base, data)
        if region.published is not None:
            data["published"] = _with_values(region, data["published"], values or {})
        (aside / "region.toml").write_text(toml_text(data), encoding="utf-8")
        region.hospitals.drop("source_row", strict=False).write_csv(aside / "hospitals.csv")
        if region.published is None or (region.folder / region.meta.budget).is_file():
            (aside / "budget.toml").write_text(toml_text(budget_data(region.budget)), encoding="utf-8")
        write_records(records, aside / "records" / "stays.parquet")
        _copied_rows(
            region.folder / APPLICATIONS, aside / APPLICATIONS, left, _new_applications(base, region)
        )
        _copied_rows(region.folder / DECISIONS, aside / DECISIONS, left, _new_decisions(base, region))
        _copy_further(region, aside)


def _with_values(region: Region, said: dict[str, Any], values: Mapping[str, int]) -> dict[str, Any]:
    """Return ``[published]`` with its table by the whole path, and with other point values."""
    pools = []
    for pool in said["pool"]:
        kept = {key: value for key, value in pool.items() if key not in ("value", "low", "high")}
        value = values.get(pool["id"])
        other = {} if value is None else {"value": Decimal(format_e4(value).replace(",", ""))}
        pools.append({**pool, **other} if value is None else {**kept, **other})
    return {**said, "weights": region.path(said["weights"]).resolve().as_posix(), "pool": pools}


def _overlay_text(under: Path, overlay: Mapping[str, Any]) -> str:
    meta = dict(read_toml(under).get("meta", {}))
    meta.pop("extends", None)
    return toml_text({**overlay, "meta": {**meta, "extends": under.as_posix()}})


def _new_applications(base: Base, region: Region) -> pl.DataFrame | None:
    known = base.region.reviews.applications
    more = region.reviews.applications.join(known, on="setl_id", how="anti", maintain_order="left")
    return more.select("setl_id", "applied_at", "reason") if more.height else None


def _new_decisions(base: Base, region: Region) -> pl.DataFrame | None:
    known = base.region.reviews.decisions.height
    more = region.reviews.decisions.slice(known)
    if not more.height:
        return None
    values = [_value(row) for row in more.iter_rows(named=True)]
    return more.with_columns(
        pl.col("review").alias("outcome"), pl.Series("value", values, dtype=pl.String)
    ).select(DECISION_COLUMNS)


def _value(row: Mapping[str, Any]) -> str | None:
    if row["standard_fen"] is not None:
        return f"{fen_to_yuan(row['standard_fen'])}"
    if row["review_e4"] is not None:
        return format_e4(row["review_e4"]).replace(",", "")
    return None
