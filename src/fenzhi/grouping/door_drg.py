"""The door of DRG grouping: distinct codes are looked up in the catalogue once, stays carry numbers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from fenzhi.arrays import Bools, Int32s, Int64s, freeze, offsets
from fenzhi.grouping.book import Book, explode_codes
from fenzhi.grouping.compile_drg import FACTS, CompiledDrg
from fenzhi.grouping.membership import WORD, Membership, rows_of
from fenzhi.kernels import drg as kernel

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
        # Hours are held in minutes; decimals of whole figures (an age of 0.6 years) are cut, as reading does.
        held = given.fill_nan(None) * units
        numbers = (held.round() if units > 1 else held.floor()).cast(pl.Int64)
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
