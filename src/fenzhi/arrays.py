"""Array aliases and the few conventions all kernels share.

Dense indices are int32; ``MISSING`` (-1) means "none". Money is int64 fen, points and weights int64 at
``SCALE`` (see :mod:`fenzhi.money`). Lists are stored as offsets (int64, length n + 1) and values.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Bools: TypeAlias = npt.NDArray[np.bool_]
Int8s: TypeAlias = npt.NDArray[np.int8]
Int16s: TypeAlias = npt.NDArray[np.int16]
Int32s: TypeAlias = npt.NDArray[np.int32]
Int64s: TypeAlias = npt.NDArray[np.int64]
Words: TypeAlias = npt.NDArray[np.uint64]
Floats: TypeAlias = npt.NDArray[np.float64]

MISSING = -1


def ints(column: pl.Series, dtype: type[pl.DataType] = pl.Int32) -> npt.NDArray[np.integer]:
    """Return a numpy view of an integer column, nulls as ``MISSING``; never passes through floats."""
    return column.cast(dtype).fill_null(MISSING).rechunk().to_numpy(allow_copy=False)


def offsets(lists: pl.Series) -> Int64s:
    """Return the int64 offsets (length n + 1) of a list column; a null list counts as empty."""
    lengths = lists.list.len().fill_null(0).cast(pl.Int64).to_numpy()
    out = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=out[1:])
    return out


def freeze(*arrays: np.ndarray) -> list[np.ndarray]:
    """Make arrays read-only, so that every call of a kernel has the same array types."""
    out = []
    for array in arrays:
        view = array if array.flags.c_contiguous else np.ascontiguousarray(array)
        if view.flags.writeable:
            view.setflags(write=False)
        out.append(view)
    return out
