"""An earlier run beside this one: reading a run for a comparison, and the tables of a run that look back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.attribution import (
    ACCOUNT,
    Side,
    by_account,
    by_stay,
    paid_stays,
    stay_by_stay,
)
from fenzhi.errors import InputError
from fenzhi.region import Region
from fenzhi.results import TABLES, shape


@dataclass(frozen=True)
class EarlierRun:
    """A finished run that is only read: its folder, manifest and tables."""

    folder: Path
    manifest: dict[str, Any]
    side: Side

    @property
    def year(self) -> int:
        """The year that the run settled."""
        return int(self.manifest["region"]["year"])

    def named(self) -> dict[str, Any]:
        """Return what a manifest says of the run: its id, folder, and the SHA-256 of its own manifest."""
        digest = hashlib.sha256((self.folder / "manifest.json").read_bytes()).hexdigest()
        return {"run_id": self.manifest["run_id"], "folder": str(self.folder), "manifest_sha256": digest}


def side_of(tables: Mapping[str, pl.DataFrame], cases: pl.LazyFrame, policy: Mapping[str, Any]) -> Side:
    """Return a run as a comparison sees it; ``policy``: that section of its manifest."""
    return Side(
        cases=cases,
        hospitals=tables["hospitals"],
        pools=tables["pools"],
        groups=tables["groups"],
        scale=int(policy.get("scale", 1)),
        subtracts=policy.get("settlement_method") == "difference",
    )


def read_earlier(folder: Path) -> EarlierRun:
    """Read a finished run. Raises :class:`InputError` if the folder is no run or a table is missing or torn."""
    from fenzhi.pipeline.store import read_manifest, read_table

    manifest = read_manifest(folder)
    tables = {name: read_table(folder, name) for name in ("hospitals", "pools", "groups")}
    file = folder / "cases.parquet"
    try:
        cases = pl.scan_parquet(file)
        have = {*cases.collect_schema().names()}
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "a table of the run is missing or cannot be read",
            code="RUN_TABLE_UNREADABLE",
            file=file,
            remedy="run the year again; do not change the files of a run",
        ) from error
    missing = [column.name for column in TABLES["cases"] if column.name not in have]
    if missing:
        raise InputError(
            f"table cases lacks the columns {', '.join(missing)}",
            code="RUN_TABLE_COLUMNS",
            file=file,
            field=missing[0],
            remedy="run the year again with this version",
        )
    return EarlierRun(folder, manifest, side_of(tables, cases, manifest["policy"]))


def restated_region(region: Region, earlier: EarlierRun) -> Region:
    """Return the region with what the earlier run advanced, unless advances.csv says what was really paid.

    Raises :class:`InputError` if the run is of another region or year, or has hospitals or pools that are gone.
    """
    from fenzhi.pipeline.store import read_table

    meta, before = region.meta, earlier.manifest["region"]
    if (before["id"], before["year"]) != (meta.id, meta.year):
        raise InputError(
            f"the run is of {before['id']} {before['year']}, this region is {meta.id} {meta.year}",
            code="RUN_RESTATES_OTHER",
            file=earlier.folder,
            remedy="name the run of the same region and year that the new one replaces",
        )
    accounts = earlier.side.hospitals.select(ACCOUNT)
    known = region.hospitals.select("fixmedins_code").join(
        pl.DataFrame({"pool": [pool.id for pool in region.pools]}), how="cross"
    )
    gone = accounts.join(known, on=ACCOUNT, how="anti").sort(ACCOUNT)
    if gone.height:
        raise InputError(
            "the restated run settles a hospital and pool that this region no longer has",
            code="RUN_RESTATES_ACCOUNT",
            file=earlier.folder,
            field="fixmedins_code, pool",
            value=", ".join(gone.row(0)),
            remedy="keep the hospital in hospitals.csv and the pool in region.toml, also if nothing is left to pay",
        )
    if region.advances is not None:
        return region
    start = earlier.side.hospitals.select(
        *ACCOUNT, pl.lit(0, pl.Int8).alias("month"), pl.col("working_capital_fen").alias("advance_fen")
    )
    months = read_table(earlier.folder, "months").select(
        *ACCOUNT, pl.col("month").cast(pl.Int8), "advance_fen"
    )
    return replace(region, advances=pl.concat([start, months]))


def restatement(earlier: EarlierRun, now: Side) -> pl.DataFrame:
    """Return the result table ``restatement``: what the new run pays beside the one that it restates."""
    scales = (earlier.side.scale, now.scale)
    stays = stay_by_stay(paid_stays(earlier.side), paid_stays(now), scales)
    return shape(by_stay(stays, earlier.side, now), "restatement")


def require_earlier_year(earlier: EarlierRun, region: Region) -> None:
    """Raise :class:`InputError` unless the run is of a year before and shares a hospital with the region."""
    if earlier.year >= region.meta.year:
        raise InputError(
            f"the run is of {earlier.year}, which is not before {region.meta.year}",
            code="RUN_LAST_YEAR",
            file=earlier.folder,
            remedy="name a run of the year before",
        )
    mine = region.hospitals.select("fixmedins_code")
    if not mine.join(earlier.side.hospitals, on="fixmedins_code", how="semi").height:
        raise nothing_common(earlier.folder)


def changes(earlier: EarlierRun, now: Side) -> pl.DataFrame:
    """Return the result table ``changes``: this year beside an earlier one, by hospital and pool."""
    table = by_account(earlier.side, now, (paid_stays(earlier.side), paid_stays(now)))
    return shape(table.drop([name for name in table.columns if name.startswith("clearing_")]), "changes")


def nothing_common(folder: Path) -> InputError:
    """Return the error that two runs have nothing to compare."""
    return InputError(
        "the two runs have no hospital in common",
        code="RUN_NOTHING_COMMON",
        file=folder,
        remedy="name two runs of one region, or of the same stays",
    )
