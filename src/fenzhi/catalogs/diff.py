"""What differs between two catalogues, one row per difference; the differences of two DIP catalogues."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from fenzhi.catalogs.models import GROUPS_SCHEMA, DipCatalog

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


def diff_dip(before: DipCatalog, after: DipCatalog) -> Diff:
    """Compare two DIP catalogues: groups by group_id and column, code sets, exclusions, types of operations."""

    def groups(catalog: DipCatalog, column: str) -> pl.DataFrame:
        first = catalog.groups.unique("group_id", keep="first", maintain_order=True)
        return first.select(pl.col("group_id").alias("item"), pl.col(column).alias("value"))

    def sets(catalog: DipCatalog) -> pl.DataFrame:
        rows = [(f"@{name}", code) for name, codes in catalog.code_sets.items() for code in codes]
        return joined(
            pl.DataFrame(rows, schema={"set": pl.String, "code": pl.String}, orient="row"), "set", "code"
        )

    def exclusions(catalog: DipCatalog) -> pl.DataFrame:
        kind = pl.format("{}{}", "kind", pl.format(" {}", "within").fill_null("")).alias("value")
        return joined(catalog.exclusions.with_columns(kind), "code", "value")

    def operations(catalog: DipCatalog) -> pl.DataFrame:
        return joined(catalog.operations, "code", "type")

    rules = [name for name in GROUPS_SCHEMA if name not in ("group_id", "name", "note")]
    changes = [
        compare("group", groups(before, "name"), groups(after, "name"), changed="renamed"),
        *(compare(name, groups(before, name), groups(after, name), both=True) for name in rules),
        compare("code_set", sets(before), sets(after)),
        compare("exclusion", exclusions(before), exclusions(after)),
        compare("operation_type", operations(before), operations(after)),
    ]
    names = [
        frame.select(pl.col(code).alias("item"), "name")
        for catalog in (after, before)
        for frame, code in ((catalog.groups, "group_id"), (catalog.operations, "code"))
    ]
    return Diff("dip", with_names(pl.concat(changes), pl.concat(names)))
