"""The tables of a comparison: stays, accounts (hospital x pool), levels, groups and the flows between groups."""

from __future__ import annotations

import polars as pl

from fenzhi.attribution.causes import (
    CAUSES,
    MEASURES,
    STAY_CAUSES,
    at,
    cause,
    split,
    with_difference,
)
from fenzhi.attribution.runs import ABOUT, ACCOUNT, Side, account_amounts

SUMS = ("before_fen", "after_fen", "difference_fen")
_KIND = ("outcome", "group_id")
_OWN = (*_KIND, "cost_fen", "booked_fen", "stays", "weight_e4", "base_e4", "points_e4")
_MEASURED = [at(name, when) for name in MEASURES for when in ("before", "after")]


def _renamed(paid: pl.DataFrame, when: str, keys: list[str]) -> pl.DataFrame:
    return paid.rename({name: at(name, when) for name in paid.columns if name not in keys})


def stay_by_stay(before: pl.DataFrame, after: pl.DataFrame, scales: tuple[int, int]) -> pl.DataFrame:
    """Put the stays of two runs side by side (``paid_stays`` of each) and split the difference of every stay.

    One row per stay and account, sorted by setl_id; a stay that another hospital or pool has in the other run is
    one row in each. ``state``: ``both``, ``added`` or ``removed``; ``changed``: something besides the price differs.
    """
    keys = ["setl_id", *ACCOUNT]
    both = _renamed(before, "before", keys).join(
        _renamed(after, "after", keys), on=keys, how="full", coalesce=True
    )
    here = [pl.col(at("outcome", when)).is_not_null() for when in ("before", "after")]
    state = (pl.when(here[0] & here[1]).then(pl.lit("both")).when(here[1]).then(pl.lit("added"))).otherwise(
        pl.lit("removed")
    )
    changed = pl.any_horizontal(
        pl.col(at(name, "before")).ne_missing(pl.col(at(name, "after"))) for name in _OWN
    )
    rows = both.with_columns(
        state.alias("state"), (here[0] & here[1] & changed).alias("changed")
    ).with_columns(pl.col(_MEASURED).fill_null(0))
    return split(rows, scales).sort(keys)


def _sums(*further: str) -> list[pl.Expr]:
    return [pl.col(*_MEASURED, *further).sum()]


def by_stay(stays: pl.DataFrame, before: Side, after: Side) -> pl.DataFrame:
    """Add the stays of :func:`stay_by_stay` up to accounts and go on to the final amount of each."""
    causes = [cause(name) for name in STAY_CAUSES]
    state, n = pl.col("state"), pl.Int64
    sums = stays.group_by(ACCOUNT).agg(
        (state == "added").sum().cast(n).alias("stays_added"),
        (state == "removed").sum().cast(n).alias("stays_removed"),
        pl.col("changed").sum().cast(n).alias("stays_changed"),
        *_sums(*causes),
    )
    return _accounts(sums, before, after)


def by_account(before: Side, after: Side, paid: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    """Split the difference of every account by its sums alone, for runs whose stays are not the same.

    ``paid``: ``paid_stays`` before and after.
    """
    both = _summed(paid, ACCOUNT)
    return _accounts(split(both, (before.scale, after.scale)).drop(SUMS), before, after)


def _summed(paid: tuple[pl.DataFrame, pl.DataFrame], keys: list[str]) -> pl.DataFrame:
    sums = [
        frame.group_by(keys).agg(pl.col(MEASURES).sum()).rename({name: at(name, when) for name in MEASURES})
        for frame, when in zip(paid, ("before", "after"), strict=True)
    ]
    both = sums[0].join(sums[1], on=keys, how="full", coalesce=True, nulls_equal=True)
    return both.with_columns(pl.col(_MEASURED).fill_null(0))


def _accounts(sums: pl.DataFrame, before: Side, after: Side) -> pl.DataFrame:
    """Add what happens between the stays and the final amount; one row per account of either run."""
    amounts = [
        _renamed(account_amounts(side), when, ACCOUNT)
        for side, when in ((before, "before"), (after, "after"))
    ]
    both = amounts[0].join(amounts[1], on=ACCOUNT, how="full", coalesce=True)
    about = [pl.coalesce(at(name, "after"), at(name, "before")).alias(name) for name in ABOUT]
    both = both.join(sums, on=ACCOUNT, how="left")
    numbers = [name for name, kind in both.schema.items() if kind == pl.Int64]

    def grown(name: str) -> pl.Expr:
        return pl.col(at(name, "after")) - pl.col(at(name, "before"))

    withheld = grown("assessed_fen") + grown("deduction_fen")
    out = (
        both.with_columns(pl.col(numbers).fill_null(0), *about)
        .with_columns(
            (-grown("assessed_fen")).alias(cause("assessment")),
            (-grown("deduction_fen")).alias(cause("deduction")),
            (grown("final_fen") - grown("gross_fen") + withheld).alias(cause("sharing")),
            pl.col("final_before_fen").alias("before_fen"),
            pl.col("final_after_fen").alias("after_fen"),
        )
        .sort(ACCOUNT)
    )
    further = [name for name in ("stays_added", "stays_removed", "stays_changed") if name in out.columns]
    return with_difference(out).select(
        *ACCOUNT,
        *ABOUT,
        *further,
        *_MEASURED,
        *SUMS,
        *(cause(name) for name in CAUSES),
        "clearing_before_fen",
        "clearing_after_fen",
        (pl.col("clearing_after_fen") - pl.col("clearing_before_fen")).alias("clearing_difference_fen"),
    )


def added_up(accounts: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Add accounts up by some of their columns: hospitals, levels, pools."""
    summed = [name for name, kind in accounts.schema.items() if kind == pl.Int64]
    return accounts.group_by(keys).agg(pl.col(summed).sum()).sort(keys, nulls_last=True)


def by_level(accounts: pl.DataFrame) -> pl.DataFrame:
    """Add accounts up by the level of their hospital, with the number of hospitals that gain and that lose."""
    hospitals = accounts.group_by("level", "fixmedins_code").agg(pl.col("difference_fen").sum())
    sides = hospitals.group_by("level").agg(
        pl.len().cast(pl.Int64).alias("hospitals"),
        (pl.col("difference_fen") > 0).sum().cast(pl.Int64).alias("gaining"),
        (pl.col("difference_fen") < 0).sum().cast(pl.Int64).alias("losing"),
    )
    return sides.join(added_up(accounts, ["level"]), on="level", nulls_equal=True).sort(
        "level", descending=True, nulls_last=True
    )


def _named(
    frame: pl.DataFrame, groups: tuple[pl.DataFrame, pl.DataFrame], ids: dict[str, str]
) -> pl.DataFrame:
    """Add the names of groups; ``ids``: column of ids -> column of names; the later run's name comes first."""
    names = (
        pl.concat([groups[1].select("group_id", "name"), groups[0].select("group_id", "name")])
        .drop_nulls()
        .unique("group_id", keep="first", maintain_order=True)
    )
    lookup = dict(names.iter_rows())
    return frame.with_columns(
        pl.col(column).replace_strict(lookup, default=None, return_dtype=pl.String).alias(name)
        for column, name in ids.items()
    )


def by_group(stays: pl.DataFrame, before: Side, after: Side) -> pl.DataFrame:
    """Add stays up by the group that they had before (added ones by theirs now), amounts before assessment.

    ``moved``: stays that are in another group now.
    """
    had = pl.col("outcome_before").is_not_null()
    kind = [pl.when(had).then(at(name, "before")).otherwise(at(name, "after")).alias(name) for name in _KIND]
    moved = (pl.col("state") == "both") & pl.any_horizontal(
        pl.col(at(name, "before")).ne_missing(pl.col(at(name, "after"))) for name in _KIND
    )
    table = stays.group_by(kind).agg(
        moved.sum().cast(pl.Int64).alias("moved"), *_sums(*SUMS, *(cause(name) for name in STAY_CAUSES))
    )
    return _grouped(table, before, after)


def by_group_sums(before: Side, after: Side, paid: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    """Split the difference of every group of the region by its sums alone, amounts before assessment."""
    both = split(_summed(paid, list(_KIND)), (before.scale, after.scale))
    return _grouped(both.with_columns(pl.lit(None, pl.Int64).alias("moved")), before, after)


def _grouped(table: pl.DataFrame, before: Side, after: Side) -> pl.DataFrame:
    named = _named(table, (before.groups, after.groups), {"group_id": "name"})
    return named.select(
        "outcome",
        "group_id",
        "name",
        "moved",
        *_MEASURED,
        *SUMS,
        *(cause(name) for name in STAY_CAUSES),
    ).sort("difference_fen", "outcome", "group_id", descending=[True, False, False], nulls_last=True)


def flows(stays: pl.DataFrame, before: Side, after: Side) -> pl.DataFrame:
    """Return per pair of groups, before and now, the stays that both runs pay, their points, amounts and causes."""
    keys = [at(name, when) for when in ("before", "after") for name in _KIND]
    table = (
        stays.filter(pl.col("state") == "both")
        .group_by(keys)
        .agg(
            pl.len().cast(pl.Int64).alias("stays"),
            *(pl.col(at("points_e4", when)).sum() for when in ("before", "after")),
            pl.col(*SUMS, *(cause(name) for name in STAY_CAUSES)).sum(),
        )
    )
    ids = {at("group_id", when): f"name_{when}" for when in ("before", "after")}
    named = _named(table, (before.groups, after.groups), ids)
    return named.select(
        *(name for when in ("before", "after") for name in (*(at(k, when) for k in _KIND), f"name_{when}")),
        pl.exclude(*keys, *ids.values()),
    ).sort("stays", *keys, descending=[True, *(False for _ in keys)], nulls_last=True)
