"""Compare two results of grouping stay by stay: one kind of agreement or difference each, and counts of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from fenzhi.errors import ConservationError
from fenzhi.money import SCALE, ratio_half_up
from fenzhi.records.official import GROUP_COLUMNS, Official

AGREE = "agree"
#: Differences in the order in which they are asked; the first that holds is the stay's kind.
DIFFERENCES = (
    *("only_ours", "only_theirs", "other_chapter", "other_adrg", "other_level", "other_group"),
    "other_score",
)
#: Settlements of one side only: listed, no disagreement.
ONE_SIDE = ("not_in_official", "not_in_stays")
KINDS = (AGREE, *DIFFERENCES, *ONE_SIDE)

# How results write that there is no group: zeros (0000, 00, 0000A) and QY (ambiguous).
_NO_GROUP = r"^0+[A-Z]?$|^.?QY$"
_CHAPTER_PREFIX = "MDC"


@dataclass(frozen=True)
class Compared:
    """A comparison.

    ``cases``: one row per settlement of either side, ours in their order, then theirs: setl_id, kind (Enum
    :data:`KINDS`), ours, theirs (group codes, null = not grouped), reason (ours), message (theirs),
    ours_score_e4, theirs_score_e4, chapter, layer, pattern (number, null where they agree or one side lacks).
    ``patterns``: kind, theirs, ours, reason, cases, pattern (1 = most frequent).
    """

    cases: pl.DataFrame
    patterns: pl.DataFrame

    @property
    def counts(self) -> dict[str, int]:
        """Number of settlements of each kind, zeros included; the sum is the union of both sides."""
        found = dict(self.cases.group_by("kind").len().iter_rows())
        return {kind: found.get(kind, 0) for kind in KINDS}

    def by(self, column: str) -> pl.DataFrame:
        """Count by ``chapter`` or ``layer``: column, cases, agree, differ, agreement_e4, one column per kind.

        Settlements of one side only are not counted; null stands for stays that neither side could place.
        """
        both = self.cases.filter(~pl.col("kind").is_in(ONE_SIDE))
        return _counted(both.group_by(column).agg(*_kind_counts())).sort(column, nulls_last=True)

    def by_group(self) -> pl.DataFrame:
        """Count by group: group_id, theirs (cases), ours (cases), agree, agreement_e4 = agree / theirs.

        Settlements of one side only are not counted.
        """
        both = self.cases.filter(~pl.col("kind").is_in(ONE_SIDE))
        sides = [
            both.filter(pl.col(side).is_not_null()).group_by(pl.col(side).alias("group_id")).agg(*counts)
            for side, counts in (
                (
                    "theirs",
                    (pl.len().cast(pl.Int64).alias("theirs"), _number(pl.col("kind") == AGREE, AGREE)),
                ),
                ("ours", (pl.len().cast(pl.Int64).alias("ours"),)),
            )
        ]
        together = sides[0].join(sides[1], on="group_id", how="full", coalesce=True)
        filled = together.with_columns(pl.col("theirs", "ours", AGREE).fill_null(0))
        share = ratio_half_up(pl.col(AGREE) * SCALE, pl.col("theirs").replace(0, None))
        return filled.select("group_id", "theirs", "ours", AGREE, share.alias("agreement_e4")).sort(
            pl.col("theirs") - pl.col(AGREE), "group_id", descending=[True, False]
        )


def official_side(official: Official, groups: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """Return the official results as :func:`compare` takes them, and the column their codes were taken from.

    ``groups``: group_id, name of our catalogue. Where results carry national and local codes (3605), the
    column is taken of which more settlements have a code of our catalogue; the national one if equal.
    A stay is not grouped if its code is empty, zeros or QY, or if ``grp_stas`` is 0.
    """
    known = groups["group_id"].implode()
    results = official.results
    hits = {name: int(results[name].is_in(known).sum()) for name in GROUP_COLUMNS[official.scheme]}
    column = max(hits, key=lambda name: hits[name])
    if not hits[column]:  # nothing is known: then the column that is filled
        column = max(hits, key=lambda name: results[name].count())
    is_group = pl.col(column).is_in(known) | ~pl.col(column).str.contains(_NO_GROUP)
    if "grp_stas" in results.columns:
        is_group &= pl.col("grp_stas").fill_null("1") != "0"
    have = set(results.columns)

    def optional(source: str, name: str, dtype: type[pl.DataType] = pl.String) -> pl.Expr:
        return (pl.col(source) if source in have else pl.lit(None, dtype)).alias(name)

    message = pl.concat_str(
        [pl.col(name) for name in ("grp_rslt", "err_info") if name in have] or [pl.lit(None, pl.String)],
        separator=" ",
        ignore_nulls=True,
    ).replace("", None)
    side = results.select(
        "setl_id",
        pl.when(is_group).then(pl.col(column)).alias("group_id"),
        optional(column.replace("_codg", "_name").replace("_code", "_name"), "name"),
        optional("adrg_codg", "adrg"),
        optional("mdc_codg", "mdc"),
        message.alias("message"),
        optional("grp_diag_code", "diagnosis"),
        optional("oprn_grp_code", "operation"),
        optional("grp_dise_sco_e4", "score_e4", pl.Int64),
    )
    return side, column


def compare(
    ours: pl.DataFrame, theirs: pl.DataFrame, groups: pl.DataFrame, scores: Mapping[str, int] | None = None
) -> Compared:
    """Compare our groups with the official ones.

    Parameters
    ----------
    ours: setl_id (unique), group_id (null = not grouped), reason, chapter (null, or what stands for a chapter
        where the catalogue has none).
    theirs: what :func:`official_side` returns.
    groups: the catalogue: group_id, layer, and mdc, adrg where it has chapters (CHS-DRG).
    scores: our score of each group (1/10,000); without it scores are not compared. A column ``ours_score_e4`` takes
        its place, where a group's score changes within the year.

    A group's chapter and ADRG are those of the catalogue; of an official code that it does not have, those of the
    official row, else the first character and the first three (the way CHS-DRG codes are made).
    """
    for name, side in (("ours", ours), ("theirs", theirs)):
        if side["setl_id"].n_unique() != side.height or side["setl_id"].null_count():
            raise ConservationError(f"a settlement occurs twice or has no key on the side of {name}")
    chaptered = "mdc" in groups.columns
    joined = (
        ours.select(
            "setl_id",
            pl.col("group_id").alias("ours"),
            "reason",
            "chapter",
            pl.lit(1).alias("_in_ours"),
            *(name for name in ours.columns if name == "ours_score_e4"),
        )
        .join(
            theirs.rename({"group_id": "theirs"}).with_columns(pl.lit(1).alias("_in_theirs")),
            on="setl_id",
            how="full",
            coalesce=True,
            maintain_order="left_right",
        )
        .with_columns(*_place(groups, "ours", chaptered), *_place(groups, "theirs", chaptered))
    )
    by_group = pl.col("ours").replace_strict(dict(scores or {}), default=None, return_dtype=pl.Int64)
    own = pl.col("ours_score_e4") if "ours_score_e4" in ours.columns else by_group
    joined = joined.with_columns(own.alias("ours_score_e4"))
    cases = joined.select(
        "setl_id",
        _kind(chaptered).alias("kind"),
        "ours",
        "theirs",
        "reason",
        "message",
        "diagnosis",
        "operation",
        "ours_score_e4",
        pl.col("score_e4").alias("theirs_score_e4"),
        (pl.coalesce("_theirs_mdc", "_ours_mdc") if chaptered else pl.col("chapter")).alias("chapter"),
        pl.coalesce("_ours_layer", "_theirs_layer").alias("layer"),
    )
    if (
        cases.height
        != ours.height + theirs.filter(~pl.col("setl_id").is_in(ours["setl_id"].implode())).height
    ):
        raise ConservationError("settlements were lost or made while the two sides were joined")
    patterns = _patterns(cases)
    key = ["kind", "theirs", "ours", "reason"]
    numbered = cases.join(
        patterns.select(*key, "pattern"), on=key, how="left", nulls_equal=True, maintain_order="left"
    )
    return Compared(numbered, patterns)


def _place(groups: pl.DataFrame, side: str, chaptered: bool) -> list[pl.Expr]:
    """Return the layer and, where there are chapters, the chapter and ADRG of a side's group."""

    def of_catalog(column: str) -> pl.Expr:
        return pl.col(side).replace_strict(
            groups["group_id"], groups[column].cast(pl.String), default=None, return_dtype=pl.String
        )

    out = [of_catalog("layer").alias(f"_{side}_layer")]
    if not chaptered:
        return out
    given = {"mdc": pl.col("mdc"), "adrg": pl.col("adrg")} if side == "theirs" else {}
    for column, length in (("mdc", 1), ("adrg", 3)):
        texts = [of_catalog(column), *([given[column]] if column in given else [])]
        found = pl.coalesce(*texts, pl.col(side).str.slice(0, length))
        if column == "mdc":
            found = found.str.strip_prefix(_CHAPTER_PREFIX)
        out.append(pl.when(pl.col(side).is_not_null()).then(found).alias(f"_{side}_{column}"))
    return out


def _kind(chaptered: bool) -> pl.Expr:
    """Return the kind of each joined row."""
    ours, theirs = pl.col("ours"), pl.col("theirs")
    other_score = (pl.col("ours_score_e4") != pl.col("score_e4")).fill_null(False)
    same = pl.when(other_score).then(pl.lit("other_score")).otherwise(pl.lit(AGREE))
    kind = (
        pl.when(pl.col("_in_theirs").is_null())
        .then(pl.lit("not_in_official"))
        .when(pl.col("_in_ours").is_null())
        .then(pl.lit("not_in_stays"))
        .when(ours.is_null() & theirs.is_null())
        .then(pl.lit(AGREE))
        .when(theirs.is_null())
        .then(pl.lit("only_ours"))
        .when(ours.is_null())
        .then(pl.lit("only_theirs"))
        .when(ours == theirs)
        .then(same)
    )
    if chaptered:
        kind = (
            kind.when(pl.col("_ours_mdc") != pl.col("_theirs_mdc"))
            .then(pl.lit("other_chapter"))
            .when(pl.col("_ours_adrg") != pl.col("_theirs_adrg"))
            .then(pl.lit("other_adrg"))
        )
    return kind.otherwise(pl.lit("other_level" if chaptered else "other_group")).cast(pl.Enum(KINDS))


def _patterns(cases: pl.DataFrame) -> pl.DataFrame:
    """Return official group -> our group with the number of cases, the most frequent first."""
    key = ["kind", "theirs", "ours", "reason"]
    return (
        cases.filter(pl.col("kind").is_in(DIFFERENCES))
        .group_by(key)
        .agg(pl.len().cast(pl.Int64).alias("cases"))
        .sort("cases", *key, descending=[True, False, False, False, False], nulls_last=True)
        .with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("pattern"))
    )


def _number(condition: pl.Expr, name: str) -> pl.Expr:
    return condition.sum().cast(pl.Int64).alias(name)


def _kind_counts() -> list[pl.Expr]:
    differ = pl.col("kind").is_in(DIFFERENCES)
    return [
        pl.len().cast(pl.Int64).alias("cases"),
        _number(pl.col("kind") == AGREE, AGREE),
        _number(differ, "differ"),
        *(_number(pl.col("kind") == kind, kind) for kind in DIFFERENCES),
    ]


def _counted(counts: pl.DataFrame) -> pl.DataFrame:
    """Put the share of agreement (1/10,000, half up) behind the counts that it is made of."""
    share = ratio_half_up(pl.col(AGREE) * SCALE, pl.col("cases")).alias("agreement_e4")
    at = counts.columns.index("differ") + 1
    return counts.select(*counts.columns[:at], share, *counts.columns[at:])
