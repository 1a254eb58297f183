"""Comorbidity lists: ids of diagnoses in, for each stay the lists it is found in and its score out.

All in one file on purpose, as in :mod:`fenzhi.kernels.dip`. Shapes: ``n`` stays, ``d`` distinct diagnosis codes, ``k``
lists, ``c`` categories of the score. All inputs are read-only and C-contiguous; -1 = none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from fenzhi.arrays import Bools, Int32s, Int64s


class Listed(NamedTuple):
    """What the distinct codes stand for.

    ``list_offsets`` (d + 1), ``lists``: the lists a code stands in. ``category_offsets`` (d + 1), ``categories``,
    ``points``: the categories of the score and what the code is worth in them.
    """

    list_offsets: Int64s
    lists: Int32s
    category_offsets: Int64s
    categories: Int32s
    points: Int32s


@njit(nogil=True, cache=True)
def find_listed(
    start: int,
    end: int,
    offsets: Int64s,
    diagnoses: Int32s,
    listed: Listed,
    size: int,
    main: Bools,
    other: Bools,
    score: Int32s,
) -> None:
    """Look at the stays ``start`` to ``end``: the first of a stay's diagnoses is the principal one.

    ``size``: number of categories. ``main`` and ``other`` (k, n): whether the principal or another diagnosis stands in
    a list. ``score`` (n): the highest points of each category among the other diagnoses, summed. What is found is
    added to outputs that hold nothing yet.
    """
    best = np.zeros(size, dtype=np.int32)
    for stay in range(start, end):
        total = 0
        for at in range(offsets[stay], offsets[stay + 1]):
            code = diagnoses[at]
            if code < 0:
                continue
            first = at == offsets[stay]
            for i in range(listed.list_offsets[code], listed.list_offsets[code + 1]):
                if first:
                    main[listed.lists[i], stay] = True
                else:
                    other[listed.lists[i], stay] = True
            if first:
                continue
            for i in range(listed.category_offsets[code], listed.category_offsets[code + 1]):
                category, points = listed.categories[i], listed.points[i]
                if points > best[category]:
                    total += points - best[category]
                    best[category] = points
        if total > 0:
            score[stay] = total
            best[:] = 0
