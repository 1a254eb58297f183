"""What the pages need from the cases, added up once for all hospitals together."""

from __future__ import annotations

from dataclasses import dataclass, fields
from fractions import Fraction

import polars as pl

from fenzhi.money import SCALE, round_half_up
from fenzhi.reports.tables import RunTables

#: Outcomes in the order in which a statement lists them.
OUTCOMES = ("grouped", "comprehensive", "ungrouped", "bed_day", "excluded", "other_track", "rejected")
PAID = ("grouped", "comprehensive", "ungrouped", "bed_day")
#: Deviation bands known by name come in this order, other names after them; "none" means not tested.
BANDS = ("low", "normal", "high", "extreme", "unstable", "incomplete")
NOT_TESTED = "none"
HOSPITAL = "fixmedins_code"
SUMS = ("cost_fen", "points_e4", "payable_fen", "booked_fen")


@dataclass(frozen=True)
class Facts:
    """Sums over the cases. A *paid* case is insured, in a pool, and has points.

    paid: fixmedins_code, pool, cases and the sums of cost, points, payable, booked.
    outcomes: fixmedins_code, outcome, reason (null if none), rows, paid; rejected rows included.
    deviation: fixmedins_code, deviation (``none`` = not tested), cases, points_e4, payable_fen; paid cases.
    groups: fixmedins_code, group_id (null = no group), name, cases, the sums, balance_fen; paid cases.
    chapters: fixmedins_code, mdc and layer (null = no group), outcome, cases, weighted (cases with a weight), rw_e4
    (sum of their weights), the sums; paid cases.
    readmitted: fixmedins_code, cases, points_e4, payable_fen; paid cases that follow another one too soon.
    departments: fixmedins_code, dscg_caty (null = not stated), cases, the sums, balance_fen; paid cases.
    monthly: fixmedins_code, pool, month, kind (one of ``steps.KINDS``), deviation, review (null = none), cases,
    weighted, rw_e4, the sums; paid cases.
    """

    paid: pl.DataFrame
    outcomes: pl.DataFrame
    deviation: pl.DataFrame
    groups: pl.DataFrame
    chapters: pl.DataFrame
    readmitted: pl.DataFrame
    departments: pl.DataFrame
    monthly: pl.DataFrame

    def frames(self) -> list[pl.DataFrame]:
        """Return the frames in their order; each has the column fixmedins_code."""
        return [getattr(self, field.name) for field in fields(self)]

    def of(self, code: str) -> Facts:
        """Return the facts of one hospital."""
        return Facts(*(frame.filter(pl.col(HOSPITAL) == code) for frame in self.frames()))

    def by_hospital(self) -> dict[str, Facts]:
        """Return the facts of every hospital that has any row; splits each frame once."""
        frames = self.frames()
        parts = [
            {key[0]: part for key, part in frame.partition_by(HOSPITAL, as_dict=True).items()}
            for frame in frames
        ]
        empty = [frame.clear() for frame in frames]
        codes = [code for code in set().union(*parts) if code is not None]
        return {
            code: Facts(*(part.get(code, none) for part, none in zip(parts, empty, strict=True)))
            for code in codes
        }


def _kind(tables: RunTables) -> pl.Expr:
    """Return the kind of a paid stay, as the settlement adds up the points of a hospital."""
    flat = tables.groups.filter(pl.col("grassroots").fill_null(False))["group_id"].to_list()
    grouped = pl.col("outcome") == "grouped"
    return (
        pl.when(grouped & pl.col("group_id").is_in(flat))
        .then(pl.lit("grassroots"))
        .when(grouped & pl.col("layer").eq_missing("tcm"))
        .then(pl.lit("tcm"))
        .when(grouped)
        .then(pl.lit("core"))
        .otherwise("outcome")
        .alias("kind")
    )


def gather(tables: RunTables, only: str | None = None) -> Facts:
    """Add up the cases of all hospitals, or of ``only`` one, in one pass over the file (sums that share one scan)."""
    is_paid = pl.col("pool").is_not_null() & pl.col("points_e4").is_not_null() & pl.col("outcome").is_in(PAID)
    cases = tables.cases if only is None else tables.cases.filter(pl.col(HOSPITAL) == only)
    paid = cases.filter(is_paid)
    # A grouped stay needs no reason; whatever its reason column holds must not split the line.
    reason = pl.when(~pl.col("outcome").is_in(["grouped", "comprehensive"])).then("reason").alias("reason")
    sums = [pl.col(name).sum() for name in SUMS]
    count = pl.len().cast(pl.Int64)
    in_group = pl.col("outcome").is_in(["grouped", "comprehensive"])
    kind = [pl.when(in_group).then(name).alias(name) for name in ("mdc", "layer")]
    weights = [pl.col("rw_e4").count().cast(pl.Int64).alias("weighted"), pl.col("rw_e4").sum()]
    band = pl.col("deviation").fill_null(NOT_TESTED)
    by_pool, outcomes, deviation, groups, chapters, readmitted, departments, monthly, known = pl.collect_all(
        [
            paid.group_by(HOSPITAL, "pool").agg(count.alias("cases"), *sums),
            cases.group_by(HOSPITAL, "outcome", reason).agg(
                count.alias("rows"), is_paid.sum().cast(pl.Int64).alias("paid")
            ),
            paid.group_by(HOSPITAL, band).agg(
                count.alias("cases"), pl.col("points_e4").sum(), pl.col("payable_fen").sum()
            ),
            paid.group_by(HOSPITAL, "group_id").agg(count.alias("cases"), *sums),
            paid.group_by(HOSPITAL, *kind, "outcome").agg(count.alias("cases"), *weights, *sums),
            paid.filter(pl.col("readmitted_days").is_not_null())
            .group_by(HOSPITAL)
            .agg(count.alias("cases"), pl.col("points_e4").sum(), pl.col("payable_fen").sum()),
            paid.group_by(HOSPITAL, "dscg_caty").agg(count.alias("cases"), *sums),
            paid.group_by(HOSPITAL, "pool", "month", _kind(tables), band, "review").agg(
                count.alias("cases"), *weights, *sums
            ),
            cases.filter(pl.col("outcome") == "rejected").select("source_file", "source_row"),
        ]
    )
    names = tables.groups.select("group_id", "name").unique("group_id")
    balance = pl.col("payable_fen") - pl.col("booked_fen")
    return Facts(
        paid=by_pool,
        outcomes=_sorted(pl.concat([outcomes, _rejected_apart(tables, known, only)]), "outcome"),
        deviation=_sorted(deviation, "deviation"),
        groups=groups.join(names, on="group_id", how="left")
        .with_columns(balance.alias("balance_fen"))
        .sort(HOSPITAL, "balance_fen", "group_id", descending=[False, True, False]),
        chapters=chapters.sort(HOSPITAL, "mdc", "layer", "outcome", nulls_last=True),
        readmitted=readmitted.sort(HOSPITAL),
        departments=departments.with_columns(balance.alias("balance_fen")).sort(
            HOSPITAL, "dscg_caty", nulls_last=True
        ),
        monthly=monthly.sort(HOSPITAL, "pool", "month", "kind", "deviation", "review", nulls_last=True),
    )


def _rejected_apart(tables: RunTables, known: pl.DataFrame, only: str | None) -> pl.DataFrame:
    """Return rejected rows that the case table does not hold, each once, its first rule as reason."""
    return (
        tables.rejected.filter(
            pl.col("severity") == "error", pl.lit(True) if only is None else pl.col(HOSPITAL) == only
        )
        .join(known, on=["source_file", "source_row"], how="anti")
        .unique(["source_file", "source_row"], keep="first", maintain_order=True)
        .group_by(HOSPITAL, pl.lit("rejected").alias("outcome"), pl.col("rule").alias("reason"))
        .agg(pl.len().cast(pl.Int64).alias("rows"), pl.lit(0, pl.Int64).alias("paid"))
    )


def _rank(column: str) -> pl.Expr:
    """Return the place of an outcome or a band in its usual order; unknown names after the known."""
    order = [*OUTCOMES] if column == "outcome" else [*BANDS]
    unknown = len(order) + (pl.col(column) == NOT_TESTED).cast(pl.Int32)
    return pl.col(column).replace_strict(order, range(len(order)), default=unknown, return_dtype=pl.Int32)


def _sorted(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame.sort(HOSPITAL, _rank(column), column, *[c for c in ("reason",) if c in frame.columns])


def region_bands(tables: RunTables) -> pl.DataFrame:
    """Return the bands of all hospitals as :func:`by_band`, from the few columns that say them."""
    paid = pl.col("pool").is_not_null() & pl.col("points_e4").is_not_null() & pl.col("outcome").is_in(PAID)
    counted = tables.cases.filter(paid).group_by(pl.col("deviation").fill_null(NOT_TESTED)).len("cases")
    return by_band(counted.with_columns(pl.col("cases").cast(pl.Int64)).collect())


def by_band(deviation: pl.DataFrame) -> pl.DataFrame:
    """Return deviation, cases: paid cases of all hospitals by band, in the order of the bands."""
    return deviation.group_by("deviation").agg(pl.col("cases").sum()).sort(_rank("deviation"), "deviation")


def by_level(tables: RunTables, deviation: pl.DataFrame) -> pl.DataFrame:
    """Return level, deviation, cases: paid cases by hospital level and band."""
    levels = tables.hospitals.select(HOSPITAL, "level").unique(HOSPITAL, keep="first", maintain_order=True)
    out = (
        deviation.join(levels, on=HOSPITAL, how="left")
        .group_by("level", "deviation")
        .agg(pl.col("cases").sum())
    )
    return out.sort(pl.col("level"), "deviation", descending=[True, False], nulls_last=True)


def hospital_totals(tables: RunTables) -> pl.DataFrame:
    """Return one row per hospital over its pools: code, name, level, type, cases, points, the money columns.

    Sorted by level (highest first), payable (largest first), code.
    """
    money = (
        "booked",
        "gross",
        "assessed",
        "deduction",
        "payable",
        "balance",
        "working_capital",
        "advance",
        "clearing",
        *(name for name in ("shared", "quarter", "deposit") if f"{name}_fen" in tables.hospitals.columns),
    )
    sums = [pl.col(name).sum() for name in ("cases", "cost_fen", "points_e4", *(f"{m}_fen" for m in money))]
    about = [pl.col(name).first() for name in ("fixmedins_name", "level", "type")]
    return (
        tables.hospitals.group_by(HOSPITAL, maintain_order=True)
        .agg(*about, *sums)
        .sort("level", "payable_fen", HOSPITAL, descending=[True, True, False], nulls_last=True)
    )


def grouping_rate(chapters: pl.DataFrame) -> int | None:
    """Return the share of grouped stays among paid ones without bed-day stays, in hundredths of a per cent."""
    tried = chapters.filter(pl.col("outcome") != "bed_day")
    cases = int(tried["cases"].sum())
    if not cases:
        return None
    return round_half_up(
        Fraction(SCALE * int(tried.filter(pl.col("outcome") != "ungrouped")["cases"].sum()), cases)
    )


def case_mix(chapters: pl.DataFrame, scale: int) -> int | None:
    """Return the mean weight of the stays that have one, by the weight ``scale`` of the policy, at 1/10,000."""
    weighted = int(chapters["weighted"].sum())
    return round_half_up(Fraction(int(chapters["rw_e4"].sum()), weighted * scale)) if weighted else None
