"""Price and settle a year from its sums: the functions of a run, on sums instead of stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import polars as pl

from fenzhi.attribution import ACCOUNT, Side
from fenzhi.budget import budget_table, require_all_given
from fenzhi.pipeline.prepared import Frozen
from fenzhi.pipeline.published import price_year
from fenzhi.pipeline.rule_tables import hospital_coefficients
from fenzhi.pipeline.tracks import PaidBeside
from fenzhi.policy.values import is_plain
from fenzhi.results import columns_of, shape
from fenzhi.settlement import settle_sums
from fenzhi.settlement.annual import stay_amounts
from fenzhi.simulation.base import Sums


@dataclass(frozen=True)
class SettledYear:
    """A year settled without its stays.

    ``tables``: those of a run (:mod:`fenzhi.results`) that no single stay stands in. ``accounts``: per hospital and
    pool what the split of a difference is made of. ``units``, ``prices``: for the amounts of stays.
    """

    frozen: Frozen
    tables: dict[str, pl.DataFrame]
    sums: Sums
    units: pl.DataFrame
    prices: pl.DataFrame

    def stays(self, scored: pl.DataFrame) -> pl.DataFrame:
        """Return scored stays with their amounts; ``scored``: all stays of some hospitals and pools."""
        mine = self.units.join(scored.select(ACCOUNT).unique(), on=ACCOUNT, how="semi", maintain_order="left")
        return stay_amounts(scored, mine, self.prices, self.frozen.region.policy)

    @cached_property
    def accounts(self) -> pl.DataFrame:
        """Return stays, weight_e4, base_e4, points_e4, priced_fen, patients_fen, direct_fen per hospital and pool."""
        names = ("stays", "weight_e4", "base_e4", "points_e4", "direct_fen")
        sums = self.sums.measures.select(*ACCOUNT, *names)
        subtracts = self.frozen.region.policy.point_value.settlement == "difference"
        with_points = self.prices.filter(pl.col("points_e4") > 0)
        units = self.units.join(with_points, on=["pool", "period"], how="semi")
        others = units.group_by(ACCOUNT).agg(pl.col("others_fen").sum().alias("patients_fen"))
        priced = self.units.group_by(ACCOUNT).agg(
            (pl.col("fixed_fen") + pl.col("floating_fen")).sum().alias("priced_fen")
        )
        taken = pl.col("patients_fen").fill_null(0) if subtracts else pl.lit(0, pl.Int64)
        return (
            sums.join(priced, on=ACCOUNT, how="left")
            .join(others, on=ACCOUNT, how="left")
            .with_columns(taken.alias("patients_fen"))
        )

    @property
    def side(self) -> Side:
        """Return the year as a comparison sees it, without its stays."""
        policy = self.frozen.region.policy
        none = pl.DataFrame(schema={"group_id": pl.String, "name": pl.String})
        subtracts = policy.point_value.settlement == "difference"
        return Side(
            pl.LazyFrame(),
            self.tables["hospitals"],
            self.tables["pools"],
            none,
            policy.weights.scale,
            subtracts,
        )


def settle_year(
    frozen: Frozen, sums: Sums, beside: PaidBeside, values: Mapping[str, int] | None = None
) -> SettledYear:
    """Price and settle the sums of a year; ``values``: point values of a hospital alone, else the published ones."""
    policy = frozen.region.policy
    region, prices = price_year(frozen.region, sums.pools, frozen.opening, beside.handed, values)
    inputs = replace(frozen.inputs, tracks=beside.ledger)
    settled = settle_sums(sums.stays, prices, region.budget, policy, inputs)
    budget = budget_table(region.budget, settled.pools["pool"].to_list())
    require_all_given(budget, settled.pools)
    tables: dict[str, pl.DataFrame] = {
        "hospitals": shape(_named(settled.hospitals, frozen), "hospitals"),
        "months": shape(settled.months, "months"),
        "pools": shape(_titled(settled.pools, frozen), "pools"),
        "budget": shape(budget, "budget"),
        "ledger": shape(settled.ledger, "ledger"),
    }
    tables |= beside.tables
    if not is_plain(policy.point_value):
        tables["values"] = shape(prices.select(column.name for column in columns_of("values")), "values")
    return SettledYear(frozen, tables, sums, settled.units, prices)


def _named(hospitals: pl.DataFrame, frozen: Frozen) -> pl.DataFrame:
    names = frozen.region.hospitals.select("fixmedins_code", "fixmedins_name", "level", "type")
    return hospitals.join(names, on="fixmedins_code", how="left", maintain_order="left").join(
        hospital_coefficients(frozen.parts), on="fixmedins_code", how="left", maintain_order="left"
    )


def _titled(pools: pl.DataFrame, frozen: Frozen) -> pl.DataFrame:
    titles = pl.DataFrame(
        [(pool.id, pool.title) for pool in frozen.region.pools],
        schema={"pool": pl.String, "title": pl.String},
        orient="row",
    )
    return pools.join(titles, on="pool", how="left", maintain_order="left")
