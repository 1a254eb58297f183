"""An earlier run beside this one: reading a run for a comparison, and the tables of a run that look back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.attribution import (
    ACCOUNT,
    NEEDED,
    Side,
    by_account,
    by_stay,
    paid_stays,
    stay_by_stay,
)
from fenzhi.errors import InputError
from fenzhi.pipeline.store import read_manifest, read_table
from fenzhi.region import Region
from fenzhi.results import shape


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


@dataclass(frozen=True)
class ComputedRun:
    """A year that was computed and not written; for a comparison it is what :class:`EarlierRun` is.

    ``manifest``: what a comparison reads of one.
    """

    manifest: dict[str, Any]
    side: Side

    @property
    def year(self) -> int:
        """The year that was computed."""
        return int(self.manifest["region"]["year"])

    def named(self) -> dict[str, Any]:
        """Return what a manifest says of the run: its name; it has no folder."""
        return {"run_id": self.manifest["run_id"], "folder": None, "manifest_sha256": None}


AnyRun = EarlierRun | ComputedRun


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


def computed_run(
    name: str, region: Region, tables: Mapping[str, pl.DataFrame], facts: Mapping[str, Any]
) -> ComputedRun:
    """Return what :func:`fenzhi.pipeline.year.compute` gave as one side of a comparison, called ``name``."""
    meta, policy = region.meta, region.policy
    about = {"scale": policy.weights.scale, "settlement_method": policy.point_value.settlement}
    manifest = {
        "run_id": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "region": {"id": meta.id, "name": meta.name, "year": meta.year, "synthetic": meta.synthetic},
        "policy": {"id": policy.meta.id, "title": policy.meta.title, **about},
        "catalog": facts["catalog"],
    }
    return ComputedRun(manifest, side_of(tables, tables["cases"].lazy(), about))


def read_earlier(folder: Path) -> EarlierRun:
    """Read a finished run. Raises :class:`InputError` if the folder is no run or a table is missing or torn."""
    manifest = read_manifest(folder)
    tables = {name: read_table(folder, name) for name in ("hospitals", "pools", "groups")}
    file = folder / "cases.parquet"
    try:
        cases = pl.scan_parquet(file)
        have = {"cases": cases.collect_schema().names(), **{name: t.columns for name, t in tables.items()}}
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "a table of the run is missing or cannot be read",
            code="RUN_TABLE_UNREADABLE",
            file=file,
            remedy="run the year again; do not change the files of a run",
        ) from error
    for name, needed in NEEDED.items():
        missing = [column for column in needed if column not in have[name]]
        if missing:
            raise InputError(
                f"table {name} lacks the columns {', '.join(missing)}",
                code="RUN_TABLE_COLUMNS",
                file=folder / f"{name}.parquet",
                field=missing[0],
                remedy="run the year again with this version",
            )
    return EarlierRun(folder, manifest, side_of(tables, cases, manifest["policy"]))


def _restated(region: Region, earlier: EarlierRun) -> Region:
    """Return the region with what the earlier run advanced, unless advances.csv says what was really paid.

    Raises :class:`InputError` if the run is of another region or year, or has hospitals or pools that are gone.
    """
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


def _require_year_before(earlier: EarlierRun, region: Region) -> None:
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


def nothing_common(folder: Path) -> InputError:
    """Return the error that two runs have nothing to compare."""
    return InputError(
        "the two runs have no hospital in common",
        code="RUN_NOTHING_COMMON",
        file=folder,
        remedy="name two runs of one region, or of the same stays",
    )


@dataclass(frozen=True)
class LookingBack:
    """What a run puts beside itself: the run that it ``restates``, one of ``last_year``; and its own ``region``."""

    region: Region
    restates: EarlierRun | None
    last_year: EarlierRun | None

    def tables(
        self, tables: Mapping[str, pl.DataFrame]
    ) -> tuple[dict[str, pl.DataFrame], dict[str, dict[str, Any]]]:
        """Return the tables ``restatement`` and ``changes`` as far as wanted, and what the manifest says of them."""
        policy = self.region.policy
        now = side_of(
            tables,
            tables["cases"].lazy(),
            {"scale": policy.weights.scale, "settlement_method": policy.point_value.settlement},
        )
        found: dict[str, pl.DataFrame] = {}
        facts: dict[str, dict[str, Any]] = {}
        if self.restates is not None:
            before = self.restates.side
            stays = stay_by_stay(paid_stays(before), paid_stays(now), (before.scale, now.scale))
            found["restatement"] = shape(by_stay(stays, before, now), "restatement")
            facts["restates"] = self.restates.named()
        if self.last_year is not None:
            before = self.last_year.side
            table = by_account(before, now, (paid_stays(before), paid_stays(now)))
            clearing = [name for name in table.columns if name.startswith("clearing_")]
            found["changes"] = shape(table.drop(clearing), "changes")
            facts["last_year"] = self.last_year.named() | {"year": self.last_year.year}
        return found, facts


def look_back(region: Region, restates: Path | str | None, last_year: Path | str | None) -> LookingBack:
    """Read the runs that a new run looks back at, before any work; ``last_year``: else as region.toml says.

    Raises :class:`InputError` if one is no run, or does not fit the region's year.
    """
    earlier = None if restates is None else read_earlier(Path(restates))
    if earlier is not None:
        region = _restated(region, earlier)
    if last_year is None and region.meta.last_year is not None:
        last_year = region.path(region.meta.last_year)
    past = None if last_year is None else read_earlier(Path(last_year))
    if past is not None:
        _require_year_before(past, region)
    return LookingBack(region, earlier, past)
