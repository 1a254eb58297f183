"""Decisions that cannot hold are refused in words, with the row of their file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.policy.review import SpecialReview
from fenzhi.review.ranking import APPROVED


def _refused(code: str, message: str, row: dict[str, Any], file: str | Path, remedy: str) -> RegionError:
    return RegionError(
        message,
        code=code,
        file=file,
        row=row["source_row"],
        field="setl_id",
        value=row["setl_id"],
        remedy=remedy,
    )


def _require_possible(
    row: dict[str, Any], known: dict[str, Any], outcomes: Sequence[str], file: str | Path
) -> None:
    """Raise unless the policy has the outcome and the stay the figures that it needs."""
    outcome = row["review"]
    if outcome not in outcomes:
        remedy = f"decide one of: {', '.join(outcomes)}"
        raise _refused("REVIEW_OUTCOME", f"the policy knows no outcome {outcome}", row, file, remedy)
    if outcome not in APPROVED:
        return
    if not known["eligible"]:
        remedy = "refuse it, or correct the application"
        raise _refused(
            "REVIEW_NOT_ELIGIBLE", "this stay fulfils no criterion of special review", row, file, remedy
        )
    if outcome == "coefficient" and known["coefficient_e4"] is None:
        remedy = "decide expert_points or adjusted_standard"
        message = "this stay has no weight and coefficient to multiply"
        raise _refused("REVIEW_OUTCOME", message, row, file, remedy)
    if outcome == "adjusted_standard" and not known["opening_value_e4"]:
        message = "its pool has no opening point value, so a standard cannot become points"
        raise _refused("REVIEW_OUTCOME", message, row, file, "state opening_value of the pool")


def require_fitting(
    decisions: pl.DataFrame, listed: pl.DataFrame, rules: SpecialReview, file: str | Path
) -> None:
    """Raise :class:`RegionError` unless every decision can hold and no unit has more approvals than its quota.

    ``decisions``: setl_id, review, source_row, one row per stay. ``listed``: what
    :func:`fenzhi.review.ranked` returned for these decisions.
    """
    applied = {row["setl_id"]: row for row in listed.iter_rows(named=True)}
    outcomes = rules.outcomes
    used: dict[str, int] = {}
    for row in decisions.iter_rows(named=True):
        known = applied.get(row["setl_id"])
        if known is None:
            message = "nobody applied for special review of this stay"
            raise _refused(
                "REVIEW_UNKNOWN", message, row, file, "add it to special_review.csv, or correct it"
            )
        if known["fixmedins_code"] is None and row["review"] != "refused":
            message = "no stay of this year that by-disease payment took has this id"
            raise _refused("REVIEW_UNKNOWN", message, row, file, "correct the id, or refuse the application")
        _require_possible(row, known, outcomes, file)
        if row["review"] in APPROVED:
            used[known["unit"]] = used.get(known["unit"], 0) + 1
            if used[known["unit"]] > known["quota"]:
                message = f"this approval is over the quota of {known['quota']} ({known['unit']})"
                remedy = "refuse it, or take back another approval"
                raise _refused("REVIEW_QUOTA", message, row, file, remedy)
