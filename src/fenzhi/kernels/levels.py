"""The row of a table that the level of a stay has: numbers in, numbers out."""

from __future__ import annotations

from numba import njit

from fenzhi.arrays import Int16s, Int32s


@njit(nogil=True, cache=True)
def level_rows(
    groups: Int32s, levels: Int16s, places: Int32s, firsts: Int32s, counts: Int32s, rows: Int32s
) -> None:
    """Write to ``rows`` (N) the row of each stay: the first of its group, and so many further as its level; else -1.

    ``groups`` (N): of the stays, -1 = none. ``levels`` (families, N): level of each stay in each family, -1 = none.
    ``places``, ``firsts``, ``counts`` (groups): the family that divides a group (-1 = none), its first row, how many.
    """
    for at in range(len(groups)):
        rows[at] = -1
        group = groups[at]
        if group < 0 or places[group] < 0:
            continue
        level = levels[places[group], at]
        if 0 <= level < counts[group]:
            rows[at] = firsts[group] + level
