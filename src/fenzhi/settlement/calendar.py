"""When the year must be cleared, and which part of its payments the clearing is. docs/rules.md, section 6."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from fenzhi.policy.values import Settlement


def legal_date(policy: Settlement, year: int) -> date:
    """Return the day by which the clearing of a year must be paid; the last of the month if it is shorter."""
    month, day = (int(part) for part in policy.clear_by.split("-"))
    while True:
        try:
            return date(year + 1, month, day)
        except ValueError:
            day -= 1


def clearing_facts(hospitals: pl.DataFrame, policy: Settlement, year: int) -> dict[str, Any]:
    """Return what the clearing pays and takes back, the year's payments, its share of them, and the legal date.

    ``hospitals``: clearing_fen, final_fen, forfeited_fen of the result table. The share is a figure to look at: what
    the clearing pays / what the year pays, None if that is nothing.
    """
    clearing = hospitals["clearing_fen"]
    pays, returns = int(clearing.clip(lower_bound=0).sum()), int(-clearing.clip(upper_bound=0).sum())
    year_fen = int((hospitals["final_fen"] - hospitals["forfeited_fen"]).sum())
    return {
        "pays_fen": pays,
        "returns_fen": returns,
        "year_fen": year_fen,
        "share": pays / year_fen if year_fen > 0 else None,
        "due_date": legal_date(policy, year).isoformat(),
    }
