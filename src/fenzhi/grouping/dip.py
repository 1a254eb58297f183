"""Group a frame of stays by a compiled DIP catalogue: one row in, one outcome out, in the order of the rows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import polars as pl

from fenzhi.arrays import Int8s, Int32s
from fenzhi.catalogs.models import COMPREHENSIVE
from fenzhi.errors import ConservationError
from fenzhi.grouping.compile_dip import CompiledDip
from fenzhi.grouping.door_dip import Door, open_door
from fenzhi.kernels.dip import match_stays

REASONS = pl.Series(["", "no_principal_diagnosis", "excluded_diagnosis", "no_group"])
STATUS_GROUPED, STATUS_UNGROUPED, STATUS_FAILED = "分组成功", "无法入组", "信息校验不通过"
STATUS_AMBIGUOUS, STATUS_NO_DX, STATUS_NO_OP = "歧义病案", "诊断不能转换", "手术操作不能转换"
OUTCOMES = pl.Enum(
    ["grouped", "comprehensive", "ungrouped", "excluded", "other_track", "rejected", "bed_day"]
)
STATUSES = pl.Enum(
    [STATUS_GROUPED, STATUS_UNGROUPED, STATUS_FAILED, STATUS_AMBIGUOUS, STATUS_NO_DX, STATUS_NO_OP]
)
# Below this a second thread costs more than it brings.
SMALLEST_PART = 20_000


@dataclass(frozen=True)
class Grouped:
    """The outcome of every stay, in input order, and what the user should know about the operation table.

    ``frame``: setl_id, outcome, scheme, layer, group_id, status, reason, mdc, adrg, drg (null for DIP), group_idx
    (Int32, -1 = none), plus row_idx if the stays had it. ``unknown_operations``: code, stays: operations that the
    table of types (DIP) or the code book (DRG) does not list.
    """

    frame: pl.DataFrame
    unknown_operations: pl.DataFrame


def threads_to_use() -> int:
    """Return the number of threads polars was given, which kernels use as well."""
    return pl.thread_pool_size()


def in_parts(n: int, threads: int | None, work: Callable[[int, int], None]) -> None:
    """Do ``work(start, end)`` for ``n`` stays in as many parts as there are threads, at the same time."""
    parts = max(1, min(threads or threads_to_use(), n // SMALLEST_PART))
    limits = np.linspace(0, n, parts + 1).astype(np.int64).tolist()
    if parts == 1:
        work(0, n)
        return
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(work, limits[:-1], limits[1:]))


def group_door(door: Door, compiled: CompiledDip, n: int, threads: int | None = None) -> tuple[Int32s, Int8s]:
    """Return group index (n, -1 = none) and reason (n) of stays that are numbers already."""
    group = np.empty(n, dtype=np.int32)
    reason = np.empty(n, dtype=np.int8)

    def work(start: int, end: int) -> None:
        match_stays(start, end, door.stays, door.codes, compiled.rules, door.room, group, reason)

    in_parts(n, threads, work)
    return group, reason


def _unknown(door: Door) -> pl.DataFrame:
    """Return the operations that the table of types does not list, with the number of stays that have them."""
    at = np.flatnonzero(door.unknown_operations[door.stays.oprns])
    stay = np.searchsorted(door.stays.oprn_offsets, at, side="right")
    code = door.operations.gather(pl.Series(door.stays.oprns[at]))
    return (
        pl.DataFrame({"code": code, "stay": stay})
        .unique()
        .group_by("code")
        .agg(pl.len().cast(pl.Int64).alias("stays"))
        .sort("stays", "code", descending=[True, False])
    )


def group_dip(stays: pl.DataFrame, compiled: CompiledDip, *, threads: int | None = None) -> Grouped:
    """Group stays; see docs/rules.md, section 2.

    ``stays``: columns setl_id, diag_codes, oprn_codes (List of text), age, nwb_age, nwb_bir_wt (and
    cost_fen or medfee_sumamt_fen where the policy lets cost decide). The result does not depend on ``threads``, on the
    order of rows, or on how rows are cut into frames.
    """
    door = open_door(stays, compiled)
    group, reason = group_door(door, compiled, stays.height, threads)
    groups = compiled.catalog.groups
    found = pl.Series("group_idx", group)
    index = found.set(found < 0, None)
    why = pl.Series(reason)
    layer = groups["layer"].cast(pl.Enum(list(compiled.catalog.meta.layers)))
    is_comprehensive = (groups["layer"] == COMPREHENSIVE).gather(index)
    none = pl.lit(None, pl.String)
    frame = stays.select(
        pl.col("row_idx", "setl_id") if "row_idx" in stays.columns else pl.col("setl_id")
    ).with_columns(
        pl.when(is_comprehensive)
        .then(pl.lit("comprehensive", OUTCOMES))
        .when(found >= 0)
        .then(pl.lit("grouped", OUTCOMES))
        .when(why == 1)
        .then(pl.lit("rejected", OUTCOMES))
        .otherwise(pl.lit("ungrouped", OUTCOMES))
        .alias("outcome"),
        pl.lit("dip").cast(pl.Enum(["dip", "drg"])).alias("scheme"),
        layer.gather(index).alias("layer"),
        groups["group_id"].gather(index).alias("group_id"),
        pl.when(found >= 0)
        .then(pl.lit(STATUS_GROUPED, STATUSES))
        .when(why == 1)
        .then(pl.lit(STATUS_FAILED, STATUSES))
        .otherwise(pl.lit(STATUS_UNGROUPED, STATUSES))
        .alias("status"),
        pl.when(found >= 0)
        .then(none)
        .otherwise(REASONS.cast(pl.String).gather(why.cast(pl.UInt32)))
        .alias("reason"),
        *(none.alias(name) for name in ("mdc", "adrg", "drg")),
        found,
    )
    if frame.height != stays.height:
        raise ConservationError(f"{stays.height} stays went into grouping and {frame.height} came out")
    return Grouped(frame, _unknown(door))
