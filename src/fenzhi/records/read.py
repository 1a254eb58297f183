"""Read stays: sources in any shape, one accepted frame out, and every row accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import polars as pl

from fenzhi.errors import ConservationError, InputError
from fenzhi.records.mapping import ColumnMap
from fenzhi.records.netting import net_refunds
from fenzhi.records.quality import Checks, Known, find, report, summarise
from fenzhi.records.rules import QualityRules
from fenzhi.records.schema import STAY_COLUMNS, Needs
from fenzhi.records.shapes import Piece, read_table, read_unit
from fenzhi.records.sources import Unit, find_units, frame_table

Source: TypeAlias = Path | str | pl.DataFrame

_FIRST = ("row_idx", "setl_id", "source_file", "source_row")


@dataclass(frozen=True)
class StaysRead:
    """What a reading gives.

    ``stays``: the accepted rows, in input order (the contract *Stays* of docs/architecture.md).
    ``rejected``, ``warnings``: ``row_idx`` and the columns of ``results.REJECTED``, one row per rule broken.
    ``netted``: row_idx, setl_id, source_file, source_row, reason (``refunded``, ``refund_netted``).
    ``summary``: rule, severity, fixmedins_code, rows (distinct rows that broke the rule).
    ``notices``: what was ignored or assumed, for people. ``rows_in``: rows of the input.
    """

    stays: pl.DataFrame
    rejected: pl.DataFrame
    warnings: pl.DataFrame
    netted: pl.DataFrame
    summary: pl.DataFrame
    notices: tuple[str, ...]
    rows_in: int

    @property
    def rejected_rows(self) -> int:
        """Number of distinct rejected rows."""
        return self.rejected["row_idx"].n_unique()


def read_stays(
    source: Source | Sequence[Source],
    *,
    columns: ColumnMap | None = None,
    quality: QualityRules | None = None,
    known: Known | None = None,
    needs: Needs = "all",
    also: frozenset[str] = frozenset(),
) -> StaysRead:
    """Read stays from files, folders or frames, check them, net refunds.

    Parameters
    ----------
    source: a Parquet, CSV or Excel file, a folder of them, a folder with setlinfo / diseinfo / oprninfo, a
        data frame, or a list of those. Flat, wide or three tables.
    columns: a mapping for foreign column names.
    quality: severities and tolerances. known: sets of hospital, diagnosis and operation codes.
    needs: ``all``; ``weights`` (what history needs; no warnings); ``grouping`` (what grouping needs; cost may
        be missing; no warnings).
    also: names of further columns to read, besides what ``needs`` says.

    Raises :class:`InputError` when a file cannot be read or lacks a column, and :class:`ConservationError` if
    a row were lost (never, unless fenzhi is wrong).
    """
    cmap, quality, known = columns or ColumnMap(), quality or QualityRules(), known or Known()
    pieces, notices = _pieces(source, cmap, needs, also)
    frame, problems = _together(pieces)
    present = frozenset(frame.columns)
    netting = net_refunds(_filled(frame, quality, cmap))
    frame = netting.frame
    checks = Checks(quality, known, needs, present)
    findings = find(netting, problems, checks)
    refunds = netting.findings.filter(pl.col("rule").is_in(_active(netting.findings["rule"], checks)))
    reported = report(pl.concat([findings, refunds]), frame, quality)
    rejected = reported.filter(pl.col("severity") == "error")
    warnings = reported.filter(pl.col("severity") == "warning")
    keep = ~netting.leaving
    keep[rejected["row_idx"].to_numpy()] = False
    accepted = _accepted(frame)
    stays = accepted if keep.all() else accepted.filter(pl.Series(keep))
    netted = frame.select("setl_id", "source_file", "source_row")[netting.netted["row_idx"]].with_columns(
        netting.netted.get_columns()
    )
    result = StaysRead(
        stays,
        rejected,
        warnings,
        netted.select("row_idx", "setl_id", pl.col("source_file").cast(pl.String), "source_row", "reason"),
        summarise([rejected, warnings]),
        tuple(dict.fromkeys(notices)),
        frame.height,
    )
    out = result.stays.height + result.rejected_rows + result.netted.height
    if out != sum(piece.frame.height for piece in pieces) or out != result.rows_in:
        raise ConservationError(
            f"{result.rows_in} rows came in, {out} went out", remedy="report this: it is an error of fenzhi"
        )
    return result


def _active(rules: pl.Series, checks: Checks) -> list[str]:
    return [code for code in rules.unique() if checks.quality.applies(code, checks.needs)]


def _pieces(
    source: Source | Sequence[Source], cmap: ColumnMap, needs: Needs, also: frozenset[str]
) -> tuple[list[Piece], list[str]]:
    sources = [source] if isinstance(source, Path | str | pl.DataFrame) else list(source)
    if not sources:
        raise InputError(
            "there is nothing to read",
            code="RECORDS_MISSING",
            remedy="give at least one file, folder or frame",
        )
    notices: list[str] = []
    work: list[Unit | pl.DataFrame] = []
    for each in sources:
        if isinstance(each, pl.DataFrame):
            work.append(each)
            continue
        units, said = find_units(Path(each))
        work += units
        notices += said
    labels = Counter(unit.label for unit in work if isinstance(unit, Unit))
    pieces: list[Piece] = []
    for number, item in enumerate(work, start=1):
        if isinstance(item, pl.DataFrame):
            piece = read_table(
                frame_table(item, "frame" if len(work) == 1 else f"frame {number}"), cmap, needs, also
            )
        else:
            # Files of the same name in different folders go by their whole path.
            unique = item if labels[item.label] == 1 else Unit(item.path.as_posix(), item.path, item.tables)
            piece = read_unit(unique, cmap, needs, also)
        pieces.append(piece)
        notices += piece.notices
        if isinstance(source, Path | str) and piece.shape != pieces[0].shape:
            raise InputError(
                f"this file is {piece.shape}, {Path(pieces[0].file).name} is {pieces[0].shape}",
                code="RECORDS_MIXED_SHAPES",
                file=piece.file,
                remedy="keep records of different shapes in folders of their own",
            )
    return pieces, notices


def _together(pieces: list[Piece]) -> tuple[pl.DataFrame, pl.DataFrame]:
    problems, start = [], 0
    for piece in pieces:
        problems.append(piece.problems.with_columns((pl.col("row") + start).cast(pl.UInt32)))
        start += piece.frame.height
    frame = pieces[0].frame if len(pieces) == 1 else pl.concat([p.frame for p in pieces], how="diagonal")
    # Columns in one piece: else polars copies the whole frame whenever a column of another cut is added.
    return frame.with_row_index("row_idx").rechunk(), pl.concat(problems)


def _filled(frame: pl.DataFrame, quality: QualityRules, cmap: ColumnMap) -> pl.DataFrame:
    """Add the columns every stay has, an infant's age 0, and the length of stay from the dates.

    Where codes are taken as written, so is a given length of stay of 0.
    """
    missing: list[pl.Expr] = []
    for column in (c for c in STAY_COLUMNS if c.filled or c.out in frame.columns):
        if column.out not in frame.columns:
            empty = pl.lit(pl.Series([[]], dtype=column.dtype)).first() if column.kind == "list" else None
            missing.append((pl.lit(None, column.dtype) if empty is None else empty).alias(column.out))
        elif column.kind == "list" and frame[column.out].null_count():
            missing.append(pl.col(column.out).fill_null([]))
    flags = [
        pl.lit(True).alias(f) for f in ("_first|diag_codes", "_first|oprn_codes") if f not in frame.columns
    ]
    frame = frame.with_columns(*missing, *flags)
    infant = pl.col("age").is_null() & pl.col("nwb_age").is_not_null() & cmap.empty_age_is_infant
    given = pl.col("act_ipt_days")
    span = (pl.col("dscg_time").dt.date() - pl.col("adm_time").dt.date()).dt.total_days().cast(pl.Int32)
    floor = pl.lit(quality.los_floor_days, pl.Int32)
    days = pl.coalesce(given, span) if frame["act_ipt_days"].null_count() else given
    return frame.with_columns(
        pl.when(infant).then(pl.lit(0, pl.Int16)).otherwise(pl.col("age")).alias("age"),
        given.alias("_los_given"),
        pl.when(days.is_not_null())
        .then(
            pl.when(given.is_not_null() & cmap.codes.as_written)
            .then(days)
            .otherwise(pl.max_horizontal(days, floor))
        )
        .alias("act_ipt_days"),
    )


def _accepted(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the contract, in its order; costs of operations only where they fit the codes."""
    order = [column.out for column in STAY_COLUMNS if column.out in frame.columns and column.out != "setl_id"]
    out = frame.select(*_FIRST, *order)
    if "oprn_fees_fen" in order:
        fits = pl.col("oprn_fees_fen").list.len() == pl.col("oprn_codes").list.len()
        out = out.with_columns(pl.when(fits).then("oprn_fees_fen").alias("oprn_fees_fen"))
    return out
