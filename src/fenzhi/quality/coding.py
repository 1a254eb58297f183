"""How well stays are coded: unspecific principal diagnoses, codes that are not in force, gains from mapping.

docs/rules.md, "Building a catalogue".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fenzhi.codes import normalise_diagnosis, normalise_operation, split_extension

#: Why a principal diagnosis is unspecific; the first that fits.
KINDS = ("symptom", "unspecified", "residual")
SYMPTOM, UNSPECIFIED, RESIDUAL = r"^R", r"^[A-Z][0-9][0-9A-Z]\.9", r"^[A-Z][0-9][0-9A-Z]\.x00$"


def code_counts(stays: pl.DataFrame) -> pl.DataFrame:
    """Return kind (``principal``, ``diagnosis``, ``operation``), fixmedins_code, code, count of a frame of stays.

    ``principal`` counts stays by hospital and principal diagnosis; the others count every mention, without hospital.
    Counts of several frames may be put below each other and added up.
    """
    count = pl.len().cast(pl.Int64).alias("count")
    head = stays.select("fixmedins_code", pl.col("diag_codes").list.first().alias("code"))
    heads = head.drop_nulls("code").group_by("fixmedins_code", "code").agg(count)
    principal = normalise_diagnosis(heads["code"]).alias("code")
    parts = [heads.with_columns(principal, pl.lit("principal").alias("kind"))]
    for kind, column, normal in (
        ("diagnosis", "diag_codes", normalise_diagnosis),
        ("operation", "oprn_codes", normalise_operation),
    ):
        codes = stays[column].explode(empty_as_null=False, keep_nulls=False)
        mentions = pl.DataFrame({"code": codes}).group_by("code").agg(count).drop_nulls()
        parts.append(
            mentions.with_columns(normal(mentions["code"]).alias("code"), pl.lit(kind).alias("kind"))
        )
    order = ["kind", "fixmedins_code", "code", "count"]
    return added_up(pl.concat(parts, how="diagonal").select(order))


def added_up(counts: pl.DataFrame) -> pl.DataFrame:
    """Return counts of :func:`code_counts` with every kind, hospital and code once, sorted."""
    keys = ["kind", "fixmedins_code", "code"]
    return counts.group_by(keys).agg(pl.col("count").sum()).sort(keys)


def unspecific_codes(counts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return unspecific principal diagnoses by code (code, why, stays, hospitals), and by hospital.

    ``symptom``: chapter R. ``unspecified``: the fourth character is 9. ``residual``: ``.x00``, where the history has a
    further code of the same category (a category without subdivisions has nothing better to offer). By hospital:
    fixmedins_code, stays, unspecific, share (float), the largest share first.
    """
    principal = counts.filter(pl.col("kind") == "principal").select("fixmedins_code", "code", "count")
    category = pl.col("code").str.slice(0, 3)
    finer = (
        counts.filter(pl.col("kind") == "diagnosis")
        .filter(~pl.col("code").str.contains(RESIDUAL))
        .select(category.alias("category"))["category"]
        .unique()
    )
    code = pl.col("code")
    why = (
        pl.when(code.str.contains(SYMPTOM))
        .then(pl.lit("symptom"))
        .when(code.str.contains(UNSPECIFIED))
        .then(pl.lit("unspecified"))
        .when(code.str.contains(RESIDUAL) & category.is_in(finer.implode()))
        .then(pl.lit("residual"))
    )
    marked = principal.with_columns(why.alias("why"))
    by_code = (
        marked.drop_nulls("why")
        .group_by("code", "why")
        .agg(pl.col("count").sum().alias("stays"), pl.col("fixmedins_code").n_unique().alias("hospitals"))
        .with_columns(pl.col("hospitals").cast(pl.Int64))
        .sort("stays", "code", descending=[True, False])
    )
    by_hospital = (
        marked.group_by("fixmedins_code")
        .agg(
            pl.col("count").sum().alias("stays"),
            pl.col("count").filter(pl.col("why").is_not_null()).sum().alias("unspecific"),
        )
        .with_columns((pl.col("unspecific") / pl.col("stays")).alias("share"))
        .sort("share", "fixmedins_code", descending=[True, False])
    )
    return by_code, by_hospital


def missing_codes(counts: pl.DataFrame, known: Mapping[str, frozenset[str] | None]) -> pl.DataFrame:
    """Return codes of the history that a version does not have: kind, code, mentions, principal (stays).

    ``known``: ``diagnosis`` and ``operation`` -> the codes of the version (normalised), None if it does not list them.
    An operation with an extension is known if its base is.
    """
    parts = []
    heads = (
        counts.filter(pl.col("kind") == "principal")
        .group_by("code")
        .agg(pl.col("count").sum().alias("principal"))
    )
    for kind, codes in known.items():
        if codes is None:
            continue
        mine = counts.filter(pl.col("kind") == kind).select("kind", "code", pl.col("count").alias("mentions"))
        listed = pl.Series(sorted(codes), dtype=pl.String).implode()
        found = pl.col("code").is_in(listed)
        if kind == "operation":
            found = found | split_extension(mine["code"])[0].is_in(listed)
        parts.append(mine.filter(~found))
    schema = {"kind": pl.String, "code": pl.String, "mentions": pl.Int64}
    table = pl.concat(parts) if parts else pl.DataFrame(schema=schema)
    return (
        table.join(heads, on="code", how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("kind") == "diagnosis").then(pl.col("principal").fill_null(0)))
        .sort("kind", "mentions", "code", descending=[False, True, False])
    )


@dataclass(frozen=True)
class Gains:
    """What mapping codes did to the grouping: stays whose codes it changed, and what became of them.

    ``gained``: without a group before, with one after; ``lost``: the reverse; ``moved``: another group.
    """

    changed: int = 0
    gained: int = 0
    lost: int = 0
    moved: int = 0

    def plus(self, other: Gains) -> Gains:
        """Return the sums."""
        return Gains(
            self.changed + other.changed,
            self.gained + other.gained,
            self.lost + other.lost,
            self.moved + other.moved,
        )


def mapping_gains(before: pl.Series, after: pl.Series) -> Gains:
    """Return the gains from the groups (group_idx, -1 = none) of changed stays by their own and by mapped codes."""
    was, now = before >= 0, after >= 0
    return Gains(
        len(before),
        int((~was & now).sum()),
        int((was & ~now).sum()),
        int((was & now & (before != after)).sum()),
    )
