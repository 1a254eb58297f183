"""Which comorbidity lists the diagnoses of a stay stand in, and its score. docs/rules.md, section 3."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from fenzhi.arrays import Int32s, Int64s, freeze, offsets
from fenzhi.codes.comorbidity import SCORE, Comorbidity
from fenzhi.grouping.book import Book, explode_codes
from fenzhi.grouping.dip import in_parts
from fenzhi.kernels.comorbidity import Listed, find_listed


def _by_code(at: pl.Series, values: pl.DataFrame, size: int) -> tuple[Int64s, list[Int32s]]:
    """Return the offsets of the codes (by number) and the values in that order."""
    starts = np.zeros(size + 1, dtype=np.int64)
    np.cumsum(np.bincount(at.to_numpy(), minlength=size), out=starts[1:])
    order = np.argsort(at.to_numpy(), kind="stable")
    return starts, [column.cast(pl.Int32).to_numpy()[order] for column in values]


def _listed(codes: pl.Series, names: Sequence[str], lists: Comorbidity) -> tuple[Listed, int]:
    """Return what the distinct codes stand for, and the number of categories of the score."""
    numbers = pl.DataFrame({"code": codes}).with_row_index("_at")
    hits = lists.hits(codes).join(numbers, on="code")
    of_lists = hits.filter(pl.col("list").is_in(list(names)))
    place = of_lists["list"].replace_strict(list(names), list(range(len(names))), return_dtype=pl.Int32)
    scored = hits.filter(pl.col("list") == SCORE)
    category = scored["category"].rank("dense") - 1
    list_offsets, (list_values,) = _by_code(of_lists["_at"], pl.DataFrame([place]), len(codes))
    category_offsets, values = _by_code(scored["_at"], pl.DataFrame([category, scored["points"]]), len(codes))
    table = Listed(*freeze(list_offsets, list_values, category_offsets, *values))
    return table, scored["category"].n_unique()


def listed_diagnoses(diagnoses: pl.Series, names: Sequence[str], lists: Comorbidity) -> list[pl.Series]:
    """Return per stay the score and Boolean ``main:LIST`` and ``other:LIST`` for the lists of these names.

    ``diagnoses``: codes of the stays, principal first; a code that is null counts as blank.
    """
    book = Book()
    starts, ids = freeze(offsets(diagnoses), book.index(explode_codes(diagnoses)))
    listed, categories = _listed(book.texts(), names, lists)
    n = len(diagnoses)
    main, other = (np.zeros((len(names), n), dtype=np.bool_) for _ in range(2))
    score = np.zeros(n, dtype=np.int32)

    def work(start: int, end: int) -> None:
        find_listed(start, end, starts, ids, listed, categories, main, other, score)

    in_parts(n, None, work)
    return [
        pl.Series(SCORE, score),
        *(pl.Series(f"main:{name}", main[at]) for at, name in enumerate(names)),
        *(pl.Series(f"other:{name}", other[at]) for at, name in enumerate(names)),
    ]
