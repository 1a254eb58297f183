"""The files of special review: applications, decisions and the history of both. Every cell is checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fenzhi.errors import RegionError
from fenzhi.money import to_e4, yuan_to_fen
from fenzhi.region.tables import read_cells, require_once

APPLICATIONS = "special_review.csv"
DECISIONS = "review_decisions.csv"
HISTORY = "review_history.csv"
DECISION_COLUMNS = ("setl_id", "outcome", "value", "decided_by", "decided_at", "why")
HISTORY_COLUMNS = ("setl_id", "state", "at", "who", "why")
OUTCOMES = ("fee_for_service", "adjusted_standard", "coefficient", "expert_points", "refused")
STATES = (
    *("applied", "eligible", "not_eligible", "over_quota"),
    *("decided", "appealed", "settled"),
)
_YUAN = re.compile(r"[0-9]{1,11}(\.[0-9]{1,2})?")
_NUMBER = re.compile(r"[0-9]{1,8}(\.[0-9]{1,4})?")
# Outcome -> column of its value, None where it has none.
VALUES: dict[str, str | None] = {
    "fee_for_service": None,
    "adjusted_standard": "standard_fen",
    "coefficient": "review_e4",
    "expert_points": "review_e4",
    "refused": None,
}


def _wrong(message: str, path: Path, row: int, field: str, value: object, remedy: str) -> RegionError:
    return RegionError(
        message, code="REVIEW_CELL", file=path, row=row, field=field, value=value, remedy=remedy
    )


def _require_cells(frame: pl.DataFrame, path: Path, *names: str) -> None:
    for name in names:
        blank = frame[name].is_null().arg_true()
        if blank.len():
            raise _wrong("this cell is empty", path, int(blank[0]) + 1, name, None, "fill it in")


def _require_dates(frame: pl.DataFrame, path: Path, name: str) -> None:
    for row, text in enumerate(frame[name], start=1):
        try:
            date.fromisoformat(text)
        except ValueError as error:
            raise _wrong("this is no day", path, row, name, text, "write it as 2027-01-31") from error


def _listed(name: str) -> pl.Expr:
    """Return the parts of a cell that holds a list joined by ``;``, an empty list for an empty cell."""
    parts = pl.col(name).fill_null("").str.split(";").list.eval(pl.element().str.strip_chars())
    return parts.list.eval(pl.element().filter(pl.element() != "")).alias(name)


def _numbers(frame: pl.DataFrame, path: Path, name: str, convert: Callable[[str], int]) -> pl.Series:
    out: list[int | None] = []
    for row, text in enumerate(frame[name], start=1):
        if text is not None and not _NUMBER.fullmatch(text):
            raise _wrong("this is no number", path, row, name, text, "digits, at most four decimals")
        out.append(None if text is None else convert(text))
    return pl.Series(name, out, dtype=pl.Int64)


def read_applications(path: Path | None) -> pl.DataFrame:
    """Read special_review.csv: setl_id, applied_at (a day), reason, icu_hours_e4, items, departments.

    ``items`` and ``departments`` are lists joined by ``;``. A stay applies once. Empty without a file.
    """
    schema: dict[str, Any] = dict.fromkeys(("setl_id", "applied_at", "reason"), pl.String)
    schema |= {"icu_hours_e4": pl.Int64, "items": pl.List(pl.String), "departments": pl.List(pl.String)}
    if path is None:
        return pl.DataFrame(schema=schema)
    needed = ("setl_id", "applied_at", "reason")
    frame = read_cells(path, needed, ("icu_hours", "items", "departments"))
    _require_cells(frame, path, *needed)
    _require_dates(frame, path, "applied_at")
    require_once(frame, path, "setl_id", "stay")
    hours = _numbers(frame, path, "icu_hours", to_e4)
    return frame.select(*needed, hours.alias("icu_hours_e4"), _listed("items"), _listed("departments"))


def _value(path: Path, row: int, outcome: str, text: str | None) -> int | None:
    """Return the value of a decision at its scale; what does not fit the outcome is an error."""
    if VALUES[outcome] is None:
        if text is not None:
            raise _wrong(f"the outcome {outcome} has no value", path, row, "value", text, "leave it empty")
        return None
    money = outcome == "adjusted_standard"
    if text is None or not (_YUAN if money else _NUMBER).fullmatch(text):
        remedy = "yuan with at most two decimals" if money else "a number with at most four decimals"
        raise _wrong(f"the outcome {outcome} needs a value", path, row, "value", text, remedy)
    return yuan_to_fen(text) if money else to_e4(text)


def read_decisions(path: Path | None) -> pl.DataFrame:
    """Read decisions: setl_id, review (the outcome), standard_fen, review_e4, decided_by, decided_at, why, source_row.

    Rows stay in the order of the file; the last one of a stay holds (:func:`latest`). Empty without a file.
    """
    schema: dict[str, Any] = {"setl_id": pl.String, "review": pl.String, "value": pl.String}
    schema |= {"standard_fen": pl.Int64, "review_e4": pl.Int64}
    schema |= dict.fromkeys(("decided_by", "decided_at", "why"), pl.String) | {"source_row": pl.Int64}
    if path is None:
        return pl.DataFrame(schema=schema)
    frame = read_cells(path, DECISION_COLUMNS)
    _require_cells(frame, path, "setl_id", "outcome", "decided_by", "decided_at", "why")
    _require_dates(frame, path, "decided_at")
    rows = []
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        outcome = row.pop("outcome")
        if outcome not in VALUES:
            raise _wrong(
                "there is no such outcome",
                path,
                number,
                "outcome",
                outcome,
                f"use one of: {', '.join(VALUES)}",
            )
        found = _value(path, number, outcome, row["value"])
        at = VALUES[outcome]
        rows.append(row | {"review": outcome, "source_row": number} | ({at: found} if at else {}))
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def latest(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the last decision of every stay, in the order of the file."""
    return decisions.unique("setl_id", keep="last", maintain_order=True)


def read_review_history(path: Path | None) -> pl.DataFrame:
    """Read the history of applications: setl_id, state, at, who, why. Empty without a file."""
    if path is None:
        return pl.DataFrame(schema=dict.fromkeys(HISTORY_COLUMNS, pl.String))
    frame = read_cells(path, HISTORY_COLUMNS)
    _require_cells(frame, path, *HISTORY_COLUMNS)
    _require_dates(frame, path, "at")
    for row, state in enumerate(frame["state"], start=1):
        if state not in STATES:
            raise _wrong(
                "there is no such state", path, row, "state", state, f"use one of: {', '.join(STATES)}"
            )
    return frame
