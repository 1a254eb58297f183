"""What differs between two catalogues of any kind: one row per difference."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

CHANGES = pl.Schema(
    {
        "what": pl.String(),
        "change": pl.String(),
        "item": pl.String(),
        "name": pl.String(),
        "before": pl.String(),
        "after": pl.String(),
    }
)


@dataclass(frozen=True)
class Diff:
    """The differences of two catalogues of one scheme.

    ``changes``: what (kind of thing), change (added, removed, changed, renamed), item (its code), name, before, after;
    in the order of kinds, then of items.
    """

    scheme: str
    changes: pl.DataFrame

    @property
    def counts(self) -> pl.DataFrame:
        """Return how many differences there are per what and change, in their order: what, change, rows."""
        return self.changes.group_by("what", "change", maintain_order=True).agg(pl.len().alias("rows"))


def compare(
    what: str, before: pl.DataFrame, after: pl.DataFrame, *, both: bool = False, changed: str = "changed"
) -> pl.DataFrame:
    """Return the items whose value differs, as rows of ``CHANGES`` without names.

    ``before`` and ``after`` have the columns item (unique) and value; an item that only one of them has was
    removed or added, or is passed over if ``both``. ``changed``: the word for another value.
    """
    sides = [
        frame.select(pl.col("item").cast(pl.String), pl.col("value").cast(pl.String)).with_columns(
            pl.lit(True).alias("there")
        )
        for frame in (before, after)
    ]
    rows = sides[0].join(sides[1], on="item", how="full", coalesce=True)
    was, now = pl.col("there").fill_null(False), pl.col("there_right").fill_null(False)
    change = (
        pl.when(was & now & pl.col("value").ne_missing(pl.col("value_right")))
        .then(pl.lit(changed))
        .when(~was & pl.lit(not both))
        .then(pl.lit("added"))
        .when(~now & pl.lit(not both))
        .then(pl.lit("removed"))
    )
    return (
        rows.select(
            pl.lit(what).alias("what"),
            change.alias("change"),
            "item",
            pl.lit(None, pl.String).alias("name"),
            pl.col("value").alias("before"),
            pl.col("value_right").alias("after"),
        )
        .drop_nulls("change")
        .sort("item")
    )


def _places(before: pl.DataFrame, after: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Number the items that both have, in the order of their rows; ``item``, and ``within`` which order counts."""
    found = []
    for one, other in ((before, after), (after, before)):
        both = one.join(
            other.select("item", "within"), on=["item", "within"], how="semi", maintain_order="left"
        )
        found.append(both.select("item", pl.int_range(1, pl.len() + 1).over("within").alias("value")))
    return found[0], found[1]


def compare_order(what: str, before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Report items that stand elsewhere among those that both catalogues have in the same place (``within``)."""
    was, now = _places(before, after)
    return compare(what, joined(was, "item", "value"), joined(now, "item", "value"), both=True)


def joined(frame: pl.DataFrame, item: str, value: str) -> pl.DataFrame:
    """Return item and value with the values of each item joined, sorted, without repetitions."""
    return (
        frame.select(pl.col(item).alias("item"), pl.col(value).cast(pl.String).alias("value"))
        .group_by("item")
        .agg(pl.col("value").unique().sort().str.join(", "))
    )


def with_names(changes: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Fill the names of items from ``names`` (item, name), the first that is known."""
    known = names.drop_nulls().unique("item", keep="first", maintain_order=True)
    return (
        changes.drop("name").join(known, on="item", how="left", maintain_order="left").select(list(CHANGES))
    )
