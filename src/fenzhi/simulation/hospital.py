"""The folder of a hospital alone, cut out of a region's year: its stays, and what the region publishes."""

from __future__ import annotations

import shutil
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.budget import pool_ratios
from fenzhi.codes import read_table
from fenzhi.errors import RegionError
from fenzhi.files import new_dir
from fenzhi.money import fen_to_yuan, format_e4
from fenzhi.pipeline.parts import Part
from fenzhi.region.reviews import APPLICATIONS, DECISIONS, HISTORY
from fenzhi.region.tracks import FILES
from fenzhi.simulation.base import Base
from fenzhi.simulation.draft import refused
from fenzhi.simulation.write import record_columns, region_data, stated_pools, toml_text, write_records

_DIGITS = 10**16


def write_hospital(base: Base, prices: pl.DataFrame, code: str, target: Path) -> None:
    """Write a hospital's own folder as new: its stays, and weights, coefficient and point values as published.

    ``prices``: of the year. Raises :class:`RegionError` where the year's rules cannot be published: several packs,
    coefficients that differ from group to group.
    """
    region = base.region
    if len(base.frozen.parts) > 1:
        raise refused(
            "the year has several packs or catalogues", "policies", remedy="write it for a year with one"
        )
    [part] = base.frozen.parts
    hospital = region.hospitals.filter(pl.col("fixmedins_code") == code)
    if hospital.is_empty():
        raise refused("the region has no such hospital", "hospital", code, "see hospitals.csv")
    given = part.weights.coefficients.filter(pl.col("fixmedins_code") == code)["coefficient_e4"][0]
    if given is None:
        raise refused(
            "its coefficient differs from group to group",
            "coefficients.form",
            part.policy.coefficients.form,
            "nothing can be published in its place",
        )
    level = hospital["level"][0]
    mine = base.stays.filter(pl.col("fixmedins_code") == code).select(record_columns(base.stays))
    with new_dir(target) as aside:
        data = region_data(base, region, aside, None, None)
        data["region"] |= {
            "name": f"{region.meta.name} {hospital['fixmedins_name'][0] or code}",
            "history": [],
        }
        data["region"].pop("last_year", None)
        for name in ("assessment", "deductions", "advances", "bonuses", "weight_overrides"):
            data["region"].pop(name, None)
        data["pool"] = stated_pools(base, data)
        data["published"] = _published(base, part, prices)
        (aside / "region.toml").write_text(toml_text(data), encoding="utf-8")
        _weights(part, level).write_csv(aside / "weights.csv")
        stated = hospital.drop("source_row", strict=False).with_columns(
            pl.lit(format_e4(given)).alias("coefficient")
        )
        stated.write_csv(aside / "hospitals.csv")
        write_records(mine, aside / "records" / "stays.parquet")
        _own_rows(region.folder, aside, code, mine["setl_id"])
        comorbidity = None if region.policy.auxiliary is None else region.policy.auxiliary.comorbidity
        if comorbidity and (region.folder / comorbidity).is_file():
            shutil.copyfile(region.folder / comorbidity, aside / comorbidity)


def _decimal(value: Fraction) -> Decimal:
    return Decimal(int(value * _DIGITS)) / _DIGITS


def _published(base: Base, part: Part, prices: pl.DataFrame) -> dict[str, Any]:
    ratios = pool_ratios(prices.select("pool", "cost_fen", "booked_fen"))
    opening = dict(base.frozen.opening.iter_rows())
    pools = []
    for pool in base.region.pools:
        # Several values within the year: what its floating points are worth on the average.
        mine = prices.filter(pl.col("pool") == pool.id)
        value = mine["settlement_value_e4"].drop_nulls()
        said = value[0] if value.len() else opening.get(pool.id) or 0
        entry = {"id": pool.id, "value": Decimal(format_e4(said).replace(",", ""))}
        pools.append({**entry, "payment_ratio": _decimal(ratios.get(pool.id, Fraction(1)))})
    return {"weights": "weights.csv", "mean_cost": fen_to_yuan(part.weights.mean_fen), "pool": pools}


def _weights(part: Part, level: str | None) -> pl.DataFrame:
    """Return published weights: group_id, weight, last year's means of all levels and of the hospital's."""
    groups = part.weights.groups.with_columns(part.groups["group_id"]).filter(pl.col("rw_e4") > 0)
    means = part.weights.level_means.filter(pl.col("level") == level).select("group_idx", "mean_fen")
    both = groups.join(means, on="group_idx", how="left", maintain_order="left")

    def yuan(name: str) -> list[str | None]:
        return [None if fen is None else str(fen_to_yuan(fen)) for fen in both[name]]

    return pl.DataFrame(
        {
            "group_id": both["group_id"],
            "weight": [format_e4(value).replace(",", "") for value in both["rw_e4"]],
            "mean_cost": yuan("last_mean_fen"),
            f"mean_cost_{level}": yuan("mean_fen"),
        }
    )


def _own_rows(source: Path, target: Path, code: str, ids: pl.Series) -> None:
    """Copy the rows of the region's small tables that are the hospital's, or nobody's."""
    for name in ("assessment.csv", "deductions.csv", "advances.csv", *FILES):
        if not (source / name).is_file():
            continue
        table = read_table(source / name, RegionError)
        if "fixmedins_code" in table.columns:
            own = pl.col("fixmedins_code")
            table = table.filter(own.is_null() | (own == code))
        if "lead" in table.columns:
            table = table.filter(pl.col("lead").is_null() | (pl.col("lead") == code))
        table.write_csv(target / name)
    for name in (APPLICATIONS, DECISIONS, HISTORY):
        if (source / name).is_file():
            table = read_table(source / name, RegionError)
            table.filter(pl.col("setl_id").is_in(ids.implode())).write_csv(target / name)
