"""Refunds: negative rows cancel or reduce the settlement with the same ``setl_id``.

Order of work inside one ``setl_id``: (1) a refund and a settlement of exactly opposite amounts leave together
(``refunded``), so a corrected settlement beside them stays whole; (2) what refunds remain are taken off the
first settlement that remains: more than zero and it goes on with the net amounts (the refunds are listed as
``refund_netted``), zero and all leave, less than zero and all are rejected; (3) a refund alone is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import Bools

COST = "medfee_sumamt_fen"
REFUND_RULES = ("refund_without_original", "refund_exceeds_original")


@dataclass(frozen=True)
class Netting:
    """The frame with net amounts, who leaves (``netted``: row_idx, reason), who is rejected (``findings``).

    ``leaving`` is one Boolean per row; ``findings`` has row_idx, rule, field, value.
    """

    frame: pl.DataFrame
    leaving: Bools
    netted: pl.DataFrame
    findings: pl.DataFrame


_NETTED = {"row_idx": pl.UInt32, "reason": pl.String}
_FINDINGS = {"row_idx": pl.UInt32, "rule": pl.String, "field": pl.String, "value": pl.String}


def net_refunds(frame: pl.DataFrame) -> Netting:
    """Net the refunds of a typed frame whose ``row_idx`` is its position. Conserves rows and money."""
    leaving = np.zeros(frame.height, dtype=np.bool_)
    nothing = Netting(frame, leaving, pl.DataFrame(schema=_NETTED), pl.DataFrame(schema=_FINDINGS))
    if COST not in frame.columns:
        return nothing
    negative = frame[COST] < 0
    if not negative.any():
        return nothing
    keys = frame["setl_id"].filter(negative).unique()
    amounts = [
        n for n, t in frame.schema.items() if n.endswith("_fen") and t == pl.Int64 and n != "_items_fen"
    ]
    rows = frame.select("row_idx", "setl_id", *amounts).filter(
        pl.col("setl_id").is_in(keys.drop_nulls().implode()) & (pl.col(COST) != 0) | (pl.col(COST) < 0)
    )
    rows = rows.with_columns((pl.col(COST) < 0).alias("refund"))
    paired = _pairs(rows)
    rest = rows.join(paired, on="row_idx", how="anti")
    verdict = _verdicts(rest)
    refunded = pl.concat([paired, verdict.filter(pl.col("verdict") == "refunded").select("row_idx")])
    netted = pl.concat(
        [
            refunded.select("row_idx", pl.lit("refunded").alias("reason")),
            verdict.filter(pl.col("verdict") == "refund_netted").select(
                "row_idx", pl.col("verdict").alias("reason")
            ),
        ]
    ).sort("row_idx")
    findings = verdict.filter(pl.col("verdict").is_in(REFUND_RULES)).select(
        "row_idx",
        pl.col("verdict").alias("rule"),
        pl.lit("medfee_sumamt").alias("field"),
        yuan_text(pl.col(COST)).alias("value"),
    )
    leaving[netted["row_idx"].to_numpy()] = True
    net = _net_amounts(rest, verdict, amounts)
    if net.height:
        frame = frame.with_columns(frame[name].scatter(net["row_idx"], net[name]) for name in amounts)
    return Netting(frame, leaving, netted, findings.sort("row_idx"))


def _pairs(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the row_idx of refunds and settlements of opposite amounts, paired in order."""
    rows = rows.filter(pl.col("setl_id").is_not_null()).with_columns(
        pl.col(COST).abs().alias("size"),
        pl.col("row_idx").rank("ordinal").over("setl_id", COST).alias("turn"),
    )
    both = rows.filter("refund").join(rows.filter(~pl.col("refund")), on=["setl_id", "size", "turn"])
    return pl.concat([both.select("row_idx"), both.select(pl.col("row_idx_right").alias("row_idx"))])


def _verdicts(rest: pl.DataFrame) -> pl.DataFrame:
    """Return row_idx, verdict and amount of what the pairs left: refunds and the settlements they touch."""
    key = "setl_id"
    first = pl.col("row_idx").filter(~pl.col("refund")).min().over(key)
    owed = pl.col(COST).filter(pl.col("refund")).sum().over(key)
    cost = pl.col(COST).filter(pl.col("row_idx") == first).sum().over(key)
    rest = rest.with_columns(
        pl.when(pl.col(key).is_not_null()).then(first).alias("first"),
        (cost + owed).alias("net"),
        pl.col("refund").any().over(key).alias("touched"),
    ).filter(pl.col("touched") & (pl.col("refund") | (pl.col("row_idx") == pl.col("first"))))
    alone, net = pl.col("first").is_null(), pl.col("net")
    verdict = (
        pl.when(alone)
        .then(pl.lit("refund_without_original"))
        .when(net < 0)
        .then(pl.lit("refund_exceeds_original"))
        .when(net == 0)
        .then(pl.lit("refunded"))
        .when("refund")
        .then(pl.lit("refund_netted"))
        .otherwise(pl.lit("continues"))
    )
    return rest.select("row_idx", key, COST, "first", verdict.alias("verdict"))


def _net_amounts(rest: pl.DataFrame, verdict: pl.DataFrame, amounts: list[str]) -> pl.DataFrame:
    """Return row_idx and net amounts of the settlements that go on; null stays null if all parts are."""
    parts = rest.join(
        verdict.filter(pl.col("verdict").is_in(["refund_netted", "continues"])).select("row_idx", "first"),
        on="row_idx",
    )
    known = {name: pl.col(name).is_not_null().any() for name in amounts}
    return (
        parts.group_by(pl.col("first").alias("row_idx"))
        .agg(pl.when(known[name]).then(pl.col(name).sum()).alias(name) for name in amounts)
        .sort("row_idx")
    )


def yuan_text(fen: pl.Expr) -> pl.Expr:
    """Return fen as text in yuan with two decimals."""
    size = fen.abs()
    sign = pl.when(fen < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.format("{}{}.{}", sign, size // 100, (size % 100).cast(pl.String).str.zfill(2))
