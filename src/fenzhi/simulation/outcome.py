"""What a scenario makes of a year: before, after, the difference and its causes, which add up to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import polars as pl

from fenzhi.attribution import ACCOUNT, COMPARED, MEASURES, Side, at, by_account, paid_stays, shaped
from fenzhi.simulation.base import Base
from fenzhi.simulation.engine import Changed
from fenzhi.simulation.scenario import Scenario

_POOL = tuple(
    column.name.replace("_before", "")
    for column in COMPARED["pools"]
    if column.name.endswith(("_before", "_before_fen", "_before_e4"))
)
_GROUP = ("outcome", "group_id")
_GROUP_SUMS = ("cases", "cost_fen", "booked_fen", "points_e4", "payable_fen")


class Year(Protocol):
    """A year settled, by sums or by a full run."""

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the tables of a run that no single stay stands in."""

    @property
    def accounts(self) -> pl.DataFrame:
        """Return per hospital and pool what the split of a difference is made of."""

    @property
    def side(self) -> Side:
        """Return the year as a comparison sees it."""

    def stays(self, hospitals: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the stays that the fund pays, with their amounts; of some hospitals, or all (None)."""


@dataclass(frozen=True)
class QuickYear:
    """A year by sums."""

    changed: Changed

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the tables of a run that no single stay stands in."""
        return self.changed.year.tables

    @property
    def accounts(self) -> pl.DataFrame:
        """Return per hospital and pool what the split of a difference is made of."""
        return self.changed.year.accounts

    @property
    def side(self) -> Side:
        """Return the year as a comparison sees it."""
        return self.changed.year.side

    def stays(self, hospitals: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the stays that the fund pays, with their amounts."""
        return self.changed.stays(hospitals)


@dataclass(frozen=True)
class FullYear:
    """A year by a full run; ``side`` with its stays."""

    tables: dict[str, pl.DataFrame]
    side: Side

    @cached_property
    def accounts(self) -> pl.DataFrame:
        """Return per hospital and pool what the split of a difference is made of."""
        return paid_stays(self.side).group_by(ACCOUNT).agg(pl.col(MEASURES).sum())

    def stays(self, hospitals: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the stays that the fund pays, with their amounts."""
        paid = self.tables["cases"].filter(pl.col("payable_fen").is_not_null())
        return paid if hospitals is None else paid.filter(pl.col("fixmedins_code").is_in(list(hospitals)))


@dataclass(frozen=True)
class Outcome:
    """A scenario's year beside the year as it is.

    ``full``: parts of the scenario for which the whole year was computed anew; empty: from sums. ``seconds``: how long
    the answer took.
    """

    scenario: Scenario
    hospital: str | None
    base: Base
    before: Year
    after: Year
    full: tuple[str, ...]
    seconds: float

    @cached_property
    def accounts(self) -> pl.DataFrame:
        """Return one row per hospital and pool: before, after, difference, causes (docs/rules.md, section 7)."""
        paid = self.before.accounts, self.after.accounts
        return shaped(by_account(self.before.side, self.after.side, paid), "accounts")

    @cached_property
    def own(self) -> pl.DataFrame:
        """Return the accounts of the scenario's hospital; of all hospitals if it names none."""
        if self.hospital is None:
            return self.accounts
        return self.accounts.filter(pl.col("fixmedins_code") == self.hospital)

    @cached_property
    def pools(self) -> pl.DataFrame:
        """Return one row per pool: fund, stays, points, value and ratio before and after."""
        sides = []
        for year, when in ((self.before, "before"), (self.after, "after")):
            names = {name: at(name, when) for name in _POOL}
            columns = ("pool", "title", *_POOL) if when == "before" else ("pool", *_POOL)
            sides.append(year.tables["pools"].select(columns).rename(names))
        return shaped(sides[0].join(sides[1], on="pool", how="left", maintain_order="left"), "pools")

    @cached_property
    def groups(self) -> pl.DataFrame:
        """Return the groups of the scenario's hospital before and after: stays, cost, points, amount before assessment.

        Sorted by how much the amount changes, the most first. Of all hospitals if the scenario names none.
        """
        hospitals = None if self.hospital is None else [self.hospital]
        sides = []
        for year, when in ((self.before, "before"), (self.after, "after")):
            names = {name: at(name, when) for name in _GROUP_SUMS}
            sides.append(_by_group(year.stays(hospitals)).rename(names))
        both = sides[0].join(sides[1], on=_GROUP, how="full", coalesce=True, nulls_equal=True)
        numbers = [at(name, when) for name in _GROUP_SUMS for when in ("before", "after")]
        difference = pl.col("payable_after_fen") - pl.col("payable_before_fen")
        titles = pl.concat([part.groups.select("group_id", "name") for part in self.base.frozen.parts])
        return (
            both.with_columns(pl.col(numbers).fill_null(0))
            .with_columns(difference.alias("difference_fen"))
            .join(titles.unique("group_id", keep="first"), on="group_id", how="left")
            .select(*_GROUP, "name", *numbers, "difference_fen")
            .sort(pl.col("difference_fen").abs(), *_GROUP, descending=[True, False, False], nulls_last=True)
        )


def _by_group(stays: pl.DataFrame) -> pl.DataFrame:
    grouped = pl.col("outcome").cast(pl.String).is_in(["grouped", "comprehensive"])
    return stays.group_by(
        pl.col("outcome").cast(pl.String), pl.when(grouped).then("group_id").alias("group_id")
    ).agg(pl.len().cast(pl.Int64).alias("cases"), pl.col(_GROUP_SUMS[1:]).sum())
