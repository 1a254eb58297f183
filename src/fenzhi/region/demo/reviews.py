"""Special review in the demo region: who applied, and what was decided of a part of them. A sample."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from fenzhi.region.demo.dirt import paid
from fenzhi.region.demo.hospitals import AREA
from fenzhi.region.demo.tracks import PRICES

# The sample's rules, which policy.toml states.
QUOTA_PERMILLE, LONG_DAYS, COST_MULTIPLE = 4, 30, 2
# Who applies: of the long stays, and of the dearest so many per mille of all; those are not all eligible.
LONG_PERCENT, DEAR_PERMILLE = 90, 2
# Of the quota so much is approved, and half as many are refused; the others wait.
APPROVED_PERCENT = 40
_WHO = "医保经办机构专家组"
_OUTCOMES = ("fee_for_service", "adjusted_standard", "coefficient", "expert_points")
_WHY = {
    "fee_for_service": "病情危重,费用合理,按项目付费",
    "adjusted_standard": "部分费用合理,调整支付标准",
    "coefficient": "住院时间确需延长,给予系数",
    "expert_points": "专家组评定分值",
    "refused": "延长住院依据不足",
}


@dataclass(frozen=True)
class Reviews:
    """The tables special_review.csv and review_decisions.csv."""

    applications: pl.DataFrame
    decisions: pl.DataFrame


def _candidates(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the stays that by-disease payment can take, with how many are alike: same diagnosis, same operations."""
    listed = [diagnosis for diagnosis, *_ in PRICES]
    local = paid(frame).filter(
        (pl.col("insu_admdvs") == AREA) & pl.col("insutype").is_not_null() & (pl.col("med_type") != "2105")
    )
    # A price list may take these at small hospitals, and special review is for by-disease payment only.
    local = local.filter(
        ~pl.any_horizontal(pl.col("diag_codes").list.first().str.starts_with(d) for d in listed)
    )
    return local.select(
        "setl_id",
        (pl.col("medfee_sumamt") * 100).cast(pl.Int64).alias("fen"),
        (pl.col("act_ipt_days") > LONG_DAYS).fill_null(False).alias("long"),
        pl.col("dscg_time").dt.date().alias("left"),
        pl.len().over(pl.col("diag_codes").list.first(), "oprn_codes").alias("alike"),
    ).sort("setl_id")


def _value(outcome: str, fen: int, mean_fen: int, rng: np.random.Generator) -> str | None:
    percent = int(rng.integers(80, 100))
    if outcome == "adjusted_standard":
        yuan, rest = divmod(fen * percent // 100, 100)
        return f"{yuan}.{rest:02d}"
    if outcome == "coefficient":
        return f"1.{percent}"
    return str(fen * percent * 10 // mean_fen) if outcome == "expert_points" else None


def make_reviews(frame: pl.DataFrame, year: int, rng: np.random.Generator) -> Reviews:
    """Draw applications and decisions for a soiled year of settlement.

    Approved are long stays only, which are eligible whatever their group: it is not known yet.
    """
    stays = _candidates(frame)
    quota = stays.height * QUOTA_PERMILLE // 1000
    dear = stays["fen"].rank("ordinal", descending=True) <= stays.height * DEAR_PERMILLE // 1000
    drawn = pl.Series(rng.integers(0, 100, stays.height)) < LONG_PERCENT
    days = pl.Series(rng.integers(3, 30, stays.height))
    applied = stays.with_columns(
        (pl.col("left") + pl.duration(days=pl.lit(days))).dt.to_string("%Y-%m-%d").alias("applied_at"),
        pl.when("long").then(pl.lit("住院时间长")).otherwise(pl.lit("费用高")).alias("reason"),
    ).filter((stays["long"] & drawn) | dear)
    approved = quota * APPROVED_PERCENT // 100
    order = applied.filter("long")
    order = order[rng.permutation(order.height).tolist()].head(approved + approved // 2)
    return Reviews(
        applied.select("setl_id", "applied_at", "reason"), _decisions(order, approved, stays, year, rng)
    )


def _decisions(
    order: pl.DataFrame, approved: int, stays: pl.DataFrame, year: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Decide on the stays in their order: the first ``approved`` are approved, the others refused."""
    mean_fen = int(stays["fen"].sum()) // stays.height
    # A coefficient needs a group with a weight: it goes to stays of which there are many alike.
    alike = order.head(approved)["alike"].rank("ordinal", descending=True).to_list()
    rows = []
    for at, stay in enumerate(order.iter_rows(named=True)):
        outcome = "refused"
        if at < approved:
            common = alike[at] <= approved // len(_OUTCOMES)
            others = [one for one in _OUTCOMES if one != "coefficient"]
            outcome = "coefficient" if common else others[at % len(others)]
        rows.append(
            {
                "setl_id": stay["setl_id"],
                "outcome": outcome,
                "value": _value(outcome, stay["fen"], mean_fen, rng),
                "decided_by": _WHO,
                "decided_at": date(year + 1, 1, 1 + at % 28).isoformat(),
                "why": _WHY[outcome],
            }
        )
    names = ("setl_id", "outcome", "value", "decided_by", "decided_at", "why")
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))
