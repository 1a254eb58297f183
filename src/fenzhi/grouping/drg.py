"""Group a frame of stays by a compiled DRG catalogue: one row in, one outcome out, in the order of the rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from fenzhi.arrays import Int8s, Int32s
from fenzhi.errors import ConservationError
from fenzhi.grouping.compile_drg import CompiledDrg
from fenzhi.grouping.dip import (
    OUTCOMES,
    STATUS_AMBIGUOUS,
    STATUS_FAILED,
    STATUS_GROUPED,
    STATUS_NO_DX,
    STATUS_NO_OP,
    STATUS_UNGROUPED,
    STATUSES,
    Grouped,
    in_parts,
)
from fenzhi.grouping.door_drg import DrgDoor, open_drg_door
from fenzhi.kernels import drg as kernel

# By the kernel's number of the reason: reason, status, whether the record itself is refused.
REASONS: tuple[tuple[str | None, str, bool], ...] = (
    (None, STATUS_GROUPED, False),
    ("no_principal_diagnosis", STATUS_FAILED, True),
    ("diagnosis_not_translatable", STATUS_NO_DX, False),
    ("operation_not_translatable", STATUS_NO_OP, False),
    ("sex_unknown", STATUS_FAILED, True),
    ("age_unknown", STATUS_FAILED, True),
    ("newborn_age_days_missing", STATUS_FAILED, True),
    ("newborn_weight_missing", STATUS_FAILED, True),
    ("ambiguous", STATUS_AMBIGUOUS, False),
    ("unknown_diagnosis", STATUS_UNGROUPED, False),
    ("no_mdc", STATUS_UNGROUPED, False),
    ("sex_against_chapter", STATUS_UNGROUPED, False),
    ("age_against_chapter", STATUS_UNGROUPED, False),
    ("unknown_operation", STATUS_UNGROUPED, False),
    ("operation_not_valid", STATUS_UNGROUPED, False),
    ("no_adrg", STATUS_UNGROUPED, False),
)
NO_MDC, NO_ADRG, NO_DRG = "0000", "00", "0000"


def group_drg_door(
    door: DrgDoor, compiled: CompiledDrg, n: int, threads: int | None = None
) -> tuple[Int32s, Int32s, Int8s]:
    """Return group, chapter (n, -1 = none) and the number of the reason of stays that are numbers already."""
    group = np.empty(n, dtype=np.int32)
    chapter = np.empty(n, dtype=np.int32)
    reason = np.empty(n, dtype=np.int8)
    nothing = np.empty((0, 3), dtype=np.int32)

    def work(start: int, end: int) -> None:
        kernel.group_stays(
            start, end, door.stays, door.codes, compiled.rules, group, chapter, reason, nothing
        )

    in_parts(n, threads, work)
    return group, chapter, reason


def result_codes(compiled: CompiledDrg) -> pl.DataFrame:
    """Return mdc, adrg, drg of every result there can be: groups, no group, each chapter's ambiguous stays."""
    groups = compiled.groups.select("mdc", "adrg", pl.col("group_id").alias("drg"))
    none = pl.DataFrame({"mdc": [NO_MDC], "adrg": [NO_ADRG], "drg": [NO_DRG]})
    ambiguous = pl.DataFrame({"mdc": compiled.chapters}).select(
        "mdc", pl.lit("QY").alias("adrg"), (pl.col("mdc").str.slice(-1) + "QY").alias("drg")
    )
    return pl.concat([groups, none, ambiguous])


def result_rows(
    group: Int32s, chapter: Int32s, reason: Int8s, compiled: CompiledDrg
) -> npt.NDArray[np.uint32]:
    """Return each stay's row of :func:`result_codes`."""
    none = compiled.groups.height
    without = np.where(reason == kernel.AMBIGUOUS_CASE, none + 1 + chapter, none)
    return np.where(group >= 0, group, without).astype(np.uint32)


def _unknown_operations(door: DrgDoor) -> pl.DataFrame:
    """Return the operations that the catalogue does not know, with the number of stays that have them."""
    unknown = ~door.codes.op_known
    if door.stays.blank >= 0:
        unknown[door.stays.blank] = False
    at = np.flatnonzero(unknown[door.stays.op])
    if not len(at):
        return pl.DataFrame(schema={"code": pl.String, "stays": pl.Int64})
    stay = np.searchsorted(door.stays.op_start, at, side="right")
    return (
        pl.DataFrame({"op": door.stays.op[at], "stay": stay})
        .unique()
        .group_by("op")
        .agg(pl.len().cast(pl.Int64).alias("stays"))
        .select(pl.lit(door.operations).gather("op").alias("code"), "stays")
        .sort("stays", "code", descending=[True, False])
    )


def _outcome(reason: str | None, refused: bool) -> str:
    if reason is None:
        return "grouped"
    return "rejected" if refused else "ungrouped"


def group_drg(stays: pl.DataFrame, compiled: CompiledDrg, *, threads: int | None = None) -> Grouped:
    """Group stays by DRG; see docs/rules.md, section 2.

    ``stays``: setl_id, diag_codes, oprn_codes (List of text), gend, age, nwb_age, nwb_bir_wt and what the
    catalogue's rules ask for besides (act_ipt_days, dscg_way, dscg_caty, icu_hours). Codes are compared as they are
    written. The result does not depend on ``threads``, on the order of rows, or on how rows are cut into frames.
    """
    door = open_drg_door(stays, compiled)
    group, chapter, why = group_drg_door(door, compiled, stays.height, threads)
    groups, codes = compiled.groups, result_codes(compiled)
    layers = pl.Enum(["surgical", "procedure", "medical"])
    reasons = pl.Series([reason for reason, _, _ in REASONS], dtype=pl.String)
    statuses = pl.Series([status for _, status, _ in REASONS]).cast(STATUSES)
    outcomes = pl.Series([_outcome(reason, refused) for reason, _, refused in REASONS]).cast(OUTCOMES)
    numbers = {
        "_at": pl.Series(result_rows(group, chapter, why, compiled)),
        "_why": pl.Series(why).cast(pl.UInt32),
        "group_idx": pl.Series(group),
    }
    number, row = pl.col("_why"), pl.col("_at")
    index = pl.when(pl.col("group_idx") >= 0).then(row)
    # One look-up per column, all of them at the same time.
    frame = (
        stays.select(pl.col("row_idx", "setl_id") if "row_idx" in stays.columns else pl.col("setl_id"))
        .with_columns(**numbers)
        .with_columns(
            pl.lit(outcomes).gather(number).alias("outcome"),
            pl.lit("drg").cast(pl.Enum(["dip", "drg"])).alias("scheme"),
            pl.lit(groups["layer"].cast(layers)).gather(index).alias("layer"),
            pl.lit(groups["group_id"]).gather(index).alias("group_id"),
            pl.lit(statuses).gather(number).alias("status"),
            pl.lit(reasons).gather(number).alias("reason"),
            *(pl.lit(codes[name]).gather(row).alias(name) for name in ("mdc", "adrg", "drg")),
        )
        .select(
            *(["row_idx"] if "row_idx" in stays.columns else []),
            *("setl_id", "outcome", "scheme", "layer", "group_id", "status", "reason", "mdc", "adrg", "drg"),
            "group_idx",
        )
    )
    if frame.height != stays.height:
        raise ConservationError(f"{stays.height} stays went into grouping and {frame.height} came out")
    return Grouped(frame, _unknown_operations(door))
