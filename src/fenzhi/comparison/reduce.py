"""The smallest record that still gets the same answer, and the one change that would give another.

Every round makes all candidates of all records as one frame and groups it in one call, so thousands of
records cost a handful of calls. An *edit* changes one record: ``rec`` (row of the records), ``edit`` (its
kind), ``at`` (position of a code from 0), ``figure`` (name of a column).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import polars as pl

#: Groups a frame of stays: outcome, group_id, reason, one row per row in the same order.
Engine: TypeAlias = Callable[[pl.DataFrame], pl.DataFrame]

RESULT = ("outcome", "group_id", "reason")
GROUPED = ("grouped", "comprehensive")
#: Figures that a record may do without; cost decides only under some policies.
FIGURES = (
    *("gend", "age", "nwb_age", "nwb_bir_wt", "act_ipt_days", "dscg_way", "dscg_caty", "icu_hours"),
    *("cost_fen", "medfee_sumamt_fen"),
)
#: Single changes in the order in which they are tried.
CHANGES = (
    *("without_diagnosis", "without_operation", "operation_as_main", "diagnosis_as_principal"),
    "without_figure",
)
_ALL_DIAGNOSES, _ALL_OPERATIONS = "only_principal", "no_operations"
# The greatest removals first, so that most records are small after one round.
_REMOVALS = (_ALL_DIAGNOSES, _ALL_OPERATIONS, "without_diagnosis", "without_operation", "without_figure")
_KIND = pl.Enum([*CHANGES, _ALL_DIAGNOSES, _ALL_OPERATIONS])
_RECORDS_AT_ONCE = 10_000


def reduce_records(records: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    """Return each record without what its group does not need, in the same order.

    Secondary diagnoses go first, then operations, then figures (set to null), as long as ``engine`` gives
    the same outcome, group and reason; the principal diagnosis stays. Of the result nothing more can be
    taken away singly. ``records``: stays with ``diag_codes``, ``oprn_codes`` and the figures they have.
    """
    parts = [_reduced(part, engine) for part in records.iter_slices(_RECORDS_AT_ONCE)]
    return pl.concat(parts) if parts else records


def find_changes(records: pl.DataFrame, wanted: pl.Series, engine: Engine) -> pl.DataFrame:
    """Return for each record the first single change under which the engine gives the wanted group.

    ``wanted``: group code per record, null = not grouped (but not rejected). Returns one row per record in
    order: ``change`` (one of :data:`CHANGES`, null if no single change does it), ``change_at`` (position of
    the code from 1), ``change_code`` (the code, or the name of the figure).
    """
    columns = pl.Schema({"change": pl.String(), "change_at": pl.Int64(), "change_code": pl.String()})
    parts, start = [columns.to_frame()], 0
    for part in records.iter_slices(_RECORDS_AT_ONCE):
        parts.append(_changes(part, wanted.slice(start, part.height), engine).cast(columns))
        start += part.height
    return pl.concat(parts)


def _reduced(records: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    before = _answers(records, engine)
    current = records.with_row_index("rec")
    live = current
    while live.height:
        edits = _edits(live, _REMOVALS)
        got = _answers(_apply(live, edits), engine)
        same = pl.Series([True]).new_from_index(0, edits.height)
        for name in RESULT:
            same &= got[name].eq_missing(before[name].gather(edits["rec"]))
        # The first in order that changes nothing; a record without one is as small as it gets.
        taken = edits.filter(same).unique("rec", keep="first", maintain_order=True).sort("rec")
        live = _apply(live, taken)
        if live.height:
            current = current.update(live, on="rec", how="left", include_nulls=True)
    return current.drop("rec")


def _changes(records: pl.DataFrame, wanted: pl.Series, engine: Engine) -> pl.DataFrame:
    numbered = records.with_row_index("rec")
    edits = _edits(numbered, CHANGES)
    got = _answers(_apply(numbered, edits), engine)
    group = got["group_id"].set(~got["outcome"].is_in(GROUPED), None)
    # A record that grouping refuses has no group either, but that explains nothing.
    hit = group.eq_missing(wanted.cast(pl.String).gather(edits["rec"])) & (got["outcome"] != "rejected")
    first = edits.filter(hit).unique("rec", keep="first", maintain_order=True)
    found = numbered.select("rec", "diag_codes", "oprn_codes").join(
        first, on="rec", how="left", maintain_order="left"
    )
    of_diagnosis = pl.col("edit").is_in(["without_diagnosis", "diagnosis_as_principal"])
    code = (
        pl.when(of_diagnosis)
        .then(pl.col("diag_codes").list.get(pl.col("at"), null_on_oob=True))
        .when(pl.col("at").is_not_null())
        .then(pl.col("oprn_codes").list.get(pl.col("at"), null_on_oob=True))
        .otherwise(pl.col("figure"))
    )
    return found.select(
        pl.col("edit").cast(pl.String).alias("change"),
        (pl.col("at") + 1).alias("change_at"),
        code.alias("change_code"),
    )


def _answers(stays: pl.DataFrame, engine: Engine) -> pl.DataFrame:
    return engine(stays.drop("rec", strict=False)).select(pl.col(name).cast(pl.String) for name in RESULT)


def _edits(records: pl.DataFrame, kinds: Sequence[str]) -> pl.DataFrame:
    """Return every edit of these kinds: kind by kind in their order, inside a kind by position."""
    diagnoses, operations = pl.col("diag_codes").list.len(), pl.col("oprn_codes").list.len()
    positions = {
        "without_diagnosis": pl.int_ranges(1, diagnoses),
        "diagnosis_as_principal": pl.int_ranges(1, diagnoses),
        "without_operation": pl.int_ranges(0, operations),
        "operation_as_main": pl.int_ranges(1, operations),
    }
    wholes = {_ALL_DIAGNOSES: diagnoses > 2, _ALL_OPERATIONS: operations > 1}
    parts = []
    for kind in kinds:
        if kind in positions:
            found = records.select("rec", positions[kind].cast(pl.List(pl.Int64)).alias("at"))
            parts.append(
                _edit(found.explode("at", empty_as_null=False, keep_nulls=False), kind, at=pl.col("at"))
            )
        elif kind in wholes:
            parts.append(_edit(records.filter(wholes[kind]), kind))
        else:
            figures = [name for name in FIGURES if name in records.columns]
            parts += [
                _edit(records.filter(pl.col(name).is_not_null()), kind, figure=pl.lit(name))
                for name in figures
            ]
    return pl.concat(parts)


def _edit(
    frame: pl.DataFrame, kind: str, at: pl.Expr | None = None, figure: pl.Expr | None = None
) -> pl.DataFrame:
    none = pl.lit(None)
    return frame.select(
        pl.col("rec").cast(pl.UInt32),
        pl.lit(kind).cast(_KIND).alias("edit"),
        (none if at is None else at).cast(pl.Int64).alias("at"),
        (none if figure is None else figure).cast(pl.String).alias("figure"),
    )


def _apply(records: pl.DataFrame, edits: pl.DataFrame) -> pl.DataFrame:
    """Return one edited record per edit, in the order of the edits; columns as in ``records``."""
    both = edits.join(records, on="rec", how="left", maintain_order="left")
    edit, at = pl.col("edit"), pl.col("at")

    def codes(name: str, drop: str, first: str, drop_all: str, left: int) -> pl.Expr:
        column = pl.col(name)
        before, after = column.list.head(at), column.list.slice(at + 1)
        moved = pl.concat_list(column.list.slice(at, 1), before, after)
        return (
            pl.when(edit == drop)
            .then(pl.concat_list(before, after))
            .when(edit == first)
            .then(moved)
            .when(edit == drop_all)
            .then(column.list.head(left))
            .otherwise(column)
            .alias(name)
        )

    figures = [name for name in FIGURES if name in records.columns]
    return both.with_columns(
        codes("diag_codes", "without_diagnosis", "diagnosis_as_principal", _ALL_DIAGNOSES, 1),
        codes("oprn_codes", "without_operation", "operation_as_main", _ALL_OPERATIONS, 0),
        *(
            pl.when(pl.col("figure").eq_missing(name)).then(None).otherwise(pl.col(name)).alias(name)
            for name in figures
        ),
    ).select(records.columns)
