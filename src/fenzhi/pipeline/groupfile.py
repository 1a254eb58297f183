"""Group a file of stays, without a region: the catalogue, a policy, and one result row per input row."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl

from fenzhi.catalogs import compares_exactly, load_catalog
from fenzhi.errors import ConservationError
from fenzhi.files import new_file, require_new_file
from fenzhi.grouping import Compiled, CompiledDrg, Grouped, Trace, compile_catalog, trace_stay
from fenzhi.grouping.compile_drg import FACTS, FIRST_FACTS
from fenzhi.grouping.dip import OUTCOMES, STATUS_FAILED
from fenzhi.grouping.drg import NO_ADRG, NO_DRG, NO_MDC
from fenzhi.pipeline.case_source import one_stay
from fenzhi.pipeline.setting import Progress, columns_for, group_stays, silent
from fenzhi.pipeline.store import write_csv
from fenzhi.pipeline.year import other_rows
from fenzhi.policy import load_policy
from fenzhi.records import StaysRead, load_columns, read_stays


def _unheard(_notice: str) -> None:
    """Tell nobody."""


def group_file(
    source: Path,
    target: Path,
    catalog: str | Path,
    *,
    policy: str | Path = "national-dip-3.0",
    columns: Path | None = None,
    chunk_rows: int | None = None,
    progress: Progress = silent,
    tell: Callable[[str], None] = _unheard,
) -> pl.DataFrame:
    """Group a file or folder of stays into a new Parquet or CSV file; return the counts per outcome and reason.

    One row per input row, in input order: setl_id, outcome, scheme, layer, group_id, status, reason, mdc,
    adrg, drg. Rejected rows and refunds keep their place. Needs the grouping columns only. The catalogue decides
    between DIP and DRG; ``policy`` is for DIP. ``tell`` hears what was assumed or left out.
    """
    require_new_file(target, (".parquet", ".csv"))
    progress("read records", 0.0)
    rules = load_policy(policy)
    cmap = None if columns is None else load_columns(columns)
    # polars reads the records without holding the interpreter, so the catalogue is prepared at the same time.
    with ThreadPoolExecutor(1) as pool:
        compiling = pool.submit(lambda: compile_catalog(load_catalog(catalog), rules.grouping))
        read = read_stays(source, columns=columns_for(cmap, compares_exactly(catalog)), needs="grouping")
        compiled = compiling.result()
    for notice in [*read.notices, *_never_holding(read.stays, compiled)]:
        tell(notice)
    progress("group", 0.6)
    result = grouped_rows(read, group_stays(read.stays, compiled, chunk_rows), compiled.catalog.meta.scheme)
    progress("write", 0.8)
    with new_file(target) as aside:
        if target.suffix.lower() == ".csv":
            write_csv(result, aside)
        else:
            result.write_parquet(aside, compression="zstd", compression_level=1)
    progress("done", 1.0)
    return result.group_by("outcome", "reason").agg(pl.len().alias("rows")).sort("outcome", "reason")


def _never_holding(stays: pl.DataFrame, compiled: Compiled) -> list[str]:
    """Say which figures the rules of a DRG catalogue ask for that the records do not have."""
    if not isinstance(compiled, CompiledDrg):
        return []
    columns = [FACTS[fact][0] for fact in compiled.facts if fact not in FIRST_FACTS]
    lacking = [c for c in columns if c not in stays.columns or stays[c].null_count() == stays.height > 0]
    return [
        f"the catalogue has rules on {column}, which the records lack: they never hold" for column in lacking
    ]


def explain_grouping(
    source: Path,
    setl_id: str,
    catalog: str | Path,
    *,
    policy: str | Path = "national-dip-3.0",
    columns: Path | None = None,
) -> Trace:
    """Explain how one stay of a file is grouped, without a region.

    Raises :class:`InputError` if no accepted row has that id.
    """
    cmap = columns_for(None if columns is None else load_columns(columns), compares_exactly(catalog))
    compiled = compile_catalog(load_catalog(catalog), load_policy(policy).grouping)
    read = read_stays(source, columns=cmap, needs="grouping")
    return trace_stay(one_stay(read, setl_id, source), compiled)


def grouped_rows(read: StaysRead, grouped: Grouped, scheme: str) -> pl.DataFrame:
    """Return the result of ``group``: one row per input row in input order, rejected rows and refunds in place."""
    columns = ["setl_id", "outcome", "scheme", "layer", "group_id", "status", "reason", "mdc", "adrg", "drg"]
    frame = grouped.frame
    if read.rows_in != frame.height:
        others = other_rows(read)
        rejected = pl.col("outcome") == "rejected"
        drg = scheme == "drg"
        rest = others.select(
            pl.col("row_idx").cast(pl.UInt32),
            "setl_id",
            pl.col("outcome").cast(OUTCOMES),
            pl.lit(scheme).cast(frame.schema["scheme"]).alias("scheme"),
            pl.when(rejected).then(pl.lit(STATUS_FAILED)).cast(frame.schema["status"]).alias("status"),
            "reason",
            *(
                pl.when(rejected & drg).then(pl.lit(code)).alias(name)
                for name, code in (("mdc", NO_MDC), ("adrg", NO_ADRG), ("drg", NO_DRG))
            ),
        )
        frame = pl.concat([frame, rest], how="diagonal").sort("row_idx")
    if frame.height != read.rows_in:
        raise ConservationError(f"{read.rows_in} rows were read but {frame.height} have an outcome")
    return frame.select(columns)
