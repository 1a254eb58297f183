"""Which lists a code is in: lists of codes numbered, every code with its lists as bits, CC / MCC and exclusions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from fenzhi.arrays import Int8s, Int32s
from fenzhi.kernels import drg as kernel

WORD = 32


@dataclass
class Lists:
    """Lists of codes of one kind, numbered as they are asked for."""

    numbers: dict[object, int] = field(default_factory=dict)
    members: list[Iterable[str]] = field(default_factory=list)

    def number(self, key: object, codes: Iterable[str]) -> int:
        """Return the number of the list ``key``, made of ``codes`` when it is first asked for."""
        if key not in self.numbers:
            self.numbers[key] = len(self.members)
            self.members.append(codes)
        return self.numbers[key]


@dataclass(frozen=True)
class Membership:
    """Codes as the tables write them, and which lists each is in: uint32 (codes, words)."""

    tokens: pl.Series
    bits: npt.NDArray[np.uint32]


def rows_of(tokens: pl.Series) -> pl.Series:
    """Return the row numbers of tokens."""
    return pl.Series(np.arange(len(tokens), dtype=np.int32))


def membership_of(lists: Lists, extra: Iterable[pl.Series]) -> Membership:
    """Return every code of the lists and of ``extra`` with the lists it is in, as bits."""
    members = [pl.Series(list(codes), dtype=pl.String) for codes in lists.members]
    listed = pl.concat(members)
    number = np.repeat(np.arange(len(members)), [len(codes) for codes in members])
    tokens = pl.concat([listed, *(codes.cast(pl.String) for codes in extra)]).drop_nulls().unique().sort()
    bits = np.zeros((len(tokens), -(-len(members) // WORD)), dtype=np.uint32)
    row = listed.replace_strict(tokens, rows_of(tokens), return_dtype=pl.Int32).to_numpy()
    np.bitwise_or.at(bits, (row, number // WORD), np.uint32(1) << (number % WORD).astype(np.uint32))
    return Membership(tokens, bits)


def levels_of(cc: pl.DataFrame, tokens: pl.Series, tables: Mapping[str, int]) -> tuple[Int8s, Int32s]:
    """Return CC / MCC bits and the excluding list of each code."""
    level = np.zeros(len(tokens), dtype=np.int8)
    excluded = np.full(len(tokens), -1, dtype=np.int32)
    at = cc["code"].replace_strict(tokens, rows_of(tokens), return_dtype=pl.Int32)
    for row, name, table in zip(at, cc["level"], cc["excl_table"], strict=True):
        level[row] |= kernel.HAS_MCC if name == "MCC" else kernel.HAS_CC
        if table in tables:
            excluded[row] = tables[table]
    return level, excluded
