"""Money of the demo stays: cost structure and who pays, as int64 fen.

Deductibles and shares by level follow a common pattern (residents 90 / 80 / 65 %, employees 95 / 90 / 85 %);
all shares of the cost structure are our own rough guesses. Parts are rounded down and the rest goes to one
named part, so items and payers always add up to the total.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fenzhi.arrays import MISSING, Bools, Int64s

ITEMS = (
    "drug_fee",
    "matl_fee",
    "exam_fee",
    "treat_fee",
    "oprn_fee",
    "tcm_treat_fee",
    "tcmpat_fee",
    "tcmherb_fee",
)
MONEY = (
    "medfee_sumamt",
    *ITEMS,
    "oth_fee",
    "inscp_amt",
    "hifp_pay",
    "fund_pay_sumamt",
    "psn_pay_sumamt",
    "psn_selfpay",
    "psn_ownpay",
    "acct_pay",
    "othfund_pay",
    "excl_pay_sumamt",
)
# Shares of ITEMS by kind of stay; what is left is oth_fee.
_SHARES = np.array(
    [
        [0.33, 0.05, 0.31, 0.22, 0.0, 0.01, 0.03, 0.0],  # conservative
        [0.19, 0.24, 0.19, 0.13, 0.18, 0.0, 0.02, 0.0],  # operated
        [0.15, 0.04, 0.19, 0.13, 0.0, 0.26, 0.09, 0.09],  # conservative, TCM
        [0.13, 0.21, 0.16, 0.10, 0.14, 0.11, 0.06, 0.04],  # operated, TCM
    ]
)
# By insurance (resident, employee) and level 3, 2, 1: deductible in yuan, percent paid by the pooled fund.
_DEDUCTIBLE = np.array([[600, 400, 100], [800, 500, 200]])
_PERCENT = np.array([[65, 80, 90], [85, 90, 95]])
AWAY_PERCENT = 10
CAP_YUAN = 150_000

RESIDENT, EMPLOYEE, SELF_PAYING = 0, 1, 2


@dataclass(frozen=True)
class Payer:
    """Per stay: insurance (RESIDENT, EMPLOYEE, SELF_PAYING) and whether insured in another area."""

    insurance: Int64s
    away: Bools


def split_items(total: Int64s, operated: Bools, tcm: Bools, rng: np.random.Generator) -> dict[str, Int64s]:
    """Split total costs (fen) into ITEMS and ``oth_fee``; the parts add up to the total."""
    shares = _SHARES[operated.astype(np.int64) + 2 * tcm] * rng.uniform(0.6, 1.4, (len(total), len(ITEMS)))
    limit = np.maximum(shares.sum(axis=1) / 0.98, 1.0)
    parts: Int64s = (shares / limit[:, None] * total[:, None]).astype(np.int64)
    items = {name: parts[:, at] for at, name in enumerate(ITEMS)}
    items["oth_fee"] = total - parts.sum(axis=1)
    return items


def split_operations(fees: Int64s, operations: Int64s) -> Int64s:
    """Split the operation fee (fen) over a stay's operations (stays x slots, -1 none), the main one first."""
    count = (operations != MISSING).sum(axis=1)
    other = np.where(count > 1, fees * 3 // 10, 0)
    result = np.zeros_like(operations)
    result[:, 1:] = np.where(
        operations[:, 1:] != MISSING, other[:, None] // np.maximum(count - 1, 1)[:, None], 0
    )
    result[:, 0] = fees - result[:, 1:].sum(axis=1)
    return result


def pay(
    total: Int64s, payer: Payer, level: Int64s, tumour: Bools, rng: np.random.Generator
) -> dict[str, Int64s]:
    """Return the payers' amounts in fen: pooled fund, other funds, patient; they add up to the total."""
    n = len(total)
    insured = payer.insurance != SELF_PAYING
    kind = np.where(payer.insurance == EMPLOYEE, 1, 0)
    own = (total * rng.uniform(0.03, 0.14, n)).astype(np.int64)
    own = np.where(insured, own, total)
    scope = total - own
    above = np.maximum(scope - _DEDUCTIBLE[kind, 3 - level] * 100, 0)
    percent = _PERCENT[kind, 3 - level] - AWAY_PERCENT * payer.away
    fund = np.minimum(above * percent // 100, CAP_YUAN * 100)
    rest = scope - fund
    helped = insured & (rng.random(n) < 0.05)
    other = np.where(helped, (rest * rng.uniform(0.2, 0.6, n)).astype(np.int64), 0)
    selfpay = rest - other
    account = np.where(payer.insurance == EMPLOYEE, (selfpay * rng.uniform(0, 0.8, n)).astype(np.int64), 0)
    apart = rng.random(n) < np.where(tumour, 0.06, 0.006)
    return {
        "inscp_amt": scope,
        "hifp_pay": fund,
        "fund_pay_sumamt": fund + other,
        "psn_pay_sumamt": selfpay + own,
        "psn_selfpay": selfpay,
        "psn_ownpay": own,
        "acct_pay": account,
        "othfund_pay": other,
        "excl_pay_sumamt": np.where(apart, (total * rng.uniform(0.05, 0.25, n)).astype(np.int64), 0),
    }
