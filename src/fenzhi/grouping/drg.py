"""Group a frame of stays by a compiled DRG catalogue: one row in, one outcome out, in the order of the rows."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from fenzhi.arrays import Bools, Int8s, Int32s, Int64s, freeze, offsets
from fenzhi.errors import ConservationError
from fenzhi.grouping.book import Book, explode_codes
from fenzhi.grouping.compile_drg import FACTS, WORD, CompiledDrg, Membership, rows_of
from fenzhi.grouping.dip import (
    OUTCOMES,
    SMALLEST_PART,
    STATUS_AMBIGUOUS,
    STATUS_FAILED,
    STATUS_GROUPED,
    STATUS_NO_DX,
    STATUS_NO_OP,
    STATUS_UNGROUPED,
    STATUSES,
    Grouped,
    threads_to_use,
)
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
_RANGE = re.compile(r"([A-Z]\d\d|\d\d)-([A-Z]\d\d|\d\d)")


@dataclass(frozen=True)
class DrgDoor:
    """Stays in numbers: what the kernel takes, and the distinct codes as text (after translation)."""

    stays: kernel.Stays
    codes: kernel.Codes
    diagnoses: pl.Series
    operations: pl.Series


def _fact(stays: pl.DataFrame, name: str, compiled: CompiledDrg) -> Int64s:
    """Return a fact of every stay, NONE where it is not given."""
    column, units = FACTS[name]
    if column not in stays.columns:
        return np.full(stays.height, kernel.NONE, dtype=np.int64)
    given = stays[column]
    if name == "dept":
        texts = compiled.texts
        # Departments that no rule names are all alike.
        numbers = (
            given.replace_strict(
                list(texts),
                list(texts.values()),
                default=pl.when(given.is_not_null()).then(-1),
                return_dtype=pl.Int64,
            )
            if texts
            else given.is_not_null().cast(pl.Int64).replace(0, None)
        )
    elif given.dtype.is_float():
        numbers = (given * units).round().cast(pl.Int64)
    elif name == "amount":
        numbers = given.cast(pl.Int64)
    else:
        numbers = given.cast(pl.Int64) * units
    return numbers.fill_null(int(kernel.NONE)).rechunk().to_numpy()


def _translated(codes: pl.Series, book: pl.DataFrame) -> tuple[pl.Series, Bools]:
    """Return the codes as the catalogue's book translates them, and which it does not know."""
    known = book.filter(pl.col("map_to").is_not_null()).unique("code", keep="first", maintain_order=True)
    target = known.select(pl.when(pl.col("map_to") == "=").then("code").otherwise("map_to")).to_series()
    out = codes.replace_strict(known["code"], target, default=None, return_dtype=pl.String)
    return out.fill_null(codes) if out.null_count() else out, out.is_null().to_numpy()


def _rows_of(codes: pl.Series, tokens: pl.Series) -> Int32s:
    """Return the row of each code among the tokens, -1 if it is none."""
    found = codes.replace_strict(tokens, rows_of(tokens), default=-1, return_dtype=pl.Int32)
    return found.fill_null(-1).to_numpy()


def _matching_rows(codes: pl.Series, tokens: pl.Series, match: str) -> list[Int32s]:
    """Return the rows of the tokens that stand for each code, -1 none: the least specific first."""
    if match == "exact":
        return [_rows_of(codes, tokens)]
    out = []
    ranges = tokens.filter(tokens.str.contains(rf"^{_RANGE.pattern}$"))
    for token, row in zip(ranges, _rows_of(ranges, tokens), strict=True):
        low, _, high = token.partition("-")
        category = codes.str.slice(0, len(low))
        inside = ((category >= low) & (category <= high)).fill_null(False).to_numpy()
        if inside.any():
            out.append(np.where(inside, row, -1).astype(np.int32))
    single = tokens.filter(~tokens.is_in(ranges.implode())) if len(ranges) else tokens
    lengths = sorted(single.str.len_chars().unique())
    for length in lengths:
        part = codes.str.slice(0, length)
        # A shorter code is no beginning of itself: it matches at its own length only.
        whole = part.set(codes.str.len_chars() < length, None)
        out.append(_rows_of(whole, tokens))
    return out


def _bits(rows: list[Int32s], membership: Membership, n: int) -> npt.NDArray[np.uint32]:
    bits = np.zeros((n, membership.bits.shape[1]), dtype=np.uint32)
    for row in rows:
        hit = row >= 0
        bits[hit] |= membership.bits[row[hit]]
    return bits


def _known(rows: list[Int32s], n: int) -> Bools:
    known = np.zeros(n, dtype=np.bool_)
    for row in rows:
        known |= row >= 0
    return known


def _open_chapters(bits: npt.NDArray[np.uint32], rules: kernel.Rules) -> Int64s:
    """Return, for each code as principal diagnosis, the chapters whose lists let it in, as bits."""
    out = np.full(len(bits), -1, dtype=np.int64)
    for chapter in range(min(len(rules.chapters) - 1, kernel.CHAPTER_BITS)):
        at = int(rules.chapters[chapter])
        while rules.kind[at] != kernel.ENTER:
            if rules.kind[at] == kernel.MAIN_DX_IN:
                number = int(rules.a[at])
                inside = (bits[:, number // WORD] >> np.uint32(number % WORD)) & np.uint32(1)
                out[inside == 0] &= ~np.int64(1 << chapter)
            at += 1
    return out


def _code_facts(
    diagnoses: pl.Series, operations: pl.Series, stuck: tuple[Bools, Bools], compiled: CompiledDrg
) -> kernel.Codes:
    """Return what the catalogue says of each distinct code."""
    match = compiled.catalog.meta.code_match
    dx_rows = _matching_rows(diagnoses, compiled.dx.tokens, match)
    op_rows = _matching_rows(operations, compiled.op.tokens, match)
    level = np.zeros(len(diagnoses), dtype=np.int8)
    excluded_by = np.full(len(diagnoses), -1, dtype=np.int32)
    for row in dx_rows:
        # The most specific entry decides.
        hit = (row >= 0) & (compiled.dx_level[row] != 0)
        level[hit] = compiled.dx_level[row[hit]]
        excluded_by[hit] = compiled.dx_excluded_by[row[hit]]
    dx_bits = _bits(dx_rows, compiled.dx, len(diagnoses))
    return kernel.Codes(
        *freeze(
            dx_bits,
            _open_chapters(dx_bits, compiled.rules),
            level,
            excluded_by,
            _known(dx_rows, len(diagnoses)),
            stuck[0],
            _bits(op_rows, compiled.op, len(operations)),
            _known(op_rows, len(operations)),
            stuck[1],
        )
    )


def _numbered(lists: pl.Series, book: Book) -> tuple[Int32s, Int64s]:
    """Return the codes of all lists as numbers, and where each list begins."""
    return book.index(explode_codes(lists)), offsets(lists)


def open_drg_door(stays: pl.DataFrame, compiled: CompiledDrg) -> DrgDoor:
    """Translate the columns that grouping reads into numbers: diag_codes, oprn_codes (List of text) and the facts."""
    dx_book, op_book = Book(), Book()
    # polars translates without holding the interpreter, so both kinds of codes go at the same time.
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(_numbered, stays["oprn_codes"], op_book)
        dx, dx_start = _numbered(stays["diag_codes"], dx_book)
        op, op_start = other.result()
    diagnoses, operations = dx_book.texts(), op_book.texts()
    blank = diagnoses.index_of("")
    if blank is not None:
        # A blank in the first place is no principal diagnosis.
        first = dx_start[:-1][np.diff(dx_start) > 0]
        dx = dx.copy()
        dx[first[dx[first] == blank]] = -1
    stuck = np.zeros(len(diagnoses), dtype=np.bool_), np.zeros(len(operations), dtype=np.bool_)
    if compiled.catalog.meta.translate_codes:
        diagnoses, no_dx = _translated(diagnoses, compiled.catalog.tables["icd10"])
        operations, no_op = _translated(operations, compiled.catalog.tables["icd9cm3"])
        stuck = no_dx, no_op
    facts = np.empty((len(compiled.facts), stays.height), dtype=np.int64)
    for at, name in enumerate(compiled.facts):
        facts[at] = _fact(stays, name, compiled)
    empty = operations.index_of("")
    return DrgDoor(
        kernel.Stays._make([*freeze(facts, dx_start, dx, op_start, op), -1 if empty is None else empty]),
        _code_facts(diagnoses, operations, stuck, compiled),
        diagnoses,
        operations,
    )


def group_drg_door(
    door: DrgDoor, compiled: CompiledDrg, n: int, threads: int | None = None
) -> tuple[Int32s, Int32s, Int8s]:
    """Return group, chapter (n, -1 = none) and the number of the reason of stays that are numbers already."""
    group = np.empty(n, dtype=np.int32)
    chapter = np.empty(n, dtype=np.int32)
    reason = np.empty(n, dtype=np.int8)
    nothing = np.empty((0, 3), dtype=np.int32)
    parts = max(1, min(threads or threads_to_use(), n // SMALLEST_PART))
    limits = np.linspace(0, n, parts + 1).astype(np.int64)

    def work(part: int) -> None:
        kernel.group_stays(
            int(limits[part]),
            int(limits[part + 1]),
            door.stays,
            door.codes,
            compiled.rules,
            group,
            chapter,
            reason,
            nothing,
        )

    if parts == 1:
        work(0)
    else:
        with ThreadPoolExecutor(parts) as pool:
            list(pool.map(work, range(parts)))
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
