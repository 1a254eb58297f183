"""Distinct texts as numbers: each code is translated once, however many stays have it."""

from __future__ import annotations

import numpy as np
import polars as pl

from fenzhi.arrays import Int32s, ints


class Book:
    """Number the texts of one kind as they come: equal texts get equal numbers from 0."""

    def __init__(self) -> None:
        self._categories = pl.Categories.random()
        # polars forgets categories that no column uses any more.
        self._columns: list[pl.Series] = []
        self.size = 0

    def index(self, codes: pl.Series) -> Int32s:
        """Return the number of each text; null is -1."""
        column = codes.cast(pl.Categorical(self._categories))
        self._columns.append(column)
        numbers = np.ascontiguousarray(ints(column.to_physical()))
        self.size = max(self.size, 1 + int(numbers.max(initial=-1)))
        return numbers

    def texts(self) -> pl.Series:
        """Return the texts by number."""
        numbers = pl.Series(np.arange(self.size, dtype=np.uint32))
        return numbers.cat.to(pl.Categorical(self._categories)).cast(pl.String)


def explode_codes(lists: pl.Series) -> pl.Series:
    """Return the codes of all lists; a null inside a list becomes a blank, so that positions stay."""
    codes = lists.explode(empty_as_null=False, keep_nulls=False)
    return codes.cast(pl.String).fill_null("") if codes.null_count() else codes
